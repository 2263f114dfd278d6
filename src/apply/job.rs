//! What an apply works with.

use std::sync::Arc;

use super::control::Control;
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
