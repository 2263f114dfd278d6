//! Presets for exports of school systems. A preset is an entry of `generate` that is merged with the manifest's entry.
//!
//! Main entry: [`fill_preset`]. The result is an ordinary entry, so presets need no other code.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::{Decoder, Fields};
use super::yaml::{self, Item, Node, Value};
use crate::tables::diagnostic::{At, Code};
use crate::tables::header::column_key;

mod merge;
mod vocabulary;

pub(super) use merge::is_same_key;
use merge::{Pairs, entries, list_words, merge, remove};
use vocabulary::Vocabulary;

/// The presets by name. The names are the values of `format`.
const PRESETS: [(&str, &str); 5] = [
    ("canvas", include_str!("canvas.yaml")),
    ("oneroster", include_str!("oneroster.yaml")),
    ("moodle", include_str!("moodle.yaml")),
    ("buddypress", include_str!("buddypress.yaml")),
    ("wordpress", include_str!("wordpress.yaml")),
];

/// Conditions under this key apply unless the manifest has `status: any`.
const ACTIVE: &str = "active";
/// The placeholder for the chosen roles in a preset.
const ROLES: &str = "$roles";
const ID: &str = "$id";
/// The key in `room` that describes the members.
const ENROL: &str = "enrol";

/// The manifest's options for a preset.
struct Choice<'t> {
    /// The directory of the files with a trailing slash, or the path of the only file. Empty for
    /// the manifest's own directory.
    from: String,
    /// The allowed values of the role column; `None` allows any value.
    roles: Option<Node<'t>>,
    /// The column with the site's user ids.
    id: Node<'t>,
    /// Whether to leave out rows that are not active.
    active_only: bool,
    at: At,
}

pub(super) fn names() -> [&'static str; PRESETS.len()] {
    PRESETS.map(|(name, _)| name)
}

/// Keys that are only valid with `format`.
const OWN_KEYS: [&str; 4] = ["from", "roles", "status", "id"];

/// An entry merged with its preset.
pub(super) struct Filled<'t> {
    pub(super) entry: Node<'t>,
    pub(super) vocabulary: Vocabulary,
    /// The preset's users file, if the manifest has its own people. It is still needed to know who
    /// is active.
    pub(super) users: Option<Node<'t>>,
}

/// Merges an entry with its preset. Returns `None` for an unknown format, which is reported.
pub(super) fn fill_preset<'t>(
    decoder: &mut Decoder<'_>,
    format: &Node<'t>,
    fields: &Fields<'t>,
) -> Option<Filled<'t>> {
    let [from, roles, status, id] = OWN_KEYS.map(|key| fields.get(key));
    let preset = decoder.choice(format, "`format`", &PRESETS)?;
    let at = format.at;
    let mut preset = parse_preset(preset, at);
    let known = remove(&mut preset, "role-names")?;
    let default_roles = remove(&mut preset, "roles")?;
    let role_columns: BTreeSet<_> = entries(remove(&mut preset, "role-columns").as_ref())
        .into_iter()
        .filter_map(|(part, column)| Some((part.to_owned(), column_key(column.word()?))))
        .collect();
    if let Some(roles) = roles {
        check_roles(decoder, roles, !role_columns.is_empty());
    }
    let mut cells = BTreeMap::new();
    for (part, columns) in entries(remove(&mut preset, "cells").as_ref()) {
        for (column, list) in entries(Some(columns)) {
            let key = (part.to_owned(), column_key(column));
            cells.insert(key, list_words(list));
        }
    }
    let any = roles.is_some_and(|node| node.word() == Some("any"));
    let roles = role_cells(decoder, roles.unwrap_or(&default_roles), &known);
    let own_enrol = fields.get("room").and_then(|room| below(room, &[ENROL]));
    // A list of rosters in the manifest replaces the preset's roster.
    let is_replaced = own_enrol.is_some_and(|node| matches!(node.value(), Value::Seq(_)));
    for key in role_columns.iter().filter(|_| !any) {
        if key.0 != ENROL || !is_replaced {
            let all = entries(Some(&known)).into_iter();
            let all = all.flat_map(|(_, list)| list_words(list));
            let words = list_words(&roles).into_iter().chain(all);
            cells.insert(key.clone(), words.collect());
        }
    }
    let default_id = remove(&mut preset, "id")?;
    let id = id.and_then(|node| decoder.decode_text(node, "`id`").map(|_| node.clone()));
    let from = from.and_then(|node| decoder.decode_text(node, "`from`"));
    let ways = [("active", true), ("any", false)];
    let status = status.and_then(|node| decoder.choice(node, "`status`", &ways));
    let choice = Choice {
        from: from.map(|from| prefix(&from.value)).unwrap_or_default(),
        roles: (!any).then_some(roles),
        id: id.unwrap_or(default_id),
        active_only: status.unwrap_or(true),
        at,
    };
    let mut pairs = choice.pairs(preset);
    let users = own_enrol.and_then(|enrol| choice.users_beside(&pairs, enrol));
    for key in ["each", "where", "room"] {
        if let Some(node) = fields.get(key) {
            merge(&mut pairs, key, node, at);
        }
    }
    Some(Filled {
        entry: Node::made(at, Value::Map(pairs)),
        vocabulary: Vocabulary {
            at,
            cells,
            role_columns,
        },
        users,
    })
}

/// Returns the value at a path of keys.
fn below<'n, 't>(node: &'n Node<'t>, keys: &[&str]) -> Option<&'n Node<'t>> {
    keys.iter().try_fold(node, |node, key| {
        let mut entries = entries(Some(node)).into_iter();
        entries.find_map(|(other, value)| is_same_key(other, key).then_some(value))
    })
}

