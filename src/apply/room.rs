//! One room: intent, calls in order, a confirmation after each. Knows nothing of other rooms.

use tokio::time::Instant;
use tracing::{debug, info};

use super::attempts::{Stop, Unsent, attempts};
use super::control::{Control, Halt};
use super::outcome::{Doubt, RoomOutcome, Status};
use crate::imbachat::{Call, RoomWrite, WriteRooms};
use crate::ledger::{Fact, Record};
use crate::model::{RoomId, UserId};
use crate::plan::{CHUNK, Change};

/// Carries one change out, or what is left of it: `outcome` is where it stands, and comes back provisional (`Applied` at
/// best) until the list was read again.
pub(super) async fn carry_out(
    change: &Change,
    mut outcome: RoomOutcome,
    writer: &impl WriteRooms,
    ledger: &impl Record,
    control: &Control,
) -> RoomOutcome {
    let (begun, sent_before) = (Instant::now(), outcome.requests);
    outcome.status = match walk(change, writer, ledger, control, &mut outcome).await {
        Ok(()) => Status::Applied,
        Err(Stop::Room(status)) => status,
        Err(Stop::Run) if outcome.requests == sent_before => outcome.status,
        Err(Stop::Run) => Status::Unfinished,
    };
    outcome.took += begun.elapsed();
    let (status, members) = (outcome.status.name(), outcome.members);
    info!(pipe = %outcome.pipe, room = outcome.id.map(|id| id.0), status, members, requests = outcome.requests, "room settled");
    let well = matches!(
        outcome.status,
        Status::Applied | Status::NotStarted | Status::Unfinished
    );
    if !well && control.fail_fast {
        control.stop(Halt::FailFast);
    }
    outcome
}

async fn walk(
    change: &Change,
    writer: &impl WriteRooms,
    ledger: &impl Record,
    control: &Control,
    outcome: &mut RoomOutcome,
) -> Result<(), Stop> {
    let broken = |error| Stop::ledger(control, &error);
    let mut members: Vec<UserId> = change.members.sent().collect();
    members.sort_unstable();
    if control.halted().is_some() {
        return Err(Stop::Run);
    }
    if outcome.id.is_none() {
        let intent = Fact::Intent {
            pipe: change.pipe.clone(),
            members: members.clone(),
            welcome: change.welcome.is_some(),
        };
        ledger.append(vec![intent]).await.map_err(broken)?;
        debug!(pipe = %change.pipe, owed = members.len(), "the intent is on disk");
    }
    let no_members: &[UserId] = &[];
    let chunks = match members.len() {
        // Nothing is to be written: the list is read, and then the room is welcomed.
        0 if change.is_welcome_only() => Vec::new(),
        0 => vec![no_members],
        _ => members.chunks(CHUNK).collect(),
    };
    for chunk in chunks {
        let write = RoomWrite {
            room: outcome.id,
            pipe: &change.pipe,
            state: &change.send,
            members: chunk,
        };
        let room = send(&write, writer, control, outcome).await?;
        same_room(outcome.id, room).map_err(Stop::Room)?;
        outcome.id = Some(room);
        let (pipe, sent) = (change.pipe.clone(), change.send.clone());
        let confirmed = Fact::Confirmed {
            pipe,
            room,
            members: chunk.to_vec(),
            sent,
            kept: change.kept,
        };
        ledger.append(vec![confirmed]).await.map_err(broken)?;
        outcome.members += chunk.len();
    }
    Ok(())
}

/// Sends one call as often as the retry table allows.
async fn send(
    write: &RoomWrite<'_>,
    writer: &impl WriteRooms,
    control: &Control,
    outcome: &mut RoomOutcome,
) -> Result<RoomId, Stop> {
    let call = if write.room.is_some() {
        Call::Update
    } else {
        Call::Create
    };
    let answer = attempts(call, control, outcome, || writer.write(write)).await;
    answer.map_err(|unsent| match unsent {
        Unsent::Halted => Stop::Run,
        Unsent::InDoubt(failure) if call == Call::Create => {
            Stop::Room(Status::InDoubt(Doubt::Create, failure.message))
        }
        Unsent::InDoubt(failure) | Unsent::Failed(failure) => Stop::failed(failure),
    })
}

/// The server must have written to the room that was meant.
fn same_room(meant: Option<RoomId>, answered: RoomId) -> Result<(), Status> {
    match meant {
        Some(meant) if meant != answered => Err(Status::Conflict(format!(
            "room {meant} was meant, the server answered for room {answered}"
        ))),
        _ => Ok(()),
    }
}
