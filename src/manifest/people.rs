//! People: names -> user ids, out of the manifest itself and out of files.
//!
//! Main type: [`People`]. A name that means two people is an error; one that nobody has is answered with the nearest.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::diagnostic::{At, Code, Diagnostic, Problems, Sources};
use super::fields::{clip, nearest, whole_number};
use super::raw::{Names, PositiveId, RawDirectory, Spanned};
use super::row::{Column, Row};
use super::tables::Tables;
use crate::model::UserId;

/// How many names are compared in search of nearest ones: a hundred searches among a thousand people.
const MOST_COMPARISONS: usize = 100_000;
/// The largest id: what a signed 64-bit column holds.
const LARGEST_ID: u64 = i64::MAX as u64;

/// Names, and whose they are.
#[derive(Debug)]
pub(super) struct People {
    names: BTreeMap<String, Person>,
    /// Whether a file of names could not be read: who is not here may stand there.
    incomplete: bool,
    /// Names still to be compared in search of the nearest: each search reads all, and a wrong file may lack thousands.
    comparisons: Cell<usize>,
}

/// Who has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Person {
    /// A user.
    User(UserId, At),
    /// Somebody whom the directory's `where` leaves out.
    LeftOut,
}

impl Default for People {
    fn default() -> Self {
        Self {
            names: BTreeMap::new(),
            incomplete: false,
            comparisons: Cell::new(MOST_COMPARISONS),
        }
    }
}

impl People {
    /// Takes the names in that stand in a manifest.
    pub(super) fn inline(&mut self, names: &Names<Spanned<PositiveId>>, problems: &mut Problems) {
        for (name, id) in &names.0 {
            match self.names.entry(name.value.clone()) {
                Entry::Vacant(free) => drop(free.insert(Person::User(UserId(id.value.0), name.at))),
                Entry::Occupied(taken) => problems.push(twice("person", name, taken.get().at())),
            }
        }
    }

    /// Takes the names in that stand in a file.
    pub(super) fn directory(
        &mut self,
        raw: &RawDirectory,
        tables: &Tables,
        sources: &Sources,
        problems: &mut Problems,
    ) {
        let Some(table) = tables.get(&raw.file) else {
            self.incomplete = true;
            return;
        };
        let names: Vec<Option<Column>> = raw
            .name
            .iter()
            .map(|name| table.column(name, false, problems))
            .collect();
        let id = table.column(&raw.id, false, problems);
        let filters = table.filters(&raw.filter, &[], problems);
        let names: Option<Vec<Column>> = names.into_iter().collect();
        let (Some(names), Some(id), Some(filters)) = (names, id, filters) else {
            self.incomplete = true;
            return;
        };
        let mut rows = 0;
        table.rows(sources, &[], problems, |row, problems| {
            rows += 1;
            let person = if row.passes(&filters) {
                match user(row, &id, sources) {
                    Ok(user) => Person::User(user, row.at()),
                    // Whoever names them later has not made another mistake.
                    Err(mistake) => {
                        problems.push(mistake);
                        Person::LeftOut
                    }
                }
            } else {
                Person::LeftOut
            };
            for column in &names {
                self.take(row, column, person, sources, problems);
            }
        });
        if rows == 0 && !raw.file.allow_empty {
            problems.push(super::tables::empty(&raw.file, sources, table));
        }
    }

    fn take(
        &mut self,
        row: &Row<'_>,
        column: &Column,
        person: Person,
        sources: &Sources,
        problems: &mut Problems,
    ) {
        let name = row.cell(column);
        if name.is_empty() {
            return;
        }
        match (self.names.entry(name.to_owned()), person) {
            (Entry::Vacant(free), _) => drop(free.insert(person)),
            // Somebody who left and came back stands there twice; the one who counts is meant.
            (Entry::Occupied(mut taken), Person::User(user, _)) => match *taken.get() {
                Person::LeftOut => drop(taken.insert(person)),
                Person::User(other, _) if other == user => {}
                Person::User(other, first) => {
                    let message = format!(
                        "`{}` is user {user} here, and {other} elsewhere",
                        clip(name)
                    );
                    let mistake = row.mistake(Code::DuplicateName, column, &message, sources);
                    let mistake = mistake.related(first, "elsewhere");
                    problems.push(
                        mistake
                            .hint("a name has to mean one person; name people by another column"),
                    );
                }
            },
            (Entry::Occupied(_), Person::LeftOut) => {}
        }
    }

    /// Whether a name that nobody has is a mistake of its own, and does not follow from another.
    pub(super) fn is_complete(&self) -> bool {
        !self.incomplete
    }

    /// Who has this name.
    pub(super) fn get(&self, name: &str) -> Option<Person> {
        self.names.get(name).copied()
    }

    /// The names of a user, sorted.
    pub(super) fn names_of(&self, user: UserId) -> Vec<String> {
        let theirs = |person: &Person| matches!(person, Person::User(other, _) if *other == user);
        let names = self.names.iter().filter(|(_, person)| theirs(person));
        names.map(|(name, _)| name.clone()).collect()
    }

    /// The nearest name to one that nobody has.
    pub(super) fn nearest(&self, name: &str) -> Option<&str> {
        let names = self.names.keys().map(String::as_str);
        self.nearest_of(name, names)
    }

    /// The nearest of some names, as long as there is time for it.
    pub(super) fn nearest_of<'n>(
        &self,
        name: &str,
        known: impl Iterator<Item = &'n str>,
    ) -> Option<&'n str> {
        let left = self.comparisons.get();
        let mut made = 0;
        let found = nearest(name, known.take(left).inspect(|_| made += 1));
        self.comparisons.set(left - made);
        found
    }
}

impl Person {
    fn at(self) -> At {
        match self {
            Self::User(_, at) => at,
            Self::LeftOut => At {
                file: crate::model::FileId(0),
                offset: 0,
            },
        }
    }
}

/// The user whose id stands in a cell.
pub(super) fn user(
    row: &Row<'_>,
    column: &Column,
    sources: &Sources,
) -> Result<UserId, Diagnostic> {
    let cell = row.cell(column);
    let id = whole_number(cell).filter(|id| (1..=LARGEST_ID).contains(id));
    id.map(UserId).ok_or_else(|| {
        let digits = !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit());
        let (what, hint) = match cell {
            "" => ("the cell is empty".to_owned(), "write the user's id, or leave the row out with `where`"),
            "0" => ("ids start at 1".to_owned(), "an id is a whole number above zero"),
            _ if digits && cell.starts_with('0') => (
                format!("`{}` has leading zeros, ids have none", clip(cell)),
                "write it without them; for a number that is a name say `by: name` and list it in `people`",
            ),
            _ => (
                format!("`{}` is not a user id", clip(cell)),
                "an id is a whole number above zero; for names say who they are in `people`",
            ),
        };
        row.mistake(Code::BadCell, column, &what, sources).hint(hint)
    })
}

pub(super) fn twice(what: &str, name: &Spanned<String>, first: At) -> Diagnostic {
    let message = format!("the {what} `{}` is defined twice", clip(&name.value));
    Diagnostic::at(Code::DuplicateName, name.at, message)
        .related(first, "first here")
        .hint("keep one of the two")
}
