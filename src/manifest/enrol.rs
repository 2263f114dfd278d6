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
    groups: HashMap<String, Group>,
    /// The columns of the rooms' file.
    columns: Vec<Column>,
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
            groups: HashMap::new(),
            columns: columns.into_iter().collect::<Option<_>>()?,
        };
        let own = own?;
        rosters.read(
            &raw.roster,
            directory.people(),
            problems,
            |row, users, problems| {
                let key = match key_of(row, &own, via.as_ref(), rosters.sources) {
                    Ok(Some(key)) => key,
                    Ok(None) => return,
                    Err(mistake) => return problems.push(mistake),
                };
                let place = rosters.sources.place(row.at());
                let group = enrolled.groups.entry(key);
                let group = group.or_insert_with(|| Group::new(row, &own));
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
        let key = join(self.columns.iter().map(|column| row.cell(column)));
        let Some(group) = self.groups.get_mut(&key) else {
            return &[];
        };
        group.asked = true;
        &group.members
    }

    /// Warns of rows that belong to no row of the rooms' file at all.
    pub(super) fn unjoined(self, each: &Table, sources: &Sources, problems: &mut Problems) {
        let groups = self.groups.into_iter().filter(|(_, group)| !group.asked);
        let mut left: Vec<(String, Group)> = groups.collect();
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
fn all_unjoined(left: &[(String, Group)], each: &Table, sources: &Sources) -> Option<Diagnostic> {
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

/// The key of a roster's row; `None` for one that the file between leaves out.
fn key_of(
    row: &Row<'_>,
    own: &[Option<Column>],
    via: Option<&Via>,
    sources: &Sources,
) -> Result<Option<String>, Diagnostic> {
    let cell = |column: &Option<Column>| {
        column
            .as_ref()
            .map(|column| row.cell(column))
            .unwrap_or_default()
    };
    if own.iter().all(|column| !cell(column).is_empty()) {
        return Ok(Some(join(own.iter().map(cell))));
    }
    let Some(via) = via else {
        return Err(belongs_to_nothing(row, own, sources));
    };
    let between = join(via.columns.iter().map(|column| row.cell(column)));
    match via.cells.get(&between) {
        Some(Some(cells)) => {
            let filled = own
                .iter()
                .zip(cells)
                .map(|(column, other)| match cell(column) {
                    "" => other.as_str(),
                    cell => cell,
                });
            Ok(Some(join(filled)))
        }
        Some(None) => Ok(None),
        None if between.split(BETWEEN).all(str::is_empty) => {
            Err(belongs_to_nothing(row, own, sources))
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
            Err(mistake.hint("add it there, or leave the row out with `where`"))
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
            let key = join(keys.iter().map(|column| row.cell(column)));
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

fn join<'c>(cells: impl Iterator<Item = &'c str>) -> String {
    let mut key = String::new();
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            key.push(BETWEEN);
        }
        key.push_str(cell);
    }
    key
}
