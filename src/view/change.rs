//! Describes the change to a room in one line.

use super::grammar::{counts, user, users};
use super::text::{text, titles};
use super::{Count, Detail, Known, Line, Place, Span, Text, Title, risk};
use crate::model::{Field, FieldValue, UserNames, Welcome};
use crate::plan::{Change, ChangedBy, FieldChange, Members, Publish, PublishPermit};

/// Formats a change as a line. `known` has the words that the line uses for members who are
/// already in the room.
pub(super) fn line<'a>(change: &'a Change, known: Known, names: &UserNames) -> Line<'a> {
    let mut fields = change.fields.iter();
    let title = fields.find(|field| field.field == Field::Title);
    let title = title.and_then(|field| match (&field.before, &field.after) {
        (FieldValue::Text(before), FieldValue::Text(after)) => {
            Some(Title::Changed(before, after, drift_remark(field)))
        }
        _ => None,
    });
    let text = Text::join(describe_change(change, known, names), ", ");
    let welcome = change.is_welcome_only().then_some("welcome");
    Line {
        label: risk(change).or(welcome).map(Into::into),
        title: Some(title.unwrap_or(Title::Same(&change.send.title))),
        place: Some(Place::new(&change.file, change.line)),
        detail: Detail::Change(change),
        ..Line::for_room(&change.pipe, text)
    }
}

/// Describes what a change does to a room, except for its title.
fn describe_change<'a>(change: &'a Change, known: Known, names: &UserNames) -> Vec<Text<'a>> {
    let mut parts = match change.is_create() {
        true => {
            let public = value(&FieldValue::Public(change.send.public));
            let kind = value(&FieldValue::Kind(change.send.kind));
            let uncertain = match uncertain_remark(change) {
                remark if remark.is_empty() => remark,
                remark => remark + ":",
            };
            vec![text!(
                "create{} {}, {}",
                Span::words(uncertain),
                kind,
                public
            )]
        }
        false => change.fields.iter().filter_map(describe_field).collect(),
    };
    if let Some(publish) = &change.publish {
        parts.push(members_inside(publish, known));
        parts.extend(permit(publish));
    }
    parts.extend(describe_members(change, known, names));
    if let Some(Welcome { from, text }) = &change.welcome {
        let from = Span::Ids(user(*from, names));
        parts.push(text!("welcome {} from {}", Span::Title(text.into()), from));
    }
    parts
}

/// Says how many people are known to be in a room that becomes public.
pub fn members_inside(publish: &Publish, known: Known) -> Text<'static> {
    match publish.inside {
        None => "members inside unknown".into(),
        Some(inside) => {
            let to_remove = match publish.to_remove {
                0 => String::new(),
                count => format!(", {count} of them to remove"),
            };
            let inside = Count(inside, known.member);
            text!("{} inside{}", inside, Span::words(to_remove))
        }
    }
}

/// Says what allows a room to become public; `None` if nothing does.
pub fn permit(publish: &Publish) -> Option<Text<'_>> {
    Some(match publish.permit.as_ref()? {
        PublishPermit::Flag => "allowed by --allow-publish".into(),
        PublishPermit::Limit { entry, is_added } => {
            let added = if *is_added {
                ", added in this change"
            } else {
                ""
            };
            let entry = Span::Name(entry.into());
            text!("allowed by {} in limits.publish{}", entry, added)
        }
    })
}

/// Returns a remark if a run may already have sent the request that creates the room.
/// Otherwise, returns an empty text.
pub fn uncertain_remark(change: &Change) -> String {
    let since = change.uncertain_since;
    since.map_or_else(String::new, |since| format!(", uncertain since {since}"))
}

/// Describes a changed field; `None` for the title.
fn describe_field(change: &FieldChange) -> Option<Text<'_>> {
    let (name, space) = match change.field {
        Field::Title => return None,
        Field::Public => ("", ""),
        field => (field.name(), " "),
    };
    let [before, after] = values(&change.before, &change.after);
    let drift = drift_remark(change);
    Some(text!("{}{}{} → {}{}", name, space, before, after, drift))
}

/// Returns a remark if someone else changed the field, because this change overwrites their
/// value.
pub fn drift_remark(change: &FieldChange) -> &'static str {
    let ChangedBy { outside, manifest } = change.changed;
    match (outside, manifest) {
        (false, _) => "",
        (true, false) => " (changed outside)",
        (true, true) => " (changed outside, and also changed in the manifest)",
    }
}

/// Formats two values of a field. Long texts are cut to the part that differs, because their starts
/// may look the same.
pub fn values<'a>(before: &'a FieldValue, after: &'a FieldValue) -> [Text<'a>; 2] {
    match (before, after) {
        (FieldValue::Text(before), FieldValue::Text(after)) => titles(before, after),
        _ => [before, after].map(value),
    }
}

pub fn value<'a>(value: &FieldValue) -> Text<'a> {
    match value {
        FieldValue::Text(text) => Span::Title(text.clone().into()).into(),
        value => Span::words(value.to_string()).into(),
    }
}

/// Counts the existing members, for example `28 known (25 confirmed, 3 adopted)`; `None` if there
/// are none.
pub fn known_members(members: &Members, known: Known) -> Option<String> {
    let (count, adopted) = (members.known, members.adopted);
    let count = match (count, adopted) {
        (0, _) => return None,
        (count, 0) => format!("{count} {}", known.word),
        (count, adopted) => {
            let confirmed = counts([(count - adopted, "confirmed"), (adopted, "adopted")]);
            format!("{count} {} ({confirmed})", known.word)
        }
    };
    Some(count)
}

fn describe_members<'a>(change: &'a Change, known: Known, names: &UserNames) -> Vec<Text<'a>> {
    let Members {
        new,
        unknown,
        known: _,
        adopted: _,
    } = &change.members;
    let (is_create, mut parts) = (change.is_create(), Vec::new());
    if !new.is_empty() {
        let add = if is_create { "" } else { "add " };
        let count = Count(new.len(), "member");
        parts.push(text!(
            "{}{} {}",
            add,
            count,
            Span::Members(users(new, names))
        ));
    } else if is_create {
        parts.push("no members".into());
    }
    if !unknown.is_empty() {
        let count = Count(unknown.len(), "member");
        parts.push(text!(
            "send {} {} again",
            count,
            Span::Members(users(unknown, names))
        ));
    }
    if !is_create && !new.is_empty() {
        parts.extend(known_members(&change.members, known).map(|it| Span::words(it).into()));
    }
    parts
}
