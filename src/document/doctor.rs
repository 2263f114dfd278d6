//! The JSON form of the findings of `doctor`.

use super::{Header, TargetDocument};
use crate::doctor::{Answer, Finding, Report, Verdict, WriteProbe};
use crate::error::Exit;

define_documents! {
    /// The findings of `doctor`.
    #[schemars(title = "roomform doctor")]
    pub struct DoctorDocument(report: &Report, exit: Exit) {
        #[serde(flatten)]
        header: Header = Header::new("doctor", exit),
        /// The widget, if it is known.
        target: Option<TargetDocument> =? report.target.as_ref().map(TargetDocument::new),
        /// The checks. Each check comes after those that it depends on.
        steps: Vec<StepDocument> = report.findings.iter().map(StepDocument::new).collect(),
        /// What a write probe created and found out. Absent if it did not run.
        probe: Option<ProbeDocument> =? report.probe.as_ref().map(ProbeDocument::new),
    }

    struct StepDocument((step, finding): &(&'static str, Finding)) {
        /// The name of the check, such as `settings` or `manifest`.
        step: &'static str = step,
        verdict: VerdictDocument = VerdictDocument::new(finding.verdict),
        /// What the check found.
        message: String = finding.message.clone(),
        /// One text for each case that the check found.
        details: Vec<String> = finding.details.clone(),
        /// What the user can do about the finding.
        remedy: Option<String> =? finding.remedy.clone(),
    }

    struct ProbeDocument(probe: &WriteProbe) {
        pipe: String = probe.pipe.to_string(),
        /// The id of the room that the probe created. It can only be removed manually.
        room_id: Option<u64> =? Some(probe.room.0),
        findings: Vec<FindingDocument> = probe.answers.iter().map(FindingDocument::new).collect(),
    }

    struct FindingDocument(answer: &Answer) {
        question: String = answer.question.clone(),
        /// Whether the probe answered the question.
        settled: bool = answer.settled,
        answer: String = answer.answer.clone(),
    }
}

define_variants! {
    #[serde(rename_all = "snake_case")]
    enum VerdictDocument(Verdict) {
        Verdict::Ok => Ok,
        Verdict::Warning => Warning,
        Verdict::Failed => Failed,
        Verdict::Skipped => Skipped,
    }
}
