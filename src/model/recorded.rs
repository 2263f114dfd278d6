//! What the ledger knows: not who is in a room, only what was confirmed to us.

use std::collections::{BTreeMap, BTreeSet};

use super::{Field, FieldValue, Pipe, RoomId, RoomState, UserId};

/// A field that did not take: what we sent and what the server showed afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The value sent, normalised.
    pub sent: FieldValue,
    /// The value the list showed after it, normalised.
    pub shown: FieldValue,
}

/// What is on record of one room, by its id: a room made anew under the same pipe starts empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordedRoom {
    /// Members whose adding the server confirmed.
    pub members: BTreeSet<UserId>,
    /// Members that left the manifest since; they may still be in the room.
    pub released: BTreeSet<UserId>,
    /// Title, type and publicity of the last write the server confirmed.
    pub sent: Option<RoomState>,
    /// Fields the server ignored.
    pub shown: BTreeMap<Field, Shown>,
}

/// The fold of a ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Rooms by id.
    pub rooms: BTreeMap<RoomId, RecordedRoom>,
    /// The id last confirmed for a pipe.
    pub ids: BTreeMap<Pipe, RoomId>,
    /// Members a create promised and no confirmation has settled yet.
    pub owed: BTreeMap<Pipe, BTreeSet<UserId>>,
}

impl Recorded {
    /// Whether nothing at all is on record.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.owed.is_empty()
    }
}
