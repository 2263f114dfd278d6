//! Formats all output: text for people, and documents for machines.
//!
//! Main types: [`Paint`] (colour or not) and the writers. The writers compute only what they print.

mod adoption;
mod column;
mod csv;
pub mod diagnostics;
mod doctor;
pub mod escape;
mod explained;
mod failed;
pub mod github;
pub mod html;
mod ledger;
pub mod log;
mod manifest_node;
pub mod markdown;
mod paint;
mod progress;
mod resolved_manifest;
pub mod rows;
pub mod sarif;
mod send_result;
mod sheet;
mod text;
mod todo;
mod unified_diff;
mod yaml;

pub use adoption::adoption;
pub use csv::CsvReader;
pub use doctor::doctor;
pub use explained::explained;
pub use failed::failed;
pub use ledger::{history, ledger};
pub use paint::Paint;
pub use progress::{EVERY, Progress};
pub use resolved_manifest::{find_ci_command, manifest, members};
pub use send_result::sent;
pub use text::{attention, briefly, outcome, plan, remaining, sentence, write};
pub use todo::todo;
pub use unified_diff::unified;

pub use crate::view::{Count, few};

use std::io::{self, Write};

use serde::Serialize;

/// Writes a document as JSON, ending with a line break. Characters that could control a terminal or a CI log become JSON escapes.
///
/// # Errors
/// Returns an error if the output cannot be written.
pub fn write_json(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut out = escape::JsonLines::new(out);
    serde_json::to_writer_pretty(&mut out, document)?;
    out.finish()
}

/// Returns a document as the JSON text that [`write_json`] writes.
///
/// # Errors
/// Does not fail in practice, because every document can be written as JSON.
pub fn json(document: &impl Serialize) -> io::Result<String> {
    let mut text = Vec::new();
    write_json(document, &mut text)?;
    String::from_utf8(text).map_err(io::Error::other)
}
