//! What a check-up of everything a run depends on found, step by step.

use super::{Pipe, RoomId, Target};

/// How a step came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and somebody should look at it.
    Warning,
    /// It does not work.
    Failed,
    /// It was not looked at: something it needs is not there.
    Skipped,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What was looked at, in a word.
    pub name: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found, in a line; may hold text of others, as it is.
    pub message: String,
    /// The cases, one each; may hold text of others, as it is.
    pub details: Vec<String>,
    /// What to do.
    pub remedy: Option<String>,
}

/// One of the things that the API's pages leave open, and what a write probe says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The question.
    pub question: String,
    /// Whether the probe settled it.
    pub settled: bool,
    /// What was seen.
    pub answer: String,
}

/// What a write probe left and learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The pipe it was asked to use.
    pub pipe: Pipe,
    /// The room that is there now, and that only people can remove.
    pub room: Option<RoomId>,
    /// What it learned.
    pub findings: Vec<Finding>,
}

/// The whole check-up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkup {
    /// The widget, if it is known.
    pub target: Option<Target>,
    /// The steps, in their order.
    pub steps: Vec<Step>,
    /// The write probe, if one was made.
    pub probe: Option<Probe>,
}

impl Step {
    /// All is well.
    pub fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self {
            name,
            verdict: Verdict::Ok,
            message: message.into(),
            details: Vec::new(),
            remedy: None,
        }
    }

    /// It works, but.
    pub fn warning(
        name: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Warning,
            remedy: Some(remedy.into()),
            ..Self::ok(name, message)
        }
    }

    /// It does not work.
    pub fn failed(name: &'static str, message: impl Into<String>, remedy: Option<String>) -> Self {
        Self {
            verdict: Verdict::Failed,
            remedy,
            ..Self::ok(name, message)
        }
    }

    /// It was not looked at, for this reason.
    pub fn skipped(name: &'static str, reason: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Skipped,
            ..Self::ok(name, reason)
        }
    }

    /// The same with its cases.
    #[must_use]
    pub fn with(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }
}

impl Checkup {
    /// How many steps came out so.
    pub fn count(&self, verdict: Verdict) -> usize {
        let steps = self.steps.iter();
        steps.filter(|step| step.verdict == verdict).count()
    }
}
