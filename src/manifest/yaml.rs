//! YAML text -> nodes with places and quoting, one room at a time, in bounded memory and depth.
//!
//! Main type: [`Node`]. The only module that names the YAML library; it does not know what any key means.

use std::collections::HashMap;
use std::rc::Rc;

use granit_parser::{
    ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag, options,
};

use super::complaint::explain;
use super::diagnostic::{At, Code, Diagnostic};
use crate::model::FileId;

/// Deeper than any manifest needs; the builder recurses, so this is also what keeps the stack small.
const DEPTH: usize = 64;
/// How many nodes all aliases of a file together may stand for.
const ALIASED: u64 = 1_000_000;

/// A YAML value and where it starts.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) at: At,
    value: Value,
}

/// What a node is. Aliases are looked through by [`Node::value`].
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// A word or text; `plain` if it stood there without quotes.
    Scalar { text: String, plain: bool },
    /// A list.
    Seq(Vec<Node>),
    /// A mapping, in the order of the file, repeated keys included.
    Map(Vec<(Node, Node)>),
    /// What an alias stands for, shared with its anchor.
    Alias(Rc<Anchored>),
}

/// A node with a name, and how many nodes it is when written out.
#[derive(Debug)]
pub(super) struct Anchored {
    node: Node,
    weight: u64,
}

impl Node {
    /// A node that no file has.
    pub(super) fn made(at: At, value: Value) -> Self {
        Self { at, value }
    }

    /// A quoted text that no file has.
    pub(super) fn text(at: At, text: String) -> Self {
        Self::made(at, Value::Scalar { text, plain: false })
    }

    /// The same, and everything in it, as if it stood somewhere else.
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
    pub(super) fn value(&self) -> &Value {
        match &self.value {
            Value::Alias(anchored) => anchored.node.value(),
            value => value,
        }
    }

    /// The node's type in a message.
    pub(super) fn noun(&self) -> &'static str {
        match self.value() {
            Value::Scalar { text, plain: true } => super::scalar::reading(text).noun(),
            Value::Scalar { .. } => "text",
            Value::Seq(_) => "a list",
            Value::Map(_) | Value::Alias(_) => "a mapping",
        }
    }
}

/// A part of a document, handed over as soon as it is read.
#[derive(Debug)]
pub(super) enum Item {
    /// A top-level key and its value.
    Entry(Node, Node),
    /// The top-level key of the streamed list; its elements follow.
    List(Node),
    /// One element of the streamed list.
    Element(Node),
    /// The whole document, where it is not a mapping.
    Root(Node),
}

