//! State shared by all rooms of an apply: the limiter, back-off jitter, and whether to stop.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use tokio::sync::watch;
use tracing::info;

use super::limiter::Limiter;
use crate::imbachat::Dice;

/// Why no more rooms are started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// The ledger cannot be written, so nothing may be sent.
    Ledger(String),
    /// The server rejects the credentials. Every room would fail, and many failed logins may lock the account.
    Denied,
    /// A room failed, with fail-fast on.
    FailFast,
    /// The user interrupted the run.
    Interrupted,
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
    /// Calls that read the list again, repeated ones included.
    pub(super) reads: AtomicU32,
    interrupt: watch::Receiver<bool>,
    halt: Mutex<Option<Halt>>,
}

impl Control {
    /// The channel turns true to interrupt the run.
    pub fn new(
        pace: Limiter,
        dice: Dice,
        fail_fast: bool,
        interrupt: watch::Receiver<bool>,
    ) -> Self {
        Self {
            pace,
            dice,
            fail_fast,
            reads: AtomicU32::new(0),
            interrupt,
            halt: Mutex::new(None),
        }
    }

    /// Stops the run. The first reason wins.
    pub(super) fn stop(&self, reason: Halt) {
        let mut halt = self.halt.lock().unwrap_or_else(PoisonError::into_inner);
        if halt.is_none() {
            info!(?reason, "no more rooms are started");
            *halt = Some(reason);
        }
    }

    /// Why the run stops, if it does.
    pub(super) fn halted(&self) -> Option<Halt> {
        if *self.interrupt.borrow() {
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
        let mut interrupt = self.interrupt.clone();
        let interrupted = async move {
            let seen = interrupt.wait_for(|interrupted| *interrupted).await.is_ok();
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
