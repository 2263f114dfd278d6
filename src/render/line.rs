//! A change in one line, for pages and annotations: each quotes text of others in its own way.

use super::escape::apart;
use super::words::{Count, few};
use crate::model::{FieldValue, Welcome};
use crate::plan::{Action, Change, Changed, FieldChange, Members, Plan};

/// Members named in one line.
const NAMED: usize = 12;

/// How a sink shows text of others, made harmless.
pub(super) type Quote<'a> = &'a dyn Fn(&str) -> String;

/// How a sink shows the different texts there are.
#[derive(Clone, Copy)]
pub(super) struct Voice<'a> {
    /// Pipes, globs, names.
    pub(super) name: Quote<'a>,
    /// Titles.
    pub(super) title: Quote<'a>,
    /// Ids of users and rooms.
    pub(super) ids: Quote<'a>,
    /// What members are that are there already: recorded, or the same as before.
    pub(super) known: &'static str,
}

impl<'a> Voice<'a> {
    /// One way for all of them.
    pub(super) fn of(plan: &Plan, quote: Quote<'a>) -> Self {
        let known = if plan.compared.is_some() {
            "as before"
        } else {
            "recorded"
        };
        Self {
            name: quote,
            title: quote,
            ids: quote,
            known,
        }
    }
}

/// The pipe, the title, and what becomes of the room.
pub(super) fn change(change: &Change, voice: Voice<'_>) -> String {
    let pipe = (voice.name)(change.pipe.as_str());
    let titled = change
        .fields()
        .iter()
        .any(|field| matches!(field.after, FieldValue::Title(_)));
    let title = if titled {
        String::new()
    } else {
        format!(" {}", (voice.title)(&change.send.title))
    };
    format!("{pipe}{title}: {}", what(change, voice).join(", "))
}

/// What becomes of the room, part by part, without its title and what changes in that.
pub(super) fn without_title(change: &Change, voice: Voice<'_>) -> Vec<String> {
    parts(change, voice, |field| {
        !matches!(field.after, FieldValue::Title(_))
    })
}

/// What becomes of the room, in parts.
pub(super) fn what(change: &Change, voice: Voice<'_>) -> Vec<String> {
    parts(change, voice, |_| true)
}

fn parts(change: &Change, voice: Voice<'_>, wanted: impl Fn(&FieldChange) -> bool) -> Vec<String> {
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
    let update = match action {
        Action::Create => {
            let public = if send.public { "public" } else { "closed" };
            parts.push(format!("create {}, {public}", send.kind));
            false
        }
        Action::Update { id: _, fields } => {
            let fields = fields.iter().filter(|change| wanted(change));
            parts.extend(fields.map(|change| field(change, voice)));
            true
        }
    };
    parts.extend(self::members(members, update, voice));
    if let Some(Welcome { from, text }) = welcome {
        let from = (voice.ids)(&from.to_string());
        parts.push(format!("welcome {} from {from}", (voice.title)(text)));
    }
    parts
}

fn field(change: &FieldChange, voice: Voice<'_>) -> String {
    let [before, after] = values(&change.before, &change.after, voice.title);
    let outside = outside(change);
    match change.after {
        FieldValue::Public(_) => format!("{before} → {after}{outside}"),
        FieldValue::Title(_) | FieldValue::Kind(_) => {
            format!("{} {before} → {after}{outside}", change.field.name())
        }
    }
}

/// What is added where somebody else changed a field: what is done then undoes it.
pub(super) fn outside(change: &FieldChange) -> &'static str {
    let Changed { outside, manifest } = change.changed;
    match (outside, manifest) {
        (false, _) => "",
        (true, false) => " (changed outside)",
        (true, true) => " (changed outside, and in the manifest)",
    }
}

/// A field's values before and after; of two long titles what differs, so that they do not look alike.
pub(super) fn values(before: &FieldValue, after: &FieldValue, quote: Quote<'_>) -> [String; 2] {
    match (before, after) {
        (FieldValue::Title(before), FieldValue::Title(after)) => {
            apart(before, after).map(|title| quote(&title))
        }
        _ => [before, after].map(|it| value(it, quote)),
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

fn members(members: &Members, update: bool, voice: Voice<'_>) -> Vec<String> {
    let Members {
        new,
        unverified,
        recorded,
    } = members;
    let more = if update { "add " } else { "" };
    let mut parts = Vec::new();
    if !new.is_empty() {
        let names = (voice.ids)(&few(new, NAMED));
        parts.push(format!("{more}{} {names}", Count(new.len(), "member")));
    } else if !update {
        parts.push("no members".to_owned());
    }
    if !unverified.is_empty() {
        let (count, names) = (
            Count(unverified.len(), "member"),
            (voice.ids)(&few(unverified, NAMED)),
        );
        parts.push(format!("send {count} {names} again"));
    }
    if update && *recorded > 0 && !new.is_empty() {
        parts.push(format!("{recorded} {}", voice.known));
    }
    parts
}
