//! Counts members: decides which sizes to ask the server for, and what the answers mean.
//!
//! Main type: [`Counting`]. The server can filter its list of rooms by a number of users
//! (`count_users`, `api: get_rooms`). It then lists the rooms with exactly that number, or the
//! rooms with at least that number. The answers show which of the two the server does.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::count_evidence::{Answers, Countable, Evidence, IMPOSSIBLE, near};
use super::filter::{Inputs, RoomFilter};
use crate::model::{CountGap, LiveRoom, MemberCounts, RoomCount, RoomId};

/// Returns the selected rooms that can be counted. These are live, and have known or declared
/// members.
pub fn countable(inputs: Inputs<'_>, only: &RoomFilter) -> Vec<Countable> {
    let recorded = inputs.recorded;
    let chosen = inputs.desired.rooms.values();
    let rooms = chosen.filter(|room| only.contains(&room.pipe));
    let rooms = rooms.filter_map(|room| {
        let live: Vec<&LiveRoom> = inputs.observed.live(&room.pipe).collect();
        let [live] = live.as_slice() else {
            return None;
        };
        let known = recorded.rooms.get(&live.id);
        let expected = match known {
            Some(known) => known.members.len() + known.released.len(),
            // A create was sent, and it is unknown which members it added.
            None if recorded.owed.contains_key(&room.pipe) => 0,
            None => room.members.len(),
        };
        (expected > 0).then(|| Countable {
            pipe: room.pipe.clone(),
            room: live.id,
            expected: expected as u64,
            is_recorded: known.is_some(),
            is_created: known.is_some_and(|known| known.created),
            last_offset: known.and_then(|known| known.offset),
            open_removals: known.map_or(0, |known| known.released.len() as u64),
            is_public: live.state.public,
        })
    });
    rooms.collect()
}

/// The answer to a request for one size: the number of rows, and the ids in these rows that
/// belong to rooms to count, in any order. `None` means that the budget was already spent.
/// `Err` has an error message.
pub type SizeAnswer = Result<Option<(usize, Vec<RoomId>)>, String>;

/// Which sizes to request next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextSizes {
    /// Request these sizes, in any order. If the budget is too small for all of them, request the
    /// first ones.
    Ask(Vec<u64>),
    /// Request this size before all others.
    First(u64),
    /// Request the first size again, to see whether its answer is still the same.
    Again(u64),
    /// Request nothing more.
    Done,
}

/// A count in progress.
#[derive(Debug)]
pub struct Counting {
    answers: Answers,
    failure: Option<String>,
}

impl Counting {
    /// Starts a count of these rooms.
    pub fn new(rooms: Vec<Countable>) -> Self {
        let answers = Answers {
            rooms,
            ..Answers::default()
        };
        Self {
            answers,
            failure: None,
        }
    }

    /// Uses the offset of an earlier count, because a count of only a few rooms does not show
    /// the offset reliably.
    #[must_use]
    pub fn with_offset(mut self, offset: Option<u64>) -> Self {
        self.answers.offset = offset;
        self
    }

    /// Returns the rooms to look for in the answers.
    pub fn wanted(&self) -> impl Iterator<Item = RoomId> {
        self.answers.rooms.iter().map(|room| room.room)
    }

    /// Returns the sizes to request next, given the answers so far.
    pub fn next_sizes(&self) -> NextSizes {
        let sizes = self.sizes_near();
        let first = sizes.first().copied();
        let Some(first) = first.filter(|_| self.answers.is_stable.is_none()) else {
            return NextSizes::Done;
        };
        let rows = &self.answers.rows;
        match (rows.get(&IMPOSSIBLE), rows.get(&first)) {
            (None, _) => return NextSizes::Ask(vec![IMPOSSIBLE]),
            (Some(Ok(0)), None) => return NextSizes::First(first),
            (Some(Ok(0)), Some(Ok(_))) => {}
            _ => return NextSizes::Done,
        }
        let is_open = |size: &u64| !rows.contains_key(size);
        let open: Vec<u64> = sizes.into_iter().filter(is_open).collect();
        if !open.is_empty() {
            return NextSizes::Ask(open);
        }
        let evidence = Evidence::new(&self.answers);
        for mut more in [evidence.sizes_above(), evidence.sizes_around()] {
            let mut seen = BTreeSet::new();
            more.retain(|size| is_open(size) && seen.insert(*size));
            if !more.is_empty() {
                return NextSizes::Ask(more);
            }
        }
        NextSizes::Again(first)
    }

    /// Records the answer for a size. A second answer for the same size is only compared with the
    /// first.
    pub fn record(&mut self, size: u64, answer: SizeAnswer) {
        let Answers {
            rows,
            sizes,
            is_stable,
            ..
        } = &mut self.answers;
        let answer = match answer {
            Ok(answer) => answer.ok_or(CountGap::Budget),
            Err(reason) => {
                self.failure.get_or_insert(reason);
                Err(CountGap::Failed)
            }
        };
        if rows.contains_key(&size) {
            let before = sizes.iter().filter(|(_, sizes)| sizes.contains(&size));
            let before: BTreeSet<RoomId> = before.map(|(room, _)| *room).collect();
            let is_same = |(_, found): (usize, Vec<RoomId>)| before == found.into_iter().collect();
            *is_stable = Some(answer.map(is_same));
            return;
        }
        let answer = answer.map(|(count, found)| {
            for room in found {
                let sizes = sizes.entry(room).or_default();
                if let Err(at) = sizes.binary_search(&size) {
                    sizes.insert(at, size);
                }
            }
            count
        });
        rows.insert(size, answer);
    }

    /// Returns what the answers show about each room. `requests` and `bytes` are the cost of the
    /// answers.
    pub fn finish(self, requests: u64, bytes: u64) -> MemberCounts {
        let evidence = Evidence::new(&self.answers);
        let rooms = self.answers.rooms.iter().map(|room| RoomCount {
            pipe: room.pipe.clone(),
            room: room.room,
            expected: room.expected,
            is_recorded: room.is_recorded,
            open_removals: room.open_removals,
            offset: evidence.offset.filter(|_| room.is_created),
            result: evidence.result(room),
        });
        MemberCounts {
            meaning: evidence.meaning,
            offset: evidence.offset,
            requests,
            bytes,
            rooms: rooms.collect(),
            failure: self.failure.clone(),
        }
    }

    /// Returns the expected sizes and their neighbours, starting with the size that is expected
    /// for the most rooms.
    fn sizes_near(&self) -> Vec<u64> {
        let mut rooms: BTreeMap<u64, usize> = BTreeMap::new();
        for room in &self.answers.rooms {
            *rooms.entry(room.expected).or_default() += 1;
        }
        let mut expected: Vec<(u64, usize)> = rooms.into_iter().collect();
        expected.sort_by_key(|(size, rooms)| (Reverse(*rooms), *size));
        let sizes = expected.into_iter().flat_map(|(size, _)| near(size));
        let mut seen = BTreeSet::new();
        sizes.filter(|size| seen.insert(*size)).collect()
    }
}
