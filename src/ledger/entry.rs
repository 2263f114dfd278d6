//! One entry of the ledger: an immutable fact with a unique stamp. Its JSON form is in `json`.

use std::collections::BTreeMap;

use crate::model::{Field, FieldSet, FieldValue, Pipe, RoomId, RoomState, UserId};

/// Something worth remembering. Facts are only ever added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A create is about to be sent; this is owed to the room even if the answer is lost.
    Intent {
        /// The room that will be created.
        pipe: Pipe,
        /// Members owed.
        members: Vec<UserId>,
        /// Whether a welcome is owed too.
        welcome: bool,
    },
    /// The server confirmed a write.
    Confirmed {
        /// The room.
        pipe: Pipe,
        /// Its id.
        room: RoomId,
        /// Members of this call; none if its answer carried an error.
        members: Vec<UserId>,
        /// What was sent with it.
        sent: RoomState,
        /// Which of these fields were sent as the list showed them, since the server had ignored what the manifest wanted.
        kept: FieldSet,
    },
    /// A user declared members of an existing room present; nothing was sent, and no server confirmed it.
    Adopted {
        /// The room.
        pipe: Pipe,
        /// Its id.
        room: RoomId,
        /// Members taken for present.
        members: Vec<UserId>,
    },
    /// Members are no longer in the manifest; to remove them is a manual step. If they come back they are sent again.
    Released {
        /// The room.
        pipe: Pipe,
        /// Its id.
        room: RoomId,
        /// Members that left the manifest.
        members: Vec<UserId>,
        /// Whether a user declared that the manual step is done.
        taken_out: bool,
    },
    /// After a write the list shows another value than was sent; or, if both are the same, the field is no longer ignored.
    Shown {
        /// The room.
        pipe: Pipe,
        /// Its id.
        room: RoomId,
        /// The field.
        field: Field,
        /// What was sent, normalised.
        sent: FieldValue,
        /// What the list shows, normalised.
        shown: FieldValue,
    },
    /// A room's welcome is about to be sent, was sent, or certainly was not.
    Message {
        /// The room.
        pipe: Pipe,
        /// Its id.
        room: RoomId,
        /// The sender.
        from: UserId,
        /// How far it is.
        stage: Stage,
    },
    /// The list was read after this run's writes to a room, and showed what was sent, except for what [`Fact::Shown`] says.
    Seen {
        /// The room.
        pipe: Pipe,
        /// Its id.
        room: RoomId,
    },
    /// A room on record left the manifest, or is back in it.
    Declared {
        /// The room.
        pipe: Pipe,
        /// Whether it is in the manifest now.
        declared: bool,
    },
    /// How many rooms and memberships a roster gave to a manifest that was applied.
    Roster {
        /// The file's name below the manifest's root.
        source: String,
        /// Rooms and memberships.
        given: u64,
    },
    /// A user had all earlier entries of a pipe forgotten.
    Forgotten {
        /// The room.
        pipe: Pipe,
    },
}

/// How far a message is. A later stage of a run replaces its earlier one; the stages of several runs are kept side by side, since a
/// message that one run may have sent was perhaps sent, whatever another run says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It is about to be sent, and is never sent again.
    Intended,
    /// The server confirmed it.
    Confirmed,
    /// The server certainly did not act: it is still owed.
    Failed,
}

impl Fact {
    /// A room's welcome is about to be sent.
    pub fn intended(pipe: &Pipe, room: RoomId, from: UserId) -> Self {
        Self::Message {
            pipe: pipe.clone(),
            room,
            from,
            stage: Stage::Intended,
        }
    }

    /// The list shows a field that was ignored as it was sent.
    pub fn settled(pipe: Pipe, room: RoomId, field: Field, value: FieldValue) -> Self {
        Self::Shown {
            pipe,
            room,
            field,
            sent: value.clone(),
            shown: value,
        }
    }

    /// The id of the room it is about, if it names one.
    pub(super) fn room(&self) -> Option<RoomId> {
        match self {
            Self::Confirmed { room, .. }
            | Self::Adopted { room, .. }
            | Self::Released { room, .. }
            | Self::Shown { room, .. }
            | Self::Message { room, .. }
            | Self::Seen { room, .. } => Some(*room),
            _ => None,
        }
    }

    /// The members it is about, if it names any.
    pub(super) fn members(&self) -> Option<&[UserId]> {
        match self {
            Self::Intent { members, .. }
            | Self::Confirmed { members, .. }
            | Self::Adopted { members, .. }
            | Self::Released { members, .. } => Some(members),
            _ => None,
        }
    }

    /// The room it is about, if it is about one.
    pub fn pipe(&self) -> Option<&Pipe> {
        match self {
            Self::Intent { pipe, .. }
            | Self::Confirmed { pipe, .. }
            | Self::Adopted { pipe, .. }
            | Self::Released { pipe, .. }
            | Self::Shown { pipe, .. }
            | Self::Message { pipe, .. }
            | Self::Seen { pipe, .. }
            | Self::Declared { pipe, .. }
            | Self::Forgotten { pipe } => Some(pipe),
            Self::Roster { .. } => None,
        }
    }
}

/// Entries by stamp, each once.
pub type Entries = BTreeMap<Stamp, Fact>;

/// The order of entries, and their identity: two files merge by union of stamps.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// UTC, RFC 3339 with milliseconds, so that text order is time order.
    pub time: String,
    /// The run that wrote it.
    pub run: String,
    /// Its number in that run, from 1.
    pub sequence: u64,
}
