//! Everything in a plan besides its changes: conflicts, manual steps, ignored fields, notes and violated guards.

use std::sync::Arc;

use super::filter::Shard;
use crate::model::{Field, FieldValue, PendingField, Pipe, RoomId, named_enum};

/// A room that a person must fix before anything is written to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The pipe of the room.
    pub pipe: Pipe,
    /// The file that declares the room.
    pub file: Arc<str>,
    /// The line that declares the room, from 1.
    pub line: u32,
    /// Why the room cannot be planned.
    pub kind: ConflictKind,
}

/// Why a room cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConflictKind {
    /// More than one live room has the pipe.
    Several(Vec<RoomId>),
    /// Only deleted rooms have the pipe.
    Deleted(Vec<RoomId>),
    /// The room is on record but not in the list: it was deleted, or the list does not show all
    /// rooms.
    Vanished(RoomId),
    /// The room is missing from a list that may show only one user's rooms. The recorded id is
    /// given, if there is one.
    NotListed(Option<RoomId>),
}

/// A field that was sent, and what the list shows for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownField {
    /// The pipe of the room.
    pub pipe: Pipe,
    /// The id of the room.
    pub room: RoomId,
    /// The field that was sent.
    pub field: Field,
    /// The value that was sent.
    pub sent: FieldValue,
    /// The value that the server shows.
    pub shown: FieldValue,
}

/// A note for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The id of the live room differs from the recorded one. The room was recreated outside
    /// roomform, and its record starts empty.
    Recreated {
        /// The pipe of the room.
        pipe: Pipe,
        /// The id in the ledger.
        recorded: RoomId,
        /// The id in the server's list.
        live: RoomId,
    },
    /// A new room looks like a room that left the manifest.
    Renamed {
        /// The pipe that left the manifest.
        from: Pipe,
        /// The pipe of the new room.
        to: Pipe,
        /// Whether the rooms have the same title. Otherwise, they share most of their members.
        same_title: bool,
    },
    /// It is unknown whether the welcome was sent, so it is not sent again.
    WelcomeUncertain {
        /// The pipe of the room.
        pipe: Pipe,
        /// The id of the room.
        room: RoomId,
    },
    /// A field was sent before, but the list does not show it yet. It is sent again.
    Pending {
        /// The pipe of the room.
        pipe: Pipe,
        /// The field that is pending.
        field: Field,
        /// What the list showed to earlier runs that sent the value.
        was: PendingField,
    },
    /// An undeclared live room looks like a declared room. A server that ignores case, or
    /// treats similar letters as equal, could confuse the two rooms.
    LooksLike {
        /// The pipe of the declared room.
        pipe: Pipe,
        /// The pipe of the live room.
        live: Pipe,
    },
    /// Number of declared members without a record. `--assume-members` assumes that these
    /// members are already in their rooms.
    Assumed(MemberTally),
    /// Number of declared members that are on record only because they were adopted.
    Adopted(MemberTally),
    /// Number of memberships that end within the notice period.
    Ending(MemberTally),
    /// Number of declared members that are not on record, and that `members_policy: on_create` does
    /// not send.
    NotSent(MemberTally),
    /// Entries of `limits.publish` that have no effect now, because their rooms are public.
    AlreadyPublic(Vec<String>),
    /// `--only` or `--except` skips declared rooms.
    LeftOut {
        /// Number of skipped rooms.
        rooms: usize,
        /// The names of the glob flags in use.
        flags: &'static str,
    },
    /// Some declared rooms belong to other shards.
    OtherShards {
        /// The shard of this plan.
        shard: Shard,
        /// Number of rooms in other shards.
        rooms: usize,
    },
}

/// A violated guard, which is why apply is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// The plan exceeds a limit.
    Limit {
        /// The limit that the plan exceeds.
        kind: LimitKind,
        /// The planned number of rooms, members or messages.
        count: u64,
        /// The maximum number that the limit allows.
        allowed: u64,
        /// The limit as a percentage, in hundredths of a percent; `None` if the manifest gives
        /// a number instead.
        share: Option<u64>,
    },
    /// Closed rooms would become public, and nothing allows it.
    Publish {
        /// Number of rooms that would become public.
        count: u64,
        /// The first few of these rooms.
        rooms: Vec<Pipe>,
    },
    /// Deleted or vanished rooms would be recreated.
    Recreate {
        /// Number of rooms that would be recreated.
        count: u64,
        /// The first few of these rooms.
        rooms: Vec<Pipe>,
    },
    /// Many rooms left the manifest, and many would be created. Both numbers are more than half of
    /// the number of rooms at the last apply.
    MassChange {
        /// Rooms to create.
        created: u64,
        /// Number of rooms that left the manifest since the last apply.
        left: u64,
        /// Number of rooms in the manifest at the last apply.
        known: u64,
    },
    /// A file with rows, such as a CSV file, has less than half as many rooms and memberships
    /// as at the last apply.
    Shrunk {
        /// The file's path relative to the manifest's root.
        source: Arc<str>,
        /// Number of rooms and memberships now.
        now: u64,
        /// Number of rooms and memberships at the last apply.
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

/// Number of memberships of some kind, and of the rooms that have them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemberTally {
    /// Number of rooms.
    pub rooms: usize,
    /// Number of memberships.
    pub members: usize,
}

impl MemberTally {
    /// Counts the members of one more room. A room without members is not counted.
    pub(super) fn add(&mut self, members: usize) {
        self.rooms += usize::from(members > 0);
        self.members += members;
    }

    /// Returns the note about these members, if there are any.
    pub(super) fn note(self, note: fn(Self) -> Note) -> Option<Note> {
        (self.rooms > 0).then(|| note(self))
    }
}
