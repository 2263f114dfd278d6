//! A change in one line, for pages and annotations: each quotes text of others in its own way.

use super::words::{Count, few};
use crate::model::FieldValue;
use crate::plan::{Action, Change, FieldChange, Members};

/// Members named in one line.
const NAMED: usize = 12;

/// How a sink shows text of others, made harmless.
pub(super) type Quote<'a> = &'a dyn Fn(&str) -> String;

/// The pipe, the title, and what becomes of the room.
pub(super) fn change(change: &Change, quote: Quote<'_>) -> String {
    let pipe = quote(change.pipe.as_str());
    let titled = change
        .fields()
        .iter()
        .any(|field| matches!(field.after, FieldValue::Title(_)));
    let title = if titled {
        String::new()
    } else {
        format!(" {}", quote(&change.send.title))
    };
    format!("{pipe}{title}: {}", what(change, quote).join(", "))
}

fn what(change: &Change, quote: Quote<'_>) -> Vec<String> {
    let mut parts = Vec::new();
    let update = match &change.action {
        Action::Create => {
            let public = if change.send.public {
                "public"
            } else {
                "closed"
            };
            parts.push(format!("create {}, {public}", change.send.kind));
            false
        }
        Action::Update { fields, .. } => {
            parts.extend(fields.iter().map(|change| field(change, quote)));
            true
        }
    };
    parts.extend(members(&change.members, update, quote));
    parts
}

fn field(change: &FieldChange, quote: Quote<'_>) -> String {
    let (before, after) = (value(&change.before, quote), value(&change.after, quote));
    match change.after {
        FieldValue::Public(_) => format!("{before} → {after}"),
        FieldValue::Title(_) | FieldValue::Kind(_) => {
            format!("{} {before} → {after}", change.field.name())
        }
    }
}

/// A field's value.
pub(super) fn value(value: &FieldValue, quote: Quote<'_>) -> String {
    match value {
        FieldValue::Title(title) => quote(title),
        FieldValue::Kind(kind) => kind.to_string(),
        FieldValue::Public(true) => "public".to_owned(),
        FieldValue::Public(false) => "closed".to_owned(),
    }
}

fn members(members: &Members, update: bool, quote: Quote<'_>) -> Vec<String> {
    let Members {
        new,
        unverified,
        recorded,
    } = members;
    let more = if update { "add " } else { "" };
    let mut parts = Vec::new();
    if !new.is_empty() {
        let names = quote(&few(new, NAMED));
        parts.push(format!("{more}{} {names}", Count(new.len(), "member")));
    } else if !update {
        parts.push("no members".to_owned());
    }
    if !unverified.is_empty() {
        let (count, names) = (
            Count(unverified.len(), "member"),
            quote(&few(unverified, NAMED)),
        );
        parts.push(format!("send {count} {names} again"));
    }
    if update && *recorded > 0 && !new.is_empty() {
        parts.push(format!("{recorded} recorded"));
    }
    parts
}
