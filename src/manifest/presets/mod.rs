//! What school systems export: a preset is an entry of `generate` that is written down already, and the manifest's own words go over it.
//!
//! Main entry: [`filled`]. Presets have no machinery of their own: what comes out is an ordinary entry.

use super::diagnostic::{At, Code, Diagnostic};
use super::fields::{Decoder, clip};
use super::yaml::{self, Item, Node, Value};

/// The formats there are, and what each stands for.
const PRESETS: [(&str, &str); 3] = [
    ("canvas", include_str!("canvas.yaml")),
    ("oneroster", include_str!("oneroster.yaml")),
    ("moodle", include_str!("moodle.yaml")),
];
/// Conditions under this key hold unless the manifest says `status: any`.
const ACTIVE: &str = "active";
/// What the words of a preset are replaced by.
const ROLES: &str = "$roles";
const ID: &str = "$id";

type Pairs = Vec<(Node, Node)>;

/// What the manifest says to a preset.
struct Choice {
    /// The directory of the files, with a slash at its end; empty for the manifest's own.
    from: String,
    /// What the cells of the role column may be.
    roles: Node,
    /// The column with the site's user id.
    id: Node,
    /// Whether rows that are not active are left out.
    active_only: bool,
    at: At,
}

/// The names of all formats.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

/// The keys that only an entry with a format has.
pub(super) const OWN_KEYS: [&str; 4] = ["from", "roles", "status", "id"];

/// An entry with its preset filled in: what the manifest says goes over what the preset says. `None` if the entry names no format,
/// or one that does not exist, which is noted.
pub(super) fn filled(
    decoder: &mut Decoder<'_>,
    format: &Node,
    [from, roles, status, id]: [Option<&Node>; 4],
    own: [(&str, Option<&Node>); 3],
) -> Option<Node> {
    let choices: Vec<(&str, &str)> = PRESETS.to_vec();
    let text = decoder.choice(format, "`format`", &choices)?;
    let at = format.at;
    let mut preset = parsed(text, at);
    let known = taken(&mut preset, "role-names");
    let roles = match roles {
        Some(node) => role_cells(decoder, node, known.as_ref()),
        None => role_cells(decoder, &taken(&mut preset, "roles")?, known.as_ref()),
    };
    drop(taken(&mut preset, "roles"));
    let default_id = taken(&mut preset, "id")?;
    let id = id.and_then(|node| decoder.text(node, "`id`").map(|_| node.clone()));
    let from = from.and_then(|node| decoder.text(node, "`from`"));
    let from = from.map(|from| format!("{}/", from.value.trim_end_matches('/')));
    let ways = [("active", true), ("any", false)];
    let status = status.and_then(|node| decoder.choice(node, "`status`", &ways));
    let choice = Choice {
        from: from.filter(|from| from != "./").unwrap_or_default(),
        roles,
        id: id.unwrap_or(default_id),
        active_only: status.unwrap_or(true),
        at,
    };
    let mut pairs = choice.pairs(preset);
    for (key, node) in own {
        if let Some(node) = node {
            overlay(&mut pairs, key, node, at);
        }
    }
    Some(Node::made(at, Value::Map(pairs)))
}

/// A preset's text as nodes that all stand where the manifest names the format.
fn parsed(text: &str, at: At) -> Pairs {
    let mut pairs = Vec::new();
    // The texts are this program's own; a test reads each.
    let read = yaml::read(text, at.file, "", &mut |item| {
        if let Item::Entry(key, value) = item {
            pairs.push((key.moved(at), value.moved(at)));
        }
    });
    debug_assert_eq!(read, Ok(()));
    pairs
}

