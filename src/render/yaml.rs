//! Writes the resolved rooms as YAML with one user per line, so that two manifests can be compared
//! line by line. The text is a valid manifest.

use std::fmt::Write;

use serde_json::Value;

use super::manifest_node::{self, Entries, Node};
use crate::manifest::quote_yaml;
use crate::model::{Desired, DesiredRoom, nfc};

/// Returns the lines before the rooms.
pub(super) fn head(desired: &Desired) -> String {
    let mut text = String::new();
    write_entries(&mut text, manifest_node::head(desired), 0);
    text + "rooms:\n"
}

pub(super) fn room(room: &DesiredRoom) -> String {
    let mut text = String::new();
    write_entries(&mut text, manifest_node::room(room), 4);
    format!("  - {}", text.trim_start())
}

/// Writes the entries, indented by this many spaces. Leaves out empty lists.
fn write_entries(text: &mut String, entries: Entries, indent: usize) {
    for (key, node) in entries {
        let _ = match node {
            Node::List(items) if items.is_empty() => Ok(()),
            Node::List(items) => {
                let _ = writeln!(text, "{:indent$}{key}:", "");
                let mut items = items.iter().map(format_inline);
                items.try_for_each(|item| writeln!(text, "{:indent$}  - {item}", ""))
            }
            Node::Map(entries) => {
                let _ = writeln!(text, "{:indent$}{key}:", "");
                write_entries(text, entries, indent + 2);
                Ok(())
            }
            node => writeln!(text, "{:indent$}{key}: {}", "", format_inline(&node)),
        };
    }
}

fn format_inline(node: &Node) -> String {
    match node {
        Node::Plain(Value::String(word)) => word.clone(),
        // Texts that differ only in their Unicode normal form are written in the same way.
        Node::Text(text) => quote_yaml(&nfc(text)),
        // The JSON from `to_json` is valid YAML too.
        Node::Plain(_) | Node::List(_) | Node::Map(_) => node.to_json(),
    }
}
