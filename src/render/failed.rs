//! Writes what an apply did not complete, as CSV. There is a line for each unconfirmed member, or
//! one line for a room without such members.
//!
//! The line of a member from a roster keeps the cells of the roster, so that the file can be
//! corrected and used as a roster.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::escape::terminal;
use crate::apply::{Outcome, RoomOutcome, Status};
use crate::manifest::Loaded;
use crate::model::{Place, UserId};
use crate::plan::{Change, Plan};
use crate::view::{failure, remarks};

/// The first columns of every file. The columns of the rosters follow.
const HEADER: [&str; 5] = ["pipe", "user", "error", "source", "line"];
/// The prefix for a roster column whose name is already used.
const THEIRS: &str = "roster_";

/// One line: the cells of the first columns, and the cells of the roster by column number.
type Line = ([String; 5], Vec<(usize, String)>);

/// The columns of all rosters in the order in which they appear, without duplicates.
#[derive(Default)]
struct Columns {
    /// The columns. The key of a column is its name and its index among equal names in one
    /// file. The name in the key is in lower case, because rosters ignore case.
    names: IndexMap<(String, usize), String>,
    /// The column names that are already used, in lower case, without those in [`HEADER`].
    taken: BTreeSet<String>,
}

impl Columns {
    /// Returns the cells of a row with their column numbers. A column whose name is already used
    /// gets a prefix.
    fn number(&mut self, row: Vec<(&str, String)>) -> Vec<(usize, String)> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let cells = row.into_iter().map(|(name, cell)| {
            let lower = name.to_lowercase();
            let nth = seen.entry(lower.clone()).or_default();
            *nth += 1;
            let entry = self.names.entry((lower, *nth));
            let number = entry.index();
            entry.or_insert_with(|| {
                let mut free = name.to_owned();
                while HEADER.contains(&free.to_lowercase().as_str())
                    || !self.taken.insert(free.to_lowercase())
                {
                    free.insert_str(0, THEIRS);
                }
                free
            });
            (number, cell)
        });
        cells.collect()
    }
}

/// Returns the rooms that did not succeed, with the members that must still be sent. `loaded` is
/// the manifest of the run, and knows the row of each member. A member without a row gets the
/// position of the room.
///
/// # Errors
/// Does not fail in practice, because writing to memory cannot fail.
pub fn failed(plan: &Plan, outcome: &Outcome, loaded: &Loaded) -> Result<String, csv::Error> {
    let (mut lines, mut columns) = (Vec::new(), Columns::default());
    let mut rooms = outcome.rooms.iter().peekable();
    for change in &plan.changes {
        while rooms.next_if(|room| room.pipe < change.pipe).is_some() {}
        if let Some(room) = rooms.next_if(|room| room.pipe == change.pipe) {
            lines.extend(room_lines(change, room, loaded, &mut columns));
        }
    }
    let mut table = csv::Writer::from_writer(Vec::new());
    let theirs = columns.names.values().map(String::as_str);
    table.write_record(HEADER.into_iter().chain(theirs))?;
    for (head, row) in lines {
        let mut cells = vec![String::new(); columns.names.len()];
        for (number, cell) in row {
            if let Some(place) = cells.get_mut(number) {
                *place = cell;
            }
        }
        table.write_record(head.iter().chain(&cells))?;
    }
    let bytes = table.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn room_lines(
    change: &Change,
    room: &RoomOutcome,
    loaded: &Loaded,
    columns: &mut Columns,
) -> Vec<Line> {
    let error = match &room.status {
        Status::Verified | Status::UpToDate | Status::Undeclared | Status::Applied => {
            return Vec::new();
        }
        status => failure(status).unwrap_or_else(|| status.name().replace('_', " ")),
    };
    let error = error + &remarks(room).raw();
    // The file may be used as a roster or shown on a terminal, so the server's text must be safe
    // for both.
    let error = terminal(&error);
    let mut users: Vec<UserId> = change.members.sent().collect();
    users.sort_unstable();
    // Members are sent in this order, so those that the server has answered for come first.
    let answered = room.members + room.unconfirmed.len();
    let never_sent = users.into_iter().skip(answered);
    let left: Vec<UserId> = room.unconfirmed.iter().copied().chain(never_sent).collect();
    let mut line = |user: String, place: Option<Place>| {
        let row = place.and_then(|place| loaded.row(place));
        let row = columns.number(row.unwrap_or_default());
        let (source, number) = match place {
            Some(place) => (loaded.desired.file_name(place).to_string(), place.line),
            None => (change.file.to_string(), change.line),
        };
        let head = [
            change.pipe.to_string(),
            user,
            error.clone(),
            terminal(&source),
            number.to_string(),
        ];
        (head, row)
    };
    if left.is_empty() {
        return vec![line(String::new(), None)];
    }
    let room = loaded.desired.rooms.get(&change.pipe);
    let lines = left.into_iter().map(|user| {
        let place = room.and_then(|room| room.member_place(user));
        line(user.to_string(), place)
    });
    lines.collect()
}
