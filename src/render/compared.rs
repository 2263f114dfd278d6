//! The comparison of two manifests, where it reads otherwise than a plan of a widget.

use std::fmt::Write;

use super::escape::{brief, terminal};
use super::paint::{Paint, Tone};
use super::plan::{NAMED, figures, value};
use super::sections::{percent, refused, ticked};
use super::words::{Count, few};
use crate::model::{Limit, MembersPolicy, Welcome};
use crate::plan::{Compared, Difference, People, Plan, Refusal, Removed, RoomDifference};

/// The figures, in place of a plan's.
pub(super) fn summary(text: &mut String, plan: &Plan, compared: &Compared, paint: Paint) {
    let heading = paint.tone(Tone::Strong, "diff:");
    let _ = writeln!(text, "{heading} {}", verdict(plan, compared));
    if compared.people != People::default() {
        let _ = writeln!(text, "      people: {}", people(&compared.people));
    }
    let (base, head) = (terminal(&compared.base), terminal(&compared.head));
    let _ = writeln!(
        text,
        "      {base} → {head}: two manifests; no server was asked"
    );
}

fn verdict(plan: &Plan, compared: &Compared) -> String {
    let mut parts = figures(plan);
    if !compared.removed.is_empty() {
        let rooms = Count(compared.removed.len(), "room");
        parts.push(format!("{rooms} to remove by hand"));
    }
    if parts.is_empty() {
        let nothing = if plan.differs() {
            "nothing to send"
        } else {
            "no difference"
        };
        parts.push(nothing.to_owned());
    }
    format!("{}; {} unchanged", parts.join(", "), compared.same)
}

/// `5 people join 3 rooms; 2 taken out of 1 room: by hand`.
pub(super) fn people(people: &People) -> String {
    let People {
        join,
        joined_rooms,
        leave,
        left_rooms,
    } = *people;
    let mut parts = Vec::new();
    if join > 0 {
        let who = match join {
            1 => "1 person joins".to_owned(),
            _ => format!("{join} people join"),
        };
        parts.push(format!("{who} {}", Count(joined_rooms, "room")));
    }
    if leave > 0 {
        let who = if join > 0 {
            leave.to_string()
        } else if leave == 1 {
            "1 person".to_owned()
        } else {
            format!("{leave} people")
        };
        let rooms = Count(left_rooms, "room");
        parts.push(format!("{who} taken out of {rooms}: by hand"));
    }
    parts.join("; ")
}

/// What is left to people.
pub(super) fn by_hand(plan: &Plan, compared: &Compared) -> Vec<String> {
    let members = plan.by_hand.iter().map(|room| {
        let pipe = terminal(room.pipe.as_str());
        format!(
            "{pipe}: taken out of the manifest: {}",
            few(&room.left, NAMED)
        )
    });
    let rooms = compared.removed.iter().map(|room| {
        let Removed {
            pipe,
            file: _,
            line: _,
            title,
            members,
        } = room;
        let (pipe, title) = (terminal(pipe.as_str()), brief(title));
        let members = Count(*members, "member");
        format!("{pipe}: the room left the manifest, and stays as it is: \"{title}\", {members}")
    });
    members.chain(rooms).collect()
}

/// What differs beside the changes.
pub(super) fn differences(compared: &Compared) -> Vec<String> {
    compared.differences.iter().map(difference).collect()
}

fn difference(difference: &Difference) -> String {
    match difference {
        Difference::Widget { before, after } => {
            let name = |widget: &Option<_>| {
                widget.map_or_else(|| "none".to_owned(), |widget| format!("{widget}"))
            };
            let (before, after) = (name(before), name(after));
            format!("widget: {before} → {after}; the rooms of one are not those of another")
        }
        Difference::Scope { before, after } => {
            format!("scope: {} → {}", scope(before), scope(after))
        }
        Difference::Limit { key, before, after } => {
            let unset = if *key == "publish" {
                "not set (0)"
            } else {
                "not set"
            };
            let words = |limit: &Option<Limit>| limit.map_or_else(|| unset.to_owned(), limit_words);
            format!("limits.{key}: {} → {}", words(before), words(after))
        }
        Difference::Room { pipe, what } => {
            format!("{}: {}", terminal(pipe.as_str()), room(what))
        }
    }
}

fn scope(globs: &[String]) -> String {
    if globs.is_empty() {
        return "all rooms".to_owned();
    }
    let globs: Vec<String> = globs.iter().map(|glob| brief(glob)).collect();
    few(&globs, NAMED)
}

fn limit_words(limit: Limit) -> String {
    match limit {
        Limit::Count(count) => count.to_string(),
        Limit::Share(share) => percent(share),
    }
}

fn room(what: &RoomDifference) -> String {
    match what {
        RoomDifference::NotSent(users) => {
            let (members, names) = (Count(users.len(), "member"), few(users, NAMED));
            format!("{members} not sent, since the room is there and `on_create` holds: {names}")
        }
        RoomDifference::Policy(MembersPolicy::Ensure) => {
            "members_policy: on_create → ensure; whoever is not on record is sent".to_owned()
        }
        RoomDifference::Policy(MembersPolicy::OnCreate) => {
            "members_policy: ensure → on_create; members are sent only with a new room".to_owned()
        }
        RoomDifference::Kept {
            field,
            before,
            after,
        } => {
            let (before, after) = (value(before), value(after));
            format!(
                "{} {before} → {after} is not sent, since it is in `ignore`",
                field.name()
            )
        }
        RoomDifference::Ignored(field) => {
            format!("{} is in `ignore` from now on", field.name())
        }
        RoomDifference::Managed(field, after) => format!(
            "{} is not in `ignore` any more: whatever the server shows becomes {}",
            field.name(),
            value(after)
        ),
        RoomDifference::Welcome { before, after } => {
            let words = |welcome: &Option<Welcome>| {
                welcome.as_ref().map_or_else(
                    || "none".to_owned(),
                    |Welcome { from, text }| format!("\"{}\" from {from}", brief(text)),
                )
            };
            let (before, after) = (words(before), words(after));
            format!("welcome {before} → {after}; only a new room is welcomed")
        }
        RoomDifference::Excluded(users) => {
            format!("excluded from now on: {}", few(users, NAMED))
        }
        RoomDifference::Readmitted(users) => {
            format!("excluded no more: {}", few(users, NAMED))
        }
    }
}

/// What a plan would be refused for.
pub(super) fn would_refuse(refusal: &Refusal) -> String {
    format!("plan would be refused: {}", guard(refusal))
}

/// A guard's words; none of them speaks of a record.
pub(super) fn guard(refusal: &Refusal) -> String {
    match refusal {
        Refusal::MassChange {
            created,
            left,
            known,
        } => format!(
            "{left} of {known} rooms left the manifest while {created} would be created anew: was a prefix changed? \
             allow it with --ignore-limits"
        ),
        refusal => refused(refusal, &ticked),
    }
}
