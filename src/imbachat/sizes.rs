//! Lists of the rooms that have a number of users, within a budget.

use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};

use super::failure::{Call, Delivery, Failure};
use super::read::{Query, Reader};
use super::retry::{Dice, with_retries};
use super::wire::{self, Bad};
use crate::model::{Listing, RoomId};

const SPENT: &str = "the budget for counting is spent";

/// The requests and bytes that counting may still cost, and what it has cost.
#[derive(Debug)]
pub struct CountBudget {
    max_requests: AtomicU64,
    max_bytes: AtomicU64,
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl CountBudget {
    /// Creates a budget of requests and bytes.
    pub fn new(requests: u64, bytes: u64) -> Self {
        Self {
            max_requests: requests.into(),
            max_bytes: bytes.into(),
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// Returns the requests sent, and the size of the rows received.
    pub fn spent(&self) -> (u64, u64) {
        let spent = [&self.requests, &self.bytes].map(|it| it.load(Ordering::Relaxed));
        spent.into()
    }

    /// Sets one request and these bytes aside. Returns false if they are not left.
    pub fn reserve(&self, bytes: u64) -> bool {
        let (requests, spent) = self.spent();
        let (max_requests, max_bytes) = (&self.max_requests, &self.max_bytes);
        let fits = requests < max_requests.load(Ordering::Relaxed)
            && spent + bytes <= max_bytes.load(Ordering::Relaxed);
        if fits {
            max_requests.fetch_sub(1, Ordering::Relaxed);
            max_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        fits
    }

    /// Returns a reserved request and these bytes to the budget.
    pub fn release(&self, bytes: u64) {
        self.max_requests.fetch_add(1, Ordering::Relaxed);
        // Answers that were cut have passed the limit by a few rows.
        let (_, spent) = self.spent();
        self.max_bytes.fetch_max(spent, Ordering::Relaxed);
        self.max_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn is_spent(&self) -> bool {
        let (requests, bytes) = self.spent();
        requests >= self.max_requests.load(Ordering::Relaxed)
            || bytes > self.max_bytes.load(Ordering::Relaxed)
    }
}

impl Reader {
    /// Lists the rooms that the filter `count_users` finds for a size: the number of rows, and the live rooms among them that are
    /// wanted. `None` if the budget runs out first.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn rooms_with_size(
        &self,
        size: u64,
        is_wanted: impl Fn(RoomId) -> bool + Sync,
        budget: &CountBudget,
        dice: &Dice,
    ) -> Result<Option<(usize, Vec<RoomId>)>, Failure> {
        let query = Query {
            filters: vec![("count_users", size.to_string())],
            ..Query::all(Listing::Rooms)
        };
        let read = || async {
            if budget.is_spent() {
                return Err(Failure::lasting(Delivery::NotSent, SPENT));
            }
            budget.requests.fetch_add(1, Ordering::Relaxed);
            let (mut rows, mut found) = (0, Vec::new());
            let take = &mut |row: &[u8]| {
                budget.bytes.fetch_add(row.len() as u64, Ordering::Relaxed);
                if budget.bytes.load(Ordering::Relaxed) > budget.max_bytes.load(Ordering::Relaxed) {
                    return Err(Bad::TooLarge(SPENT.to_owned()));
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
        match with_retries(Call::List, dice, pending(), read).await {
            Err(_) if budget.is_spent() => Ok(None),
            answer => answer.map(Some),
        }
    }
}
