//! The comparison of two manifests, where it reads otherwise than a plan of a widget.

use std::fmt::Write;

use super::escape::{apart, terminal};
use super::line::{Quote, Voice, value, values};
use super::paint::{Paint, Tone};
use super::plan::{NAMED, NAMED_ROOMS, figures, in_full};
use super::sections::{percent, refused, shrunk};
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
    if let Some(words) = in_full(plan, NAMED_ROOMS) {
        let _ = writeln!(text, "      {words}");
    }
}

/// The figures in one line, without `diff:`.
pub(super) fn verdict(plan: &Plan, compared: &Compared) -> String {
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
pub(super) fn by_hand(plan: &Plan, compared: &Compared, voice: Voice<'_>) -> Vec<String> {
    let members = plan.by_hand.iter().map(|room| {
        let pipe = (voice.name)(room.pipe.as_str());
        let users = (voice.ids)(&few(&room.left, NAMED));
        format!("{pipe}: not wanted any more: {users}")
    });
    let rooms = compared.removed.iter().map(|room| {
        let Removed {
            pipe,
            file: _,
            line: _,
            title,
            members,
        } = room;
        let (pipe, title) = ((voice.name)(pipe.as_str()), (voice.title)(title));
        let members = Count(*members, "member");
        format!("{pipe}: the room left the manifest, and stays as it is: {title}, {members}")
    });
    members.chain(rooms).collect()
}

/// What differs beside the changes.
pub(super) fn differences(compared: &Compared, voice: Voice<'_>) -> Vec<String> {
    let differences = compared.differences.iter();
    differences.map(|it| difference(it, voice)).collect()
}

/// Whether a difference is one of what guards the rooms, so that it must not be overlooked.
pub(super) fn is_guard(difference: &Difference) -> bool {
    match difference {
        Difference::Widget { .. } | Difference::Scope { .. } | Difference::Limit { .. } => true,
        Difference::Room { .. } => false,
    }
}

/// A difference in words.
pub(super) fn difference(difference: &Difference, voice: Voice<'_>) -> String {
    match difference {
        Difference::Widget { before, after } => {
            let name = |widget: &Option<_>| {
                widget.map_or_else(|| "none".to_owned(), |widget| format!("{widget}"))
            };
            let (before, after) = (name(before), name(after));
            format!("widget: {before} → {after}; the rooms of one are not those of another")
        }
        Difference::Scope { before, after } => {
            format!("scope: {} → {}", scope(before, voice), scope(after, voice))
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
            format!("{}: {}", (voice.name)(pipe.as_str()), room(what, voice))
        }
    }
}

fn scope(globs: &[String], voice: Voice<'_>) -> String {
    if globs.is_empty() {
        return "all rooms".to_owned();
    }
    let globs: Vec<String> = globs.iter().map(|glob| (voice.name)(glob)).collect();
    few(&globs, NAMED)
}

/// A limit, as a manifest has it.
pub(super) fn limit_words(limit: Limit) -> String {
    match limit {
        Limit::Count(count) => count.to_string(),
        Limit::Share(share) => percent(share),
    }
}

fn room(what: &RoomDifference, voice: Voice<'_>) -> String {
    let users = |users: &[_]| (voice.ids)(&few(users, NAMED));
    match what {
        RoomDifference::NotSent(who) => {
            let (members, names) = (Count(who.len(), "member"), users(who));
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
            let [before, after] = values(before, after, voice.title);
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
            value(after, voice.title)
        ),
        RoomDifference::Welcome { before, after } => {
            let words = |welcome: &Option<Welcome>, text: &str| match welcome {
                None => "none".to_owned(),
                Some(Welcome { from, text: _ }) => {
                    let from = (voice.ids)(&from.to_string());
                    format!("{} from {from}", (voice.title)(text))
                }
            };
            let text = |welcome: &Option<Welcome>| {
                let text = welcome.as_ref().map(|welcome| welcome.text.clone());
                text.unwrap_or_default()
            };
            let [was, is] = apart(&text(before), &text(after));
            let (before, after) = (words(before, &was), words(after, &is));
            format!("welcome {before} → {after}; only a new room is welcomed")
        }
        RoomDifference::Excluded(who) => format!("excluded from now on: {}", users(who)),
        RoomDifference::Readmitted(who) => format!("excluded no more: {}", users(who)),
    }
}

/// What a plan would be refused for.
pub(super) fn would_refuse(refusal: &Refusal, quote: Quote<'_>) -> String {
    format!("plan would be refused: {}", guard(refusal, quote))
}

/// A guard's words; none of them speaks of a record.
pub(crate) fn guard(refusal: &Refusal, quote: Quote<'_>) -> String {
    match refusal {
        Refusal::MassChange {
            created,
            left,
            known,
        } => format!(
            "{left} of {known} rooms left the manifest while {created} would be created anew: was a prefix changed? \
             allow it with --ignore-limits"
        ),
        Refusal::Shrunk {
            source,
            now,
            before,
        } => shrunk(&quote(source), *now, *before, "before"),
        refusal => refused(refusal, quote),
    }
}
