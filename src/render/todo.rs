//! Open manual steps as CSV, a line for each member to remove.

use std::io::{self, Write};

use super::csv::{CsvReader, io_error};
use super::escape;
use crate::model::UserNames;
use crate::plan::ManualSteps;
use crate::view;

const HEADER: [&str; 9] = [
    "room_id", "pipe", "title", "user", "name", "reason", "since", "age_days", "run",
];

/// The open steps as CSV with a header.
///
/// # Errors
/// The output cannot be written.
pub fn todo(
    rooms: &[ManualSteps],
    names: &UserNames,
    reader: CsvReader,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut table = reader.start(out)?;
    // The list may be printed: no characters that a terminal or the log of a CI job obeys.
    let show = |text: &str| reader.cell(&escape::terminal(text)).into_owned();
    table.write_record(HEADER).map_err(io_error)?;
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
    table.flush()
}