/// Returns the prefix of file names: a directory with a slash, or the path of a single file.
fn prefix(from: &str) -> String {
    match from.trim_end_matches('/') {
        "." | "" => String::new(),
        file if is_file(file) => file.to_owned(),
        directory => format!("{directory}/"),
    }
}

fn is_file(from: &str) -> bool {
    let lower = from.to_lowercase();
    [".csv", ".txt", ".tsv", ".xlsx"]
        .iter()
        .any(|ending| lower.ends_with(ending))
}

/// Parses a preset. All its nodes get the place of `format` in the manifest.
fn parse_preset(text: &'static str, at: At) -> Pairs<'static> {
    let mut pairs = Vec::new();
    // This cannot fail: the texts are built in, and a test parses each of them.
    let read = yaml::read(text, at.file, "", &mut |item| {
        if let Item::Entry(key, value) = item {
            pairs.push((key.moved(at), value.moved(at)));
        }
    });
    debug_assert_eq!(read, Ok(()));
    pairs
}

impl<'t> Choice<'t> {
    /// Returns the preset's users file, if only active users are wanted and the manifest names
    /// another one.
    fn users_beside(&self, pairs: &Pairs<'t>, own_enrol: &Node<'t>) -> Option<Node<'t>> {
        let own = below(own_enrol, &["people", "roster"])?;
        let (_, room) = pairs.iter().find(|(key, _)| key.word() == Some("room"))?;
        let users = below(room, &[ENROL, "people"])?;
        let is_other = below(users, &["roster"]).and_then(Node::word) != own.word();
        (self.active_only && is_other).then(|| users.clone())
    }

    fn pairs(&self, pairs: Pairs<'t>) -> Pairs<'t> {
        let mut filled: Pairs<'t> = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            match key.word() {
                Some(ACTIVE | "from" | "until" | "days") if !self.active_only => {}
                Some(ACTIVE) => {
                    merge(&mut filled, "where", &value, self.at);
                }
                Some("roster") => filled.push((key, self.path(&value))),
                _ if self.roles.is_none() && value.word() == Some(ROLES) => {}
                _ => filled.push((key, self.node(value))),
            }
        }
        filled
    }

    fn node(&self, node: Node<'t>) -> Node<'t> {
        let at = node.at;
        match node.value().clone() {
            Value::Map(pairs) => Node::made(at, Value::Map(self.pairs(pairs))),
            Value::Seq(items) => {
                let items = items.into_iter().map(|item| self.node(item));
                Node::made(at, Value::Seq(items.collect()))
            }
            Value::Scalar { text, .. } if text == ROLES => self.roles.clone().unwrap_or(node),
            Value::Scalar { text, .. } if text == ID => self.id.clone(),
            _ => node,
        }
    }

    fn path(&self, node: &Node<'t>) -> Node<'t> {
        let name = node.word().unwrap_or_default();
        let path = if is_file(&self.from) {
            self.from.clone()
        } else {
            format!("{}{name}", self.from)
        };
        Node::from_text(node.at, path)
    }
}

/// Reports an empty list of roles, and roles for a format that has none.
fn check_roles(decoder: &mut Decoder<'_>, roles: &Node, has_roles: bool) {
    let (message, hint) = if !has_roles {
        (
            "the files of this format have no roles",
            "select members with a condition, as in room: {enrol: {where: {is_admin: \"1\"}}}",
        )
    } else if roles.items().is_empty() {
        (
            "`roles` selects no one",
            "list the roles of the members, such as [student, teacher], or write `roles: any`",
        )
    } else {
        return;
    };
    decoder.note(Code::BadValue, roles.at, message, hint);
}

/// Returns the cell values for these roles. A role that the preset does not define is its own cell
/// value.
fn role_cells<'t>(decoder: &mut Decoder<'_>, node: &Node<'t>, known: &Node<'t>) -> Node<'t> {
    let (known, mut cells) = (entries(Some(known)), Vec::new());
    for role in node.items() {
        let Some(name) = decoder.decode_text(role, "a role") else {
            continue;
        };
        let mut known = known.iter();
        match known.find(|(key, _)| is_same_key(key, &name.value)) {
            Some((_, list)) => cells.extend(list.items().iter().cloned()),
            None => cells.push(Node::from_text(role.at, name.value)),
        }
    }
    Node::made(node.at, Value::Seq(cells))
}

/// Reports keys that require `format`.
pub(super) fn note_without_format(decoder: &mut Decoder<'_>, fields: &Fields<'_>) {
    for key in OWN_KEYS {
        if let Some(node) = fields.get(key) {
            let message = format!("`{key}` needs `format`");
            let hint = format!("set `format` to one of: {}", names().join(", "));
            decoder.note(Code::MissingKey, node.at, message, hint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FileId;

    #[test]
    fn every_preset_can_be_read() {
        let at = At {
            file: FileId(0),
            offset: 0,
        };
        for (name, preset) in PRESETS {
            let mut items = 0;
            let read = yaml::read(preset, at.file, "", &mut |item| {
                assert!(matches!(item, Item::Entry(..)), "{name}: {item:?}");
                items += 1;
            });
            assert_eq!(read, Ok(()), "{name}");
            assert!(items > 4, "{name}");
            let keys: Vec<Node> = parse_preset(preset, at)
                .into_iter()
                .map(|(key, _)| key)
                .collect();
            for wanted in [
                "role-names",
                "role-columns",
                "roles",
                "id",
                "cells",
                "each",
                "room",
            ] {
                assert!(
                    keys.iter().any(|key| key.word() == Some(wanted)),
                    "{name}: {wanted}"
                );
            }
        }
    }
}
