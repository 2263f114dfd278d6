//! Builds the view of a manifest diff.

use super::figures::parts;
use super::findings::{self, limit_words};
use super::grammar::{user, users};
use super::plan::cuts_members;
use super::section::{Line, SectionKind};
use super::text::{names, text};
use super::title_diff::apart;
use super::{Count, Known, NAMED, Span, State, Text, View, value, values};
use crate::manifest::Loaded;
use crate::model::{Limit, MembersPolicy, UserId, UserNames, Welcome};
use crate::plan::{Difference, ManifestDiff, People, Removed, RoomDifference};

/// Creates the view of the differences between two manifests, with the diagnostics of the second.
pub fn manifest_diff<'a>(diff: &'a ManifestDiff, loaded: &'a Loaded) -> View<'a> {
    let [base, head] = [&diff.base, &diff.head].map(|side| Span::Name(side.into()));
    let refused = diff.plan.refusals.iter().map(findings::would_be_refused);
    let mut view = View {
        state: State::Compared,
        facts: count_people(&diff.people).into_iter().collect(),
        legend: vec!["two manifests were compared; no server was read"],
        cut: cut(diff),
        known: Known::DECLARED,
        names: diff.plan.names.clone(),
        desired: Some(&loaded.desired),
        ..View::new("diff", None, text!("{} → {}", base, head), verdict(diff))
    };
    view.add(SectionKind::WouldBeRefused, refused.map(Line::new));
    view.add_changes(&diff.plan.changes);
    view.add_removed_members(&diff.plan.manual_steps);
    let removed = diff.removed.iter().map(removed_room);
    view.add(SectionKind::ManualSteps, removed);
    view.add_diagnostics(loaded);
    view.add_notes(&diff.plan.notes);
    for difference in &diff.differences {
        let line = difference_line(difference, &diff.plan.names);
        let kind = match line.pipe {
            Some(_) => SectionKind::Differences,
            None => SectionKind::Guards,
        };
        view.add(kind, [line]);
    }
    view
}

fn verdict(diff: &ManifestDiff) -> String {
    let mut parts = parts(&diff.plan.summary, &diff.plan.changes);
    if let removed @ 1.. = diff.removed.len() {
        parts.push(format!("{} to remove manually", Count(removed, "room")));
    }
    let parts = match parts.as_slice() {
        [] if diff.differs() => "nothing to send".to_owned(),
        [] => "no difference".to_owned(),
        parts => parts.join(", "),
    };
    format!("{parts}; {} unchanged", diff.plan.summary.unchanged)
}

/// Counts people, for example `people: 5 people join 3 rooms; 2 to remove from 1 room (manual)`.
fn count_people(people: &People) -> Option<String> {
    let People {
        join,
        joined_rooms,
        leave,
        left_rooms,
    } = *people;
    let count = |people: usize| match people {
        1 => "1 person".to_owned(),
        people => format!("{people} people"),
    };
    let verb = if join == 1 { "joins" } else { "join" };
    let joins = format!("{} {verb} {}", count(join), Count(joined_rooms, "room"));
    let left_rooms = Count(left_rooms, "room");
    let leaves = format!("to remove from {left_rooms} (manual)");
    match (join, leave) {
        (0, 0) => None,
        (0, _) => Some(format!("people: {} {leaves}", count(leave))),
        (_, 0) => Some(format!("people: {joins}")),
        _ => Some(format!("people: {joins}; {leave} {leaves}")),
    }
}

fn removed_room(room: &Removed) -> Line<'_> {
    let text = text!(
        "the room left the manifest and stays as it is: {}, {}",
        Span::Title((&room.title).into()),
        Count(room.members, "member")
    );
    Line::for_room(&room.pipe, text)
}

/// Formats a difference between the two manifests as a line.
fn difference_line<'a>(difference: &'a Difference, names: &UserNames) -> Line<'a> {
    match difference {
        Difference::Room { pipe, what } => {
            Line::for_room(pipe, describe_room_difference(what, names))
        }
        Difference::Widget { before, after } => {
            let [before, after] = [before, after].map(|widget| {
                let number = widget.map(|it| Span::words(it.to_string()));
                number.map_or("none".into(), Text::from)
            });
            let text = text!(
                "widget: {} → {}; the two manifests describe different rooms",
                before,
                after
            );
            Line::new(text)
        }
        Difference::Scope { before, after } => Line::new(text!(
            "scope: {} → {}",
            list_globs(before, "all rooms"),
            list_globs(after, "all rooms")
        )),
        Difference::Publish { before, after } => Line::new(text!(
            "limits.publish: {} → {}",
            list_globs(before, "none"),
            list_globs(after, "none")
        )),
        Difference::Limit { key, before, after } => {
            let words = |it: &Option<Limit>| it.map_or("not set".to_owned(), limit_words);
            let words = format!("limits.{key}: {} → {}", words(before), words(after));
            Line::new(Span::words(words).into())
        }
    }
}

fn list_globs<'a>(globs: &'a [String], empty: &'static str) -> Text<'a> {
    if globs.is_empty() {
        return empty.into();
    }
    names(globs.iter().map(String::as_str), NAMED)
}

fn describe_room_difference<'a>(what: &'a RoomDifference, names: &UserNames) -> Text<'a> {
    let list = |who: &[UserId]| Span::Ids(users(who, names));
    match what {
        RoomDifference::NotSent(who) => text!(
            "{} not sent, because the room exists and its policy is `on_create`: {}",
            Count(who.len(), "member"),
            list(who)
        ),
        RoomDifference::Policy(MembersPolicy::Ensure) => {
            "members_policy: on_create → ensure; members not on record are sent".into()
        }
        RoomDifference::Policy(MembersPolicy::OnCreate) => {
            "members_policy: ensure → on_create; members are sent only with a new room".into()
        }
        RoomDifference::Kept {
            field,
            before,
            after,
        } => {
            let ([before, after], name) = (values(before, after), field.name());
            text!(
                "{} {} → {} is not sent, because the field is in `ignore`",
                name,
                before,
                after
            )
        }
        RoomDifference::Ignored(field) => text!("{} is now in `ignore`", field.name()),
        RoomDifference::Managed(field, after) => text!(
            "{} is no longer in `ignore`: it is set to {}",
            field.name(),
            value(after)
        ),
        RoomDifference::Welcome { before, after } => {
            let [was, is] = [before, after].map(|it| it.as_ref().map_or("", |it| &it.text));
            let [was, is] = apart(was, is);
            let one = |welcome: &Option<Welcome>, text: String| match welcome {
                None => Text::from("none"),
                Some(Welcome { from, text: _ }) => {
                    let from = Span::Ids(user(*from, names));
                    text!("{} from {}", Span::Title(text.into()), from)
                }
            };
            let (was, is) = (one(before, was), one(after, is));
            text!("welcome {} → {}; only new rooms get a welcome", was, is)
        }
        RoomDifference::Excluded(who) => text!("now excluded: {}", list(who)),
        RoomDifference::Readmitted(who) => text!("no longer excluded: {}", list(who)),
    }
}

/// Says where to find all members, if a list of members is cut. Removed rooms need no such
/// remark, because each has its own line.
fn cut(diff: &ManifestDiff) -> Option<String> {
    let is_long = |difference: &Difference| match difference {
        Difference::Room { what, .. } => what.users().len() > NAMED,
        _ => false,
    };
    if diff.differences.iter().any(is_long) {
        return Some("all members: --format json".to_owned());
    }
    let cuts = cuts_members(&diff.plan.changes, &diff.plan.manual_steps);
    cuts.then(|| "all members: --format json, or html".to_owned())
}
