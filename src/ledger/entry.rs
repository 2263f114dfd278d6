//! One ledger entry: an immutable fact with a unique stamp. For its JSON form see `json`.

use std::collections::BTreeMap;

use crate::model::{Field, FieldSet, FieldValue, Pipe, RoomId, RoomState, Time, UserId};

/// A recorded fact. Facts are only ever added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A run claims a create, and is about to send it. The new room must get these members and the welcome, even if the answer is
    /// lost.
    Intent {
        /// The room's pipe.
        pipe: Pipe,
        /// Members to send.
        members: Vec<UserId>,
        /// Whether a welcome is to be sent.
        welcome: bool,
    },
    /// A create certainly did nothing, or the list was searched for its room for long enough and does not have it.
    NotCreated {
        /// The room's pipe.
        pipe: Pipe,
        /// The run that claimed the create; `None` for the run of this entry.
        of_run: Option<String>,
    },
    /// The server confirmed a write.
    Confirmed {
        /// The room's pipe.
        pipe: Pipe,
        /// The room's id.
        room: RoomId,
        /// Members of this call; empty if the answer carried an error.
        members: Vec<UserId>,
        /// The room state that was sent.
        sent: RoomState,
        /// Fields that were sent with the value in the list, because the server ignored the value in the manifest.
        kept: FieldSet,
        /// Whether this run created the room, or found it as the room of another run's create.
        created: bool,
        /// The file and line that declares the room, as in `rooms.yaml:3`.
        source: Option<Box<str>>,
    },
    /// A user marked members of an existing room as present. Nothing was sent, and the server did not confirm it.
    Adopted {
        /// The room's pipe.
        pipe: Pipe,
        /// The room's id.
        room: RoomId,
        /// Members assumed present.
        members: Vec<UserId>,
    },
    /// Members are no longer in the manifest. Removing them is a manual step. If they return to the manifest they are sent again.
    Released {
        /// The room's pipe.
        pipe: Pipe,
        /// The room's id.
        room: RoomId,
        /// Members that left the manifest.
        members: Vec<UserId>,
        /// Whether a user marked the manual step as done.
        taken_out: bool,
    },
    /// The list did not show a sent value in the time that the run waited for it.
    Pending {
        /// The room's pipe.
        pipe: Pipe,
        /// The room's id.
        room: RoomId,
        /// The field that differs.
        field: Field,
        /// The value sent, normalized.
        sent: FieldValue,
        /// The value in the list, normalized.
        shown: FieldValue,
        /// When the server last changed the room, according to the list.
        updated_at: Option<Box<str>>,
        /// When a run first recorded that this value is pending; `None` if this entry is the first.
        since: Option<Time>,
    },
    /// The server ignored a value that was sent: a list that is fresh shows another one. If both values are the same, the field
    /// is neither ignored nor pending any more.
    Shown {
        /// The room's pipe.
        pipe: Pipe,
        /// The room's id.
        room: RoomId,
        /// The field that differs.
        field: Field,
        /// The value sent, normalized.
        sent: FieldValue,
        /// The value in the list, normalized.
        shown: FieldValue,
    },
    /// A room's welcome is about to be sent, was sent, or certainly was not sent.
    Message {
        /// The room's pipe.
        pipe: Pipe,
        /// The room's id.
        room: RoomId,
        /// The sender.
        from: UserId,
        /// The stage of the message.
        stage: Stage,
    },
    /// The list was read after this run's writes to a room and showed what was sent, except for fields in [`Fact::Shown`] and
    /// [`Fact::Pending`].
    Seen {
        /// The room's pipe.
        pipe: Pipe,
        /// The room's id.
        room: RoomId,
    },
    /// The server showed how many members a room has.
    Counted {
        /// The room's pipe.
        pipe: Pipe,
        /// The room's id.
        room: RoomId,
        /// The number of members.
        count: u64,
        /// How often the writing user counted as a member besides, if roomform created the room.
        offset: Option<u64>,
    },
    /// A known room left the manifest or returned to it.
    Declared {
        /// The room's pipe.
        pipe: Pipe,
        /// Whether it is in the manifest now.
        declared: bool,
    },
    /// The number of rooms and memberships from a roster, when the manifest was applied.
    Roster {
        /// File name relative to the manifest's root.
        source: String,
        /// Rooms and memberships.
        given: u64,
    },
    /// A user discarded all earlier entries of a pipe.
    Forgotten {
        /// The room's pipe.
        pipe: Pipe,
    },
}

/// The stage of a message. Within a run, a later stage replaces an earlier one. Stages of different runs are kept separately:
/// if one run may have sent the message, another run cannot rule that out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// About to be sent, or sent with an unknown result. No run sends it again.
    Intended,
    /// The server confirmed it.
    Confirmed,
    /// The server certainly did not act. The message is still to be sent.
    Failed,
}

impl Fact {
    /// A welcome is about to be sent.
    pub fn intended(pipe: &Pipe, room: RoomId, from: UserId) -> Self {
        Self::Message {
            pipe: pipe.clone(),
            room,
            from,
            stage: Stage::Intended,
        }
    }

    /// The list shows the sent value of a field that was ignored or pending before.
    pub fn settled(pipe: Pipe, room: RoomId, field: Field, value: FieldValue) -> Self {
        Self::Shown {
            pipe,
            room,
            field,
            sent: value.clone(),
            shown: value,
        }
    }

    /// The room id in the fact, if any.
    pub(super) fn room(&self) -> Option<RoomId> {
        match self {
            Self::Confirmed { room, .. }
            | Self::Adopted { room, .. }
            | Self::Released { room, .. }
            | Self::Pending { room, .. }
            | Self::Shown { room, .. }
            | Self::Message { room, .. }
            | Self::Counted { room, .. }
            | Self::Seen { room, .. } => Some(*room),
            _ => None,
        }
    }

    /// The members in the fact, if any.
    pub fn members(&self) -> Option<&[UserId]> {
        match self {
            Self::Intent { members, .. }
            | Self::Confirmed { members, .. }
            | Self::Adopted { members, .. }
            | Self::Released { members, .. } => Some(members),
            _ => None,
        }
    }

    /// The file, and for a room the line, that the fact comes from.
    pub(super) fn source(&self) -> Option<&str> {
        match self {
            Self::Confirmed { source, .. } => source.as_deref(),
            Self::Roster { source, .. } => Some(source),
            _ => None,
        }
    }

    /// The pipe of the fact's room, if any.
    pub fn pipe(&self) -> Option<&Pipe> {
        match self {
            Self::Intent { pipe, .. }
            | Self::NotCreated { pipe, .. }
            | Self::Confirmed { pipe, .. }
            | Self::Adopted { pipe, .. }
            | Self::Released { pipe, .. }
            | Self::Pending { pipe, .. }
            | Self::Shown { pipe, .. }
            | Self::Message { pipe, .. }
            | Self::Seen { pipe, .. }
            | Self::Counted { pipe, .. }
            | Self::Declared { pipe, .. }
            | Self::Forgotten { pipe } => Some(pipe),
            Self::Roster { .. } => None,
        }
    }
}

/// Entries by stamp.
pub type Entries = BTreeMap<Stamp, Fact>;

/// The order and identity of entries. Two ledgers merge by union of stamps.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// UTC, RFC 3339 with milliseconds, so that text order is time order.
    pub time: String,
    /// The run that wrote the entry.
    pub run: String,
    /// Sequence number in the run, from 1.
    pub sequence: u64,
}
