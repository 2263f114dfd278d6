//! The guards: how much a plan may do before a person has to say so.

use super::change::{Change, Plan};
use super::remarks::{LimitKind, Refusal};
use super::shard::Shard;
use super::standing::shrunk;
use crate::model::{Desired, Given, Limit, Pipe, Recorded};

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

/// Everything that guards against the plan, most dangerous first, whatever is allowed. There is no size below which nothing
/// is checked. The plan is that of all parts, also where it is judged for one.
pub(super) fn guards(
    plan: &Plan,
    desired: &Desired,
    given: &Given,
    recorded: &Recorded,
    left: &[Pipe],
    shard: Option<Shard>,
) -> Vec<Refusal> {
    let (limits, summary) = (&desired.limits, &plan.summary);
    let (rooms, memberships) = (desired.rooms.len(), desired.memberships());
    let publish = limits.publish.unwrap_or(Limit::Count(0));
    let sent = summary.members + summary.unverified.members;
    let limits = [
        (LimitKind::Publish, Some(publish), summary.publish, rooms),
        (
            LimitKind::Messages,
            limits.messages,
            summary.messages,
            rooms,
        ),
        (LimitKind::Create, limits.create, summary.create, rooms),
        (LimitKind::Update, limits.update, summary.update, rooms),
        (LimitKind::AddMembers, limits.add_members, sent, memberships),
    ];
    let limits = limits
        .into_iter()
        .filter_map(|(kind, limit, count, of)| over(plan, kind, limit?, count as u64, of as u64));
    limits
        .chain(recreate(plan))
        .chain(mass_change(plan.summary.create, left.len(), recorded))
        .chain(shrunk(given, recorded, shard))
        .collect()
}

/// Whether the command line lifts a guard.
pub(super) fn lifts(allow: &Allow, guard: &Refusal) -> bool {
    match guard {
        Refusal::Limit {
            kind: LimitKind::Publish,
            ..
        } => allow.publish,
        Refusal::Limit { .. } | Refusal::MassChange { .. } | Refusal::Shrunk { .. } => {
            allow.beyond_limits
        }
        Refusal::Recreate { .. } => allow.recreate,
    }
}

/// A changed prefix looks like this: most rooms of the last apply leave the manifest, and as many come. What left it earlier
/// does not count: after some terms that would be most of what is on record.
fn mass_change(created: usize, left: usize, recorded: &Recorded) -> Option<Refusal> {
    let known = recorded.ids.keys();
    let known = known.filter(|pipe| !recorded.left.contains(*pipe)).count();
    (created.min(left) * 2 > known && known > 0).then_some(Refusal::MassChange {
        created: created as u64,
        left: left as u64,
        known: known as u64,
    })
}

fn recreate(plan: &Plan) -> Option<Refusal> {
    let again = |change: &&Change| change.recreate;
    let count = plan.changes.iter().filter(again).count() as u64;
    (count > 0).then(|| Refusal::Recreate {
        count,
        rooms: first(plan, again),
    })
}

fn over(plan: &Plan, kind: LimitKind, limit: Limit, count: u64, of: u64) -> Option<Refusal> {
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
        rooms: first(plan, concerned),
    })
}

/// The first few rooms a guard is about.
fn first(plan: &Plan, concerned: impl FnMut(&&Change) -> bool) -> Vec<Pipe> {
    plan.changes
        .iter()
        .filter(concerned)
        .take(5)
        .map(|change| change.pipe.clone())
        .collect()
}

impl Plan {
    /// Sets what refuses the plan: the guards that are not lifted.
    pub fn allow(&mut self, allow: &Allow) {
        self.refusals = self
            .guards
            .iter()
            .filter(|guard| !lifts(allow, guard))
            .cloned()
            .collect();
    }
}
