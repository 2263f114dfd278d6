//! All rooms: so many at a time, none in the way of another, then the look at what took.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::outcome::{Event, Outcome, RoomOutcome, Status};
use super::room::carry_out;
use super::verify::verify;
use crate::imbachat::{ReadRooms, WriteRooms};
use crate::ledger::{Fact, LedgerError, Record};
use crate::model::{Pipe, RoomState};
use crate::plan::{Change, Interest, Plan};

/// What an apply works with.
#[derive(Debug)]
pub struct Job<'a, R, W, L> {
    /// What is to be done.
    pub plan: &'a Plan,
    /// Which rooms of the list matter.
    pub interest: Interest<'a>,
    /// Reads the list again.
    pub reader: &'a R,
    /// Writes.
    pub writer: Arc<W>,
    /// Remembers.
    pub ledger: Arc<L>,
    /// Rooms at a time.
    pub parallelism: NonZeroUsize,
}

/// Carries a plan out. Rooms fail one by one; only a ledger that cannot be written stops the rest.
pub async fn apply<R, W, L>(job: Job<'_, R, W, L>, mut event: impl FnMut(Event<'_>)) -> Outcome
where
    R: ReadRooms,
    W: WriteRooms + 'static,
    L: Record + 'static,
{
    let mut outcome = Outcome::default();
    if let Err(error) = release(job.plan, &*job.ledger).await {
        outcome.ledger = Some(error.to_string());
    }
    write_all(&job, &mut outcome, &mut event).await;
    outcome.rooms.sort_by(|a, b| a.pipe.cmp(&b.pipe));
    if outcome.writes() > 0 {
        event(Event::Verifying);
        look_again(&job, &mut outcome).await;
    }
    outcome
}

/// Writes down who left the manifest, so that they count as new if they come back.
async fn release(plan: &Plan, ledger: &impl Record) -> Result<(), LedgerError> {
    let left = plan.by_hand.iter().filter(|room| !room.left.is_empty());
    let facts: Vec<Fact> = left
        .map(|room| Fact::Released {
            pipe: room.pipe.clone(),
            room: room.id,
            members: room.left.clone(),
        })
        .collect();
    if facts.is_empty() {
        Ok(())
    } else {
        ledger.append(facts).await
    }
}

async fn write_all<R, W, L>(
    job: &Job<'_, R, W, L>,
    outcome: &mut Outcome,
    event: &mut impl FnMut(Event<'_>),
) where
    W: WriteRooms + 'static,
    L: Record + 'static,
{
    let mut waiting = job.plan.changes.iter();
    let mut running: JoinSet<(RoomOutcome, Option<LedgerError>)> = JoinSet::new();
    loop {
        while running.len() < job.parallelism.get()
            && outcome.ledger.is_none()
            && let Some(change) = waiting.next()
        {
            let (change, writer, ledger) = (
                change.clone(),
                Arc::clone(&job.writer),
                Arc::clone(&job.ledger),
            );
            running.spawn(async move { carry_out(&change, &*writer, &*ledger).await });
        }
        let Some(joined) = running.join_next().await else {
            break;
        };
        // A task is never cancelled; a panic in one is ours, and goes on as one.
        let (room, error) =
            joined.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        outcome.ledger = outcome
            .ledger
            .take()
            .or(error.map(|error| error.to_string()));
        event(Event::Settled(&room));
        outcome.rooms.push(room);
    }
    outcome.rooms.extend(waiting.map(not_started));
}

fn not_started(change: &Change) -> RoomOutcome {
    let create = matches!(change.action, crate::plan::Action::Create);
    RoomOutcome {
        pipe: change.pipe.clone(),
        id: None,
        create,
        members: 0,
        requests: 0,
        status: Status::NotStarted,
    }
}

async fn look_again<R, W, L>(job: &Job<'_, R, W, L>, outcome: &mut Outcome)
where
    R: ReadRooms,
    L: Record,
{
    let sent: BTreeMap<Pipe, RoomState> = job
        .plan
        .changes
        .iter()
        .map(|change| (change.pipe.clone(), change.send.clone()))
        .collect();
    let (sight, reads) = verify(job.reader, &job.interest, &mut outcome.rooms, &sent).await;
    outcome.reads = reads;
    match sight {
        Ok(sight) => outcome.observed = Some(sight.observed),
        Err(failure) => outcome.unverified = Some(failure.message),
    }
    let shown: Vec<Fact> = outcome.rooms.iter().flat_map(ignored).collect();
    if !shown.is_empty()
        && let Err(error) = job.ledger.append(shown).await
    {
        outcome.ledger.get_or_insert(error.to_string());
    }
}

fn ignored(room: &RoomOutcome) -> Vec<Fact> {
    let (Status::Ignored(fields), Some(id)) = (&room.status, room.id) else {
        return Vec::new();
    };
    let fact = |(field, sent, shown): &(_, _, _)| {
        let (sent, shown): (&crate::model::FieldValue, &crate::model::FieldValue) = (sent, shown);
        Fact::Shown {
            pipe: room.pipe.clone(),
            room: id,
            field: *field,
            sent: sent.clone(),
            shown: shown.clone(),
        }
    };
    fields.iter().map(fact).collect()
}
