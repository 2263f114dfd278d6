//! The inputs of an apply: a plan, clients, a ledger and limits.

use super::attempts::recorded;
use super::control::Control;
use crate::ledger::{Fact, Record};
use crate::plan::{Plan, RowFilter};

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

impl<R, W, L: Record> Job<'_, R, W, L> {
    /// Records facts. Returns false and ends the run if the ledger cannot be written.
    pub(super) async fn record(&self, facts: Vec<Fact>) -> bool {
        facts.is_empty()
            || recorded(&self.control, self.ledger.append(facts))
                .await
                .is_ok()
    }
}
