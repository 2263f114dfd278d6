//! What became of a room in one line, for pages and annotations.

use super::line::{Quote, values};
use super::outcome::carried;
use super::words::Count;
use crate::apply::{Doubt, RoomOutcome, Status};

/// How loud a result is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gravity {
    /// As planned.
    Well,
    /// Done, but the server does not show it.
    Odd,
    /// Not done.
    Failed,
}

/// How loud a room's result is.
pub(super) fn gravity(room: &RoomOutcome) -> Gravity {
    match room.status {
        Status::Verified | Status::Already | Status::Applied => Gravity::Well,
        Status::Ignored(_) | Status::NotVisible => Gravity::Odd,
        Status::Partial
        | Status::Conflict(_)
        | Status::InDoubt(..)
        | Status::Failed { .. }
        | Status::Undeclared
        | Status::Stale(_)
        | Status::NotStarted
        | Status::Unfinished => Gravity::Failed,
    }
}

/// The result in words, without the pipe.
pub(super) fn words(room: &RoomOutcome, quote: Quote<'_>) -> String {
    let done = room.done();
    let id = room
        .id
        .filter(|_| room.create)
        .map(|id| format!(" as room {}", quote(&id.to_string())))
        .unwrap_or_default();
    let confirmed = [(room.members, "member"), (room.messages, "message")];
    let confirmed = confirmed.into_iter().filter(|(count, _)| *count > 0);
    let members: String = confirmed
        .map(|(count, noun)| format!(", {} confirmed", Count(count, noun)))
        .collect();
    let words = match &room.status {
        Status::Verified => format!("{done}{id}{members}"),
        Status::Applied => format!("{done}{id}{members}, not seen in the list yet"),
        Status::Partial => {
            let confirmed = Count(room.members, "member");
            format!("partial: {done}{id}, {confirmed} confirmed")
        }
        Status::Already => "already as planned".to_owned(),
        Status::Undeclared => "not in the manifest".to_owned(),
        Status::Ignored(fields) => {
            let field = |(field, sent, shown): &(crate::model::Field, _, _)| {
                let [sent, shown] = values(sent, shown, quote);
                format!("{} sent as {sent}, shown as {shown}", field.name())
            };
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("ignored by the server: {}", fields.join("; "))
        }
        Status::NotVisible => format!("{done}{id}, but the list does not show it"),
        Status::Conflict(reason) => format!("conflict: {}", quote(reason)),
        Status::InDoubt(Doubt::Welcome, reason) => format!(
            "in doubt whether the welcome was sent: {}; it is not sent again, somebody has to look",
            quote(reason)
        ),
        Status::InDoubt(Doubt::Create, reason) => format!(
            "in doubt: {}; the next run looks whether it is there",
            quote(reason)
        ),
        Status::Failed { reason, .. } => format!("failed: {}{members}", quote(reason)),
        Status::Stale(reason) => format!("stale: {}", quote(reason)),
        Status::Unfinished => format!("unfinished{members}, the rest was not sent"),
        Status::NotStarted => "not started".to_owned(),
    };
    words + &carried(room, quote)
}
