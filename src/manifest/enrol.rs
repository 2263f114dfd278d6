//! Joined rosters: indexed once by the columns that have to be equal, then looked up for each room's row.
//!
//! Main type: [`Enrolled`]. Cost grows with the sum of the files, not with their product.

use std::collections::HashMap;

use super::diagnostic::{At, Code, Diagnostic, Problems, Sources};
use super::fields::clip;
use super::groups::Directory;
use super::raw::{RawEnrol, RawOn, RawVia};
use super::row::{Column, Row};
use super::table::Table;
use super::tables::empty;
use crate::model::Member;

/// Between the parts of a key; no cell has it.
const BETWEEN: char = '\u{1f}';
/// So many values without a row of the rooms' file are mistakes of their own; more are one.
const MOST_UNJOINED: usize = 20;

/// A roster, ready to be asked who belongs to a row.
pub(super) struct Enrolled {
    groups: Groups,
    /// The columns of the rooms' file.
    columns: Vec<Column>,
}

/// The roster's rows by their keys. Rows of one key mostly stand one after another.
#[derive(Default)]
struct Groups {
    groups: Vec<Group>,
    places: HashMap<String, usize>,
    last: (String, usize),
}

impl Groups {
    /// The group of a key; a new one if there is none yet.
    fn of(&mut self, key: &str, new: impl FnOnce() -> Group) -> Option<&mut Group> {
        if self.last.0 != key || self.groups.is_empty() {
            let place = self.places.get(key).copied().unwrap_or_else(|| {
                self.places.insert(key.to_owned(), self.groups.len());
                self.groups.push(new());
                self.groups.len() - 1
            });
            self.last.0.clear();
            self.last.0.push_str(key);
            self.last.1 = place;
        }
        self.groups.get_mut(self.last.1)
    }

    fn get_mut(&mut self, key: &str) -> Option<&mut Group> {
        self.groups.get_mut(*self.places.get(key)?)
    }
}

/// The roster's rows of one key.
struct Group {
    /// Their users, in the order of the roster.
    members: Vec<Member>,
    /// The first of them: the cell that says what it belongs to.
    first: At,
    /// That cell's column, after a colon.
    column: String,
    rows: usize,
    /// Whether a room's row had the key, be it one that `where` left out.
    asked: bool,
}

/// Where empty cells are looked up.
struct Via {
    /// What stands for each key; none for rows that `where` leaves out.
    cells: HashMap<String, Option<Vec<String>>>,
    /// The roster's columns that make the key.
    columns: Vec<Column>,
    name: String,
}

impl Enrolled {
    /// Reads a roster; `None` if it cannot be joined, which is noted. `each` is the rooms' file.
    pub(super) fn new(
        raw: &RawEnrol,
        each: &Table,
        directory: &Directory<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let rosters = directory.rosters();
        let columns: Vec<Option<Column>> = raw
            .on
            .iter()
            .map(|(_, name)| each.column(name, problems))
            .collect();
        let table = rosters.tables.get(&raw.roster.file)?;
        let via = match &raw.via {
            None => None,
            Some(via) if via.file.may_lack && rosters.tables.get(&via.file).is_none() => None,
            Some(via) => Some(Via::new(via, &raw.on, table, directory, problems)?),
        };
        let own = own_columns(raw, table, via.is_some(), problems);
        let mut enrolled = Self {
            groups: Groups::default(),
            columns: columns.into_iter().collect::<Option<_>>()?,
        };
        let (own, mut key) = (own?, String::new());
        rosters.read(
            &raw.roster,
            directory.people(),
            problems,
            |row, users, problems| {
                match key_of(row, &own, via.as_ref(), rosters.sources, &mut key) {
                    Ok(true) => {}
                    Ok(false) => return,
                    Err(mistake) => return problems.push(*mistake),
                }
                let place = row.stands();
                let group = enrolled.groups.of(&key, || Group::new(row, &own));
                let Some(group) = group else { return };
                group.rows += 1;
                let users = users.iter();
                group
                    .members
                    .extend(users.map(|user| Member { user: *user, place }));
            },
        );
        Some(enrolled)
    }

    /// Who belongs to a row of the rooms' file.
    pub(super) fn of(&mut self, row: &Row<'_>) -> &[Member] {
        let mut key = String::new();
        join(self.columns.iter().map(|column| row.cell(column)), &mut key);
        let Some(group) = self.groups.get_mut(&key) else {
            return &[];
        };
        group.asked = true;
        &group.members
    }

