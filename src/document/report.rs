//! The result of an apply as a document.

use schemars::JsonSchema;
use serde::Serialize;

use super::Header;
use super::counts::CountsDocument;
use super::plan::PlanDocument;
use crate::apply::{Halt, Outcome, RoomOutcome, Status};
use crate::error::Exit;
use crate::model::RunId;
use crate::plan::Plan;
use crate::view::{failure, remarks};

/// The plan of an apply, and the result for each room.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "roomform report")]
pub struct ReportDocument {
    #[serde(flatten)]
    header: Header,
    /// The run's id, as in the ledger's entries, the logs, and the `User-Agent` of its requests.
    run: String,
    /// The name of the exit code.
    reason: &'static str,
    plan: PlanDocument,
    /// Whether the apply started. False if the plan was empty, refused or declined.
    applied: bool,
    rooms: Vec<RoomDocument>,
    requests: RequestsDocument,
    /// Why the rooms could not be verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_error: Option<String>,
    /// Why the run stopped early: `ledger`, `denied`, `fail_fast` or `interrupted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<&'static str>,
    /// Why the ledger could not be written. Nothing was sent after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<String>,
    /// Whether the plan computed after the run is empty; absent if none was computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    converged: Option<bool>,
    /// How many members the rooms had after the run, if they were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<CountsDocument>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RequestsDocument {
    write: u32,
    verify: u32,
    /// Messages, including retries.
    send: u32,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RoomDocument {
    pipe: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    room_id: Option<u64>,
    /// Whether the plan was to create it.
    create: bool,
    /// `verified`, `up_to_date`, `undeclared`, `stale`, `applied`, `partial`, `pending`, `ignored_by_server`, `not_visible`,
    /// `conflict`, `uncertain`, `failed`, `unfinished` or `not_started`.
    status: &'static str,
    /// Number of members confirmed as added.
    members: usize,
    /// Number of messages confirmed as sent.
    messages: usize,
    requests: u32,
    /// Number of requests that were retries.
    retries: u32,
    /// Time from the first call to the last answer, including waits.
    milliseconds: u64,
    /// Whether the create got no answer and was reconciled with the list.
    was_uncertain: bool,
    /// Details, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Fields the server ignored.
    ignored_fields: Vec<&'static str>,
    /// Fields that were sent and that the list does not show yet.
    pending_fields: Vec<&'static str>,
}

impl ReportDocument {
    /// The document of a run; `outcome` is absent if nothing was applied, `after` if no remaining plan was computed.
    pub fn new(
        plan: PlanDocument,
        outcome: Option<&Outcome>,
        after: Option<&Plan>,
        exit: Exit,
        run: &RunId,
    ) -> Self {
        let nothing = Outcome::default();
        let outcome = outcome.unwrap_or(&nothing);
        let (stopped, ledger) = match &outcome.halt {
            None => (None, None),
            Some(Halt::Ledger { reason, .. }) => (Some("ledger"), Some(reason.clone())),
            Some(Halt::Denied) => (Some("denied"), None),
            Some(Halt::FailFast) => (Some("fail_fast"), None),
            Some(Halt::Interrupted) => (Some("interrupted"), None),
        };
        Self {
            header: Header::new("report", exit),
            run: run.to_string(),
            reason: exit.name(),
            plan,
            applied: outcome.has_written(),
            rooms: outcome.rooms.iter().map(room).collect(),
            requests: RequestsDocument {
                write: outcome.writes(),
                verify: outcome.reads,
                send: outcome.sends(),
            },
            verification_error: outcome.verification_error.clone(),
            stopped,
            ledger,
            converged: after.map(|after| !after.is_pending()),
            counts: after.and_then(|after| Some(CountsDocument::new(after.counts.as_ref()?))),
        }
    }
}

fn room(outcome: &RoomOutcome) -> RoomDocument {
    let ignored_fields = match &outcome.status {
        Status::Ignored(fields) => fields.iter().map(|(field, ..)| field.name()).collect(),
        _ => Vec::new(),
    };
    let pending_fields = match &outcome.status {
        Status::Pending(fields) => fields.iter().map(|(field, ..)| field.name()).collect(),
        _ => Vec::new(),
    };
    let reason = failure(&outcome.status).unwrap_or_default() + &remarks(outcome).raw();
    let reason = reason.trim_start_matches("; ");
    RoomDocument {
        pipe: outcome.pipe.to_string(),
        room_id: outcome.id.map(|id| id.0),
        create: outcome.create,
        status: outcome.status.name(),
        members: outcome.members,
        messages: outcome.messages,
        requests: outcome.requests,
        retries: outcome.retries,
        milliseconds: u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX),
        was_uncertain: outcome.was_uncertain,
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
        ignored_fields,
        pending_fields,
    }
}
