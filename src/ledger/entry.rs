//! One ledger entry: an immutable fact with a unique stamp. For its JSON form see `json`.

use std::collections::BTreeMap;

use crate::model::{
    Field, FieldSet, FieldValue, Pipe, RoomId, RoomState, Time, UserId, named_enum,
};

/// A recorded fact. Facts are only ever added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A fact about a pipe, whichever room has it.
    Pipe(Pipe, PipeFact),
    /// A fact about a room and its pipe.
    Room(Pipe, RoomId, RoomFact),
    /// The number of rooms and memberships from a roster, when the manifest was applied.
    Roster {
        /// File name relative to the manifest's root.
        source: String,
        /// Rooms and memberships.
        given: u64,
    },
}

/// What is known about a pipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PipeFact {
    /// A run claims a create, and is about to send it. The new room must get these members and the welcome, even if the answer is
    /// lost.
    Intent {
        /// Members to send.
        members: Vec<UserId>,
        /// Whether a welcome is to be sent.
        welcome: bool,
    },
    /// A create certainly did nothing, or the list was searched for its room for long enough and does not have it. Names the run that
    /// claimed the create; `None` for the run of this entry.
    NotCreated(Option<String>),
    /// A known room returned to the manifest, or left it.
    Declared(bool),
    /// A user discarded all earlier entries of the pipe.
    Forgotten,
}

/// What is known about a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomFact {
    /// The server confirmed a write.
    Confirmed {
        /// Members of this call; empty if the answer contained an error.
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
    /// A user marked these members of an existing room as present. Nothing was sent, and the server did not confirm it.
    Adopted(Vec<UserId>),
    /// Members are no longer in the manifest. Removing them is a manual step. If they return to the manifest they are sent again.
    Released {
        /// Members that left the manifest.
        members: Vec<UserId>,
        /// Whether a user marked the manual step as done.
        taken_out: bool,
    },
    /// The list did not show a sent value in the time that the run waited for it.
    Pending {
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
    /// The server ignored a value that was sent: an up-to-date list shows another one. If `sent`
    /// and `shown` are equal, the field is no longer ignored or pending.
    Shown {
        /// The field that differs.
        field: Field,
        /// The value sent, normalized.
        sent: FieldValue,
        /// The value in the list, normalized.
        shown: FieldValue,
    },
    /// The room's welcome is about to be sent, was sent, or certainly was not sent.
    Message {
        /// The sender.
        from: UserId,
        /// The stage of the message.
        stage: Stage,
    },
    /// The list was read after this run's writes to the room and showed what was sent, except for fields in [`Self::Shown`] and
    /// [`Self::Pending`].
    Seen,
    /// The server showed how many members the room has.
    Counted {
        /// The number of members.
        count: u64,
        /// How often the writing user counted as a member besides, if roomform created the room.
        offset: Option<u64>,
    },
}

named_enum! {
    /// The stage of a message. Within a run, a later stage replaces an earlier one. Stages of different runs are kept separately:
    /// if one run may have sent the message, another run cannot rule that out.
    pub enum Stage {
        /// About to be sent, or sent with an unknown result. No run sends it again.
        Intended = "intended",
        /// The server confirmed it.
        Confirmed = "confirmed",
        /// The server certainly did not act. The message is still to be sent.
        Failed = "failed",
    }
}

impl Fact {
    /// The room id in the fact, if any.
    pub(super) fn room(&self) -> Option<RoomId> {
        match self {
            Self::Room(_, room, _) => Some(*room),
            Self::Pipe(..) | Self::Roster { .. } => None,
        }
    }

    /// The members in the fact, if any.
    pub fn members(&self) -> Option<&[UserId]> {
        match self {
            Self::Pipe(_, PipeFact::Intent { members, .. })
            | Self::Room(
                ..,
                RoomFact::Confirmed { members, .. }
                | RoomFact::Adopted(members)
                | RoomFact::Released { members, .. },
            ) => Some(members),
            _ => None,
        }
    }

    /// The file, and for a room the line, that the fact comes from.
    pub(super) fn source(&self) -> Option<&str> {
        match self {
            Self::Room(.., RoomFact::Confirmed { source, .. }) => source.as_deref(),
            Self::Roster { source, .. } => Some(source),
            _ => None,
        }
    }

    /// The pipe of the fact, if any.
    pub fn pipe(&self) -> Option<&Pipe> {
        match self {
            Self::Pipe(pipe, _) | Self::Room(pipe, ..) => Some(pipe),
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