    /// Warns of rows that belong to no row of the rooms' file at all.
    pub(super) fn unjoined(self, each: &Table, sources: &Sources, problems: &mut Problems) {
        let Groups { groups, places, .. } = self.groups;
        let keys = places.into_iter();
        let groups = keys.filter_map(|(key, place)| Some((key, groups.get(place)?)));
        let mut left: Vec<(String, &Group)> = groups.filter(|(_, group)| !group.asked).collect();
        if left.is_empty() {
            return;
        }
        // A row that is noted already may well be the one that is missed.
        let ragged = each.ragged_cells(sources);
        left.retain(|(key, _)| !key.split(BETWEEN).all(|part| ragged.contains(part)));
        left.sort_by_key(|(_, group)| group.first);
        if left.len() > MOST_UNJOINED {
            problems.extend(all_unjoined(&left, each, sources));
        } else {
            let each = left
                .iter()
                .map(|(key, group)| unjoined(key, group, each, sources));
            problems.extend(each);
        }
    }
}

/// The warning of one value that no row of the rooms' file has.
fn unjoined(key: &str, group: &Group, each: &Table, sources: &Sources) -> Diagnostic {
    let more = match group.rows {
        1 => String::new(),
        2 => "; 1 more row says so".to_owned(),
        rows => format!("; {} more rows say so", rows - 1),
    };
    let shown = clip(&key.replace(BETWEEN, ", "));
    let name = &each.name;
    let message = format!(
        "{}: `{shown}` is in no row of `{name}`{more}",
        group.place_of(sources)
    );
    Diagnostic::at(Code::Unjoined, group.first, message).hint(format!(
        "nobody is added for it; mend the cell, or add a row to `{name}`"
    ))
}

/// The warning of so many of them that something else is wrong.
fn all_unjoined(left: &[(String, &Group)], each: &Table, sources: &Sources) -> Option<Diagnostic> {
    let (_, first) = left.first()?;
    let rows: usize = left.iter().map(|(_, group)| group.rows).sum();
    let file = sources.file(first.first.file);
    let message = format!(
        "{rows} rows of `{}` belong to no row of `{}`; this is the first",
        file.map(|file| clip(&file.name)).unwrap_or_default(),
        each.name
    );
    let diagnostic = Diagnostic::at(Code::Unjoined, first.first, message);
    Some(diagnostic.hint("nobody is added for them; look at the columns of `on`"))
}

impl Group {
    fn new(row: &Row<'_>, own: &[Option<Column>]) -> Self {
        let mut own = own.iter().flatten();
        let column = own.find(|column| !row.cell(column).is_empty());
        Self {
            members: Vec::new(),
            first: column.map_or_else(|| row.at(), |column| row.cell_at(column)),
            column: column.map_or_else(String::new, |column| format!(":{}", clip(&column.name))),
            rows: 0,
            asked: false,
        }
    }

    /// `enrollments.csv:214:course_id`
    fn place_of(&self, sources: &Sources) -> String {
        let place = sources.place(self.first);
        let file = sources.file(place.file);
        let file = file.map(|file| clip(&file.name)).unwrap_or_default();
        format!("{file}:{}{}", place.line, self.column)
    }
}

/// The roster's columns of `on`; one that it lacks may come from the file between.
fn own_columns(
    raw: &RawEnrol,
    table: &Table,
    has_via: bool,
    problems: &mut Problems,
) -> Option<Vec<Option<Column>>> {
    let columns: Vec<Option<Option<Column>>> = raw
        .on
        .iter()
        .map(|(name, _)| {
            let there = table
                .columns
                .iter()
                .any(|column| column.eq_ignore_ascii_case(name.value.trim()));
            if has_via && !there {
                return Some(None);
            }
            table.column(name, problems).map(Some)
        })
        .collect();
    columns.into_iter().collect()
}

