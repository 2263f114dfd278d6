//! The plan as data: changes, conflicts, what is left to people, and why a run is refused.

use std::sync::Arc;

use super::CHUNK;
use super::compare::Compared;
use super::digest::Digest;
use super::limits::{Allow, LimitKind, lifts};
use crate::model::{Field, FieldValue, Pipe, RoomId, RoomState, Target, UserId};

/// Everything a run would do, and everything it will not. All lists are sorted by pipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What the plan is for.
    pub target: Target,
    /// Rooms with something to write.
    pub changes: Vec<Change>,
    /// Rooms that cannot be settled without a person.
    pub conflicts: Vec<Conflict>,
    /// Rooms whose members left the manifest: the API cannot remove anyone.
    pub by_hand: Vec<ByHand>,
    /// Rooms the ledger knows and the manifest no longer declares: the API cannot delete them.
    pub undeclared: Vec<Pipe>,
    /// Fields the server did not take when they were sent; not sent again unless asked for.
    pub ignored: Vec<IgnoredField>,
    /// What somebody should know, and nothing more.
    pub notes: Vec<Note>,
    /// What guards say of the plan, whatever the command line allows; a saved plan has to be allowed again.
    pub guards: Vec<Refusal>,
    /// Why apply would be refused: the guards that the command line does not lift.
    pub refusals: Vec<Refusal>,
    /// The figures.
    pub summary: Summary,
    /// What there is to say if another manifest was compared with, and not a widget. Then there is nothing to apply it to.
    pub compared: Option<Compared>,
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
    /// Who is added.
    pub members: Members,
    /// Whether the room is made anew although it was deleted or has vanished.
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
        /// The fields that change; empty if only members are added.
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
}

/// Members of one change. `new` and `unverified` together are sent, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members {
    /// Declared and not on record.
    pub new: Vec<UserId>,
    /// Declared, with nothing at all on record of the room: sent again, since nobody can say who is in it.
    pub unverified: Vec<UserId>,
    /// How many of the declared are on record as added.
    pub recorded: usize,
}

impl Members {
    /// Everyone to be sent.
    pub fn sent(&self) -> impl Iterator<Item = UserId> {
        self.new.iter().chain(&self.unverified).copied()
    }

    /// How many are sent.
    pub fn count(&self) -> usize {
        self.new.len() + self.unverified.len()
    }
}

/// A room whose members nobody can vouch for, counted for the summary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unverified {
    /// Rooms.
    pub rooms: usize,
    /// Memberships in them.
    pub members: usize,
}

/// A room that needs a person first; nothing is written to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The room.
    pub pipe: Pipe,
    /// The file that declares it.
    pub file: Arc<str>,
    /// The line in it.
    pub line: u32,
    /// What is in the way.
    pub kind: ConflictKind,
}

/// What is in the way of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConflictKind {
    /// Two or more live rooms have the pipe.
    Several(Vec<RoomId>),
    /// Only deleted rooms have it.
    Deleted(Vec<RoomId>),
    /// The ledger knows the room and the list lacks it: deleted by someone, or the list is capped.
    Vanished(RoomId),
}

/// Members that left the manifest and may still be in the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByHand {
    /// The room.
    pub pipe: Pipe,
    /// Its id.
    pub id: RoomId,
    /// Those that are on record as added, and are for the first time not declared any more.
    pub left: Vec<UserId>,
    /// Those that left in an earlier run.
    pub released: Vec<UserId>,
}

/// A field the server ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredField {
    /// The room.
    pub pipe: Pipe,
    /// The field.
    pub field: Field,
    /// What was sent.
    pub sent: FieldValue,
    /// What the server shows.
    pub shown: FieldValue,
}

/// Something to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A room that the ledger knew by another id: it was made anew outside, its record starts empty.
    MadeAnew {
        /// The room.
        pipe: Pipe,
        /// The id on record.
        recorded: RoomId,
        /// The id the server shows.
        live: RoomId,
    },
    /// A new room looks like one that left the manifest.
    Renamed {
        /// The pipe that left.
        from: Pipe,
        /// The new one.
        to: Pipe,
        /// By its title; else by most of its members.
        same_title: bool,
    },
    /// `--assume-members`: so many declared members of existing rooms were taken for present without a record.
    Assumed(Unverified),
    /// Some selection flag left so many declared rooms out.
    LeftOut(usize),
}

