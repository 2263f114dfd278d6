//! A ledger wherever it lies, and whichever it is: everybody who reads or writes one asks a [`Place`].

use std::fmt;
use std::path::{Path, PathBuf};

use super::address::{Address, Name, NameError, StoreOptions};
#[cfg(feature = "object-store")]
use super::bucket::{Bucket, Log};
use super::entry::Fact;
use super::file::{self, LedgerError, Remembered, Snapshot};
use super::fold::Entries;
use super::journal::{Journal, Record};
use super::rewrite::{rewrite, target_of};
use crate::model::{Pipe, RoomId, RunId, Target, UserId};

/// Where a ledger lies.
#[derive(Debug, Clone)]
pub enum Place {
    /// In a file.
    File(PathBuf),
    /// In a bucket.
    #[cfg(feature = "object-store")]
    Bucket(Bucket),
}

/// A ledger opened for writing.
#[derive(Debug)]
pub enum Ledger {
    /// A file.
    File(Journal),
    /// A bucket.
    #[cfg(feature = "object-store")]
    Bucket(Log),
}

impl Place {
    /// The place with this name. `options` is only asked for a bucket's.
    ///
    /// # Errors
    /// Those of `options`, and [`NameError`] where this program knows no buckets.
    pub fn new<E: From<NameError>>(
        name: Name,
        options: impl FnOnce(&Address) -> Result<StoreOptions, E>,
    ) -> Result<Self, E> {
        match name {
            Name::File(path) => Ok(Self::File(path)),
            #[cfg(feature = "object-store")]
            Name::Object(address) => {
                let options = options(&address)?;
                Ok(Self::Bucket(Bucket::new(address, options)))
            }
            #[cfg(not(feature = "object-store"))]
            Name::Object(address) => {
                let _ = options;
                Err(NameError::unsupported(&address).into())
            }
        }
    }

    /// The file; `None` for a bucket.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            #[cfg(feature = "object-store")]
            Self::Bucket(_) => None,
        }
    }

    /// Reads the ledger of a target; one that is not there is empty, and not [found](Snapshot::found).
    ///
    /// # Errors
    /// [`LedgerError`], except `Closed`.
    pub async fn read(&self, target: &Target) -> Result<Snapshot, LedgerError> {
        match self {
            Self::File(path) => file::read(path, target),
            #[cfg(feature = "object-store")]
            Self::Bucket(bucket) => bucket.read(target).await,
        }
    }

    /// What the ledger of a target comes to; its entries are not kept.
    ///
    /// # Errors
    /// [`LedgerError`], except `Closed`.
    pub async fn remember(&self, target: &Target) -> Result<Remembered, LedgerError> {
        match self {
            Self::File(path) => file::remember(path, target),
            #[cfg(feature = "object-store")]
            Self::Bucket(bucket) => Ok(bucket.read(target).await?.into_remembered()),
        }
    }

    /// Whose ledger it is; `None` if it is not there.
    ///
    /// # Errors
    /// [`LedgerError`]: it cannot be read, or does not start as a ledger.
    pub async fn target(&self) -> Result<Option<Target>, LedgerError> {
        match self {
            Self::File(path) => target_of(path),
            #[cfg(feature = "object-store")]
            Self::Bucket(bucket) => bucket.target().await,
        }
    }

    /// Puts other entries in the place of a ledger's, and gives them back with what was wrong with the old ones. Runs that write
    /// meanwhile lose nothing. In a bucket the work may be done anew, where somebody else was quicker.
    ///
    /// # Errors
    /// [`LedgerError`]; no entry is lost.
    pub async fn rewrite(
        &self,
        target: &Target,
        work: impl FnMut(Entries) -> Entries,
    ) -> Result<Snapshot, LedgerError> {
        match self {
            Self::File(path) => rewrite(path, target, work),
            #[cfg(feature = "object-store")]
            Self::Bucket(bucket) => bucket.rewrite(target, work).await,
        }
    }

    /// Opens the ledger of a target for a run to write to. A bucket's has to be opened, and used, in a tokio runtime.
    ///
    /// # Errors
    /// [`LedgerError`]: also when it is of another target, newer, or damaged.
    pub async fn open(&self, target: &Target, run: &RunId) -> Result<Ledger, LedgerError> {
        match self {
            Self::File(path) => Journal::open(path, target, run).map(Ledger::File),
            #[cfg(feature = "object-store")]
            Self::Bucket(bucket) => bucket.open(target, run).await.map(Ledger::Bucket),
        }
    }

    /// Its name if it means the same on another machine: an address, or a path from where the program stands.
    pub fn portable(&self) -> Option<String> {
        match self {
            Self::File(path) if path.is_absolute() => None,
            Self::File(path) => path.to_str().map(str::to_owned),
            #[cfg(feature = "object-store")]
            Self::Bucket(bucket) => Some(bucket.to_string()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            #[cfg(feature = "object-store")]
            Self::Bucket(bucket) => bucket.fmt(f),
        }
    }
}

impl Record for Ledger {
    async fn append(&self, facts: Vec<Fact>) -> Result<(), LedgerError> {
        match self {
            Self::File(journal) => journal.append(facts).await,
            #[cfg(feature = "object-store")]
            Self::Bucket(log) => log.append(facts).await,
        }
    }

    async fn claim(&self, pipe: &Pipe, room: RoomId, from: UserId) -> Result<bool, LedgerError> {
        match self {
            Self::File(journal) => journal.claim(pipe, room, from).await,
            #[cfg(feature = "object-store")]
            Self::Bucket(log) => log.claim(pipe, room, from).await,
        }
    }
}
