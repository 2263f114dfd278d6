//! What all rooms of an apply share: the pace, the dice for back-off, and whether to stop.

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
    /// The ledger cannot be written; nothing may be sent any more.
    Ledger(String),
    /// The server does not accept who we are. Every room would fail alike, and so many failed logins may lock an account.
    Denied,
    /// A room failed, and that was to be the end.
    FailFast,
    /// Somebody interrupted the run.
    Interrupted,
}

/// The controls of one apply.
#[derive(Debug)]
pub struct Control {
    /// How much at once.
    pub pace: Limiter,
    /// Back-off, so that many who wait do not come back together.
    pub dice: Dice,
    /// Whether the first failure is the end.
    pub fail_fast: bool,
    /// Calls that read the list again, repeated ones included.
    pub(super) reads: AtomicU32,
    interrupt: watch::Receiver<bool>,
    halt: Mutex<Option<Halt>>,
}

impl Control {
    /// Controls with a pace, dice, and a channel that turns true to interrupt.
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

    /// Stops the run; the first reason counts.
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

    /// Waits; false if the run was interrupted meanwhile.
    pub(super) async fn pause(&self, delay: Duration) -> bool {
        self.unless_interrupted(tokio::time::sleep(delay))
            .await
            .is_some()
    }

    /// Does something that may be dropped half way; `None` if the run was interrupted meanwhile.
    pub(super) async fn unless_interrupted<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut interrupt = self.interrupt.clone();
        let interrupted = async move {
            let seen = interrupt.wait_for(|interrupted| *interrupted).await.is_ok();
            // A channel whose sender is gone can interrupt no more.
            if !seen {
                std::future::pending::<()>().await;
            }
        };
        // In this order, so that a run can be replayed to the letter.
        tokio::select! {
            biased;
            () = interrupted => None,
            done = work => Some(done),
        }
    }
}
