//! People: names -> user ids, out of the manifest itself and out of files.
//!
//! Main type: [`People`]. A name that means two people is an error; one that nobody has is answered with the nearest.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::raw::{Names, RawDirectory, Spanned};
use crate::model::{FileId, UserId};
use crate::tables::diagnostic::{At, Code, Diagnostic, Problems, Sources, clip};
use crate::tables::nearest::NearestSearch;
use crate::tables::number::{is_digits, positive_id};
use crate::tables::open::Tables;
use crate::tables::row::{Column, Row};

mod preset_users;

/// How many people without an id are kept until somebody asks for them; beyond that they are told at once.
const MOST_WITHOUT_ID: usize = 10_000;
/// What to do about an id that is none.
const HOLDS_IDS: &str = "the column that `id` names holds the site's user ids, without leading zeros; mend the cell, or leave the person out with `where`";

/// What needs no place: what is wrong with it was told.
const NOWHERE: At = At {
    file: FileId(0),
    offset: 0,
};
/// Somebody of a row in which a mistake was noted.
const NOTED: Person = Person::LeftOut(None, NOWHERE);

/// Names, and whose they are.
#[derive(Debug, Default)]
pub(super) struct People {
    names: BTreeMap<String, Person>,
    /// Whether a file of names could not be read: who is not here may stand there.
    incomplete: bool,
    /// The file that has the names, if one has, and whose it is.
    file: Option<(String, Whose)>,
    /// What is wrong with the ids of people whom nobody may ever ask for.
    without_id: Vec<Diagnostic>,
}

/// Who has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Person {
    /// A user.
    User(UserId, At),
    /// Somebody whom the directory's `where` leaves out, with their id if it is one, and their row.
    LeftOut(Option<UserId>, At),
    /// Somebody whose id cannot be used; which of the mistakes says why.
    WithoutId(usize),
}

/// Whose names a directory has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// Everybody's: each id in it has to be right.
    All,
    /// One roster's: only those count that it names.
    Roster,
}

impl People {
    /// Takes the names in that stand in a manifest.
    pub(super) fn inline(&mut self, names: &Names<Spanned<u64>>, problems: &mut Problems) {
        for (name, id) in names {
            match self.names.entry(name.value.clone()) {
                Entry::Vacant(free) => drop(free.insert(Person::User(UserId(id.value), name.at))),
                Entry::Occupied(taken) => problems.push(twice("person", name, taken.get().at())),
            }
        }
    }

