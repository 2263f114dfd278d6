//! `--count-members` counts the members of rooms, before a plan and after an apply.
//! `--check-users` checks whether the widget knows the declared members.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;

use crate::apply::{Backoff, Outcome};
use crate::error::Result;
use crate::imbachat::{CountBudget, Dice, Reader};
use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::{Loaded, UserIssue};
use crate::model::{CountGap, CountResult, MemberCounts, Pipe, RoomCount, RoomId, UserId};
use crate::plan::{Countable, Counting, NextSizes};

/// The budget of a count, and how many requests run at the same time.
#[derive(Debug, Clone, Copy)]
pub struct CountLimits {
    pub requests: u64,
    pub bytes: u64,
    pub parallelism: usize,
}

impl CountLimits {
    /// Counts the members of the rooms.
    pub async fn count(self, reader: &Reader, counting: Counting) -> MemberCounts {
        let budget = CountBudget::new(self.requests, self.bytes);
        self.count_within(&budget, reader, counting).await
    }

    /// Requests the rooms of each size (number of members), several sizes at a time, until all
    /// counts are known or the budget is spent.
    async fn count_within(
        self,
        budget: &CountBudget,
        reader: &Reader,
        mut counting: Counting,
    ) -> MemberCounts {
        let dice = Dice::random();
        let wanted: BTreeSet<RoomId> = counting.wanted().collect();
        let is_wanted = |room| wanted.contains(&room);
        let ask = async |size| {
            let answer = reader.rooms_with_size(size, is_wanted, budget, &dice);
            (size, answer.await.map_err(|failure| failure.message))
        };
        let mut reserved = 0;
        loop {
            let next = counting.next_sizes();
            let sizes = match &next {
                NextSizes::Ask(sizes) => sizes.clone(),
                NextSizes::First(size) => vec![*size],
                NextSizes::Again(size) => {
                    budget.release(reserved);
                    vec![*size]
                }
                NextSizes::Done => break,
            };
            let (_, before) = budget.spent();
            let asked = stream::iter(sizes.into_iter().map(&ask));
            let mut answers = asked.buffer_unordered(self.parallelism);
            while let Some((size, answer)) = answers.next().await {
                counting.record(size, answer);
            }
            if let NextSizes::First(size) = next {
                // Reserve enough of the budget to repeat this request at the end. If the two
                // answers differ, the rooms have changed in the meantime.
                reserved = budget.spent().1 - before;
                if !budget.reserve(reserved) {
                    counting.record(size, Ok(None));
                }
            }
        }
        let (requests, bytes) = budget.spent();
        counting.finish(requests, bytes)
    }

    /// Counts the rooms after an apply. If a room got members and its count is below the number
    /// of its known members, the list may lag. Such a room is counted again, for at most
    /// `patience`.
    pub async fn count_again(
        self,
        reader: &Reader,
        all: Vec<Countable>,
        outcome: &Outcome,
        patience: Duration,
    ) -> MemberCounts {
        let (mut backoff, until) = (Backoff::default(), Instant::now() + patience);
        let written = outcome.rooms.iter().filter(|room| room.members > 0);
        let written: BTreeSet<&Pipe> = written.map(|room| &room.pipe).collect();
        let budget = CountBudget::new(self.requests, self.bytes);
        let first = Counting::new(all.clone());
        let mut counts = self.count_within(&budget, reader, first).await;
        loop {
            let is_late = |room: &&Countable| {
                let counted = counts.room(&room.pipe);
                let is_missing = |counted: &RoomCount| {
                    let is_unseen = counted.result == CountResult::Unknown(CountGap::NoneFound);
                    is_unseen || counted.is_short()
                };
                written.contains(&room.pipe) && counted.is_some_and(is_missing)
            };
            let late: Vec<Countable> = all.iter().filter(is_late).cloned().collect();
            let wait = backoff.next_wait(until).filter(|_| !late.is_empty());
            let Some(wait) = wait else {
                return counts;
            };
            tokio::time::sleep(wait).await;
            let counting = Counting::new(late).with_offset(counts.offset);
            let newer = self.count_within(&budget, reader, counting).await;
            (counts.requests, counts.bytes) = (newer.requests, newer.bytes);
            let is_known = |it: &&RoomCount| !matches!(it.result, CountResult::Unknown(_));
            let is_spent = |it: &RoomCount| it.result == CountResult::Unknown(CountGap::Budget);
            if newer.rooms.iter().all(is_spent) {
                return counts;
            }
            for room in &mut counts.rooms {
                if let Some(newer) = newer.room(&room.pipe).filter(is_known) {
                    room.clone_from(newer);
                }
            }
        }
    }
}

/// Warns about users who are declared members of the chosen rooms, if the widget does not know
/// them or has banned them.
pub async fn check_users(
    reader: &Reader,
    loaded: &Loaded,
    chosen: impl Fn(&Pipe) -> bool,
) -> Result<Vec<Diagnostic>> {
    let known = reader.users(false, &Dice::random()).await?;
    let mut banned = reader.users(true, &Dice::random()).await?;
    // A server that ignores the filter returns all users again.
    if banned.len() == known.len() {
        banned = BTreeSet::new();
    }
    let is_unknown = |user: &UserId| !known.contains(user);
    let mut warnings = loaded.warn_of_users(UserIssue::Unknown, is_unknown, &chosen);
    let is_banned = |user: &UserId| banned.contains(user);
    warnings.extend(loaded.warn_of_users(UserIssue::Banned, is_banned, &chosen));
    Ok(warnings)
}
