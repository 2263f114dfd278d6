//! One room: intent, calls in order, a confirmation after each. Knows nothing of other rooms.

use tokio::time::Instant;

use super::control::{Control, Halt};
use super::outcome::{RoomOutcome, Status};
use crate::imbachat::{Call, Delivery, Failure, RoomWrite, Verdict, WriteRooms, verdict};
use crate::ledger::{Fact, LedgerError, Record};
use crate::model::{RoomId, UserId};
use crate::plan::{CHUNK, Change};

/// Why a room's walk ended early.
enum Stop {
    /// The server or the network; other rooms go on.
    Room(Status),
    /// The ledger, or the run's end: nothing may be sent any more.
    Run,
}

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
    let broken = |error: LedgerError| {
        control.stop(Halt::Ledger(error.to_string()));
        Stop::Run
    };
    let mut members: Vec<UserId> = change.members.sent().collect();
    members.sort_unstable();
    if control.halted().is_some() {
        return Err(Stop::Run);
    }
    if outcome.id.is_none() {
        let intent = Fact::Intent {
            pipe: change.pipe.clone(),
            members: members.clone(),
        };
        ledger.append(vec![intent]).await.map_err(broken)?;
    }
    let no_members: &[UserId] = &[];
    let chunks = if members.is_empty() {
        vec![no_members]
    } else {
        members.chunks(CHUNK).collect()
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
    let mut attempt = 1;
    loop {
        control.unless_interrupted(control.pace.turn()).await;
        if control.halted().is_some() {
            return Err(Stop::Run);
        }
        outcome.requests += 1;
        outcome.retries += u32::from(attempt > 1);
        let sent = Instant::now();
        let failure = match writer.write(write).await {
            Ok(room) => {
                control.pace.answered(sent.elapsed());
                return Ok(room);
            }
            Err(failure) => failure,
        };
        if failure.denied {
            control.stop(Halt::Denied);
        }
        if !failure.lasting && failure.delivery != Delivery::Refused {
            control.pace.pushed_back();
        }
        match verdict(call, &failure, attempt) {
            Verdict::Again(wait) => {
                if !control.pause(wait.thrown(&control.dice)).await {
                    return Err(Stop::Room(failed(failure)));
                }
            }
            Verdict::InDoubt if call == Call::Create => {
                return Err(Stop::Room(Status::InDoubt(failure.message)));
            }
            Verdict::InDoubt | Verdict::Final => return Err(Stop::Room(failed(failure))),
        }
        attempt += 1;
    }
}

fn failed(failure: Failure) -> Status {
    Status::Failed {
        reason: failure.message,
        hint: failure.hint,
    }
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
