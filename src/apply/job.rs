//! What an apply works with.

use std::sync::Arc;

use super::control::{Control, Halt};
use crate::ledger::{Fact, Record};
use crate::plan::{Plan, RowFilter};

/// What an apply works with.
#[derive(Debug)]
pub struct Job<'a, R, W, L> {
    /// What is to be done.
    pub plan: &'a Plan,
    /// Which rooms of the list matter.
    pub filter: RowFilter<'a>,
    /// Reads the list again.
    pub reader: &'a R,
    /// Writes.
    pub writer: Arc<W>,
    /// Remembers.
    pub ledger: Arc<L>,
    /// Pace, dice, and whether to stop.
    pub control: Arc<Control>,
}

impl<R, W, L: Record> Job<'_, R, W, L> {
    /// Writes facts down. False if the ledger cannot be written, which ends the run.
    pub(super) async fn record(&self, facts: Vec<Fact>) -> bool {
        if !facts.is_empty()
            && let Err(error) = self.ledger.append(facts).await
        {
            self.control.stop(Halt::Ledger(error.to_string()));
            return false;
        }
        true
    }
}
