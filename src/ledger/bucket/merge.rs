//! Merging pieces into one object, by whoever was not overtaken while doing it.

use object_store::path::Path;
use object_store::{PutMode, UpdateVersion};
use tracing::info;

use super::super::file::{LedgerError, Snapshot, bytes};
use super::super::fold::{Entries, messages};
use super::call::Trouble;
use super::look::{Seen, only};
use super::store::{AT_ONCE, Put, Store, side_by_side};
use crate::model::{RoomId, Target};

/// A claim this old is of no run that still waits for its answer.
const CLAIM_HOURS: i64 = 24;

/// Puts other entries in the place of all that is there. They are made anew whenever somebody else was quicker; what comes in
/// meanwhile stays beside them. Pieces are removed last.
pub(super) async fn rewrite(
    store: &Store,
    target: &Target,
    mut work: impl FnMut(Entries) -> Entries,
) -> Result<Snapshot, LedgerError> {
    let mut pauses = store.pauses();
    loop {
        let mut seen = Seen::default();
        let old = seen.all(store, target).await?;
        let entries = work(old.entries);
        let text = bytes(target, &entries).map_err(|error| {
            let trouble = Trouble::Final(error.to_string(), "report this: it is a mistake of ours");
            store.error("cannot be replaced", trouble)
        })?;
        let trouble = match store.put(&store.base, &text, mode(&seen.base)).await? {
            Put::Done(new) => {
                // Equal bytes may have equal versions: then there is nothing to see, and nothing was overwritten.
                if seen.base.as_ref().is_none_or(|old| old.e_tag != new.e_tag) {
                    check(store, &text, &seen.base).await?;
                }
                let left = clear(store, &seen, &entries).await?;
                let mut snapshot = only(entries);
                snapshot.warnings.extend(left);
                return Ok(snapshot);
            }
            Put::Taken => Trouble::Changed,
            Put::Lost(trouble) => trouble,
        };
        info!("the ledger was not replaced yet");
        if !pauses.pause().await {
            return Err(store.error("cannot be replaced", trouble));
        }
    }
}

/// Only in the place of what was read.
fn mode(base: &Option<UpdateVersion>) -> PutMode {
    match base {
        Some(version) => PutMode::Update(version.clone()),
        None => PutMode::Create,
    }
}

/// A store that puts the same once more, though what it was to replace is gone, does not look at conditions: nothing must be
/// removed then, for somebody else may have been overtaken without knowing.
async fn check(store: &Store, text: &[u8], old: &Option<UpdateVersion>) -> Result<(), LedgerError> {
    match store.put(&store.base, text, mode(old)).await? {
        Put::Taken | Put::Lost(_) => Ok(()),
        Put::Done(_) => Err(store.error("cannot be replaced safely", unconditional())),
    }
}

/// What is wrong with a store that takes every put.
pub(super) fn unconditional() -> Trouble {
    Trouble::Final(
        "the store ignores If-Match and If-None-Match, so that two runs could overwrite each other"
            .to_owned(),
        "update the store, or use one that honours conditional writes; docs/ledger-in-a-bucket.md names some",
    )
}

/// Removes the pieces that were merged, and the claims that nobody can come into the way of any more: old ones, of messages that
/// everybody can read were begun. One whose message failed keeps its name taken, so that the next has another for everybody.
/// What cannot be removed does no harm.
async fn clear(
    store: &Store,
    seen: &Seen,
    entries: &Entries,
) -> Result<Option<String>, LedgerError> {
    // By the store's own clock.
    let now = store.head(&store.base).await?.last_modified;
    let begun = messages(entries);
    let merged = seen.there.iter().filter(|object| {
        if !object.location.prefix_matches(&store.claims) {
            return true;
        }
        let room = room_of(&object.location);
        let is_old = (now - object.last_modified).num_hours() >= CLAIM_HOURS;
        is_old && room.is_some_and(|room| begun.contains_key(&room))
    });
    let work = merged.map(|object| removed(store.clone(), object.location.clone()));
    let mut left = Vec::new();
    side_by_side(AT_ONCE, work.collect(), |error| {
        left.extend(error);
        Ok::<_, LedgerError>(())
    })
    .await?;
    let pieces = left.len();
    let Some(error) = left.into_iter().next() else {
        return Ok(None);
    };
    info!(pieces, "merged pieces are still there");
    Ok(Some(format!(
        "{error} ({pieces} of what was merged into it is still there, which does no harm)"
    )))
}

/// The room that a claim is named after.
fn room_of(claim: &Path) -> Option<RoomId> {
    let (room, _) = claim.filename()?.split_once('-')?;
    room.parse().ok().map(RoomId)
}

async fn removed(store: Store, path: Path) -> Option<LedgerError> {
    store.remove(&path).await.err()
}
