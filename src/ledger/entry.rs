//! One entry of the ledger: an immutable fact with a unique id. Its JSON form is in `json`.

use std::collections::BTreeMap;

use crate::model::{Field, FieldSet, FieldValue, Pipe, RoomId, RoomState, UserId};

/// Something worth remembering. Facts are only ever added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A create is about to be sent; this is owed to the room whatever becomes of the answer.
    Intent {
        /// The room to be.
        pipe: Pipe,
        /// Members owed.
        members: Vec<UserId>,
        /// Whether a welcome is owed too.
        welcome: bool,
    },
    /// The server said yes to a write.
    Confirmed {
        /// The room.
        pipe: Pipe,
        /// Its id.
        room: RoomId,
        /// Members of this call; none if its answer carried an error.
        members: Vec<UserId>,
        /// What was sent with it.
        sent: RoomState,
        /// Which of these fields went as they stood there, since the server had ignored what the manifest wanted.
        kept: FieldSet,
    },
    /// Somebody had members of a room that was there before taken for present; nothing was sent, and no server confirmed it.
    Adopted {
        /// The room.
        pipe: Pipe,
        /// Its id.
        room: RoomId,
        /// Who is taken for present.
        members: Vec<UserId>,
    },
    /// Members are not wanted any more; from here on they are a matter for people. If they come back they are sent again.
    Released {
        /// The room.
        pipe: Pipe,
        /// Its id.
        room: RoomId,
        /// Who left.
        members: Vec<UserId>,
        /// Whether somebody says that they were taken out by hand: nothing is left to people then.
        taken_out: bool,
    },
    /// After a write the list shows another value than was sent; or, where both are the same, it shows what was sent at last,
    /// and the field is no longer ignored.
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
        /// Who says it.
        from: UserId,
        /// How far it is.
        stage: Stage,
    },
    /// The list was read after this run's writes to a room, and showed it: what was sent, but for what is [`Fact::Shown`] otherwise.
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
        /// Whether it stands there from here on.
        declared: bool,
    },
    /// How much a file with rows gave to a manifest that was applied.
    Roster {
        /// The file's name below the manifest's root.
        source: String,
        /// Rooms and memberships.
        given: u64,
    },
    /// Somebody had all entries of a pipe forgotten.
    Forgotten {
        /// The room.
        pipe: Pipe,
    },
}

/// How far a message is. The stages of one run overrule each other, those of several stand side by side: whatever another run
/// says, a message that one run may have sent may have been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It is about to be sent, and from here on never again.
    Intended,
    /// The server said yes.
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
