//! Formats counts, lists, sentences and users. A user with a known name is shown as `tutor (5)`.
//! Names are untrusted, and the writers escape them.

use std::fmt;

use super::NAMED;
pub use crate::model::{Count, few, user_with_name as user};
use crate::model::{UserId, UserNames};

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

/// Formats a combined count of rooms and memberships.
pub fn rooms_and_memberships(count: u64) -> String {
    match count {
        1 => "1 room or membership".to_owned(),
        count => format!("{count} rooms and memberships"),
    }
}

/// Lists the first users, then says how many more there are. The result is not escaped.
pub fn users(users: &[UserId], names: &UserNames) -> String {
    few(users.iter().map(|it| user(*it, names)), NAMED)
}
