//! The result of each room in a plan, based on confirmations and on the list read afterwards.

use std::time::Duration;

use tokio::time::Instant;

use super::control::Halt;
use crate::model::{Field, FieldValue, MemberCounts, Observed, Pipe, RoomCount, RoomId, UserId};
use crate::plan::Change;

/// A step of an apply, for progress reports.
#[derive(Debug)]
pub enum Event<'a> {
    /// A room's calls are finished.
    Settled(&'a RoomOutcome),
    /// This many creates are uncertain; the list is read to look for them, for this long at most.
    Resolving(usize, Duration),
    /// All rooms are settled; the list is read again.
    Verifying,
    /// This many welcomes are being sent; each of these rooms then gets another `Settled`.
    Welcoming(usize),
}

/// The result of an apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Every room of the plan, sorted by pipe.
    pub rooms: Vec<RoomOutcome>,
    /// What the list showed after the writes; `None` if it could not be read.
    pub observed: Option<Observed>,
    /// Why the list could not be read.
    pub verification_error: Option<String>,
    /// Why the run ended early.
    pub halt: Option<Halt>,
    /// Calls to read the list again, retries included.
    pub reads: u32,
}

impl Outcome {
    /// Marks rooms as partial if answers to their writes carried errors or members are missing, unless their status is worse.
    pub(super) fn mark_partial(&mut self) {
        for room in &mut self.rooms {
            let answered = matches!(room.status, Status::Applied | Status::Verified);
            if answered && (!room.errors.is_empty() || room.short.is_some()) {
                room.status = Status::Partial;
            }
        }
    }

    /// Marks rooms that got members in this run and have fewer members than are known. They become
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

    /// Calls that wrote rooms, retries included.
    pub fn writes(&self) -> u32 {
        let writes = |room: &RoomOutcome| room.requests.saturating_sub(room.sends);
        self.rooms.iter().map(writes).sum()
    }

    /// Whether any write was sent.
    pub fn has_written(&self) -> bool {
        self.writes() + self.sends() > 0
    }

    /// Calls that sent messages, retries included.
    pub fn sends(&self) -> u32 {
        self.rooms.iter().map(|room| room.sends).sum()
    }
}

/// The result of one room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomOutcome {
    /// The room's pipe.
    pub pipe: Pipe,
    /// The room id, once the server has returned it.
    pub id: Option<RoomId>,
    /// Whether the plan creates the room.
    pub create: bool,
    /// Whether the room is recreated: it was deleted or missing.
    pub recreated: bool,
    /// Members confirmed in this run.
    pub members: usize,
    /// Members sent in calls whose answer contained an error; they are not confirmed.
    pub unconfirmed: Vec<UserId>,
    /// Errors in successful answers, without duplicates.
    pub errors: Vec<String>,
    /// Messages confirmed in this run.
    pub messages: usize,
    /// Calls for this room, messages and retries included.
    pub requests: u32,
    /// How many of these calls sent its message.
    pub sends: u32,
    /// How many of these calls were retries.
    pub retries: u32,
    /// Time from the first call to the last answer, waits included.
    pub took: Duration,
    /// When the first write was sent that the server may have acted on.
    pub sent_at: Option<Instant>,
    /// When its last write was answered.
    pub answered_at: Option<Instant>,
    /// Whether the create was uncertain, in this run or another, and the list was searched for the room.
    pub was_uncertain: bool,
    /// How many members it has, if fewer than known.
    pub short: Option<RoomCount>,
    /// How it ended.
    pub status: Status,
}

impl RoomOutcome {
    /// The result of a room before anything is sent.
    pub fn begun(change: &Change) -> Self {
        Self {
            recreated: change.recreate,
            ..Self::not_begun(&change.pipe, change.room_id)
        }
    }

    /// The result of a room that is skipped. A room without an id is new.
    pub fn not_begun(pipe: &Pipe, id: Option<RoomId>) -> Self {
        Self {
            pipe: pipe.clone(),
            id,
            create: id.is_none(),
            ..Self::default()
        }
    }

    /// What was done, in a word.
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

/// How a room ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Status {
    /// Confirmed, and the list shows what was sent.
    Verified,
    /// Confirmed, but the list could not be read again.
    Applied,
    /// Successful, but some members are not confirmed: an answer contained errors, or fewer members
    /// were counted than are known.
    Partial,
    /// Confirmed, but the list still shows other values: field, sent, shown. The server may ignore them, or the list may lag.
    Pending(Vec<(Field, FieldValue, FieldValue)>),
    /// Confirmed, but the server ignored these values: field, sent, shown.
    Ignored(Vec<(Field, FieldValue, FieldValue)>),
    /// Confirmed, but the list does not show the room.
    NotVisible,
    /// The server wrote to another room than intended, or several live rooms have the pipe.
    Conflict(String),
    /// An answer was lost, so the call may have succeeded.
    Uncertain(Doubt, String),
    /// The server refused or did not answer. Earlier confirmations remain valid.
    Failed {
        /// What happened.
        reason: String,
        /// What the user can do about it.
        hint: Option<String>,
    },
    /// Nothing was sent: the room is already as the saved plan wants it.
    UpToDate,
    /// Nothing was sent: the room is no longer in the manifest.
    Undeclared,
    /// Nothing was sent: the room changed after the plan was saved.
    Stale(String),
    /// Nothing was sent, or the server asked to try later: the run ended first.
    #[default]
    NotStarted,
    /// The server may have acted on some calls, or the room was found; the run ended before the rest was sent.
    Unfinished,
}

/// The call whose result is uncertain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The create. The next run checks whether the room exists.
    Create,
    /// The create of another run.
    OtherRun,
    /// The welcome. It is never sent again; only a person can check whether it arrived.
    Welcome,
}

impl Status {
    /// More than one live room has the pipe.
    pub(super) fn several(ids: &[RoomId]) -> Self {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        Self::Conflict(format!(
            "more than one live room has this pipe: {}",
            ids.join(", ")
        ))
    }

    /// The status in machine-readable output.
    pub fn name(&self) -> &'static str {
        self.figure().1
    }

    /// Returns the status's position among the figures, and its name.
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
