//! How much is sent at once, and how fast: a width that gives way when the server does, and recovers.
//!
//! Main type: [`Limiter`]. Additive up with every good answer, multiplicative down on a push-back or when answers become slow. Rooms
//! that only wait for the ledger's disk take no [`Permit`] of the width.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use tracing::info;

/// What is left of the width after the server pushed back.
const PUSHED_BACK: f64 = 0.5;
/// What is left of it after answers became slow.
const SLOWED: f64 = 0.75;
/// An answer is slow if it takes this many times the fastest, and then some.
const SLOW: u32 = 4;
const SOME: Duration = Duration::from_millis(50);
/// The longest between two requests, whatever the rate; also for a rate that is none.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// So many slow answers in a row are no accident.
const IN_A_ROW: u32 = 4;
/// The most rooms that are begun beyond the width.
const AHEAD: usize = 256;

/// Limits how many rooms one apply writes at once, and how many requests it sends a second.
#[derive(Debug)]
pub struct Limiter {
    most: f64,
    interval: Option<Duration>,
    places: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    width: f64,
    /// Places there are, taken ones included: the width, as far as those that are too many were given back.
    places: usize,
    /// Rooms that are begun beyond the width.
    ahead: usize,
    fastest: Option<Duration>,
    slow: u32,
    /// No second step down before this: answers under way were sent at the old width.
    steady_from: Instant,
    next: Instant,
}

impl Limiter {
    /// At most so many rooms at once, and so many requests a second. A rate that is none (zero, negative, no number) is the
    /// slowest: one a day.
    pub fn new(most: usize, rate: Option<f64>) -> Self {
        let now = Instant::now();
        let interval = rate.map(|rate| {
            Duration::try_from_secs_f64(1.0 / rate).map_or(LONGEST, |pause| pause.min(LONGEST))
        });
        let places = most.clamp(1, Semaphore::MAX_PERMITS);
        let state = State {
            width: most as f64,
            places,
            ahead: places.min(AHEAD),
            fastest: None,
            slow: 0,
            steady_from: now,
            next: now,
        };
        Self {
            most: most as f64,
            interval,
            places: Semaphore::new(places),
            state: Mutex::new(state),
        }
    }

    /// How many rooms may be written at a time now; at least one.
    pub fn width(&self) -> usize {
        self.with(|state| state.width())
    }

    /// How many rooms may be begun or not on record yet: those that are written, and so many more that these never have to wait
    /// for the disk. Few for a server that takes its time, since what was begun ahead is left as a mere intent when a run ends.
    pub(super) fn begun(&self) -> usize {
        self.with(|state| state.width() + state.ahead)
    }

