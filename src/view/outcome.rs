//! What an apply did, as a view and room by room.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::change::values;
use super::figures::verdict;
use super::plan::{cuts_members, left_to_people, site};
use super::section::{Line, Place, Section, SectionKind};
use super::text::text;
use super::{Count, Span, Text, View};
use crate::apply::{Doubt, Halt, Outcome, RoomOutcome, Status};
use crate::model::{Field, FieldValue};
use crate::plan::Plan;

/// One room's result.
#[derive(Debug, Clone)]
pub struct RoomResult<'a> {
    pub status: String,
    pub text: Text<'a>,
    /// The section it belongs to.
    pub section: SectionKind,
}

/// What became of a plan, and the plan that is left where one was made.
pub fn outcome<'a>(plan: &'a Plan, outcome: &'a Outcome, after: Option<&'a Plan>) -> View<'a> {
    let done = if outcome.has_written() {
        "Applied to "
    } else {
        "Nothing was applied to "
    };
    let left = after.unwrap_or(plan);
    let [conflicts, by_hand] = left_to_people(left);
    let hint = |hint: &'a str| Line::new(Span::Message(hint.into()).into());
    let rooms = |kind| Section::new(kind, rooms(kind, plan, outcome));
    let sections = [
        Section::new(SectionKind::Stopped, stops(outcome)),
        rooms(SectionKind::NotDone),
        Section::new(SectionKind::Remedies, hints(outcome).into_iter().map(hint)),
        rooms(SectionKind::NotAsSent),
        conflicts,
        by_hand,
        rooms(SectionKind::AsPlanned),
    ];
    let cut = cuts_members(&[], &left.by_hand);
    let heading = text![done, site(&plan.target)];
    View {
        facts: after
            .iter()
            .map(|it| format!("now: {}", verdict(it)))
            .collect(),
        cut: cut.then(|| "all members: --format json".to_owned()),
        ..View::new("apply", Some(&plan.target), heading, ended(outcome))
    }
    .with_sections(sections)
}

/// Why not everything was done, or verified.
pub fn stops(outcome: &Outcome) -> Vec<Line<'_>> {
    let halt = outcome.halt.iter().map(|halt| Line {
        label: Some("stopped".into()),
        ..Line::new(stopped(halt))
    });
    let unverified = outcome.unverified.iter().map(|why| Line {
        label: Some("not verified".into()),
        ..Line::new(text![
            "the list could not be read again: ",
            Span::Said(why.into())
        ])
    });
    halt.chain(unverified).collect()
}

fn stopped(halt: &Halt) -> Text<'_> {
    match halt {
        Halt::Ledger(reason) => text![
            Span::Message(reason.into()),
            "; nothing was sent after that"
        ],
        Halt::Denied => "no further room was begun with these credentials".into(),
        Halt::FailFast => "--fail-fast: nothing was begun after the first failure".into(),
        Halt::Interrupted => {
            "interrupted: what was under way was finished; run again for the rest".into()
        }
    }
}

/// The rooms of one section, at the lines that declare them.
fn rooms<'a>(kind: SectionKind, plan: &'a Plan, outcome: &'a Outcome) -> Vec<Line<'a>> {
    let mut changes = plan.changes.iter().peekable();
    let mut lines = Vec::new();
    for room in &outcome.rooms {
        let result = result(room);
        if result.section != kind {
            continue;
        }
        while changes.next_if(|it| it.pipe < room.pipe).is_some() {}
        let change = changes.next_if(|it| it.pipe == room.pipe);
        let is_verified = room.status == Status::Verified;
        lines.push(Line {
            label: (!is_verified).then(|| result.status.into()),
            place: change.map(|it| Place::new(&it.file, it.line)),
            ..Line::of(&room.pipe, result.text)
        });
    }
    lines
}

