//! Lists the rooms that have a given number of users, within a budget of requests and bytes.

use std::cell::Cell;

use super::read::{Query, Reader};
use super::retry::{Call, Dice, Failure, sleep, with_retries};
use super::wire::{self, BadAnswer};
use crate::model::{Listing, RoomId};

const SPENT: &str = "the budget for counting is spent";

/// A limit on the requests and bytes for counting members, and how much of it is used.
#[derive(Debug)]
pub struct CountBudget {
    most: Cell<(u64, u64)>,
    spent: Cell<(u64, u64)>,
}

impl CountBudget {
    /// Creates a budget with a number of requests and a number of bytes.
    pub fn new(requests: u64, bytes: u64) -> Self {
        Self {
            most: Cell::new((requests, bytes)),
            spent: Cell::default(),
        }
    }

    /// Returns the number of requests sent, and the size in bytes of the rows received.
    pub fn spent(&self) -> (u64, u64) {
        self.spent.get()
    }

    /// Reserves one request and this many bytes. Returns false if too little of the budget is left.
    pub fn reserve(&self, bytes: u64) -> bool {
        let ((requests, spent), most) = (self.spent.get(), self.most.get());
        let fits = requests < most.0 && spent + bytes <= most.1;
        if fits {
            self.most.set((most.0 - 1, most.1 - bytes));
        }
        fits
    }

    /// Gives one reserved request and this many bytes back to the budget.
    pub fn release(&self, bytes: u64) {
        let ((_, spent), most) = (self.spent.get(), self.most.get());
        // Answers that were cut off may have used slightly more bytes than the budget allowed.
        self.most.set((most.0 + 1, most.1.max(spent) + bytes));
    }

    fn spend(&self, requests: u64, bytes: u64) {
        let spent = self.spent.get();
        self.spent.set((spent.0 + requests, spent.1 + bytes));
    }

    fn is_spent(&self) -> bool {
        self.spent.get().0 >= self.most.get().0 || self.is_over()
    }

    fn is_over(&self) -> bool {
        self.spent.get().1 > self.most.get().1
    }
}

impl Reader {
    /// Lists the rooms of one size with the filter `count_users`. Returns the number of all
    /// rows that the filter finds, but only the ids of those rooms that are live and for which
    /// `is_wanted` is true. Returns `None` if the budget runs out.
    ///
    /// # Errors
    /// Returns a [`Failure`] if the list cannot be read.
    pub async fn rooms_with_size(
        &self,
        size: u64,
        is_wanted: impl Fn(RoomId) -> bool,
        budget: &CountBudget,
        dice: &Dice,
    ) -> Result<Option<(usize, Vec<RoomId>)>, Failure> {
        let query = Query {
            filters: vec![("count_users", size.to_string())],
            ..Query::all(Listing::Rooms)
        };
        let read = || async {
            if budget.is_spent() {
                return Err(Failure::not_sent(SPENT));
            }
            budget.spend(1, 0);
            let (mut rows, mut found) = (0, Vec::new());
            let take = &mut |row: &[u8]| {
                budget.spend(0, row.len() as u64);
                if budget.is_over() {
                    return Err(BadAnswer::TooLarge(SPENT.to_owned()));
                }
                let room = wire::row(row)?;
                rows += 1;
                if !room.deleted && is_wanted(room.id) {
                    found.push(room.id);
                }
                Ok(())
            };
            self.rows_once(&query, take).await?;
            Ok((rows, found))
        };
        match with_retries(Call::List, dice, sleep, read).await {
            Err(_) if budget.is_spent() => Ok(None),
            answer => answer.map(Some),
        }
    }
}
