//! Limits concurrency and request rate. The concurrency limit drops when the server pushes
//! back, and then recovers.
//!
//! Main type: [`Limiter`]. The limit follows AIMD: it grows by addition with every good answer,
//! and shrinks by multiplication when the server pushes back or becomes slow. A room holds no
//! [`Permit`] while it only waits for the ledger to be written to disk.

use std::cell::RefCell;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use tracing::info;

/// The limit is multiplied by this factor when the server pushes back.
const PUSHED_BACK: f64 = 0.5;
/// The limit is multiplied by this factor when answers become slow.
const SLOWED: f64 = 0.75;
/// An answer is slow if it takes longer than this multiple of the fastest answer, plus [`MARGIN`].
const SLOW: u32 = 4;
/// Added to the multiple of the fastest answer's time, because that time may be close to zero.
const MARGIN: Duration = Duration::from_millis(50);
/// Maximum time between two requests. An invalid rate also gives this time.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// This many slow answers in a row lower the limit.
const IN_A_ROW: u32 = 4;
/// Maximum number of rooms that are started beyond the concurrency limit.
const AHEAD: usize = 256;

/// Limits how many rooms an apply writes at once, and how many requests it sends per second.
#[derive(Debug)]
pub struct Limiter {
    most: f64,
    interval: Option<Duration>,
    places: Semaphore,
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    width: f64,
    /// Number of permits, including those in use. It may be above the limit, because a surplus
    /// permit in use is removed only when its room returns it.
    places: usize,
    /// Number of rooms that may be started beyond the limit.
    ahead: usize,
    fastest: Option<Duration>,
    slow: u32,
    /// The limit does not drop again before this time, because earlier answers may belong to
    /// requests that were sent under the old limit.
    steady_from: Instant,
    next: Instant,
}

impl Limiter {
    /// Sets the maximum number of concurrent rooms, and of requests per second. An invalid rate
    /// (zero, negative, NaN) becomes the lowest rate: one request per day.
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
            state: RefCell::new(state),
        }
    }

    /// Returns the current limit of concurrent rooms; at least one.
    pub fn width(&self) -> usize {
        self.state.borrow().width()
    }

    /// Returns how many rooms may be in progress: those being written, and those that start
    /// early. A room that starts early records its intent on disk before it gets a permit, so
    /// its first call need not wait for the disk. If the server is slow, few rooms start early:
    /// when the run ends, each room whose first call was not sent leaves an unused intent.
    pub(super) fn begun(&self) -> usize {
        let state = self.state.borrow();
        state.width() + state.ahead
    }

    /// Waits for a permit to write one more room. Permits are granted in the order of the requests.
    pub(super) async fn acquire(&self) -> Permit<'_> {
        Permit {
            // The call fails only on a closed semaphore, and this semaphore is never closed.
            permit: self.places.acquire().await.ok(),
            limiter: self,
            since: Instant::now(),
        }
    }

    /// Lets more rooms start early, because a permit was free while no room was ready. The
    /// number of rooms that may start early grows by an eighth, plus one. This is fast enough
    /// to help short runs.
    pub(super) fn idle(&self) {
        let mut state = self.state.borrow_mut();
        state.ahead = (state.ahead + 1 + state.ahead / 8).min(AHEAD);
    }

    /// Waits until the rate limit allows the next request.
    pub(super) async fn turn(&self) {
        let Some(interval) = self.interval else {
            return;
        };
        let turn = self.state.borrow().next.max(Instant::now());
        self.state.borrow_mut().next = turn + interval;
        tokio::time::sleep_until(turn).await;
    }

    /// Records that the server gave a good answer, and how long it took.
    pub(super) fn answered(&self, took: Duration) {
        let mut state = self.state.borrow_mut();
        let fastest = state.fastest.map_or(took, |fastest| fastest.min(took));
        state.fastest = Some(fastest);
        state.slow = if took > fastest * SLOW + MARGIN {
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
    }

    /// Records that the server pushed back: it asked to retry later, or failed.
    pub(super) fn pushed_back(&self) {
        let mut state = self.state.borrow_mut();
        state.step_down(PUSHED_BACK);
        state.fit(&self.places);
    }
}

impl State {
    fn width(&self) -> usize {
        (self.width as usize).clamp(1, Semaphore::MAX_PERMITS)
    }

    /// Adjusts the number of permits to the limit. A surplus permit in use is removed when it is
    /// returned.
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
            self.steady_from = now + self.fastest.unwrap_or_default() * 2 + MARGIN;
            info!(
                width = self.width as u64,
                "the server is slow: writing fewer rooms at a time"
            );
        }
    }
}

/// Permission to write one room. Dropping it lets another room start.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    limiter: &'a Limiter,
    permit: Option<SemaphorePermit<'a>>,
    /// When the room got the permit.
    pub(super) since: Instant,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else {
            return;
        };
        let mut state = self.limiter.state.borrow_mut();
        if state.places > state.width() {
            state.places -= 1;
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
