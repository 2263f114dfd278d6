//! The ledger opened for writing. Facts are durable when [`Record::append`] returns. Waiting facts are written together.
//!
//! Main type: [`Journal`]. Its writer (`file_writer`, or the one for buckets) receives the facts as batches.

use std::future::Future;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::clock::EntryClock;
use super::entry::{Fact, Stamp};
use super::error::LedgerError;
use crate::model::{Pipe, RoomId, UserId};

/// Where facts are recorded.
pub trait Record: Send + Sync {
    /// Returns when the facts are durable. After an error nothing more may be sent to the server.
    fn append(&self, facts: Vec<Fact>) -> impl Future<Output = Result<(), LedgerError>> + Send;

    /// Records that a room's welcome is about to be sent. Returns false if a run has already recorded this and the message has
    /// not certainly failed: then the welcome must not be sent.
    fn claim(
        &self,
        pipe: &Pipe,
        room: RoomId,
        from: UserId,
    ) -> impl Future<Output = Result<bool, LedgerError>> + Send;
}

/// An open ledger.
#[derive(Debug)]
pub struct Journal {
    clock: EntryClock,
    batches: mpsc::UnboundedSender<Batch>,
    /// Dropped after the sender: the thread ends once everything is written.
    _thread: Option<JoinOnDrop>,
}

#[derive(Debug)]
struct JoinOnDrop(Option<JoinHandle<()>>);

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
    /// Write the batch only if no message to this room has begun.
    pub(super) claim: Option<(Pipe, RoomId)>,
    is_written: oneshot::Sender<Result<bool, LedgerError>>,
}

/// The batches for the writer.
pub(super) type Batches = mpsc::UnboundedReceiver<Batch>;

impl Journal {
    pub(super) fn new(clock: EntryClock) -> (Self, Batches) {
        let (batches, receiver) = mpsc::unbounded_channel();
        let journal = Self {
            clock,
            batches,
            _thread: None,
        };
        (journal, receiver)
    }

    /// Sets the thread that writes: it is joined when the journal is dropped.
    pub(super) fn join_on_drop(&mut self, thread: JoinHandle<()>) {
        self._thread = Some(JoinOnDrop(Some(thread)));
    }

    async fn send(
        &self,
        facts: Vec<Fact>,
        claim: Option<(Pipe, RoomId)>,
    ) -> Result<bool, LedgerError> {
        let stopped = || LedgerError::Closed("its writer has stopped".to_owned());
        let (is_written, answer) = oneshot::channel();
        let stamped = facts.into_iter().zip(self.clock.next_stamps());
        let batch = Batch {
            entries: stamped.map(|(fact, stamp)| (stamp, fact)).collect(),
            claim,
            is_written,
        };
        self.batches.send(batch).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

impl Record for Journal {
    async fn append(&self, facts: Vec<Fact>) -> Result<(), LedgerError> {
        self.send(facts, None).await.map(drop)
    }

    async fn claim(&self, pipe: &Pipe, room: RoomId, from: UserId) -> Result<bool, LedgerError> {
        let intent = Fact::intended(pipe, room, from);
        self.send(vec![intent], Some((pipe.clone(), room))).await
    }
}

/// Reports to the callers whether each batch was written, or the error.
pub(super) fn answer(batches: Vec<Batch>, written: &Result<Vec<bool>, String>) {
    for (index, batch) in batches.into_iter().enumerate() {
        let answer = match written {
            Ok(written) => Ok(written.get(index).is_some_and(|written| *written)),
            Err(reason) => Err(LedgerError::Closed(reason.clone())),
        };
        // The caller is gone if the run was interrupted. The facts are still durable.
        drop(batch.is_written.send(answer));
    }
}
