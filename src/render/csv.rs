//! CSV for programs, or for a spreadsheet.

use std::borrow::Cow;
use std::io::{self, Write};

use super::escape;

/// Who reads the CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CsvReader {
    /// Programs: cells are not changed.
    Program,
    /// A spreadsheet: a byte order mark, `;` between cells, and no cell that is a formula.
    Spreadsheet,
}

impl CsvReader {
    /// Starts a table.
    ///
    /// # Errors
    /// The output cannot be written.
    pub(super) fn start<W: Write>(self, mut out: W) -> io::Result<csv::Writer<W>> {
        let delimiter = match self {
            Self::Program => b',',
            Self::Spreadsheet => {
                // Without the mark, Excel reads UTF-8 as a code page.
                out.write_all("\u{feff}".as_bytes())?;
                b';'
            }
        };
        let mut writer = csv::WriterBuilder::new();
        Ok(writer.delimiter(delimiter).from_writer(out))
    }

    /// Returns untrusted text as a cell.
    pub(super) fn cell(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Program => text.into(),
            Self::Spreadsheet => escape::spreadsheet(text).into(),
        }
    }
}

/// Unwraps the I/O error, so that callers can tell a closed pipe from a full disk.
pub(super) fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}
