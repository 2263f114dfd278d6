//! A bucket's ledger opened for writing: facts are in the bucket when `append` comes back, and many share one object.

use std::collections::BTreeSet;

use object_store::path::Path;
use tokio::sync::{mpsc, oneshot};
use tracing::{info, warn};

use super::super::claims::Begun;
use super::super::entry::{Fact, Stamp};
use super::super::file::{LedgerError, Snapshot, bytes};
use super::super::fold::Entries;
use super::super::journal::Record;
use super::super::stamps::Stamps;
use super::call::Trouble;
use super::claim::Claim;
use super::look::Seen;
use super::merge::rewrite;
use super::store::Store;
use crate::model::{Pipe, RoomId, RunId, Target, UserId};

/// So many pieces are merged by the next run that writes, before it does: each has to be fetched by whoever reads the ledger.
const MANY: usize = 256;

/// An open ledger in a bucket.
#[derive(Debug)]
pub struct Log {
    stamps: Stamps,
    sender: mpsc::UnboundedSender<Batch>,
}

#[derive(Debug)]
struct Batch {
    entries: Vec<(Stamp, Fact)>,
    /// Only to be written if no message to this room was begun.
    claim: Option<(Pipe, RoomId)>,
    /// Whether it was written.
    done: oneshot::Sender<Result<bool, LedgerError>>,
}

impl Log {
    /// Reads what is there, and starts the writer: a task that ends with this.
    pub(super) async fn open(
        store: Store,
        target: &Target,
        run: &RunId,
    ) -> Result<Self, LedgerError> {
        let (mut seen, mut begun) = (Seen::default(), Begun::default());
        let mut snapshot = seen.all(&store, target).await?;
        let stamps = Stamps::after(run, snapshot.entries.keys().rev());
        if seen.pieces(&store) > MANY {
            snapshot = merged(&store, target, snapshot).await;
        }
        for (stamp, fact) in snapshot.entries {
            begun.take(stamp, fact);
        }
        let (sender, batches) = mpsc::unbounded_channel();
        let writer = Writer {
            store,
            target: target.clone(),
            run: run.to_string(),
            number: 0,
            seen,
            begun,
            is_tried: false,
        };
        tokio::spawn(writer.work(batches));
        Ok(Self { stamps, sender })
    }

    async fn hand_over(
        &self,
        facts: Vec<Fact>,
        claim: Option<(Pipe, RoomId)>,
    ) -> Result<bool, LedgerError> {
        let gone = || LedgerError::Closed("its writer has stopped".to_owned());
        let (done, answer) = oneshot::channel();
        let entries = self.stamps.next().zip(facts).collect();
        let batch = Batch {
            entries,
            claim,
            done,
        };
        self.sender.send(batch).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// The same, merged if that works: it is only to save the next reader's time.
async fn merged(store: &Store, target: &Target, snapshot: Snapshot) -> Snapshot {
    match rewrite(store, target, |entries| entries).await {
        Ok(merged) => merged,
        Err(error) => {
            warn!(%error, "the ledger's pieces were not merged");
            snapshot
        }
    }
}

impl Record for Log {
    async fn append(&self, facts: Vec<Fact>) -> Result<(), LedgerError> {
        self.hand_over(facts, None).await.map(drop)
    }

    async fn claim(&self, pipe: &Pipe, room: RoomId, from: UserId) -> Result<bool, LedgerError> {
        let intent = Fact::intended(pipe, room, from);
        let claim = Some((pipe.clone(), room));
        self.hand_over(vec![intent], claim).await
    }
}

/// Who writes.
pub(super) struct Writer {
    pub(super) store: Store,
    pub(super) target: Target,
    run: String,
    number: u64,
    pub(super) seen: Seen,
    pub(super) begun: Begun,
    /// Whether the store was seen to refuse to create an object twice.
    pub(super) is_tried: bool,
}

impl Writer {
    /// Writes batches as they come: all that wait are written together. After an error nothing is.
    async fn work(mut self, mut batches: mpsc::UnboundedReceiver<Batch>) {
        let mut broken: Option<String> = None;
        while let Some(first) = batches.recv().await {
            let mut waiting = vec![first];
            while let Ok(more) = batches.try_recv() {
                waiting.push(more);
            }
            let result = match &broken {
                Some(reason) => Err(reason.clone()),
                None => self.write(&waiting).await.map_err(|error| told(&error)),
            };
            for (index, batch) in waiting.into_iter().enumerate() {
                let answer = match &result {
                    Ok(made_before) => Ok(!made_before.contains(&index)),
                    Err(reason) => Err(LedgerError::Closed(reason.clone())),
                };
                // Nobody waits any more if the run was cut short; it is written all the same.
                drop(batch.done.send(answer));
            }
            broken = broken.or(result.err());
        }
    }

    /// Which were not written, by their index: claims that others made before.
    async fn write(&mut self, batches: &[Batch]) -> Result<BTreeSet<usize>, LedgerError> {
        let plain = batches.iter().filter(|batch| batch.claim.is_none());
        let plain = plain.flat_map(|batch| batch.entries.iter().cloned());
        let plain: Entries = plain.collect();
        if !plain.is_empty() {
            self.number += 1;
            let name = format!("{}-{:08}.jsonl", self.run, self.number);
            let path = self.store.pieces.clone().join(name);
            let text = self.text(&plain)?;
            self.store.put_piece(&path, &text).await?;
            info!(facts = plain.len(), bytes = text.len(), "ledger written");
            self.wrote(path, plain);
        }
        let claims = batches.iter().enumerate().filter_map(|(index, batch)| {
            let (pipe, room) = batch.claim.clone()?;
            let entries = batch.entries.iter().cloned().collect();
            Some(Claim {
                index,
                pipe,
                room,
                entries,
            })
        });
        let settled = self.claim_all(claims.collect()).await?.into_iter();
        let made_before = settled.filter(|(_, is_ours)| !is_ours);
        Ok(made_before.map(|(index, _)| index).collect())
    }

    /// Remembers what this run wrote itself.
    pub(super) fn wrote(&mut self, path: Path, entries: Entries) {
        self.seen.knows(path);
        for (stamp, fact) in entries {
            self.begun.take(stamp, fact);
        }
    }

    /// A ledger of just these entries.
    pub(super) fn text(&self, entries: &Entries) -> Result<Vec<u8>, LedgerError> {
        bytes(&self.target, entries).map_err(|error| LedgerError::Closed(error.to_string()))
    }

    pub(super) fn unsafe_store(&self, trouble: Trouble) -> LedgerError {
        self.store.error("cannot be written safely", trouble)
    }
}

/// An error and its remedy in one line: what it closes for others has to say both.
fn told(error: &LedgerError) -> String {
    format!("{error}; {}", error.hint())
}