    /// Waits until one more room may be written. Who asks first is first.
    pub(super) async fn acquire(&self) -> Permit<'_> {
        Permit {
            // There is no other error than that the semaphore was closed, which nobody does.
            permit: self.places.acquire().await.ok(),
            limiter: self,
            since: Instant::now(),
        }
    }

    /// A place lay idle, as the room that was to have it was not ready: more are to be begun, a share of those that are, or a
    /// short run would be over before they are enough.
    pub(super) fn idle(&self) {
        self.with(|state| state.ahead = (state.ahead + 1 + state.ahead / 8).min(AHEAD));
    }

    /// Waits for a request's turn, where there is a rate.
    pub(super) async fn turn(&self) {
        let Some(interval) = self.interval else {
            return;
        };
        let turn = self.with(|state| {
            let turn = state.next.max(Instant::now());
            state.next = turn + interval;
            turn
        });
        tokio::time::sleep_until(turn).await;
    }

    /// A good answer came after this long.
    pub(super) fn answered(&self, took: Duration) {
        self.with(|state| {
            let fastest = state.fastest.map_or(took, |fastest| fastest.min(took));
            state.fastest = Some(fastest);
            state.slow = if took > fastest * SLOW + SOME {
                state.slow + 1
            } else {
                0
            };
            if state.slow >= IN_A_ROW {
                state.slow = 0;
                state.step_down(SLOWED);
            } else {
                state.width = (state.width + 1.0 / state.width).min(self.most);
            }
            state.fit(&self.places);
        });
    }

    /// The server asked to come back later, or failed.
    pub(super) fn pushed_back(&self) {
        self.with(|state| {
            state.step_down(PUSHED_BACK);
            state.fit(&self.places);
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        // Nothing in here panics half way through a change.
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn width(&self) -> usize {
        (self.width as usize).clamp(1, Semaphore::MAX_PERMITS)
    }

    /// Makes places as many as the width, but for those that are taken: they go when they are given back.
    fn fit(&mut self, places: &Semaphore) {
        let width = self.width();
        if width > self.places {
            places.add_permits(width - self.places);
            self.places = width;
        } else {
            self.places -= places.forget_permits(self.places - width);
        }
    }

    fn step_down(&mut self, to: f64) {
        let now = Instant::now();
        if now >= self.steady_from {
            self.width = (self.width * to).max(1.0);
            self.steady_from = now + self.fastest.unwrap_or_default() * 2 + SOME;
            info!(
                width = self.width as u64,
                "the server is slow: writing fewer rooms at a time"
            );
        }
    }
}

/// Permission to write one room; dropping it lets another room start.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    limiter: &'a Limiter,
    permit: Option<SemaphorePermit<'a>>,
    /// When it was there.
    pub(super) since: Instant,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else {
            return;
        };
        let too_many = self.limiter.with(|state| {
            let too_many = state.places > state.width();
            state.places -= usize::from(too_many);
            too_many
        });
        if too_many {
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_width_halves_on_a_push_back_and_recovers_by_about_one_a_round() {
        let pace = Limiter::new(8, None);
        pace.answered(Duration::from_millis(10));
        assert_eq!(pace.width(), 8, "never above what was asked for");
        pace.pushed_back();
        pace.pushed_back();
        assert_eq!(pace.width(), 4, "a burst of push-backs is one");
        tokio::time::advance(Duration::from_secs(1)).await;
        for _ in 0..5 {
            tokio::time::advance(Duration::from_secs(1)).await;
            pace.pushed_back();
        }
        assert_eq!(pace.width(), 1, "and never below one");
        let mut answers = 0;
        while pace.width() < 8 {
            pace.answered(Duration::from_millis(10));
            answers += 1;
        }
        assert!(
            (28..=40).contains(&answers),
            "about 1 + 2 + … + 7: {answers}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn slow_answers_in_a_row_lower_the_width_single_ones_do_not() {
        let pace = Limiter::new(8, None);
        pace.answered(Duration::from_millis(10));
        for _ in 0..10 {
            pace.answered(Duration::from_millis(500));
            pace.answered(Duration::from_millis(10));
        }
        assert_eq!(pace.width(), 8);
        for _ in 0..4 {
            pace.answered(Duration::from_millis(500));
        }
        assert_eq!(pace.width(), 6);
    }

    /// How many places can be had at once.
    fn free(pace: &Limiter) -> usize {
        let permits: Vec<_> = std::iter::from_fn(|| pace.places.try_acquire().ok()).collect();
        permits.len()
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_as_many_places_as_the_width_says_and_taken_ones_go_last() {
        let pace = Limiter::new(4, None);
        let mut taken = Vec::new();
        for _ in 0..4 {
            taken.push(pace.acquire().await);
        }
        assert_eq!(free(&pace), 0);
        pace.pushed_back();
        assert_eq!(pace.width(), 2);
        taken.truncate(2);
        assert_eq!(free(&pace), 0, "two are taken, two were too many");
        taken.clear();
        assert_eq!(free(&pace), 2);
        while pace.width() < 4 {
            pace.answered(Duration::from_millis(10));
        }
        assert_eq!(free(&pace), 4);
    }

    #[test]
    fn more_rooms_are_begun_where_places_lie_idle_up_to_a_limit() {
        let pace = Limiter::new(4, None);
        assert_eq!(pace.begun(), 8);
        pace.idle();
        assert_eq!(pace.begun(), 9);
        pace.pushed_back();
        assert_eq!(pace.begun(), 7);
        (0..1000).for_each(|_| pace.idle());
        assert_eq!(pace.begun(), 2 + AHEAD);
    }

    #[tokio::test(start_paused = true)]
    async fn turns_come_at_the_rate() {
        let pace = Limiter::new(8, Some(20.0));
        let start = Instant::now();
        for _ in 0..=40 {
            pace.turn().await;
        }
        assert_eq!((Instant::now() - start).as_millis(), 2000);
    }
}
