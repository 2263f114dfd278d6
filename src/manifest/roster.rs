//! Reads rosters: turns the rows of a file into users, each with the row that names the user.
//! For `explain`, notes the rows that name a certain user but are skipped.
//!
//! Main type: [`RosterReader`]. It does not know what the users are used for.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};
use std::hash::Hash;
use std::rc::Rc;

use super::people::{DisplayNames, People, Person, user};
use super::raw::{By, FileUse, RawDirectory, RawRoster, Spanned};
use crate::model::{Member, MemberList, Place, Presence, UserId};
use crate::tables::diagnostic::{Code, Problems, Sources, clip};
use crate::tables::header::ONLY_COLUMN;
use crate::tables::number::{ALTERED, is_altered, is_digits, positive_id};
use crate::tables::open::{Tables, UseCache};
use crate::tables::row::{Column, Row, parts};
use crate::tables::row_use::RowUse;
use crate::tables::table::TableUse;

/// Reads files with users, and looks up the people that they name.
#[derive(Debug)]
pub(super) struct RosterReader<'a> {
    pub(super) tables: &'a Tables,
    pub(super) problems: &'a Problems,
    /// The people that any roster may name.
    pub(super) people: People,
    /// The people of single rosters. Equal rosters share them.
    pub(super) own_people: UseCache<People>,
    pub(super) display: DisplayNames,
    pub(super) sources: &'a Sources,
    /// The lists of users that were read. Equal rosters share them.
    pub(super) lists: UseCache<MemberList>,
    /// Hashes of the columns that were read from all rows, including the rows that conditions leave
    /// out.
    pub(super) read: RefCell<HashSet<u64>>,
    /// The user that a query names.
    pub(super) asked: Option<UserId>,
    /// The places that name this user but are skipped at least once, each with the reason.
    pub(super) skipped: RefCell<BTreeSet<(Place, SkipReason)>>,
}

/// Why a row or an entry that names a user is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SkipReason {
    /// A `where` leaves out this row, or the row to which it is joined.
    Where,
    /// `people` leaves out the person. The place is that of the person's row in `people`.
    People(Place),
    /// Today is outside the dates of the row or the entry.
    Dates,
}

