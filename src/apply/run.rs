//! Runs an apply: writes all rooms concurrently, resolves uncertain creates, verifies the writes
//! against the list, and sends welcomes.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::baseline;
use super::job::Job;
use super::outcome::{Doubt, Event, Halt, Outcome, RoomOutcome, Status};
use super::reconcile::{Finding, Searches, Uncertain};
use super::send_calls::carry_out;
use super::verify::{PendingFields, pending_fields, verify};
use super::welcome::{due, put_off, welcome};
use crate::imbachat::{ReadRooms, SendMessages, WriteRooms};
use crate::ledger::{Fact, PipeFact, Record, RoomFact};
use crate::model::{Field, FieldValue, Observed, Pipe};
use crate::plan::{Change, ShownField};

/// Applies a plan. Rooms fail independently. Only an unwritable ledger, an interrupt, rejected
/// credentials or `fail_fast` ends the run early.
pub async fn apply<R, W, L>(job: Job<'_, R, W, L>, mut event: impl FnMut(Event<'_>)) -> Outcome
where
    R: ReadRooms,
    W: WriteRooms + SendMessages,
    L: Record,
{
    let mut outcome = Outcome::default();
    baseline::before(&job).await;
    let changes = job.plan.changes.iter();
    let all = changes.map(|change| (change, RoomOutcome::begun(change)));
    let mut rooms = job.write_all(all.collect(), &mut event).await;
    let mut searches = Searches::default();
    while job
        .resolve_uncertain(&mut searches, &mut rooms, &mut event)
        .await
    {}
    outcome.rooms = rooms.into_values().collect();
    outcome.halt = job.control.halted();
    let done = |room: &RoomOutcome| room.requests > 0 || room.status == Status::Applied;
    if outcome.rooms.iter().any(done) && outcome.halt != Some(Halt::Interrupted) {
        event(Event::Verifying);
        job.look_again(&mut outcome).await;
    }
    outcome.mark_partial();
    if job.plan.summary.messages > 0 {
        job.welcome_all(&mut outcome, &mut event).await;
    }
    baseline::after(&job, &mut outcome).await;
    outcome.reads = job.control.reads.get();
    outcome
}

type Rooms = BTreeMap<Pipe, RoomOutcome>;

