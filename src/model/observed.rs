//! What the server showed: live rooms that matter to a manifest, and a count of the rest.

use std::collections::HashMap;

use super::{Pipe, RoomId, RoomState};

/// One row of the server's list. It has no members: the API does not tell them (`api: get_rooms`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveRoom {
    /// The server's number for it.
    pub id: RoomId,
    /// Its pipe, raw; empty where the server has none.
    pub pipe: Pipe,
    /// Title, type and publicity, raw.
    pub state: RoomState,
    /// Whether the row carries a deletion date.
    pub deleted: bool,
}

/// The rooms of one widget as one list call showed them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Rows of the pipes that are wanted, deleted ones included, in the order of their ids. Nearly always there is only one.
    rooms: HashMap<Pipe, Vec<LiveRoom>>,
    /// Live rows in all, kept or not.
    pub live: usize,
    /// Live rows nobody declared that lie in the manifest's scope.
    pub unmanaged: usize,
    /// Pipes somebody asked for, each with one of a live row that nobody did and that looks like it.
    pub look_alikes: Vec<(Pipe, Pipe)>,
    /// Whether the list may lack rooms that exist. Then a missing room is *not listed*, and never created.
    pub is_partial: bool,
}

impl Observed {
    /// Nothing yet, and room for rows of so many pipes.
    pub fn with_capacity(pipes: usize) -> Self {
        Self {
            rooms: HashMap::with_capacity(pipes),
            ..Self::default()
        }
    }

    /// Takes a row in: kept if it is wanted, else only counted. `in_scope` says whether it counts as unmanaged.
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
        rows.insert(at, row);
    }

    /// The live rows of a pipe.
    pub fn live(&self, pipe: &Pipe) -> impl Iterator<Item = &LiveRoom> {
        self.rows(pipe).filter(|row| !row.deleted)
    }

    /// The deleted rows of a pipe.
    pub fn deleted(&self, pipe: &Pipe) -> impl Iterator<Item = &LiveRoom> {
        self.rows(pipe).filter(|row| row.deleted)
    }

    /// The rows of a pipe, in the order of their ids.
    pub fn rows(&self, pipe: &Pipe) -> impl Iterator<Item = &LiveRoom> {
        self.rooms.get(pipe).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RoomKind;

    /// A fingerprint is made of the rows in this order: a row more or less does not turn the others round.
    #[test]
    fn rows_of_one_pipe_stand_by_id_and_of_one_id_the_last_is_the_first() {
        let row = |(id, title): &(u64, &str)| LiveRoom {
            id: RoomId(*id),
            pipe: Pipe::new("p"),
            state: RoomState::new(*title, RoomKind::Conference, false),
            deleted: false,
        };
        for (rows, expected) in [
            (vec![(7, "a"), (7, "b")], "ba"),
            (vec![(7, "a"), (7, "b"), (5, "c")], "cba"),
            (vec![(5, "c"), (7, "a"), (7, "b")], "cba"),
            (
                vec![(7, "a"), (5, "c"), (7, "b"), (9, "d"), (6, "e")],
                "cebad",
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
