//! The result of an apply for each room in the plan, based on the server's answers and on the list
//! read afterwards.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::{Field, FieldValue, MemberCounts, Observed, Pipe, RoomCount, RoomId, UserId};
use crate::plan::Change;

/// A step of an apply, for progress reports.
#[derive(Debug)]
pub enum Event<'a> {
    /// A room's calls are finished.
    Settled(&'a RoomOutcome),
    /// This many creates are uncertain. The run searches the list for their rooms, for at most this
    /// long.
    Resolving(usize, Duration),
    /// All rooms are settled. The run reads the list again.
    Verifying,
    /// The run sends this many welcomes, and then reports `Settled` again for each of their rooms.
    Welcoming(usize),
}

/// The result of an apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Every room of the plan, sorted by pipe.
    pub rooms: Vec<RoomOutcome>,
    /// What the list showed after the writes; `None` if the list was not read.
    pub observed: Option<Observed>,
    /// Why the list could not be read after the writes.
    pub verification_error: Option<String>,
    /// Why the run ended early.
    pub halt: Option<Halt>,
    /// The number of calls that read the list again, including retries.
    pub reads: u32,
}

impl Outcome {
    /// Marks a successful room as partial if an answer to its writes contained an error, or if
    /// members are missing.
    pub(super) fn mark_partial(&mut self) {
        for room in &mut self.rooms {
            let answered = matches!(room.status, Status::Applied | Status::Verified);
            if answered && (!room.errors.is_empty() || room.short.is_some()) {
                room.status = Status::Partial;
            }
        }
    }

    /// Marks rooms that got members in this run but have fewer members than are known. They become
    /// partial, unless their status is worse.
    pub fn note_counts(&mut self, counts: &MemberCounts) {
        for room in self.rooms.iter_mut().filter(|room| room.members > 0) {
            let counted = counts.room(&room.pipe).filter(|counted| counted.is_short());
            room.short = counted.cloned();
        }
        self.mark_partial();
    }

    /// Whether every room is verified to be as planned.
    pub fn is_complete(&self) -> bool {
        self.halt.is_none()
            && self
                .rooms
                .iter()
                .all(|room| matches!(room.status, Status::Verified | Status::UpToDate))
    }

    /// Returns the number of calls that wrote rooms, including retries.
    pub fn writes(&self) -> u32 {
        let writes = |room: &RoomOutcome| room.requests.saturating_sub(room.sends);
        self.rooms.iter().map(writes).sum()
    }

    /// Returns whether the run sent any write or message.
    pub fn has_written(&self) -> bool {
        self.writes() + self.sends() > 0
    }

    /// Returns the number of calls that sent messages, including retries.
    pub fn sends(&self) -> u32 {
        self.rooms.iter().map(|room| room.sends).sum()
    }
}

/// Why the run ends early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// The ledger cannot be written, so nothing may be sent.
    Ledger {
        /// The error message, with a hint.
        reason: String,
        /// Whether the ledger disappeared or was replaced.
        is_lost: bool,
    },
    /// The server rejects the credentials. Every room would fail, and many failed logins may lock the account.
    Denied,
    /// A room failed, and the run has fail-fast on.
    FailFast,
    /// The user interrupted the run.
    Interrupted,
}

/// The result of one room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomOutcome {
    /// The room's pipe.
    pub pipe: Pipe,
    /// The room's id, once it is known.
    pub id: Option<RoomId>,
    /// Whether the plan creates the room.
    pub create: bool,
    /// Whether the plan recreates the room, because it was deleted or is missing.
    pub recreated: bool,
    /// The number of members that the server confirmed in this run.
    pub members: usize,
    /// The members in calls whose answer contained an error. The server did not confirm them.
    pub unconfirmed: Vec<UserId>,
    /// The errors in successful answers, without duplicates.
    pub errors: Vec<String>,
    /// The number of messages that the server confirmed in this run.
    pub messages: usize,
    /// The number of calls for this room, including messages and retries.
    pub requests: u32,
    /// The number of calls that sent the welcome of this room.
    pub sends: u32,
    /// The number of calls for this room that were retries.
    pub retries: u32,
    /// The time from the first call to the last answer, including waits.
    pub took: Duration,
    /// When the run sent the first write that the server may have acted on.
    pub sent_at: Option<Instant>,
    /// When the server answered the room's last write.
    pub answered_at: Option<Instant>,
    /// Whether this run had to find out whether the room exists, because the create was uncertain
    /// or another run had claimed it.
    pub was_uncertain: bool,
    /// How many members the room has, if that is less than the number of known members.
    pub short: Option<RoomCount>,
    /// How the room ended.
    pub status: Status,
}

