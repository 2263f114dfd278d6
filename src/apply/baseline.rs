//! Before the run sends anything, records in the ledger which rooms and members left the
//! manifest or returned to it. At the end, records how many rooms and memberships each
//! roster has.

use super::job::Job;
use super::outcome::Outcome;
use crate::ledger::{Fact, PipeFact, Record, RoomFact};
use crate::model::RoomCount;
use crate::plan::{Baseline, ShownField};

/// Records which rooms and members left the manifest, so that they count as new if they return.
/// Also records which rooms returned, and what the list shows.
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
    let facts = seen.chain(released).chain(moved).collect();
    // If recording fails, `record` itself ends the run.
    let _ = job.record(facts).await;
}

/// Returns the fact that records the value that the list shows for a field.
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

/// Returns the facts that record how many members each counted room has.
pub fn facts_of_counts(counted: &[RoomCount]) -> impl Iterator<Item = Fact> {
    counted.iter().filter_map(|room| {
        let counted = RoomFact::Counted {
            count: room.size()?,
            offset: room.offset,
        };
        Some(Fact::Room(room.pipe.clone(), room.room, counted))
    })
}

/// Records how many rooms and memberships each roster has. Records nothing if the run ended early,
/// so that the next run still compares with the old numbers.
pub(super) async fn after<R, W, L: Record>(job: &Job<'_, R, W, L>, outcome: &mut Outcome) {
    let given = job.plan.baseline.given.iter();
    let facts = given.map(|(source, given)| Fact::Roster {
        source: source.to_string(),
        given: *given,
    });
    if outcome.halt.is_none() && job.record(facts.collect()).await.is_err() {
        outcome.halt = job.control.halted();
    }
}
