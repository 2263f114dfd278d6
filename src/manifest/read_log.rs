//! The files with rows once a manifest was read: how each was taken, under `-v`.
//!
//! Main type: [`FileNote`]. Worked out only when asked.

use std::collections::BTreeSet;
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
    /// How each file with rows was read, in the order of the files; one that was read in two ways stands there twice.
    pub fn notes(&self) -> Vec<FileNote> {
        let mut told = BTreeSet::new();
        let tables = self.tables.opened();
        let tables = tables.filter(|table| told.insert((table.file, table.header.delimiter)));
        let mut notes: Vec<_> = tables
            .map(|table| {
                let note = FileNote {
                    file: self
                        .desired
                        .files
                        .get(table.file.0 as usize)
                        .cloned()
                        .unwrap_or_default(),
                    encoding: self.tables.encoding(table.file),
                    delimiter: table.header.delimiter.map(char::from),
                    rows: table.count(&self.sources),
                    columns: match table.header.delimiter {
                        Some(_) => table.columns().to_vec(),
                        None => Vec::new(),
                    },
                };
                ((table.file, table.header.delimiter), note)
            })
            .collect();
        notes.sort_by_key(|(key, _)| *key);
        notes.into_iter().map(|(_, note)| note).collect()
    }
}
