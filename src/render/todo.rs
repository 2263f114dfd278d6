//! Writes the open manual steps as CSV. There is a line for each member to remove, and a line
//! for each room that left the manifest.

use std::io::{self, Write};

use super::csv::{CsvReader, io_error};
use super::escape;
use crate::model::UserNames;
use crate::plan::{LeaveReason, LeftRoom, ManualSteps};
use crate::view;

const HEADER: [&str; 9] = [
    "room_id", "pipe", "title", "user", "name", "reason", "since", "age_days", "run",
];

/// Writes the open steps as CSV with a header.
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
