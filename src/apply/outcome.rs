//! What became of a plan, room by room. Written from confirmations and from the list read afterwards, never from intentions.

use std::time::Duration;

use super::control::Halt;
use crate::model::{Field, FieldValue, Observed, Pipe, RoomId, UserId};
use crate::plan::Change;

/// Progress.
#[derive(Debug)]
pub enum Event<'a> {
    /// A room's calls are done, or given up.
    Settled(&'a RoomOutcome),
    /// So many creates were never answered; the list is read to look for them.
    Resolving(usize),
    /// All rooms are settled; the list is read again.
    Verifying,
    /// So many rooms are welcomed now; each of them is settled once more.
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
    /// Why the run ended before all was done.
    pub halt: Option<Halt>,
    /// Calls made to read the list again, repeated ones included.
    pub reads: u32,
}

impl Outcome {
    /// Marks the rooms partial whose writes were answered with errors, unless something worse is known of them.
    pub(super) fn mark_partial(&mut self) {
        for room in &mut self.rooms {
            let answered = matches!(room.status, Status::Applied | Status::Verified);
            if answered && !room.errors.is_empty() {
                room.status = Status::Partial;
            }
        }
    }

    /// Whether every room is as planned, and was seen to be.
    pub fn is_complete(&self) -> bool {
        self.halt.is_none()
            && self
                .rooms
                .iter()
                .all(|room| matches!(room.status, Status::Verified | Status::UpToDate))
    }

    /// Calls that wrote rooms, repeated ones included.
    pub fn writes(&self) -> u32 {
        let writes = |room: &RoomOutcome| room.requests.saturating_sub(room.sends);
        self.rooms.iter().map(writes).sum()
    }

    /// Whether any write was sent.
    pub fn has_written(&self) -> bool {
        self.writes() + self.sends() > 0
    }

    /// Calls that sent messages, repeated ones included.
    pub fn sends(&self) -> u32 {
        self.rooms.iter().map(|room| room.sends).sum()
    }
}

/// One room's result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomOutcome {
    /// The room.
    pub pipe: Pipe,
    /// Its id, once the server named it.
    pub id: Option<RoomId>,
    /// Whether it was to be created.
    pub create: bool,
    /// Whether that was to make it anew: it had been deleted, or had vanished.
    pub anew: bool,
    /// Members whose adding was confirmed in this run.
    pub members: usize,
    /// Members of calls whose answer carried an error: sent, and not confirmed.
    pub unconfirmed: Vec<UserId>,
    /// Errors that successful answers carried, each once.
    pub errors: Vec<String>,
    /// Messages whose sending was confirmed in this run.
    pub messages: usize,
    /// Calls sent for it, messages and repeated ones included.
    pub requests: u32,
    /// How many of them sent its message.
    pub sends: u32,
    /// How many of them repeated one that had failed.
    pub retries: u32,
    /// The time from its first call to its last answer, waits included.
    pub took: Duration,
    /// Whether the answer to its create was lost, and it was looked for.
    pub was_uncertain: bool,
    /// How it ended.
    pub status: Status,
}

impl RoomOutcome {
    /// The result of a room nothing was sent for yet.
    pub fn begun(change: &Change) -> Self {
        Self {
            anew: change.recreate,
            ..Self::not_begun(&change.pipe, change.room_id())
        }
    }

    /// The result of a room that nothing is sent for; a room without an id is a new one.
    pub fn not_begun(pipe: &Pipe, id: Option<RoomId>) -> Self {
        Self {
            pipe: pipe.clone(),
            id,
            create: id.is_none(),
            ..Self::default()
        }
    }

    /// What was done to it, in a word.
    pub fn done(&self) -> &'static str {
        let only_said = self.sends > 0 && self.requests == self.sends;
        match self {
            _ if self.create && self.anew => "recreated",
            _ if self.create => "created",
            _ if only_said => "welcomed",
            _ => "updated",
        }
    }
}

/// How a room ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Status {
    /// Confirmed, and the list shows it as it was sent.
    Verified,
    /// Confirmed, but the list could not be read again.
    Applied,
    /// Answered with success and errors: members of those calls are not confirmed.
    Partial,
    /// Confirmed, but the list shows other values: field, sent, shown.
    Ignored(Vec<(Field, FieldValue, FieldValue)>),
    /// Confirmed, but the list does not show the room.
    NotVisible,
    /// The server wrote to another room than was meant.
    Conflict(String),
    /// An answer was lost, and what was asked for may have been done or not.
    Uncertain(Doubt, String),
    /// The server refused, or did not answer; what was confirmed before stays.
    Failed {
        /// What happened.
        reason: String,
        /// What the user can do about it.
        hint: Option<String>,
    },
    /// Nothing was sent: the room is as a saved plan wants it.
    UpToDate,
    /// Nothing was sent: the manifest no longer declares the room.
    Undeclared,
    /// Nothing was sent: somebody changed the room after the plan was saved.
    Stale(String),
    /// Never sent, because the run ended before.
    #[default]
    NotStarted,
    /// Some calls were confirmed, or the room was found to be there; the rest was not sent because the run ended before.
    Unfinished,
}

/// What nobody knows to have been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The create. The next run looks whether the room is there.
    Create,
    /// The welcome. It is never sent again, and only people can see whether it arrived.
    Welcome,
}

impl Status {
    /// The status in machine output.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Applied => "applied",
            Self::Partial => "partial",
            Self::Ignored(_) => "ignored_by_server",
            Self::NotVisible => "not_visible",
            Self::Conflict(_) => "conflict",
            Self::Uncertain(..) => "uncertain",
            Self::Failed { .. } => "failed",
            Self::UpToDate => "up_to_date",
            Self::Undeclared => "undeclared",
            Self::Stale(_) => "stale",
            Self::NotStarted => "not_started",
            Self::Unfinished => "unfinished",
        }
    }
}
