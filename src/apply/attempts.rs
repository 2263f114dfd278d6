//! Sends one call as often as the retry table allows, within the run's limits. Before a create is sent, its claim is on disk, and is
//! renewed unless it is young. Another run takes over an old claim.

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tracing::{debug, field, info};

use super::control::{Control, Halt};
use super::outcome::{RoomOutcome, Status};
use crate::imbachat::{Call, Delivery, Failure, Verdict, verdict};
use crate::ledger::{Claim, Claimed, Fact, LedgerError, PipeFact, Record};
use crate::model::UserId;
use crate::plan::Change;

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

/// Sends a call until it succeeds, must not be retried, or the run ends. Counts every attempt. The claim of a create is renewed
/// before each of them.
pub(super) async fn attempts<T, F, L: Record>(
    call: Call,
    control: &Control,
    outcome: &mut RoomOutcome,
    create: Option<&CreateClaim<'_, L>>,
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
        if let Some(claim) = create {
            claim.renew().await?;
            // The run may have ended meanwhile.
            if control.halted().is_some() {
                return Err(Unsent::Halted);
            }
        }
        outcome.requests += 1;
        outcome.sends += u32::from(call == Call::Message);
        outcome.retries += u32::from(attempt > 1);
        let sent = Instant::now();
        let answer = control.unless_stopped(send()).await;
        let answer = answer.unwrap_or_else(|| Err(Failure::passing(Delivery::Uncertain, STOPPED)));
        let has_acted = match &answer {
            Ok(_) => true,
            Err(failure) => failure.delivery == Delivery::Uncertain,
        };
        if has_acted && call != Call::Message {
            outcome.sent_at.get_or_insert(sent);
        }
        let failure = match answer {
            Ok(answer) => {
                control.pace.answered(sent.elapsed());
                if call != Call::Message {
                    outcome.answered_at = Some(Instant::now());
                }
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
                // If this ends early, so does the run.
                control.pause(wait.duration(&control.dice)).await;
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

/// A claim younger than this is not renewed before the create is sent. After a longer time, another
/// run may have found the room, or may be about to take over the claim.
const YOUNG: Duration = Duration::from_secs(1);

/// A run's claim of one create.
pub(super) struct CreateClaim<'a, L> {
    pub(super) change: &'a Change,
    /// The members to send to the new room, sorted.
    pub(super) members: Vec<UserId>,
    pub(super) ledger: &'a L,
    pub(super) control: &'a Control,
    /// When it was last written.
    made_at: Cell<Option<Instant>>,
}

impl<'a, L: Record> CreateClaim<'a, L> {
    pub(super) fn new(change: &'a Change, ledger: &'a L, control: &'a Control) -> Self {
        let mut members: Vec<UserId> = change.members.sent().collect();
        members.sort_unstable();
        Self {
            change,
            members,
            ledger,
            control,
            made_at: Cell::new(None),
        }
    }

    /// Whether this run holds the claim.
    pub(super) fn is_made(&self) -> bool {
        self.made_at.get().is_some()
    }

    /// Writes the intent, unless another run holds the claim. Ends the claim of the run `takes_over`.
    pub(super) async fn make(&self, takes_over: Option<String>) -> Result<Claimed, Stop> {
        let Change { pipe, welcome, .. } = self.change;
        let claim = Claim::Create {
            pipe: pipe.clone(),
            replaces: self.change.replaces,
            takes_over,
        };
        let intent = Fact::Pipe(
            pipe.clone(),
            PipeFact::Intent {
                members: self.members.clone(),
                welcome: welcome.is_some(),
            },
        );
        let begun = Instant::now();
        let claimed = recorded(self.control, self.ledger.claim(claim, intent)).await?;
        debug!(%pipe, owed = self.members.len(), ?claimed, "claimed the create");
        let made_at = (claimed == Claimed::Ours).then_some(begun);
        self.made_at.set(made_at);
        Ok(claimed)
    }

    /// Renews a claim before the create is sent, unless it is young.
    async fn renew(&self) -> Result<(), Unsent> {
        let young = YOUNG.min(self.control.patience.verify);
        let is_young = |made_at: Instant| made_at.elapsed() < young;
        if self.made_at.get().is_some_and(is_young) {
            return Ok(());
        }
        match self.make(None).await {
            Ok(Claimed::Ours) => Ok(()),
            Ok(Claimed::Held { .. } | Claimed::Created(_)) => Err(Unsent::Held),
            Err(_) => Err(Unsent::Halted),
        }
    }

    /// Ends the claim, because the create did nothing.
    pub(super) async fn end(&self) {
        let fact = Fact::Pipe(self.change.pipe.clone(), PipeFact::NotCreated(None));
        // If this fails, the claim stays open, which is safe.
        let _ = recorded(self.control, self.ledger.append(vec![fact])).await;
    }
}