/// Reads one document. The elements of the list under the top-level key `streamed` come one by one.
///
/// # Errors
/// The first thing that is not YAML, or too deep, or an alias bomb; what came before it was handed over.
pub(super) fn read(
    text: &str,
    file: FileId,
    streamed: &str,
    take: &mut dyn FnMut(Item),
) -> Result<(), Diagnostic> {
    let limits = options! { flow_nesting_limit: DEPTH + 1, block_nesting_limit: DEPTH + 1, emit_comments: false };
    let parser = Parser::new_from_str_with_options(text, limits);
    let mut reader = Reader {
        parser,
        text,
        file,
        anchors: HashMap::new(),
        aliased: 0,
    };
    let mut documents = 0;
    while let (event, span) = reader.next()?
        && !matches!(event, Event::StreamEnd)
    {
        match event {
            // An anchor here is of no use: what it names contains every place an alias could stand.
            Event::MappingStart(_, _, None) => reader.entries(streamed, take)?,
            Event::StreamStart | Event::DocumentEnd => {}
            Event::DocumentStart(..) if documents == 0 => documents = 1,
            Event::DocumentStart(..) => {
                let at = reader.at(&span);
                return Err(
                    Diagnostic::at(Code::Syntax, at, "a second document in one file")
                        .hint("split it into files; a directory of files is one manifest"),
                );
            }
            event => take(Item::Root(reader.node(event, span, 0)?.0)),
        }
    }
    Ok(())
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    text: &'a str,
    file: FileId,
    anchors: HashMap<usize, Rc<Anchored>>,
    aliased: u64,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Diagnostic> {
        match self.parser.next_event() {
            Some(Ok(pair)) => Ok(pair),
            Some(Err(error)) => Err(self.not_yaml(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn at(&self, span: &Span) -> At {
        let offset = span.start.byte_offset().unwrap_or_default();
        At {
            file: self.file,
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
        }
    }

    fn entries(&mut self, streamed: &str, take: &mut dyn FnMut(Item)) -> Result<(), Diagnostic> {
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(());
            }
            let (key, _) = self.node(event, span, 1)?;
            let is_streamed = matches!(key.value(), Value::Scalar { text, .. } if text == streamed);
            match self.next()? {
                (Event::SequenceStart(_, 0, None), _) if is_streamed => {
                    take(Item::List(key));
                    self.elements(take)?;
                }
                (event, span) => take(Item::Entry(key, self.node(event, span, 1)?.0)),
            }
        }
    }

    fn elements(&mut self, take: &mut dyn FnMut(Item)) -> Result<(), Diagnostic> {
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(()),
                (event, span) => take(Item::Element(self.node(event, span, 2)?.0)),
            }
        }
    }

    /// Builds the node that starts with this event; with it, how many nodes it is.
    fn node(
        &mut self,
        event: Event<'a>,
        span: Span,
        depth: usize,
    ) -> Result<(Node, u64), Diagnostic> {
        let at = self.at(&span);
        if depth > DEPTH {
            return Err(too_deep(at));
        }
        let (value, anchor, tag, weight) = match event {
            // The library gives a value that is left out as `~`; what people did not write they shall not read.
            Event::Scalar(_, ScalarStyle::Plain, anchor, tag) if span.is_empty() => {
                let (text, plain) = (String::new(), true);
                (Value::Scalar { text, plain }, anchor, tag, 1)
            }
            Event::Scalar(text, style, anchor, tag) => {
                // An alias of a long text is as costly as many of a short one.
                let weight = 1 + text.len() as u64 / 64;
                let plain = style == ScalarStyle::Plain;
                let text = text.into_owned();
                (Value::Scalar { text, plain }, anchor, tag, weight)
            }
            Event::SequenceStart(_, anchor, tag) => {
                let (items, weight) = self.items(depth)?;
                (Value::Seq(items), anchor, tag, weight)
            }
            Event::MappingStart(_, anchor, tag) => {
                let (pairs, weight) = self.pairs(depth)?;
                (Value::Map(pairs), anchor, tag, weight)
            }
            Event::Alias(anchor) => {
                let anchored = self.alias(anchor, at)?;
                let weight = anchored.weight;
                (Value::Alias(anchored), 0, None, weight)
            }
            _ => {
                return Err(Diagnostic::at(
                    Code::Syntax,
                    at,
                    "the text ends in the middle of a value",
                ));
            }
        };
        self.refuse_tag(tag.as_deref(), at)?;
        Ok((self.remember(anchor, Node { at, value }, weight), weight))
    }

    fn items(&mut self, depth: usize) -> Result<(Vec<Node>, u64), Diagnostic> {
        let (mut items, mut weight) = (Vec::new(), 1_u64);
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok((items, weight));
            }
            let (item, more) = self.node(event, span, depth + 1)?;
            weight = weight.saturating_add(more);
            items.push(item);
        }
    }

    fn pairs(&mut self, depth: usize) -> Result<(Vec<(Node, Node)>, u64), Diagnostic> {
        let (mut pairs, mut weight) = (Vec::new(), 1_u64);
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok((pairs, weight));
            }
            let (key, key_weight) = self.node(event, span, depth + 1)?;
            let (event, span) = self.next()?;
            let (value, value_weight) = self.node(event, span, depth + 1)?;
            weight = weight
                .saturating_add(key_weight)
                .saturating_add(value_weight);
            pairs.push((key, value));
        }
    }

    fn remember(&mut self, anchor: usize, node: Node, weight: u64) -> Node {
        if anchor == 0 {
            return node;
        }
        let at = node.at;
        let anchored = Rc::new(Anchored { node, weight });
        self.anchors.insert(anchor, Rc::clone(&anchored));
        Node {
            at,
            value: Value::Alias(anchored),
        }
    }

    fn alias(&mut self, anchor: usize, at: At) -> Result<Rc<Anchored>, Diagnostic> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(
                Diagnostic::at(Code::Syntax, at, "an alias inside of what it stands for")
                    .hint("write out what you mean; to have one group in another write \"@name\""),
            );
        };
        self.aliased = self.aliased.saturating_add(anchored.weight);
        if self.aliased > ALIASED {
            let message = format!("the aliases of this file stand for more than {ALIASED} values");
            return Err(Diagnostic::at(Code::AliasBomb, at, message)
                .hint("write the values out, or use `groups`"));
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
        let at = At {
            file: self.file,
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
        };
        match error.kind() {
            ErrorKind::RecursionLimitExceeded => too_deep(at),
            _ => {
                Diagnostic::at(Code::Syntax, at, format!("this is not YAML: {words}")).hint(remedy)
            }
        }
    }

    fn refuse_tag(&self, tag: Option<&Tag>, at: At) -> Result<(), Diagnostic> {
        let Some(tag) = tag.map(Tag::original) else {
            return Ok(());
        };
        let before = self.text.get(..at.offset as usize).unwrap_or_default();
        let offset = match before.trim_end().strip_suffix(tag.as_str()) {
            Some(before) => u32::try_from(before.len()).unwrap_or(u32::MAX),
            None => at.offset,
        };
        let shown: String = tag.chars().take(60).collect();
        let diagnostic = Diagnostic::at(
            Code::Syntax,
            At { offset, ..at },
            format!("a YAML tag (`{shown}`)"),
        );
        Err(diagnostic.hint("leave the tag out; put text in quotes"))
    }
}

fn too_deep(at: At) -> Diagnostic {
    Diagnostic::at(
        Code::TooDeep,
        at,
        format!("nested more than {DEPTH} levels deep"),
    )
    .hint("no value of a manifest is nested that deep; look for an unclosed bracket")
}
