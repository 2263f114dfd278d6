//! Sends the calls of one room in order. Records the intent before the first call, and a
//! confirmation after each call.

use tokio::time::Instant;
use tracing::info;

use super::attempts::{CreateClaim, Unsent, attempts};
use super::job::{Job, Stop};
use super::limiter::Permit;
use super::outcome::{Doubt, Halt, RoomOutcome, Status};
use crate::imbachat::{Call, Failure, RoomWrite, WriteRooms, Written};
use crate::ledger::{Claimed, Fact, Record, RoomFact};
use crate::model::UserId;
use crate::plan::{CHUNK, Change};

/// The reason to report for a room that another run has claimed and may be creating.
const HELD: &str = "another run is creating this room";

/// Applies one change, or the rest of it; `outcome` is the progress so far. The returned status is
/// provisional until the list is read again: at best it is `Applied`.
pub(super) async fn carry_out<R, W: WriteRooms, L: Record>(
    job: &Job<'_, R, W, L>,
    change: &Change,
    mut outcome: RoomOutcome,
) -> RoomOutcome {
    let claim = CreateClaim::new(job, change);
    let mut slot = Slot::default();
    let done = send_calls(&claim, &mut outcome, &mut slot).await;
    outcome.status = match done {
        Ok(()) => Status::Applied,
        Err(Stop::Room(status)) => status,
        // The server has acted on no call: nothing was sent, or it asked to try later.
        Err(Stop::Run) if outcome.sent_at.is_none() => outcome.status,
        Err(Stop::Run) => Status::Unfinished,
    };
    let is_uncertain = matches!(outcome.status, Status::Uncertain(..));
    if claim.is_made() && outcome.id.is_none() && !is_uncertain {
        claim.end().await;
    }
    outcome.took += slot.since.map(|since| since.elapsed()).unwrap_or_default();
    let (status, members) = (outcome.status.name(), outcome.members);
    info!(pipe = %outcome.pipe, room = outcome.id.map(|id| id.0), status, members, requests = outcome.requests, "room settled");
    let well = outcome.errors.is_empty()
        && matches!(
            outcome.status,
            Status::Applied
                | Status::NotStarted
                | Status::Unfinished
                | Status::Uncertain(Doubt::OtherRun, _)
        );
    if !well && job.control.fail_fast {
        // The room still holds its permit, so no other room has started after the failure.
        job.control.stop(Halt::FailFast);
    }
    drop(slot);
    outcome
}

/// The permit of a room, and the time when the room was ready to use the permit.
#[derive(Debug, Default)]
struct Slot<'a> {
    permit: Option<Permit<'a>>,
    since: Option<Instant>,
}

/// Waits for a permit to write a room, and claims the create of a new room in the meantime. Rooms
/// get permits in the plan's order, even if the intent of a later room is on disk first.
async fn wait_for_slot<'a, R, W, L: Record>(
    claim: &CreateClaim<'a, R, W, L>,
    outcome: &mut RoomOutcome,
) -> Result<Slot<'a>, Stop> {
    let control = &claim.job.control;
    let promised = async {
        let claimed = match outcome.id {
            None => claim.make(None).await?,
            Some(_) => Claimed::Ours,
        };
        Ok((Instant::now(), claimed))
    };
    let permit = control.unless_interrupted(control.pace.acquire());
    let (permit, promised) = tokio::join!(permit, promised);
    let (ready, claimed) = promised?;
    match claimed {
        Claimed::Ours => {}
        Claimed::Held { .. } => return Err(Stop::Room(held())),
        Claimed::Created(id) => {
            outcome.id = Some(id);
            outcome.was_uncertain = true;
        }
    }
    let Some(permit) = permit else {
        return Err(Stop::Run);
    };
    if permit.since <= ready {
        control.pace.idle();
    }
    Ok(Slot {
        since: Some(permit.since.max(ready)),
        permit: Some(permit),
    })
}

fn held() -> Status {
    Status::Uncertain(Doubt::OtherRun, HELD.to_owned())
}

async fn send_calls<'a, R, W: WriteRooms, L: Record>(
    claim: &CreateClaim<'a, R, W, L>,
    outcome: &mut RoomOutcome,
    slot: &mut Slot<'a>,
) -> Result<(), Stop> {
    let (job, change, members) = (claim.job, claim.change, &claim.members);
    if job.control.halted().is_some() {
        return Err(Stop::Run);
    }
    if members.is_empty() && change.is_welcome_only() {
        // There is nothing to write. The welcome is sent after the list is read.
        return Ok(());
    }
    *slot = wait_for_slot(claim, outcome).await?;
    let no_members: &[UserId] = &[];
    let chunks = match members.len() {
        0 => vec![no_members],
        _ => members.chunks(CHUNK).collect(),
    };
    let mut chunks = chunks.into_iter().peekable();
    while let Some(chunk) = chunks.next() {
        let write = RoomWrite {
            room: outcome.id,
            pipe: &change.pipe,
            state: &change.send,
            members: chunk,
        };
        let Written { room, errors } = send(&write, claim, outcome).await?;
        let confirmed: &[UserId] = if errors.is_empty() { chunk } else { &[] };
        if !errors.is_empty() {
            info!(pipe = %change.pipe, members = chunk.len(), "the answer contains an error: no member is confirmed");
            outcome.unconfirmed.extend(chunk);
        }
        for error in errors {
            if !outcome.errors.contains(&error) {
                outcome.errors.push(error);
            }
        }
        if let Some(meant) = outcome.id.replace(room).filter(|meant| *meant != room) {
            outcome.id = Some(meant);
            // The server wrote to a room other than the intended one.
            return Err(Stop::Room(Status::Conflict(format!(
                "the call was for room {meant}, but the server answered for room {room}"
            ))));
        }
        if chunks.peek().is_none() {
            // This was the room's last call, so the next room may be written while this
            // confirmation is saved. Yield first, so that the next room can reuse this connection.
            tokio::task::yield_now().await;
            slot.permit = None;
        }
        let fact = Fact::Room(
            change.pipe.clone(),
            room,
            RoomFact::Confirmed {
                members: confirmed.to_vec(),
                sent: change.send.clone(),
                kept: change.kept,
                created: change.is_create(),
                source: Some(format!("{}:{}", change.file, change.line).into()),
            },
        );
        job.record(vec![fact]).await?;
        outcome.members += confirmed.len();
    }
    Ok(())
}

async fn send<R, W: WriteRooms, L: Record>(
    write: &RoomWrite<'_>,
    claim: &CreateClaim<'_, R, W, L>,
    outcome: &mut RoomOutcome,
) -> Result<Written, Stop> {
    let call = match write.room {
        Some(_) => Call::Update,
        None => Call::Create,
    };
    let create = (call == Call::Create).then_some(claim);
    let send = || claim.job.writer.write(write);
    let answer = attempts(call, claim.job, outcome, create, send).await;
    answer.map_err(|unsent| match unsent {
        Unsent::Halted => Stop::Run,
        Unsent::Held => Stop::Room(held()),
        Unsent::Uncertain(failure) if call == Call::Create => {
            Stop::Room(Status::Uncertain(Doubt::Create, failure.message))
        }
        Unsent::Uncertain(Failure { message, hint, .. })
        | Unsent::Failed(Failure { message, hint, .. }) => {
            let reason = message;
            Stop::Room(Status::Failed { reason, hint })
        }
    })
}
