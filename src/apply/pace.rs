//! How much is sent at once, and how fast: a width that gives way when the server does, and recovers.
//!
//! Main type: [`Pace`]. Additive up with every good answer, multiplicative down on a push-back or when answers become slow.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

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

/// The pace of one apply.
#[derive(Debug)]
pub struct Pace {
    most: f64,
    interval: Option<Duration>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    width: f64,
    fastest: Option<Duration>,
    slow: u32,
    /// No second step down before this: answers under way were sent at the old width.
    steady_from: Instant,
    next: Instant,
}

impl Pace {
    /// At most so many rooms at once, and so many requests a second. A rate that is none (zero, negative, no number) is the
    /// slowest: one a day.
    pub fn new(most: usize, rate: Option<f64>) -> Self {
        let now = Instant::now();
        let interval = rate.map(|rate| {
            Duration::try_from_secs_f64(1.0 / rate).map_or(LONGEST, |pause| pause.min(LONGEST))
        });
        let state = State {
            width: most as f64,
            fastest: None,
            slow: 0,
            steady_from: now,
            next: now,
        };
        Self {
            most: most as f64,
            interval,
            state: Mutex::new(state),
        }
    }

    /// How many rooms may be under way now; at least one.
    pub fn width(&self) -> usize {
        self.with(|state| state.width as usize).max(1)
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
        });
    }

    /// The server asked to come back later, or failed.
    pub(super) fn pushed_back(&self) {
        self.with(|state| state.step_down(PUSHED_BACK));
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        // Nothing in here panics half way through a change.
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn step_down(&mut self, to: f64) {
        let now = Instant::now();
        if now >= self.steady_from {
            self.width = (self.width * to).max(1.0);
            self.steady_from = now + self.fastest.unwrap_or_default() * 2 + SOME;
            info!(
                width = self.width as u64,
                "the server needs more time: fewer rooms at once"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_width_halves_on_a_push_back_and_recovers_by_about_one_a_round() {
        let pace = Pace::new(8, None);
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
        let pace = Pace::new(8, None);
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

    #[tokio::test(start_paused = true)]
    async fn turns_come_at_the_rate() {
        let pace = Pace::new(8, Some(20.0));
        let start = Instant::now();
        for _ in 0..=40 {
            pace.turn().await;
        }
        assert_eq!((Instant::now() - start).as_millis(), 2000);
    }
}
