//! Verifies the writes: reads the list until it shows what was sent, and compares it field by field.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;
use tracing::info;

use super::control::Backoff;
use super::job::Job;
use super::outcome::{RoomOutcome, Status};
use crate::imbachat::{Failure, ReadRooms};
use crate::model::{Field, FieldValue, LiveRoom, Observed, PendingField, Pipe, RoomId};
use crate::plan::{Change, FieldChange, Note, Plan};

/// What the list showed after the writes.
struct Sight {
    /// What the list shows of the rooms in the manifest.
    observed: Observed,
    /// The pipes of written rooms in the list.
    pipes: BTreeMap<RoomId, Pipe>,
}

/// Reads the list until it shows, for every room, whether the write took effect or was ignored, or
/// until the list can no longer lag. Sets the rooms' statuses from the last list, and returns it;
/// `None` if the run was interrupted before one was read.
pub(super) async fn verify<R: ReadRooms, W, L>(
    job: &Job<'_, R, W, L>,
    rooms: &mut [RoomOutcome],
) -> Result<Option<Observed>, Failure> {
    let Job {
        filter,
        reader,
        control,
        ..
    } = job;
    let applied = rooms.iter().filter(|room| room.status == Status::Applied);
    let written: BTreeSet<RoomId> = applied.filter_map(|room| room.id).collect();
    let nothing_yet = || {
        control.reads.update(|reads| reads + 1);
        let mut observed = filter.empty_list();
        observed.is_partial = reader.is_partial();
        Sight {
            observed,
            pipes: BTreeMap::new(),
        }
    };
    let (mut backoff, until) = (Backoff::default(), Instant::now() + control.patience.verify);
    let mut last = None;
    let is_waited_for = loop {
        let read = reader.collect(&control.dice, nothing_yet, |sight, row| {
            if written.contains(&row.id) {
                sight.pipes.insert(row.id, row.pipe.clone());
            }
            filter.take(&mut sight.observed, row);
        });
        let sight = match control.unless_interrupted(read).await {
            None => break false,
            Some(Ok(sight)) => sight,
            Some(Err(failure)) if last.is_none() => return Err(failure),
            Some(Err(_)) => break true,
        };
        let evidence = Evidence::new(job.plan, rooms, &sight);
        let written = rooms.iter().zip(&job.plan.changes);
        let verdicts: Vec<Option<Status>> = written
            .map(|(room, change)| evidence.settle(room, change))
            .collect();
        let is_settled = verdicts.iter().flatten().all(is_final);
        info!(is_settled, "verified the writes");
        last = Some((sight, verdicts));
        if is_settled {
            break true;
        }
        let Some(wait) = backoff.next_wait(until) else {
            break true;
        };
        if !control.pause(wait).await {
            break false;
        }
    };
    let Some((sight, verdicts)) = last else {
        return Ok(None);
    };
    for (room, status) in rooms.iter_mut().zip(verdicts) {
        // An interrupted run did not wait long enough to judge the other rooms.
        if let Some(status) = status.filter(|status| is_waited_for || is_final(status)) {
            room.status = status;
        }
    }
    Ok(Some(sight.observed))
}

/// Whether a later list cannot change the status.
fn is_final(status: &Status) -> bool {
    !matches!(status, Status::Pending(_) | Status::NotVisible)
}

/// The pending fields according to the ledger, by room and field.
pub(super) type PendingFields<'a> = BTreeMap<(&'a Pipe, Field), &'a PendingField>;

/// What one list proves about the rooms.
struct Evidence<'a> {
    /// Fields whose value an earlier run had already sent.
    pending: PendingFields<'a>,
    sight: &'a Sight,
    /// The writes of this run that the list shows, the latest first, and when they were sent.
    shown_writes: Vec<(Instant, &'a Pipe)>,
}

impl<'a> Evidence<'a> {
    fn new(plan: &'a Plan, rooms: &'a [RoomOutcome], sight: &'a Sight) -> Self {
        let shown = rooms.iter().zip(&plan.changes);
        let shown = shown.filter(|(room, change)| is_shown(room, change, sight));
        let mut shown_writes: Vec<(Instant, &Pipe)> = shown
            .filter_map(|(room, _)| Some((room.sent_at?, &room.pipe)))
            .collect();
        shown_writes.sort_unstable_by(|one, other| other.cmp(one));
        Self {
            pending: pending_fields(plan),
            sight,
            shown_writes,
        }
    }

