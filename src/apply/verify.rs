//! Verifies the writes: reads the list again and compares it with what was sent, field by field.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use tracing::info;

use super::job::Job;
use super::outcome::{RoomOutcome, Status};
use crate::imbachat::{Failure, ReadRooms};
use crate::model::{Field, FieldValue, LiveRoom, Observed, Pipe, RoomId, RoomState};

/// Maximum number of reads; the list may lag behind the writes.
const LOOKS: u32 = 3;
/// The wait before the second read. It doubles each time.
const WAIT: Duration = Duration::from_millis(250);

/// What the list showed after the writes.
struct Sight {
    /// Rooms in the manifest.
    observed: Observed,
    /// The pipes of written rooms in the list.
    pipes: BTreeMap<RoomId, Pipe>,
}

/// Reads the list until every room shows what was sent, at most three times, and settles the rooms by the last read.
pub(super) async fn verify<R: ReadRooms, W, L>(
    job: &Job<'_, R, W, L>,
    rooms: &mut [RoomOutcome],
    sent: &BTreeMap<Pipe, RoomState>,
) -> Result<Observed, Failure> {
    let Job {
        filter,
        reader,
        control,
        ..
    } = job;
    let applied = rooms.iter().filter(|room| room.status == Status::Applied);
    let written: BTreeSet<RoomId> = applied.filter_map(|room| room.id).collect();
    let nothing_yet = || {
        control.reads.fetch_add(1, Ordering::Relaxed);
        let mut observed = filter.empty_list();
        observed.is_partial = reader.is_partial();
        Sight {
            observed,
            pipes: BTreeMap::new(),
        }
    };
    let mut look = 1;
    loop {
        let sight = reader
            .collect(&control.dice, nothing_yet, |sight, row| {
                if written.contains(&row.id) {
                    sight.pipes.insert(row.id, row.pipe.clone());
                }
                filter.take(&mut sight.observed, row);
            })
            .await?;
        let verdicts = rooms.iter().map(|room| settle(room, &sight, sent));
        let verdicts: Vec<Option<Status>> = verdicts.collect();
        let mut known = verdicts.iter().flatten();
        let settled = known.all(|status| *status == Status::Verified);
        info!(look, settled, "verified the writes");
        if settled || look == LOOKS || !control.pause(WAIT * 2_u32.pow(look - 1)).await {
            for (room, status) in rooms.iter_mut().zip(verdicts) {
                room.status = status.unwrap_or_else(|| room.status.clone());
            }
            return Ok(sight.observed);
        }
        look += 1;
    }
}

/// The status of a room whose writes were all confirmed; `None` for others, which keep their status.
fn settle(room: &RoomOutcome, sight: &Sight, sent: &BTreeMap<Pipe, RoomState>) -> Option<Status> {
    let id = room.id.filter(|_| room.status == Status::Applied)?;
    if let Some(pipe) = sight.pipes.get(&id).filter(|pipe| **pipe != room.pipe) {
        let reason = format!("the server wrote to room {id}, whose pipe is `{pipe}`");
        return Some(Status::Conflict(reason));
    }
    let live: Vec<&LiveRoom> = sight.observed.live(&room.pipe).collect();
    if live.len() > 1 {
        let ids: Vec<String> = live.iter().map(|row| row.id.to_string()).collect();
        let reason = "more than one live room has this pipe now";
        return Some(Status::Conflict(format!("{reason}: {}", ids.join(", "))));
    }
    let Some(row) = live.first().filter(|row| row.id == id) else {
        return Some(Status::NotVisible);
    };
    // Nothing was written to a room that only waits for its welcome, so its values do not matter.
    let sent = sent.get(&room.pipe).into_iter();
    let ignored: Vec<(Field, FieldValue, FieldValue)> = sent
        .flat_map(|sent| Field::ALL.map(|field| (field, sent.value(field), row.state.value(field))))
        .filter(|(_, sent, shown)| sent != shown)
        .collect();
    Some(if ignored.is_empty() {
        Status::Verified
    } else {
        Status::Ignored(ignored)
    })
}
