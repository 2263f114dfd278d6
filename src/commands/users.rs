//! Compares declared members with the widget's users.

use std::collections::BTreeSet;

use super::session::dice;
use crate::error::Result;
use crate::imbachat::Reader;
use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::{Loaded, UserIssue};
use crate::model::{Pipe, UserId};

/// Warns of declared members of these rooms whom the widget does not know, or has banned.
pub async fn check_users(
    reader: &Reader,
    loaded: &Loaded,
    chosen: impl Fn(&Pipe) -> bool,
) -> Result<Vec<Diagnostic>> {
    let known = reader.users(None, &dice()).await?;
    let mut banned = reader.users(Some(true), &dice()).await?;
    // A server that ignores the filter lists all users again.
    if banned.len() == known.len() {
        banned = BTreeSet::new();
    }
    let is_unknown = |user: &UserId| !known.contains(user);
    let mut warnings = loaded.warn_of_users(UserIssue::Unknown, is_unknown, &chosen);
    let is_banned = |user: &UserId| banned.contains(user);
    warnings.extend(loaded.warn_of_users(UserIssue::Banned, is_banned, &chosen));
    Ok(warnings)
}
