//! Selects where a ledger is stored. All reads and writes of a ledger go through [`LedgerBackend`].

use std::fmt;
use std::path::Path;

use super::address::{Address, Name, NameError, StoreOptions};
#[cfg(feature = "object-store")]
use super::bucket::Bucket;
use super::entry::Entries;
use super::error::LedgerError;
use super::file::Snapshot;
use super::journal::Journal;
use super::ledger_file::LedgerFile;
use crate::model::{RunId, Target};

/// The storage of a ledger.
#[derive(Debug, Clone)]
pub enum LedgerBackend {
    /// The ledger is a file.
    File(LedgerFile),
    /// The ledger is a set of objects in a bucket.
    #[cfg(feature = "object-store")]
    Bucket(Bucket),
}

impl LedgerBackend {
    /// Creates the backend for a name, without opening anything. `options` is called only for a
    /// bucket.
    ///
    /// # Errors
    /// Returns the error from `options`, or a [`NameError`] if this build does not support buckets.
    pub fn new<E: From<NameError>>(
        name: Name,
        options: impl FnOnce(&Address) -> Result<StoreOptions, E>,
    ) -> Result<Self, E> {
        match name {
            Name::File(path) => Ok(Self::File(LedgerFile::new(path))),
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

    /// Returns the path of a file ledger; `None` for a bucket.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(file) => Some(file.path()),
            #[cfg(feature = "object-store")]
            Self::Bucket(_) => None,
        }
    }

    /// Reads the ledger of a target. If there is no ledger, the result is empty, and
    /// [`Snapshot::found`] is false.
    ///
    /// # Errors
    /// Returns a [`LedgerError`] if the ledger cannot be read. The error is never `Closed`.
    pub async fn read(&self, target: &Target) -> Result<Snapshot, LedgerError> {
        match self {
            Self::File(file) => file.read(target),
            #[cfg(feature = "object-store")]
            Self::Bucket(bucket) => bucket.read(target).await,
        }
    }

    /// Returns the target that the ledger belongs to; `None` if there is no ledger.
    ///
    /// # Errors
    /// Returns a [`LedgerError`] if the ledger cannot be read or has no valid header.
    pub async fn target(&self) -> Result<Option<Target>, LedgerError> {
        match self {
            Self::File(file) => file.target(),
            #[cfg(feature = "object-store")]
            Self::Bucket(bucket) => bucket.target().await,
        }
    }

    /// Replaces a ledger's entries with the result of `work`. Returns the new entries and the
    /// warnings of the old ledger. Entries of concurrent runs are not lost. In a bucket, `work` is
    /// called again after a conflict with another run.
    ///
    /// # Errors
    /// Returns a [`LedgerError`] if the ledger cannot be replaced. No entry is lost.
    pub async fn rewrite(
        &self,
        target: &Target,
        work: impl FnMut(Entries) -> Entries,
    ) -> Result<Snapshot, LedgerError> {
        match self {
            Self::File(file) => file.rewrite(target, work),
            #[cfg(feature = "object-store")]
            Self::Bucket(bucket) => bucket.rewrite(target, work).await,
        }
    }

    /// Opens the ledger of a target for writing. A bucket ledger must be opened and used in a tokio
    /// runtime.
    ///
    /// # Errors
    /// Returns a [`LedgerError`] if the ledger cannot be opened, belongs to another target, has a
    /// newer format, or is damaged.
    pub async fn open(&self, target: &Target, run: &RunId) -> Result<Journal, LedgerError> {
        match self {
            Self::File(file) => Journal::open(file, target, run),
            #[cfg(feature = "object-store")]
            Self::Bucket(bucket) => bucket.open(target, run).await,
        }
    }

    /// Returns the ledger's name if it means the same on another machine: an address or a relative
    /// path.
    pub fn portable(&self) -> Option<String> {
        match self {
            Self::File(file) if file.path().is_absolute() => None,
            Self::File(file) => file.path().to_str().map(str::to_owned),
            #[cfg(feature = "object-store")]
            Self::Bucket(bucket) => Some(bucket.to_string()),
        }
    }
}

impl fmt::Display for LedgerBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => file.path().display().fmt(f),
            #[cfg(feature = "object-store")]
            Self::Bucket(bucket) => bucket.fmt(f),
        }
    }
}
