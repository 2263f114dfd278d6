//! The ledger in a bucket: many small objects that are written once, and one base object into
//! which they are merged.
//!
//! Main type: [`Bucket`]. A ledger named `KEY` has these objects:
//!
//! - `KEY` is the base. It has the format of a file ledger. A merge or a compaction replaces
//!   it, on the condition that it has not changed (`If-Match`).
//! - `KEY.d/RUN-NUMBER.jsonl` is a piece. It holds the batches that one run wrote together, and
//!   never changes. No two runs use the same name. A run that repeats a write after a lost
//!   answer writes the same bytes.
//! - `KEY.d/claims/ROOM-NUMBER.jsonl` is a claim: the intent to send a message.
//!   `KEY.d/claims/create-HASH-NUMBER.jsonl` is the intent to create a room. Only one run can
//!   create each of these objects (`If-None-Match: *`).
//!
//! The ledger is the union of all these objects. A merge removes pieces only after the base
//! contains them. A reader lists the pieces before it reads the base, so the base contains
//! every piece that was removed in between.
//!
//! Before each write, a run checks that the base, the first known piece and the last known
//! piece still exist. The header of a merged base names the bases that it replaces (`lineage`).
//! The header of a piece names the base and the pieces before it, so that a reader notices a
//! lost object.

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
    /// The objects to watch. Clones share them.
    watched: Arc<Mutex<Watched>>,
}

impl Bucket {
    /// Creates the handle of a ledger, without sending a request.
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
