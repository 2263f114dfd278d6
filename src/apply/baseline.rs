//! Records the manifest in the ledger: before anything is sent, the rooms and members that left it or returned to it; at the end,
//! the row counts of its rosters.

use super::job::Job;
use super::outcome::Outcome;
use crate::ledger::{Fact, Record};
use crate::model::RoomCount;
use crate::plan::Baseline;

/// Records the rooms and members that left the manifest, so that they count as new if they return.
pub(super) async fn before<R, W, L: Record>(job: &Job<'_, R, W, L>) {
    let left = job
        .plan
        .manual_steps
        .iter()
        .filter(|room| !room.newly_removed.is_empty());
    let released = left.map(|room| Fact::Released {
        pipe: room.pipe.clone(),
        room: room.id,
        members: room.newly_removed.clone(),
        taken_out: false,
    });
    let Baseline {
        left,
        back,
        settled,
        ignored,
        counted,
        ..
    } = &job.plan.baseline;
    let settled = settled.iter().cloned();
    let settled = settled.map(|it| Fact::settled(it.pipe, it.room, it.field, it.value));
    let ignored = ignored.iter().cloned().map(|it| Fact::Shown {
        pipe: it.pipe,
        room: it.room,
        field: it.field,
        sent: it.sent,
        shown: it.shown,
    });
    let moved = [(left, false), (back, true)];
    let moved = moved.into_iter().flat_map(|(rooms, declared)| {
        rooms.iter().map(move |pipe| Fact::Declared {
            pipe: pipe.clone(),
            declared,
        })
    });
    let settled = settled.chain(ignored).chain(facts_of_counts(counted));
    job.record(settled.chain(released).chain(moved).collect())
        .await;
}

/// The facts that record how many members rooms have.
pub fn facts_of_counts(counted: &[RoomCount]) -> impl Iterator<Item = Fact> {
    counted.iter().filter_map(|room| {
        Some(Fact::Counted {
            pipe: room.pipe.clone(),
            room: room.room,
            count: room.size()?,
            offset: room.offset,
        })
    })
}

/// Records the counts from each roster, unless the run ended early. In that case the next run compares with the old counts.
pub(super) async fn after<R, W, L: Record>(job: &Job<'_, R, W, L>, outcome: &mut Outcome) {
    let given = job.plan.baseline.given.iter();
    let facts = given.map(|(source, given)| Fact::Roster {
        source: source.to_string(),
        given: *given,
    });
    if outcome.halt.is_none() && !job.record(facts.collect()).await {
        outcome.halt = job.control.halted();
    }
}
