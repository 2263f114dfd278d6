//! How many members rooms have, inferred from lists that the server filtered by size.

use std::fmt;

use super::{Pipe, RoomId, named_enum};

named_enum! {
    /// What the filter `count_users` means, according to the answers.
    pub enum CountMeaning {
        /// It finds the rooms with this number of users.
        Exact = "exact",
        /// It finds the rooms with at least this number of users.
        AtLeast = "at_least",
        /// Exact or at least: the answers fit both.
        Either = "exact_or_at_least",
        /// The server ignores it.
        Ignored = "ignored",
        /// The answers contradict each other, or changed while they were read.
        Unclear = "unclear",
    }
}

/// A number of members, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// The smallest possible number.
    pub least: u64,
    /// The largest possible number; `None` if there is no limit.
    pub most: Option<u64>,
}

impl Size {
    /// A number from `least` to `most`.
    pub fn new(least: u64, most: Option<u64>) -> Self {
        Self { least, most }
    }

    /// Returns the number, if it is known.
    pub fn exact(self) -> Option<u64> {
        self.most.filter(|most| *most == self.least)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (least, None) => write!(f, "at least {least}"),
            (least, Some(most)) if least == most => write!(f, "{least}"),
            (least, Some(most)) => write!(f, "{least} to {most}"),
        }
    }
}

/// A room's counted size compared with its expected size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountResult {
    /// It has as many members as expected.
    Equal,
    /// It has fewer.
    Fewer(Size),
    /// It has more.
    More(Size),
    /// Its size is not the expected one, but within this range around it.
    Outside(Size),
    /// It cannot be counted.
    Unknown(CountGap),
}

named_enum! {
    /// Why a room cannot be counted.
    pub enum CountGap {
        /// The requests or bytes for counting are spent.
        Budget = "budget",
        /// The server did not answer all requests.
        Failed = "failed",
        /// The room's size changed while it was counted.
        Changed = "changed",
        /// The server ignores the filter.
        Ignored = "ignored",
        /// The meaning of the answers is unclear.
        Unclear = "unclear",
        /// No answer names any of the rooms.
        NoneFound = "none_found",
        /// It is unclear whether the writing user counts as a member.
        Writer = "writer",
    }
}

/// The count of one room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomCount {
    /// The room.
    pub pipe: Pipe,
    /// Its id.
    pub room: RoomId,
    /// The number of recorded members that may be in the room; without a record, of declared
    /// members.
    pub expected: u64,
    /// Whether the ledger has a record of the room.
    pub is_recorded: bool,
    /// How many of the expected members an open manual step says to remove.
    pub open_removals: u64,
    /// How often the writing user counts as a member: 0 or 1. `None` if that is unclear, or if roomform did not create the room.
    pub offset: Option<u64>,
    /// The result.
    pub result: CountResult,
}

impl RoomCount {
    /// Whether members of a recorded room are missing, or may be. Members with an open removal are not missed.
    pub fn is_short(&self) -> bool {
        let is_short = match self.result {
            CountResult::Fewer(size) => {
                let most = size.most.unwrap_or(size.least);
                most + self.open_removals < self.expected
            }
            CountResult::Outside(_) => true,
            CountResult::Equal | CountResult::More(_) | CountResult::Unknown(_) => false,
        };
        self.is_recorded && is_short
    }

    /// Whether the room has fewer members than known only because of open removals.
    pub fn lacks_only_removed(&self) -> bool {
        self.is_recorded && matches!(self.result, CountResult::Fewer(_)) && !self.is_short()
    }

    /// Returns the number of members, if it is known.
    pub fn size(&self) -> Option<u64> {
        match self.result {
            CountResult::Equal => Some(self.expected),
            CountResult::Fewer(size) | CountResult::More(size) => size.exact(),
            CountResult::Outside(_) | CountResult::Unknown(_) => None,
        }
    }
}

/// The counts of all rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberCounts {
    /// What the filter means.
    pub meaning: CountMeaning,
    /// How often the writing user counts as a member in a room that roomform created: 0 or 1, as assumed from most of these rooms
    /// and from earlier counts. `None` if that is unclear, or if there are no such rooms.
    pub offset: Option<u64>,
    /// Requests sent, including retries.
    pub requests: u64,
    /// Size of the rows received.
    pub bytes: u64,
    /// Why a request failed, if one did.
    pub failure: Option<String>,
    /// The rooms, sorted by pipe.
    pub rooms: Vec<RoomCount>,
}

impl MemberCounts {
    /// Returns the count of a room.
    pub fn room(&self, pipe: &Pipe) -> Option<&RoomCount> {
        let found = self.rooms.binary_search_by(|room| room.pipe.cmp(pipe));
        self.rooms.get(found.ok()?)
    }

    /// Returns the number of rooms in which members are missing, or may be.
    pub fn short(&self) -> usize {
        self.rooms.iter().filter(|room| room.is_short()).count()
    }
}
