//! Merges pieces into one object.

use object_store::path::Path;
use object_store::{PutMode, UpdateVersion};
use tracing::info;

use super::super::entry::Entries;
use super::super::error::LedgerError;
use super::super::file::Snapshot;
use super::super::fold::messages;
use super::super::json::bytes;
use super::read::BucketReader;
use super::retry::StoreFailure;
use super::store::{CONCURRENT_CALLS, Put, Store, run_concurrently};
use crate::model::{RoomId, Target};

/// No run still waits for the answer to a claim this old.
const CLAIM_HOURS: i64 = 24;

/// Replaces all entries, and starts again when another run was quicker. What comes in meanwhile stays beside them. Pieces are
/// removed last.
pub(super) async fn rewrite(
    store: &Store,
    target: &Target,
    mut work: impl FnMut(Entries) -> Entries,
) -> Result<Snapshot, LedgerError> {
    let mut backoff = store.backoff();
    loop {
        let mut reader = BucketReader::new(store.clone(), target.clone());
        let entries = work(reader.read_new().await?.entries);
        let text = bytes(target, &entries).map_err(|error| {
            let remedy = "report this: it is a mistake of ours";
            let failure = StoreFailure::Permanent(error.to_string(), remedy);
            store.error("cannot be replaced", failure)
        })?;
        let put = store
            .put(&store.base, &text, mode(reader.base.as_ref()))
            .await?;
        let failure = match put {
            Put::Done(new) => {
                // Equal bytes may have equal versions: then there is nothing to see, and nothing was overwritten.
                if reader
                    .base
                    .as_ref()
                    .is_none_or(|old| old.e_tag != new.e_tag)
                {
                    check_conditions(store, &text, reader.base.as_ref()).await?;
                }
                let warning = remove_merged(&reader, &entries).await?;
                return Ok(Snapshot {
                    entries,
                    warnings: warning.into_iter().collect(),
                    found: true,
                    ..Snapshot::default()
                });
            }
            Put::Taken => StoreFailure::Changed,
            Put::Lost(failure) => failure,
        };
        info!("the ledger was not replaced yet");
        if !backoff.pause().await {
            return Err(store.error("cannot be replaced", failure));
        }
    }
}

/// Only in the place of what was read.
fn mode(base: Option<&UpdateVersion>) -> PutMode {
    match base {
        Some(version) => PutMode::Update(version.clone()),
        None => PutMode::Create,
    }
}

/// A store that puts the same once more, though what it was to replace is gone, ignores conditions: nothing must be removed
/// then, since it may have overwritten another run's merge.
async fn check_conditions(
    store: &Store,
    text: &[u8],
    old: Option<&UpdateVersion>,
) -> Result<(), LedgerError> {
    match store.put(&store.base, text, mode(old)).await? {
        Put::Taken | Put::Lost(_) => Ok(()),
        Put::Done(_) => Err(store.error("cannot be replaced safely", unconditional_store())),
    }
}

pub(super) fn unconditional_store() -> StoreFailure {
    StoreFailure::Permanent(
        "the store ignores If-Match and If-None-Match, so that two runs could overwrite each other"
            .to_owned(),
        "update the store, or use one that honours conditional writes; docs/ledger-in-a-bucket.md names some",
    )
}

/// Removes the merged pieces, and old claims of messages that, as the base now says, were begun. The claim of a message that
/// failed keeps its name taken, so that the next one has another name for every run. What cannot be removed does no harm.
async fn remove_merged(
    reader: &BucketReader,
    entries: &Entries,
) -> Result<Option<String>, LedgerError> {
    let store = &reader.store;
    // By the store's own clock.
    let now = store.head(&store.base).await?.last_modified;
    let begun = messages(entries);
    let merged = reader.listed.iter().filter(|object| {
        if !store.is_claim(&object.location) {
            return true;
        }
        let room = room_of_claim(&object.location);
        let is_old = (now - object.last_modified).num_hours() >= CLAIM_HOURS;
        is_old && room.is_some_and(|room| begun.contains_key(&room))
    });
    let work = merged.map(|object| remove(store.clone(), object.location.clone()));
    let mut errors = Vec::new();
    run_concurrently(CONCURRENT_CALLS, work.collect(), |error| {
        errors.extend(error);
        Ok::<_, LedgerError>(())
    })
    .await?;
    let pieces = errors.len();
    let Some(error) = errors.first() else {
        return Ok(None);
    };
    info!(pieces, "merged pieces are still there");
    Ok(Some(format!(
        "{error} ({pieces} of what was merged into it is still there, which does no harm)"
    )))
}

fn room_of_claim(path: &Path) -> Option<RoomId> {
    let (room, _) = path.filename()?.split_once('-')?;
    room.parse().ok().map(RoomId)
}

async fn remove(store: Store, path: Path) -> Option<LedgerError> {
    store.remove(&path).await.err()
}
