//! Merges the manifest's values into a preset, key by key.
//!
//! Main function: [`merge`].

pub(super) use super::super::yaml::Pairs;
use super::super::yaml::{Node, Value};
use crate::tables::diagnostic::At;
use crate::tables::header::column_key;

/// Keys whose mappings are replaced, not merged.
const WHOLE: [&str; 4] = ["on", "to", "user", "expand"];

/// Sets the value of a key, and returns the index of the key. Mappings are merged recursively,
/// except those in [`WHOLE`].
pub(super) fn merge<'t>(pairs: &mut Pairs<'t>, key: &str, value: &Node<'t>, at: At) -> usize {
    let there = pairs
        .iter_mut()
        .enumerate()
        .find(|(_, (other, _))| other.word().is_some_and(|other| is_same_key(other, key)));
    let Some((place, (_, there))) = there else {
        pairs.push((Node::from_text(at, key.to_owned()), value.clone()));
        return pairs.len() - 1;
    };
    let merged = match (there.value().clone(), value.value()) {
        (Value::Map(mut below), Value::Map(above)) if !WHOLE.contains(&key) => {
            for (index, (key, value)) in above.iter().enumerate() {
                let name = key.word().unwrap_or_default();
                let again = |(other, _): &(Node, Node)| {
                    other.word().is_some_and(|other| is_same_key(other, name))
                };
                if above.iter().take(index).any(again) {
                    // Keep the duplicate, so that the decoder reports it.
                    below.push((key.clone(), value.clone()));
                    continue;
                }
                let place = merge(&mut below, name, value, key.at);
                // Use the manifest's key, with its spelling and place, because its value is now the
                // manifest's.
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
    *there = merged;
    place
}

/// Whether two keys or column names are equal, ignoring case.
pub(in super::super) fn is_same_key(one: &str, other: &str) -> bool {
    column_key(one) == column_key(other)
}

pub(super) fn remove<'t>(pairs: &mut Pairs<'t>, key: &str) -> Option<Node<'t>> {
    let place = pairs
        .iter()
        .position(|(other, _)| other.word() == Some(key))?;
    Some(pairs.remove(place).1)
}

/// Returns the entries of a mapping.
pub(super) fn entries<'n, 't>(node: Option<&'n Node<'t>>) -> Vec<(&'n str, &'n Node<'t>)> {
    let pairs = match node.map(Node::value) {
        Some(Value::Map(pairs)) => pairs.as_slice(),
        _ => &[],
    };
    let entries = pairs.iter();
    entries
        .filter_map(|(key, value)| Some((key.word()?, value)))
        .collect()
}

/// Returns the texts of a list.
pub(super) fn list_words(node: &Node) -> Vec<String> {
    let texts = node.items().iter().filter_map(Node::word);
    texts.map(str::to_owned).collect()
}
