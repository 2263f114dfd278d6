//! The findings of `doctor` as a document.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Header, TargetDocument};
use crate::doctor::{Answer, Report, Verdict};
use crate::error::Exit;

/// The findings of `doctor`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "roomform doctor")]
pub struct DoctorDocument {
    #[serde(flatten)]
    header: Header,
    /// The widget, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<TargetDocument>,
    /// The checks, in order of dependency.
    steps: Vec<StepDocument>,
    /// What a write probe left behind and learned, if it ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    probe: Option<ProbeDocument>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct StepDocument {
    /// `settings`, `manifest`, …
    step: &'static str,
    #[serde(with = "VerdictDocument")]
    verdict: Verdict,
    /// What was found.
    message: String,
    /// A text for each case.
    details: Vec<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(remote = "Verdict", rename_all = "snake_case")]
#[schemars(rename = "VerdictDocument")]
enum VerdictDocument {
    Ok,
    Warning,
    Failed,
    Skipped,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ProbeDocument {
    pipe: String,
    /// The id of the room of the probe, which can only be removed manually.
    #[serde(skip_serializing_if = "Option::is_none")]
    room_id: Option<u64>,
    findings: Vec<FindingDocument>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct FindingDocument {
    question: String,
    /// Whether the probe answered the question.
    settled: bool,
    answer: String,
}

impl DoctorDocument {
    /// Builds the document of a report.
    pub fn new(report: &Report, exit: Exit) -> Self {
        let steps = report.findings.iter().map(|(step, finding)| StepDocument {
            step,
            verdict: finding.verdict,
            message: finding.message.clone(),
            details: finding.details.clone(),
            remedy: finding.remedy.clone(),
        });
        Self {
            header: Header::new("doctor", exit),
            target: report.target.as_ref().map(TargetDocument::new),
            steps: steps.collect(),
            probe: report.probe.as_ref().map(|probe| ProbeDocument {
                pipe: probe.pipe.to_string(),
                room_id: Some(probe.room.0),
                findings: probe.answers.iter().map(answer).collect(),
            }),
        }
    }
}

fn answer(answer: &Answer) -> FindingDocument {
    FindingDocument {
        question: answer.question.clone(),
        settled: answer.settled,
        answer: answer.answer.clone(),
    }
}
