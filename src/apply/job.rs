//! The inputs of an apply.

use super::attempts::recorded;
use super::control::Control;
use crate::ledger::{Fact, Record};
use crate::plan::{Plan, RowFilter};

/// The inputs of an apply.
#[derive(Debug)]
pub struct Job<'a, R, W, L> {
    /// The plan to apply.
    pub plan: &'a Plan,
    /// Which rows of the list matter.
    pub filter: RowFilter<'a>,
    /// Reads the list after the writes.
    pub reader: &'a R,
    /// Writes rooms.
    pub writer: &'a W,
    /// Records facts.
    pub ledger: &'a L,
    /// The limiter, jitter, and whether to stop.
    pub control: Control,
}

impl<R, W, L: Record> Job<'_, R, W, L> {
    /// Records facts. Returns false if the ledger cannot be written; the run then ends.
    pub(super) async fn record(&self, facts: Vec<Fact>) -> bool {
        facts.is_empty()
            || recorded(&self.control, self.ledger.append(facts))
                .await
                .is_ok()
    }
}
