//! The ledger: what was promised and what was confirmed, as append-only JSON lines.
//!
//! Main types: [`Fact`] (one thing to write down), [`Journal`] (the open file) and [`read`] (file to [`Recorded`](crate::model::Recorded)).
//! It never claims to know who is in a room, only what the server confirmed; it holds no lock between writes and decides nothing.

mod claims;
mod entry;
mod file;
mod fold;
mod journal;
mod line;
mod quick;
mod rewrite;
mod word;

pub use entry::{Fact, Stage, Stamp};
pub use file::{LedgerError, Snapshot, bytes, parse, read};
pub use fold::{Entries, compact, fold};
pub use journal::{Journal, Record};
pub use rewrite::{rewrite, target_of};
