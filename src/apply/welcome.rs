//! Sends the welcome of a new room after the list shows the room under its pipe, so that the
//! message reaches the right room.
//!
//! The ledger records the intent before the message is sent. From then on, the message is sent
//! again only if the server certainly did not act on it.

use tokio::time::Instant;
use tracing::info;

use super::attempts::{Unsent, attempts};
use super::job::{Job, Stop};
use super::outcome::{Doubt, Halt, RoomOutcome, Status};
use crate::imbachat::{Call, Cause, Message, SendMessages};
use crate::ledger::{Claim, Claimed, Fact, Record, RoomFact, Stage};
use crate::model::Welcome;
use crate::plan::Change;

/// The hint for a 404. Only the server's message says whether the call, the room or the user is
/// unknown.
const UNKNOWN: &str = "check the sender with `roomform get users` (`from` is the remote_user_id) and the room with `roomform get rooms`; also check --api-url";

/// Separates the rooms whose welcome can be sent now from all other rooms. If the writes of a
/// room could not be verified, its welcome is left for the next run.
pub(super) fn due(
    changes: &[Change],
    rooms: Vec<RoomOutcome>,
) -> (Vec<(&Change, RoomOutcome)>, Vec<RoomOutcome>) {
    let (mut due, mut others) = (Vec::new(), Vec::new());
    for (change, room) in changes.iter().zip(rooms) {
        // If some members are not confirmed, the next run first sends the members, then the
        // welcome.
        let is_clean = change.welcome.is_some() && room.errors.is_empty();
        match room.status {
            Status::Verified | Status::Pending(_) | Status::Ignored(_) if is_clean => {
                due.push((change, room));
            }
            Status::Applied if is_clean => others.push(put_off(room)),
            _ => others.push(room),
        }
    }
    (due, others)
}

/// Returns the outcome of a room whose welcome is left for the next run.
pub(super) fn put_off(room: RoomOutcome) -> RoomOutcome {
    let status = match room.sent_at {
        None => Status::NotStarted,
        Some(_) => Status::Unfinished,
    };
    RoomOutcome { status, ..room }
}

/// Sends the welcome of one room. Keeps the room's status if the welcome is sent, or if there
/// is nothing to send: no create in the ledger still needs the welcome, or another run has
/// claimed it.
pub(super) async fn welcome<R, W: SendMessages, L: Record>(
    job: &Job<'_, R, W, L>,
    change: &Change,
    mut outcome: RoomOutcome,
) -> RoomOutcome {
    let begun = Instant::now();
    let said = say(job, change, &mut outcome).await;
    outcome.took += begun.elapsed();
    match said {
        Ok(()) => outcome,
        Err(Stop::Run) => put_off(outcome),
        Err(Stop::Room(status)) => {
            if job.control.fail_fast {
                job.control.stop(Halt::FailFast);
            }
            RoomOutcome { status, ..outcome }
        }
    }
}

async fn say<R, W: SendMessages, L: Record>(
    job: &Job<'_, R, W, L>,
    change: &Change,
    outcome: &mut RoomOutcome,
) -> Result<(), Stop> {
    let (Some(Welcome { from, text }), Some(room)) = (&change.welcome, outcome.id) else {
        return Ok(());
    };
    if job.control.halted().is_some() {
        return Err(Stop::Run);
    }
    let fact = |stage| {
        Fact::Room(
            change.pipe.clone(),
            room,
            RoomFact::Message { from: *from, stage },
        )
    };
    let pipe = change.pipe.clone();
    let message = Claim::Message { pipe, room };
    let claim = job.ledger.claim(message, fact(Stage::Intended));
    let claimed = job.recorded(claim).await?;
    if claimed != Claimed::Ours {
        info!(pipe = %change.pipe, "the welcome is not sent: the ledger has no create of this room that still needs a welcome, or another run is sending it");
        return Ok(());
    }
    let message = Message {
        room,
        from: *from,
        text,
    };
    let send = || job.writer.send(&message);
    let sent = attempts(Call::Message, job, outcome, None, send).await;
    let (stage, end) = match sent {
        Ok(_) => (Stage::Confirmed, Ok(())),
        Err(Unsent::Uncertain(failure)) => {
            let status = Status::Uncertain(Doubt::Welcome, failure.message);
            return Err(Stop::Room(status));
        }
        Err(Unsent::Halted | Unsent::Held) => (Stage::Failed, Err(Stop::Run)),
        Err(Unsent::Failed(failure)) => {
            let hint = match failure.cause {
                Some(Cause::Status(404) | Cause::Body(404)) => Some(UNKNOWN.to_owned()),
                _ => failure.hint,
            };
            let reason = format!("the welcome was not sent: {}", failure.message);
            (
                Stage::Failed,
                Err(Stop::Room(Status::Failed { reason, hint })),
            )
        }
    };
    let recorded = job.record(vec![fact(stage)]).await;
    recorded.map_err(|stop| match stage {
        Stage::Confirmed => Stop::Room(Status::Unfinished),
        _ => stop,
    })?;
    outcome.messages += usize::from(stage == Stage::Confirmed);
    end
}