/// Writes down the key of a roster's row; false for one that the file between leaves out.
fn key_of(
    row: &Row<'_>,
    own: &[Option<Column>],
    via: Option<&Via>,
    sources: &Sources,
    key: &mut String,
) -> Result<bool, Box<Diagnostic>> {
    let cell = |column: &Option<Column>| {
        column
            .as_ref()
            .map(|column| row.cell(column))
            .unwrap_or_default()
    };
    if own.iter().all(|column| !cell(column).is_empty()) {
        join(own.iter().map(cell), key);
        return Ok(true);
    }
    let Some(via) = via else {
        return Err(Box::new(belongs_to_nothing(row, own, sources)));
    };
    let mut between = String::new();
    let cells = via.columns.iter().map(|column| row.cell(column));
    join(cells, &mut between);
    match via.cells.get(&between) {
        Some(Some(cells)) => {
            let filled = own
                .iter()
                .zip(cells)
                .map(|(column, other)| match cell(column) {
                    "" => other.as_str(),
                    cell => cell,
                });
            join(filled, key);
            Ok(true)
        }
        Some(None) => Ok(false),
        None if between.split(BETWEEN).all(str::is_empty) => {
            Err(Box::new(belongs_to_nothing(row, own, sources)))
        }
        None => {
            let column = via.columns.first();
            let said = format!(
                "`{}` is not in `{}`",
                clip(&between.replace(BETWEEN, ", ")),
                via.name
            );
            let mistake = column.map(|column| row.mistake(Code::BadCell, column, &said, sources));
            let mistake = mistake.unwrap_or_else(|| Diagnostic::at(Code::BadCell, row.at(), said));
            let hint = "add it there, or leave the row out with `where`";
            Err(Box::new(mistake.hint(hint)))
        }
    }
}

/// The mistake of a row that says neither itself nor through the file between what it belongs to.
fn belongs_to_nothing(row: &Row<'_>, own: &[Option<Column>], sources: &Sources) -> Diagnostic {
    let message = "the cell is empty: the row belongs to no room";
    let empty = own.iter().flatten();
    let mistake = empty
        .into_iter()
        .find(|column| row.cell(column).is_empty())
        .map(|column| row.mistake(Code::BadCell, column, message, sources));
    let mistake = mistake.unwrap_or_else(|| {
        let message = format!("{}: the row belongs to no room", row.place(sources));
        Diagnostic::at(Code::BadCell, row.at(), message)
    });
    mistake.hint("write what it belongs to, or leave the row out with `where`")
}

impl Via {
    fn new(
        raw: &RawVia,
        on: &RawOn,
        roster: &Table,
        directory: &Directory<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let rosters = directory.rosters();
        let table = rosters.tables.get(&raw.file)?;
        let keys: Vec<Option<Column>> = raw
            .on
            .iter()
            .map(|(own, _)| table.column(own, problems))
            .collect();
        let columns: Vec<Option<Column>> = raw
            .on
            .iter()
            .map(|(_, other)| roster.column(other, problems))
            .collect();
        let wanted: Vec<Option<Column>> = on
            .iter()
            .map(|(name, _)| table.column(name, problems))
            .collect();
        let filters = table.filters(&raw.filter, problems);
        let (keys, wanted) = (
            keys.into_iter().collect::<Option<Vec<_>>>()?,
            wanted.into_iter().collect::<Option<Vec<_>>>()?,
        );
        let (columns, filters) = (columns.into_iter().collect::<Option<Vec<_>>>()?, filters?);
        let numbered = table.all_columns(&raw.file.numbered, problems)?;
        let (mut cells, mut rows) = (HashMap::new(), 0_usize);
        table.rows(rosters.sources, &numbered, problems, |row, problems| {
            rows += 1;
            let mut key = String::new();
            join(keys.iter().map(|column| row.cell(column)), &mut key);
            let counts = row.counts(&filters, rosters.sources, problems);
            let found = counts.then(|| {
                wanted
                    .iter()
                    .map(|column| row.cell(column).to_owned())
                    .collect()
            });
            let known: &mut Option<Vec<String>> = cells.entry(key).or_default();
            if known.is_none() {
                *known = found;
            }
        });
        // Whoever asks for a row that is noted already has not made another mistake.
        for cell in table.ragged_cells(rosters.sources) {
            cells.entry(cell).or_default();
        }
        if rows == 0 && !raw.file.allow_empty {
            problems.push(empty(&raw.file, rosters.sources, table));
        }
        Some(Self {
            cells,
            columns,
            name: table.name.clone(),
        })
    }
}

/// A key out of cells.
fn join<'c>(cells: impl Iterator<Item = &'c str>, key: &mut String) {
    key.clear();
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            key.push(BETWEEN);
        }
        key.push_str(cell);
    }
}
