//! The state that all rooms of an apply share: limits, random numbers, the interrupt, and the
//! reason to stop.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tracing::info;

use super::limiter::Limiter;
use crate::imbachat::Dice;
use crate::ledger::LedgerError;

/// Why the run ends early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// The ledger cannot be written, so nothing may be sent.
    Ledger {
        /// The error message, with a hint.
        reason: String,
        /// Whether the ledger disappeared or was replaced.
        is_lost: bool,
    },
    /// The server rejects the credentials. Every room would fail, and many failed logins may lock the account.
    Denied,
    /// A room failed, and the run has fail-fast on.
    FailFast,
    /// The user interrupted the run.
    Interrupted,
}

/// What the user asks a running apply to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interrupt {
    /// Continue.
    #[default]
    None,
    /// Finish the requests that are already sent, and send no others.
    Finish,
    /// Stop without waiting for answers to the requests that are already sent.
    Stop,
}

/// State shared by all rooms of an apply.
#[derive(Debug)]
pub struct Control {
    /// Limits concurrent rooms and requests per second.
    pub pace: Limiter,
    /// The random numbers for back-off.
    pub dice: Dice,
    /// Whether the first failure ends the run.
    pub fail_fast: bool,
    /// How long to wait for answers, and for a list that may lag behind the writes.
    pub patience: Patience,
    /// The number of calls that read the list again, including retries.
    pub(super) reads: Cell<u32>,
    interrupt: watch::Receiver<Interrupt>,
    halt: RefCell<Option<Halt>>,
}

impl Control {
    /// Creates the state. `interrupt` is the channel on which the user interrupts the run.
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

    /// Ends the run early. Only the first reason is kept.
    pub(super) fn stop(&self, reason: Halt) {
        let mut halt = self.halt.borrow_mut();
        if halt.is_none() {
            info!(
                ?reason,
                "the run is ending early: it will not start writing to more rooms"
            );
            *halt = Some(reason);
        }
    }

    pub(super) fn stop_for_ledger(&self, error: &LedgerError) {
        self.stop(Halt::Ledger {
            reason: error.to_string(),
            is_lost: error.is_lost(),
        });
    }

    /// Returns why the run ends early; `None` if it continues.
    pub(super) fn halted(&self) -> Option<Halt> {
        if *self.interrupt.borrow() >= Interrupt::Finish {
            self.stop(Halt::Interrupted);
        }
        self.halt.borrow().clone()
    }

    /// Waits. Returns false if the user interrupts the run.
    pub(super) async fn pause(&self, delay: Duration) -> bool {
        self.unless_interrupted(tokio::time::sleep(delay))
            .await
            .is_some()
    }

    /// Runs work that may be cancelled. Returns `None` if the user interrupts the run.
    pub(super) async fn unless_interrupted<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.until(Interrupt::Finish, work).await
    }

    /// Waits for an answer. Returns `None` if the user stops the run without waiting for answers.
    pub(super) async fn unless_stopped<T>(&self, answer: impl Future<Output = T>) -> Option<T> {
        self.until(Interrupt::Stop, answer).await
    }

    async fn until<T>(&self, most: Interrupt, work: impl Future<Output = T>) -> Option<T> {
        let mut interrupt = self.interrupt.clone();
        let interrupted = async move {
            let seen = interrupt.wait_for(|asked| *asked >= most).await.is_ok();
            // If the channel is closed, no interrupt can arrive, so never finish.
            if !seen {
                std::future::pending::<()>().await;
            }
        };
        // Poll in a fixed order, so that a test can replay a run exactly.
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
    /// The age at which a run's claim of a create expires. The run sends the create at most
    /// `verify` after the claim, and the server answers at most `timeout` after that.
    pub(super) fn claim(self) -> Duration {
        self.timeout + self.verify
    }

    /// The longest time to wait for a room that another run has claimed.
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
    /// Returns the time to wait before the next read; `None` once `until` has passed. The last wait
    /// ends at `until`.
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
