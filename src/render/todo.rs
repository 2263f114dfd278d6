//! Open manual steps as CSV, a line for each member to remove.

use super::escape;
use crate::plan::ManualSteps;
use crate::view;

const HEADER: [&str; 8] = [
    "room_id", "pipe", "title", "user", "reason", "since", "age_days", "run",
];

/// The open steps as CSV with a header.
///
/// # Errors
/// Never in practice: writing to memory does not fail.
pub fn todo(rooms: &[ManualSteps]) -> Result<String, csv::Error> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(HEADER)?;
    for room in rooms {
        for step in &room.previously_removed {
            table.write_record([
                room.id.to_string(),
                escape::csv(room.pipe.as_str()),
                escape::csv(&room.title),
                step.user.to_string(),
                view::reason(step.reason).to_owned(),
                step.since.to_string(),
                step.age.to_string(),
                escape::csv(&step.run),
            ])?;
        }
    }
    let bytes = table.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
