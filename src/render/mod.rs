//! Formats all output: text for people, and documents for machines.
//!
//! Main types: [`Paint`] (colour or not) and the writers. The writers compute only what they print.

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
pub mod markdown;
mod paint;
mod progress;
mod resolved_manifest;
pub mod rows;
pub mod sarif;
mod sheet;
mod text;
mod unified_diff;

pub use csv::{CsvReader, todo};
pub use doctor::doctor;
pub use explained::explained;
pub use failed::failed;
pub use ledger::{adoption, history, ledger};
pub use paint::Paint;
pub use progress::{EVERY, Progress};
pub use resolved_manifest::{find_ci_command, manifest, members};
pub use text::{attention, briefly, outcome, plan, remaining, sent, sentence, write};
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
    to_text(|out| write_json(document, out))
}

/// Returns the text that `write` writes.
///
/// # Errors
/// Returns the error of `write`, or an error if the text is not UTF-8.
pub fn to_text(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<String> {
    let mut text = Vec::new();
    write(&mut text)?;
    String::from_utf8(text).map_err(io::Error::other)
}
