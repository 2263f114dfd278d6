//! Records the manifest in the ledger. Before anything is sent: the rooms and members that left or
//! returned. At the end: the row counts of its rosters.

use super::job::Job;
use super::outcome::Outcome;
use crate::ledger::{Fact, PipeFact, Record, RoomFact};
use crate::model::RoomCount;
use crate::plan::{Baseline, ShownField};

/// Records the rooms and members that left the manifest, so that they count as new if they return.
pub(super) async fn before<R, W, L: Record>(job: &Job<'_, R, W, L>) {
    let left = job
        .plan
        .manual_steps
        .iter()
        .filter(|room| !room.newly_removed.is_empty());
    let released = left.map(|room| {
        Fact::Room(
            room.pipe.clone(),
            room.id,
            RoomFact::Released {
                members: room.newly_removed.clone(),
                taken_out: false,
            },
        )
    });
    let Baseline {
        left,
        back,
        shown,
        counted,
        ..
    } = &job.plan.baseline;
    let shown = shown.iter().cloned().map(fact_of_field);
    let moved = [(left, false), (back, true)];
    let moved = moved.into_iter().flat_map(|(rooms, declared)| {
        rooms
            .iter()
            .map(move |pipe| Fact::Pipe(pipe.clone(), PipeFact::Declared(declared)))
    });
    let seen = shown.chain(facts_of_counts(counted));
    job.record(seen.chain(released).chain(moved).collect())
        .await;
}

/// The fact that records what the list shows of a field.
pub(super) fn fact_of_field(shown: ShownField) -> Fact {
    Fact::Room(
        shown.pipe,
        shown.room,
        RoomFact::Shown {
            field: shown.field,
            sent: shown.sent,
            shown: shown.shown,
        },
    )
}

/// The facts that record how many members rooms have.
pub fn facts_of_counts(counted: &[RoomCount]) -> impl Iterator<Item = Fact> {
    counted.iter().filter_map(|room| {
        let counted = RoomFact::Counted {
            count: room.size()?,
            offset: room.offset,
        };
        Some(Fact::Room(room.pipe.clone(), room.room, counted))
    })
}

/// Records the counts of each roster. After a run that ended early it records none, so that the
/// next run compares with the old counts.
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
