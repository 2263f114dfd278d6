//! A ledger that is open for writing. When [`Record::append`] returns, the facts are safely
//! stored. Facts that are waiting at the same time are written together.
//!
//! Main type: [`Journal`]. Its writer, in `file_writer` or `bucket/write`, receives the facts
//! in batches.

use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::claims::{Claim, Claimed};
use super::clock::EntryClock;
use super::entry::{Fact, Stamp};
use super::error::LedgerError;

/// A place to record facts.
pub trait Record {
    /// Records facts, and returns when they are safely stored. After an error, nothing more may be
    /// sent to the server.
    fn append(&self, facts: Vec<Fact>) -> impl Future<Output = Result<(), LedgerError>>;

    /// Claims a call, by recording the intent to send it. If the claim is refused, nothing is
    /// recorded, and the call must not be sent.
    fn claim(
        &self,
        claim: Claim,
        intent: Fact,
    ) -> impl Future<Output = Result<Claimed, LedgerError>>;
}

/// A ledger that is open for writing.
#[derive(Debug)]
pub struct Journal {
    clock: Arc<EntryClock>,
    batches: mpsc::UnboundedSender<Batch>,
    /// Dropped after `batches`. When `batches` is dropped, the thread writes all remaining
    /// batches and ends. When this field is dropped, it waits for the thread.
    pub(super) thread: Option<JoinOnDrop>,
}

#[derive(Debug)]
pub(super) struct JoinOnDrop(pub(super) Option<JoinHandle<()>>);

impl Drop for JoinOnDrop {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // If the thread panicked, its callers have already received an error.
            drop(thread.join());
        }
    }
}

/// Facts that must be written together.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) entries: Vec<(Stamp, Fact)>,
    /// If set, the batch is written only if this claim is granted.
    pub(super) claim: Option<Claim>,
    answer: oneshot::Sender<Result<Claimed, LedgerError>>,
}

/// The channel on which the writer receives batches.
pub(super) type Batches = mpsc::UnboundedReceiver<Batch>;

impl Journal {
    pub(super) fn new(clock: Arc<EntryClock>) -> (Self, Batches) {
        let (batches, receiver) = mpsc::unbounded_channel();
        let journal = Self {
            clock,
            batches,
            thread: None,
        };
        (journal, receiver)
    }

    async fn send(&self, facts: Vec<Fact>, claim: Option<Claim>) -> Result<Claimed, LedgerError> {
        let stopped = || LedgerError::Closed {
            reason: "its writer has stopped".to_owned(),
            is_lost: false,
        };
        let (sender, answer) = oneshot::channel();
        let stamped = facts.into_iter().zip(self.clock.next_stamps());
        let batch = Batch {
            entries: stamped.map(|(fact, stamp)| (stamp, fact)).collect(),
            claim,
            answer: sender,
        };
        self.batches.send(batch).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

impl Record for Journal {
    async fn append(&self, facts: Vec<Fact>) -> Result<(), LedgerError> {
        self.send(facts, None).await.map(drop)
    }

    async fn claim(&self, claim: Claim, intent: Fact) -> Result<Claimed, LedgerError> {
        let facts = claim.ended().into_iter().chain([intent]).collect();
        self.send(facts, Some(claim)).await
    }
}

/// Sends each caller the answer to its batch, or the error.
pub(super) fn answer(batches: Vec<Batch>, answers: Result<Vec<Claimed>, &LedgerError>) {
    let mut answers = answers.map(Vec::into_iter);
    for batch in batches {
        let answer = match &mut answers {
            Ok(answers) => Ok(answers.next().unwrap_or(Claimed::Ours)),
            Err(error) => Err(error.closed()),
        };
        // If the run was interrupted, the caller no longer waits. The facts are stored anyway.
        drop(batch.answer.send(answer));
    }
}
