//! YAML text -> nodes with places and quoting, one room at a time, in bounded memory and depth.
//!
//! Main entry: [`read`], which makes a [`Node`] of each part. The only module that names the YAML library; it does not know what any key means.

use std::collections::HashMap;
use std::rc::Rc;

use granit_parser::StructureStyle::Block;
use granit_parser::{
    ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag, options,
};

use super::complaint::explain;
use super::diagnostic::{At, Code, Diagnostic};
pub(super) use super::node::{Anchored, Node, Value};
use crate::model::FileId;

/// Deeper than any manifest needs; the builder recurses, so this is also what keeps the stack small.
const DEPTH: usize = 64;
/// How many nodes all aliases of a file together may stand for.
const ALIASED: u64 = 1_000_000;

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
    let mut reader = Reader {
        parser: parser(text),
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

fn parser(text: &str) -> Parser<'_, StrInput<'_>> {
    let limits = options! { flow_nesting_limit: DEPTH + 1, block_nesting_limit: DEPTH + 1, emit_comments: false };
    Parser::new_from_str_with_options(text, limits)
}

/// How the list under a top-level key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// There is no such key.
    Nowhere,
    /// As lines that start with `-` in this column, counted from 0; its last value ends before this byte.
    Lines { column: usize, end: usize },
    /// As brackets with nothing between them, from one byte to another.
    Empty { start: usize, end: usize },
    /// Between brackets, or not as a list; or the text is no mapping of lines.
    Otherwise,
}

/// How the list under a top-level key is written, for whoever adds to its text.
pub(super) fn written(text: &str, key: &str) -> Written {
    let (mut depth, mut is_key, mut inside, mut found) = (0, true, None, Written::Nowhere);
    let mut opened = None;
    for event in parser(text) {
        let Ok((event, span)) = event else {
            return Written::Otherwise;
        };
        let (start, end) = (span.start.byte_offset(), span.end.byte_offset());
        let (start, end) = (start.unwrap_or_default(), end.unwrap_or_default());
        let lines = matches!(
            event,
            Event::SequenceStart(Block, ..) | Event::MappingStart(Block, ..)
        );
        let opens = matches!(event, Event::SequenceStart(..) | Event::MappingStart(..));
        let closes = matches!(event, Event::SequenceEnd | Event::MappingEnd);
        let is_node = opens || matches!(event, Event::Scalar(..) | Event::Alias(_));
        match (&event, inside) {
            _ if depth == 0 && is_node && !lines => return Written::Otherwise,
            (Event::Scalar(word, ..), _) if depth == 1 && is_key => {
                inside = (word == key).then_some(start);
            }
            _ if depth == 1 && is_node && is_key => inside = None,
            (Event::SequenceStart(Block, ..), Some(key)) if depth == 1 => {
                let column = column(text, start, key);
                found = Written::Lines { column, end: start };
            }
            (Event::SequenceEnd, Some(_)) if depth == 2 => {
                let empty = opened.take().filter(|start| is_nothing(text, *start, end));
                found = empty.map_or(found, |start| Written::Empty { start, end });
            }
            (_, Some(_)) if depth == 1 && is_node => {
                found = Written::Otherwise;
                opened = Some(start);
            }
            _ => {}
        }
        is_key ^= depth == 1 && is_node;
        if let (Written::Lines { end: last, .. }, Some(_)) = (&mut found, inside)
            && (is_node || closes)
            && end > start
        {
            *last = end;
        }
        depth = depth + usize::from(opens) - usize::from(closes);
    }
    found
}

/// Whether brackets have nothing between them, not even a remark.
fn is_nothing(text: &str, start: usize, end: usize) -> bool {
    let inside = text.get(start..end).and_then(|it| it.strip_prefix('['));
    inside
        .and_then(|it| it.strip_suffix(']'))
        .is_some_and(|it| it.trim().is_empty())
}

/// The column of a list's signs. The library says where the first one is, if they are indented, else what stands after it; then
/// they are below the key.
fn column(text: &str, start: usize, key: usize) -> usize {
    let indented = text.get(start..).is_some_and(|it| it.starts_with('-'));
    let before = text.get(..if indented { start } else { key });
    let before = before.unwrap_or_default();
    before.len() - before.rfind('\n').map_or(0, |end| end + 1)
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
