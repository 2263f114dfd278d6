//! Limits concurrency and request rate. The concurrency limit drops when the server pushes back,
//! and then recovers.
//!
//! Main type: [`Limiter`]. It is AIMD: additive increase for every good answer, multiplicative decrease on push-back or slow answers.
//! Rooms that only wait for the ledger's disk hold no [`Permit`].

use std::cell::RefCell;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use tracing::info;

/// Factor for the limit when the server pushes back.
const PUSHED_BACK: f64 = 0.5;
/// Factor for the limit when answers become slow.
const SLOWED: f64 = 0.75;
/// An answer is slow if it takes about this many times as long as the fastest one.
const SLOW: u32 = 4;
/// Added to multiples of the fastest time, which may be close to zero.
const MARGIN: Duration = Duration::from_millis(50);
/// Maximum time between two requests. Also used for an invalid rate.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// The number of slow answers in a row that lowers the limit.
const IN_A_ROW: u32 = 4;
/// Maximum number of rooms begun beyond the limit.
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
    /// Number of permits, including those in use. It matches the limit once surplus permits are
    /// returned.
    places: usize,
    /// Rooms begun beyond the limit.
    ahead: usize,
    fastest: Option<Duration>,
    slow: u32,
    /// The limit does not drop again before this time: pending requests were sent under the old
    /// limit.
    steady_from: Instant,
    next: Instant,
}

impl Limiter {
    /// Sets the maximum number of concurrent rooms and of requests per second. An invalid rate (zero, negative, NaN) becomes the
    /// lowest rate: one request a day.
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

    /// The current limit of concurrent rooms; at least one.
    pub fn width(&self) -> usize {
        self.state.borrow().width()
    }

    /// Returns how many rooms may be begun: those being written, and enough others that writing
    /// never waits for the disk. A slow server needs few others, and each one leaves an unused
    /// intent if the run ends early.
    pub(super) fn begun(&self) -> usize {
        let state = self.state.borrow();
        state.width() + state.ahead
    }

    /// Waits for a permit to write one more room, first come, first served.
    pub(super) async fn acquire(&self) -> Permit<'_> {
        Permit {
            // The only error is a closed semaphore, and this one is never closed.
            permit: self.places.acquire().await.ok(),
            limiter: self,
            since: Instant::now(),
        }
    }

    /// Allows more rooms to be begun ahead, because a permit was idle while no room was ready. The
    /// number grows in proportion, so that short runs benefit too.
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

    /// Records a good answer and its duration.
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

    /// Records a push-back: the server asked to retry later, or failed.
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

    /// Adjusts the number of permits to the limit. Permits in use are removed when they are returned.
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
    /// When it was acquired.
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

    /// The number of free permits.
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
