//! CSV for programs or for a spreadsheet.

use std::borrow::Cow;
use std::io::{self, Write};

use super::escape;

/// What the CSV will be read with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CsvReader {
    /// A program, which gets the cells unchanged.
    Program,
    /// A spreadsheet. It gets a byte order mark, `;` between cells, and no cell that it would treat
    /// as a formula.
    Spreadsheet,
}

impl CsvReader {
    /// Starts a CSV table.
    ///
    /// # Errors
    /// Returns an error if the output cannot be written.
    pub(super) fn start<W: Write>(self, mut out: W) -> io::Result<csv::Writer<W>> {
        let delimiter = match self {
            Self::Program => b',',
            Self::Spreadsheet => {
                // Without this byte order mark, Excel does not read the file as UTF-8.
                out.write_all("\u{feff}".as_bytes())?;
                b';'
            }
        };
        let mut writer = csv::WriterBuilder::new();
        Ok(writer.delimiter(delimiter).from_writer(out))
    }

    /// Converts untrusted text to a cell.
    pub(super) fn cell(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Program => text.into(),
            Self::Spreadsheet => escape::spreadsheet(text).into(),
        }
    }
}

/// Returns the I/O error inside a CSV error, so that callers can distinguish a closed pipe from a
/// full disk.
pub(super) fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}
