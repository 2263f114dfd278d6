//! Describes how each file with rows was read, and what became of its rows.
//!
//! Main type: [`FileNote`]. Computed on demand.

use std::sync::Arc;

use super::load::Loaded;
use crate::tables::diagnostic::At;
use crate::tables::row_use::RowCounts;

/// How a file with rows was read for one of its uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileNote {
    /// The file's path as the user would write it.
    pub file: Arc<str>,
    /// The place in the manifest that uses the file.
    pub at: At,
    /// The encoding's name: `UTF-8`, `windows-1251`.
    pub encoding: &'static str,
    /// The delimiter; `None` for one value per line.
    pub delimiter: Option<char>,
    /// What became of its rows, without the header.
    pub rows: RowCounts,
    /// The columns in the header; empty for one value per line.
    pub columns: Vec<String>,
}

impl Loaded {
    /// Describes each use of a file with rows, in the order of the manifest.
    pub fn notes(&self) -> Vec<FileNote> {
        let notes = self.tables.opened().map(|table| FileNote {
            file: table.file.source.name.clone(),
            at: table.raw.path.at,
            encoding: table.file.encoding,
            delimiter: table.header.delimiter.map(char::from),
            rows: table.counts.get(),
            columns: match table.header.delimiter {
                Some(_) => table.header.columns.clone(),
                None => Vec::new(),
            },
        });
        notes.collect()
    }
}
