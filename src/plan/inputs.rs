//! What a plan is computed from, and what the command line says about it.

use super::filter::RoomFilter;
use crate::model::{Desired, Observed, Recorded};

/// What the command line says about a plan.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// Which rooms it is about.
    pub only: RoomFilter,
    /// What is allowed beyond the manifest's limits.
    pub allow: Allow,
    /// Send fields again that the server ignored.
    pub resend_ignored: bool,
    /// Take declared members of existing rooms for present.
    pub assume_members: bool,
}

/// What a plan is computed from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The manifest.
    pub desired: &'a Desired,
    /// The list.
    pub observed: &'a Observed,
    /// The ledger.
    pub recorded: &'a Recorded,
}

/// What the command line allows beyond the manifest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allow {
    /// Closed rooms may become public.
    pub publish: bool,
    /// Rooms that are deleted or vanished may be created anew.
    pub recreate: bool,
    /// No limit holds, except that on publishing.
    pub beyond_limits: bool,
}
