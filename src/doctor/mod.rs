//! `doctor`: one check for each thing that a run depends on. A check returns a [`Finding`], which
//! may have a remedy.
//!
//! If a check fails, only the checks that depend on it are skipped. Checks only read;
//! [`write_probe`] writes to one room.

mod list;
mod local;
mod probe;
mod report;
mod server;

pub use list::check_list;
pub use local::{address, ledger, manifest, settings};
pub use probe::{Known, ProbedUsers, UNDER_WAY, refuse_pipe, write_probe};
pub use report::{Answer, Finding, Report, Verdict, WriteProbe};
pub use server::check_server;

/// Maximum length of a quoted name, in characters.
const NAME: usize = 60;

/// Quotes an external name in back-ticks, and cuts it to fit a line. The name is escaped later,
/// when it is printed.
fn quoted(name: &str) -> String {
    let short: String = name.chars().take(NAME).collect();
    let more = if short.len() < name.len() { "…" } else { "" };
    format!("`{short}{more}`")
}
