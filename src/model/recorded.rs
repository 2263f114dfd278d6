//! What the ledger knows: not who is in a room, only what was confirmed to us.

use std::collections::{BTreeMap, BTreeSet};

use super::{Field, FieldSet, FieldValue, Pipe, RoomId, RoomState, UserSet};

/// A field that did not take: what we sent and what the server showed afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The value sent, normalised.
    pub sent: FieldValue,
    /// The value the list showed after it, normalised.
    pub shown: FieldValue,
}

/// What became of a room's welcome, as far as one was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// It was about to be sent, and nobody knows whether it arrived. It is never sent again.
    Uncertain,
    /// The server confirmed it.
    Confirmed,
}

/// What a create promised and nothing has settled yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owed {
    /// Members still to be sent.
    pub members: UserSet,
    /// Whether the welcome is still to be sent.
    pub welcome: bool,
    /// The room it is owed to, once something told which; before that whichever has the pipe.
    pub room: Option<RoomId>,
}

/// What is on record of one room, by its id: a room recreated under the same pipe starts empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordedRoom {
    /// Members whose adding the server confirmed, and those that were adopted.
    pub members: UserSet,
    /// Which of them the server never confirmed: somebody had them taken for present.
    pub adopted: UserSet,
    /// Members that left the manifest since; they may still be in the room.
    pub released: UserSet,
    /// Title, type and publicity of the last write the server confirmed.
    pub sent: Option<RoomState>,
    /// Which of these went as they stood there, since the server had ignored what the manifest wanted.
    pub kept: FieldSet,
    /// The pipe it was sent under: a server that takes two pipes for one may have written to another's room.
    pub pipe: Option<Pipe>,
    /// What the list showed otherwise when the run that made that write read it again; `None` if it did not.
    pub seen: Option<BTreeMap<Field, FieldValue>>,
    /// Fields the server ignored.
    pub shown: BTreeMap<Field, Shown>,
    /// What became of its welcome.
    pub welcome: Option<Sending>,
}

/// The fold of a ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Rooms by id.
    pub rooms: BTreeMap<RoomId, RecordedRoom>,
    /// The id last confirmed for a pipe, by a write's answer or before something was said there.
    pub ids: BTreeMap<Pipe, RoomId>,
    /// What creates promised and nothing has settled yet.
    pub owed: BTreeMap<Pipe, Owed>,
    /// Rooms that were not in the manifest any more when it was last applied.
    pub left: BTreeSet<Pipe>,
    /// How many rooms and memberships each file with rows gave when it was last applied.
    pub rosters: BTreeMap<String, u64>,
}

impl Recorded {
    /// The same, beside a list that was read before the last entry: what others may have seen since tells nothing about it.
    #[must_use]
    pub fn beside_an_older_list(mut self) -> Self {
        self.rooms.values_mut().for_each(|room| room.seen = None);
        self
    }

    /// Whether nothing at all is on record.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.owed.is_empty()
    }

    /// Whether a run began to send the room's welcome and did not certainly fail.
    pub fn has_begun_welcome(&self, room: RoomId) -> bool {
        let known = self.rooms.get(&room);
        known.is_some_and(|known| known.welcome.is_some())
    }

    /// Whether a live room was made by us and still waits for its welcome.
    pub fn owes_welcome(&self, pipe: &Pipe, room: RoomId) -> bool {
        let owed = self.owed.get(pipe);
        let owed = owed.is_some_and(|owed| owed.welcome && owed.room.is_none_or(|to| to == room));
        owed && !self.has_begun_welcome(room)
    }
}