impl<'a> RosterReader<'a> {
    /// Returns the table of a file; `None` if it could not be opened.
    pub(super) fn table(&self, raw: &FileUse) -> Option<TableUse<'a>> {
        self.tables.get(raw, self.problems)
    }

    /// Records that `place`, which names `user`, is skipped. Does nothing if the query does not
    /// name this user.
    pub(super) fn skip(&self, user: Option<UserId>, place: Place, reason: SkipReason) {
        if user.is_some() && user == self.asked {
            self.skipped.borrow_mut().insert((place, reason));
        }
    }

    /// Returns the users of a roster, in file order.
    pub(super) fn roster_members(&self, raw: &RawRoster) -> Rc<MemberList> {
        let key = self.tables.hash(self.content(raw));
        if let Some(known) = self.lists.get(key) {
            return known;
        }
        let mut members = MemberList::default();
        let read = self.read_roster(raw, |row, users| {
            let place = row.to_place();
            for (user, presence) in users.iter().copied() {
                members.push(Member { user, place }, presence);
            }
            RowUse::Used
        });
        // Each use of an empty roster reports it.
        match read {
            Some(()) if members.len() > 0 || self.allows_empty(raw) => {
                self.lists.keep(key, members)
            }
            _ => Rc::default(),
        }
    }

    pub(super) fn allows_empty(&self, raw: &RawRoster) -> bool {
        let table = self.table(&raw.file);
        table.is_some_and(|table| table.raw.allow_empty)
    }

    /// Returns a value with the same hash for all rosters with the same rows and users.
    pub(super) fn content(&self, raw: &RawRoster) -> impl Hash {
        let users = (&raw.user, raw.takes_first, &raw.split, raw.by);
        (
            self.tables.content(&raw.file),
            users,
            self.content_of_people(raw),
        )
    }

    fn content_of_people(&self, raw: &RawRoster) -> impl Hash {
        let people = [&raw.people, &raw.preset_users];
        people.map(|it| {
            let people = it.as_ref()?;
            Some((self.tables.content(&people.file), &people.name, &people.id))
        })
    }

    /// Returns the people of a single roster.
    fn own_people(&self, raw: &RawRoster, people: &RawDirectory) -> Rc<People> {
        let key = self.tables.hash(self.content_of_people(raw));
        self.own_people.get(key).unwrap_or_else(|| {
            let mut own = People::of_roster();
            own.add_file(people, self.table(&people.file), &self.display);
            if let Some(users) = &raw.preset_users {
                own.leave_out(users, people, self.tables, self.problems);
            }
            match own.is_incomplete {
                // Every roster reports missing columns itself.
                true => Rc::new(own),
                false => self.own_people.keep(key, own),
            }
        })
    }

    /// Calls `visit` with every row that no condition leaves out, and the valid users of that row.
    /// Errors in rows are reported. `visit` returns how a row with a valid user counts. Returns
    /// `None` if the file or a column is missing, which is reported.
    pub(super) fn read_roster(
        &self,
        raw: &RawRoster,
        mut visit: impl FnMut(&Row<'_>, &[(UserId, Presence)]) -> RowUse,
    ) -> Option<()> {
        let display = &self.display;
        let table = self.table(&raw.file)?;
        let own = raw.people.as_ref();
        let own = own.map(|people| self.own_people(raw, people));
        // If the roster has its own people, its cells are names, even if they are digits.
        let by = raw.by.or(own.as_ref().map(|_| By::Name));
        let people = own.as_deref().unwrap_or(&self.people);
        let columns = match raw.user.as_slice() {
            [] => only_column(table).map(|column| vec![column]),
            names if raw.takes_first => {
                let known = names.iter().filter(|name| table.has_column(&name.value));
                let mut known: Vec<_> = known.cloned().collect();
                known.extend(names.first().filter(|_| known.is_empty()).cloned());
                table.all_columns(&known)
            }
            names => table.all_columns(names),
        };
        let selection = table.selection();
        let (columns, mut selection) = (columns?, selection?);
        // Rows that `where` leaves out also define display names, and `explain` lists them. So,
        // when these columns are used for the first time, all rows are read.
        let named = match columns.as_slice() {
            [column] if !selection.show.is_empty() => Some(column),
            _ => None,
        };
        let is_first = || {
            let names = selection.show.iter().chain(&columns);
            let names: Vec<_> = names.map(|column| &column.name).collect();
            let names = (table.columns(), names, &raw.split, by);
            let names = self.tables.hash((names, self.content_of_people(raw)));
            self.read.borrow_mut().insert(names)
        };
        let needs_all = named.is_some() || self.asked.is_some();
        selection.may_skip = !(needs_all && is_first());
        let mut users = Vec::new();
        let visited = table.rows(&selection, |row, presence| {
            let Some(of_row) = presence else {
                if let Some(user) = named.and_then(|it| known_user(row.cell(it), by, people)) {
                    display.add_shown(user, row, &selection.show);
                }
                if self.asked.is_some() {
                    let split = raw.split.as_deref().unwrap_or("\n");
                    let cells = columns.iter().flat_map(|it| parts(row.cell(it), split));
                    for user in cells.map(|cell| known_user(cell, by, people)) {
                        self.skip(user, row.to_place(), SkipReason::Where);
                    }
                }
                return RowUse::LeftOut;
            };
            users.clear();
            let mut row_use = RowUse::Blank;
            let mut take = |column, cell| {
                let found = find_user(row, (column, cell), by, people);
                let found = found.map(|(user, of_person)| (user, of_row.and(of_person)));
                if let (Err(_), Some(Person::LeftOut(user, at))) = (found, people.get(cell)) {
                    let reason = SkipReason::People(self.sources.to_place(at));
                    self.skip(user, row.to_place(), reason);
                }
                users.extend(found.ok());
                row_use = row_use.max(found.map_or_else(|why| why, |(_, it)| RowUse::of(Some(it))));
            };
            let mut columns = columns.as_slice();
            if raw.takes_first {
                let has_cell = |column| !row.cell(column).is_empty();
                let first = columns.iter().position(has_cell).unwrap_or_default();
                columns = columns.get(first..=first).unwrap_or_default();
            }
            for column in columns {
                let cell = row.cell(column);
                if let Some(split) = &raw.split {
                    parts(cell, split).for_each(|cell| take(column, cell));
                } else if columns.len() == 1 || !cell.is_empty() {
                    // If several columns have users, a cell may be empty: not every row needs all
                    // columns.
                    take(column, cell);
                }
            }
            if let [(user, _)] = users.as_slice() {
                display.add_shown(*user, row, &selection.show);
            }
            let joined = visit(row, &users);
            if joined == RowUse::LeftOut {
                let skip =
                    |(user, _): &_| self.skip(Some(*user), row.to_place(), SkipReason::Where);
                users.iter().for_each(skip);
            }
            row_use.min(joined)
        });
        table.check_empty(visited.matching);
        Some(())
    }
}

