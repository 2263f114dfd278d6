//! Reads the objects of a ledger: first the pieces, then the base. Reports known objects that
//! disappear or are replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path as Name;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use object_store::path::Path;
use object_store::{ObjectMeta, UpdateVersion};

use super::super::error::{LedgerError, Loss};
use super::super::file::{Snapshot, parse, target_of};
use super::super::json::Link;
use super::super::lineage::{fingerprint, predecessors};
use super::Bucket;
use super::retry::StoreFailure;
use super::store::{CONCURRENT_CALLS, Store, run_concurrently};
use crate::model::Target;

/// The objects that must not disappear or be replaced.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// The fingerprint of the base.
    base: Option<String>,
    /// The known pieces that are not in the base.
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
struct Piece {
    path: Path,
    /// The version of the object, if this process wrote it.
    version: Option<String>,
}

/// The base object, as this run last read it.
pub(super) struct Base {
    pub(super) version: UpdateVersion,
    fingerprint: String,
    replaces: Vec<String>,
}

/// Reads a ledger, and remembers which objects it has read, so that the next read fetches only new
/// objects.
pub(super) struct BucketReader {
    pub(super) store: Store,
    pub(super) target: Target,
    /// The pieces and claims that the last listing returned.
    pub(super) listed: Vec<ObjectMeta>,
    /// The paths of the listed objects, and of the objects that this run has written since.
    existing: BTreeSet<Path>,
    /// The pieces and claims whose content is already known, each with its link to the objects
    /// before it.
    known: BTreeMap<Path, Link>,
    /// The link of the next piece to the objects before it.
    pub(super) link: Link,
    /// Whether a lost object causes only a warning. Otherwise the ledger is refused.
    pub(super) accepts_loss: bool,
    pub(super) base: Option<Base>,
    watched: Arc<Mutex<Watched>>,
}

impl BucketReader {
    /// Reads the objects that are new since the last read; on the first call, the whole ledger.
    /// Checks that no object is missing.
    pub(super) async fn read_new(&mut self) -> Result<Snapshot, LedgerError> {
        let mut snapshot = self.read_once().await?;
        if self.find_missing().is_some() {
            // If a listing has several pages, it may miss a piece that was written in the meantime,
            // so read again.
            let again = self.read_once().await?;
            snapshot.entries.extend(again.entries);
        }
        if let Some(path) = self.find_missing() {
            let error = LedgerError::Incomplete {
                place: self.store.address_of(&self.store.base),
                object: self.store.address_of(&path),
            };
            if !self.accepts_loss {
                return Err(error);
            }
            snapshot.warnings.push(error.to_string());
        }
        Ok(snapshot)
    }

    /// Returns a missing object that a piece names: the base or another piece. A merge replaces
    /// the base and then removes pieces. So if a piece names a base other than the current one,
    /// the other pieces that it names may be missing without being lost.
    fn find_missing(&self) -> Option<Path> {
        let base = self.base.as_ref().map(|base| &base.fingerprint);
        let there: BTreeSet<&Path> = self.pieces().map(|object| &object.location).collect();
        for link in there.iter().filter_map(|path| self.known.get(*path)) {
            if link.base.is_some() && base.is_none() {
                return Some(self.store.base.clone());
            }
            let follows = link.follows.iter().filter(|_| link.base.as_ref() == base);
            let mut pieces = follows.map(|name| self.store.pieces.clone().join(name.as_str()));
            if let Some(missing) = pieces.find(|path| !there.contains(path)) {
                return Some(missing);
            }
        }
        None
    }

    /// Returns the link of the next piece. It names the base, and the known pieces that are
    /// neither in the base nor named by another piece.
    fn find_link(&self) -> Link {
        let base = self.base.as_ref().map(|base| &base.fingerprint);
        let pieces = self
            .known
            .iter()
            .filter(|(path, link)| !self.store.is_claim(path) && link.base.as_ref() == base);
        let followed: BTreeSet<&String> =
            pieces.clone().flat_map(|(_, link)| &link.follows).collect();
        let names = pieces.filter_map(|(path, _)| path.filename().map(str::to_owned));
        Link {
            base: base.cloned(),
            follows: names.filter(|name| !followed.contains(name)).collect(),
        }
    }

