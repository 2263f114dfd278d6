//! The ledger opened for writing. Facts are durable when [`Record::append`] returns. Waiting facts are written together.
//!
//! Main type: [`Journal`]. Its writer (in `file_writer` or `bucket/write`) receives facts in
//! batches.

use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::claims::{Claim, Claimed};
use super::clock::EntryClock;
use super::entry::{Fact, Stamp};
use super::error::LedgerError;

/// Where facts are recorded.
pub trait Record {
    /// Returns when the facts are durable. After an error nothing more may be sent to the server.
    fn append(&self, facts: Vec<Fact>) -> impl Future<Output = Result<(), LedgerError>>;

    /// Claims a call by recording that it is about to be sent. If another run holds the claim, the
    /// call is not recorded and must not be sent.
    fn claim(
        &self,
        claim: Claim,
        intent: Fact,
    ) -> impl Future<Output = Result<Claimed, LedgerError>>;
}

/// An open ledger.
#[derive(Debug)]
pub struct Journal {
    clock: Arc<EntryClock>,
    batches: mpsc::UnboundedSender<Batch>,
    /// Dropped after `batches`, so that the thread writes everything and ends.
    pub(super) thread: Option<JoinOnDrop>,
}

#[derive(Debug)]
pub(super) struct JoinOnDrop(pub(super) Option<JoinHandle<()>>);

impl Drop for JoinOnDrop {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // The callers have already received an error for its panic.
            drop(thread.join());
        }
    }
}

/// The facts of one call.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) entries: Vec<(Stamp, Fact)>,
    /// Write the batch only if this claim is granted.
    pub(super) claim: Option<Claim>,
    answer: oneshot::Sender<Result<Claimed, LedgerError>>,
}

/// The batches for the writer.
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

/// Reports the answer to each batch, or the error, to the callers.
pub(super) fn answer(batches: Vec<Batch>, answers: Result<Vec<Claimed>, &LedgerError>) {
    let mut answers = answers.map(Vec::into_iter);
    for batch in batches {
        let answer = match &mut answers {
            Ok(answers) => Ok(answers.next().unwrap_or(Claimed::Ours)),
            Err(error) => Err(error.closed()),
        };
        // The caller is gone if the run was interrupted. The facts are still durable.
        drop(batch.answer.send(answer));
    }
}
