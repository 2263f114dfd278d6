//! The ledger: what was promised and what was confirmed, as append-only JSON lines.
//!
//! Main types: [`Fact`] (one thing to write down), [`Place`] (where a ledger lies: a file, or a bucket), [`Journal`] (the open file) and
//! [`remember`] (file to [`Recorded`](crate::model::Recorded)).
//! It never claims to know who is in a room, only what the server confirmed; it holds no lock between writes and decides nothing.

mod address;
#[cfg(feature = "object-store")]
mod bucket;
mod claims;
mod compact;
mod entry;
mod file;
mod fold;
mod journal;
mod line;
mod place;
mod quick;
mod rewrite;
mod stamps;
mod word;

pub use address::{Address, Name, NameError, StoreKind, StoreOptions};
#[cfg(feature = "object-store")]
pub use bucket::{Bucket, Log};
pub use compact::compact;
pub use entry::{Fact, Stage, Stamp};
pub use file::{LedgerError, Remembered, Snapshot, bytes, parse, read, remember};
pub use fold::{Entries, fold};
pub use journal::{Journal, Record};
pub use place::{Ledger, Place};
pub use rewrite::{rewrite, target_of};
