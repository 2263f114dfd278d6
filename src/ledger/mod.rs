//! The ledger: what is still to be sent and what is confirmed, as append-only JSON lines.
//!
//! Main types: [`Fact`] (one fact to record), [`LedgerBackend`] (a file or an object store), [`Journal`]
//! (an open ledger) and [`Snapshot`] (what a ledger holds, and [`Recorded`](crate::model::Recorded) of it).
//! The ledger knows what the server confirmed, not who is in a room. It holds no lock between writes and makes no decisions.

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
mod history;
mod journal;
mod json;
mod ledger_file;
mod lineage;
mod lock;

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
