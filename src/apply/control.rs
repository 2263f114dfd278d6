//! State shared by all rooms of an apply: the limiter, back-off jitter, and whether to stop.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use tokio::sync::watch;
use tracing::info;

use super::limiter::Limiter;
use super::patience::Patience;
use crate::imbachat::Dice;
use crate::ledger::LedgerError;

/// Why the run does not begin writes to any more rooms.
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
    /// Do not wait for the answers either.
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
    /// Calls that read the list again, repeated ones included.
    pub(super) reads: AtomicU32,
    interrupt: watch::Receiver<Interrupt>,
    halt: Mutex<Option<Halt>>,
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
            reads: AtomicU32::new(0),
            interrupt,
            halt: Mutex::new(None),
        }
    }

    /// Stops the run. The first reason wins.
    pub(super) fn stop(&self, reason: Halt) {
        let mut halt = self.halt.lock().unwrap_or_else(PoisonError::into_inner);
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
        self.halt
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
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
