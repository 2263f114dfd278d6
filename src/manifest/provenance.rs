//! Finds the row that a place refers to, so that a person can fix it. Also warns about members that
//! the widget does not know or has banned.

use std::collections::BTreeMap;

use super::load::Loaded;
use crate::model::{Pipe, Place, UserId, user_with_name};
use crate::tables::diagnostic::{At, Code, Diagnostic};

/// Maximum number of users that get a warning of their own. Further users are only counted.
const MOST_LISTED: usize = 50;

/// Why a member gets a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserIssue {
    /// The widget does not know the user.
    Unknown,
    /// The widget has banned the user.
    Banned,
}

impl Loaded {
    /// Returns the cells of a row with their column names; `None` if the place is not in a roster.
    pub fn row(&self, place: Place) -> Option<Vec<(&str, String)>> {
        let mut tables = self.tables.opened();
        let table = tables.find(|table| table.file.id == place.file)?;
        let record = table.record_at(place.line)?;
        let columns = table.header.columns.iter().map(String::as_str);
        let cells = columns.zip(record.iter().map(|cell| cell.trim().to_owned()));
        Some(cells.collect())
    }

    /// Returns a warning for each member of the chosen rooms who has the issue. It shows the first
    /// place that names the member, and the number of rooms. Beyond `MOST_LISTED` members, one
    /// more warning counts the others.
    pub fn warn_of_users(
        &self,
        issue: UserIssue,
        has_issue: impl Fn(&UserId) -> bool,
        chosen: impl Fn(&Pipe) -> bool,
    ) -> Vec<Diagnostic> {
        let (code, words, hint) = match issue {
            UserIssue::Banned => (
                Code::BannedUser,
                "the widget has banned",
                "remove the user from the manifest, or lift the ban in ImbaChat",
            ),
            UserIssue::Unknown => (
                Code::UnknownUser,
                "the widget does not know",
                "check the id for a typo; a user may be unknown until their first visit",
            ),
        };
        let mut first: BTreeMap<UserId, (Place, usize)> = BTreeMap::new();
        let rooms = self.desired.rooms.values();
        let members = rooms
            .filter(|room| chosen(&room.pipe))
            .flat_map(|room| room.members.iter().zip(&room.member_places));
        for (user, named) in members.filter(|(user, _)| has_issue(user)) {
            let (place, rooms) = first.entry(*user).or_insert((*named, 0));
            *place = (*named).min(*place);
            *rooms += 1;
        }
        let found = first.into_iter();
        let mut found: Vec<(Place, UserId, usize)> = found
            .map(|(user, (place, rooms))| (place, user, rooms))
            .collect();
        found.sort();
        let warning = |(place, user, rooms): &(Place, UserId, usize)| {
            let Place { file, line } = *place;
            let source = self.sources.file(file)?;
            let start = source.line_start(line)?;
            let written = source.text.get(start..)?.lines().next()?;
            let offset = start + offset_of_id(written, *user);
            let several = match rooms {
                1 => String::new(),
                rooms => format!(", in {rooms} rooms"),
            };
            let name = &source.name;
            let user = user_with_name(*user, &self.desired.names);
            let message = format!("{name}:{line}: {words} user {user}{several}");
            Some(Diagnostic::at(code, At::new(file, offset), message).hint(hint))
        };
        let listed = found.iter().take(MOST_LISTED);
        let mut warnings: Vec<Diagnostic> = listed.filter_map(warning).collect();
        if let Some(more @ 1..) = found.len().checked_sub(MOST_LISTED) {
            let message = format!("{words} {more} more users");
            warnings.push(Diagnostic::path(code, "", message).hint(hint));
        }
        warnings
    }
}

/// Returns the offset of a user's id in a line. If the line names the user in another way,
/// returns the offset of the first word. If a whole room is on one line, its members are at the
/// end.
fn offset_of_id(line: &str, user: UserId) -> usize {
    let id = user.to_string();
    let is_of_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_apart = |(offset, _): &(usize, &str)| {
        let (before, after) = (line.get(..*offset), line.get(offset + id.len()..));
        let ends = before.is_some_and(|text| text.ends_with(is_of_word));
        !ends && after.is_some_and(|text| !text.starts_with(is_of_word))
    };
    let found = line.rmatch_indices(&id).find(is_apart);
    let first_word = line.trim_start_matches([' ', '-']);
    found.map_or(line.len() - first_word.len(), |(offset, _)| offset)
}
