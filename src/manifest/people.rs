//! Resolves the names of people in manifests and files to user ids.
//!
//! Main type: [`People`]. An ambiguous name is an error. For an unknown name, the most similar name
//! is suggested. [`DisplayNames`] has the readable names, for output only.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use indexmap::IndexMap;
use indexmap::map::Entry;

use super::raw::{Names, RawDirectory, Spanned};
use crate::model::{Presence, UserId};
use crate::tables::diagnostic::{At, Code, Diagnostic, Problems, clip};
use crate::tables::nearest::NearestSearch;
use crate::tables::number::{
    ALTERED, LARGEST_ID, is_altered, is_digits, is_too_large, positive_id,
};
use crate::tables::row::{Column, Row};
use crate::tables::row_use::RowUse;
use crate::tables::table::TableUse;

mod preset_users;

/// Maximum number of stored errors in people's ids. A stored error is reported only if a roster
/// names the person. Further errors are reported at once.
const MOST_WITHOUT_ID: usize = 10_000;
/// The hint for an invalid id in a file of people.
const HOLDS_IDS: &str = "fix the cell, or leave the person out with `where`; the `id` column holds the site's user ids, without leading zeros";

/// A person in a row whose error is already reported.
const NOTED: Person = Person::LeftOut(None, At::NOWHERE);

/// Names and the people they refer to.
#[derive(Debug, Default)]
pub(super) struct People {
    names: IndexMap<String, Person>,
    /// Whether these names are for a single roster. If so, an error in a person's row is
    /// ignored unless the roster names the person.
    pub(super) is_of_roster: bool,
    /// Whether some names could not be read. An unknown name may be one of them, so it is not reported.
    pub(super) is_incomplete: bool,
    /// The file of people, if any. The hint about an unknown person names it.
    pub(super) file: Option<String>,
    /// Errors in the ids of people. An error is reported only if a roster names the person.
    without_id: Vec<Diagnostic>,
}

/// The person that a name refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Person {
    /// A user, the dates of the user, and the place of the name.
    User(UserId, Presence, At),
    /// A person whom the `where` of `people` leaves out, with the id if it is valid, and the row.
    LeftOut(Option<UserId>, At),
    /// A person with an invalid id, and the index of the error in `without_id`.
    WithoutId(usize),
}

impl People {
    pub(super) fn of_roster() -> Self {
        Self {
            is_of_roster: true,
            ..Self::default()
        }
    }

    /// Adds the names in the manifest itself.
    pub(super) fn add_names(&mut self, names: &Names<Spanned<u64>>, problems: &Problems) {
        for (name, id) in names {
            let person = Person::User(UserId(id.value), Presence::ALWAYS, name.at);
            match self.names.entry(name.value.clone()) {
                Entry::Vacant(free) => drop(free.insert(person)),
                Entry::Occupied(mut known) => match *known.get() {
                    // The error in the earlier row is already reported.
                    NOTED | Person::WithoutId(_) => drop(known.insert(person)),
                    Person::User(.., first) | Person::LeftOut(_, first) => {
                        problems.push(defined_twice("person", name, first));
                    }
                },
            }
        }
    }

    /// Adds the names in a file.
    pub(super) fn add_file(
        &mut self,
        raw: &RawDirectory,
        table: Option<TableUse<'_>>,
        display: &DisplayNames,
    ) {
        let name = table.map(|table| table.file.name.clone());
        self.file = name.or(self.file.take());
        let found = table.and_then(|table| {
            let names = table.all_columns(&raw.name);
            let id = table.column(&raw.id);
            let selection = table.selection();
            Some((table, names?, id?, selection?))
        });
        let Some((table, names, id, selection)) = found else {
            self.is_incomplete = true;
            return;
        };
        let mut rows = HashMap::new();
        let visited = table.rows(&selection, |row, presence| {
            let (person, row_use) = match presence.map(|it| (it, user(row, &id, row.cell(&id)))) {
                Some((presence, Ok(user))) => {
                    if presence.today {
                        self.warn_of_shared_id(row, (user, &id), &names, &mut rows);
                    }
                    let person = Person::User(user, presence, row.at());
                    (person, RowUse::of(Some(presence)))
                }
                Some((_, Err(mistake))) => {
                    let mistake = match is_altered(row.cell(&id)) {
                        true => mistake,
                        false => mistake.hint(HOLDS_IDS),
                    };
                    let person = self.add_without_id(mistake, table.problems);
                    (person, RowUse::Invalid)
                }
                None => {
                    let user = positive_id(row.cell(&id)).map(UserId);
                    (Person::LeftOut(user, row.at()), RowUse::LeftOut)
                }
            };
            let mut cells = names.iter().map(|column| row.cell(column));
            if let Person::User(user, ..) | Person::LeftOut(Some(user), _) = person
                && !display.add_shown(user, row, &selection.show)
            {
                let name = cells.find(|name| !name.is_empty());
                name.into_iter().for_each(|name| display.add(user, name));
            }
            let mut has_name = false;
            for column in &names {
                has_name |= self.add_cell(row, column, person);
            }
            if has_name { row_use } else { RowUse::Blank }
        });
        // Ragged rows are already reported, so lists that name the people in them get no error.
        for cell in table.ragged_cells() {
            self.names.entry(cell).or_insert(NOTED);
        }
        table.check_empty(visited.rows);
    }

