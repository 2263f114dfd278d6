//! Applies all rooms concurrently and independently, then resolves uncertain creates, verifies the list, and sends welcomes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::task::JoinSet;

use super::baseline;
use super::control::{Control, Halt};
use super::job::Job;
use super::outcome::{Doubt, Event, Outcome, RoomOutcome, Status};
use super::reconcile::{Finding, Searches, Uncertain};
use super::send_calls::carry_out;
use super::verify::{PendingFields, pending_fields, verify};
use super::welcome::{due, put_off, welcome};
use crate::imbachat::{ReadRooms, SendMessages, WriteRooms};
use crate::ledger::{Fact, Record};
use crate::model::{Field, FieldValue, Observed, Pipe};
use crate::plan::{Change, IgnoredField};

/// Applies a plan. Rooms fail independently. Only a ledger that cannot be written, an interrupt, denied access or `fail_fast` end it.
pub async fn apply<R, W, L>(job: Job<'_, R, W, L>, mut event: impl FnMut(Event<'_>)) -> Outcome
where
    R: ReadRooms,
    W: WriteRooms + SendMessages + 'static,
    L: Record + 'static,
{
    let mut outcome = Outcome::default();
    baseline::before(&job).await;
    let changes = job.plan.changes.iter();
    let all = changes.map(|change| (change.clone(), RoomOutcome::begun(change)));
    let mut rooms = write_all(&job, all.collect(), &mut event).await;
    let mut searches = Searches::default();
    while resolve_uncertain(&job, &mut searches, &mut rooms, &mut event).await {}
    outcome.rooms = rooms.into_values().collect();
    outcome.halt = job.control.halted();
    let done = |room: &RoomOutcome| room.requests > 0 || room.status == Status::Applied;
    if outcome.rooms.iter().any(done) && outcome.halt != Some(Halt::Interrupted) {
        event(Event::Verifying);
        look_again(&job, &mut outcome).await;
    }
    outcome.mark_partial();
    if job.plan.summary.messages > 0 {
        welcome_all(&job, &mut outcome, &mut event).await;
    }
    baseline::after(&job, &mut outcome).await;
    outcome.reads = job.control.reads.load(Ordering::Relaxed);
    outcome
}

type Rooms = BTreeMap<Pipe, RoomOutcome>;

