//! The findings of `doctor` as a document.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use crate::doctor::{Answer, Finding, Report};
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
    #[serde(flatten)]
    finding: Finding,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ProbeDocument {
    pipe: String,
    /// The room that can only be removed manually.
    #[serde(skip_serializing_if = "Option::is_none")]
    room_id: Option<u64>,
    findings: Vec<Answer>,
}

impl DoctorDocument {
    /// Builds the document of a report.
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
