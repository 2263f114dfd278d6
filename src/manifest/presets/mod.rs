//! Presets for exports of school systems. A preset is an entry of `generate` that is merged with the manifest's entry.
//!
//! Main entry: [`fill_preset`]. The result is an ordinary entry, so presets need no other code.

use std::collections::BTreeMap;

use super::fields::{Decoder, Fields};
use super::raw::{RawDirectory, RawFile};
use super::yaml::{self, Node, Pairs, Value};
use crate::tables::diagnostic::{At, Code};
use crate::tables::header::{column_key, is_same_key};
use crate::tables::input::KnownWords;

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
    /// The directory of the files, with a trailing slash, or the path of the only file. Empty
    /// if the files are in the manifest's own directory.
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
/// Keys of a preset that are not part of the entry.
const META: [&str; 5] = [
    "role-names",
    "default-roles",
    "role-columns",
    "cells",
    "id-column",
];
const ROLE_HINT: &str =
    "fix the cell, add the role to `roles`, or select rows with `where` and `roles: any`";
const STATUS_HINT: &str = "fix the cell, or select rows with `where` and `status: any`";

/// An entry merged with its preset.
pub(super) struct Filled<'t> {
    pub(super) entry: Node<'t>,
    pub(super) vocabulary: Vocabulary,
    /// The preset's users file, if the manifest has its own people. It is still needed to know who
    /// is active.
    pub(super) users: Option<Node<'t>>,
}

/// The values that a format defines for its columns. They are added to an entry's conditions, so
/// that any other value is an error.
pub(super) struct Vocabulary {
    /// The place of `format` in the manifest. All nodes of the preset have this place.
    at: At,
    /// For each part of the entry (such as `enrol`) and each column: the values, and whether
    /// they are roles.
    columns: BTreeMap<(String, String), (KnownWords, bool)>,
}

impl Vocabulary {
    fn add(&mut self, part: &str, column: &str, words: Vec<String>, is_role: bool) {
        let hint = if is_role { ROLE_HINT } else { STATUS_HINT };
        let key = (part.to_owned(), column_key(column));
        let known = KnownWords { words, hint };
        self.columns.insert(key, (known, is_role));
    }

    /// Adds the values to the conditions on a file of the entry. Marks the file if it may be
    /// absent. `users` is the preset's users file, if the manifest has its own people.
    pub(super) fn teach(&self, file: &mut RawFile, users: Option<&RawDirectory>) {
        for filter in &mut file.filters {
            let key = (file.part.to_owned(), column_key(&filter.column.value));
            filter.any_case = filter.column.at == self.at;
            // An unknown role is an error even in a condition that the manifest adds.
            let known = self.columns.get(&key);
            let known = known.filter(|(_, is_role)| filter.any_case || *is_role);
            filter.known = known.map(|(words, _)| words.clone());
        }
        // An export may have no file of sections or cross-listings. The users file may be absent if
        // the manifest's own file has the status column.
        let is_link = ["via", "moved"].contains(&file.part) && file.path.at == self.at;
        file.may_lack = is_link || users.is_some_and(|users| users.file == file.file_use());
        file.format = Some(self.at);
    }
}

