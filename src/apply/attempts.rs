//! One call, sent as often as the retry table allows, at the run's pace.

use tokio::time::Instant;
use tracing::{field, info};

use super::control::{Control, Halt};
use super::outcome::{RoomOutcome, Status};
use crate::imbachat::{Call, Delivery, Failure, Verdict, verdict};
use crate::ledger::LedgerError;

/// Why a call did not come to a good answer.
#[derive(Debug)]
pub(super) enum Unsent {
    /// The run ended before it was sent again, or at all: the server did not act on it.
    Halted,
    /// It was not done.
    Failed(Failure),
    /// Nobody knows.
    Uncertain(Failure),
}

/// Sends a call until it is answered well, must not be sent again, or the run ends. Every try is counted.
pub(super) async fn attempts<T, F>(
    call: Call,
    control: &Control,
    outcome: &mut RoomOutcome,
    send: impl Fn() -> F,
) -> Result<T, Unsent>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut attempt = 1;
    loop {
        control.unless_interrupted(control.pace.turn()).await;
        if control.halted().is_some() {
            return Err(Unsent::Halted);
        }
        outcome.requests += 1;
        outcome.sends += u32::from(call == Call::Message);
        outcome.retries += u32::from(attempt > 1);
        let sent = Instant::now();
        let failure = match send().await {
            Ok(answer) => {
                control.pace.answered(sent.elapsed());
                return Ok(answer);
            }
            Err(failure) => failure,
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

/// Why what is done for a room ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// The server or the network; other rooms go on.
    Room(Status),
    /// The ledger, or the run's end: nothing may be sent any more.
    Run,
}

impl Stop {
    /// The ledger cannot be written: the end of the run.
    pub(super) fn ledger(control: &Control, error: &LedgerError) -> Self {
        control.stop(Halt::Ledger(error.to_string()));
        Self::Run
    }
}
