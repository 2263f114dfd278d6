//! The JSON form of the result of an apply.

use super::Header;
use super::plan::{CountsDocument, PlanDocument};
use crate::apply::{Halt, Outcome, RoomOutcome, Status};
use crate::error::Exit;
use crate::model::RunId;
use crate::plan::Plan;
use crate::view::{failure, remarks};

define_documents! {
    /// The plan of an apply, and the result for each room.
    #[schemars(title = "roomform report")]
    pub struct ReportDocument<'a>(
        plan: PlanDocument<'a>,
        outcome: &Outcome,
        after: Option<&Plan>,
        exit: Exit,
        run: &RunId
    ) {
        #[serde(flatten)]
        header: Header = Header::new("report", exit),
        /// The id of the run. It is also in the ledger's entries, in the logs and in the
        /// `User-Agent` of the requests.
        run: String = run.to_string(),
        /// The name of the exit code.
        reason: &'static str = exit.name(),
        plan: PlanDocument<'a> = plan,
        /// Whether the run sent any write. False if, for example, the plan was empty, refused or
        /// declined.
        applied: bool = outcome.has_written(),
        rooms: Vec<RoomDocument> = outcome.rooms.iter().map(RoomDocument::new).collect(),
        requests: RequestsDocument = RequestsDocument::new(outcome),
        /// Why the rooms could not be verified after the writes.
        verification_error: Option<String> =? outcome.verification_error.clone(),
        /// Why the run ended early: `ledger`, `denied`, `fail_fast` or `interrupted`.
        stopped: Option<&'static str> =? outcome.halt.as_ref().map(|halt| match halt {
            Halt::Ledger { .. } => "ledger",
            Halt::Denied => "denied",
            Halt::FailFast => "fail_fast",
            Halt::Interrupted => "interrupted",
        }),
        /// Why the ledger could not be written. Nothing was sent after the error.
        ledger: Option<String> =? match &outcome.halt {
            Some(Halt::Ledger { reason, .. }) => Some(reason.clone()),
            _ => None,
        },
        /// Whether a plan computed after the run is empty; absent if none was computed.
        converged: Option<bool> =? after.map(|after| !after.is_pending()),
        /// How many members the rooms had after the run, if they were counted.
        counts: Option<CountsDocument> =? after
            .and_then(|after| after.counts.as_ref())
            .map(CountsDocument::new),
    }

    struct RequestsDocument(outcome: &Outcome) {
        write: u32 = outcome.writes(),
        verify: u32 = outcome.reads,
        /// The number of calls that sent messages, including retries.
        send: u32 = outcome.sends(),
    }

    struct RoomDocument(room: &RoomOutcome) {
        pipe: String = room.pipe.to_string(),
        room_id: Option<u64> =? room.id.map(|id| id.0),
        /// Whether the plan creates the room.
        create: bool = room.create,
        /// `verified`, `up_to_date`, `undeclared`, `stale`, `applied`, `partial`, `pending`, `ignored_by_server`, `not_visible`,
        /// `conflict`, `uncertain`, `failed`, `unfinished` or `not_started`.
        status: &'static str = room.status.name(),
        /// The number of members that the server confirmed in this run.
        members: usize = room.members,
        /// The number of messages that the server confirmed in this run.
        messages: usize = room.messages,
        requests: u32 = room.requests,
        /// The number of requests that were retries.
        retries: u32 = room.retries,
        /// The time from the first call to the last answer, including waits.
        milliseconds: u64 = u64::try_from(room.took.as_millis()).unwrap_or(u64::MAX),
        /// Whether the run searched for the room, because the create was uncertain or claimed by
        /// another run.
        was_uncertain: bool = room.was_uncertain,
        /// Details of the status.
        reason: Option<String> =? reason(room),
        /// The fields whose sent value the server ignored.
        ignored_fields: Vec<&'static str> = match &room.status {
            Status::Ignored(fields) => fields.iter().map(|(field, ..)| field.name()).collect(),
            _ => Vec::new(),
        },
        /// The fields whose sent value the list does not show yet.
        pending_fields: Vec<&'static str> = match &room.status {
            Status::Pending(fields) => fields.iter().map(|(field, ..)| field.name()).collect(),
            _ => Vec::new(),
        },
    }
}

fn reason(room: &RoomOutcome) -> Option<String> {
    let reason = failure(&room.status).unwrap_or_default() + &remarks(room).raw();
    let reason = reason.trim_start_matches("; ");
    (!reason.is_empty()).then(|| reason.to_owned())
}
