//! The plan as data: its changes and its summary. Everything else is in `findings`.

use std::sync::Arc;

use super::baseline::{Baseline, is_entry_of};
use super::digest::Digest;
use super::findings::{Conflict, MemberTally, Note, ShownField, Violation};
use super::manual_steps::{LeftRoom, ManualSteps, Overdue, ages};
use super::publish::Publish;
use crate::model::{
    Date, Field, FieldSet, FieldValue, MemberCounts, Pipe, RoomId, RoomState, Target, Time, UserId,
    UserNames, Welcome,
};

/// Maximum number of members per call. It is far below the limit of PHP, which silently drops
/// form variables after the first 1,000 (`api: fact 2`).
pub const CHUNK: usize = 200;

/// Everything that a run does, and everything that it cannot do. All lists are sorted by pipe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The target of the plan.
    pub target: Target,
    /// The day for which dates were evaluated.
    pub today: Date,
    /// The readable names of users, for output only.
    pub names: UserNames,
    /// Rooms with something to write.
    pub changes: Vec<Change>,
    /// Rooms that a person must fix before anything is written to them.
    pub conflicts: Vec<Conflict>,
    /// Members to remove manually, by room. They are on record but no longer in the manifest, and
    /// the API cannot remove members.
    pub manual_steps: Vec<ManualSteps>,
    /// Rooms on record that the manifest no longer declares. They must be deleted manually,
    /// because the API cannot delete rooms.
    pub undeclared: Vec<Pipe>,
    /// The undeclared rooms that had already left the manifest in an earlier run.
    pub left_rooms: Vec<LeftRoom>,
    /// The manual steps that have been open for too long, if the user asked for them.
    pub overdue: Option<Overdue>,
    /// Fields that the server ignored. They are not sent again unless requested.
    pub ignored: Vec<ShownField>,
    /// Notes for the user.
    pub notes: Vec<Note>,
    /// What an apply records about the manifest, so that later plans can be checked against it.
    pub baseline: Baseline,
    /// All violated guards, including those lifted by flags on the command line, because
    /// applying a saved plan needs these flags again.
    pub guards: Vec<Violation>,
    /// Violated guards that the command line does not lift. If there are any, apply is refused.
    pub refusals: Vec<Violation>,
    /// The counts of the plan.
    pub summary: Summary,
    /// How many members the rooms have; `None` if they were not counted.
    pub counts: Option<MemberCounts>,
}

/// The change to one room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The pipe of the room.
    pub pipe: Pipe,
    /// The file that declares the room.
    pub file: Arc<str>,
    /// The line that declares the room, from 1.
    pub line: u32,
    /// The id of the live room to update; `None` to create the room.
    pub room_id: Option<RoomId>,
    /// The changed fields. Empty for a new room, and if the change only adds members or sends the
    /// welcome.
    pub fields: Vec<FieldChange>,
    /// The fields to send. Ignored fields get the raw live value, because the API resets an omitted field (`api: fact 1`).
    pub send: RoomState,
    /// Fields that keep the live value although the manifest differs, because the server ignored the manifest's value.
    pub kept: FieldSet,
    /// The members to add.
    pub members: Members,
    /// The message to send after the members are added. It is sent only to a new room, or to a
    /// room that roomform created and whose welcome is pending.
    pub welcome: Option<Welcome>,
    /// Whether a deleted or vanished room is recreated.
    pub recreate: bool,
    /// Details if a closed room becomes public.
    pub publish: Option<Publish>,
    /// The id of the recorded room that this change recreates, if any.
    pub replaces: Option<RoomId>,
    /// When the server had last changed the room, according to the list that the plan is based on.
    pub updated_at: Option<Box<str>>,
    /// Since when the result of an earlier create is unknown. A run sent that create, or was
    /// about to send it, but recorded no result.
    pub uncertain_since: Option<Time>,
    /// The digest of what the server showed for the pipe when the plan was computed.
    pub digest: Digest,
}

/// A field's value before and after the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The field that changes.
    pub field: Field,
    /// The value that the server shows, normalized.
    pub before: FieldValue,
    /// The value that the manifest wants, normalized.
    pub after: FieldValue,
    /// Who caused the difference, as far as the ledger shows.
    pub changed: ChangedBy,
    /// Whether the last recorded write already sent the value that the manifest wants.
    pub was_sent: bool,
}

/// Who changed a field since the last recorded write. It is only displayed: no decision depends on
/// it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChangedBy {
    /// Whether someone changed the field outside roomform. If so, the server no longer shows the
    /// value that it showed after the last recorded write.
    pub outside: bool,
    /// Whether the manifest now wants a different value than at the last recorded write.
    pub manifest: bool,
}

/// The members of one change. `new` and `unknown` are both sorted, and are sent together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members {
    /// Declared members that are not on record.
    pub new: Arc<[UserId]>,
    /// Declared members of a room without any record. They are sent again, because nothing shows who is in the room.
    pub unknown: Arc<[UserId]>,
    /// Number of declared members that are on record.
    pub known: usize,
    /// Number of known members that are on record only because they were adopted.
    pub adopted: usize,
}

impl Members {
    /// Returns all members to send.
    pub fn sent(&self) -> impl Iterator<Item = UserId> {
        self.new.iter().chain(&*self.unknown).copied()
    }

    /// Returns the number of members to send.
    pub fn count(&self) -> usize {
        self.new.len() + self.unknown.len()
    }
}

