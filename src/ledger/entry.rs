//! A ledger entry is a fact that never changes, with a unique stamp. Each stamp of a run is later
//! than the one before it. `json` has the JSON form of entries.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{
    Field, FieldSet, FieldValue, Pipe, RoomId, RoomState, RunId, Time, UserId, named_enum,
};

/// A fact that the ledger records. Facts are added and never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A fact about a pipe, independent of the room that has it.
    Pipe(Pipe, PipeFact),
    /// A fact about a room and its pipe.
    Room(Pipe, RoomId, RoomFact),
    /// How many rooms and memberships a roster had when the manifest was applied.
    Roster {
        /// The file name, relative to the manifest's root directory.
        source: String,
        /// The number of rooms and memberships together.
        given: u64,
    },
}

/// A fact about a pipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PipeFact {
    /// A run claims a create and is about to send it. Even if the answer is lost, the new room must
    /// get these members and the welcome.
    Intent {
        /// The members to send to the new room.
        members: Vec<UserId>,
        /// Whether the new room gets a welcome.
        welcome: bool,
    },
    /// A create certainly did nothing, or its room was still missing from the list after the
    /// longest time that the list may lag. The value is the run that claimed the create; `None`
    /// means the run that wrote this entry.
    NotCreated(Option<String>),
    /// Whether a recorded room is in the manifest again (true) or is no longer in it (false).
    Declared(bool),
    /// The user discarded all earlier entries of the pipe.
    Forgotten,
}

/// A fact about a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomFact {
    /// The server confirmed a write.
    Confirmed {
        /// The members that the write sent; empty if the answer contained an error.
        members: Vec<UserId>,
        /// The title, type and visibility that were sent.
        sent: RoomState,
        /// The fields whose value in the manifest is ignored by the server. For these fields,
        /// the value in the list was sent instead.
        kept: FieldSet,
        /// Whether this run created the room, or found that another run's create had made it.
        created: bool,
        /// The place that declares the room, such as `rooms.yaml:3`.
        source: Option<Box<str>>,
    },
    /// The user stated that these members are already in an existing room. Nothing was sent,
    /// and the server has not confirmed these members.
    Adopted(Vec<UserId>),
    /// These members are no longer in the manifest. Removing them from the room is a manual step.
    /// If they return to the manifest, they are sent again.
    Released {
        /// The members who are no longer in the manifest.
        members: Vec<UserId>,
        /// Whether the user marked the manual step as done.
        taken_out: bool,
    },
    /// A run sent a value, but the list did not show that value while the run waited.
    Pending {
        /// The field whose value differs.
        field: Field,
        /// The value that was sent, normalized.
        sent: FieldValue,
        /// The value that the list showed, normalized.
        shown: FieldValue,
        /// When the server last changed the room, according to the list.
        updated_at: Option<Box<str>>,
        /// When a run first recorded that this value is pending; `None` if this entry is the first
        /// record.
        since: Option<Time>,
    },
    /// The server ignored a value: an up-to-date list shows another one. If `sent` and `shown` are
    /// equal, the field is no longer ignored or pending.
    Shown {
        /// The field that was compared.
        field: Field,
        /// The value that was sent, normalized.
        sent: FieldValue,
        /// The value that the list showed, normalized.
        shown: FieldValue,
    },
    /// The state of the room's welcome.
    Message {
        /// The user who sends the message.
        from: UserId,
        /// How far the message got.
        stage: Stage,
    },
    /// A run read the list after its writes to the room. The list showed what was sent, except for
    /// the fields in [`Self::Shown`] and [`Self::Pending`].
    Seen,
    /// The server reported how many members the room has.
    Counted {
        /// The number of members.
        count: u64,
        /// 1 if the server also counts the writing user, 0 if it does not. `None` if this is
        /// unclear, or if roomform did not create the room.
        offset: Option<u64>,
    },
}

named_enum! {
    /// The stage of a message. Within a run, a later stage replaces an earlier one. Stages of
    /// different runs are kept separately, because the stage of one run does not show whether
    /// another run has sent the message.
    pub enum Stage {
        /// The message is about to be sent, or was sent with an unknown result. No run sends it
        /// again.
        Intended = "intended",
        /// The server confirmed the message.
        Confirmed = "confirmed",
        /// The server certainly did not act. The message is still to be sent.
        Failed = "failed",
    }
}

