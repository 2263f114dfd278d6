//! What has to be run again, as CSV: a line for each member that was not confirmed, or one for the room.

use super::escape::terminal;
use super::outcome::welcome_in_doubt;
use crate::apply::{Doubt, Outcome, RoomOutcome, Status};
use crate::plan::{Change, Plan};

/// The header every such file has; a roster's own columns may follow.
const HEADER: [&str; 5] = ["pipe", "user", "error", "source", "line"];

/// The rooms that did not end well, with the members still to be sent.
///
/// # Errors
/// If the text cannot be made, which nothing here can cause.
pub fn failed(plan: &Plan, outcome: &Outcome) -> Result<String, csv::Error> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(HEADER)?;
    let mut rooms = outcome.rooms.iter().peekable();
    for change in &plan.changes {
        while rooms.next_if(|room| room.pipe < change.pipe).is_some() {}
        if let Some(room) = rooms.next_if(|room| room.pipe == change.pipe) {
            rows(&mut table, change, room)?;
        }
    }
    let bytes = table.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn rows(
    table: &mut csv::Writer<Vec<u8>>,
    change: &Change,
    room: &RoomOutcome,
) -> Result<(), csv::Error> {
    let error = match &room.status {
        Status::Verified | Status::Already | Status::Applied => return Ok(()),
        Status::Stale(reason)
        | Status::Conflict(reason)
        | Status::InDoubt(Doubt::Create, reason)
        | Status::Failed { reason, .. } => reason.clone(),
        Status::InDoubt(Doubt::Welcome, reason) => welcome_in_doubt(reason),
        other => other.name().replace('_', " "),
    };
    let mut users: Vec<_> = change.members.sent().collect();
    users.sort_unstable();
    let mut left: Vec<String> = users
        .iter()
        .skip(room.members)
        .map(ToString::to_string)
        .collect();
    if left.is_empty() {
        left.push(String::new());
    }
    // The file goes back into a roster or onto a terminal: what the server said must not steer either.
    let error = terminal(&error);
    for user in left {
        table.write_record([
            change.pipe.as_str(),
            &user,
            &error,
            &change.file,
            &change.line.to_string(),
        ])?;
    }
    Ok(())
}
