//! Open manual steps as CSV, a line for each member to remove.

use super::csv::CsvReader;
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
/// Never in practice: writing to memory does not fail.
pub fn todo(
    rooms: &[ManualSteps],
    names: &UserNames,
    reader: CsvReader,
) -> Result<String, csv::Error> {
    let mut table = reader.start(Vec::new())?;
    // The list may be printed: no characters that a terminal or the log of a CI job obeys.
    let show = |text: &str| reader.cell(&escape::terminal(text)).into_owned();
    table.write_record(HEADER)?;
    for room in rooms {
        for step in &room.previously_removed {
            table.write_record([
                room.id.to_string(),
                show(room.pipe.as_str()),
                show(&room.title),
                step.user.to_string(),
                names
                    .get(&step.user)
                    .map_or_else(String::new, |name| show(name)),
                view::reason(step.reason).to_owned(),
                step.since.to_string(),
                step.age.to_string(),
                show(&step.run),
            ])?;
        }
    }
    let bytes = table.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
