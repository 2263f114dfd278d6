//! Describes how each file with rows was read, for `-v`.
//!
//! Main type: [`FileNote`]. Computed on demand.

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
    /// The delimiter; `None` for one value per line.
    pub delimiter: Option<char>,
    /// Number of rows that are not blank, whether or not they are used; without the header.
    pub rows: usize,
    /// The columns in the header; empty for one value per line.
    pub columns: Vec<String>,
}

impl Loaded {
    /// Describes each file with rows, in file order. A file that was read with two delimiters is listed twice.
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