impl<R, W, L> Job<'_, R, W, L>
where
    R: ReadRooms,
    W: WriteRooms + SendMessages,
    L: Record,
{
    async fn write_all(
        &self,
        work: Vec<(&Change, RoomOutcome)>,
        event: &mut impl FnMut(Event<'_>),
    ) -> Rooms {
        let begin = |change, begun| carry_out(self, change, begun);
        let most = || self.control.pace.begun();
        self.run_concurrently(work, most, begin, |begun| begun, event)
            .await
    }

    /// Sends the welcomes of the rooms that the list shows.
    async fn welcome_all(&self, outcome: &mut Outcome, event: &mut impl FnMut(Event<'_>)) {
        let rooms = std::mem::take(&mut outcome.rooms);
        let (due, mut rooms) = due(&self.plan.changes, rooms);
        if !due.is_empty() {
            event(Event::Welcoming(due.len()));
            let begin = |change, begun| welcome(self, change, begun);
            // Start a welcome only when it can be sent at once. If the run records the intent
            // but ends before it sends the message, the welcome becomes uncertain.
            let most = || self.control.pace.width();
            let welcomed = self.run_concurrently(due, most, begin, put_off, event);
            rooms.extend(welcomed.await.into_values());
            outcome.halt = outcome.halt.take().or(self.control.halted());
            rooms.sort_by(|one, other| one.pipe.cmp(&other.pipe));
        }
        outcome.rooms = rooms;
    }

    /// Searches the list for the rooms of uncertain creates. Creates the rooms that are absent,
    /// and sends the remaining calls of the rooms that exist. Returns false if there is nothing
    /// to search for, or the list could not be read.
    async fn resolve_uncertain(
        &self,
        searches: &mut Searches,
        rooms: &mut Rooms,
        event: &mut impl FnMut(Event<'_>),
    ) -> bool {
        let changes = self.plan.changes.iter();
        let uncertain = changes.filter_map(|change| match rooms.get(&change.pipe)?.status {
            Status::Uncertain(Doubt::Create, _) => Some((change, true)),
            Status::Uncertain(Doubt::OtherRun, _) => Some((change, false)),
            _ => None,
        });
        let uncertain = uncertain.filter(|(change, _)| searches.is_open(&change.pipe));
        let uncertain = uncertain.map(|(change, is_ours)| Uncertain { change, is_ours });
        let uncertain: Vec<Uncertain<'_>> = uncertain.collect();
        if uncertain.is_empty() || self.control.halted().is_some() {
            return false;
        }
        let patience = self.control.patience;
        let most = match uncertain.iter().all(|room| room.is_ours) {
            true => patience.verify,
            false => patience.other_run(),
        };
        event(Event::Resolving(uncertain.len(), most));
        let Some(findings) = searches.look_for(&uncertain, self).await else {
            return false;
        };
        let mut work = Vec::new();
        // The pipes of the creates that this run claimed, each with the number of requests sent for
        // the room so far.
        let mut claimed: BTreeMap<Pipe, u32> = BTreeMap::new();
        for Uncertain { change, .. } in uncertain {
            let pipe = &change.pipe;
            let Some((finding, room)) = findings.get(pipe).zip(rooms.get_mut(pipe)) else {
                continue;
            };
            room.was_uncertain = true;
            match finding {
                Finding::Several(ids) => room.status = Status::several(ids),
                Finding::Found(id) => {
                    room.id = Some(*id);
                    // The room is no longer uncertain, even if the run ends before it sends the
                    // remaining calls.
                    room.status = Status::Unfinished;
                    work.push((change, room.clone()));
                }
                Finding::Absent => {
                    // The create did nothing. So the room counts as not started if the run ends
                    // before it sends another create.
                    room.sent_at = None;
                    room.status = Status::NotStarted;
                    claimed.insert(pipe.clone(), room.requests);
                    work.push((change, room.clone()));
                }
                Finding::Unknown => {}
                Finding::NotListed => {
                    if let Status::Uncertain(_, reason) = &mut room.status {
                        reason.push_str(
                            "; the list does not show the room, but it may show only one user's rooms",
                        );
                    }
                }
            }
        }
        let written = self.write_all(work, event).await;
        // The run ended before it sent these creates, so end their claims.
        let unsent = written
            .values()
            .filter(|room| room.id.is_none() && claimed.get(&room.pipe) == Some(&room.requests));
        let ended = unsent.map(|room| Fact::Pipe(room.pipe.clone(), PipeFact::NotCreated(None)));
        // If this write fails, the claims stay open, which is safe.
        let _ = self.record(ended.collect()).await;
        rooms.extend(written);
        true
    }

    async fn look_again(&self, outcome: &mut Outcome) {
        match verify(self, &mut outcome.rooms).await {
            Ok(observed) => outcome.observed = observed,
            Err(failure) => outcome.verification_error = Some(failure.message),
        }
        let written = outcome.rooms.iter().zip(&self.plan.changes);
        let written = written.filter(|(_, change)| !change.is_welcome_only());
        let written: BTreeMap<&Pipe, &RoomOutcome> =
            written.map(|(room, _)| (&room.pipe, room)).collect();
        let ignored = self.plan.ignored.iter();
        let ignored = ignored.filter(|field| !written.contains_key(&field.pipe));
        let observed = outcome.observed.as_ref();
        let settled = ignored.flat_map(|field| settled(field, observed));
        let pending = pending_fields(self.plan);
        let verified = written.values();
        let verified = verified.flat_map(|room| verification_facts(room, observed, &pending));
        let facts = verified.chain(settled).collect();
        // If recording fails, `record` itself ends the run.
        let _ = self.record(facts).await;
        outcome.halt = self.control.halted();
    }

    /// Runs the work on rooms with limited concurrency. When the run ends early, `left` returns the
    /// outcome of each room that was not started.
    async fn run_concurrently<'p, F: Future<Output = RoomOutcome>>(
        &self,
        work: Vec<(&'p Change, RoomOutcome)>,
        most: impl Fn() -> usize,
        begin: impl Fn(&'p Change, RoomOutcome) -> F,
        left: impl Fn(RoomOutcome) -> RoomOutcome,
        event: &mut impl FnMut(Event<'_>),
    ) -> Rooms {
        let mut done = Rooms::new();
        let mut waiting = work.into_iter();
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < most()
                && self.control.halted().is_none()
                && let Some((change, begun)) = waiting.next()
            {
                running.push(begin(change, begun));
            }
            let Some(room) = running.next().await else {
                break;
            };
            event(Event::Settled(&room));
            done.insert(room.pipe.clone(), room);
        }
        let left = waiting.map(|(_, begun)| left(begun));
        done.extend(left.map(|room| (room.pipe.clone(), room)));
        done
    }
}

/// Returns the facts to record if a field that the server once ignored now has the value that was
/// sent.
fn settled(ignored: &ShownField, observed: Option<&Observed>) -> Vec<Fact> {
    let ShownField { field, sent, .. } = ignored;
    let rows = observed
        .into_iter()
        .flat_map(|list| list.live(&ignored.pipe));
    rows.filter(|row| row.state.value(*field) == *sent)
        .map(|row| {
            baseline::fact_of_field(ShownField {
                room: row.id,
                shown: sent.clone(),
                ..ignored.clone()
            })
        })
        .collect()
}

/// Returns the facts to record after verifying a room: first the fields that differ from what
/// was sent, then the fact that the room was seen.
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
            Status::Pending(_) => Fact::Room(
                pipe,
                id,
                RoomFact::Pending {
                    field,
                    sent,
                    shown,
                    updated_at: row.and_then(|row| row.updated_at.clone()),
                    since: before.map(|was| was.since),
                },
            ),
            _ => Fact::Room(pipe, id, RoomFact::Shown { field, sent, shown }),
        }
    };
    let fields = match &room.status {
        Status::Verified => [].as_slice(),
        Status::Pending(fields) | Status::Ignored(fields) => fields.as_slice(),
        _ => return Vec::new(),
    };
    let seen = Fact::Room(pipe.clone(), id, RoomFact::Seen);
    fields.iter().map(fact).chain([seen]).collect()
}
