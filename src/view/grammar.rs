//! Formats counts with nouns, and shortens lists.

use std::fmt;

pub use crate::model::{Count, few};

/// Makes a full sentence from a remark: `nothing is written` becomes `Nothing is written.`
pub fn sentence(remark: &str) -> String {
    let mut rest = remark.chars();
    let first = rest.next().map(char::to_uppercase);
    let first: String = first.into_iter().flatten().collect();
    format!("{first}{}.", rest.as_str())
}

/// Joins the counts that are not zero, each with its words, such as `1 to list, 2 to write`.
pub fn counts<W: fmt::Display>(counts: impl IntoIterator<Item = (usize, W)>) -> String {
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    counts.join(", ")
}
