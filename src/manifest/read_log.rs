//! The files with rows once a manifest was read: how each was read, under `-v`.
//!
//! Main type: [`FileNote`]. Worked out on demand.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::load::Loaded;

/// How a file with rows was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileNote {
    /// The file's path as the user would write it.
    pub file: Arc<str>,
    /// The encoding's name: `UTF-8`, `windows-1251`.
    pub encoding: &'static str,
    /// The character between cells; none for one value a line.
    pub delimiter: Option<char>,
    /// Rows with something in them, whether they count or not; without the header.
    pub rows: usize,
    /// The columns as the header has them; none for one value a line.
    pub columns: Vec<String>,
}

impl Loaded {
    /// How each file with rows was read, in the order of the files; one that was read with two delimiters is there twice.
    pub fn notes(&self) -> Vec<FileNote> {
        let mut tables = BTreeMap::new();
        for table in self.tables.opened() {
            let key = (table.file, table.header.delimiter);
            tables.entry(key).or_insert(table);
        }
        let notes = tables.into_values().map(|table| FileNote {
            file: table.source.name.clone(),
            encoding: table.encoding,
            delimiter: table.header.delimiter.map(char::from),
            rows: table.count(),
            columns: match table.header.delimiter {
                Some(_) => table.columns().to_vec(),
                None => Vec::new(),
            },
        });
        notes.collect()
    }
}