    /// Warns if an earlier row has the same id but none of this row's names. `rows` has the
    /// first row of each id.
    fn warn_of_shared_id(
        &self,
        row: &Row<'_>,
        (user, id): (UserId, &Column),
        names: &[Column],
        rows: &mut HashMap<UserId, At>,
    ) {
        let is_theirs = |column| matches!(self.get(row.cell(column)), Some(Person::User(other, ..)) if other == user);
        if names.iter().all(|column| row.cell(column).is_empty()) || names.iter().any(is_theirs) {
            return;
        }
        let first = *rows.entry(user).or_insert_with(|| row.at());
        if first != row.at() {
            let message = format!("user {user} has another name in an earlier row");
            let mistake = row.mistake(Code::SharedId, id, &message);
            let hint = "fix the id if these are two people";
            let mistake = mistake.related(first, "first here").hint(hint);
            row.table.problems.push(mistake);
        }
    }

    /// Adds the name in a cell. Returns `false` if the cell is empty.
    fn add_cell(&mut self, row: &Row<'_>, column: &Column, person: Person) -> bool {
        let name = row.cell(column);
        if name.is_empty() {
            return false;
        }
        let mut known = match self.names.entry(name.to_owned()) {
            Entry::Vacant(free) => {
                free.insert(person);
                return true;
            }
            Entry::Occupied(known) => known,
        };
        match (*known.get(), person) {
            (Person::User(user, dates, at), Person::User(next, more, _)) if user == next => {
                known.insert(Person::User(user, dates.or(more), at));
            }
            (Person::User(other, dates, first), Person::User(user, more, _))
                if dates.today && more.today =>
            {
                let name = clip(name);
                let message = format!("`{name}` is user {user} here, and {other} elsewhere");
                let mistake = row.mistake(Code::DuplicateName, column, &message);
                let mistake = mistake.related(first, "elsewhere");
                row.table.problems.push(mistake.hint("fix one of the two rows, or take the names from another column: each name must belong to one person"));
            }
            // A name has several rows if the person left and came back, or if another person has
            // the name now. Use the active row.
            (
                Person::LeftOut(..)
                | Person::WithoutId(_)
                | Person::User(_, Presence { today: false, .. }, _),
                Person::User(..),
            ) => {
                known.insert(person);
            }
            _ => {}
        }
        true
    }

    /// Creates a person without an id, and reports the error. If the person is in a roster's
    /// own people, the error is reported only if the roster names the person.
    fn add_without_id(&mut self, mistake: Diagnostic, problems: &Problems) -> Person {
        if !self.is_of_roster || self.without_id.len() >= MOST_WITHOUT_ID {
            problems.push(mistake);
            return NOTED;
        }
        self.without_id.push(mistake);
        Person::WithoutId(self.without_id.len() - 1)
    }

