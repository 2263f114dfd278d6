//! Writes the batches of a journal to a bucket: one object for all waiting batches, and one object
//! for each claim. If several runs try to create the object of a claim, the run that succeeds sends
//! the call. Also merges the objects into the base object.

use std::collections::{BTreeMap, BTreeSet};

use object_store::PutMode;
use object_store::path::Path;
use sha2::{Digest as _, Sha256};
use tracing::{info, warn};

use super::super::claims::{Claim, ClaimEntries, Claimed};
use super::super::entry::{Entries, EntryClock, Fact, Stamp};
use super::super::error::{LedgerError, Loss};
use super::super::file::Snapshot;
use super::super::fold::fold;
use super::super::journal::{Batch, Batches, Journal, answer};
use super::super::json::{Header, Link, bytes, bytes_after};
use super::super::lineage::fingerprint;
use super::Bucket;
use super::read::BucketReader;
use super::retry::StoreFailure;
use super::store::{CONCURRENT_CALLS, Put, run_concurrently};
use crate::model::{Pipe, RoomId, RunId, Target};

/// If a ledger has more pieces than this, the next run that writes merges them, because every
/// reader must fetch each piece.
const MANY_PIECES: usize = 256;
/// After this many hours, no run still waits for the answer to a claim.
const CLAIM_HOURS: i64 = 24;

impl Bucket {
    /// Reads the ledger and starts a task that writes to it. The task ends when the journal is
    /// dropped.
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
        let (journal, batches) = Journal::new();
        let mut writer = Writer {
            piece_number: 0,
            reader,
            claims: ClaimEntries::new(clock),
            refuses_second_create: false,
        };
        writer.add(snapshot.entries);
        tokio::spawn(writer.write_all(batches));
        Ok(journal)
    }

    /// Replaces all entries, and starts over after a conflict with another run. Keeps pieces that
    /// are added meanwhile. Removes the merged pieces last.
    pub(in crate::ledger) async fn rewrite(
        &self,
        target: &Target,
        mut work: impl FnMut(Entries) -> Entries,
    ) -> Result<Snapshot, LedgerError> {
        let store = self.store()?;
        let mut backoff = store.backoff();
        loop {
            let mut reader = self.reader(target)?;
            reader.accepts_loss = true;
            let read = reader.read_new().await?;
            let entries = work(read.entries);
            let header = Header {
                replaces: reader.predecessors(),
                ..Header::new(target)
            };
            let text = bytes_after(&header, &entries)?;
            let mode = match &reader.base {
                Some(base) => PutMode::Update(base.version.clone()),
                None => PutMode::Create,
            };
            let failure = match store.put(&store.base, &text, mode.clone()).await? {
                Ok(new) => {
                    // Skip the check if the version has not changed, which may happen if the
                    // bytes are equal. Even a store that checks conditions would then accept a
                    // second write, so its result would prove nothing. A second write would
                    // also overwrite nothing, because its bytes are the same.
                    let old = reader.base.as_ref();
                    if old.is_none_or(|old| old.version.e_tag != new.e_tag) {
                        let doing = "cannot be replaced safely";
                        store
                            .check_conditions(&store.base, &text, mode, doing)
                            .await?;
                    }
                    reader.watch_base(fingerprint(&text));
                    let mut warnings = read.warnings;
                    warnings.extend(remove_merged(&reader, &entries).await?);
                    return Ok(Snapshot {
                        entries,
                        warnings,
                        found: true,
                        ..Snapshot::default()
                    });
                }
                Err(failure) => failure,
            };
            info!("the ledger was not replaced yet");
            if !backoff.pause().await {
                return Err(store.error("cannot be replaced", failure));
            }
        }
    }
}

/// A claim whose answer is not known yet.
struct OpenClaim<'b> {
    /// The position of the claim's batch among the waiting batches.
    index: usize,
    claim: &'b Claim,
    facts: &'b [Fact],
    /// The first stamp of each attempt to write the claim. If the answer to an attempt was lost,
    /// the claim may be among the entries.
    attempts: Vec<Stamp>,
}

struct Writer {
    piece_number: u64,
    reader: BucketReader,
    claims: ClaimEntries,
    /// Whether the store has proved that it refuses to create an object that already exists.
    refuses_second_create: bool,
}