/// Merges an entry with its preset. Returns `None` for an unknown format, which is reported.
pub(super) fn fill_preset<'n>(format: &Node<'n>, fields: &Fields<'n, '_>) -> Option<Filled<'n>> {
    let (decoder, at) = (fields.decoder, format.at);
    let preset = parse_preset(decoder.choice(format, "`format`", &PRESETS)?, at);
    let (names, role_columns) = (preset.get("role-names")?, preset.get("role-columns")?);
    let own_roles = fields.get("roles");
    if let Some(roles) = own_roles {
        check_roles(decoder, roles, role_columns.entries().next().is_some());
    }
    let any = own_roles.is_some_and(|node| node.word() == Some("any"));
    let roles = role_cells(decoder, own_roles.or(preset.get("default-roles"))?, names);
    let columns = BTreeMap::new();
    let mut vocabulary = Vocabulary { at, columns };
    for (part, columns) in preset.get("cells")?.entries() {
        for (column, words) in columns.entries() {
            let words = words.words().map(str::to_owned);
            vocabulary.add(part, column, words.collect(), false);
        }
    }
    let own_enrol = fields.get("room").and_then(|room| room.get(ENROL));
    // A list of rosters in the manifest replaces the preset's roster.
    let is_replaced = own_enrol.is_some_and(|node| matches!(node.value(), Value::Seq(_)));
    for (part, column) in role_columns.entries().filter(|_| !any) {
        if part != ENROL || !is_replaced {
            let all = names.entries().flat_map(|(_, list)| list.words());
            let words = roles.words().chain(all).map(str::to_owned);
            let column = column.word().unwrap_or_default();
            vocabulary.add(part, column, words.collect(), true);
        }
    }
    let own_id = fields.get("id").filter(|_| fields.text("id").is_some());
    let from = fields.text("from");
    let status = fields.choice("status", &[("active", true), ("any", false)]);
    let choice = Choice {
        from: from.map(|from| prefix(&from.value)).unwrap_or_default(),
        roles: (!any).then_some(roles),
        id: own_id.or(preset.get("id-column"))?.clone(),
        active_only: status.unwrap_or(true),
        at,
    };
    let mut pairs = choice.pairs(&preset);
    let users = own_enrol.and_then(|enrol| choice.users_beside(&pairs, enrol));
    for key in ["each", "where", "room"] {
        if let Some(node) = fields.get(key) {
            merge(&mut pairs, key, node, at);
        }
    }
    Some(Filled {
        entry: Node::made(at, Value::Map(pairs)),
        vocabulary,
        users,
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
fn parse_preset(text: &'static str, at: At) -> Node<'static> {
    // This cannot fail: the texts are built in, and a test parses each of them.
    let mut pairs = Vec::new();
    let read = yaml::read(text, at.file, "", &mut |key, value| {
        pairs.extend(key.zip(Some(value)));
    });
    debug_assert_eq!(read, Ok(()));
    Node::made(at, Value::Map(pairs)).moved(at)
}

impl<'t> Choice<'t> {
    /// Returns the preset's users file, if only active users are wanted and the manifest names
    /// another file of people.
    fn users_beside(&self, pairs: &Pairs<'t>, own_enrol: &Node<'t>) -> Option<Node<'t>> {
        let own = own_enrol.get("people")?.get("roster")?;
        let (_, room) = pairs.iter().find(|(key, _)| key.word() == Some("room"))?;
        let users = room.get(ENROL)?.get("people")?;
        let is_other = users.get("roster").and_then(Node::word) != own.word();
        (self.active_only && is_other).then(|| users.clone())
    }

    fn pairs(&self, node: &Node<'t>) -> Pairs<'t> {
        let mut filled: Pairs<'t> = Vec::new();
        for (key, value) in node.entries() {
            let new = match key {
                ACTIVE | "from" | "until" | "days" if !self.active_only => continue,
                _ if META.contains(&key) => continue,
                _ if self.roles.is_none() && value.word() == Some(ROLES) => continue,
                ACTIVE => {
                    merge(&mut filled, "where", value, self.at);
                    continue;
                }
                "roster" => self.path(value),
                _ => self.node(value),
            };
            filled.push((Node::from_text(self.at, key.to_owned()), new));
        }
        filled
    }

    fn node(&self, node: &Node<'t>) -> Node<'t> {
        match (node.value(), &self.roles) {
            (Value::Map(_), _) => Node::made(node.at, Value::Map(self.pairs(node))),
            (Value::Scalar { text, .. }, Some(roles)) if text == ROLES => roles.clone(),
            (Value::Scalar { text, .. }, _) if text == ID => self.id.clone(),
            _ => node.clone(),
        }
    }

    fn path(&self, node: &Node<'t>) -> Node<'t> {
        let name = node.word().filter(|_| !is_file(&self.from));
        Node::from_text(
            node.at,
            format!("{}{}", self.from, name.unwrap_or_default()),
        )
    }
}

/// Keys whose mappings are replaced, not merged.
const WHOLE: [&str; 4] = ["on", "to", "user", "expand"];

/// Merges one of the manifest's values into a preset, and returns the index of its key. Mappings
/// are merged recursively, except those in [`WHOLE`]. A text under `each` sets its `roster`, and
/// lists under `optional` are joined.
fn merge<'t>(pairs: &mut Pairs<'t>, key: &str, value: &Node<'t>, at: At) -> usize {
    let is_key = |node: &Node| node.word().is_some_and(|word| is_same_key(word, key));
    let mut known = pairs.iter_mut().enumerate();
    let Some((place, (_, there))) = known.find(|(_, (other, _))| is_key(other)) else {
        pairs.push((Node::from_text(at, key.to_owned()), value.clone()));
        return pairs.len() - 1;
    };
    *there = match (there.value().clone(), value.value()) {
        (Value::Map(mut below), Value::Map(above)) if !WHOLE.contains(&key) => {
            for (index, (key, value)) in above.iter().enumerate() {
                let name = key.word().unwrap_or_default();
                let mut before = above.iter().take(index).filter_map(|(key, _)| key.word());
                if before.any(|other| is_same_key(other, name)) {
                    // Keep the duplicate, so that the decoder reports it.
                    below.push((key.clone(), value.clone()));
                    continue;
                }
                let place = merge(&mut below, name, value, key.at);
                // Use the key from the manifest, with its spelling and place, because the value
                // now comes from the manifest.
                if let Some((known, _)) = below.get_mut(place) {
                    *known = key.clone();
                }
            }
            Node::made(value.at, Value::Map(below))
        }
        (Value::Map(mut below), Value::Scalar { .. }) if key == "each" => {
            merge(&mut below, "roster", value, at);
            Node::made(value.at, Value::Map(below))
        }
        (Value::Seq(below), _) if key == "optional" => {
            let items = below.iter().chain(value.items());
            Node::made(value.at, Value::Seq(items.cloned().collect()))
        }
        _ => value.clone(),
    };
    place
}

/// Reports an empty list of roles, and roles for a format that has none.
fn check_roles(decoder: &Decoder, roles: &Node, has_roles: bool) {
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
    decoder.refuse::<()>(Code::BadValue, roles.at, message, hint);
}

/// Returns the cell values for these roles. For a role that the preset does not define, the
/// cell value is the role itself.
fn role_cells<'t>(decoder: &Decoder, node: &Node<'t>, known: &Node<'t>) -> Node<'t> {
    let mut cells = Vec::new();
    for role in node.items() {
        let Some(name) = decoder.text(role, "a role") else {
            continue;
        };
        let mut known = known.entries();
        match known.find(|(key, _)| is_same_key(key, &name.value)) {
            Some((_, list)) => cells.extend_from_slice(list.items()),
            None => cells.push(Node::from_text(role.at, name.value)),
        }
    }
    Node::made(node.at, Value::Seq(cells))
}

/// Reports keys that require `format`.
pub(super) fn note_without_format(fields: &Fields) {
    for key in OWN_KEYS {
        if let Some(node) = fields.get(key) {
            let message = format!("`{key}` needs `format`");
            let hint = format!("set `format` to one of: {}", names().join(", "));
            fields
                .decoder
                .refuse::<()>(Code::MissingKey, node.at, message, hint);
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
            let read = yaml::read(preset, at.file, "", &mut |_, _| {});
            assert_eq!(read, Ok(()), "{name}");
            let preset = parse_preset(preset, at);
            for wanted in META.into_iter().chain(["each", "room"]) {
                assert!(preset.get(wanted).is_some(), "{name}: {wanted}");
            }
        }
    }
}
