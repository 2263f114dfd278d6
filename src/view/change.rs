//! A change of a room in one line.

use super::text::{text, titles};
use super::{Count, Detail, Line, Place, Risk, Span, Text, Title};
use crate::model::{Field, FieldValue, Welcome};
use crate::plan::{Action, Change, Changed, FieldChange, Members};

/// A change, with the word for members who are in the room already.
pub(super) fn line<'a>(change: &'a Change, known: &'static str) -> Line<'a> {
    let changed = change
        .fields()
        .iter()
        .filter(|field| field.field == Field::Title)
        .find_map(|field| match (&field.before, &field.after) {
            (FieldValue::Text(before), FieldValue::Text(after)) => Some(Title::Changed {
                before,
                after,
                drift: drift_remark(field),
            }),
            _ => None,
        });
    Line {
        label: label(change).map(Into::into),
        pipe: Some(&change.pipe),
        title: changed.or(Some(Title::Same(&change.send.title))),
        text: Text::join(parts(change, known), ", "),
        place: Some(Place::new(&change.file, change.line)),
        hint: None,
        detail: Detail::Change(change),
    }
}

fn label(change: &Change) -> Option<&'static str> {
    let welcome = change.is_welcome_only().then_some("welcome");
    Risk::of(change).map(Risk::label).or(welcome)
}

/// What is done to the room, without its title.
fn parts<'a>(change: &'a Change, known: &'static str) -> Vec<Text<'a>> {
    let Change {
        pipe: _,
        file: _,
        line: _,
        action,
        send,
        kept: _,
        members,
        welcome,
        recreate: _,
        digest: _,
    } = change;
    let mut parts = Vec::new();
    let is_update = match action {
        Action::Create => {
            let public = FieldValue::Public(send.public);
            let kind = FieldValue::Kind(send.kind);
            parts.push(text!["create ", value(&kind), ", ", value(&public)]);
            false
        }
        Action::Update { id: _, fields } => {
            parts.extend(fields.iter().filter_map(field));
            true
        }
    };
    parts.extend(self::members(members, is_update, known));
    if let Some(Welcome { from, text }) = welcome {
        let said = Span::Title(text.into());
        parts.push(text!["welcome ", said, " from ", *from]);
    }
    parts
}

/// A field that changes, unless it is the title.
fn field(change: &FieldChange) -> Option<Text<'_>> {
    let (name, space) = match change.field {
        Field::Title => return None,
        Field::Public => ("", ""),
        field => (field.name(), " "),
    };
    let [before, after] = values(&change.before, &change.after);
    let drift = drift_remark(change);
    Some(text![name, space, before, " → ", after, drift])
}

/// What to add where someone else changed a field: the run undoes that.
pub fn drift_remark(change: &FieldChange) -> &'static str {
    let Changed { outside, manifest } = change.changed;
    match (outside, manifest) {
        (false, _) => "",
        (true, false) => " (changed outside)",
        (true, true) => " (changed outside, and in the manifest)",
    }
}

/// Two values of a field. Of two long texts only what differs, so that they do not look alike.
pub fn values<'a>(before: &'a FieldValue, after: &'a FieldValue) -> [Text<'a>; 2] {
    match (before, after) {
        (FieldValue::Text(before), FieldValue::Text(after)) => titles(before, after),
        _ => [before, after].map(value),
    }
}

/// A field's value.
pub fn value<'a>(value: &FieldValue) -> Text<'a> {
    match value {
        FieldValue::Text(text) => Span::Title(text.clone().into()).into(),
        value => Span::words(value.to_string()).into(),
    }
}

fn members<'a>(members: &Members, is_update: bool, known: &'static str) -> Vec<Text<'a>> {
    let Members {
        new,
        unverified,
        recorded,
    } = members;
    let mut parts = Vec::new();
    if !new.is_empty() {
        let add = if is_update { "add " } else { "" };
        parts.push(text![add, Count(new.len(), "member"), " ", new.as_slice()]);
    } else if !is_update {
        parts.push("no members".into());
    }
    if !unverified.is_empty() {
        let count = Count(unverified.len(), "member");
        parts.push(text!["send ", count, " ", unverified.as_slice(), " again"]);
    }
    if is_update && *recorded > 0 && !new.is_empty() {
        parts.push(text![*recorded, " ", known]);
    }
    parts
}
