//! Sends one call as often as the retry table allows, within the run's limits.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tracing::{field, info};

use super::control::{Control, Halt};
use super::outcome::{RoomOutcome, Status};
use crate::imbachat::{Call, Delivery, Failure, Verdict, verdict};
use crate::ledger::LedgerError;

/// Why a call did not succeed.
#[derive(Debug)]
pub(super) enum Unsent {
    /// The run ended before the call was sent or retried. For an update, an earlier attempt may have succeeded.
    Halted,
    /// The server did not act on it.
    Failed(Failure),
    /// The server may have acted on it.
    Uncertain(Failure),
    /// Another run claimed the create.
    Held,
}

/// The failure of a request whose answer the user did not wait for.
const STOPPED: &str = "the run was stopped before the server answered";

/// How long the ledger may take after the second signal.
const GRACE: Duration = Duration::from_millis(500);

/// Sends a call until it succeeds, must not be retried, or the run ends. Counts every attempt. `ready` runs before each of them.
pub(super) async fn attempts<T, F, R>(
    call: Call,
    control: &Control,
    outcome: &mut RoomOutcome,
    ready: impl Fn() -> R,
    send: impl Fn() -> F,
) -> Result<T, Unsent>
where
    F: Future<Output = Result<T, Failure>>,
    R: Future<Output = Result<(), Unsent>>,
{
    let mut attempt = 1;
    loop {
        control.unless_interrupted(control.pace.turn()).await;
        if control.halted().is_some() {
            return Err(Unsent::Halted);
        }
        ready().await?;
        // The run may have ended while `ready` ran.
        if control.halted().is_some() {
            return Err(Unsent::Halted);
        }
        outcome.requests += 1;
        outcome.sends += u32::from(call == Call::Message);
        outcome.retries += u32::from(attempt > 1);
        let sent = Instant::now();
        if call != Call::Message {
            outcome.sent_at.get_or_insert(sent);
        }
        let failure = match control.unless_stopped(send()).await {
            Some(Ok(answer)) => {
                control.pace.answered(sent.elapsed());
                if call != Call::Message {
                    outcome.answered_at = Some(Instant::now());
                }
                return Ok(answer);
            }
            Some(Err(failure)) => failure,
            None => Failure::passing(Delivery::Uncertain, STOPPED),
        };
        if failure.denied {
            control.stop(Halt::Denied);
        }
        if !failure.lasting && failure.delivery != Delivery::Refused {
            control.pace.pushed_back();
        }
        let verdict = verdict(call, &failure, attempt);
        info!(pipe = %outcome.pipe, ?call, attempt, cause = failure.cause.map(field::debug), ?verdict, "a call failed");
        match verdict {
            Verdict::Again(wait) => {
                if !control.pause(wait.duration(&control.dice)).await {
                    return Err(Unsent::Failed(failure));
                }
            }
            Verdict::Uncertain => return Err(Unsent::Uncertain(failure)),
            Verdict::Final => return Err(Unsent::Failed(failure)),
        }
        attempt += 1;
    }
}

/// Why the work on a room ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// A server or network failure; other rooms continue.
    Room(Status),
    /// The ledger failed or the run ended: nothing more may be sent.
    Run,
}

/// Waits until the ledger has recorded something. If it cannot, or takes too long after the second signal, the run ends.
pub(super) async fn recorded<T>(
    control: &Control,
    recording: impl Future<Output = Result<T, LedgerError>>,
) -> Result<T, Stop> {
    let mut recording = pin!(recording);
    let waiting = control.unless_stopped(&mut recording).await;
    let recorded = match waiting {
        Some(recorded) => Some(recorded),
        None => timeout(GRACE, recording).await.ok(),
    };
    match recorded {
        Some(Ok(answer)) => return Ok(answer),
        Some(Err(error)) => control.stop_for_ledger(&error),
        None => {}
    }
    Err(Stop::Run)
}