impl Fact {
    /// Returns the room that the fact is about, if any.
    pub(super) fn room(&self) -> Option<RoomId> {
        match self {
            Self::Room(_, room, _) => Some(*room),
            Self::Pipe(..) | Self::Roster { .. } => None,
        }
    }

    /// Returns the members that the fact contains, if any.
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

    /// Returns the file that the fact comes from, if recorded. For a room, the result includes
    /// the line number.
    pub(super) fn source(&self) -> Option<&str> {
        match self {
            Self::Room(.., RoomFact::Confirmed { source, .. }) => source.as_deref(),
            Self::Roster { source, .. } => Some(source),
            _ => None,
        }
    }

    /// Returns the pipe that the fact is about, if any.
    pub fn pipe(&self) -> Option<&Pipe> {
        match self {
            Self::Pipe(pipe, _) | Self::Room(pipe, ..) => Some(pipe),
            Self::Roster { .. } => None,
        }
    }
}

/// The entries of a ledger, sorted by stamp.
pub type Entries = BTreeMap<Stamp, Fact>;

/// The identity of an entry, and its place in the order. A merge of two ledgers keeps every stamp
/// once. Entries with the same time or run may share the text.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// The time in UTC, as RFC 3339 with milliseconds. Sorting these texts sorts them by time.
    pub time: Arc<str>,
    /// The run that wrote the entry.
    pub run: Arc<str>,
    /// The number of the entry in its run, counted from 1.
    pub sequence: u64,
}

/// Creates the stamps of a run's entries.
#[derive(Debug)]
pub(super) struct EntryClock {
    pub(super) run: Arc<str>,
    /// The time of the next stamp, as text.
    time: Arc<str>,
    earliest_millisecond: i64,
    sequence: u64,
}

impl EntryClock {
    /// Creates a clock. Its stamps are later than those of the given entries.
    pub(super) fn new(run: &RunId, entries: &Entries) -> Self {
        let mut clock = Self {
            run: run.as_str().into(),
            time: Arc::default(),
            earliest_millisecond: 0,
            sequence: 0,
        };
        if let Some(latest) = entries.keys().next_back() {
            clock.pass(latest);
        }
        clock.tick();
        clock
    }

    /// Makes all stamps after the next [`Self::tick`] later than this one.
    pub(super) fn pass(&mut self, stamp: &Stamp) {
        if let Some(time) = parse_time(&stamp.time) {
            self.earliest_millisecond = self.earliest_millisecond.max(time.0 + 1);
        }
    }

    /// Returns the next stamp.
    pub(super) fn stamp(&mut self) -> Stamp {
        self.sequence += 1;
        Stamp {
            time: Arc::clone(&self.time),
            run: Arc::clone(&self.run),
            sequence: self.sequence,
        }
    }

    /// Gives the next stamps the current time, but never an earlier time than before. If an entry
    /// has a later time than this machine's clock, each call adds a millisecond. A renewed claim
    /// then has a later time, so that another run sees the renewal.
    pub(super) fn tick(&mut self) {
        let now = Timestamp::now();
        let earliest = self.earliest_millisecond.max(now.as_millisecond());
        let is_ahead = earliest > now.as_millisecond();
        self.earliest_millisecond = earliest + i64::from(is_ahead);
        let time = Timestamp::from_millisecond(earliest).unwrap_or(now);
        self.time = format!("{time:.3}").into();
    }
}

/// Formats a time as in entries: UTC in RFC 3339, with milliseconds. Returns an empty text if the
/// date cannot be represented.
pub(super) fn time_text(time: Time) -> String {
    let time = Timestamp::from_millisecond(time.0);
    time.map(|time| format!("{time:.3}")).unwrap_or_default()
}

pub(super) fn parse_time(text: &str) -> Option<Time> {
    let time = text.parse::<Timestamp>().ok()?;
    Some(Time(time.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_come_after_those_of_a_clock_that_is_ahead() {
        let mut clock = EntryClock::new(&RunId::new(1), &Entries::new());
        let ahead = Stamp {
            time: "2999-01-01T00:00:00.000Z".into(),
            run: Arc::default(),
            sequence: 0,
        };
        clock.pass(&ahead);
        let mut next = || {
            clock.tick();
            clock.stamp().time
        };
        let (one, two) = (next(), next());
        assert!(ahead.time < one && one < two, "{one}, {two}");
    }
}