    /// Reads the new objects. Lists pieces before it reads the base, because a piece removed in
    /// between is in the base.
    async fn read_once(&mut self) -> Result<Snapshot, LedgerError> {
        // Note now what is watched, because another task may write a piece during the listing.
        let (known, pieces) = {
            let watched = self.watched();
            (watched.base.clone(), watched.pieces.len())
        };
        let mut listed = self.store.list(&self.store.pieces).await?;
        listed.extend(self.store.list(&self.store.claims).await?);
        listed.retain(|object| object.location.as_ref().ends_with(".jsonl"));
        let paths = listed.iter().map(|object| object.location.clone());
        self.existing = paths.collect();
        self.listed = listed;
        let is_new = |path: &&Path| !self.known.contains_key(*path);
        let new = self.existing.iter().filter(is_new).cloned().collect();
        let mut snapshot = Snapshot::default();
        for (path, bytes) in fetch_all(&self.store, new).await? {
            let piece = self.parse_object(&path, &bytes)?;
            snapshot.found = true;
            snapshot.entries.extend(piece.entries);
            self.known.insert(path, piece.link);
        }
        if let Some(base) = self.read_new_base().await? {
            snapshot.found = true;
            snapshot.entries.extend(base.entries);
        }
        let mut watched = self.watched();
        let is_there = |piece: &Piece| self.existing.contains(&piece.path);
        if watched.base == known && !watched.pieces.iter().take(pieces).all(is_there) {
            return Err(self.store.lost(Loss::Gone));
        }
        // Watch the listed pieces only if there is no base, because a merge may remove pieces that
        // the base contains.
        if watched.base.is_none() && watched.pieces.is_empty() {
            let listed = self.pieces().map(|object| Piece {
                path: object.location.clone(),
                version: None,
            });
            watched.pieces.extend(listed);
        }
        drop(watched);
        self.link = self.find_link();
        Ok(snapshot)
    }

    /// Reads the base if it has changed since the last read.
    async fn read_new_base(&mut self) -> Result<Option<Snapshot>, LedgerError> {
        let path = &self.store.base;
        let version = self.base.as_ref().map(|base| &base.version);
        let known = self.watched().base.clone();
        let (bytes, version) = match self.store.fetch_new(path, version).await? {
            Ok(fetched) => fetched,
            Err(StoreFailure::Absent(_)) if known.is_some() => {
                return Err(self.store.lost(Loss::Gone));
            }
            Err(_) => return Ok(None),
        };
        let snapshot = self.parse_object(path, &bytes)?;
        let fingerprint = fingerprint(&bytes);
        let continues = |known: &String| *known == fingerprint || snapshot.replaces.contains(known);
        if !known.as_ref().is_none_or(continues) {
            return Err(self.store.lost(Loss::Replaced));
        }
        // Stop watching the pieces in this base, because other runs may now remove them.
        if known.as_ref() != Some(&fingerprint) {
            self.watch_base(fingerprint.clone());
        }
        self.base = Some(Base {
            version,
            fingerprint,
            replaces: snapshot.replaces.clone(),
        });
        Ok(Some(snapshot))
    }

