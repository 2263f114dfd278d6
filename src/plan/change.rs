//! The plan as data: its changes and its figures. What else it says is in `remarks`.

use std::sync::Arc;

use super::baseline::Baseline;
use super::digest::Digest;
use super::findings::{Conflict, IgnoredField, ManualSteps, Note, UnknownMembers, Violation};
use crate::model::{Field, FieldSet, FieldValue, Pipe, RoomId, RoomState, Target, UserId, Welcome};

/// Members sent in one call: PHP silently drops form variables past 1,000 (`api: fact 2`), so a call stays far below.
pub const CHUNK: usize = 200;

/// Everything a run would do, and everything it will not. All lists are sorted by pipe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What the plan is for.
    pub target: Target,
    /// Rooms with something to write.
    pub changes: Vec<Change>,
    /// Rooms that cannot be settled without a person.
    pub conflicts: Vec<Conflict>,
    /// Rooms with members on record that the manifest does not want any more: the API cannot remove anyone.
    pub manual_steps: Vec<ManualSteps>,
    /// Rooms the ledger knows and the manifest no longer declares: the API cannot delete them.
    pub undeclared: Vec<Pipe>,
    /// Fields the server did not take when they were sent; not sent again unless asked for.
    pub ignored: Vec<IgnoredField>,
    /// What somebody should know, and nothing more.
    pub notes: Vec<Note>,
    /// What an apply writes down of the manifest, so that later plans can be judged by it.
    pub baseline: Baseline,
    /// What guards say of the plan, whatever the command line allows; a saved plan has to be allowed again.
    pub guards: Vec<Violation>,
    /// Why apply would be refused: the guards that the command line does not lift.
    pub refusals: Vec<Violation>,
    /// The figures.
    pub summary: Summary,
}

/// One room's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The room.
    pub pipe: Pipe,
    /// The file that declares it.
    pub file: Arc<str>,
    /// The line in it, from 1.
    pub line: u32,
    /// Create it, or write to the one that is there.
    pub action: Action,
    /// What is sent: for ignored fields the raw live value, since an omitted field is reset (`api: fact 1`).
    pub send: RoomState,
    /// Which of these go as they stand there although the manifest wants them otherwise: the server ignored that.
    pub kept: FieldSet,
    /// Who is added.
    pub members: Members,
    /// What is said in the room once its members are in: only in one that is created, or was and still waits for it.
    pub welcome: Option<Welcome>,
    /// Whether the room is recreated although it was deleted or has vanished.
    pub recreate: bool,
    /// What the server showed of the pipe when the plan was made.
    pub digest: Digest,
}

/// What is done to a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It is not there yet.
    Create,
    /// It is there, under this id.
    Update {
        /// The live room.
        id: RoomId,
        /// The fields that change; empty if only members are added, or only the welcome is sent.
        fields: Vec<FieldChange>,
    },
}

/// A field before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Which.
    pub field: Field,
    /// What the server showed, normalised.
    pub before: FieldValue,
    /// What the manifest wants, normalised.
    pub after: FieldValue,
    /// Who made them differ, as far as the ledger tells.
    pub changed: ChangedBy,
}

/// Who changed a field since the last write on record. For people to read; nothing is decided by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChangedBy {
    /// Somebody else: the server showed another value after that write than it shows now.
    pub outside: bool,
    /// The manifest: it wanted another value then.
    pub manifest: bool,
}

/// Members of one change. `new` and `unknown` together are sent, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members {
    /// Declared and not on record.
    pub new: Vec<UserId>,
    /// Declared, with nothing at all on record of the room: sent again, since nobody can say who is in it.
    pub unknown: Vec<UserId>,
    /// How many of the declared are on record as added.
    pub known: usize,
}

impl Members {
    /// Everyone to be sent.
    pub fn sent(&self) -> impl Iterator<Item = UserId> {
        self.new.iter().chain(&self.unknown).copied()
    }

    /// How many are sent.
    pub fn count(&self) -> usize {
        self.new.len() + self.unknown.len()
    }
}

/// The figures of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rooms to create.
    pub create: usize,
    /// Rooms whose fields change.
    pub update: usize,
    /// Rooms of which somebody else changed a field.
    pub changed_outside: usize,
    /// Rooms that only gain members.
    pub add_only: usize,
    /// Rooms whose members are only sent again.
    pub resend_only: usize,
    /// Rooms that only get the welcome that their create owes them.
    pub welcome_only: usize,
    /// Closed rooms that become public.
    pub publish: usize,
    /// Rooms created public.
    pub create_public: usize,
    /// Members to add.
    pub members: usize,
    /// Members to send again because nothing is on record of their room.
    pub unknown: UnknownMembers,
    /// Messages to send.
    pub messages: usize,
    /// Declared rooms with nothing to do.
    pub unchanged: usize,
    /// Live rooms in scope that nobody declared.
    pub unmanaged: usize,
    /// Declared rooms.
    pub declared: usize,
    /// Calls that write rooms.
    pub writes: usize,
}

