//! The ledger: what was promised and what was confirmed, as append-only JSON lines.
//!
//! Main types: [`Fact`] (one thing to write down), [`LedgerBackend`] (where a ledger is: a file, or an object store), [`Journal`]
//! (an open ledger) and [`remember`] (file to [`Recorded`](crate::model::Recorded)).
//! It never claims to know who is in a room, only what the server confirmed; it holds no lock between writes and decides nothing.

mod address;
mod backend;
#[cfg(feature = "object-store")]
mod bucket;
mod claims;
mod clock;
mod compact;
mod entry;
mod error;
mod file;
mod file_writer;
mod fold;
mod journal;
mod json;
mod lock;
mod rewrite;

pub use address::{Address, Name, NameError, StoreKind, StoreOptions};
pub use backend::LedgerBackend;
#[cfg(feature = "object-store")]
pub use bucket::Bucket;
pub use compact::compact;
pub use entry::{Entries, Fact, Stage, Stamp};
pub use error::LedgerError;
pub use file::{Remembered, Snapshot, parse, read, remember};
pub use fold::fold;
pub use journal::{Journal, Record};
pub use json::bytes;
pub use rewrite::rewrite;
