//! The guards: how much a plan may do before a person has to say so.

use super::baseline::{left, shrunk};
use super::change::{Change, Plan};
use super::diff::diff;
use super::findings::{LimitKind, Violation};
use super::inputs::{Allow, Inputs, PlanOptions};
use super::shard::Shard;
use crate::model::{Desired, Limit, Observed, Pipe, Recorded, Target};

/// The plan that makes the target look like the manifest. Equal input gives an equal plan.
///
/// Of a part of the rooms (`--shard`) it says and does what is in the part, but what guards against the plan judges all parts
/// together: what no machine may do on its own, several must not do between them.
pub fn plan(
    target: &Target,
    desired: &Desired,
    observed: &Observed,
    recorded: &Recorded,
    options: &PlanOptions,
) -> Plan {
    let inputs = Inputs {
        desired,
        observed,
        recorded,
    };
    let only = &options.only;
    let all = |_| diff(target, inputs, options, &only.of_all_shards());
    let all = only.shard().map(all);
    let mut plan = diff(target, inputs, options, only);
    plan.guards = guards(all.as_ref().unwrap_or(&plan), inputs, only.shard());
    plan.allow(&options.allow);
    plan
}

/// Everything that guards against the plan, most dangerous first, whatever is allowed. There is no size below which nothing
/// is checked. The plan is that of all parts, also where it is judged for one.
pub(super) fn guards(plan: &Plan, inputs: Inputs<'_>, shard: Option<Shard>) -> Vec<Violation> {
    let Inputs {
        desired, recorded, ..
    } = inputs;
    let left = left(desired, recorded);
    let (limits, summary) = (&desired.limits, &plan.summary);
    let (rooms, memberships) = (desired.rooms.len(), desired.memberships());
    let publish = limits.publish.unwrap_or(Limit::Count(0));
    let sent = summary.members + summary.unknown.members;
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
        .chain(shrunk(&desired.given(), recorded, shard))
        .collect()
}

/// Whether the command line lifts a guard.
pub(super) fn lifts(allow: &Allow, guard: &Violation) -> bool {
    match guard {
        Violation::Limit {
            kind: LimitKind::Publish,
            ..
        } => allow.publish,
        Violation::Limit { .. } | Violation::MassChange { .. } | Violation::Shrunk { .. } => {
            allow.beyond_limits
        }
        Violation::Recreate { .. } => allow.recreate,
    }
}

/// A changed prefix looks like this: most rooms of the last apply leave the manifest, and as many come. What left it earlier
/// does not count: after some terms that would be most of what is on record.
fn mass_change(created: usize, left: usize, recorded: &Recorded) -> Option<Violation> {
    let known = recorded.ids.keys();
    let known = known.filter(|pipe| !recorded.left.contains(*pipe)).count();
    (created.min(left) * 2 > known && known > 0).then_some(Violation::MassChange {
        created: created as u64,
        left: left as u64,
        known: known as u64,
    })
}

fn recreate(plan: &Plan) -> Option<Violation> {
    let again = |change: &&Change| change.recreate;
    let count = plan.changes.iter().filter(again).count() as u64;
    (count > 0).then(|| Violation::Recreate {
        count,
        rooms: first(plan, again),
    })
}

fn over(plan: &Plan, kind: LimitKind, limit: Limit, count: u64, of: u64) -> Option<Violation> {
    let (allowed, share) = match limit {
        Limit::Count(allowed) => (allowed, None),
        Limit::Share(share) => (share.saturating_mul(of) / 10_000, Some(share)),
    };
    let concerned = |change: &&Change| kind == LimitKind::Publish && change.publishes();
    (count > allowed).then(|| Violation::Limit {
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
