//! `doctor`: one check for each thing a run depends on, which returns a [`Finding`] with its remedy.
//!
//! A check that fails skips those that need it, and no others. Checks only read; [`write_probe`] writes to one room.

mod list;
mod local;
mod probe;
mod report;
mod server;

pub use list::check_list;
pub use local::{address, ledger, manifest, settings};
pub use probe::{Known, UNDER_WAY, refuse_pipe, write_probe};
pub use report::{Answer, Finding, Report, Verdict, WriteProbe};
pub use server::check_server;

/// Characters of a name that are shown.
const NAME: usize = 60;

/// A name from outside in back-ticks, cut to fit a line. It is escaped where it is printed.
fn quoted(name: &str) -> String {
    let short: String = name.chars().take(NAME).collect();
    let more = if short.len() < name.len() { "…" } else { "" };
    format!("`{short}{more}`")
}
