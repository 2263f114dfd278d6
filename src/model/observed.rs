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
    /// Rows whose pipe somebody asked for, deleted ones included, in the order of their ids.
    pub rooms: HashMap<Pipe, Vec<LiveRoom>>,
    /// Live rows in all, kept or not.
    pub live: usize,
    /// Live rows nobody declared that lie in the manifest's scope.
    pub unmanaged: usize,
    /// Pipes somebody asked for, each with one of a live row that nobody did and that looks like it.
    pub look_alikes: Vec<(Pipe, Pipe)>,
}

impl Observed {
    /// Takes a row in: kept if it is wanted, else only counted. `in_scope` says whether it counts as unmanaged.
    pub fn take(&mut self, row: LiveRoom, wanted: bool, in_scope: bool) {
        self.live += usize::from(!row.deleted);
        if !wanted {
            self.unmanaged += usize::from(!row.deleted && in_scope);
            return;
        }
        let rows = self.rooms.entry(row.pipe.clone());
        // Nearly always it is the only one.
        let rows = rows.or_insert_with(|| Vec::with_capacity(1));
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

    fn rows(&self, pipe: &Pipe) -> impl Iterator<Item = &LiveRoom> {
        self.rooms.get(pipe).into_iter().flatten()
    }
}