/// Why apply is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Over a limit.
    Limit {
        /// Which.
        kind: LimitKind,
        /// How many the plan has.
        count: u64,
        /// How many are allowed.
        allowed: u64,
        /// The manifest's words for the limit, if it is a percentage.
        share: Option<u64>,
        /// The first few rooms it is about.
        rooms: Vec<Pipe>,
    },
    /// Rooms would be made anew that were deleted or have vanished.
    Recreate {
        /// How many.
        count: u64,
        /// The first few.
        rooms: Vec<Pipe>,
    },
    /// More than half of the rooms on record would be created anew while as many left the manifest.
    MassChange {
        /// Rooms to create.
        created: u64,
        /// Rooms on record that left the manifest.
        left: u64,
        /// Rooms on record.
        known: u64,
    },
}

/// The figures of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rooms to create.
    pub create: usize,
    /// Rooms whose fields change.
    pub update: usize,
    /// Rooms that only gain members.
    pub add_only: usize,
    /// Rooms whose members are only sent again.
    pub resend_only: usize,
    /// Closed rooms that become public.
    pub publish: usize,
    /// Rooms created public.
    pub create_public: usize,
    /// Members to add.
    pub members: usize,
    /// Members to send again because nothing is on record of their room.
    pub unverified: Unverified,
    /// Declared rooms with nothing to do.
    pub unchanged: usize,
    /// Live rooms in scope that nobody declared.
    pub unmanaged: usize,
    /// Declared rooms.
    pub declared: usize,
    /// Calls that write.
    pub writes: usize,
}

impl Plan {
    /// A plan for a target in which nothing stands yet.
    pub(super) fn empty(target: &Target) -> Self {
        Self {
            target: target.clone(),
            changes: Vec::new(),
            conflicts: Vec::new(),
            by_hand: Vec::new(),
            undeclared: Vec::new(),
            ignored: Vec::new(),
            notes: Vec::new(),
            guards: Vec::new(),
            refusals: Vec::new(),
            summary: Summary::default(),
            compared: None,
        }
    }

    /// Takes a change in, and counts it.
    pub(super) fn push(&mut self, change: Change) {
        let summary = &mut self.summary;
        match &change.action {
            Action::Create => summary.create += 1,
            Action::Update { fields, .. } if !fields.is_empty() => summary.update += 1,
            Action::Update { .. } if change.members.new.is_empty() => summary.resend_only += 1,
            Action::Update { .. } => summary.add_only += 1,
        }
        summary.publish += usize::from(change.publishes());
        summary.create_public += usize::from(change.creates_public());
        summary.members += change.members.new.len();
        summary.unverified.rooms += usize::from(!change.members.unverified.is_empty());
        summary.unverified.members += change.members.unverified.len();
        summary.writes += change.writes();
        self.changes.push(change);
    }

    /// The same plan with some of its changes only.
    #[must_use]
    pub fn with_changes(&self, changes: Vec<Change>) -> Self {
        let mut plan = Self::empty(&self.target);
        changes.into_iter().for_each(|change| plan.push(change));
        let Summary {
            unchanged,
            unmanaged,
            declared,
            ..
        } = self.summary;
        let rest = Self {
            changes: Vec::new(),
            ..self.clone()
        };
        Self {
            changes: plan.changes,
            summary: Summary {
                unchanged,
                unmanaged,
                declared,
                ..plan.summary
            },
            ..rest
        }
    }

    /// Whether there is anything to write.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether manifest and widget differ in a way that apply would change or that is in its way.
    pub fn is_pending(&self) -> bool {
        !self.changes.is_empty() || !self.conflicts.is_empty()
    }

    /// Sets what refuses the plan: the guards that are not lifted.
    pub fn allow(&mut self, allow: &Allow) {
        self.refusals = self
            .guards
            .iter()
            .filter(|guard| !lifts(allow, guard))
            .cloned()
            .collect();
    }

    /// Calls a run would make: one to list, the writes, and one to verify if there are any.
    pub fn requests(&self) -> usize {
        1 + self.summary.writes + usize::from(!self.changes.is_empty())
    }
}

impl Change {
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

    /// How many calls it takes: members go in chunks, and a room without any still takes one.
    pub fn writes(&self) -> usize {
        self.members.count().div_ceil(CHUNK).max(1)
    }
}
