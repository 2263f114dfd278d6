//! The ledger records, as append-only JSON lines, what the server confirmed and what must still be
//! sent.
//!
//! Main types: [`Fact`] (one fact to record), [`LedgerBackend`] (a file or an object store),
//! [`Journal`] (an open ledger) and [`Snapshot`] (the content of a ledger, from which
//! [`Recorded`](crate::model::Recorded) is computed). The ledger knows what the server confirmed,
//! but not who is in a room. It holds no lock between writes, and makes no decisions.

mod address;
mod backend;
#[cfg(feature = "object-store")]
mod bucket;
mod claims;
mod compact;
mod entry;
mod error;
mod file;
mod fold;
mod history;
mod journal;
mod json;
mod ledger_file;
mod lineage;

pub use address::{Address, Name, NameError, StoreKind, StoreOptions};
pub use backend::LedgerBackend;
#[cfg(feature = "object-store")]
pub use bucket::Bucket;
pub use claims::{Claim, Claimed};
pub use compact::compact;
pub use entry::{Entries, Fact, PipeFact, RoomFact, Stage, Stamp};
pub use error::{LedgerError, Loss};
pub use file::{Snapshot, parse};
pub use fold::fold;
pub use history::{history, members_of, rooms_of};
pub use journal::{Journal, Record};
pub use json::bytes;
pub use ledger_file::{LedgerFile, read};
