//! Parses YAML, one room at a time, with limits on memory and depth. Each node records its
//! place, and whether it was quoted.
//!
//! Main entry: [`read`], which makes a [`Node`] of each part. No other module uses the YAML library.
//! This module does not know what the keys mean.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use granit_parser::StructureStyle::Block;
use granit_parser::{
    ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag, options,
};

mod style;

pub(super) use self::style::{Written, written};
use super::scalar::reading;
use super::yaml_hints::explain;
use crate::model::FileId;
use crate::tables::diagnostic::{At, Code, Diagnostic};

/// Maximum nesting depth, which also limits the stack. No manifest needs more.
const DEPTH: usize = 64;
/// Maximum number of nodes that all aliases of a file may expand to.
const ALIASED: u64 = 1_000_000;
/// The hint for a value that must be a mapping.
pub(super) const MAPPING_HINT: &str = "write it as `key: value`, one line for each key";

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
    node: Node<'t>,
    weight: u64,
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

/// Reads one document, a mapping. Passes each top-level key with its value to `take`, and each
/// element of the list under the key `streamed` without a key, as soon as it is read. The value of
/// that key is then an empty list.
///
/// # Errors
/// Returns the first error: invalid syntax, a document that is not a mapping, too deep nesting, or
/// too large aliases. Earlier parts were already passed on.
pub(super) fn read<'t>(
    text: &'t str,
    file: FileId,
    streamed: &str,
    take: &mut dyn FnMut(Option<Node<'t>>, Node<'t>),
) -> Result<(), Box<Diagnostic>> {
    let mut reader = Reader {
        parser: parser(text),
        text,
        file,
        anchors: HashMap::new(),
        weight: 0,
        aliased: 0,
    };
    let mut documents = 0;
    while let (event, from) = reader.next()?
        && !matches!(event, Event::StreamEnd)
    {
        match event {
            // An anchor of the top-level mapping is ignored. An alias of it is an error, because it
            // would contain itself.
            Event::MappingStart(_, _, None) => reader.entries(0, Some(streamed), take)?,
            Event::StreamStart | Event::DocumentEnd => {}
            Event::DocumentStart(..) if documents == 0 => documents = 1,
            Event::DocumentStart(..) => {
                let message = "a second YAML document in one file";
                let hint = "split it into several files; a directory of files is one manifest";
                return fail(Code::Syntax, from.at, message, hint);
            }
            // A document without a value, for example a file with comments only.
            Event::Scalar(_, ScalarStyle::Plain, _, None) if from.is_empty => {}
            event => {
                let noun = reader.node(event, from, 0)?.noun();
                let message = format!("a manifest must be a mapping, not {noun}");
                return fail(Code::WrongType, from.at, message, MAPPING_HINT);
            }
        }
    }
    Ok(())
}

fn parser(text: &str) -> Parser<'_, StrInput<'_>> {
    let limits = options! { flow_nesting_limit: DEPTH + 1, block_nesting_limit: DEPTH + 1, emit_comments: false };
    Parser::new_from_str_with_options(text, limits)
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    text: &'a str,
    file: FileId,
    anchors: HashMap<usize, Rc<Anchored<'a>>>,
    /// The number of nodes that were read, with those of aliases.
    weight: u64,
    aliased: u64,
}