/// What became of a room.
pub fn result(room: &RoomOutcome) -> RoomResult<'_> {
    use SectionKind::{AsPlanned, NotAsSent, NotDone};
    let id = room.id.filter(|_| room.create);
    let id = id.map(|id| text![" as room ", id]).unwrap_or_default();
    let done = text![room.done(), id];
    let confirmed = [(room.members, "member"), (room.messages, "message")];
    let confirmed = confirmed.into_iter().filter(|(count, _)| *count > 0);
    let confirmed = confirmed.map(|(count, noun)| format!(", {} confirmed", Count(count, noun)));
    let confirmed = Span::words(confirmed.collect());
    let members = Count(room.members, "member");
    let (section, text) = match &room.status {
        Status::Verified => (AsPlanned, text![done, confirmed]),
        Status::Applied => (AsPlanned, text![done, ", not seen in the list yet"]),
        Status::Already => (AsPlanned, "up to date".into()),
        Status::Undeclared => (NotDone, "not in the manifest".into()),
        Status::Ignored(fields) => (NotAsSent, Text::join(fields.iter().map(ignored), "; ")),
        Status::NotVisible => (NotAsSent, text![done, ", but the list does not show it"]),
        Status::Partial => (NotDone, text![done, ", ", members, " confirmed"]),
        Status::Conflict(reason) | Status::Stale(reason) => {
            (NotDone, Span::Message(reason.into()).into())
        }
        Status::InDoubt(Doubt::Welcome, reason) => {
            (NotDone, Span::Said(welcome_in_doubt(reason).into()).into())
        }
        Status::InDoubt(Doubt::Create, reason) => {
            let reason = Span::Said(reason.into());
            (
                NotDone,
                text![reason, "; the next run looks whether it is there"],
            )
        }
        Status::Failed { reason, .. } => {
            let requests = Count(room.requests as usize, "request");
            (
                NotDone,
                text![Span::Said(reason.into()), ", after ", requests],
            )
        }
        Status::Unfinished => (NotDone, text![members, ", the rest was not sent"]),
        Status::NotStarted => (NotDone, Text::default()),
    };
    RoomResult {
        status: room.status.name().replace('_', " "),
        text: text![text, server_errors(room)],
        section,
    }
}

fn ignored((field, sent, shown): &(Field, FieldValue, FieldValue)) -> Text<'_> {
    let [sent, shown] = values(sent, shown);
    text![field.name(), " sent as ", sent, ", shown as ", shown]
}

/// The errors that successful answers carried.
pub fn server_errors(room: &RoomOutcome) -> Text<'_> {
    if room.errors.is_empty() {
        return Text::default();
    }
    let errors = room.errors.join("; ");
    text!["; the server answered: ", Span::Said(errors.into())]
}

/// What is in doubt where the answer to a welcome was lost.
pub fn welcome_in_doubt(reason: &str) -> String {
    format!("whether the welcome was sent: {reason}; it is not sent again, somebody has to look")
}

/// The remedies of all failures, each once: when everything fails it is usually for one reason.
pub fn hints(outcome: &Outcome) -> BTreeSet<&str> {
    let statuses = outcome.rooms.iter().map(|room| &room.status);
    statuses
        .filter_map(|status| match status {
            Status::Failed { hint, .. } => hint.as_deref(),
            _ => None,
        })
        .collect()
}

/// The figures in one line.
pub fn ended(outcome: &Outcome) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for room in &outcome.rooms {
        *counts.entry(room.status.name()).or_default() += 1;
    }
    let order = [
        "verified",
        "already",
        "undeclared",
        "stale",
        "applied",
        "partial",
        "ignored_by_server",
        "not_visible",
        "conflict",
        "in_doubt",
        "failed",
        "unfinished",
        "not_started",
    ];
    let counted = order.iter().filter_map(|name| {
        let count = counts.get(name)?;
        Some(format!("{count} {}", name.replace('_', " ")))
    });
    let mut rooms = counted.collect::<Vec<_>>().join(", ");
    if rooms.is_empty() {
        rooms.push_str("nothing to do");
    }
    let members: usize = outcome.rooms.iter().map(|room| room.members).sum();
    let mut confirmed = Count(members, "member").to_string();
    let messages: usize = outcome.rooms.iter().map(|room| room.messages).sum();
    if messages > 0 {
        let _ = write!(confirmed, ", {}", Count(messages, "message"));
    }
    let mut requests = format!("{} to write, {} to verify", outcome.writes(), outcome.reads);
    if outcome.sends() > 0 {
        let _ = write!(requests, ", {} to send", outcome.sends());
    }
    format!("{rooms}; {confirmed} confirmed; {requests}")
}
