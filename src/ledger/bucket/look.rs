//! Reading: the pieces first, then what they are merged into. Main type: [`Seen`], what was read so far.

use std::collections::BTreeSet;
use std::path::Path as Name;

use object_store::path::Path;
use object_store::{ObjectMeta, UpdateVersion};

use super::super::file::{LedgerError, Snapshot, parse};
use super::super::fold::Entries;
use super::super::line::Header;
use super::store::{AT_ONCE, Fetched, Store, side_by_side};
use crate::model::Target;

/// What was read of a ledger so far, so that the next look fetches only what is new.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Pieces and claims that were there at the last look.
    pub(super) there: Vec<ObjectMeta>,
    /// Every piece and claim whose content is known.
    known: BTreeSet<Path>,
    /// What the run itself put there since the last look.
    own: BTreeSet<Path>,
    /// What the pieces are merged into.
    pub(super) base: Option<UpdateVersion>,
}

impl Seen {
    /// The whole ledger.
    pub(super) async fn all(
        &mut self,
        store: &Store,
        target: &Target,
    ) -> Result<Snapshot, LedgerError> {
        let mut whole = Snapshot::default();
        self.look(store, target, |part| {
            whole.found = true;
            whole.entries.extend(part.entries);
        })
        .await?;
        Ok(whole)
    }

    /// Shows what is new. The order is what makes it whole: see the module above.
    pub(super) async fn look(
        &mut self,
        store: &Store,
        target: &Target,
        mut take: impl FnMut(Snapshot),
    ) -> Result<(), LedgerError> {
        let mut there = store.list(&store.pieces).await?;
        there.extend(store.list(&store.claims).await?);
        there.retain(|object| object.location.as_ref().ends_with(".jsonl"));
        let new = there.iter().map(|object| object.location.clone());
        let new: Vec<Path> = new.filter(|path| !self.known.contains(path)).collect();
        self.there = there;
        self.own.clear();
        for (path, bytes) in fetched(store, new).await? {
            take(whole(&store.name(&path), &bytes, target)?);
            self.known.insert(path);
        }
        if let Some(base) = self.look_at_base(store, target).await? {
            take(base);
        }
        Ok(())
    }

    /// What pieces are merged into, if it is another than at the last look.
    pub(super) async fn look_at_base(
        &mut self,
        store: &Store,
        target: &Target,
    ) -> Result<Option<Snapshot>, LedgerError> {
        match store.fetch(&store.base, self.base.as_ref()).await? {
            Fetched::Bytes(bytes, version) => {
                self.base = Some(version);
                whole(&store.name(&store.base), &bytes, target).map(Some)
            }
            Fetched::Same => Ok(None),
            Fetched::Absent => {
                self.base = None;
                Ok(None)
            }
        }
    }

    /// What the run itself wrote need not be read again.
    pub(super) fn knows(&mut self, path: Path) {
        self.known.insert(path.clone());
        self.own.insert(path);
    }

    /// Whether a name was there at the last look, or was written by this run since.
    pub(super) fn has(&self, path: &Path) -> bool {
        self.own.contains(path) || self.there.iter().any(|object| object.location == *path)
    }

    /// How many pieces there are that can be merged.
    pub(super) fn pieces(&self, store: &Store) -> usize {
        let pieces = self.there.iter();
        pieces
            .filter(|object| !object.location.prefix_matches(&store.claims))
            .count()
    }
}

/// The bytes of objects. One that is gone was merged meanwhile.
async fn fetched(store: &Store, paths: Vec<Path>) -> Result<Vec<(Path, Vec<u8>)>, LedgerError> {
    let mut found = Vec::new();
    let work = paths.into_iter().map(|path| {
        let store = store.clone();
        async move {
            let fetched = store.fetch(&path, None).await;
            fetched.map(|fetched| (path, fetched))
        }
    });
    side_by_side(AT_ONCE, work.collect(), |fetched| {
        if let (path, Fetched::Bytes(bytes, _)) = fetched? {
            found.push((path, bytes));
        }
        Ok(())
    })
    .await?;
    Ok(found)
}

/// The ledger in an object. Objects are put whole: what ends within a line is none of ours, whatever is wrong with it.
fn whole(name: &str, bytes: &[u8], target: &Target) -> Result<Snapshot, LedgerError> {
    let snapshot = parse(Name::new(name), bytes, target)?;
    if snapshot.warnings.is_empty() {
        return Ok(snapshot);
    }
    Err(LedgerError::Damaged {
        path: name.into(),
        line: 1 + bytes.iter().filter(|byte| **byte == b'\n').count(),
        reason: "the object ends within a line".to_owned(),
    })
}

/// Whose ledger it is.
pub(super) async fn target(store: &Store) -> Result<Option<Target>, LedgerError> {
    let first = store.list(&store.pieces).await?.into_iter();
    let first = first.map(|object| object.location);
    for path in [store.base.clone()].into_iter().chain(first) {
        if let Fetched::Bytes(bytes, _) = store.fetch(&path, None).await? {
            return headed(&store.name(&path), &bytes).map(Some);
        }
    }
    Ok(None)
}

fn headed(name: &str, bytes: &[u8]) -> Result<Target, LedgerError> {
    let line = bytes.split(|byte| *byte == b'\n').next();
    let header = line.and_then(|line| serde_json::from_slice::<Header>(line).ok());
    header
        .map(|header| header.target())
        .ok_or_else(|| LedgerError::Damaged {
            path: name.into(),
            line: 1,
            reason: "the object does not start with a ledger's header".to_owned(),
        })
}

/// Entries and nothing else, as a look shows them.
pub(super) fn only(entries: Entries) -> Snapshot {
    Snapshot {
        entries,
        found: true,
        ..Snapshot::default()
    }
}
