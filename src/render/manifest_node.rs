//! A resolved manifest as a tree, which is written as JSON or as YAML.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::manifest::verbatim;
use crate::model::{
    Desired, DesiredRoom, Field, FieldValue, Limit, MembersPolicy, RoomKind, UserId, Welcome,
};
use crate::view::limit_words;

/// Keys with their values, in the order in which they are written.
pub(super) type Entries = Vec<(&'static str, Node)>;

/// A value of a manifest.
pub(super) enum Node {
    /// A number, a boolean or a word of the manifest's syntax.
    Plain(Value),
    /// A text from the manifest.
    Text(String),
    List(Vec<Node>),
    Map(Entries),
}

impl Node {
    /// The value as JSON, not yet escaped.
    pub(super) fn to_json(&self) -> String {
        match self {
            Self::Plain(value) => value.to_string(),
            Self::Text(text) => Value::from(text.as_str()).to_string(),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::to_json).collect();
                format!("[{}]", items.join(","))
            }
            Self::Map(entries) => {
                let entries = entries.iter();
                let entries = entries.map(|(key, node)| format!("\"{key}\":{}", node.to_json()));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
            }
        }
    }
}

/// The entries before the rooms.
pub(super) fn head(desired: &Desired) -> Entries {
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
    let mut entries = vec![("version", Node::Plain(1.into()))];
    entries.extend(widget.map(|widget| ("widget", Node::Plain(widget.0.into()))));
    add_list(&mut entries, "scope", globs(scope));
    let counted = limits.counted().into_iter().filter_map(|(key, limit)| {
        let limit = match limit? {
            Limit::Count(count) => Node::Plain(count.into()),
            limit @ Limit::Share(_) => Node::Text(limit_words(limit)),
        };
        Some((key, limit))
    });
    let mut limited: Entries = counted.collect();
    add_list(&mut limited, "publish", globs(&limits.publish));
    if !limited.is_empty() {
        entries.push(("limits", Node::Map(limited)));
    }
    entries
}

/// The entries of a room. The members come last, because there may be many.
pub(super) fn room(room: &DesiredRoom) -> Entries {
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
    let mut entries = vec![("pipe", Node::Text(pipe.to_string()))];
    entries.extend(Field::ALL.map(|field| {
        let value = match state.raw(field) {
            FieldValue::Text(text) => Node::Text(text.to_owned()),
            FieldValue::Kind(RoomKind::Other(number)) => Node::Plain(number.into()),
            FieldValue::Kind(kind) => Node::Plain(kind.to_string().into()),
            FieldValue::Public(public) => Node::Plain(public.into()),
        };
        (field.name(), value)
    }));
    if *policy == MembersPolicy::OnCreate {
        entries.push(("members_policy", Node::Plain(policy.name().into())));
    }
    let ignored = ignore.iter();
    let ignored = ignored.map(|field| Node::Plain(field.name().into()));
    add_list(&mut entries, "ignore", ignored.collect());
    if let Some(Welcome { from, text }) = welcome {
        let text = Node::Text(verbatim(text));
        let welcome = Node::Map(vec![("from", user(*from)), ("text", text)]);
        entries.push(("welcome", welcome));
    }
    let excluded = exclude.iter().copied().map(user);
    add_list(&mut entries, "exclude", excluded.collect());
    let members = members.iter().map(|member| user(member.user));
    entries.push(("members", Node::List(members.collect())));
    entries
}

fn user(user: UserId) -> Node {
    Node::Plain(user.0.into())
}

/// Returns the globs sorted and without duplicates. Their order in the manifest has no meaning.
fn globs(globs: &[String]) -> Vec<Node> {
    let globs: BTreeSet<&String> = globs.iter().collect();
    globs.into_iter().cloned().map(Node::Text).collect()
}

fn add_list(entries: &mut Entries, key: &'static str, items: Vec<Node>) {
    if !items.is_empty() {
        entries.push((key, Node::List(items)));
    }
}
