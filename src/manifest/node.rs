//! YAML values with their places and quoting.
//!
//! Main type: [`Node`].

use std::borrow::Cow;
use std::rc::Rc;

use super::scalar::reading;
use crate::tables::diagnostic::At;

/// A YAML value and its place. Its texts borrow from the text of the file.
#[derive(Debug, Clone)]
pub(super) struct Node<'t> {
    pub(super) at: At,
    pub(super) value: Value<'t>,
}

/// The value of a node. [`Node::value`] resolves aliases.
#[derive(Debug, Clone)]
pub(super) enum Value<'t> {
    /// A single value; `plain` means that it is not quoted.
    Scalar {
        text: Cow<'t, str>,
        plain: bool,
    },
    Seq(Vec<Node<'t>>),
    /// A mapping in file order, including duplicate keys.
    Map(Pairs<'t>),
    /// An alias; it shares the value of its anchor.
    Alias(Rc<Anchored<'t>>),
}

/// The keys and values of a mapping, in file order.
pub(super) type Pairs<'t> = Vec<(Node<'t>, Node<'t>)>;

/// An anchored node, and the number of nodes in it.
#[derive(Debug)]
pub(super) struct Anchored<'t> {
    pub(super) node: Node<'t>,
    pub(super) weight: u64,
}

impl<'t> Node<'t> {
    /// Creates a node. Errors in it are reported at `at`.
    pub(super) fn made(at: At, value: Value<'t>) -> Self {
        Self { at, value }
    }

    /// Creates a quoted text that the file does not contain. Errors in it are reported at `at`.
    pub(super) fn from_text(at: At, text: String) -> Self {
        let text = Cow::Owned(text);
        Self::made(at, Value::Scalar { text, plain: false })
    }

    /// Returns a copy in which the node and everything inside it have the place `at`.
    pub(super) fn moved(&self, at: At) -> Self {
        let value = match self.value() {
            Value::Seq(items) => Value::Seq(items.iter().map(|item| item.moved(at)).collect()),
            Value::Map(pairs) => {
                let moved = |(key, value): &(Self, Self)| (key.moved(at), value.moved(at));
                Value::Map(pairs.iter().map(moved).collect())
            }
            value => value.clone(),
        };
        Self::made(at, value)
    }

    /// Returns the value, with aliases resolved.
    pub(super) fn value(&self) -> &Value<'t> {
        match &self.value {
            Value::Alias(anchored) => anchored.node.value(),
            value => value,
        }
    }

    /// Returns the text of a scalar.
    pub(super) fn word(&self) -> Option<&str> {
        match self.value() {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Returns the entries of a mapping whose keys are scalars.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &Self)> {
        let pairs = match self.value() {
            Value::Map(pairs) => pairs.as_slice(),
            _ => &[],
        };
        let entries = pairs.iter();
        entries.filter_map(|(key, value)| Some((key.word()?, value)))
    }

    /// Returns the value of a key in a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let mut entries = self.entries();
        entries.find_map(|(other, value)| (other == key).then_some(value))
    }

    /// Returns the texts in a list.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.items().iter().filter_map(Self::word)
    }

    /// Returns the items of a list. Any other node counts as a list of one item.
    pub(super) fn items(&self) -> &[Self] {
        match self.value() {
            Value::Seq(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// Returns the node's type for a message.
    pub(super) fn noun(&self) -> &'static str {
        match self.value() {
            Value::Scalar { text, plain: true } => reading(text).noun(),
            Value::Scalar { .. } => "text",
            Value::Seq(_) => "a list",
            Value::Map(_) | Value::Alias(_) => "a mapping",
        }
    }
}
