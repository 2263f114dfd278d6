//! The inputs of an apply ([`Job`]), and the state that all its rooms share ([`Control`]): limits,
//! random numbers, the interrupt, and the reason to stop.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tracing::info;

use super::limiter::Limiter;
use super::outcome::{Halt, Status};
use crate::imbachat::Dice;
use crate::ledger::{Fact, LedgerError, Record};
use crate::plan::{Plan, RowFilter};

/// How long to wait for the ledger after the user's second interrupt.
const GRACE: Duration = Duration::from_millis(500);
/// The wait before the second read.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait between two reads.
const LONGEST_WAIT: Duration = Duration::from_secs(4);

/// The inputs of an apply.
#[derive(Debug)]
pub struct Job<'a, R, W, L> {
    /// The plan to apply.
    pub plan: &'a Plan,
    /// Selects the rows of the list that the plan is about.
    pub filter: RowFilter<'a>,
    /// The client that reads the list after the writes.
    pub reader: &'a R,
    /// The client that writes rooms and sends welcomes.
    pub writer: &'a W,
    /// The ledger that records facts.
    pub ledger: &'a L,
    /// The limiter, the random numbers, and the interrupt.
    pub control: Control,
}

/// Why the work on a room ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// Only the work on this room ends, and the room gets this status. The run continues with
    /// the other rooms.
    Room(Status),
    /// The ledger failed or the run ended. Nothing more may be sent.
    Run,
}

impl<R, W, L: Record> Job<'_, R, W, L> {
    /// Records facts. Ends the run if the ledger cannot be written.
    pub(super) async fn record(&self, facts: Vec<Fact>) -> Result<(), Stop> {
        match facts.is_empty() {
            true => Ok(()),
            false => self.recorded(self.ledger.append(facts)).await,
        }
    }

    /// Waits until the ledger has recorded facts or a claim. Fails if the ledger fails, or takes
    /// longer than [`GRACE`] after the user's second interrupt.
    pub(super) async fn recorded<T>(
        &self,
        recording: impl Future<Output = Result<T, LedgerError>>,
    ) -> Result<T, Stop> {
        let mut recording = pin!(recording);
        let waiting = self.control.unless_stopped(&mut recording).await;
        let recorded = match waiting {
            Some(recorded) => Some(recorded),
            None => timeout(GRACE, recording).await.ok(),
        };
        match recorded {
            Some(Ok(answer)) => return Ok(answer),
            Some(Err(error)) => self.control.stop(Halt::Ledger {
                reason: error.to_string(),
                is_lost: error.is_lost(),
            }),
            None => {}
        }
        Err(Stop::Run)
    }
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
        self.unless(Interrupt::Finish, work).await
    }

    /// Waits for an answer. Returns `None` if the user stops the run without waiting for answers.
    pub(super) async fn unless_stopped<T>(&self, answer: impl Future<Output = T>) -> Option<T> {
        self.unless(Interrupt::Stop, answer).await
    }

    async fn unless<T>(&self, least: Interrupt, work: impl Future<Output = T>) -> Option<T> {
        let mut interrupt = self.interrupt.clone();
        let interrupted = async move {
            let seen = interrupt.wait_for(|asked| *asked >= least).await.is_ok();
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
        Self { wait: FIRST_WAIT }
    }
}

impl Backoff {
    /// Returns the time to wait before the next read; `None` once `until` has passed. The last wait
    /// ends at `until`.
    pub fn next_wait(&mut self, until: Instant) -> Option<Duration> {
        let left = until.duration_since(Instant::now());
        let wait = self.wait.min(left);
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
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