    /// Checks before a write that the watched objects still exist. Returns the base if it has
    /// changed.
    pub(super) async fn check(&mut self) -> Result<Option<Snapshot>, LedgerError> {
        let (known, ends) = {
            let watched = self.watched();
            // Checking every piece before each write would take too many calls. `read_new` checks
            // all of them.
            let (first, last) = (watched.pieces.first(), watched.pieces.last());
            let ends: Vec<Piece> = [first, last].into_iter().flatten().cloned().collect();
            (watched.base.clone(), ends)
        };
        let heads = ends.iter().map(|piece| find_loss(&self.store, piece));
        let losses = run_concurrently(CONCURRENT_CALLS, heads).await?;
        let base = self.read_new_base().await?;
        // A merge replaces the base before it removes pieces, so a new base explains a missing
        // piece.
        let is_merged = self.watched().base != known;
        match losses.into_iter().flatten().next() {
            Some(loss) if !is_merged => Err(self.store.lost(loss)),
            _ => Ok(base),
        }
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the fingerprints that the header of a new base must name to replace this base.
    pub(super) fn predecessors(&self) -> Vec<String> {
        let base = self.base.as_ref();
        let names = |base: &Base| predecessors(base.fingerprint.clone(), base.replaces.clone());
        base.map(names).unwrap_or_default()
    }

    /// Watches the base with this fingerprint, and no pieces.
    pub(super) fn watch_base(&self, fingerprint: String) {
        *self.watched() = Watched {
            base: Some(fingerprint),
            pieces: Vec::new(),
        };
    }

    /// Watches a piece that this process wrote.
    pub(super) fn watch_piece(&self, path: &Path, version: UpdateVersion) {
        self.watched().pieces.push(Piece {
            path: path.clone(),
            version: version.e_tag,
        });
    }

    /// Parses an object. Objects are written whole, so one with a partial last line is damaged.
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

    /// Remembers an object that this run wrote, so that it is not read again.
    pub(super) fn add_own(&mut self, path: Path, link: Link) {
        if !self.store.is_claim(&path) {
            self.link.follows = path.filename().map(str::to_owned).into_iter().collect();
        }
        self.known.insert(path.clone(), link);
        self.existing.insert(path);
    }

    /// Returns whether the object was in the last listing, or was written by this run since.
    pub(super) fn exists(&self, path: &Path) -> bool {
        self.existing.contains(path)
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = &ObjectMeta> {
        let listed = self.listed.iter();
        listed.filter(|object| !self.store.is_claim(&object.location))
    }
}

/// Returns how a piece was lost; `None` if it is unchanged.
async fn find_loss(store: &Store, piece: &Piece) -> Result<Option<Loss>, LedgerError> {
    let Some(found) = store.head(&piece.path).await? else {
        return Ok(Some(Loss::Gone));
    };
    let versions = piece.version.as_ref().zip(found.e_tag.as_ref());
    let is_other = versions.is_some_and(|(own, found)| own != found);
    Ok(is_other.then_some(Loss::Replaced))
}

/// Fetches objects. Skips objects that no longer exist, because a merge has removed them.
async fn fetch_all(store: &Store, paths: Vec<Path>) -> Result<Vec<(Path, Vec<u8>)>, LedgerError> {
    let work = paths.into_iter().map(async |path| {
        let fetched = store.fetch(&path).await?;
        Ok(fetched.map(|bytes| (path, bytes)))
    });
    let fetched = run_concurrently(CONCURRENT_CALLS, work).await?;
    Ok(fetched.into_iter().flatten().collect())
}

impl Bucket {
    pub(super) fn reader(&self, target: &Target) -> Result<BucketReader, LedgerError> {
        Ok(BucketReader {
            store: self.store()?.clone(),
            target: target.clone(),
            listed: Vec::new(),
            existing: BTreeSet::new(),
            known: BTreeMap::new(),
            link: Link::default(),
            accepts_loss: false,
            base: None,
            watched: Arc::clone(&self.watched),
        })
    }

    /// Returns the target that the ledger belongs to; `None` if there is no ledger.
    pub(in crate::ledger) async fn target(&self) -> Result<Option<Target>, LedgerError> {
        let store = self.store()?;
        let pieces = store.list(&store.pieces).await?.into_iter();
        let pieces = pieces.map(|object| object.location);
        for path in std::iter::once(store.base.clone()).chain(pieces) {
            if let Some(bytes) = store.fetch(&path).await? {
                let name = store.address_of(&path);
                if let Some(target) = target_of(Name::new(&name), &mut &*bytes)? {
                    return Ok(Some(target));
                }
            }
        }
        Ok(None)
    }
}
