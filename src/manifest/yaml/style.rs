//! How a list in a text is written, so that more can be added to it.
//!
//! Main entry: [`written`].

use super::{Block, Event, parser};

/// How the list under a top-level key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Written {
    /// There is no such key.
    Nowhere,
    /// As lines that start with `-` in this column, counted from 0; its last value ends before this byte.
    Lines { column: usize, end: usize },
    /// As brackets with nothing between them, from one byte to another.
    Empty { start: usize, end: usize },
    /// Between brackets, or not as a list; or the text is no mapping of lines.
    Otherwise,
}

/// How the list under a top-level key is written.
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

/// Whether brackets have nothing between them, not even a remark.
fn is_nothing(text: &str, start: usize, end: usize) -> bool {
    let inside = text.get(start..end).and_then(|it| it.strip_prefix('['));
    inside
        .and_then(|it| it.strip_suffix(']'))
        .is_some_and(|it| it.trim().is_empty())
}

/// The column of a list's `-` signs. The library points at the first one if they are indented, else at the text after it; then
/// they are below the key.
fn column(text: &str, start: usize, key: usize) -> usize {
    let indented = text.get(start..).is_some_and(|it| it.starts_with('-'));
    let before = text.get(..if indented { start } else { key });
    let before = before.unwrap_or_default();
    before.len() - before.rfind('\n').map_or(0, |end| end + 1)
}
