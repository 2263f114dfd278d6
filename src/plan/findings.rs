//! Everything in a plan besides its changes: conflicts, manual steps, ignored fields, notes and violated guards.

use std::sync::Arc;

use super::filter::Shard;
use crate::model::{Field, FieldValue, PendingField, Pipe, RoomId, named_enum};

/// A room that a person must fix before anything is written to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The room.
    pub pipe: Pipe,
    /// The file that declares it.
    pub file: Arc<str>,
    /// The line in it, from 1.
    pub line: u32,
    /// The kind of conflict.
    pub kind: ConflictKind,
}

/// Why a room cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConflictKind {
    /// More than one live room has the pipe.
    Several(Vec<RoomId>),
    /// Only deleted rooms have the pipe.
    Deleted(Vec<RoomId>),
    /// The room is on record but not in the list: it was deleted, or the list is limited.
    Vanished(RoomId),
    /// The room is missing from a list that may show only one user's rooms; with the recorded id, if any.
    NotListed(Option<RoomId>),
}

/// What the list shows of a field that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownField {
    /// The room.
    pub pipe: Pipe,
    /// Its id.
    pub room: RoomId,
    /// The field.
    pub field: Field,
    /// The value sent.
    pub sent: FieldValue,
    /// The value that the server shows.
    pub shown: FieldValue,
}

/// Information for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The live room has another id than the recorded one: it was recreated outside roomform, and its record starts empty.
    Recreated {
        /// The room.
        pipe: Pipe,
        /// The recorded id.
        recorded: RoomId,
        /// The live id.
        live: RoomId,
    },
    /// A new room looks like a room that left the manifest.
    Renamed {
        /// The pipe that left.
        from: Pipe,
        /// The new one.
        to: Pipe,
        /// Whether the titles are the same; otherwise, most members are.
        same_title: bool,
    },
    /// It is unknown whether the welcome was sent; it is not sent again.
    WelcomeUncertain {
        /// The room.
        pipe: Pipe,
        /// Its id.
        room: RoomId,
    },
    /// A field was sent before, and the list does not show it yet. It is sent again.
    Pending {
        /// The room.
        pipe: Pipe,
        /// The field.
        field: Field,
        /// What the runs that sent the value saw in the list.
        was: PendingField,
    },
    /// An undeclared live room looks like a declared room. A server that folds case or letters could confuse them.
    LooksLike {
        /// The declared pipe.
        pipe: Pipe,
        /// The live pipe.
        live: Pipe,
    },
    /// `--assume-members`: number of declared members of existing rooms assumed to be present without a record.
    Assumed(MemberTally),
    /// Number of declared members that are on record only because they were adopted.
    Adopted(MemberTally),
    /// Number of memberships that end within the notice period.
    Ending(MemberTally),
    /// Number of declared members who are not on record and are not sent, because of `members_policy: on_create`.
    NotSent(MemberTally),
    /// Entries of `limits.publish` that have no effect now, because their rooms are public.
    AlreadyPublic(Vec<String>),
    /// Declared rooms that `--only` or `--except` skips.
    LeftOut {
        /// Number of rooms.
        rooms: usize,
        /// The glob flags.
        flags: &'static str,
    },
    /// Declared rooms that belong to other shards.
    OtherShards {
        /// The shard of this plan.
        shard: Shard,
        /// Number of rooms.
        rooms: usize,
    },
}

/// A violated guard: why apply is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// The plan exceeds a limit.
    Limit {
        /// The limit.
        kind: LimitKind,
        /// The count in the plan.
        count: u64,
        /// The count allowed.
        allowed: u64,
        /// The manifest's percentage, in hundredths of a percent; `None` if the limit is a number.
        share: Option<u64>,
    },
    /// Closed rooms would become public, and nothing allows it.
    Publish {
        /// Number of rooms.
        count: u64,
        /// The first few rooms.
        rooms: Vec<Pipe>,
    },
    /// Deleted or vanished rooms would be recreated.
    Recreate {
        /// Number of rooms.
        count: u64,
        /// The first few rooms.
        rooms: Vec<Pipe>,
    },
    /// The rooms that left the manifest are more than half of the rooms at the last apply, and so
    /// are the rooms that would be created.
    MassChange {
        /// Rooms to create.
        created: u64,
        /// Rooms that left the manifest since the last apply.
        left: u64,
        /// Rooms at the last apply.
        known: u64,
    },
    /// A file with rows has less than half as many rooms and memberships as at the last apply.
    Shrunk {
        /// The file's path relative to the manifest's root.
        source: Arc<str>,
        /// Rooms and memberships now.
        now: u64,
        /// Rooms and memberships at the last apply.
        before: u64,
    },
}

named_enum! {
    /// The kind of a limit, and its key under `limits`.
    pub enum LimitKind {
        /// Rooms to create.
        Create = "create",
        /// Rooms whose fields change.
        Update = "update",
        /// Members to send.
        AddMembers = "add_members",
        /// Messages to send.
        Messages = "messages",
    }
}

/// The number of memberships of some kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemberTally {
    /// Number of rooms.
    pub rooms: usize,
    /// Number of memberships.
    pub members: usize,
}

impl MemberTally {
    /// Counts the members of one more room, if there are any.
    pub(super) fn add(&mut self, members: usize) {
        self.rooms += usize::from(members > 0);
        self.members += members;
    }

    /// Returns the note about these members, if there are any.
    pub(super) fn note(self, note: fn(Self) -> Note) -> Option<Note> {
        (self.rooms > 0).then(|| note(self))
    }
}
