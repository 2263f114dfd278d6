//! What `doctor` found, as a document.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use crate::doctor::{Answer, Finding, Report};
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
    #[serde(flatten)]
    finding: Finding,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ProbeDocument {
    pipe: String,
    /// The room that only people can remove.
    #[serde(skip_serializing_if = "Option::is_none")]
    room_id: Option<u64>,
    findings: Vec<Answer>,
}

impl DoctorDocument {
    /// The document of a report.
    pub fn new(report: &Report, exit: Exit) -> Self {
        let steps = report.findings.iter().map(|(step, finding)| StepDocument {
            step,
            finding: finding.clone(),
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
                findings: probe.answers.clone(),
            }),
        }
    }
}