/// The counts of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rooms to create.
    pub create: usize,
    /// Rooms whose fields change.
    pub update: usize,
    /// Rooms with a field that was changed outside roomform.
    pub changed_outside: usize,
    /// Rooms that only gain members.
    pub add_only: usize,
    /// Rooms whose only change is that members are sent again.
    pub resend_only: usize,
    /// Rooms that only get their pending welcome.
    pub welcome_only: usize,
    /// Closed rooms that become public.
    pub publish: usize,
    /// Rooms that are created public.
    pub create_public: usize,
    /// Members to add.
    pub members: usize,
    /// Members to send again because their room has no record.
    pub unknown: MemberTally,
    /// Messages to send.
    pub messages: usize,
    /// Declared rooms without changes.
    pub unchanged: usize,
    /// Live rooms in scope that are not declared.
    pub unmanaged: usize,
    /// Declared rooms.
    pub declared: usize,
    /// API calls that write to rooms.
    pub writes: usize,
}

impl Plan {
    /// Adds a change, and counts it in the summary.
    pub fn push(&mut self, change: Change) {
        let summary = &mut self.summary;
        match &change {
            _ if change.is_create() => summary.create += 1,
            _ if !change.fields.is_empty() => summary.update += 1,
            _ if change.is_welcome_only() => summary.welcome_only += 1,
            _ if change.members.new.is_empty() => summary.resend_only += 1,
            _ => summary.add_only += 1,
        }
        let outside = change.fields.iter().any(|field| field.changed.outside);
        summary.changed_outside += usize::from(outside);
        summary.publish += usize::from(change.publishes());
        summary.create_public += usize::from(change.creates_public());
        summary.members += change.members.new.len();
        summary.unknown.add(change.members.unknown.len());
        summary.messages += usize::from(change.welcome.is_some());
        summary.writes += change.writes();
        self.changes.push(change);
    }

    /// Returns the same plan, but with only these changes.
    #[must_use]
    pub fn with_changes(&self, changes: Vec<Change>) -> Self {
        let summary = Summary {
            unchanged: self.summary.unchanged,
            unmanaged: self.summary.unmanaged,
            declared: self.summary.declared,
            ..Summary::default()
        };
        let mut plan = Self {
            changes: Vec::new(),
            summary,
            ..self.clone()
        };
        changes.into_iter().for_each(|change| plan.push(change));
        plan
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether the plan has changes, conflicts that block changes, or rooms that lack known
    /// members.
    pub fn is_pending(&self) -> bool {
        !self.changes.is_empty() || !self.conflicts.is_empty() || self.short_rooms() > 0
    }

    /// Returns the number of counted rooms that lack known members, or may lack them.
    pub fn short_rooms(&self) -> usize {
        self.counts.as_ref().map_or(0, MemberCounts::short)
    }

    /// Returns the number of API calls of a run: one to list, the writes, one to verify, and the messages.
    pub fn requests(&self) -> usize {
        1 + self.summary.writes + self.verifies() + self.summary.messages
    }

    /// Returns the number of calls that list the rooms again: 1 if there is anything to write, else
    /// 0.
    pub fn verifies(&self) -> usize {
        usize::from(!self.changes.is_empty())
    }

    /// For each step that is still open from an earlier run, returns the room and the step's
    /// age.
    pub fn open_steps(&self) -> impl Iterator<Item = (&Pipe, u64)> {
        ages(&self.manual_steps, &self.left_rooms)
    }

    /// Sets `overdue` if any steps have been open for at least this many days.
    pub fn note_overdue(&mut self, days: u64) {
        let overdue = self.open_steps().filter(|(_, age)| *age >= days);
        let rooms: Vec<Pipe> = overdue.map(|(pipe, _)| pipe.clone()).collect();
        self.overdue = (!rooms.is_empty()).then(|| Overdue {
            days,
            steps: rooms.len(),
            rooms: rooms.into_iter().collect(),
        });
    }

    /// Whether the run has something to record even if it sends nothing. This includes members
    /// or rooms that left the manifest, rooms that are back in it, fields that the server
    /// ignores or no longer ignores, new member counts, and the new count of a file that was
    /// allowed to shrink. The new counts of other files are recorded only together with
    /// something else.
    pub fn has_anything_to_record(&self) -> bool {
        let noted = &self.baseline;
        let released = self
            .manual_steps
            .iter()
            .any(|room| !room.newly_removed.is_empty());
        let shrunk = self.guards.iter().any(|guard| match guard {
            Violation::Shrunk { source, .. } => {
                noted.given.keys().any(|entry| is_entry_of(entry, source))
            }
            _ => false,
        });
        let moved = !noted.left.is_empty() || !noted.back.is_empty();
        released || shrunk || moved || !noted.shown.is_empty() || !noted.counted.is_empty()
    }
}

impl Change {
    /// Whether the room is created.
    pub fn is_create(&self) -> bool {
        self.room_id.is_none()
    }

    /// Whether a closed room becomes public.
    pub fn publishes(&self) -> bool {
        self.publish.is_some()
    }

    /// Whether the room is created public.
    pub fn creates_public(&self) -> bool {
        self.is_create() && self.send.public
    }

    /// Returns the number of calls that write the room. Members are sent in chunks. A change
    /// that adds no members still needs one call, unless it only sends the welcome.
    pub fn writes(&self) -> usize {
        if self.is_welcome_only() {
            return 0;
        }
        self.members.count().div_ceil(CHUNK).max(1)
    }

    /// Whether the room is up to date except for a pending welcome.
    pub fn is_welcome_only(&self) -> bool {
        let written = self.is_create() || !self.fields.is_empty();
        !written && self.members.count() == 0
    }
}
