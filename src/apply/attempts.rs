//! Sends one call, with the retries that the retry table and the run's limits allow.
//!
//! A run records its claim of a create before it sends the create. It renews the claim before each
//! attempt unless the claim is young, because other runs take over old claims.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{debug, field, info};

use super::job::{Job, Stop};
use super::outcome::{Halt, RoomOutcome};
use crate::imbachat::{Call, Delivery, Failure, Verdict, verdict};
use crate::ledger::{Claim, Claimed, Fact, PipeFact, Record};
use crate::model::UserId;
use crate::plan::Change;

/// Why a call did not succeed.
#[derive(Debug)]
pub(super) enum Unsent {
    /// The run ended before the call was sent or retried. An earlier attempt of an update may have
    /// succeeded.
    Halted,
    /// The server did not act on the call.
    Failed(Failure),
    /// The server may have acted on the call.
    Uncertain(Failure),
    /// Another run claimed the create.
    Held,
}

/// The failure to report if the user stops the run before the server answers a request.
const STOPPED: &str = "the run was stopped before the server answered";

/// Sends a call, and retries it until it succeeds, may not be retried, or the run ends. Counts
/// every attempt. Renews the claim before each attempt of a create.
pub(super) async fn attempts<T, F, R, W, L: Record>(
    call: Call,
    job: &Job<'_, R, W, L>,
    outcome: &mut RoomOutcome,
    create: Option<&CreateClaim<'_, R, W, L>>,
    send: impl Fn() -> F,
) -> Result<T, Unsent>
where
    F: Future<Output = Result<T, Failure>>,
{
    let control = &job.control;
    let mut attempt = 1;
    loop {
        control.unless_interrupted(control.pace.turn()).await;
        if control.halted().is_some() {
            return Err(Unsent::Halted);
        }
        if let Some(claim) = create {
            claim.renew().await?;
            // The run may have ended while the claim was renewed.
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
        if failure.is_denied() {
            control.stop(Halt::Denied);
        }
        if !failure.lasting && failure.delivery != Delivery::Refused {
            control.pace.pushed_back();
        }
        let verdict = verdict(call, &failure, attempt);
        info!(pipe = %outcome.pipe, ?call, attempt, cause = failure.cause.map(field::debug), ?verdict, "a call failed");
        match verdict {
            Verdict::Again(wait) => {
                // An interrupt ends this wait early, and then ends the loop.
                control.pause(wait.duration(&control.dice)).await;
            }
            Verdict::Uncertain => return Err(Unsent::Uncertain(failure)),
            Verdict::Final => return Err(Unsent::Failed(failure)),
        }
        attempt += 1;
    }
}

/// A claim older than this is renewed before its create is sent, because another run may
/// already have found the room, or be about to take over the claim.
const YOUNG: Duration = Duration::from_secs(1);

/// A claim that reserves the create of one room for this run.
pub(super) struct CreateClaim<'a, R, W, L> {
    pub(super) job: &'a Job<'a, R, W, L>,
    pub(super) change: &'a Change,
    /// The members to send to the new room, sorted.
    pub(super) members: Vec<UserId>,
    /// When this run last wrote the claim; `None` if it was not granted.
    made_at: Cell<Option<Instant>>,
}

impl<'a, R, W, L: Record> CreateClaim<'a, R, W, L> {
    pub(super) fn new(job: &'a Job<'a, R, W, L>, change: &'a Change) -> Self {
        let mut members: Vec<UserId> = change.members.sent().collect();
        members.sort_unstable();
        Self {
            job,
            change,
            members,
            made_at: Cell::new(None),
        }
    }

    /// Whether this run holds the claim.
    pub(super) fn is_made(&self) -> bool {
        self.made_at.get().is_some()
    }

    /// Records the intent to create the room, unless another run holds the claim. If
    /// `takes_over` names a run, ends the claim of that run.
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
        let claim = self.job.ledger.claim(claim, intent);
        let claimed = self.job.recorded(claim).await?;
        debug!(%pipe, owed = self.members.len(), ?claimed, "claimed the create");
        let made_at = (claimed == Claimed::Ours).then_some(begun);
        self.made_at.set(made_at);
        Ok(claimed)
    }

    /// Records the claim again, unless it is young.
    async fn renew(&self) -> Result<(), Unsent> {
        let young = YOUNG.min(self.job.control.patience.verify);
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

    /// Records that the create did nothing, which ends the claim.
    pub(super) async fn end(&self) {
        let fact = Fact::Pipe(self.change.pipe.clone(), PipeFact::NotCreated(None));
        // If this write fails, the claim stays open, which is safe.
        let _ = self.job.record(vec![fact]).await;
    }
}