/// Where an event starts, and whether its text is empty.
#[derive(Debug, Clone, Copy)]
struct EventStart {
    at: At,
    is_empty: bool,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, EventStart), Box<Diagnostic>> {
        let (event, span) = match self.parser.next_event() {
            Some(Ok((event, span))) => (event, span),
            Some(Err(error)) => return Err(self.not_yaml(&error).into()),
            None => (Event::StreamEnd, Span::default()),
        };
        let from = EventStart {
            at: self.at(span.start.byte_offset().unwrap_or_default()),
            is_empty: span.is_empty(),
        };
        Ok((event, from))
    }

    fn at(&self, offset: usize) -> At {
        At::new(self.file, offset)
    }

    /// Calls `take` with each key and value of a mapping, and with each element of the list under
    /// the key `streamed`.
    fn entries(
        &mut self,
        depth: usize,
        streamed: Option<&str>,
        take: &mut dyn FnMut(Option<Node<'a>>, Node<'a>),
    ) -> Result<(), Box<Diagnostic>> {
        loop {
            let (event, from) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(());
            }
            let key = self.node(event, from, depth + 1)?;
            let is_streamed = streamed.is_some() && key.word() == streamed;
            match self.next()? {
                (Event::SequenceStart(_, 0, None), from) if is_streamed => {
                    take(Some(key), Node::made(from.at, Value::Seq(Vec::new())));
                    self.items(depth + 1, &mut |item| take(None, item))?;
                }
                (event, from) => take(Some(key), self.node(event, from, depth + 1)?),
            }
        }
    }

    /// Builds the node that starts with this event.
    fn node(
        &mut self,
        event: Event<'a>,
        from: EventStart,
        depth: usize,
    ) -> Result<Node<'a>, Box<Diagnostic>> {
        let (at, before) = (from.at, self.weight);
        if depth > DEPTH {
            return Err(too_deep(at).into());
        }
        self.weight += 1;
        let (value, anchor, tag) = match event {
            // The library returns a missing value as `~`, which a message must not quote.
            Event::Scalar(_, ScalarStyle::Plain, anchor, tag) if from.is_empty => {
                let (text, plain) = (Cow::Borrowed(""), true);
                (Value::Scalar { text, plain }, anchor, tag)
            }
            Event::Scalar(text, style, anchor, tag) => {
                // An alias of a long text counts as much as many aliases of a short text.
                self.weight += text.len() as u64 / 64;
                let plain = style == ScalarStyle::Plain;
                (Value::Scalar { text, plain }, anchor, tag)
            }
            Event::SequenceStart(_, anchor, tag) => {
                let mut items = Vec::new();
                self.items(depth, &mut |item| items.push(item))?;
                (Value::Seq(items), anchor, tag)
            }
            Event::MappingStart(_, anchor, tag) => {
                let mut pairs = Vec::new();
                self.entries(depth, None, &mut |key, value| {
                    pairs.extend(key.zip(Some(value)));
                })?;
                (Value::Map(pairs), anchor, tag)
            }
            Event::Alias(anchor) => (Value::Alias(self.alias(anchor, at)?), 0, None),
            _ => {
                let message = "the text ends in the middle of a value";
                let hint = "complete the value, or remove it";
                return fail(Code::Syntax, at, message, hint);
            }
        };
        self.refuse_tag(tag.as_deref(), at)?;
        let node = Node { at, value };
        if anchor == 0 {
            return Ok(node);
        }
        let weight = self.weight - before;
        let anchored = Rc::new(Anchored { node, weight });
        self.anchors.insert(anchor, Rc::clone(&anchored));
        Ok(Node::made(at, Value::Alias(anchored)))
    }

    /// Calls `take` with each item of a list.
    fn items(
        &mut self,
        depth: usize,
        take: &mut dyn FnMut(Node<'a>),
    ) -> Result<(), Box<Diagnostic>> {
        loop {
            let (event, from) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(());
            }
            take(self.node(event, from, depth + 1)?);
        }
    }

    fn alias(&mut self, anchor: usize, at: At) -> Result<Rc<Anchored<'a>>, Box<Diagnostic>> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            let message = "an alias inside its own anchor";
            let hint = "write the value out; to include a group in another, write \"@name\"";
            return fail(Code::Syntax, at, message, hint);
        };
        // The alias itself is already counted.
        self.weight += anchored.weight - 1;
        self.aliased += anchored.weight;
        if self.aliased > ALIASED {
            let message = format!("the aliases of this file expand to more than {ALIASED} values");
            let hint = "write the values out, or use `groups`";
            return fail(Code::AliasBomb, at, message, hint);
        }
        Ok(Rc::clone(anchored))
    }

    fn not_yaml(&self, error: &ScanError) -> Diagnostic {
        let (character, words) = match error.kind() {
            ErrorKind::UnexpectedCharacter { character } => {
                let words = format!("unexpected character `{}`", character.escape_default());
                (Some(*character), words)
            }
            _ => (None, error.info().chars().take(200).collect()),
        };
        let offset = error.marker().byte_offset().unwrap_or_default();
        let (offset, remedy) = explain(self.text, offset, &words, character);
        let at = self.at(offset);
        if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            return too_deep(at);
        }
        Diagnostic::at(Code::Syntax, at, format!("this is not YAML: {words}")).hint(remedy)
    }

    fn refuse_tag(&self, tag: Option<&Tag>, at: At) -> Result<(), Box<Diagnostic>> {
        let Some(tag) = tag.map(Tag::original) else {
            return Ok(());
        };
        let before = self.text.get(..at.offset as usize).unwrap_or_default();
        let before = before.trim_end().strip_suffix(tag.as_str());
        let at = before.map_or(at, |before| self.at(before.len()));
        let shown: String = tag.chars().take(60).collect();
        let message = format!("a YAML tag (`{shown}`)");
        fail(
            Code::Syntax,
            at,
            message,
            "remove the tag; if the value is text, quote it",
        )
    }
}

fn fail<T>(
    code: Code,
    at: At,
    message: impl Into<String>,
    hint: &str,
) -> Result<T, Box<Diagnostic>> {
    Err(Diagnostic::at(code, at, message).hint(hint).into())
}

fn too_deep(at: At) -> Diagnostic {
    let message = format!("nested more than {DEPTH} levels deep");
    Diagnostic::at(Code::TooDeep, at, message).hint("look for an unclosed bracket")
}
