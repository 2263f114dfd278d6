//! The ledger in a bucket: many small write-once objects, and one base object that they are merged into.
//!
//! Main type: [`Bucket`]. The objects of the ledger `KEY` are:
//!
//! - `KEY`, the base: same format as a file ledger. Merging and compacting replace it conditionally (`If-Match`).
//! - `KEY.d/RUN-NUMBER.jsonl`, the pieces: one batch of one run. A piece is created and never changed. Names are unique per run.
//!   A run that retries a piece after a lost answer writes the same bytes.
//! - `KEY.d/claims/ROOM-NUMBER.jsonl` and `KEY.d/claims/create-HASH-NUMBER.jsonl`, the claims: the intent to send a message, and
//!   the intent to create a room. Only one run can create each of these objects (`If-None-Match: *`).
//!
//! The ledger is the union of all objects. A merge removes pieces only after the base contains them. A reader lists the pieces
//! before it reads the base, so the base that it reads contains any piece removed in between.
//!
//! Before each write, a run checks that the base, and the first and last known piece, are still there. The header of a base that
//! a merge wrote names the bases that it replaces (`lineage`). The header of a piece names the base and the pieces before it, so
//! that a reader notices a lost one.

mod connect;
mod merge;
mod read;
mod retry;
mod store;
mod write;

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use tracing::info;

use self::read::Watched;
use self::store::Store;
use super::address::{Address, StoreOptions};
use super::error::LedgerError;
use super::file::Snapshot;
use crate::model::Target;

/// A ledger in a bucket. `Debug` redacts secrets.
#[derive(Clone)]
pub struct Bucket {
    address: Address,
    options: Arc<StoreOptions>,
    store: OnceLock<Store>,
    /// Clones share it.
    watched: Arc<Mutex<Watched>>,
}

impl Bucket {
    /// Creates the ledger handle. Sends nothing yet.
    pub fn new(address: Address, options: StoreOptions) -> Self {
        Self {
            address,
            options: Arc::new(options),
            store: OnceLock::new(),
            watched: Arc::default(),
        }
    }

    fn store(&self) -> Result<&Store, LedgerError> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let store = Store::connect(&self.address, &self.options)?;
        Ok(self.store.get_or_init(|| store))
    }

    pub(super) async fn read(&self, target: &Target) -> Result<Snapshot, LedgerError> {
        let mut reader = self.reader(target)?;
        let snapshot = reader.read_new().await?;
        let entries = snapshot.entries.len();
        info!(place = %self, found = snapshot.found, entries, "ledger read");
        Ok(snapshot)
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({})", self.address)
    }
}
