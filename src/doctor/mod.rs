//! `doctor`: one check for each thing that a run depends on. A check returns a [`Finding`], which
//! may have a remedy.
//!
//! If a check fails, only the checks that depend on it are skipped. Checks only read;
//! [`write_probe`] writes to one room.

mod list;
mod local;
mod probe;
mod server;

pub use list::check_list;
pub use local::{address, ledger, manifest, settings};
pub use probe::{Known, ProbedUsers, UNDER_WAY, refuse_pipe, write_probe};
pub use server::check_server;

use crate::imbachat::Failure;
use crate::model::{Pipe, RoomId, Target};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    /// The checked part works, but needs attention.
    Warning,
    Failed,
    /// The check did not run, because a prerequisite is missing.
    Skipped,
}

/// The result of one check. It may contain external text that is not escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub verdict: Verdict,
    pub message: String,
    /// The affected cases, one per entry.
    pub details: Vec<String>,
    pub remedy: Option<String>,
}

/// A question that the API's documentation leaves open, and what the write probe learned about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub question: String,
    /// Whether the probe settled the question.
    pub settled: bool,
    pub answer: String,
}

/// The room that a write probe created, and what the probe learned. Only people can remove the
/// room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteProbe {
    pub pipe: Pipe,
    pub room: RoomId,
    pub answers: Vec<Answer>,
}

#[derive(Debug, Default)]
pub struct Report {
    /// The widget, if it is known.
    pub target: Option<Target>,
    /// The name of each check, with its result.
    pub findings: Vec<(&'static str, Finding)>,
    pub probe: Option<WriteProbe>,
}

impl Finding {
    pub fn new(verdict: Verdict, message: impl Into<String>, remedy: Option<String>) -> Self {
        Self {
            verdict,
            message: message.into(),
            details: Vec::new(),
            remedy,
        }
    }

    pub fn ok(message: impl Into<String>) -> Self {
        Self::new(Verdict::Ok, message, None)
    }

    pub fn warning(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Verdict::Warning, message, Some(remedy.into()))
    }

    pub fn failed(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Verdict::Failed, message, Some(remedy.into()))
    }

    pub fn skipped(reason: impl Into<String>) -> Self {
        Self::new(Verdict::Skipped, reason, None)
    }

    /// Returns a warning about these cases. If there are none, returns a finding with the message
    /// `ok`.
    fn cases(cases: Vec<String>, ok: &str, message: String, remedy: &str) -> Self {
        if cases.is_empty() {
            return Self::ok(ok);
        }
        Self::warning(message, remedy).with(cases)
    }

    #[must_use]
    fn with(self, details: Vec<String>) -> Self {
        Self { details, ..self }
    }
}

impl From<&Failure> for Finding {
    fn from(failure: &Failure) -> Self {
        Self::new(Verdict::Failed, &failure.message, failure.hint.clone())
    }
}

impl Report {
    pub fn add(&mut self, check: &'static str, finding: Finding) {
        self.findings.push((check, finding));
    }

    pub fn count(&self, verdict: Verdict) -> usize {
        let findings = self.findings.iter();
        findings.filter(|(_, it)| it.verdict == verdict).count()
    }
}

/// Maximum length of a quoted name, in characters.
const NAME: usize = 60;

/// Quotes an external name in back-ticks, and cuts it to fit a line. The name is escaped later,
/// when it is printed.
fn quoted(name: &str) -> String {
    let short: String = name.chars().take(NAME).collect();
    let more = if short.len() < name.len() { "…" } else { "" };
    format!("`{short}{more}`")
}
