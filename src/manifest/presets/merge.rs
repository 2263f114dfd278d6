//! Merges the manifest's values into a preset, key by key.
//!
//! Main function: [`merge`].

pub(super) use super::super::yaml::Pairs;
use super::super::yaml::{Node, Value};
use crate::tables::diagnostic::At;
use crate::tables::header::is_same_key;

/// Keys whose mappings are replaced, not merged.
const WHOLE: [&str; 4] = ["on", "to", "user", "expand"];

/// Sets the value of a key, and returns the index of the key. Mappings are merged recursively,
/// except those in [`WHOLE`].
pub(super) fn merge<'t>(pairs: &mut Pairs<'t>, key: &str, value: &Node<'t>, at: At) -> usize {
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
