//! Appends rooms to the text of a manifest without changing any other byte.

use super::Entry;
use crate::manifest::yaml::{Written, written};

const KEY: &str = "rooms";

/// Adds these rooms at the end of the `rooms` list. If the text has no such list, adds one at the
/// end. Returns `None` if there is no safe place to insert, for example in a list in brackets.
///
/// The caller must parse the result before using it, because this function does not check it.
pub fn append(text: &str, entries: &[&Entry]) -> Option<String> {
    let (mark, body) = match text.strip_prefix('\u{feff}') {
        Some(body) => ("\u{feff}", body),
        None => ("", text),
    };
    let emptied: String;
    let mut body = body;
    let mut place = written(body, KEY);
    if let Written::Empty { start, end } = place {
        // Remove the brackets, and start the list on the next line. A comment stays after the key.
        let (key, rest) = (body.get(..start)?, body.get(end..)?);
        emptied = format!("{}{rest}", key.trim_end());
        let line = rest.split_inclusive('\n').next().map_or(0, str::len);
        let end = key.trim_end().len() + line;
        (body, place) = (&emptied, Written::Lines { column: 2, end });
    }
    let (at, head, column) = match place {
        Written::Otherwise | Written::Empty { .. } => return None,
        Written::Nowhere => (body.len(), "rooms:\n", 2),
        Written::Lines { column, end } => (below(body, column, end), "", column),
    };
    let (before, after) = body.split_at_checked(at)?;
    let mut added = String::new();
    if !before.is_empty() && !before.ends_with('\n') {
        added.push('\n');
    }
    added.push_str(head);
    for line in entries.iter().flat_map(|entry| entry.text.lines()) {
        added.extend(std::iter::repeat_n(' ', column));
        added.push_str(line.strip_prefix("  ").unwrap_or(line));
        added.push('\n');
    }
    if body
        .split('\n')
        .next()
        .is_some_and(|line| line.ends_with('\r'))
    {
        added = added.replace('\n', "\r\n");
    }
    Some(format!("{mark}{before}{added}{after}"))
}

/// Returns where the list ends. Comments directly below the list belong to it if they are
/// indented like its items.
fn below(text: &str, column: usize, end: usize) -> usize {
    let rest = text.get(end..).unwrap_or_default();
    let started = end == 0
        || text
            .strip_suffix(rest)
            .is_some_and(|before| before.ends_with('\n'));
    let mut at = end;
    if !started {
        at += rest.split_inclusive('\n').next().map_or(0, str::len);
    }
    let lines = text.get(at..).unwrap_or_default().split_inclusive('\n');
    let remarks = lines.take_while(|line| {
        let remark = line.trim_start_matches(' ');
        column > 0 && line.len() - remark.len() >= column && remark.starts_with('#')
    });
    at + remarks.map(str::len).sum::<usize>()
}
