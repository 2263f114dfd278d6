//! Counts with nouns, and shortened lists.

use std::fmt;

pub use crate::model::{Count, few};

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
