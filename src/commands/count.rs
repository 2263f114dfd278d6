//! `--count-members`: counts the members of rooms, before a plan and after an apply.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::apply::{Backoff, Outcome};
use crate::imbachat::{CountBudget, Dice, Reader};
use crate::model::{CountGap, CountResult, MemberCounts, Pipe, RoomCount, RoomId};
use crate::plan::{Countable, Counting, Inputs, NextSizes, RoomFilter, SizeAnswer, countable};

/// The limits of a count.
#[derive(Debug, Clone, Copy)]
pub struct CountLimits {
    pub requests: u64,
    pub bytes: u64,
    pub parallelism: usize,
}

/// Asks a server for the rooms of each size.
pub struct Counter {
    parallelism: usize,
    budget: Arc<CountBudget>,
    reader: Reader,
    dice: Arc<Dice>,
}

impl Counter {
    pub fn new(limits: CountLimits, reader: &Reader, dice: Dice) -> Self {
        Self {
            parallelism: limits.parallelism,
            budget: Arc::new(CountBudget::new(limits.requests, limits.bytes)),
            reader: reader.clone(),
            dice: Arc::new(dice),
        }
    }

    /// Asks until everything is known, or the budget is spent.
    pub async fn finish(&self, mut counting: Counting) -> MemberCounts {
        let budget = &self.budget;
        let wanted: Arc<BTreeSet<RoomId>> = Arc::new(counting.wanted().collect());
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
            for (size, answer) in self.ask(sizes, &wanted).await {
                counting.record(size, answer);
            }
            if let NextSizes::First(size) = next {
                // Keep enough of the budget for the same request at the end. Without that answer, the others prove nothing.
                reserved = budget.spent().1 - before;
                if !budget.reserve(reserved) {
                    counting.record(size, Ok(None));
                }
            }
        }
        let (requests, bytes) = budget.spent();
        counting.finish(requests, bytes)
    }

    /// Asks for sizes, several at a time.
    async fn ask(&self, sizes: Vec<u64>, wanted: &Arc<BTreeSet<RoomId>>) -> Vec<(u64, SizeAnswer)> {
        let (mut sizes, mut answers) = (sizes.into_iter(), Vec::new());
        let mut running = JoinSet::new();
        loop {
            while running.len() < self.parallelism
                && let Some(size) = sizes.next()
            {
                let (reader, dice) = (self.reader.clone(), Arc::clone(&self.dice));
                let (wanted, budget) = (Arc::clone(wanted), Arc::clone(&self.budget));
                running.spawn(async move {
                    let is_wanted = |room| wanted.contains(&room);
                    let answer = reader
                        .rooms_with_size(size, is_wanted, &budget, &dice)
                        .await;
                    let answer = answer.map_err(|failure| failure.message);
                    (size, answer)
                });
            }
            let Some(joined) = running.join_next().await else {
                return answers;
            };
            // Tasks are never cancelled. A panic in a task is a bug, so propagate it.
            let answer =
                joined.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
            answers.push(answer);
        }
    }

    /// Counts the rooms after an apply. Rooms that got members and have fewer than known are counted again, for as long as the list
    /// may lag.
    pub async fn count_again(
        &self,
        inputs: Inputs<'_>,
        only: &RoomFilter,
        outcome: &Outcome,
        patience: Duration,
    ) -> MemberCounts {
        let (mut backoff, until) = (Backoff::default(), Instant::now() + patience);
        let written = outcome.rooms.iter().filter(|room| room.members > 0);
        let written: BTreeSet<&Pipe> = written.map(|room| &room.pipe).collect();
        let all = countable(inputs, only);
        let mut counts = self.finish(Counting::new(all.clone())).await;
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
            let wait = (!late.is_empty())
                .then(|| backoff.next_wait(until))
                .flatten();
            let Some(wait) = wait else {
                return counts;
            };
            tokio::time::sleep(wait).await;
            let counting = Counting::new(late).with_offset(counts.offset);
            let newer = self.finish(counting).await;
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