impl Choice {
    fn pairs(&self, pairs: Pairs) -> Pairs {
        let mut filled: Pairs = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            match text(&key) {
                Some(ACTIVE) if !self.active_only => {}
                Some(ACTIVE) => overlay(&mut filled, "where", &value, self.at),
                Some("roster") => filled.push((key, self.path(&value))),
                _ => filled.push((key, self.node(value))),
            }
        }
        filled
    }

    fn node(&self, node: Node) -> Node {
        let at = node.at;
        match node.value().clone() {
            Value::Map(pairs) => Node::made(at, Value::Map(self.pairs(pairs))),
            Value::Seq(items) => {
                let items = items.into_iter().map(|item| self.node(item));
                Node::made(at, Value::Seq(items.collect()))
            }
            Value::Scalar { text, .. } if text == ROLES => self.roles.clone(),
            Value::Scalar { text, .. } if text == ID => self.id.clone(),
            _ => node,
        }
    }

    fn path(&self, node: &Node) -> Node {
        let path = format!("{}{}", self.from, text(node).unwrap_or_default());
        Node::text(node.at, path)
    }
}

/// Puts a value under a key; where both are mappings, key by key.
fn overlay(pairs: &mut Pairs, key: &str, value: &Node, at: At) {
    let place = pairs.iter().position(|(other, _)| text(other) == Some(key));
    let Some(place) = place else {
        pairs.push((Node::text(at, key.to_owned()), value.clone()));
        return;
    };
    let merged = match (pairs[place].1.value(), value.value()) {
        (Value::Map(below), Value::Map(above)) => {
            let mut below = below.clone();
            for (key, value) in above {
                match below.iter().position(|(other, _)| text(other) == text(key)) {
                    Some(place) => below[place] = (key.clone(), value.clone()),
                    None => below.push((key.clone(), value.clone())),
                }
            }
            Node::made(value.at, Value::Map(below))
        }
        _ => value.clone(),
    };
    pairs[place].1 = merged;
}

/// The cells that some roles stand for: by the preset's names, else as they are written.
fn role_cells(decoder: &mut Decoder<'_>, node: &Node, known: Option<&Node>) -> Node {
    let nodes = match node.value() {
        Value::Seq(nodes) => nodes.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if nodes.is_empty() {
        let diagnostic = Diagnostic::at(Code::BadValue, node.at, "`roles` lets nobody in");
        decoder.note(
            diagnostic.hint("name the roles whose people are members, as in [student, teacher]"),
        );
    }
    let mut cells = Vec::new();
    for role in nodes {
        let Some(name) = decoder.text(role, "a role") else {
            continue;
        };
        let named = match known.map(Node::value) {
            Some(Value::Map(pairs)) => pairs.iter().find(|(key, _)| text(key) == Some(&name.value)),
            _ => None,
        };
        match named.map(|(_, cells)| cells.value()) {
            Some(Value::Seq(items)) => cells.extend(items.iter().cloned()),
            _ => cells.push(Node::text(role.at, name.value)),
        }
    }
    Node::made(node.at, Value::Seq(cells))
}

fn taken(pairs: &mut Pairs, key: &str) -> Option<Node> {
    let place = pairs
        .iter()
        .position(|(other, _)| text(other) == Some(key))?;
    Some(pairs.remove(place).1)
}

fn text(node: &Node) -> Option<&str> {
    match node.value() {
        Value::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

/// The mistake of keys that go with a format only.
pub(super) fn without_format(key: &str, node: &Node) -> Diagnostic {
    let message = format!("`{}` goes with `format`", clip(key));
    let formats: Vec<&str> = names().collect();
    Diagnostic::at(Code::MissingKey, node.at, message).hint(format!(
        "say which format the files have: {}",
        formats.join(", ")
    ))
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
        for (name, text) in PRESETS {
            let mut items = 0;
            let read = yaml::read(text, at.file, "", &mut |item| {
                assert!(matches!(item, Item::Entry(..)), "{name}: {item:?}");
                items += 1;
            });
            assert_eq!(read, Ok(()), "{name}");
            assert!(items > 4, "{name}");
            let keys: Vec<Node> = parsed(text, at).into_iter().map(|(key, _)| key).collect();
            for wanted in ["role-names", "roles", "id", "each", "room"] {
                assert!(
                    keys.iter().any(|key| super::text(key) == Some(wanted)),
                    "{name}: {wanted}"
                );
            }
        }
    }
}