    /// Takes the names in that stand in a file.
    pub(super) fn directory(
        &mut self,
        raw: &RawDirectory,
        whose: Whose,
        tables: &Tables,
        sources: &Sources,
        problems: &mut Problems,
    ) {
        let Some(table) = tables.get(&raw.file) else {
            self.incomplete = true;
            return;
        };
        self.file = Some((table.name.clone(), whose));
        let names = table.all_columns(&raw.name, problems);
        let id = table.column(&raw.id, problems);
        let numbered = table.all_columns(&raw.file.numbered, problems);
        let filters = table.filters(&raw.filter, problems);
        let (Some(names), Some(id), Some(numbered), Some(filters)) = (names, id, numbered, filters)
        else {
            self.incomplete = true;
            return;
        };
        let mut rows = 0;
        table.rows(sources, &numbered, problems, |row, problems| {
            rows += 1;
            let person = if row.counts(&filters, sources, problems) {
                match user(row, &id, sources) {
                    Ok(user) => Person::User(user, row.at()),
                    Err(mistake) => self.without_id(mistake.hint(HOLDS_IDS), whose, problems),
                }
            } else {
                Person::LeftOut(self::id(row.cell(&id)), row.at())
            };
            for column in &names {
                self.take(row, column, person, sources, problems);
            }
        });
        // Whoever names somebody of a row that is noted already has not made another mistake.
        for cell in table.ragged_cells(sources) {
            self.names.entry(cell).or_insert(NOTED);
        }
        if rows == 0 && !raw.file.allow_empty {
            problems.push(crate::tables::open::empty(&raw.file, sources, table));
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
                Person::LeftOut(..) | Person::WithoutId(_) => drop(taken.insert(person)),
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
                            .hint("a name has to mean one person: mend one of the two rows, or name people by another column"),
                    );
                }
            },
            (Entry::Occupied(_), Person::LeftOut(..) | Person::WithoutId(_)) => {}
        }
    }

    /// What becomes of somebody without an id: whoever names them later has not made another mistake.
    fn without_id(&mut self, mistake: Diagnostic, whose: Whose, problems: &mut Problems) -> Person {
        if whose == Whose::All || self.without_id.len() >= MOST_WITHOUT_ID {
            problems.push(mistake);
            return NOTED;
        }
        self.without_id.push(mistake);
        Person::WithoutId(self.without_id.len() - 1)
    }

    /// Why somebody cannot be used.
    pub(super) fn mistake(&self, number: usize) -> Option<Diagnostic> {
        self.without_id.get(number).cloned()
    }

    /// Whether a name that nobody has is a mistake of its own, and does not follow from another.
    pub(super) fn is_complete(&self) -> bool {
        !self.incomplete
    }

    /// Whether nobody has a name.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Who has this name.
    pub(super) fn get(&self, name: &str) -> Option<Person> {
        self.names.get(name).copied()
    }

    /// Whom the directory's `where` leaves out of all rooms, by name or else by id: their id if it is one, their names, and their row.
    pub(super) fn left_out(&self, asked: &str) -> Option<(Option<UserId>, Vec<String>, At)> {
        let people = self.names.iter();
        match self.get(asked) {
            Some(Person::LeftOut(None, at)) => Some((None, vec![asked.to_owned()], at)),
            Some(Person::LeftOut(Some(user), at)) => Some((Some(user), self.left_names(user), at)),
            Some(Person::User(..) | Person::WithoutId(_)) => None,
            None => {
                let user = id(asked)?;
                let at = people.map(|(_, person)| *person).find_map(|it| match it {
                    Person::LeftOut(Some(other), at) if other == user => Some(at),
                    _ => None,
                });
                Some((Some(user), self.left_names(user), at?))
            }
        }
    }

    /// The names of a user, sorted.
    pub(super) fn names_of(&self, user: UserId) -> Vec<String> {
        self.names_where(|person| matches!(person, Person::User(other, _) if *other == user))
    }

    fn left_names(&self, user: UserId) -> Vec<String> {
        self.names_where(|person| matches!(person, Person::LeftOut(Some(it), _) if *it == user))
    }

    fn names_where(&self, theirs: impl Fn(&Person) -> bool) -> Vec<String> {
        let names = self.names.iter().filter(|(_, person)| theirs(person));
        names.map(|(name, _)| name.clone()).collect()
    }

    /// Where names are looked up, in words.
    pub(super) fn place(&self) -> &str {
        match &self.file {
            Some((file, Whose::Roster)) => file,
            _ => "people",
        }
    }

    /// Whether these are names of one roster only.
    pub(super) fn is_of_roster(&self) -> bool {
        matches!(self.file, Some((_, Whose::Roster)))
    }

    /// Where somebody could be added.
    pub(super) fn file(&self) -> Option<&str> {
        self.file.as_ref().map(|(file, _)| file.as_str())
    }

    /// The nearest name to one that nobody has. A number is never guessed: the next one is somebody else.
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

impl Person {
    fn at(self) -> At {
        match self {
            Self::User(_, at) | Self::LeftOut(_, at) => at,
            Self::WithoutId(_) => NOWHERE,
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
    id(cell).ok_or_else(|| {
        let digits = is_digits(cell);
        let (what, hint) = match cell {
            "" => ("the cell is empty".to_owned(), "write the user's id, or leave the row out with `where`"),
            "0" => ("ids start at 1".to_owned(), "an id is a whole number above zero"),
            _ if digits && cell.starts_with('0') => (
                format!("`{}` has leading zeros, ids have none", clip(cell)),
                "write it without them; for a number that is a name say `by: name` and list it in `people`",
            ),
            _ => (
                not_an_id(cell),
                "an id is a whole number above zero; for names say who they are in `people`",
            ),
        };
        row.mistake(Code::BadCell, column, &what, sources).hint(hint)
    })
}

/// The user whose id a cell is.
pub(super) fn id(cell: &str) -> Option<UserId> {
    positive_id(cell).map(UserId)
}

/// The first sign that is no digit is named: it may look like one.
fn not_an_id(cell: &str) -> String {
    let strange = cell.chars().find(|c| !c.is_ascii_digit());
    let shown = clip(cell);
    match strange.filter(|_| cell.contains(|c: char| c.is_ascii_digit())) {
        Some(c) => format!("`{shown}` is not a user id: `{c}` is no digit"),
        None => format!("`{shown}` is not a user id"),
    }
}

/// The digits of a name, with letters that look like digits taken for them.
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

pub(super) fn twice(what: &str, name: &Spanned<String>, first: At) -> Diagnostic {
    let message = format!("the {what} `{}` is defined twice", clip(&name.value));
    Diagnostic::at(Code::DuplicateName, name.at, message)
        .related(first, "first here")
        .hint("keep one of the two")
}