impl Writer {
    /// Writes batches as they arrive. After an error, writes nothing more.
    async fn write_all(mut self, mut batches: Batches) {
        let mut failure = None;
        while let Some(first) = batches.recv().await {
            let mut waiting = vec![first];
            waiting.extend(std::iter::from_fn(|| batches.try_recv().ok()));
            let written = match failure {
                Some(error) => Err(error),
                None => self.write(&waiting).await,
            };
            answer(waiting, written.as_ref().map(Vec::clone));
            failure = written.err();
        }
    }

    /// Writes batches, except claims that other runs hold. Returns the answer to each batch.
    async fn write(&mut self, batches: &[Batch]) -> Result<Vec<Claimed>, LedgerError> {
        self.check().await?;
        let plain = batches.iter().filter(|batch| batch.claim.is_none());
        let plain = plain.flat_map(|batch| &batch.facts);
        let plain = self.stamped(plain);
        if !plain.is_empty() {
            self.write_piece(plain).await?;
        }
        let claims = batches.iter().enumerate().filter_map(|(index, batch)| {
            Some(OpenClaim {
                index,
                claim: batch.claim.as_ref()?,
                facts: &batch.facts,
                attempts: Vec::new(),
            })
        });
        let mut refused = self.claim_all(claims.collect()).await?;
        let answers = (0..batches.len()).map(|index| refused.remove(&index));
        Ok(answers
            .map(|refused| refused.unwrap_or(Claimed::Ours))
            .collect())
    }

    async fn write_piece(&mut self, entries: Entries) -> Result<(), LedgerError> {
        self.piece_number += 1;
        let name = format!("{}-{:08}.jsonl", self.claims.clock.run, self.piece_number);
        let reader = &self.reader;
        let path = reader.store.pieces.clone().join(name);
        let header = Header {
            link: reader.link.clone(),
            ..Header::new(&reader.target)
        };
        let piece = bytes_after(&header, &entries)?;
        let version = reader.store.put_piece(&path, &piece).await?;
        reader.watch_piece(&path, version);
        info!(facts = entries.len(), bytes = piece.len(), "ledger written");
        self.reader.add_own(path, header.link);
        self.add(entries);
        Ok(())
    }

    /// Gives facts their stamps, later than those of all entries read so far.
    fn stamped<'a>(&mut self, facts: impl IntoIterator<Item = &'a Fact>) -> Entries {
        let clock = &mut self.claims.clock;
        clock.tick();
        let facts = facts.into_iter();
        facts.map(|fact| (clock.stamp(), fact.clone())).collect()
    }

    fn add(&mut self, entries: Entries) {
        for (stamp, fact) in entries {
            self.claims.add(stamp, fact);
        }
    }

    /// Makes claims. Returns the answers to the refused claims, by index. Before it refuses a
    /// claim, it reads new entries, because its view may be out of date. If the claim's object
    /// already exists, it reads new entries again.
    async fn claim_all(
        &mut self,
        mut open: Vec<OpenClaim<'_>>,
    ) -> Result<BTreeMap<usize, Claimed>, LedgerError> {
        let mut refused = BTreeMap::new();
        let mut backoff = self.reader.store.backoff();
        let mut failure = StoreFailure::Changed;
        let is_held = |claim: &OpenClaim| self.claims.decide(claim.claim) != Claimed::Ours;
        if open.iter().any(is_held) {
            self.read_new().await?;
        }
        while !open.is_empty() {
            let mut attempts = Vec::new();
            for mut claim in std::mem::take(&mut open) {
                if self.is_made(&claim) {
                    continue;
                }
                match self.claims.decide(claim.claim) {
                    Claimed::Ours => {
                        let entries = self.stamped(claim.facts);
                        claim.attempts.extend(entries.keys().next().cloned());
                        attempts.push((claim, entries));
                    }
                    answer => drop(refused.insert(claim.index, answer)),
                }
            }
            for (claim, entries, path, put) in self.try_all(attempts).await? {
                match put {
                    Ok(_) => {
                        self.check_second_create(&path, &entries).await?;
                        self.reader.add_own(path, Link::default());
                        self.add(entries);
                    }
                    Err(why) => {
                        failure = why;
                        open.push(claim);
                    }
                }
            }
            if !open.is_empty() {
                if !backoff.pause().await {
                    return Err(self.reader.store.error("cannot be written", failure));
                }
                self.read_new().await?;
            }
        }
        Ok(refused)
    }

    async fn read_new(&mut self) -> Result<(), LedgerError> {
        let new = self.reader.read_new().await?;
        self.add(new.entries);
        Ok(())
    }

    /// Makes one attempt to write each claim. The attempts run concurrently.
    async fn try_all<'b>(
        &self,
        claims: Vec<(OpenClaim<'b>, Entries)>,
    ) -> Result<Vec<(OpenClaim<'b>, Entries, Path, Put)>, LedgerError> {
        let limit = claims.len();
        let work = claims.into_iter().map(async |(claim, entries)| {
            let path = self.free_name(claim.claim);
            let piece = bytes(&self.reader.target, &entries)?;
            let put = self.reader.store.put(&path, &piece, PutMode::Create);
            let put = put.await?;
            Ok((claim, entries, path, put))
        });
        run_concurrently(limit, work).await
    }

    /// Returns the first unused object name for a claim, as far as this run knows.
    fn free_name(&self, claim: &Claim) -> Path {
        let claims = &self.reader.store.claims;
        let subject = subject_of(claim);
        let name = |number| claims.clone().join(format!("{subject}-{number}.jsonl"));
        let mut number = 0;
        while self.reader.exists(&name(number)) {
            number += 1;
        }
        name(number)
    }

    /// Returns whether the entries that were read contain this claim.
    fn is_made(&self, claim: &OpenClaim) -> bool {
        let mut attempts = claim.attempts.iter();
        attempts.any(|stamp| self.claims.contains(claim.claim.pipe(), stamp))
    }

    /// Checks that the store refuses to create an object that already exists. One success per run
    /// is enough.
    async fn check_second_create(
        &mut self,
        path: &Path,
        entries: &Entries,
    ) -> Result<(), LedgerError> {
        if self.refuses_second_create {
            return Ok(());
        }
        let piece = bytes(&self.reader.target, entries)?;
        let doing = "cannot be written safely";
        let store = &self.reader.store;
        self.refuses_second_create = store
            .check_conditions(path, &piece, PutMode::Create, doing)
            .await?;
        Ok(())
    }

    /// Checks that the ledger still exists. If another run has merged it, reads the new entries,
    /// because entries may have been added and claims removed.
    async fn check(&mut self) -> Result<(), LedgerError> {
        if let Some(base) = self.reader.check().await? {
            self.add(base.entries);
            self.read_new().await?;
        }
        Ok(())
    }
}

