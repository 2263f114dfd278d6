//! The observed state: live rooms that matter to a manifest, and counts of the other rooms.

use std::collections::HashMap;

use super::{MemberCounts, Pipe, RoomId, RoomState, Time};

/// Maximum number of rows kept for one pipe, including deleted rows. Even two live rows of one
/// pipe are a conflict.
pub const MOST_ROWS: usize = 100;

/// One row of the server's list. It has no members because the API does not return them (`api: get_rooms`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveRoom {
    /// The id that the server gave the room.
    pub id: RoomId,
    /// The pipe as the server returned it; empty if the room has no pipe.
    pub pipe: Pipe,
    /// Title, type and visibility as the server returned them.
    pub state: RoomState,
    /// Whether the row has a deletion date.
    pub deleted: bool,
    /// When the server last changed the row, in the server's own format. It is compared only for
    /// equality.
    pub updated_at: Option<Box<str>>,
}

/// The rooms of one widget, as returned by one list call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Rows of the wanted pipes, including deleted rows, sorted by id. Nearly every pipe has only one row.
    rooms: HashMap<Pipe, Vec<LiveRoom>>,
    /// Number of live rows, including rows that were counted but not kept.
    pub live: usize,
    /// Number of live rows that are in scope but not declared.
    pub unmanaged: usize,
    /// Pairs of pipes that look alike: a wanted pipe, and the pipe of an undeclared live row.
    pub look_alikes: Vec<(Pipe, Pipe)>,
    /// A pipe that has more than [`MOST_ROWS`] live rows, if any.
    pub crowded: Option<Pipe>,
    /// When the list was requested; `None` if unknown.
    pub read_at: Option<Time>,
    /// Whether the list may be incomplete. If so, a missing room counts as *not listed*, and is
    /// never created.
    pub is_partial: bool,
    /// How many members the rooms have; `None` if they were not counted.
    pub counts: Option<MemberCounts>,
}

impl Observed {
    /// Creates an empty list with capacity for this many pipes.
    pub fn with_capacity(pipes: usize) -> Self {
        Self {
            rooms: HashMap::with_capacity(pipes),
            ..Self::default()
        }
    }

    /// Adds a row. A wanted row is kept, and any other row is only counted. A live row that is
    /// `in_scope` but not wanted is also counted as unmanaged.
    pub fn take(&mut self, row: LiveRoom, wanted: bool, in_scope: bool) {
        self.live += usize::from(!row.deleted);
        if !wanted {
            self.unmanaged += usize::from(!row.deleted && in_scope);
            return;
        }
        let rows = self
            .rooms
            .entry(row.pipe.clone())
            .or_insert_with(|| Vec::with_capacity(1));
        let at = rows.partition_point(|other| other.id < row.id);
        match rows.get_mut(at).filter(|other| other.id == row.id) {
            // A list may contain a room twice, for example if the list changes while it is
            // read.
            Some(other) => *other = row,
            None => rows.insert(at, row),
        }
        if rows.len() > MOST_ROWS {
            // Drop a deleted row first, because deleted rows only matter if the pipe has no live
            // row.
            let surplus = rows.iter().rposition(|row| row.deleted);
            let row = rows.remove(surplus.unwrap_or(MOST_ROWS));
            if !row.deleted {
                self.crowded.get_or_insert(row.pipe);
            }
        }
    }

    /// Returns the live rows of a pipe.
    pub fn live(&self, pipe: &Pipe) -> impl Iterator<Item = &LiveRoom> {
        self.rows(pipe).filter(|row| !row.deleted)
    }

    /// Returns the deleted rows of a pipe.
    pub fn deleted(&self, pipe: &Pipe) -> impl Iterator<Item = &LiveRoom> {
        self.rows(pipe).filter(|row| row.deleted)
    }

    /// Returns all rows of a pipe, sorted by id.
    pub fn rows(&self, pipe: &Pipe) -> impl Iterator<Item = &LiveRoom> {
        self.rooms.get(pipe).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RoomKind;

    /// Digests depend on the order by id: adding or removing a row must not reorder the other
    /// rows.
    #[test]
    fn rows_of_one_pipe_are_sorted_by_id_and_the_last_row_of_an_id_wins() {
        let row = |(id, title): &(u64, &str)| LiveRoom {
            id: RoomId(*id),
            pipe: Pipe::new("p"),
            state: RoomState::new(*title, RoomKind::Conference, false),
            deleted: false,
            updated_at: None,
        };
        for (rows, expected) in [
            (vec![(7, "a"), (7, "b")], "b"),
            (vec![(7, "a"), (7, "b"), (5, "c")], "cb"),
            (vec![(5, "c"), (7, "a"), (7, "b")], "cb"),
            (
                vec![(7, "a"), (5, "c"), (7, "b"), (9, "d"), (6, "e")],
                "cebd",
            ),
        ] {
            let mut observed = Observed::default();
            rows.iter()
                .for_each(|it| observed.take(row(it), true, true));
            let pipe = Pipe::new("p");
            let titles = observed.rows(&pipe).map(|row| row.state.title.as_str());
            assert_eq!(titles.collect::<String>(), expected, "{rows:?}");
        }
    }
}
