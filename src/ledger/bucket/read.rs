//! Reads a ledger's objects: first the pieces, then the base.

use std::collections::BTreeSet;
use std::path::Path as Name;

use object_store::path::Path;
use object_store::{ObjectMeta, UpdateVersion};

use super::super::error::LedgerError;
use super::super::file::{Snapshot, parse};
use super::super::json::Header;
use super::Bucket;
use super::store::{CONCURRENT_CALLS, Store, run_concurrently};
use crate::model::Target;

/// Remembers what it has read, so that the next read fetches only what is new.
pub(super) struct BucketReader {
    pub(super) store: Store,
    pub(super) target: Target,
    /// Pieces and claims at the last listing.
    pub(super) listed: Vec<ObjectMeta>,
    /// Pieces and claims whose content is already known.
    known: BTreeSet<Path>,
    /// Objects that this run has written since the last listing.
    own: BTreeSet<Path>,
    /// The version of the base.
    pub(super) base: Option<UpdateVersion>,
}

impl BucketReader {
    pub(super) fn new(store: Store, target: Target) -> Self {
        Self {
            store,
            target,
            listed: Vec::new(),
            known: BTreeSet::new(),
            own: BTreeSet::new(),
            base: None,
        }
    }

    /// Reads what is new since the last read; the first time, the whole ledger. Lists pieces before it reads the base, because a
    /// piece removed in between is in the base.
    pub(super) async fn read_new(&mut self) -> Result<Snapshot, LedgerError> {
        let mut listed = self.store.list(&self.store.pieces).await?;
        listed.extend(self.store.list(&self.store.claims).await?);
        listed.retain(|object| object.location.as_ref().ends_with(".jsonl"));
        let paths = listed.iter().map(|object| &object.location);
        let new: Vec<Path> = paths
            .filter(|path| !self.known.contains(path))
            .cloned()
            .collect();
        self.listed = listed;
        self.own.clear();
        let mut snapshot = Snapshot::default();
        for (path, bytes) in fetch_all(&self.store, new).await? {
            let piece = self.parse_object(&path, &bytes)?;
            snapshot.found = true;
            snapshot.entries.extend(piece.entries);
            self.known.insert(path);
        }
        if let Some(base) = self.read_new_base().await? {
            snapshot.found = true;
            snapshot.entries.extend(base.entries);
        }
        Ok(snapshot)
    }

    /// Reads the base if it changed since the last read.
    pub(super) async fn read_new_base(&mut self) -> Result<Option<Snapshot>, LedgerError> {
        let path = &self.store.base;
        let Some((bytes, version)) = self.store.fetch(path, self.base.as_ref()).await? else {
            return Ok(None);
        };
        let snapshot = self.parse_object(path, &bytes)?;
        self.base = Some(version);
        Ok(Some(snapshot))
    }

    /// Objects are written whole: an object with a partial last line is damaged.
    fn parse_object(&self, path: &Path, bytes: &[u8]) -> Result<Snapshot, LedgerError> {
        let name = self.store.address_of(path);
        let snapshot = parse(Name::new(&name), bytes, &self.target)?;
        if snapshot.warnings.is_empty() {
            return Ok(snapshot);
        }
        let line = 1 + bytes.iter().filter(|byte| **byte == b'\n').count();
        let reason = "the object ends within a line";
        Err(LedgerError::damaged(name.as_ref(), line, reason))
    }

    /// Marks an object as written by this run, so that it is not read again.
    pub(super) fn add_own(&mut self, path: Path) {
        self.known.insert(path.clone());
        self.own.insert(path);
    }

    /// Whether the object was listed, or written by this run since.
    pub(super) fn exists(&self, path: &Path) -> bool {
        self.own.contains(path) || self.listed.iter().any(|object| object.location == *path)
    }

    /// The number of listed pieces.
    pub(super) fn piece_count(&self) -> usize {
        let listed = self.listed.iter();
        listed
            .filter(|object| !self.store.is_claim(&object.location))
            .count()
    }
}

/// Fetches objects. Missing ones were merged in the meantime and are skipped.
async fn fetch_all(store: &Store, paths: Vec<Path>) -> Result<Vec<(Path, Vec<u8>)>, LedgerError> {
    let work = paths.into_iter().map(|path| {
        let store = store.clone();
        async move {
            let fetched = store.fetch(&path, None).await?;
            Ok(fetched.map(|(bytes, _)| (path, bytes)))
        }
    });
    let fetched = run_concurrently(CONCURRENT_CALLS, work).await?;
    Ok(fetched.into_iter().flatten().collect())
}

impl Bucket {
    /// Reads the target of the ledger; `None` if there is no ledger.
    pub(in crate::ledger) async fn target(&self) -> Result<Option<Target>, LedgerError> {
        let store = self.store()?;
        let pieces = store.list(&store.pieces).await?.into_iter();
        let pieces = pieces.map(|object| object.location);
        for path in std::iter::once(store.base.clone()).chain(pieces) {
            if let Some((bytes, _)) = store.fetch(&path, None).await? {
                let line = bytes.split(|byte| *byte == b'\n').next();
                let header = line.and_then(|line| Header::parse(line).ok());
                let target = header.map(|header| header.target()).ok_or_else(|| {
                    let reason = "the object does not start with a ledger's header";
                    LedgerError::damaged(store.address_of(&path).as_ref(), 1, reason)
                });
                return target.map(Some);
            }
        }
        Ok(None)
    }
}
