//! CSV for programs or for a spreadsheet. Also writes the open manual steps.

use std::borrow::Cow;
use std::io::{self, Write};

use super::escape;
use crate::model::UserNames;
use crate::plan::{LeaveReason, LeftRoom, ManualSteps};
use crate::view;

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

/// The columns of the open manual steps.
const STEP_COLUMNS: [&str; 9] = [
    "room_id", "pipe", "title", "user", "name", "reason", "since", "age_days", "run",
];

/// Writes the open steps as CSV with a header: a line for each member to remove, and a line for
/// each room that left the manifest.
///
/// # Errors
/// Returns an error if the output cannot be written.
pub fn todo(
    rooms: &[ManualSteps],
    left: &[LeftRoom],
    names: &UserNames,
    reader: CsvReader,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut table = reader.start(out)?;
    // The CSV may go to a terminal or a CI log, so escape text that could control them.
    let show = |text: &str| reader.cell(&escape::terminal(text)).into_owned();
    table.write_record(STEP_COLUMNS).map_err(io_error)?;
    for room in rooms {
        for step in &room.previously_removed {
            let record = [
                room.id.to_string(),
                show(room.pipe.as_str()),
                show(&room.title),
                step.user.to_string(),
                names
                    .get(&step.user)
                    .map(|name| show(name))
                    .unwrap_or_default(),
                view::reason(step.reason).to_owned(),
                step.since.to_string(),
                step.age.to_string(),
                show(&step.run),
            ];
            table.write_record(record).map_err(io_error)?;
        }
    }
    for room in left {
        let record = [
            room.id.to_string(),
            show(room.pipe.as_str()),
            show(&room.title),
            String::new(),
            String::new(),
            view::reason(LeaveReason::RoomLeft).to_owned(),
            room.release.since.to_string(),
            room.age.to_string(),
            show(&room.release.run),
        ];
        table.write_record(record).map_err(io_error)?;
    }
    table.flush()
}
