//! What an apply did, as a document.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use super::plan::PlanDocument;
use crate::apply::{Halt, Outcome, RoomOutcome, Status};
use crate::error::Exit;
use crate::model::RunId;
use crate::view::{failure, server_errors};

/// The plan an apply had, and what became of each room.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "roomform report")]
pub struct ReportDocument {
    /// The version of this format: 1.
    format: u32,
    /// `report`.
    kind: &'static str,
    /// The run's id, as in the ledger's entries, the logs, and the `User-Agent` of its requests.
    run: String,
    /// The exit code of the run.
    exit: u8,
    /// Its name.
    reason: &'static str,
    plan: PlanDocument,
    /// Whether anything was carried out; false if the plan was empty, refused or declined.
    applied: bool,
    rooms: Vec<RoomDocument>,
    requests: RequestsDocument,
    /// Why the rooms could not be verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_error: Option<String>,
    /// Why the run ended before all was done: `ledger`, `denied`, `fail_fast` or `interrupted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<&'static str>,
    /// Why the ledger could not be written; nothing more was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<String>,
    /// Whether the plan made after the run is empty; absent where none was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    converged: Option<bool>,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
struct RequestsDocument {
    write: u32,
    verify: u32,
    /// Messages, repeated requests included.
    send: u32,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RoomDocument {
    pipe: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    room_id: Option<u64>,
    /// Whether it was to be created.
    create: bool,
    /// `verified`, `up_to_date`, `undeclared`, `stale`, `applied`, `partial`, `ignored_by_server`, `not_visible`, `conflict`, `uncertain`, `failed`, `unfinished` or `not_started`.
    status: &'static str,
    /// Members whose adding was confirmed.
    members: usize,
    /// Messages whose sending was confirmed.
    messages: usize,
    requests: u32,
    /// How many of the requests repeated one that had failed.
    retries: u32,
    /// From the first call to the last answer, waits included.
    milliseconds: u64,
    /// Whether the answer to its create was lost, and it was looked for.
    was_uncertain: bool,
    /// What happened, where something did.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Fields the server ignored.
    ignored_fields: Vec<&'static str>,
}

impl ReportDocument {
    /// The document of a run; `outcome` is absent if nothing was carried out.
    pub fn new(
        plan: PlanDocument,
        outcome: Option<&Outcome>,
        converged: Option<bool>,
        exit: Exit,
        run: &RunId,
    ) -> Self {
        let rooms = outcome.map_or(&[][..], |outcome| &outcome.rooms);
        let requests = outcome.map(|outcome| RequestsDocument {
            write: outcome.writes(),
            send: outcome.sends(),
            verify: outcome.reads,
        });
        let (stopped, ledger) = match outcome.and_then(|outcome| outcome.halt.as_ref()) {
            None => (None, None),
            Some(Halt::Ledger(reason)) => (Some("ledger"), Some(reason.clone())),
            Some(Halt::Denied) => (Some("denied"), None),
            Some(Halt::FailFast) => (Some("fail_fast"), None),
            Some(Halt::Interrupted) => (Some("interrupted"), None),
        };
        Self {
            format: FORMAT,
            kind: "report",
            run: run.to_string(),
            exit: exit.code(),
            reason: exit.name(),
            plan,
            applied: outcome.is_some_and(Outcome::has_written),
            rooms: rooms.iter().map(room).collect(),
            requests: requests.unwrap_or_default(),
            verification_error: outcome.and_then(|outcome| outcome.verification_error.clone()),
            stopped,
            ledger,
            converged,
        }
    }
}

fn room(outcome: &RoomOutcome) -> RoomDocument {
    let ignored_fields = match &outcome.status {
        Status::Ignored(fields) => fields.iter().map(|(field, ..)| field.name()).collect(),
        _ => Vec::new(),
    };
    let reason = failure(&outcome.status).unwrap_or_default() + &server_errors(outcome).raw();
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
    }
}
