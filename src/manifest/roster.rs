//! Rosters: the rows of a file -> users, each with the row that names them.
//!
//! Main entry: [`read_roster`]. It does not know what the users are for.

use super::people::{People, Person, user};
use super::raw::{By, RawRoster, Spanned};
use crate::model::{Member, UserId};
use crate::tables::diagnostic::{Code, Diagnostic, Problems, clip};
use crate::tables::header::ONLY_COLUMN;
use crate::tables::number::{is_digits, positive_id};
use crate::tables::open::Tables;
use crate::tables::row::{Column, Row};
use crate::tables::table::Table;

/// The users of a roster, in the order of the file.
pub(super) fn roster_members(
    raw: &RawRoster,
    tables: &Tables,
    people: &People,
    problems: &mut Problems,
) -> Vec<Member> {
    let mut members = Vec::new();
    read_roster(raw, tables, people, problems, |row, users, _| {
        let place = row.to_place();
        members.extend(users.iter().map(|user| Member { user: *user, place }));
    });
    members
}

/// Calls `visit` with every row that counts and its users. Mistakes in rows are noted, and the rows left out.
pub(super) fn read_roster(
    raw: &RawRoster,
    tables: &Tables,
    people: &People,
    problems: &mut Problems,
    mut visit: impl FnMut(&Row<'_>, &[UserId], &mut Problems),
) {
    let Some(table) = tables.get(&raw.file) else {
        return;
    };
    let own = raw.people.as_ref().map(|directory| {
        let mut own = People::of_roster();
        own.add_file(directory, tables, problems);
        if let Some(users) = &raw.preset_users {
            own.leave_out(users, directory, tables, problems);
        }
        own
    });
    // Names of this roster's own are what its cells are, digits or not.
    let by = raw.by.or(own.as_ref().map(|_| By::Name));
    let people = own.as_ref().unwrap_or(people);
    let columns = match raw.user.as_slice() {
        [] => only_column(raw, table, problems).map(|column| vec![column]),
        names => table.all_columns(names, problems),
    };
    let numbered = table.all_columns(&raw.file.numbered, problems);
    let filters = table.filters(&raw.filter, problems);
    let (Some(columns), Some(numbered), Some(filters)) = (columns, numbered, filters) else {
        return;
    };
    let (mut rows, mut users) = (0, Vec::new());
    table.rows(&numbered, problems, |row, problems| {
        if !row.counts(&filters, problems) {
            return;
        }
        rows += 1;
        users.clear();
        for column in &columns {
            // A wide file has a column for each of several people, and not every row has them all.
            if columns.len() == 1 || !row.cell(column).is_empty() {
                users.extend(user_of_cell(row, column, by, people, problems));
            }
        }
        visit(row, &users, problems);
    });
    table.check_empty(rows, &raw.file, problems);
}

/// The column with the users if the manifest names none: `user`, or the only one there is.
fn only_column(raw: &RawRoster, table: &Table, problems: &mut Problems) -> Option<Column> {
    let at = raw.file.path.at;
    let name = match table.columns() {
        [only] => only,
        _ if table.has_column(ONLY_COLUMN) => ONLY_COLUMN,
        _ => {
            let file = clip(&raw.file.path.value);
            let message = format!("which column of `{file}` has the users?");
            let diagnostic = Diagnostic::at(Code::UnknownColumn, at, message);
            let hint = format!("write `user: …` with one of {}", table.list_columns());
            problems.push(diagnostic.hint(hint));
            return None;
        }
    };
    let value = name.to_owned();
    table.column(&Spanned { value, at }, problems)
}

/// The user that a cell names; `None` for a person whom the directory of people leaves out, and for a mistake, which is noted.
fn user_of_cell(
    row: &Row<'_>,
    column: &Column,
    by: Option<By>,
    people: &People,
    problems: &mut Problems,
) -> Option<UserId> {
    let cell = row.cell(column);
    // Nearly every cell of a large roster.
    if by != Some(By::Name)
        && people.is_empty()
        && let Some(id) = positive_id(cell)
    {
        return Some(UserId(id));
    }
    let digits = is_digits(cell);
    let known = people.get(cell);
    let by_name = match by {
        // A person whom a roster's own people leave out is left out, whether its cells are names or ids.
        Some(By::Id) => people.is_of_roster && matches!(known, Some(Person::LeftOut(..))),
        Some(By::Name) => true,
        None if digits && known.is_some() => {
            let message = format!("`{}` is a number, and also a name in `people`", clip(cell));
            let mistake = row.mistake(Code::BadCell, column, &message);
            problems.push(mistake.hint("write `by: id` or `by: name` in the roster"));
            return None;
        }
        None => !digits,
    };
    if !by_name || cell.is_empty() {
        let found = user(row, column);
        return found.map_err(|mistake| problems.push(mistake)).ok();
    }
    match known {
        Some(Person::User(user, _)) => return Some(user),
        Some(Person::LeftOut(..)) => {}
        Some(Person::WithoutId(number)) => problems.extend(people.mistake(number)),
        None if people.is_incomplete => {}
        None => {
            let message = format!("`{}` is not in `{}`", clip(cell), people.source_name());
            let mistake = row.mistake(Code::UnknownPerson, column, &message);
            problems.push_with_hint(mistake, |search| {
                match (people.nearest(cell, search), &people.file) {
                    (Some(near), _) => format!("did you mean `{}`?", clip(near)),
                    (None, Some(file)) => format!("fix the cell, or add the user to `{file}`"),
                    (None, None) => {
                        "add them to `people`; an id is a whole number above zero".to_owned()
                    }
                }
            });
        }
    }
    None
}
