//! The claim of a create: on disk before the create is sent, and renewed unless it is young. Another run takes over an old claim.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::debug;

use super::attempts::{Stop, Unsent, recorded};
use super::control::Control;
use crate::ledger::{Claim, Claimed, Fact, Record};
use crate::model::UserId;
use crate::plan::Change;

/// A claim that is younger than this is not renewed before the create is sent. In a longer time, another run may have found a room
/// that this run's list did not show, or may soon take over.
const YOUNG: Duration = Duration::from_secs(1);

/// A run's claim of one create.
pub(super) struct CreateClaim<'a, L> {
    pub(super) change: &'a Change,
    /// The members that the new room is owed, sorted.
    pub(super) members: Vec<UserId>,
    pub(super) ledger: &'a L,
    pub(super) control: &'a Control,
    /// When it was last written.
    made_at: Mutex<Option<Instant>>,
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
            made_at: Mutex::new(None),
        }
    }

    /// Whether this run holds the claim.
    pub(super) fn is_made(&self) -> bool {
        self.made_at().is_some()
    }

    /// Writes the intent, unless another run holds the claim. Ends the claim of the run `takes_over`.
    pub(super) async fn make(&self, takes_over: Option<String>) -> Result<Claimed, Stop> {
        let Change { pipe, welcome, .. } = self.change;
        let claim = Claim::Create {
            pipe: pipe.clone(),
            replaces: self.change.replaces,
            takes_over,
        };
        let intent = Fact::Intent {
            pipe: pipe.clone(),
            members: self.members.clone(),
            welcome: welcome.is_some(),
        };
        let begun = Instant::now();
        let claimed = recorded(self.control, self.ledger.claim(claim, intent)).await?;
        debug!(%pipe, owed = self.members.len(), ?claimed, "claimed the create");
        let made_at = (claimed == Claimed::Ours).then_some(begun);
        *self.made_at.lock().unwrap_or_else(PoisonError::into_inner) = made_at;
        Ok(claimed)
    }

    /// Renews a claim before the create is sent, unless it is young.
    pub(super) async fn renew(&self) -> Result<(), Unsent> {
        let young = YOUNG.min(self.control.patience.verify);
        let is_young = |made_at: Instant| made_at.elapsed() < young;
        if self.made_at().is_some_and(is_young) {
            return Ok(());
        }
        match self.make(None).await {
            Ok(Claimed::Ours) => Ok(()),
            Ok(Claimed::Held { .. } | Claimed::Created(_)) => Err(Unsent::Held),
            Err(_) => Err(Unsent::Halted),
        }
    }

    /// Ends the claim: the create did nothing.
    pub(super) async fn end(&self) {
        let fact = Fact::NotCreated {
            pipe: self.change.pipe.clone(),
            of_run: None,
        };
        // If this fails, the claim stays open, which is safe.
        let _ = recorded(self.control, self.ledger.append(vec![fact])).await;
    }

    fn made_at(&self) -> Option<Instant> {
        *self.made_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
