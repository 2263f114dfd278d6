//! What an apply writes down of the manifest: who and what left it or is back, before anything is sent; how much its files
//! with rows gave, at the end.

use super::control::Halt;
use super::job::Job;
use super::outcome::Outcome;
use crate::ledger::{Fact, Record};
use crate::plan::{Baseline, SettledField};

/// Writes down who left the manifest, so that they count as new if they come back, and which rooms did.
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
        given: _,
        settled,
    } = &job.plan.baseline;
    let settled = settled.iter().map(|settled| {
        let SettledField {
            pipe,
            room,
            field,
            value,
        } = settled.clone();
        Fact::settled(pipe, room, field, value)
    });
    let moved = [(left, false), (back, true)];
    let moved = moved.into_iter().flat_map(|(rooms, declared)| {
        rooms.iter().map(move |pipe| Fact::Declared {
            pipe: pipe.clone(),
            declared,
        })
    });
    let facts: Vec<Fact> = settled.chain(released).chain(moved).collect();
    if !facts.is_empty()
        && let Err(error) = job.ledger.append(facts).await
    {
        job.control.stop(Halt::Ledger(error.to_string()));
    }
}

/// Writes down what the files with rows gave, unless the run ended early: then it is to be judged by the old figures again.
pub(super) async fn after<R, W, L: Record>(job: &Job<'_, R, W, L>, outcome: &mut Outcome) {
    let given = job.plan.baseline.given.iter();
    let facts: Vec<Fact> = given
        .map(|(source, given)| Fact::Roster {
            source: source.to_string(),
            given: *given,
        })
        .collect();
    if outcome.halt.is_none()
        && !facts.is_empty()
        && let Err(error) = job.ledger.append(facts).await
    {
        outcome.halt = Some(Halt::Ledger(error.to_string()));
    }
}
