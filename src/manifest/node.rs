//! YAML values with their places and quoting, once they are read.
//!
//! Main type: [`Node`].

use std::borrow::Cow;
use std::rc::Rc;

use super::scalar::reading;
use crate::tables::diagnostic::At;

/// A YAML value and where it starts. Words stay in the text they were read from.
#[derive(Debug, Clone)]
pub(super) struct Node<'t> {
    pub(super) at: At,
    pub(super) value: Value<'t>,
}

/// What a node is. Aliases are looked through by [`Node::value`].
#[derive(Debug, Clone)]
pub(super) enum Value<'t> {
    /// A word or text; `plain` if it has no quotes.
    Scalar { text: Cow<'t, str>, plain: bool },
    /// A list.
    Seq(Vec<Node<'t>>),
    /// A mapping, in the order of the file, repeated keys included.
    Map(Pairs<'t>),
    /// The value of an alias, shared with its anchor.
    Alias(Rc<Anchored<'t>>),
}

/// A mapping, in the order of the file.
pub(super) type Pairs<'t> = Vec<(Node<'t>, Node<'t>)>;

/// A node with a name, and how many nodes it is when written out.
#[derive(Debug)]
pub(super) struct Anchored<'t> {
    pub(super) node: Node<'t>,
    pub(super) weight: u64,
}

impl<'t> Node<'t> {
    /// A node that no file has.
    pub(super) fn made(at: At, value: Value<'t>) -> Self {
        Self { at, value }
    }

    /// A quoted text that no file has.
    pub(super) fn from_text(at: At, text: String) -> Self {
        let text = Cow::Owned(text);
        Self::made(at, Value::Scalar { text, plain: false })
    }

    /// The same, and everything in it, with another place.
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

    /// The value, aliases resolved.
    pub(super) fn value(&self) -> &Value<'t> {
        match &self.value {
            Value::Alias(anchored) => anchored.node.value(),
            value => value,
        }
    }

    /// A word or text.
    pub(super) fn word(&self) -> Option<&str> {
        match self.value() {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The items of a list; any other node is the only item.
    pub(super) fn items(&self) -> &[Self] {
        match self.value() {
            Value::Seq(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// The node's type in a message.
    pub(super) fn noun(&self) -> &'static str {
        match self.value() {
            Value::Scalar { text, plain: true } => reading(text).noun(),
            Value::Scalar { .. } => "text",
            Value::Seq(_) => "a list",
            Value::Map(_) | Value::Alias(_) => "a mapping",
        }
    }
}