impl Plan {
    /// Takes a change in, and counts it.
    pub fn push(&mut self, change: Change) {
        let summary = &mut self.summary;
        match &change.action {
            Action::Create => summary.create += 1,
            Action::Update { fields, .. } if !fields.is_empty() => summary.update += 1,
            Action::Update { .. } if change.is_welcome_only() => summary.welcome_only += 1,
            Action::Update { .. } if change.members.new.is_empty() => summary.resend_only += 1,
            Action::Update { .. } => summary.add_only += 1,
        }
        let outside = change.fields().iter().any(|field| field.changed.outside);
        summary.changed_outside += usize::from(outside);
        summary.publish += usize::from(change.publishes());
        summary.create_public += usize::from(change.creates_public());
        summary.members += change.members.new.len();
        summary.unknown.rooms += usize::from(!change.members.unknown.is_empty());
        summary.unknown.members += change.members.unknown.len();
        summary.messages += usize::from(change.welcome.is_some());
        summary.writes += change.writes();
        self.changes.push(change);
    }

    /// The same plan with some of its changes only.
    #[must_use]
    pub fn with_changes(&self, changes: Vec<Change>) -> Self {
        let Summary {
            unchanged,
            unmanaged,
            declared,
            ..
        } = self.summary;
        let mut plan = Self {
            changes: Vec::new(),
            summary: Summary {
                unchanged,
                unmanaged,
                declared,
                ..Summary::default()
            },
            ..self.clone()
        };
        changes.into_iter().for_each(|change| plan.push(change));
        plan
    }

    /// Whether there is anything to write.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether manifest and widget differ in a way that apply would change or that is in its way.
    pub fn is_pending(&self) -> bool {
        !self.changes.is_empty() || !self.conflicts.is_empty()
    }

    /// Calls a run would make: one to list, the writes, one to verify, and the messages.
    pub fn requests(&self) -> usize {
        1 + self.summary.writes + self.verifies() + self.summary.messages
    }

    /// Calls to read the list again: one, if there is anything to do at all.
    pub fn verifies(&self) -> usize {
        usize::from(!self.changes.is_empty())
    }
}

impl Change {
    /// The live room's id; none for a new one.
    pub fn room_id(&self) -> Option<RoomId> {
        match &self.action {
            Action::Create => None,
            Action::Update { id, .. } => Some(*id),
        }
    }

    /// The changed fields; empty for a new room.
    pub fn fields(&self) -> &[FieldChange] {
        match &self.action {
            Action::Create => &[],
            Action::Update { fields, .. } => fields,
        }
    }

    /// Whether a closed room becomes public.
    pub fn publishes(&self) -> bool {
        self.fields()
            .iter()
            .any(|change| change.after == FieldValue::Public(true))
    }

    /// Whether the room is created public.
    pub fn creates_public(&self) -> bool {
        matches!(self.action, Action::Create) && self.send.public
    }

    /// How many calls write the room: members go in chunks, and a room without any still takes one, unless there is nothing
    /// to do but to welcome its members.
    pub fn writes(&self) -> usize {
        if self.is_welcome_only() {
            return 0;
        }
        self.members.count().div_ceil(CHUNK).max(1)
    }

    /// Whether there is anything to send.
    pub fn is_needed(&self) -> bool {
        !self.is_welcome_only() || self.welcome.is_some()
    }

    /// Whether the room is as it should be, and only waits for its welcome.
    pub fn is_welcome_only(&self) -> bool {
        let written = self.action == Action::Create || !self.fields().is_empty();
        !written && self.members.count() == 0
    }
}

impl Plan {
    /// Whether there is something to write down although nothing is sent: who left, which rooms came and went, which fields
    /// are no longer ignored, and a file that was allowed to give so much less. A file that gives a little more or less can
    /// wait for the next change.
    pub fn is_to_be_noted(&self) -> bool {
        let Baseline {
            left,
            back,
            given,
            settled,
        } = &self.baseline;
        let released = self
            .manual_steps
            .iter()
            .any(|room| !room.newly_removed.is_empty());
        let shrunk = self.guards.iter().any(
            |guard| matches!(guard, Violation::Shrunk { source, .. } if given.keys().any(|it| it.starts_with(&**source))),
        );
        let moved = !left.is_empty() || !back.is_empty() || !settled.is_empty();
        released || shrunk || moved
    }
}
