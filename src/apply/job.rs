//! The inputs of an apply: a plan, clients, a ledger and limits. Also records facts in the ledger,
//! and has the reasons to stop ([`Stop`]).

use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;

use super::control::Control;
use super::outcome::Status;
use crate::ledger::{Fact, LedgerError, Record};
use crate::plan::{Plan, RowFilter};

/// How long to wait for the ledger after the user's second interrupt.
const GRACE: Duration = Duration::from_millis(500);

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
            Some(Err(error)) => self.control.stop_for_ledger(&error),
            None => {}
        }
        Err(Stop::Run)
    }
}
