//! Merges pieces into the base object.

use std::collections::BTreeSet;

use object_store::PutMode;
use tracing::info;

use super::super::entry::Entries;
use super::super::error::{LedgerError, Loss};
use super::super::file::Snapshot;
use super::super::fold::fold;
use super::super::json::{Header, bytes_after};
use super::super::lineage::fingerprint;
use super::Bucket;
use super::read::BucketReader;
use super::store::{CONCURRENT_CALLS, run_concurrently};
use super::write::create_subject;
use crate::model::{RoomId, Target};

/// After this many hours, no run still waits for the answer to a claim.
const CLAIM_HOURS: i64 = 24;

impl Bucket {
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
