//! Verifies the writes: reads the list until it shows what was sent, and compares the rooms field
//! by field.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;
use tracing::info;

use super::job::{Backoff, Job};
use super::outcome::{RoomOutcome, Status};
use crate::imbachat::{Failure, ReadRooms};
use crate::model::{Field, FieldValue, LiveRoom, Observed, PendingField, Pipe, RoomId};
use crate::plan::{Change, FieldChange, Note, Plan};

/// What one read of the list showed after the writes.
struct Sight {
    /// The rooms of the manifest as the list shows them.
    observed: Observed,
    /// The pipes that the list shows for the rooms that were written.
    pipes: BTreeMap<RoomId, Pipe>,
}

/// Reads the list until every room is settled, or until the list can no longer lag. A room is
/// settled if the list shows that its write took effect or was ignored. Sets the statuses of the
/// rooms from the last list, and returns that list; `None` if the run was interrupted before the
/// first read.
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
        // An interrupted run did not wait long enough to judge rooms that are still pending or not
        // visible.
        if let Some(status) = status.filter(|status| is_waited_for || is_final(status)) {
            room.status = status;
        }
    }
    Ok(Some(sight.observed))
}

/// Returns whether a later list cannot change the status.
fn is_final(status: &Status) -> bool {
    !matches!(status, Status::Pending(_) | Status::NotVisible)
}

/// The fields that the ledger records as pending, by pipe and field.
pub(super) type PendingFields<'a> = BTreeMap<(&'a Pipe, Field), &'a PendingField>;

/// What one read of the list proves about the written rooms.
struct Evidence<'a> {
    /// The fields that an earlier run sent and that the list did not show then.
    pending: PendingFields<'a>,
    sight: &'a Sight,
    /// The writes of this run whose effect is visible in the list: when each was sent, and the
    /// pipe of its room. The latest comes first.
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

    /// Returns the new status of a room whose writes were all confirmed; `None` if the room keeps
    /// its status.
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
        // If the plan only sends the room's welcome, the room was not written, so its values
        // are not compared.
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

    /// Returns whether the list is newer than the write of the room. This is certain if the
    /// list shows another write of this run that was sent after the room's write was answered.
    ///
    /// If an earlier run sent the same values and the room has not changed since, it is enough
    /// that the list shows any other write of this run.
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

/// Returns the pending fields that the plan sends again.
pub(super) fn pending_fields(plan: &Plan) -> PendingFields<'_> {
    let pending = plan.notes.iter().filter_map(|note| match note {
        Note::Pending { pipe, field, was } => Some(((pipe, *field), was)),
        _ => None,
    });
    pending.collect()
}

/// Returns whether the list shows a write of this run: a room that it created, or a field that it
/// changed.
fn is_shown(room: &RoomOutcome, change: &Change, sight: &Sight) -> bool {
    let mut rows = sight.observed.live(&room.pipe);
    let Some(row) = rows.find(|row| Some(row.id) == room.id) else {
        return false;
    };
    if change.is_create() {
        // If another run created the room, or if the room existed but was not in the plan's list,
        // even a list from before this write may show it.
        let is_new = !room.was_uncertain && room.id != change.replaces;
        let is_as_sent = |field| row.state.is_same(field, &change.send);
        return is_new && Field::ALL.into_iter().all(is_as_sent);
    }
    // A value in the list may come from an earlier write, and this list may be older than the
    // list that the plan used, so compare the update times. Sorted as text, they are in order.
    let times = row.updated_at.as_ref().zip(change.updated_at.as_ref());
    let is_new =
        |field: &FieldChange| !field.was_sent && row.state.value(field.field) == field.after;
    times.is_some_and(|(shown, before)| shown > before) && change.fields.iter().any(is_new)
}
