//! The recorded state: what the ledger knows. The ledger records confirmed writes, not who is in a
//! room.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    Field, FieldSet, FieldValue, Pipe, RoomId, RoomState, Time, UserId, UserSet, named_enum,
};

/// A field that the server ignored, with the value sent and the value shown afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The value sent, normalized.
    pub sent: FieldValue,
    /// The value that the list showed after the write, normalized.
    pub shown: FieldValue,
}

/// A field that was sent, but that the list did not show in time. The server may have ignored the
/// field, or the list may lag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingField {
    /// The value sent, normalized.
    pub sent: FieldValue,
    /// The value that the list showed instead, normalized.
    pub shown: FieldValue,
    /// When a run first recorded the field as pending. Runs that send the same value again do not
    /// change this time.
    pub since: Time,
    /// When the server had last changed the room, according to the list that showed the value
    /// `shown`.
    pub updated_at: Option<Box<str>>,
}

/// A create that a run started, and that is neither confirmed nor known to have failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCreate {
    /// The id of the run.
    pub run: String,
    /// When the run last claimed the create.
    pub since: Time,
}

named_enum! {
    /// The state of a room's welcome, once a send has started.
    pub enum Sending {
        /// The send started, but its outcome is unknown. It is never retried.
        Uncertain = "uncertain",
        /// The server confirmed the message.
        Confirmed = "confirmed",
    }
}

/// What is still to be sent after a create.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owed {
    /// Members that are still to be sent.
    pub members: UserSet,
    /// Whether the welcome is still to be sent.
    pub welcome: bool,
    /// The id of the room to send to; `None` means the room that has the pipe.
    pub room: Option<RoomId>,
}

/// When a member or a room left the manifest, as far as the ledger knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// When a run recorded that the member or the room left the manifest.
    pub since: Time,
    /// The run that recorded that the member or the room left the manifest.
    pub run: Arc<str>,
}

/// The record of one room id. If a room is recreated with the same pipe, its record starts empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordedRoom {
    /// Members that the server confirmed, or that were adopted.
    pub members: UserSet,
    /// Adopted members that the server never confirmed.
    pub adopted: UserSet,
    /// Members that left the manifest and may still be in the room.
    pub released: BTreeMap<UserId, Release>,
    /// Whether roomform created the room.
    pub created: bool,
    /// The number of members at the last count.
    pub counted: Option<u64>,
    /// 1 if the last count included the writing user as a member, otherwise 0.
    pub offset: Option<u64>,
    /// Title, type and visibility of the last confirmed write.
    pub sent: Option<RoomState>,
    /// Fields for which the last confirmed write sent the live value, because the server had
    /// ignored the manifest's value.
    pub kept: FieldSet,
    /// The pipe of the last confirmed write. If a server treats two pipes as equal, the write may
    /// have changed the room of another pipe.
    pub pipe: Option<Pipe>,
    /// Fields whose listed value differed from the sent value when the run verified its own write;
    /// `None` if the run did not verify it.
    pub seen: Option<BTreeMap<Field, FieldValue>>,
    /// Fields whose values the server ignored.
    pub shown: BTreeMap<Field, Shown>,
    /// Fields that the last write sent, and whose new values its run did not yet see in the
    /// list.
    pub pending: BTreeMap<Field, PendingField>,
    /// When the last write was confirmed.
    pub confirmed_at: Option<Time>,
    /// Whether the welcome was sent; `None` if no send has started.
    pub welcome: Option<Sending>,
}

/// One entry of a ledger, for people to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When the entry was written, in UTC.
    pub time: Arc<str>,
    /// The run that wrote the entry.
    pub run: Arc<str>,
    /// The kind of entry, such as `confirmed`.
    pub action: &'static str,
    /// The pipe of the room, if the entry is about a room.
    pub pipe: Option<Pipe>,
    /// The id of the room, if known.
    pub room: Option<RoomId>,
    /// The members that the entry is about.
    pub members: Vec<UserId>,
    /// The number of members that were counted.
    pub count: Option<u64>,
    /// The file and line that the room or count came from.
    pub source: Option<String>,
}

/// A user whom the ledger lists in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRoom {
    /// The user.
    pub user: UserId,
    /// The pipe of the room.
    pub pipe: Pipe,
    /// The id of the room.
    pub room: RoomId,
    /// Since when the user is a member or is to be removed, in UTC; unknown if a compaction removed
    /// the entry, and for known members of a room.
    pub since: Option<String>,
    /// Whether the user left the manifest and must still be removed. Otherwise, the user is a known
    /// member.
    pub is_open_step: bool,
}

/// The state of a ledger after all its entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Rooms by id.
    pub rooms: BTreeMap<RoomId, RecordedRoom>,
    /// The last confirmed id of each pipe, from the response to a write or from the check before a
    /// message.
    pub ids: BTreeMap<Pipe, RoomId>,
    /// What is still to be sent after a create, by pipe.
    pub owed: BTreeMap<Pipe, Owed>,
    /// Creates whose result is unknown, by pipe, earliest first. Their rooms may exist.
    pub open: BTreeMap<Pipe, Vec<OpenCreate>>,
    /// Rooms that were no longer in the manifest at the last apply.
    pub left: BTreeMap<Pipe, Release>,
    /// For each file with rows, its number of rooms and memberships at the last apply.
    pub rosters: BTreeMap<String, u64>,
}

impl Recorded {
    /// Prepares the record for a list that is older than the last entries. Removes what runs may
    /// have observed after that list was read.
    #[must_use]
    pub fn without_later_observations(mut self) -> Self {
        self.rooms.values_mut().for_each(|room| room.seen = None);
        self
    }

    /// Whether nothing is on record.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.owed.is_empty()
    }

    /// Whether a run sent the room's welcome, or may have sent it.
    pub fn has_begun_welcome(&self, room: RoomId) -> bool {
        let known = self.rooms.get(&room);
        known.is_some_and(|known| known.welcome.is_some())
    }

    /// Whether roomform created the live room and its welcome is still pending.
    pub fn owes_welcome(&self, pipe: &Pipe, room: RoomId) -> bool {
        let owed = self.owed.get(pipe);
        let owed = owed.is_some_and(|owed| owed.welcome && owed.room.is_none_or(|to| to == room));
        owed && !self.has_begun_welcome(room)
    }
}