    /// The status of a room whose writes were all confirmed; `None` for others, which keep their status.
    fn settle(&self, room: &RoomOutcome, change: &Change) -> Option<Status> {
        let id = room.id.filter(|_| room.status == Status::Applied)?;
        let pipe = self.sight.pipes.get(&id);
        if let Some(pipe) = pipe.filter(|pipe| **pipe != room.pipe) {
            let reason = format!("the server wrote to room {id}, whose pipe is `{pipe}`");
            return Some(Status::Conflict(reason));
        }
        let live: Vec<&LiveRoom> = self.sight.observed.live(&room.pipe).collect();
        if live.len() > 1 {
            let ids: Vec<RoomId> = live.iter().map(|row| row.id).collect();
            return Some(Status::several(&ids));
        }
        let Some(row) = live.first().filter(|row| row.id == id) else {
            return Some(Status::NotVisible);
        };
        // Nothing was written to a room that only waits for its welcome, so its values do not matter.
        let sent = Field::ALL.into_iter().filter(|_| !change.is_welcome_only());
        let differing: Vec<(Field, FieldValue, FieldValue)> = sent
            .map(|field| (field, change.send.value(field), row.state.value(field)))
            .filter(|(_, sent, shown)| sent != shown)
            .collect();
        Some(if differing.is_empty() {
            Status::Verified
        } else if self.is_fresh(room, row, &differing) {
            Status::Ignored(differing)
        } else {
            Status::Pending(differing)
        })
    }

    /// Whether the list is newer than the room's write: it shows another write of this run that was
    /// sent after the room's write was answered. If the room has not changed since an earlier run
    /// sent the same values, any other write of this run counts as later.
    fn is_fresh(
        &self,
        room: &RoomOutcome,
        row: &LiveRoom,
        differing: &[(Field, FieldValue, FieldValue)],
    ) -> bool {
        let mut others = self.shown_writes.iter();
        let Some((sent, _)) = others.find(|(_, pipe)| **pipe != room.pipe) else {
            return false;
        };
        let was_sent_before = |(field, sent, _): &(Field, FieldValue, _)| {
            let was = self.pending.get(&(&room.pipe, *field));
            was.is_some_and(|was| {
                was.sent == *sent && row.updated_at.is_some() && was.updated_at == row.updated_at
            })
        };
        room.answered_at.is_some_and(|answered| *sent > answered)
            || differing.iter().all(was_sent_before)
    }
}

/// The fields that earlier runs sent and that the plan sends again.
pub(super) fn pending_fields(plan: &Plan) -> PendingFields<'_> {
    let pending = plan.notes.iter().filter_map(|note| match note {
        Note::Pending { pipe, field, was } => Some(((pipe, *field), was)),
        _ => None,
    });
    pending.collect()
}

/// Whether the list shows a write of this run: a room that it created, or a field that it changed.
fn is_shown(room: &RoomOutcome, change: &Change, sight: &Sight) -> bool {
    let mut rows = sight.observed.live(&room.pipe);
    let Some(row) = rows.find(|row| Some(row.id) == room.id) else {
        return false;
    };
    if change.is_create() {
        // If another run created the room, or the room existed and the plan's list did not show it,
        // then a list from before this write may show it, too.
        let is_new = !room.was_uncertain && room.id != change.replaces;
        let is_as_sent = |field| row.state.is_same(field, &change.send);
        return is_new && Field::ALL.into_iter().all(is_as_sent);
    }
    // A value that is shown now may come from an earlier write, and the list may be older than the plan's. The server's times
    // sort as text.
    let times = row.updated_at.as_ref().zip(change.updated_at.as_ref());
    let is_new =
        |field: &FieldChange| !field.was_sent && row.state.value(field.field) == field.after;
    times.is_some_and(|(shown, before)| shown > before) && change.fields.iter().any(is_new)
}
