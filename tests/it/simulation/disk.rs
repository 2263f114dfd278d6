//! The disk: its lines survive every process.

use std::collections::BTreeSet;

use roomform::ledger::{Entries, Fact, RoomFact, Stamp};
use roomform::model::RoomId;

/// The ledger file, as the next process reads it.
#[derive(Debug)]
pub struct Disk {
    pub entries: Entries,
    pub full: bool,
    /// Whether no entry was ever lost.
    pub is_whole: bool,
    /// Rooms with an attempted message whose entries were lost. For them, nothing is guaranteed.
    pub unsure: BTreeSet<RoomId>,
}

impl Disk {
    pub fn new() -> Self {
        Self {
            entries: Entries::new(),
            full: false,
            is_whole: true,
            unsure: BTreeSet::new(),
        }
    }

    /// Drops ledger entries, and with them the state of some messages.
    pub fn lose(&mut self, lost: impl Fn(&Stamp) -> bool) {
        self.is_whole = false;
        let gone = self.entries.iter().filter(|(stamp, _)| lost(stamp));
        let rooms: Vec<RoomId> = gone.filter_map(|(_, fact)| Self::message(fact)).collect();
        self.unsure.extend(rooms);
        self.entries.retain(|stamp, _| !lost(stamp));
    }

    /// The room, if the fact is about a message to a room.
    pub fn message(fact: &Fact) -> Option<RoomId> {
        match fact {
            Fact::Room(_, room, RoomFact::Message { .. }) => Some(*room),
            _ => None,
        }
    }
}