/// Returns the start of the object name for a claim: the id of the room, or for a new room a hash
/// of its pipe, because a pipe may contain any character.
fn subject_of(claim: &Claim) -> String {
    match claim {
        Claim::Message { room, .. } => room.to_string(),
        Claim::Create { pipe, .. } => create_subject(pipe),
    }
}

fn create_subject(pipe: &Pipe) -> String {
    let hash = Sha256::digest(pipe.as_str());
    let bytes = hash.iter().take(16);
    bytes.fold("create-".to_owned(), |name, byte| {
        format!("{name}{byte:02x}")
    })
}

/// Removes the merged pieces, the old claims of rooms that exist, and the old claims of
/// messages that the base records as started. The claim of a failed create or message stays,
/// so that every run gives the next claim a new name. An object that cannot be removed does no
/// harm.
async fn remove_merged(
    reader: &BucketReader,
    entries: &Entries,
) -> Result<Option<String>, LedgerError> {
    let store = &reader.store;
    // Measure the age of claims with the store's clock.
    let Some(base) = store.head(&store.base).await? else {
        return Err(store.lost(Loss::Gone));
    };
    let now = base.last_modified;
    let recorded = fold(entries);
    let created: BTreeSet<String> = recorded.ids.keys().map(create_subject).collect();
    let merged = reader.listed.iter().filter(|object| {
        if !store.is_claim(&object.location) {
            return true;
        }
        let name = object.location.filename().unwrap_or_default();
        let (subject, _) = name.rsplit_once('-').unwrap_or_default();
        let is_old = (now - object.last_modified).num_hours() >= CLAIM_HOURS;
        let is_begun = |room| recorded.has_begun_welcome(RoomId(room));
        is_old && (created.contains(subject) || subject.parse().is_ok_and(is_begun))
    });
    let work = merged.map(async |object| Ok(store.remove(&object.location).await.err()));
    let removed = run_concurrently(CONCURRENT_CALLS, work).await?;
    let errors: Vec<LedgerError> = removed.into_iter().flatten().collect();
    let pieces = errors.len();
    let Some(error) = errors.first() else {
        return Ok(None);
    };
    info!(pieces, "merged pieces were not removed");
    Ok(Some(format!(
        "{error} (merged objects not removed: {pieces}; they are harmless)"
    )))
}
