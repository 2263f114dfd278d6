//! Writes a journal's batches to a bucket: one object for all that wait.

use std::collections::BTreeSet;

use tracing::{info, warn};

use super::super::clock::EntryClock;
use super::super::entry::Entries;
use super::super::error::LedgerError;
use super::super::journal::{Batch, Batches, Journal, answer};
use super::super::json::bytes;
use super::claim::{Claim, Claimer};
use super::merge::rewrite;
use super::read::BucketReader;
use super::store::Store;
use crate::model::{RunId, Target};

/// More pieces than this are merged by the next run that writes: each has to be fetched by every run that reads the ledger.
const MANY_PIECES: usize = 256;

/// Reads what is there, and starts the writer: a task that ends with the journal.
pub(super) async fn open(
    store: Store,
    target: &Target,
    run: &RunId,
) -> Result<Journal, LedgerError> {
    let mut reader = BucketReader::new(store, target.clone());
    let mut snapshot = reader.read_new().await?;
    let clock = EntryClock::new(run, &snapshot.entries);
    if reader.piece_count() > MANY_PIECES {
        match rewrite(&reader.store, target, |entries| entries).await {
            Ok(merged) => snapshot = merged,
            Err(error) => warn!(%error, "the ledger's pieces were not merged"),
        }
    }
    let (journal, batches) = Journal::new(clock);
    let writer = Writer {
        run: run.to_string(),
        piece_number: 0,
        claimer: Claimer::new(reader, snapshot.entries),
    };
    tokio::spawn(writer.write_all(batches));
    Ok(journal)
}

struct Writer {
    run: String,
    piece_number: u64,
    claimer: Claimer,
}

impl Writer {
    /// Writes batches as they come; after an error nothing more is written.
    async fn write_all(mut self, mut batches: Batches) {
        let mut written = Ok(Vec::new());
        while let Some(waiting) = batches.recv().await {
            if written.is_ok() {
                written = self
                    .write(&waiting)
                    .await
                    .map_err(|error| format!("{error}; {}", error.hint()));
            }
            answer(waiting, &written);
        }
    }

    /// Writes batches, except claims that other runs made. Which were written.
    async fn write(&mut self, batches: &[Batch]) -> Result<Vec<bool>, LedgerError> {
        let plain = batches.iter().filter(|batch| batch.claim.is_none());
        let plain: Entries = plain
            .flat_map(|batch| batch.entries.iter().cloned())
            .collect();
        if !plain.is_empty() {
            self.write_piece(plain).await?;
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
        let refused: BTreeSet<usize> = self.claimer.claim_all(claims.collect()).await?;
        Ok((0..batches.len())
            .map(|index| !refused.contains(&index))
            .collect())
    }

    async fn write_piece(&mut self, entries: Entries) -> Result<(), LedgerError> {
        self.piece_number += 1;
        let name = format!("{}-{:08}.jsonl", self.run, self.piece_number);
        let reader = &self.claimer.reader;
        let path = reader.store.pieces.clone().join(name);
        let piece = bytes(&reader.target, &entries)?;
        reader.store.put_piece(&path, &piece).await?;
        info!(facts = entries.len(), bytes = piece.len(), "ledger written");
        self.claimer.add_own(path, entries);
        Ok(())
    }
}