async fn write_all<R, W, L>(
    job: &Job<'_, R, W, L>,
    work: Vec<(Change, RoomOutcome)>,
    event: &mut impl FnMut(Event<'_>),
) -> Rooms
where
    W: WriteRooms + 'static,
    L: Record + 'static,
{
    let begin = |change: Change, begun| {
        let control = Arc::clone(&job.control);
        let (writer, ledger) = (Arc::clone(&job.writer), Arc::clone(&job.ledger));
        async move { carry_out(&change, begun, &*writer, &*ledger, &control).await }
    };
    let most = || job.control.pace.begun();
    run_concurrently(&job.control, work, most, begin, |begun| begun, event).await
}

/// Sends the welcomes of the verified rooms.
async fn welcome_all<R, W, L>(
    job: &Job<'_, R, W, L>,
    outcome: &mut Outcome,
    event: &mut impl FnMut(Event<'_>),
) where
    W: SendMessages + 'static,
    L: Record + 'static,
{
    let rooms = std::mem::take(&mut outcome.rooms).into_iter();
    let mut rooms: Rooms = rooms.map(|room| (room.pipe.clone(), room)).collect();
    let due = due(&job.plan.changes, &mut rooms);
    if !due.is_empty() {
        event(Event::Welcoming(due.len()));
        let begin = |change: Change, begun| {
            let control = Arc::clone(&job.control);
            let (sender, ledger) = (Arc::clone(&job.writer), Arc::clone(&job.ledger));
            async move { welcome(&change, begun, &*sender, &*ledger, &control).await }
        };
        // Do not start any early: the intent of a message that is never sent would make it uncertain.
        let most = || job.control.pace.width();
        let mut welcomed = run_concurrently(&job.control, due, most, begin, put_off, event).await;
        outcome.halt = outcome.halt.take().or(job.control.halted());
        rooms.append(&mut welcomed);
    }
    outcome.rooms = rooms.into_values().collect();
}

/// Runs work on rooms, with limited concurrency. `left` gives the outcome of rooms not begun before the run ended.
async fn run_concurrently<F>(
    control: &Control,
    work: Vec<(Change, RoomOutcome)>,
    most: impl Fn() -> usize,
    begin: impl Fn(Change, RoomOutcome) -> F,
    left: impl Fn(RoomOutcome) -> RoomOutcome,
    event: &mut impl FnMut(Event<'_>),
) -> Rooms
where
    F: Future<Output = RoomOutcome> + Send + 'static,
{
    let mut done = Rooms::new();
    let mut waiting = work.into_iter();
    let mut running: JoinSet<RoomOutcome> = JoinSet::new();
    loop {
        while running.len() < most()
            && control.halted().is_none()
            && let Some((change, begun)) = waiting.next()
        {
            running.spawn(begin(change, begun));
        }
        let Some(joined) = running.join_next().await else {
            break;
        };
        // Tasks are never cancelled. A panic in a task is a bug, so propagate it.
        let room = joined.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        event(Event::Settled(&room));
        done.insert(room.pipe.clone(), room);
    }
    let left = waiting.map(|(_, begun)| left(begun));
    done.extend(left.map(|room| (room.pipe.clone(), room)));
    done
}

/// Looks for the rooms of uncertain creates. Sends existing rooms what is still pending, and creates the others.
/// Returns false if there is nothing to look for, or nothing was learned.
async fn resolve_uncertain<R, W, L>(
    job: &Job<'_, R, W, L>,
    searches: &mut Searches,
    rooms: &mut Rooms,
    event: &mut impl FnMut(Event<'_>),
) -> bool
where
    R: ReadRooms,
    W: WriteRooms + 'static,
    L: Record + 'static,
{
    let changes = job.plan.changes.iter();
    let uncertain = changes.filter_map(|change| match rooms.get(&change.pipe)?.status {
        Status::Uncertain(Doubt::Create, _) => Some((change, true)),
        Status::Uncertain(Doubt::OtherRun, _) => Some((change, false)),
        _ => None,
    });
    let uncertain = uncertain.filter(|(change, _)| searches.is_open(&change.pipe));
    let uncertain = uncertain.map(|(change, is_ours)| Uncertain { change, is_ours });
    let uncertain: Vec<Uncertain<'_>> = uncertain.collect();
    if uncertain.is_empty() || job.control.halted().is_some() {
        return false;
    }
    event(Event::Resolving(uncertain.len()));
    let findings = searches.look_for(&uncertain, job.reader, &*job.ledger, &job.control);
    let Some(findings) = findings.await else {
        return false;
    };
    let mut work = Vec::new();
    // The creates that this run claimed, and how many requests their rooms had before.
    let mut claimed: BTreeMap<Pipe, u32> = BTreeMap::new();
    for Uncertain { change, .. } in uncertain {
        let pipe = &change.pipe;
        let Some((finding, mut room)) = findings
            .get(pipe)
            .and_then(|finding| Some((finding, rooms.remove(pipe)?)))
        else {
            continue;
        };
        room.was_uncertain = true;
        match finding {
            Finding::Several(ids) => {
                let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                let reason = "more than one live room has this pipe";
                room.status = Status::Conflict(format!("{reason}: {}", ids.join(", ")));
                rooms.insert(pipe.clone(), room);
            }
            Finding::There(id) => {
                room.id = Some(*id);
                // The room is no longer uncertain, even if the run ends before the rest is sent.
                room.status = Status::Unfinished;
                work.push((change.clone(), room));
            }
            Finding::Absent => {
                claimed.insert(pipe.clone(), room.requests);
                work.push((change.clone(), room));
            }
            Finding::Unknown => drop(rooms.insert(pipe.clone(), room)),
            Finding::NotListed => {
                if let Status::Uncertain(_, reason) = &mut room.status {
                    reason.push_str(
                        "; the list does not show it, and may show only one user's rooms",
                    );
                }
                rooms.insert(pipe.clone(), room);
            }
        }
    }
    let written = write_all(job, work, event).await;
    // A run that ended before it sent a create ends its claim.
    let unsent = written
        .values()
        .filter(|room| room.id.is_none() && claimed.get(&room.pipe) == Some(&room.requests));
    let ended = unsent.map(|room| Fact::NotCreated {
        pipe: room.pipe.clone(),
        of_run: None,
    });
    job.record(ended.collect()).await;
    rooms.extend(written);
    true
}

async fn look_again<R: ReadRooms, W, L: Record>(job: &Job<'_, R, W, L>, outcome: &mut Outcome) {
    match verify(job, &mut outcome.rooms).await {
        Ok(observed) => outcome.observed = observed,
        Err(failure) => outcome.verification_error = Some(failure.message),
    }
    let changes = job.plan.changes.iter();
    let written = changes.filter(|change| !change.is_welcome_only());
    let written: BTreeSet<&Pipe> = written.map(|change| &change.pipe).collect();
    let rooms = outcome.rooms.iter();
    let rooms = rooms.filter(|room| written.contains(&room.pipe));
    let ignored = job.plan.ignored.iter();
    let ignored = ignored.filter(|field| !written.contains(&field.pipe));
    let observed = outcome.observed.as_ref();
    let settled = ignored.flat_map(|field| settled(field, observed));
    let pending = pending_fields(&job.plan.notes);
    let facts: Vec<Fact> = rooms
        .flat_map(|room| verification_facts(room, observed, &pending))
        .chain(settled)
        .collect();
    job.record(facts).await;
    outcome.halt = job.control.halted();
}

/// A field that was ignored before and that the list now shows as sent.
fn settled(ignored: &IgnoredField, observed: Option<&Observed>) -> Vec<Fact> {
    let IgnoredField { field, sent, .. } = ignored;
    let rows = observed
        .into_iter()
        .flat_map(|list| list.live(&ignored.pipe));
    rows.filter(|row| row.state.value(*field) == *sent)
        .map(|row| Fact::settled(row.pipe.clone(), row.id, *field, sent.clone()))
        .collect()
}

/// The facts to record from the verification: fields that differ from what was sent, and last, that the room was seen.
fn verification_facts(
    room: &RoomOutcome,
    observed: Option<&Observed>,
    pending: &PendingFields<'_>,
) -> Vec<Fact> {
    let (pipe, Some(id)) = (room.pipe.clone(), room.id) else {
        return Vec::new();
    };
    let mut rows = observed.into_iter().flat_map(|list| list.live(&pipe));
    let row = rows.find(|row| row.id == id);
    let fact = |(field, sent, shown): &(Field, FieldValue, FieldValue)| {
        let before = pending.get(&(&pipe, *field));
        let before = before.filter(|was| (&was.sent, &was.shown) == (sent, shown));
        let (pipe, field) = (pipe.clone(), *field);
        let (sent, shown) = (sent.clone(), shown.clone());
        match room.status {
            Status::Pending(_) => Fact::Pending {
                pipe,
                room: id,
                field,
                sent,
                shown,
                updated_at: row.and_then(|row| row.updated_at.clone()),
                since: before.map(|was| was.since),
            },
            _ => Fact::Shown {
                pipe,
                room: id,
                field,
                sent,
                shown,
            },
        }
    };
    let fields = match &room.status {
        Status::Verified => [].as_slice(),
        Status::Pending(fields) | Status::Ignored(fields) => fields.as_slice(),
        _ => return Vec::new(),
    };
    let seen = Fact::Seen {
        pipe: pipe.clone(),
        room: id,
    };
    fields.iter().map(fact).chain([seen]).collect()
}
