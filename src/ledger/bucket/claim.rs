//! Which run sends a message: of all runs on one ledger, the one that creates the object that its room's claim is named after.

use std::collections::BTreeSet;

use object_store::PutMode;
use object_store::path::Path;

use super::super::claims::MessageEntries;
use super::super::entry::Entries;
use super::super::error::LedgerError;
use super::super::json::bytes;
use super::read::BucketReader;
use super::retry::StoreFailure;
use super::store::{Put, run_concurrently};
use crate::model::{Pipe, RoomId};

/// A message that is to be sent, if no other run began to.
pub(super) struct Claim {
    /// Its place in the batches that wait.
    pub(super) index: usize,
    pub(super) pipe: Pipe,
    pub(super) room: RoomId,
    /// Its intent.
    pub(super) entries: Entries,
}

pub(super) struct Claimer {
    pub(super) reader: BucketReader,
    messages: MessageEntries,
    /// Whether the store was seen to refuse to create an object twice.
    refuses_second_create: bool,
}

impl Claimer {
    /// The entries are those that the reader has read.
    pub(super) fn new(reader: BucketReader, entries: Entries) -> Self {
        let mut claimer = Self {
            reader,
            messages: MessageEntries::default(),
            refuses_second_create: false,
        };
        claimer.add(entries);
        claimer
    }

    fn add(&mut self, entries: Entries) {
        for (stamp, fact) in entries {
            self.messages.add(stamp, fact);
        }
    }

    pub(super) fn add_own(&mut self, path: Path, entries: Entries) {
        self.reader.add_own(path);
        self.add(entries);
    }

    /// Which of these are not ours, by their index. What was read when the ledger was opened may be old: a claim is made all the
    /// same if its name is free; else everything new is read before it is decided.
    pub(super) async fn claim_all(
        &mut self,
        mut open: Vec<Claim>,
    ) -> Result<BTreeSet<usize>, LedgerError> {
        let mut refused = BTreeSet::new();
        let mut backoff = self.reader.store.backoff();
        let mut failure = StoreFailure::Changed;
        if !open.is_empty() {
            self.read_if_merged().await?;
        }
        while !open.is_empty() {
            let (begun, free): (Vec<_>, Vec<_>) = open
                .into_iter()
                .partition(|claim| self.messages.has_begun(&claim.pipe, claim.room));
            // An attempt whose answer was lost may have been ours.
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

    /// One attempt for each, all at once.
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

    /// The first name of a room's claims that is free, as far as this run knows.
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

    /// Once a run.
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

    /// If pieces were merged, there may be entries from elsewhere, and claims that were removed.
    async fn read_if_merged(&mut self) -> Result<(), LedgerError> {
        if let Some(base) = self.reader.read_new_base().await? {
            self.add(base.entries);
            let new = self.reader.read_new().await?;
            self.add(new.entries);
        }
        Ok(())
    }
}
