//! Rosters: the rows of a file -> users, each with the row that names them.
//!
//! Main entry: [`Rosters::read`]. It does not know what the users are for.

use super::people::{People, Person, Whose, id, user};
use super::raw::{By, RawRoster, Spanned};
use crate::model::{Member, UserId};
use crate::tables::diagnostic::{Code, Diagnostic, Problems, Sources, clip};
use crate::tables::header::ONLY_COLUMN;
use crate::tables::number::is_digits;
use crate::tables::open::{Tables, empty};
use crate::tables::row::{Column, Filter, Row};
use crate::tables::table::Table;

/// The opened files, and who is in them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rosters<'a> {
    pub(super) tables: &'a Tables,
    pub(super) sources: &'a Sources,
}

/// What a roster's columns turned out to be.
struct Layout {
    user: Vec<Column>,
    numbered: Vec<Column>,
    filters: Vec<Filter>,
}

impl Rosters<'_> {
    /// The users of a roster, in the order of the file.
    pub(super) fn members(
        &self,
        raw: &RawRoster,
        people: &People,
        problems: &mut Problems,
    ) -> Vec<Member> {
        let mut members = Vec::new();
        self.read(raw, people, problems, |row, users, _| {
            let place = row.stands();
            members.extend(users.iter().map(|user| Member { user: *user, place }));
        });
        members
    }

    /// Calls `take` with every row that counts and its users. Mistakes in rows are noted, and the rows left out.
    pub(super) fn read(
        &self,
        raw: &RawRoster,
        people: &People,
        problems: &mut Problems,
        mut take: impl FnMut(&Row<'_>, &[UserId], &mut Problems),
    ) {
        let Some(table) = self.tables.get(&raw.file) else {
            return;
        };
        let mut own = None;
        if let Some(directory) = &raw.people {
            let own: &mut People = own.insert(People::default());
            let whose = Whose::Roster;
            own.directory(directory, whose, self.tables, self.sources, problems);
            if let Some(users) = &raw.preset_users {
                own.leave_out(users, directory, self.tables, self.sources, problems);
            }
        }
        // Names of this roster's own are what its cells are, digits or not.
        let by = raw.by.or(own.as_ref().map(|_| By::Name));
        let people = own.as_ref().unwrap_or(people);
        let Some(layout) = self.layout(raw, table, problems) else {
            return;
        };
        let (mut rows, mut users) = (0_usize, Vec::new());
        table.rows(self.sources, &layout.numbered, problems, |row, problems| {
            if !row.counts(&layout.filters, self.sources, problems) {
                return;
            }
            rows += 1;
            users.clear();
            for column in &layout.user {
                // A wide file has a column for each of several people, and not every row has them all.
                if layout.user.len() > 1 && row.cell(column).is_empty() {
                    continue;
                }
                users.extend(self.who(row, column, by, people, problems));
            }
            take(row, &users, problems);
        });
        if rows == 0 && !raw.file.allow_empty {
            problems.push(empty(&raw.file, self.sources, table));
        }
    }

    fn layout(&self, raw: &RawRoster, table: &Table, problems: &mut Problems) -> Option<Layout> {
        let user = if raw.user.is_empty() {
            let only = self.only_column(raw, table, problems);
            only.map(|column| vec![column])
        } else {
            table.all_columns(&raw.user, problems)
        };
        let numbered = table.all_columns(&raw.file.numbered, problems);
        let filters = table.filters(&raw.filter, problems);
        Some(Layout {
            user: user?,
            numbered: numbered?,
            filters: filters?,
        })
    }

    /// The column with the users where nobody says which: `user`, or the only one there is.
    fn only_column(
        &self,
        raw: &RawRoster,
        table: &Table,
        problems: &mut Problems,
    ) -> Option<Column> {
        let named = |name: &str| Spanned {
            value: name.to_owned(),
            at: raw.file.path.at,
        };
        match table.columns() {
            [only] => table.column(&named(only), problems),
            _ if table.has_column(ONLY_COLUMN) => table.column(&named(ONLY_COLUMN), problems),
            columns => {
                let shown: Vec<String> =
                    columns.iter().take(20).map(|column| clip(column)).collect();
                let message = format!(
                    "which column of `{}` has the users?",
                    clip(&raw.file.path.value)
                );
                let diagnostic = Diagnostic::at(Code::UnknownColumn, raw.file.path.at, message);
                problems
                    .push(diagnostic.hint(format!("say `user: …`, one of {}", shown.join(", "))));
                None
            }
        }
    }

    /// Whom a cell names; `None` for somebody the directory of people leaves out, and for a mistake, which is noted.
    fn who(
        &self,
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
            && let Some(user) = id(cell)
        {
            return Some(user);
        }
        let digits = is_digits(cell);
        let known = people.get(cell);
        let by_name = match by {
            // Whom a roster's own people leave out is left out, whatever its cells are.
            Some(By::Id) => people.is_of_roster() && matches!(known, Some(Person::LeftOut(..))),
            Some(By::Name) => true,
            None if digits && known.is_some() => {
                let message = format!("`{}` is a number, and also a name in `people`", clip(cell));
                let mistake = row.mistake(Code::BadCell, column, &message, self.sources);
                problems.push(mistake.hint("say `by: id` or `by: name` in the roster"));
                return None;
            }
            None => !digits && !cell.is_empty(),
        };
        if !by_name || cell.is_empty() {
            let found = user(row, column, self.sources);
            return found.map_err(|mistake| problems.push(mistake)).ok();
        }
        match known {
            Some(Person::User(user, _)) => return Some(user),
            Some(Person::LeftOut(..)) => {}
            Some(Person::WithoutId(number)) => problems.extend(people.mistake(number)),
            None if !people.is_complete() => {}
            None => {
                let message = format!("`{}` is not in `{}`", clip(cell), people.place());
                let mistake = row.mistake(Code::UnknownPerson, column, &message, self.sources);
                problems.push_with_hint(mistake, |search| {
                    match (people.nearest(cell, search), people.file()) {
                        (Some(near), _) => format!("did you mean `{}`?", clip(near)),
                        (None, Some(file)) => format!("mend the cell, or add them to `{file}`"),
                        (None, None) => {
                            "add them to `people`; an id is a whole number above zero".to_owned()
                        }
                    }
                });
            }
        }
        None
    }
}
