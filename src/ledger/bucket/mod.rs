//! The ledger in a bucket: many small objects that are written once each, and one that they are merged into.
//!
//! Main type: [`Bucket`]. For the ledger `KEY` there are
//!
//! - `KEY`, the base: a ledger like a file; only put in the place of the one that was read (`If-Match`), by merging and compacting;
//! - `KEY.d/RUN-NUMBER.jsonl`, the pieces: what one run wrote down at once; created, never changed. No two runs share a name, and
//!   a run that writes one again, since the answer was lost, writes the same;
//! - `KEY.d/claims/ROOM-NUMBER.jsonl`: the intent of a message; it can be created once (`If-None-Match: *`), and so by one run.
//!
//! The ledger is the union of all of them. A merge removes pieces only after the base holds them, and a reader lists the pieces
//! before it reads the base: so a piece that is gone is in what is read after it.

mod connect;
mod merge;
mod read;
mod retry;
mod store;
mod write;

use std::fmt;
use std::sync::{Arc, OnceLock};

use tracing::info;

use self::read::BucketReader;
use self::store::Store;
use super::address::{Address, StoreOptions};
use super::error::LedgerError;
use super::file::Snapshot;
use crate::model::Target;

/// A ledger in a bucket. `Debug` shows no secret.
#[derive(Clone)]
pub struct Bucket {
    address: Address,
    options: Arc<StoreOptions>,
    store: OnceLock<Store>,
}

impl Bucket {
    /// Sends nothing yet.
    pub fn new(address: Address, options: StoreOptions) -> Self {
        Self {
            address,
            options: Arc::new(options),
            store: OnceLock::new(),
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
        let mut reader = BucketReader::new(self.store()?.clone(), target.clone());
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
