//! How many members the rooms have. The numbers are inferred from lists that the server filtered by
//! size.

use std::fmt;

use super::{Pipe, RoomId, named_enum};

named_enum! {
    /// What the filter `count_users` means, according to the answers.
    pub enum CountMeaning {
        /// It finds the rooms with this number of users.
        Exact = "exact",
        /// It finds the rooms with at least this number of users.
        AtLeast = "at_least",
        /// The answers fit both `Exact` and `AtLeast`.
        Either = "exact_or_at_least",
        /// The server ignores the filter.
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
    /// The room has as many members as expected.
    Equal,
    /// The room has fewer members than expected.
    Fewer(Size),
    /// The room has more members than expected.
    More(Size),
    /// The room's size is unknown, but outside this range around the expected size.
    Outside(Size),
    /// The room cannot be counted.
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
        /// It is unclear whether the count includes the writing user.
        Writer = "writer",
    }
}

/// The number of members that was counted in one room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomCount {
    /// The pipe of the room.
    pub pipe: Pipe,
    /// The id of the room.
    pub room: RoomId,
    /// The number of recorded members that may be in the room. Without a record, the number of
    /// declared members.
    pub expected: u64,
    /// Whether the ledger has a record of the room.
    pub is_recorded: bool,
    /// Number of expected members whose removal is an open manual step.
    pub open_removals: u64,
    /// 1 if the count includes the writing user, otherwise 0. `None` if that is unclear, or if
    /// roomform did not create the room.
    pub offset: Option<u64>,
    /// How the counted size compares with the expected size.
    pub result: CountResult,
}

impl RoomCount {
    /// Whether a recorded room lacks members, or may lack them. Members whose removal is an open
    /// manual step do not count as lacking.
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

    /// Whether a recorded room lacks members, but not more than there are open removals.
    pub fn lacks_only_removed(&self) -> bool {
        self.is_recorded && matches!(self.result, CountResult::Fewer(_)) && !self.is_short()
    }

    /// Returns the number of members, if the count shows it.
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
    /// What the filter `count_users` means.
    pub meaning: CountMeaning,
    /// 1 if the counts of rooms that roomform created include the writing user, otherwise 0. The
    /// value is inferred from most of these rooms and from earlier counts. `None` if it is
    /// unclear, or if there are no such rooms.
    pub offset: Option<u64>,
    /// Requests sent, including retries.
    pub requests: u64,
    /// Size of the rows received, in bytes.
    pub bytes: u64,
    /// Why a request failed; `None` if all succeeded.
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

    /// Returns the number of recorded rooms that lack members, or may lack them.
    pub fn short(&self) -> usize {
        self.rooms.iter().filter(|room| room.is_short()).count()
    }
}