    /// Returns the error that says why a person has no id.
    pub(super) fn mistake(&self, number: usize) -> Option<Diagnostic> {
        self.without_id.get(number).cloned()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(super) fn get(&self, name: &str) -> Option<Person> {
        self.names.get(name).copied()
    }

    /// Finds the person that a query names, by name or by id. Returns the id if it is known, all
    /// names, and the row if the `where` of `people` leaves the person out.
    pub(super) fn find(&self, asked: &str) -> (Option<UserId>, Vec<String>, Option<At>) {
        let (user, at) = match self.get(asked) {
            Some(Person::User(user, ..)) => (Some(user), None),
            Some(Person::LeftOut(user, at)) => (user, Some(at)),
            Some(Person::WithoutId(_)) | None => (positive_id(asked).map(UserId), None),
        };
        let (mut names, mut left_out, mut first) = (Vec::new(), Vec::new(), None);
        for (name, person) in &self.names {
            match *person {
                Person::User(other, ..) if Some(other) == user => names.push(name.clone()),
                Person::LeftOut(Some(other), at) if Some(other) == user => {
                    left_out.push(name.clone());
                    first = first.or(Some(at));
                }
                _ => {}
            }
        }
        // If another row includes the same person under another name, the person is not
        // left out.
        if names.is_empty() {
            left_out.extend((at.is_some() && user.is_none()).then(|| asked.to_owned()));
            left_out.sort();
            return (user, left_out, at.or(first));
        }
        names.sort();
        (user, names, None)
    }

    /// Returns the source of these names for error messages: the file with a roster's own
    /// people, or `people`.
    pub(super) fn source_name(&self) -> &str {
        let file = self.file.as_deref().filter(|_| self.is_of_roster);
        file.unwrap_or("people")
    }

    /// Returns the most similar known name. Its digits must be the same, because a name with
    /// another number means another person.
    pub(super) fn nearest(&self, name: &str, search: &mut NearestSearch) -> Option<&str> {
        let number: Vec<char> = digits(name).collect();
        let is_numbered = has_digits(name);
        let has_same_number = |other: &str| {
            !(is_numbered || has_digits(other)) || digits(other).eq(number.iter().copied())
        };
        let names = self.names.keys().map(String::as_str);
        search.find(name, names, has_same_number)
    }
}

/// The readable name of each user. A name from `show` columns takes precedence over a name from
/// `people`. Of several names from the same source, the first is used.
#[derive(Debug, Default)]
pub(super) struct DisplayNames {
    listed: RefCell<BTreeMap<UserId, String>>,
    shown: RefCell<BTreeMap<UserId, String>>,
}

impl DisplayNames {
    /// Adds a name from `people`.
    pub(super) fn add(&self, user: UserId, name: &str) {
        let mut names = self.listed.borrow_mut();
        names.entry(user).or_insert_with(|| name.to_owned());
    }

    /// Adds a name made from the `show` columns of a row. Returns `false` if all their cells are
    /// empty.
    pub(super) fn add_shown(&self, user: UserId, row: &Row<'_>, show: &[Column]) -> bool {
        let cells = show.iter().map(|column| row.cell(column));
        let cells: Vec<&str> = cells.filter(|cell| !cell.is_empty()).collect();
        if cells.is_empty() {
            return false;
        }
        let mut names = self.shown.borrow_mut();
        names.entry(user).or_insert_with(|| cells.join(" "));
        true
    }

    pub(super) fn finish(self) -> BTreeMap<UserId, String> {
        let mut names = self.listed.into_inner();
        names.extend(self.shown.into_inner());
        names
    }
}

/// Parses a user id from a cell, or from one part of a cell with several users.
pub(super) fn user(row: &Row<'_>, column: &Column, cell: &str) -> Result<UserId, Diagnostic> {
    positive_id(cell).map(UserId).ok_or_else(|| {
        let shown = clip(cell);
        let (what, hint) = match cell {
            "" => ("the cell is empty".to_owned(), "write the user's id, or leave the row out with `where`"),
            "0" => ("ids start at 1".to_owned(), "write a whole number above zero"),
            _ if is_digits(cell) && cell.starts_with('0') => (
                format!("`{shown}` has leading zeros; ids have none"),
                "remove the leading zeros; if the number is a name, write `by: name` and list it in `people`",
            ),
            _ if is_too_large(cell) => (
                format!("`{shown}` is too large for a user id: the largest is {LARGEST_ID}"),
                "fix the cell; if the number is a name, write `by: name` and list it in `people`",
            ),
            _ if is_altered(cell) => {
                (format!("`{shown}` is not a user id"), ALTERED)
            }
            _ => {
                // Name the first character that is not a digit, because it may look like one.
                let other = cell.chars().find(|c| !c.is_ascii_digit());
                let what = match other.filter(|_| has_digits(cell)) {
                    Some(c) => format!("`{shown}` is not a user id: `{c}` is not a digit"),
                    None => format!("`{shown}` is not a user id"),
                };
                (what, "write a whole number above zero, or add the name to `people`")
            }
        };
        row.mistake(Code::BadCell, column, &what).hint(hint)
    })
}

/// Returns the digits in a name. Letters that look like digits count as these digits.
fn digits(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter_map(|c| match c {
        'O' | 'o' | 'О' | 'о' => Some('0'),
        'I' | 'l' => Some('1'),
        'З' | 'з' => Some('3'),
        c => c.is_ascii_digit().then_some(c),
    })
}

fn has_digits(name: &str) -> bool {
    name.bytes().any(|byte| byte.is_ascii_digit())
}

/// Creates the error for a name with two definitions.
pub(super) fn defined_twice(what: &str, name: &Spanned<String>, first: At) -> Diagnostic {
    let message = format!("the {what} `{}` is defined twice", clip(&name.value));
    Diagnostic::at(Code::DuplicateName, name.at, message)
        .related(first, "first here")
        .hint("keep one of the two")
}
