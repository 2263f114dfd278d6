//! The findings of `doctor` as a document.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use crate::doctor::{Answer, Report, Verdict};
use crate::error::Exit;

/// The findings of `doctor`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "roomform doctor")]
pub struct DoctorDocument {
    format: u32,
    kind: &'static str,
    /// 0 if no step failed, otherwise 1.
    exit: u8,
    /// The widget, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<TargetDocument>,
    /// In order of dependency.
    steps: Vec<StepDocument>,
    /// What a write probe left behind and learned, if it ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    probe: Option<ProbeDocument>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TargetDocument {
    origin: String,
    widget: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct StepDocument {
    /// `settings`, `manifest`, …
    step: &'static str,
    verdict: VerdictDocument,
    /// What was found.
    message: String,
    /// The cases, one each.
    details: Vec<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum VerdictDocument {
    Ok,
    Warning,
    Failed,
    Skipped,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ProbeDocument {
    pipe: String,
    /// The room that can only be removed manually.
    #[serde(skip_serializing_if = "Option::is_none")]
    room_id: Option<u64>,
    findings: Vec<FindingDocument>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct FindingDocument {
    question: String,
    /// Whether the probe settled it.
    settled: bool,
    answer: String,
}

impl From<Verdict> for VerdictDocument {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Ok => Self::Ok,
            Verdict::Warning => Self::Warning,
            Verdict::Failed => Self::Failed,
            Verdict::Skipped => Self::Skipped,
        }
    }
}

impl DoctorDocument {
    /// Builds the document of a report.
    pub fn new(report: &Report, exit: Exit) -> Self {
        let steps = report.findings.iter().map(|(step, finding)| StepDocument {
            step,
            verdict: finding.verdict.into(),
            message: finding.message.clone(),
            details: finding.details.clone(),
            remedy: finding.remedy.clone(),
        });
        Self {
            format: FORMAT,
            kind: "doctor",
            exit: exit.code(),
            target: report.target.as_ref().map(|target| TargetDocument {
                origin: target.origin.clone(),
                widget: target.widget.0,
            }),
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
