//! The resolved rooms as YAML, with each user on a separate line, so that two manifests can be compared line by line. The text is a
//! valid manifest.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::manifest::{quote_yaml, verbatim};
use crate::model::{
    Desired, DesiredRoom, Field, FieldValue, Limit, Limits, MembersPolicy, UserId, Welcome,
};
use crate::view::limit_words;

/// The lines before the rooms.
pub(super) fn head(desired: &Desired) -> String {
    let Desired {
        widget,
        scope,
        limits,
        rooms: _,
        files: _,
        rosters: _,
        outside_dates: _,
        names: _,
        today: _,
    } = desired;
    let mut text = "version: 1\n".to_owned();
    if let Some(widget) = widget {
        let _ = writeln!(text, "widget: {widget}");
    }
    let globs: BTreeSet<&String> = scope.iter().collect();
    if !globs.is_empty() {
        text.push_str("scope:\n");
    }
    for glob in globs {
        let _ = writeln!(text, "  - {}", quote_yaml(glob));
    }
    if *limits != Limits::default() {
        text.push_str("limits:\n");
    }
    for (key, limit) in limits.counted() {
        let _ = match limit {
            Some(limit @ Limit::Count(_)) => writeln!(text, "  {key}: {}", limit_words(limit)),
            Some(limit) => writeln!(text, "  {key}: {}", quote_yaml(&limit_words(limit))),
            None => Ok(()),
        };
    }
    let publish: BTreeSet<&String> = limits.publish.iter().collect();
    if !publish.is_empty() {
        text.push_str("  publish:\n");
    }
    for entry in publish {
        let _ = writeln!(text, "    - {}", quote_yaml(entry));
    }
    text.push_str("rooms:\n");
    text
}

pub(super) fn room(room: &DesiredRoom) -> String {
    let DesiredRoom {
        pipe,
        state,
        members,
        ending: _,
        exclude,
        policy,
        ignore,
        welcome,
        place: _,
    } = room;
    let mut text = format!("  - pipe: {}\n", quote_yaml(pipe.as_str()));
    for field in Field::ALL {
        let value = match state.value(field) {
            FieldValue::Text(value) => quote_yaml(&value),
            FieldValue::Kind(kind) => kind.to_string(),
            FieldValue::Public(public) => public.to_string(),
        };
        let _ = writeln!(text, "    {}: {value}", field.name());
    }
    if *policy == MembersPolicy::OnCreate {
        text.push_str("    members_policy: on_create\n");
    }
    let ignored: Vec<&str> = ignore.iter().map(Field::name).collect();
    if !ignored.is_empty() {
        let _ = writeln!(text, "    ignore: [{}]", ignored.join(", "));
    }
    if let Some(Welcome { from, text: said }) = welcome {
        let said = quote_yaml(&verbatim(said));
        let _ = writeln!(text, "    welcome:\n      from: {from}\n      text: {said}");
    }
    users(&mut text, "exclude", exclude.iter().copied());
    users(&mut text, "members", members.iter().map(|it| it.user));
    text
}

fn users(text: &mut String, key: &str, users: impl Iterator<Item = UserId>) {
    for (index, user) in users.enumerate() {
        if index == 0 {
            let _ = writeln!(text, "    {key}:");
        }
        let _ = writeln!(text, "      - {user}");
    }
}
