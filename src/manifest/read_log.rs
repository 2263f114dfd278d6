//! Describes how each file with rows was read, and how its rows were used.
//!
//! Main type: [`FileNote`], which is created on demand.

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
    /// The name of the encoding, such as `UTF-8` or `windows-1251`.
    pub encoding: &'static str,
    /// The delimiter; `None` for a workbook, and if the file has one value per line.
    pub delimiter: Option<char>,
    /// The number of rows for each way in which rows were used.
    pub rows: RowCounts,
    /// The columns in the header; none if the file has one value per line.
    pub columns: Vec<String>,
}

impl Loaded {
    /// Describes each use of a file with rows, in the order of the manifest. Of equal uses that share
    /// what they read, only the first is described.
    pub fn notes(&self) -> Vec<FileNote> {
        let notes = self.tables.opened().filter_map(|table| {
            let delimiter = table.header.delimiter;
            let delimiter = delimiter.filter(|_| !table.file.is_sheet());
            Some(FileNote {
                file: table.file.source.name.clone(),
                at: table.raw.path.at,
                encoding: table.file.encoding,
                delimiter: delimiter.map(char::from),
                rows: table.counts.get()?,
                columns: match table.header.delimiter {
                    Some(_) => table.header.columns.clone(),
                    None => Vec::new(),
                },
            })
        });
        let mut notes: Vec<_> = notes.collect();
        notes.sort_by_key(|note| note.at);
        notes
    }
}
