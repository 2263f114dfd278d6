//! Counts with nouns, and shortened lists.

use std::fmt;

pub use crate::model::Count;

/// The first items, comma-separated, and the number of the others.
pub fn few<T: fmt::Display>(items: impl ExactSizeIterator<Item = T>, most: usize) -> String {
    let more = items.len().saturating_sub(most);
    let shown: Vec<String> = items.take(most).map(|item| item.to_string()).collect();
    match more {
        0 => shown.join(", "),
        more => format!("{} … {more} more", shown.join(", ")),
    }
}

/// A remark as a full sentence: `Nothing is written to these rooms.`
pub fn sentence(remark: &str) -> String {
    let mut rest = remark.chars();
    let first = rest.next().map(char::to_uppercase);
    let first: String = first.into_iter().flatten().collect();
    format!("{first}{}.", rest.as_str())
}

/// The non-zero counts, each with its words: `1 to list, 2 to write`.
pub fn counts<W: fmt::Display>(counts: impl IntoIterator<Item = (usize, W)>) -> String {
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    counts.join(", ")
}