impl RoomOutcome {
    /// Creates the outcome of a room before anything is sent.
    pub fn begun(change: &Change) -> Self {
        Self {
            recreated: change.recreate,
            ..Self::not_begun(&change.pipe, change.room_id)
        }
    }

    /// Creates the outcome of a room that is skipped. A room without an id is a new room.
    pub fn not_begun(pipe: &Pipe, id: Option<RoomId>) -> Self {
        Self {
            pipe: pipe.clone(),
            id,
            create: id.is_none(),
            ..Self::default()
        }
    }

    /// Returns what was done, as one word.
    pub fn done(&self) -> &'static str {
        let only_said = self.sends > 0 && self.requests == self.sends;
        match self {
            _ if self.create && self.recreated => "recreated",
            _ if self.create => "created",
            _ if only_said => "welcomed",
            _ => "updated",
        }
    }
}

/// How the work on a room ended. "Confirmed" means that the server reported success.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Status {
    /// The writes are confirmed, and the list shows what was sent.
    Verified,
    /// The writes are confirmed, but the list could not be read afterwards.
    Applied,
    /// The writes succeeded, but some members are not confirmed: an answer contained errors, or the
    /// room has fewer members than are known.
    Partial,
    /// The writes are confirmed, but the list still shows other values (field, sent, shown).
    /// The server may have ignored the sent values, or the list may lag.
    Pending(Vec<(Field, FieldValue, FieldValue)>),
    /// The writes are confirmed, but the server ignored these values (field, sent, shown).
    Ignored(Vec<(Field, FieldValue, FieldValue)>),
    /// The writes are confirmed, but the list does not show the room.
    NotVisible,
    /// The server wrote to a room other than the intended one, or several live rooms have the
    /// pipe. The text describes the conflict.
    Conflict(String),
    /// It is uncertain whether a call succeeded. The text says why.
    Uncertain(Doubt, String),
    /// The server refused a call or did not answer it. Earlier confirmations are still valid.
    Failed {
        /// What went wrong.
        reason: String,
        /// What the user can do about it.
        hint: Option<String>,
    },
    /// Nothing was sent, because the room already matches the saved plan.
    UpToDate,
    /// Nothing was sent, because the room is no longer in the manifest.
    Undeclared,
    /// Nothing was sent, because the room changed after the plan was saved. The text says how.
    Stale(String),
    /// The run ended before the server acted on any call for the room: nothing was sent, or the
    /// server asked to try later.
    #[default]
    NotStarted,
    /// The run ended before it sent all calls for the room. But the server may have acted on
    /// some of the calls, or the run found the room in the list.
    Unfinished,
}

/// The call whose result is uncertain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The create of this run. The next run checks whether the room exists.
    Create,
    /// The create that another run claimed.
    OtherRun,
    /// The welcome. It is never sent again; only a person can check whether it arrived.
    Welcome,
}

impl Status {
    /// Returns the conflict for a pipe that more than one live room has.
    pub(super) fn several(ids: &[RoomId]) -> Self {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        Self::Conflict(format!(
            "more than one live room has this pipe: rooms {}",
            ids.join(", ")
        ))
    }

    /// Returns the name of the status in machine-readable output.
    pub fn name(&self) -> &'static str {
        self.figure().1
    }

    /// Returns the status's position in the figures, and its name.
    pub fn figure(&self) -> (u8, &'static str) {
        match self {
            Self::Verified => (0, "verified"),
            Self::UpToDate => (1, "up_to_date"),
            Self::Undeclared => (2, "undeclared"),
            Self::Stale(_) => (3, "stale"),
            Self::Applied => (4, "applied"),
            Self::Partial => (5, "partial"),
            Self::Pending(_) => (6, "pending"),
            Self::Ignored(_) => (7, "ignored_by_server"),
            Self::NotVisible => (8, "not_visible"),
            Self::Conflict(_) => (9, "conflict"),
            Self::Uncertain(..) => (10, "uncertain"),
            Self::Failed { .. } => (11, "failed"),
            Self::Unfinished => (12, "unfinished"),
            Self::NotStarted => (13, "not_started"),
        }
    }
}
