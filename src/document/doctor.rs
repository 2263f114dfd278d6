//! What `doctor` found, as a document.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use crate::doctor::{Answer, Finding, Report, Verdict, WriteProbe};
use crate::error::Exit;

/// What `doctor` found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "roomform doctor")]
pub struct DoctorDocument {
    format: u32,
    kind: &'static str,
    /// 0 if no step failed, else 1.
    exit: u8,
    /// The widget, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<TargetDocument>,
    /// In the order in which they depend on each other.
    steps: Vec<StepDocument>,
    /// What a write probe left and learned, if one was made.
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
    /// The room that only people can remove.
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

impl DoctorDocument {
    /// The document of a report.
    pub fn new(report: &Report, exit: Exit) -> Self {
        let Report {
            target,
            findings,
            probe,
        } = report;
        Self {
            format: FORMAT,
            kind: "doctor",
            exit: exit.code(),
            target: target.as_ref().map(|target| TargetDocument {
                origin: target.origin.clone(),
                widget: target.widget.0,
            }),
            steps: findings.iter().map(step).collect(),
            probe: probe.as_ref().map(probe_document),
        }
    }
}

fn step((name, finding): &(&'static str, Finding)) -> StepDocument {
    let Finding {
        verdict,
        message,
        details,
        remedy,
    } = finding.clone();
    StepDocument {
        step: name,
        verdict: match verdict {
            Verdict::Ok => VerdictDocument::Ok,
            Verdict::Warning => VerdictDocument::Warning,
            Verdict::Failed => VerdictDocument::Failed,
            Verdict::Skipped => VerdictDocument::Skipped,
        },
        message,
        details,
        remedy,
    }
}

fn probe_document(probe: &WriteProbe) -> ProbeDocument {
    let WriteProbe {
        pipe,
        room,
        answers,
    } = probe.clone();
    let findings = answers.into_iter().map(|answer| {
        let Answer {
            question,
            settled,
            answer,
        } = answer;
        FindingDocument {
            question,
            settled,
            answer,
        }
    });
    ProbeDocument {
        pipe: pipe.to_string(),
        room_id: Some(room.0),
        findings: findings.collect(),
    }
}
