//! The inputs of a plan, and its command-line options.

use std::collections::BTreeSet;

use super::filter::RoomFilter;
use crate::model::{Desired, Observed, Pipe, Recorded};

/// Command-line options of a plan.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// The selected rooms.
    pub only: RoomFilter,
    /// What is allowed beyond the manifest's limits.
    pub allow: Allow,
    /// Whether to resend fields that the server ignored.
    pub resend_ignored: bool,
    /// Whether to assume that declared members of existing rooms are present; if the rooms are counted, only where the count agrees.
    pub assume_members: bool,
}

/// The inputs of a plan.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The manifest.
    pub desired: &'a Desired,
    /// The server's list.
    pub observed: &'a Observed,
    /// The ledger.
    pub recorded: &'a Recorded,
}

/// What the command line allows beyond the manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allow {
    /// Closed rooms that may become public.
    pub publish: BTreeSet<Pipe>,
    /// Deleted or vanished rooms may be recreated.
    pub recreate: bool,
    /// Ignore all limits except the one on publishing.
    pub beyond_limits: bool,
}
