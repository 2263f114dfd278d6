//! What has to be run again, as CSV: a line for each member that was not confirmed, or one for the room. A member from a roster
//! brings the cells of its row along, so that the file can be mended and fed back as a roster.

use std::collections::BTreeSet;

use super::escape::terminal;
use super::outcome::welcome_in_doubt;
use crate::apply::{Doubt, Outcome, RoomOutcome, Status};
use crate::manifest::Loaded;
use crate::model::{Place, UserId};
use crate::plan::{Change, Plan};

/// The header every such file has; the rosters' own columns follow.
const HEADER: [&str; 5] = ["pipe", "user", "error", "source", "line"];
/// What stands before the name of a roster's column that is one of those.
const THEIRS: &str = "roster_";

/// One line, before it is known which columns there are.
struct Line<'l> {
    head: [String; 5],
    /// The cells of the roster's row.
    row: Vec<(&'l str, String)>,
}

/// The rooms that did not end well, with the members still to be sent. `loaded` is the manifest of the run, which knows the row of
/// each member; where there is none the room's own place stands for it.
///
/// # Errors
/// If the text cannot be made, which nothing here can cause.
pub fn failed(plan: &Plan, outcome: &Outcome, loaded: &Loaded) -> Result<String, csv::Error> {
    let mut lines = Vec::new();
    let mut rooms = outcome.rooms.iter().peekable();
    for change in &plan.changes {
        while rooms.next_if(|room| room.pipe < change.pipe).is_some() {}
        if let Some(room) = rooms.next_if(|room| room.pipe == change.pipe) {
            lines.extend(room_lines(change, room, loaded));
        }
    }
    let mut columns: Vec<&str> = Vec::new();
    let mut known = BTreeSet::new();
    for (column, _) in lines.iter().flat_map(|line| &line.row) {
        if known.insert(*column) {
            columns.push(column);
        }
    }
    write(&lines, &columns)
}

fn write(lines: &[Line<'_>], columns: &[&str]) -> Result<String, csv::Error> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let theirs = columns.iter().map(|column| {
        let clashes = HEADER.iter().any(|own| own.eq_ignore_ascii_case(column));
        let before = if clashes { THEIRS } else { "" };
        format!("{before}{column}")
    });
    table.write_record(HEADER.iter().map(|own| (*own).to_owned()).chain(theirs))?;
    for Line { head, row } in lines {
        let cell = |column: &&str| {
            let cell = row.iter().find(|(name, _)| name == column);
            cell.map(|(_, cell)| cell.as_str()).unwrap_or_default()
        };
        let cells = columns.iter().map(cell);
        table.write_record(head.iter().map(String::as_str).chain(cells))?;
    }
    let bytes = table.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn room_lines<'l>(change: &Change, room: &RoomOutcome, loaded: &'l Loaded) -> Vec<Line<'l>> {
    let error = match &room.status {
        Status::Verified | Status::Already | Status::Applied => return Vec::new(),
        Status::Stale(reason)
        | Status::Conflict(reason)
        | Status::InDoubt(Doubt::Create, reason)
        | Status::Failed { reason, .. } => reason.clone(),
        Status::InDoubt(Doubt::Welcome, reason) => welcome_in_doubt(reason),
        other => other.name().replace('_', " "),
    };
    // The file goes back into a roster or onto a terminal: what the server said must not steer either.
    let error = terminal(&error);
    let mut users: Vec<UserId> = change.members.sent().collect();
    users.sort_unstable();
    let left: Vec<UserId> = users.into_iter().skip(room.members).collect();
    let line = |user: String, place: Option<Place>| {
        let row = place
            .and_then(|place| loaded.row(place))
            .unwrap_or_default();
        let (source, number) = match place {
            Some(place) => (loaded.desired.file_name(place).to_string(), place.line),
            None => (change.file.to_string(), change.line),
        };
        let head = [
            change.pipe.to_string(),
            user,
            error.clone(),
            source,
            number.to_string(),
        ];
        Line { head, row }
    };
    if left.is_empty() {
        return vec![line(String::new(), None)];
    }
    let place = |user: UserId| {
        let room = loaded.desired.rooms.get(&change.pipe)?;
        let index = room
            .members
            .binary_search_by_key(&user, |member| member.user)
            .ok()?;
        Some(room.members[index].place)
    };
    left.into_iter()
        .map(|user| line(user.to_string(), place(user)))
        .collect()
}
