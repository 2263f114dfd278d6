//! Lists of plain numbers, which are most of a large manifest: hidden from the YAML library, which takes each number for an event, and
//! put back afterwards.
//!
//! Main entries: [`hide`] and [`show`]. A hidden list is a text in single quotes, of the same length at the same place. It is only a
//! guess, from one line, that it is a list: one that the library does not come upon as a word of its own stands in some text or
//! comment, and then the whole file is read as it is written.

use std::ops::Range;

/// Where a list is, brackets included.
pub(super) type List = Range<u32>;

/// More digits than any id has; the library may read such a word as it likes.
const MOST_DIGITS: usize = 20;

/// Puts lists of numbers into single quotes. They come back in their order.
pub(super) fn hide(text: &mut String) -> Vec<List> {
    let (bytes, mut lists) = (text.as_bytes(), Vec::new());
    let (mut from, mut line) = (0, Line::default());
    while let Some(start) = bytes.get(from..).and_then(|it| memchr::memchr(b'[', it)) {
        let start = from + start;
        from = start + 1;
        if let Some(end) = end_of_list(bytes, start) {
            line.go_on(bytes, start);
            if line.is_open() && is_end(bytes.get(end..).unwrap_or_default()) {
                lists.push(start as u32..end as u32);
            }
            from = end;
        }
    }
    replace(text, &lists, ["'", "'"]);
    lists
}

/// Puts the brackets back.
pub(super) fn show(text: &mut String, lists: &[List]) {
    replace(text, lists, ["[", "]"]);
}

/// The numbers of a list, each with its place.
pub(super) fn numbers<'t>(text: &'t str, list: &List) -> impl Iterator<Item = (u32, &'t str)> {
    let mut offset = list.start + 1;
    inner(text, list).split(',').map(move |part| {
        let spaces = part.bytes().take_while(|byte| *byte == b' ').count();
        let at = offset + spaces as u32;
        offset += part.len() as u32 + 1;
        (at, part.trim_matches(' '))
    })
}

/// How many numbers a list has.
pub(super) fn count(text: &str, list: &List) -> usize {
    1 + memchr::memchr_iter(b',', inner(text, list).as_bytes()).count()
}

/// What stands between the brackets.
fn inner<'t>(text: &'t str, list: &List) -> &'t str {
    let within = list.start as usize + 1..(list.end as usize).saturating_sub(1);
    text.get(within).unwrap_or_default()
}

/// Where a list of numbers ends that starts at a bracket, if it is one, in a line.
fn end_of_list(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut digits, mut spaced) = (0, false);
    for (at, byte) in bytes.iter().enumerate().skip(start + 1) {
        match byte {
            b'0'..=b'9' if digits < MOST_DIGITS && !spaced => digits += 1,
            b' ' => spaced = digits > 0,
            b',' if digits > 0 => (digits, spaced) = (0, false),
            b']' if digits > 0 => return Some(at + 1),
            _ => return None,
        }
    }
    None
}

/// What stands in a line so far.
#[derive(Default)]
struct Line {
    to: usize,
    in_double: bool,
    in_single: bool,
    has_hash: bool,
    last: Option<u8>,
}

impl Line {
    /// Reads on, up to a byte.
    fn go_on(&mut self, bytes: &[u8], to: usize) {
        let mut part = bytes.get(self.to..to).unwrap_or_default();
        if let Some((_, rest)) =
            memchr::memrchr(b'\n', part).and_then(|end| part.split_at_checked(end + 1))
        {
            *self = Self::default();
            part = rest;
        }
        let is_odd = |quote: u8| memchr::memchr_iter(quote, part).count() % 2 == 1;
        self.in_double ^= is_odd(b'"');
        self.in_single ^= is_odd(b'\'');
        self.has_hash |= memchr::memchr(b'#', part).is_some();
        self.last = part.last().copied().or(self.last);
        self.to = to;
    }

    /// Whether a value may well start here: not in quotes, not in a comment.
    fn is_open(&self) -> bool {
        matches!(self.last, Some(b' ' | b':'))
            && !self.in_double
            && !self.in_single
            && !self.has_hash
    }
}

/// Whether a value may well end before these bytes.
fn is_end(after: &[u8]) -> bool {
    let next = after.iter().find(|byte| **byte != b' ');
    matches!(next, None | Some(b',' | b'}' | b'\n' | b'\r'))
}

fn replace(text: &mut String, lists: &[List], [open, close]: [&str; 2]) {
    for list in lists {
        let (start, end) = (list.start as usize, list.end as usize);
        text.replace_range(start..=start, open);
        text.replace_range(end - 1..end, close);
    }
}
