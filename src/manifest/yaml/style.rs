//! Determines how a list is written, so that items can be appended to it.
//!
//! Main entry: [`written`].

use super::{Block, Event, parser};

/// How the list under a top-level key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Written {
    /// The text does not have the key.
    Nowhere,
    /// Each item starts with `-` in this column, counted from 0. The last value ends before the
    /// byte `end`.
    Lines { column: usize, end: usize },
    /// The list is a pair of empty brackets at these byte offsets.
    Empty { start: usize, end: usize },
    /// The list has items in brackets, the value is not a list, or the text is not a block mapping.
    Otherwise,
}

pub(in super::super) fn written(text: &str, key: &str) -> Written {
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

/// Whether the brackets contain nothing but white space, not even a comment.
fn is_nothing(text: &str, start: usize, end: usize) -> bool {
    let inside = text.get(start..end).and_then(|it| it.strip_prefix('['));
    inside
        .and_then(|it| it.strip_suffix(']'))
        .is_some_and(|it| it.trim().is_empty())
}

/// Returns the column of a list's `-`. In an indented list, the library reports the first `-`.
/// Otherwise it reports the text after the `-`, and the `-` is in the column of the key.
fn column(text: &str, start: usize, key: usize) -> usize {
    let indented = text.get(start..).is_some_and(|it| it.starts_with('-'));
    let before = text.get(..if indented { start } else { key });
    let before = before.unwrap_or_default();
    before.len() - before.rfind('\n').map_or(0, |end| end + 1)
}
