//! The guards: how much a plan may do before a person has to say so.

use super::change::{Change, Plan, Refusal};
use crate::model::{Desired, Limit};

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

/// Which guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LimitKind {
    /// Rooms created.
    Create,
    /// Rooms whose fields change.
    Update,
    /// Members sent.
    AddMembers,
    /// Closed rooms that become public.
    Publish,
}

impl LimitKind {
    /// The guard's key under `limits`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::AddMembers => "add_members",
            Self::Publish => "publish",
        }
    }
}

/// Everything that refuses the plan, most dangerous first. There is no size below which nothing is checked.
pub(super) fn refusals(plan: &Plan, desired: &Desired, allow: &Allow) -> Vec<Refusal> {
    let (limits, summary) = (&desired.limits, &plan.summary);
    let (rooms, memberships) = (desired.rooms.len(), desired.memberships());
    let publish = limits
        .publish
        .or(Some(Limit::Count(0)))
        .filter(|_| !allow.publish);
    let unless = |limit: Option<Limit>| limit.filter(|_| !allow.beyond_limits);
    let sent = summary.members + summary.unverified.members;
    [
        (LimitKind::Publish, publish, summary.publish, rooms),
        (
            LimitKind::Create,
            unless(limits.create),
            summary.create,
            rooms,
        ),
        (
            LimitKind::Update,
            unless(limits.update),
            summary.update,
            rooms,
        ),
        (
            LimitKind::AddMembers,
            unless(limits.add_members),
            sent,
            memberships,
        ),
    ]
    .into_iter()
    .filter_map(|(kind, limit, count, of)| refusal(plan, kind, limit?, count as u64, of as u64))
    .collect()
}

/// A changed prefix looks like this: most rooms on record leave the manifest, and as many come.
pub(super) fn mass_change(plan: &Plan, known: usize, allow: &Allow) -> Option<Refusal> {
    let (created, left) = (plan.summary.create, plan.undeclared.len());
    let suspicious = created.min(left) * 2 > known && known > 0;
    (suspicious && !allow.beyond_limits).then_some(Refusal::MassChange {
        created: created as u64,
        left: left as u64,
        known: known as u64,
    })
}

fn refusal(plan: &Plan, kind: LimitKind, limit: Limit, count: u64, of: u64) -> Option<Refusal> {
    let (allowed, share) = match limit {
        Limit::Count(allowed) => (allowed, None),
        Limit::Share(share) => (share.saturating_mul(of) / 10_000, Some(share)),
    };
    let concerned = |change: &&Change| kind == LimitKind::Publish && change.publishes();
    (count > allowed).then(|| Refusal::Limit {
        kind,
        count,
        allowed,
        share,
        rooms: plan
            .changes
            .iter()
            .filter(concerned)
            .take(5)
            .map(|change| change.pipe.clone())
            .collect(),
    })
}
