//! The state that all rooms share: the limiter, back-off jitter, and whether to stop.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tracing::info;

use super::limiter::Limiter;
use crate::imbachat::Dice;
use crate::ledger::LedgerError;

/// Why the run begins no more rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// The ledger cannot be written, so nothing may be sent.
    Ledger {
        /// Why, with a hint.
        reason: String,
        /// Whether the ledger disappeared or was replaced.
        is_lost: bool,
    },
    /// The server rejects the credentials. Every room would fail, and many failed logins may lock the account.
    Denied,
    /// A room failed, with fail-fast on.
    FailFast,
    /// The user interrupted the run.
    Interrupted,
}

/// What the user asks of a running apply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interrupt {
    /// Nothing.
    #[default]
    None,
    /// Finish the requests in flight, and start nothing else.
    Finish,
    /// Do not wait for their answers either.
    Stop,
}

/// State shared by all rooms of an apply.
#[derive(Debug)]
pub struct Control {
    /// Limits concurrency and rate.
    pub pace: Limiter,
    /// Jitter for back-off.
    pub dice: Dice,
    /// Whether to stop at the first failure.
    pub fail_fast: bool,
    /// How long to wait for a list that may lag behind the writes.
    pub patience: Patience,
    /// Number of calls that read the list again, including retries.
    pub(super) reads: Cell<u32>,
    interrupt: watch::Receiver<Interrupt>,
    halt: RefCell<Option<Halt>>,
}

impl Control {
    /// `interrupt` is the channel on which the user interrupts the run.
    pub fn new(
        pace: Limiter,
        dice: Dice,
        fail_fast: bool,
        patience: Patience,
        interrupt: watch::Receiver<Interrupt>,
    ) -> Self {
        Self {
            pace,
            dice,
            fail_fast,
            patience,
            reads: Cell::new(0),
            interrupt,
            halt: RefCell::new(None),
        }
    }

    /// Stops the run. The first reason wins.
    pub(super) fn stop(&self, reason: Halt) {
        let mut halt = self.halt.borrow_mut();
        if halt.is_none() {
            info!(?reason, "no writes to other rooms will begin");
            *halt = Some(reason);
        }
    }

    pub(super) fn stop_for_ledger(&self, error: &LedgerError) {
        self.stop(Halt::Ledger {
            reason: error.to_string(),
            is_lost: error.is_lost(),
        });
    }

    /// Why the run stops, if it does.
    pub(super) fn halted(&self) -> Option<Halt> {
        if *self.interrupt.borrow() >= Interrupt::Finish {
            self.stop(Halt::Interrupted);
        }
        self.halt.borrow().clone()
    }

    /// Waits. Returns false if the run is interrupted.
    pub(super) async fn pause(&self, delay: Duration) -> bool {
        self.unless_interrupted(tokio::time::sleep(delay))
            .await
            .is_some()
    }

    /// Runs work that may be cancelled; `None` if the run is interrupted.
    pub(super) async fn unless_interrupted<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.until(Interrupt::Finish, work).await
    }

    /// Waits for an answer; `None` if the user does not want to wait for it.
    pub(super) async fn unless_stopped<T>(&self, answer: impl Future<Output = T>) -> Option<T> {
        self.until(Interrupt::Stop, answer).await
    }

    async fn until<T>(&self, most: Interrupt, work: impl Future<Output = T>) -> Option<T> {
        let mut interrupt = self.interrupt.clone();
        let interrupted = async move {
            let seen = interrupt.wait_for(|asked| *asked >= most).await.is_ok();
            // A closed channel cannot interrupt any more.
            if !seen {
                std::future::pending::<()>().await;
            }
        };
        // Fixed order, so that a run can be replayed exactly.
        tokio::select! {
            biased;
            () = interrupted => None,
            done = work => Some(done),
        }
    }
}

/// The wait before the second read.
const FIRST: Duration = Duration::from_millis(250);
/// The longest wait between two reads.
const LONGEST: Duration = Duration::from_secs(4);

/// How long a run waits before it concludes that a write had no effect.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Timeout of a request. The server may still act on a request until this time has passed.
    pub timeout: Duration,
    /// How long the list may lag behind a write.
    pub verify: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let timeout = Duration::from_secs(30);
        Self {
            timeout,
            verify: timeout,
        }
    }
}

impl Patience {
    /// The age at which a run's claim of a create expires: the run sends the create within `verify`, and the server answers it
    /// within `timeout`.
    pub(super) fn claim(self) -> Duration {
        self.timeout + self.verify
    }

    /// How long a run waits at most for a room that another run has claimed.
    pub(super) fn other_run(self) -> Duration {
        (self.claim() + self.verify) * 2
    }
}

/// The waits between the reads of a list: 0.25 s, then twice as long each time, up to 4 s.
#[derive(Debug)]
pub struct Backoff {
    wait: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { wait: FIRST }
    }
}

impl Backoff {
    /// The next wait; `None` once the deadline has passed. The last read is at the deadline.
    pub fn next_wait(&mut self, until: Instant) -> Option<Duration> {
        let left = until.duration_since(Instant::now());
        let wait = self.wait.min(left);
        self.wait = (self.wait * 2).min(LONGEST);
        (!left.is_zero()).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_double_up_to_four_seconds_and_end_at_the_deadline() {
        let mut waits = Vec::new();
        let until = Instant::now() + Duration::from_secs(14);
        let mut backoff = Backoff::default();
        while let Some(wait) = backoff.next_wait(until) {
            waits.push(wait.as_millis());
            tokio::time::sleep(wait).await;
        }
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 4000, 2250]);
    }
}