/// Finds the user column if the manifest does not name one: the column `user`, or the only
/// column.
fn only_column(table: TableUse<'_>) -> Option<Column> {
    let path = &table.raw.path;
    let at = path.at;
    let name = match table.header.columns.as_slice() {
        [only] => only,
        _ if table.has_column(ONLY_COLUMN) => ONLY_COLUMN,
        _ => {
            let file = clip(&path.value);
            let message = format!("which column of `{file}` has the users?");
            let hint = format!("write `user: …` with one of {}", table.list_columns());
            table.problems.note(Code::UnknownColumn, at, message, hint);
            return None;
        }
    };
    let value = name.to_owned();
    table.column(&Spanned { value, at })
}

/// Returns the user in a cell of a row that a condition leaves out. Errors in the cell are not
/// reported.
pub(super) fn known_user(cell: &str, by: Option<By>, people: &People) -> Option<UserId> {
    let named = match people.get(cell) {
        Some(Person::User(user, ..) | Person::LeftOut(Some(user), _)) => Some(user),
        _ => None,
    };
    let id = positive_id(cell).map(UserId);
    match by {
        Some(By::Id) => id,
        Some(By::Name) => named,
        None => named.or(id),
    }
}

/// Returns the user that a cell or a part of it names, and the dates from `people`.
///
/// # Errors
/// If there is no user, returns how the row is counted: as left out, or as invalid. The error
/// in an invalid row is already reported.
fn find_user(
    row: &Row<'_>,
    (column, cell): (&Column, &str),
    by: Option<By>,
    people: &People,
) -> Result<(UserId, Presence), RowUse> {
    let problems = row.table.problems;
    // The fast path for nearly every cell of a large roster.
    if by != Some(By::Name)
        && people.is_empty()
        && let Some(id) = positive_id(cell)
    {
        return Ok((UserId(id), Presence::ALWAYS));
    }
    let digits = is_digits(cell);
    let known = people.get(cell);
    let by_name = match by {
        // A roster's own people can leave out a person even if the roster's cells are ids.
        Some(By::Id) => people.is_of_roster && matches!(known, Some(Person::LeftOut(..))),
        Some(By::Name) => true,
        None if digits && known.is_some() => {
            let message = format!("`{}` is a number, and also a name in `people`", clip(cell));
            let mistake = row.mistake(Code::BadCell, column, &message);
            problems.push(mistake.hint("write `by: id` or `by: name` in the roster"));
            return Err(RowUse::Invalid);
        }
        None => !digits,
    };
    if !by_name || cell.is_empty() {
        let found = user(row, column, cell);
        let found = found.map_err(|mistake| problems.push(mistake));
        return found.map_or(Err(RowUse::Invalid), |user| Ok((user, Presence::ALWAYS)));
    }
    match known {
        Some(Person::User(user, presence, _)) => return Ok((user, presence)),
        Some(Person::LeftOut(..)) => return Err(RowUse::LeftOut),
        Some(Person::WithoutId(number)) => problems.extend(people.mistake(number)),
        None if people.is_incomplete => {}
        None => {
            let message = format!("`{}` is not in `{}`", clip(cell), people.source_name());
            let mistake = row.mistake(Code::UnknownPerson, column, &message);
            problems.push_with_hint(mistake, |search| {
                match (people.nearest(cell, search), &people.file) {
                    _ if is_altered(cell) => ALTERED.to_owned(),
                    (Some(near), _) => format!("did you mean `{}`?", clip(near)),
                    (None, Some(file)) => format!("fix the cell, or add the user to `{file}`"),
                    (None, None) => {
                        "add the name to `people`, or write a whole number above zero".to_owned()
                    }
                }
            });
        }
    }
    Err(RowUse::Invalid)
}
