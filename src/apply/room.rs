//! One room: intent, calls in order, a confirmation after each. Knows nothing of other rooms.

use super::outcome::{RoomOutcome, Status};
use crate::imbachat::{Call, Failure, RoomWrite, Verdict, WriteRooms, verdict};
use crate::ledger::{Fact, LedgerError, Record};
use crate::model::{RoomId, UserId};
use crate::plan::{Action, CHUNK, Change};

/// Why a room's walk ended early.
pub(super) enum Stop {
    /// The server or the network; other rooms go on.
    Room(Status),
    /// The ledger; nothing may be sent any more.
    Ledger(LedgerError),
}

impl From<LedgerError> for Stop {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

/// Carries one change out. The outcome is provisional (`Applied` at best) until the list was read again.
pub(super) async fn carry_out(
    change: &Change,
    writer: &impl WriteRooms,
    ledger: &impl Record,
) -> (RoomOutcome, Option<LedgerError>) {
    let id = match change.action {
        Action::Create => None,
        Action::Update { id, .. } => Some(id),
    };
    let create = id.is_none();
    let mut outcome = RoomOutcome {
        pipe: change.pipe.clone(),
        id,
        create,
        members: 0,
        requests: 0,
        status: Status::Applied,
    };
    match walk(change, writer, ledger, &mut outcome).await {
        Ok(()) => (outcome, None),
        Err(Stop::Room(status)) => (RoomOutcome { status, ..outcome }, None),
        Err(Stop::Ledger(error)) => {
            let status = if outcome.requests == 0 {
                Status::NotStarted
            } else {
                Status::Applied
            };
            (RoomOutcome { status, ..outcome }, Some(error))
        }
    }
}

async fn walk(
    change: &Change,
    writer: &impl WriteRooms,
    ledger: &impl Record,
    outcome: &mut RoomOutcome,
) -> Result<(), Stop> {
    let mut members: Vec<UserId> = change.members.sent().collect();
    members.sort_unstable();
    if outcome.create {
        ledger
            .append(vec![Fact::Intent {
                pipe: change.pipe.clone(),
                members: members.clone(),
            }])
            .await?;
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
        let room = send(&write, writer, &mut outcome.requests)
            .await
            .map_err(Stop::Room)?;
        same_room(outcome.id, room).map_err(Stop::Room)?;
        outcome.id = Some(room);
        let (pipe, sent) = (change.pipe.clone(), change.send.clone());
        ledger
            .append(vec![Fact::Confirmed {
                pipe,
                room,
                members: chunk.to_vec(),
                sent,
            }])
            .await?;
        outcome.members += chunk.len();
    }
    Ok(())
}

/// Sends one call as often as the retry table allows.
async fn send(
    write: &RoomWrite<'_>,
    writer: &impl WriteRooms,
    requests: &mut u32,
) -> Result<RoomId, Status> {
    let call = if write.room.is_some() {
        Call::Update
    } else {
        Call::Create
    };
    let mut attempt = 1;
    loop {
        *requests += 1;
        let failure = match writer.write(write).await {
            Ok(room) => return Ok(room),
            Err(failure) => failure,
        };
        match verdict(call, &failure, attempt) {
            Verdict::Again(delay) => tokio::time::sleep(delay).await,
            Verdict::InDoubt if call == Call::Create => {
                return Err(Status::InDoubt(failure.message));
            }
            Verdict::InDoubt | Verdict::Final => return Err(failed(failure)),
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
