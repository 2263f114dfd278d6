//! Writes a journal's batches to a bucket: one object for all waiting batches, and one for each claim. Of several runs on one
//! ledger, the run that creates a room's claim object sends the room's message.

use std::collections::BTreeSet;

use object_store::PutMode;
use object_store::path::Path;
use tracing::{info, warn};

use super::super::claims::MessageEntries;
use super::super::clock::EntryClock;
use super::super::entry::Entries;
use super::super::error::LedgerError;
use super::super::journal::{Batch, Batches, Journal, answer};
use super::super::json::bytes;
use super::Bucket;
use super::read::BucketReader;
use super::retry::StoreFailure;
use super::store::{Put, run_concurrently};
use crate::model::{Pipe, RoomId, RunId, Target};

/// With more pieces than this, the next run that writes merges them: every reader has to fetch each piece.
const MANY_PIECES: usize = 256;

impl Bucket {
    /// Reads the ledger and starts the writer task, which ends with the journal.
    pub(in crate::ledger) async fn open(
        &self,
        target: &Target,
        run: &RunId,
    ) -> Result<Journal, LedgerError> {
        let mut reader = self.reader(target)?;
        let mut snapshot = reader.read_new().await?;
        let clock = EntryClock::new(run, &snapshot.entries);
        if reader.pieces().count() > MANY_PIECES {
            match self.rewrite(target, |entries| entries).await {
                Ok(merged) => snapshot = merged,
                Err(error) => warn!(%error, "the ledger's pieces were not merged"),
            }
        }
        let (journal, batches) = Journal::new(clock);
        let mut writer = Writer {
            run: run.to_string(),
            piece_number: 0,
            reader,
            messages: MessageEntries::default(),
            refuses_second_create: false,
        };
        writer.add(snapshot.entries);
        tokio::spawn(writer.write_all(batches));
        Ok(journal)
    }
}

/// A message to send, unless another run has begun to send it.
struct Claim {
    /// Index in the waiting batches.
    index: usize,
    pipe: Pipe,
    room: RoomId,
    entries: Entries,
}

struct Writer {
    run: String,
    piece_number: u64,
    reader: BucketReader,
    messages: MessageEntries,
    /// Whether the store has been seen to refuse a second create.
    refuses_second_create: bool,
}

impl Writer {
    /// Writes batches as they arrive. Writes nothing after an error.
    async fn write_all(mut self, mut batches: Batches) {
        let mut written = Ok(Vec::new());
        while let Some(first) = batches.recv().await {
            let mut waiting = vec![first];
            waiting.extend(std::iter::from_fn(|| batches.try_recv().ok()));
            if written.is_ok() {
                written = self.write(&waiting).await.map_err(|error| error.in_full());
            }
            answer(waiting, &written);
        }
    }

    /// Writes batches, except claims that other runs hold. Returns which batches were written.
    async fn write(&mut self, batches: &[Batch]) -> Result<Vec<bool>, LedgerError> {
        self.check().await?;
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
        let refused: BTreeSet<usize> = self.claim_all(claims.collect()).await?;
        Ok((0..batches.len())
            .map(|index| !refused.contains(&index))
            .collect())
    }

    async fn write_piece(&mut self, entries: Entries) -> Result<(), LedgerError> {
        self.piece_number += 1;
        let name = format!("{}-{:08}.jsonl", self.run, self.piece_number);
        let reader = &self.reader;
        let path = reader.store.pieces.clone().join(name);
        let piece = bytes(&reader.target, &entries)?;
        let version = reader.store.put_piece(&path, &piece).await?;
        reader.watch_piece(&path, version);
        info!(facts = entries.len(), bytes = piece.len(), "ledger written");
        self.add_own(path, entries);
        Ok(())
    }

    fn add(&mut self, entries: Entries) {
        for (stamp, fact) in entries {
            self.messages.add(stamp, fact);
        }
    }

    fn add_own(&mut self, path: Path, entries: Entries) {
        self.reader.add_own(path);
        self.add(entries);
    }

    /// Claims messages and returns the indexes of those that other runs hold. Data read at open may be stale, so it first tries
    /// to create the claim. If the name is taken, it reads everything new before it decides.
    async fn claim_all(&mut self, mut open: Vec<Claim>) -> Result<BTreeSet<usize>, LedgerError> {
        let mut refused = BTreeSet::new();
        let mut backoff = self.reader.store.backoff();
        let mut failure = StoreFailure::Changed;
        while !open.is_empty() {
            let (begun, free): (Vec<_>, Vec<_>) = open
                .into_iter()
                .partition(|claim| self.messages.has_begun(&claim.pipe, claim.room));
            // A claim may be ours if the answer to its create was lost.
            let of_others = begun.iter().filter(|claim| !self.is_made(claim));
            refused.extend(of_others.map(|claim| claim.index));
            open = Vec::new();
            for (claim, path, put) in self.try_all(free).await? {
                match put {
                    Put::Done(_) => {
                        self.check_second_create(&path, &claim).await?;
                        self.add_own(path, claim.entries);
                    }
                    Put::Taken => open.push(claim),
                    Put::Lost(why) => {
                        failure = why;
                        open.push(claim);
                    }
                }
            }
            if !open.is_empty() {
                if !backoff.pause().await {
                    return Err(self.reader.store.error("cannot be written", failure));
                }
                let new = self.reader.read_new().await?;
                self.add(new.entries);
            }
        }
        Ok(refused)
    }

    /// Makes one attempt for each claim, concurrently.
    async fn try_all(&self, claims: Vec<Claim>) -> Result<Vec<(Claim, Path, Put)>, LedgerError> {
        let limit = claims.len();
        let work = claims.into_iter().map(|claim| {
            let (store, path) = (self.reader.store.clone(), self.free_name(claim.room));
            let piece = bytes(&self.reader.target, &claim.entries);
            async move {
                let put = store.put(&path, &piece?, PutMode::Create).await?;
                Ok((claim, path, put))
            }
        });
        run_concurrently(limit, work).await
    }

    /// The next free claim name of a room, as far as this run knows.
    fn free_name(&self, room: RoomId) -> Path {
        let claims = &self.reader.store.claims;
        let name = |number| claims.clone().join(format!("{room}-{number}.jsonl"));
        let mut number = 0;
        while self.reader.exists(&name(number)) {
            number += 1;
        }
        name(number)
    }

    /// Whether the claim that was read is this one.
    fn is_made(&self, claim: &Claim) -> bool {
        let mut stamps = claim.entries.keys();
        stamps.any(|stamp| self.messages.contains(&claim.pipe, stamp))
    }

    /// Checks once per run that the store refuses a second create.
    async fn check_second_create(&mut self, path: &Path, claim: &Claim) -> Result<(), LedgerError> {
        if self.refuses_second_create {
            return Ok(());
        }
        let piece = bytes(&self.reader.target, &claim.entries)?;
        let doing = "cannot be written safely";
        let store = &self.reader.store;
        self.refuses_second_create = store
            .check_conditions(path, &piece, PutMode::Create, doing)
            .await?;
        Ok(())
    }

    /// Checks that the ledger is still there. After a merge by another run there may be new entries, and claims that were removed.
    async fn check(&mut self) -> Result<(), LedgerError> {
        if let Some(base) = self.reader.check().await? {
            self.add(base.entries);
            let new = self.reader.read_new().await?;
            self.add(new.entries);
        }
        Ok(())
    }
}
