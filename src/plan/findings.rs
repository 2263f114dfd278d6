//! What a plan says beside its changes: conflicts, what is left to people, what is ignored, notes, and why it is refused.

use std::sync::Arc;

use super::shard::Shard;
use crate::model::{Field, FieldValue, Pipe, RoomId, UserId};

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
    /// A list that may show only one user's rooms lacks it; the id on record, if there is one.
    NotListed(Option<RoomId>),
}

/// Members that left the manifest, or are excluded by now, and may still be in the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualSteps {
    /// The room.
    pub pipe: Pipe,
    /// Its id.
    pub id: RoomId,
    /// Those that are on record as added, and are for the first time not declared any more.
    pub newly_removed: Vec<UserId>,
    /// Those that left in an earlier run.
    pub previously_removed: Vec<UserId>,
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
    /// A room that the ledger knew by another id: it was recreated outside, its record starts empty.
    Recreated {
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
    /// A welcome may have been sent or not; it is not sent again.
    WelcomeUncertain {
        /// The room.
        pipe: Pipe,
        /// Its id.
        room: RoomId,
    },
    /// A live room that nobody declares looks like a declared one; a server that folds case or letters would take one for the
    /// other.
    LooksLike {
        /// The declared one.
        pipe: Pipe,
        /// The live one.
        live: Pipe,
    },
    /// `--assume-members`: so many declared members of existing rooms were taken for present without a record.
    Assumed(UnknownMembers),
    /// So many declared members are on record only because somebody had them taken for present.
    Adopted(UnknownMembers),
    /// Globs left so many declared rooms out.
    LeftOut {
        /// How many.
        rooms: usize,
        /// The flags of the globs.
        flags: &'static str,
    },
    /// So many declared rooms are for the other parts.
    OtherShards {
        /// The part this is about.
        shard: Shard,
        /// How many rooms.
        rooms: usize,
    },
}

/// Why apply is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
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
    /// Rooms would be recreated that were deleted or have vanished.
    Recreate {
        /// How many.
        count: u64,
        /// The first few.
        rooms: Vec<Pipe>,
    },
    /// So many rooms would be created anew while as many left the manifest, and that is more than half of what it had.
    MassChange {
        /// Rooms to create.
        created: u64,
        /// Rooms that left the manifest since it was last applied.
        left: u64,
        /// Rooms it had then.
        known: u64,
    },
    /// A file with rows gives less than half of what it gave when it was last applied.
    Shrunk {
        /// Its name below the manifest's root.
        source: Arc<str>,
        /// Rooms and memberships it gives.
        now: u64,
        /// What it gave.
        before: u64,
    },
}

/// Which guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LimitKind {
    /// Rooms created.
    Create,
    /// Rooms whose fields change.
    Update,
    /// Members sent.
    AddMembers,
    /// Messages sent.
    Messages,
    /// Closed rooms that become public.
    Publish,
}

impl LimitKind {
    /// Every guard with a limit.
    pub const ALL: [Self; 5] = [
        Self::Create,
        Self::Update,
        Self::AddMembers,
        Self::Messages,
        Self::Publish,
    ];

    /// The guard's key under `limits`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::AddMembers => "add_members",
            Self::Messages => "messages",
            Self::Publish => "publish",
        }
    }
}

/// A room whose members nobody can vouch for, counted for the summary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnknownMembers {
    /// Rooms.
    pub rooms: usize,
    /// Memberships in them.
    pub members: usize,
}
