//! Guards: limits on what a plan may do without explicit permission.

use super::baseline::{newly_left, shrunk};
use super::change::{Change, Plan};
use super::diff::diff;
use super::filter::{Allow, Inputs, PlanOptions, Shard};
use super::findings::{LimitKind, Violation};
use super::manual_steps::undeclared;
use crate::model::{Desired, Limit, Observed, Pipe, Recorded, Target};

/// Computes the plan that makes the target match the manifest. Equal inputs give equal plans.
///
/// With `--shard`, the plan contains only the rooms of the shard, but guards check all shards
/// together. Otherwise, several machines together could do what one machine alone may not do.
pub fn plan(
    target: &Target,
    desired: &Desired,
    observed: &Observed,
    recorded: &Recorded,
    options: &PlanOptions,
) -> Plan {
    let inputs = Inputs::new(desired, observed, recorded);
    let only = &options.only;
    let all = |_| diff(target, inputs, options, &only.of_all_shards());
    let all = only.shard().map(all);
    let mut plan = diff(target, inputs, options, only);
    plan.guards = guards(all.as_ref().unwrap_or(&plan), inputs, only.shard());
    plan.allow(&options.allow);
    plan
}

/// Returns every violated guard, most dangerous first, including guards that the command line
/// lifts. `plan` must cover all shards, even if `shard` selects one.
pub(super) fn guards(plan: &Plan, inputs: Inputs<'_>, shard: Option<Shard>) -> Vec<Violation> {
    use LimitKind::{AddMembers, Create, Messages, Update};
    let (desired, recorded) = (inputs.desired, inputs.recorded);
    let (limits, summary) = (&desired.limits, &plan.summary);
    let (rooms, memberships) = (desired.rooms.len(), desired.memberships());
    let sent = summary.members + summary.unknown.members;
    let limits = [
        (Messages, limits.messages, summary.messages, rooms),
        (Create, limits.create, summary.create, rooms),
        (Update, limits.update, summary.update, rooms),
        (AddMembers, limits.add_members, sent, memberships),
    ];
    let limits = limits
        .into_iter()
        .filter_map(|(kind, limit, count, of)| over(kind, limit?, count as u64, of as u64));
    publish(plan)
        .into_iter()
        .chain(limits)
        .chain(recreate(plan))
        .chain(mass_change(plan.summary.create, inputs))
        .chain(shrunk(&desired.roster_counts(), recorded, shard))
        .collect()
}

/// Whether the command line lifts a guard.
fn lifts(allow: &Allow, guard: &Violation) -> bool {
    match guard {
        // `--allow-publish` cannot lift this guard, because the guard lists only rooms that the
        // flag does not name.
        Violation::Publish { .. } => false,
        Violation::Limit { .. } | Violation::MassChange { .. } | Violation::Shrunk { .. } => {
            allow.beyond_limits
        }
        Violation::Recreate { .. } => allow.recreate,
    }
}

/// Detects that the prefix of the pipes was changed: the number of rooms that left the manifest
/// and the number of rooms to create are each more than half of the number of rooms at the last
/// apply. The number of rooms at the last apply does not include rooms that had left before,
/// because over time these rooms would make up most of the record.
fn mass_change(created: usize, inputs: Inputs<'_>) -> Option<Violation> {
    let (desired, recorded) = (inputs.desired, inputs.recorded);
    let known = recorded.ids.keys();
    let known = known
        .filter(|pipe| !recorded.left.contains_key(*pipe))
        .count();
    if created * 2 <= known {
        return None;
    }
    let left = newly_left(&undeclared(desired, recorded), recorded).len();
    (left * 2 > known && known > 0).then_some(Violation::MassChange {
        created: created as u64,
        left: left as u64,
        known: known as u64,
    })
}

fn publish(plan: &Plan) -> Option<Violation> {
    let publish = |change: &&Change| {
        change
            .publish
            .as_ref()
            .is_some_and(|it| it.permit.is_none())
    };
    let (count, rooms) = count_rooms(plan, publish);
    (count > 0).then_some(Violation::Publish { count, rooms })
}

fn recreate(plan: &Plan) -> Option<Violation> {
    let (count, rooms) = count_rooms(plan, |change| change.recreate);
    (count > 0).then_some(Violation::Recreate { count, rooms })
}

fn over(kind: LimitKind, limit: Limit, count: u64, of: u64) -> Option<Violation> {
    let (allowed, share) = match limit {
        Limit::Count(allowed) => (allowed, None),
        Limit::Share(share) => (share.saturating_mul(of) / 10_000, Some(share)),
    };
    (count > allowed).then_some(Violation::Limit {
        kind,
        count,
        allowed,
        share,
    })
}

/// Counts the rooms that a guard applies to, and returns the first few.
fn count_rooms(plan: &Plan, applies: impl Fn(&&Change) -> bool) -> (u64, Vec<Pipe>) {
    let changes = || plan.changes.iter().filter(&applies);
    let first = changes().take(5).map(|change| change.pipe.clone());
    (changes().count() as u64, first.collect())
}

impl Plan {
    /// Determines the refusals: the violated guards that the command line does not lift.
    pub fn allow(&mut self, allow: &Allow) {
        self.refusals = self
            .guards
            .iter()
            .filter(|guard| !lifts(allow, guard))
            .cloned()
            .collect();
    }
}
