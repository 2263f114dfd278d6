//! What became of a plan, as text: a line for each room that needs a look, and the figures.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::escape::{brief, quoted, terminal};
use super::line::{Quote, values};
use super::paint::{Paint, Tone};
use super::words::Count;
use crate::apply::{Doubt, Halt, Outcome, RoomOutcome, Status};

/// Rooms that went well are listed one by one up to this many, and counted beyond.
const LISTED: usize = 50;

/// The result table and the figures. Ends with a line break.
pub fn outcome(outcome: &Outcome, paint: Paint) -> String {
    let mut text = String::new();
    let well = outcome
        .rooms
        .iter()
        .filter(|room| room.status == Status::Verified)
        .count();
    let width = outcome
        .rooms
        .iter()
        .map(|room| terminal(room.pipe.as_str()).chars().count())
        .max()
        .unwrap_or(0)
        .clamp(20, 40);
    for room in &outcome.rooms {
        if room.status != Status::Verified || well <= LISTED {
            room_line(&mut text, room, width, paint);
        }
    }
    if well > LISTED {
        let _ = writeln!(text, "  {} verified", Count(well, "room"));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(
        text,
        "{} {}",
        paint.tone(Tone::Strong, "apply:"),
        figures(outcome)
    );
    for hint in hints(outcome) {
        let _ = writeln!(text, "  hint: {}", terminal(hint));
    }
    if let Some(reason) = &outcome.unverified {
        let _ = writeln!(
            text,
            "{} the list could not be read again: {}",
            paint.tone(Tone::Danger, "not verified:"),
            terminal(reason)
        );
    }
    if let Some(halt) = &outcome.halt {
        let _ = writeln!(
            text,
            "{} {}",
            paint.tone(Tone::Danger, "stopped:"),
            stopped(halt, &terminal)
        );
    }
    text
}

/// How it ended, in a sentence without a place to break it; not neutralised for any sink.
pub fn briefly(outcome: &Outcome) -> String {
    let halts = outcome.halt.iter();
    let halts = halts.map(|halt| format!("; stopped: {}", stopped(halt, &str::to_owned)));
    figures(outcome) + &halts.collect::<String>()
}

/// Why the run ended before all was done, in words.
pub(super) fn stopped(halt: &Halt, quote: Quote<'_>) -> String {
    match halt {
        Halt::Ledger(reason) => format!("{}; nothing was sent after that", quote(reason)),
        Halt::Denied => "no further room was begun with these credentials".to_owned(),
        Halt::FailFast => "--fail-fast: nothing was begun after the first failure".to_owned(),
        Halt::Interrupted => {
            "interrupted: what was under way was finished; run again for the rest".to_owned()
        }
    }
}

fn room_line(text: &mut String, room: &RoomOutcome, width: usize, paint: Paint) {
    let pipe = terminal(room.pipe.as_str());
    let done = room.done();
    let id = room
        .id
        .map(|id| format!(" as room {id}"))
        .filter(|_| room.create)
        .unwrap_or_default();
    let (tone, words) = match &room.status {
        Status::Verified => {
            let parts = [(room.members, "member"), (room.messages, "message")];
            let parts = parts.into_iter().filter(|(count, _)| *count > 0);
            let parts = parts.map(|(count, noun)| format!(", {} confirmed", Count(count, noun)));
            (
                Tone::Add,
                format!("verified     {done}{id}{}", parts.collect::<String>()),
            )
        }
        Status::Applied => (
            Tone::Change,
            format!("applied      {done}{id}, not seen in the list yet"),
        ),
        Status::Partial => (
            Tone::Danger,
            format!(
                "partial      {done}{id}, {} confirmed",
                Count(room.members, "member")
            ),
        ),
        Status::Ignored(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(field, sent, shown)| {
                    let [sent, shown] = values(sent, shown, &quoted);
                    format!("{} sent as {sent}, shown as {shown}", field.name())
                })
                .collect();
            (
                Tone::Danger,
                format!("ignored by server: {}", fields.join("; ")),
            )
        }
        Status::NotVisible => (
            Tone::Danger,
            format!("not visible  {done}{id}, but the list does not show it"),
        ),
        Status::Conflict(reason) => (Tone::Danger, format!("conflict     {}", terminal(reason))),
        Status::InDoubt(Doubt::Welcome, reason) => (
            Tone::Danger,
            format!("in doubt     {}", brief(&welcome_in_doubt(reason))),
        ),
        Status::InDoubt(Doubt::Create, reason) => (
            Tone::Danger,
            format!(
                "in doubt     {}; the next run looks whether it is there",
                brief(reason)
            ),
        ),
        Status::Failed { reason, .. } => {
            let requests = Count(room.requests as usize, "request");
            (
                Tone::Danger,
                format!("failed       {}, after {requests}", brief(reason)),
            )
        }
        Status::Unfinished => (
            Tone::Danger,
            format!(
                "unfinished   {}, the rest was not sent",
                Count(room.members, "member")
            ),
        ),
        Status::Already => (Tone::Quiet, "already      as planned".to_owned()),
        Status::Undeclared => (Tone::Danger, "undeclared   not in the manifest".to_owned()),
        Status::Stale(reason) => (Tone::Danger, format!("stale        {}", terminal(reason))),
        Status::NotStarted => (Tone::Danger, "not started".to_owned()),
    };
    let words = words + &carried(room, &brief);
    let padding = " ".repeat(width.saturating_sub(pipe.chars().count()));
    let _ = writeln!(
        text,
        "  {} {pipe}{padding} {words}",
        paint.tone(tone, glyph(&room.status))
    );
}

/// The errors that successful answers carried, to go behind what is said of the room.
pub(crate) fn carried(room: &RoomOutcome, quote: Quote<'_>) -> String {
    if room.errors.is_empty() {
        return String::new();
    }
    format!("; the server answered: {}", quote(&room.errors.join("; ")))
}

/// What is in doubt where a welcome's answer was lost.
pub(crate) fn welcome_in_doubt(reason: &str) -> String {
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

fn glyph(status: &Status) -> &'static str {
    match status {
        Status::Verified | Status::Already => "ok",
        Status::Applied => "..",
        Status::Ignored(_) | Status::NotVisible => "??",
        Status::Partial
        | Status::Conflict(_)
        | Status::InDoubt(..)
        | Status::Failed { .. }
        | Status::Undeclared
        | Status::Stale(_)
        | Status::NotStarted
        | Status::Unfinished => "!!",
    }
}

/// The figures in one line, without `apply:`.
pub(super) fn figures(outcome: &Outcome) -> String {
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
        counts
            .get(name)
            .map(|count| format!("{count} {}", name.replace('_', " ")))
    });
    let members: usize = outcome.rooms.iter().map(|room| room.members).sum();
    let parts: Vec<String> = counted.collect();
    let rooms = if parts.is_empty() {
        "nothing to do".to_owned()
    } else {
        parts.join(", ")
    };
    let messages: usize = outcome.rooms.iter().map(|room| room.messages).sum();
    let confirmed = match messages {
        0 => Count(members, "member").to_string(),
        messages => format!(
            "{}, {}",
            Count(members, "member"),
            Count(messages, "message")
        ),
    };
    let mut requests = format!("{} to write, {} to verify", outcome.writes(), outcome.reads);
    if outcome.sends() > 0 {
        let _ = write!(requests, ", {} to send", outcome.sends());
    }
    format!("{rooms}; {confirmed} confirmed; {requests}")
}
