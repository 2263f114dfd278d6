//! Joined rosters: indexed once by the columns that have to be equal, then looked up for each room's row.
//!
//! Main type: [`Enrolled`]. Cost grows with the sum of the files, not with their product.

mod groups;

use foldhash::{HashMap, HashMapExt};

use self::groups::{Group, Groups};
use super::diagnostic::{Code, Diagnostic, Problems, Sources};
use super::fields::clip;
use super::groups::Directory;
use super::raw::{RawEnrol, RawOn, RawVia};
use super::row::{Column, Row};
use super::table::Table;
use super::tables::empty;
use crate::model::Member;

/// Between the parts of a key; no cell has it.
const BETWEEN: char = '\u{1f}';

/// A roster, ready to be asked who belongs to a row.
pub(super) struct Enrolled {
    groups: Groups,
    /// The columns of the rooms' file.
    columns: Vec<Column>,
    /// The roster's own.
    own: Vec<Option<Column>>,
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
            Some(via) if rosters.tables.is_absent(&via.file) => None,
            Some(via) => Some(Via::new(via, &raw.on, table, directory, problems)?),
        };
        let own = own_columns(raw, table, via.is_some(), problems);
        let (mut groups, mut key) = (Groups::default(), String::new());
        let (columns, own) = (columns.into_iter().collect::<Option<_>>()?, own?);
        rosters.read(
            &raw.roster,
            directory.people(),
            problems,
            |row, users, problems| {
                let key = match key_of(row, &own, via.as_ref(), rosters.sources, &mut key) {
                    Ok(Some(key)) => key,
                    Ok(None) => return,
                    Err(mistake) => return problems.push(*mistake),
                };
                let place = row.stands();
                let group = groups.of(key, || Group::new(row, &own));
                let Some(group) = group else { return };
                group.rows += 1;
                let users = users.iter();
                group
                    .members
                    .extend(users.map(|user| Member { user: *user, place }));
            },
        );
        Some(Self {
            groups,
            columns,
            own,
        })
    }

    /// Who belongs to a row of the rooms' file.
    pub(super) fn of(&mut self, row: &Row<'_>) -> &[Member] {
        let mut joined = String::new();
        let key = join(
            self.columns.iter().map(|column| row.cell(column)),
            &mut joined,
        );
        let Some(group) = self.groups.get_mut(key) else {
            return &[];
        };
        group.asked = true;
        &group.members
    }

    /// Warns of rows that belong to no row of the rooms' file at all.
    pub(super) fn unjoined(self, each: &Table, sources: &Sources, problems: &mut Problems) {
        self.groups.unjoined(&self.own, each, sources, problems);
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
            if has_via && !table.has_column(&name.value) {
                return Some(None);
            }
            table.column(name, problems).map(Some)
        })
        .collect();
    columns.into_iter().collect()
}

/// The key of a roster's row, written down where it is not just one cell; none for a row that the file between leaves out.
fn key_of<'k>(
    row: &'k Row<'_>,
    own: &[Option<Column>],
    via: Option<&'k Via>,
    sources: &Sources,
    key: &'k mut String,
) -> Result<Option<&'k str>, Box<Diagnostic>> {
    let cell = |column: &Option<Column>| {
        column
            .as_ref()
            .map(|column| row.cell(column))
            .unwrap_or_default()
    };
    if own.iter().all(|column| !cell(column).is_empty()) {
        return Ok(Some(join(own.iter().map(cell), key)));
    }
    let Some(via) = via else {
        return Err(Box::new(belongs_to_nothing(row, own, sources)));
    };
    let mut between = String::new();
    let cells = via.columns.iter().map(|column| row.cell(column));
    let between = join(cells, &mut between);
    match via.cells.get(between) {
        Some(Some(cells)) => {
            let filled = own
                .iter()
                .zip(cells)
                .map(|(column, other)| match cell(column) {
                    "" => other.as_str(),
                    cell => cell,
                });
            Ok(Some(join(filled, key)))
        }
        Some(None) => Ok(None),
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
            let key = join(keys.iter().map(|column| row.cell(column)), &mut key);
            let counts = row.counts(&filters, rosters.sources, problems);
            let found = counts.then(|| {
                wanted
                    .iter()
                    .map(|column| row.cell(column).to_owned())
                    .collect()
            });
            let known: &mut Option<Vec<String>> = cells.entry(key.to_owned()).or_default();
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

/// A key out of cells, written down where it is not just one of them.
fn join<'k>(mut cells: impl Iterator<Item = &'k str>, key: &'k mut String) -> &'k str {
    let first = cells.next().unwrap_or_default();
    let Some(second) = cells.next() else {
        return first;
    };
    key.clear();
    key.push_str(first);
    for cell in std::iter::once(second).chain(cells) {
        key.push(BETWEEN);
        key.push_str(cell);
    }
    key
}
