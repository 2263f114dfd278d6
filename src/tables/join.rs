//! Joins a roster with another table by key columns. The roster is read once, and its users are
//! grouped by key. Then each row of the other table is looked up in these groups.
//!
//! Main type: [`Join`].

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;

use indexmap::IndexMap;

use super::column::{optional, resolved};
use super::diagnostic::{At, Code, Diagnostic, clip};
use super::header::is_same_key;
use super::input::{FileUse, RawOn, RawVia};
use super::open::{Tables, UseCache};
use super::row::{Column, Row};
use super::row_use::RowUse;
use super::table::TableUse;
use crate::model::{Member, MemberList, Place, Presence, UserId};

/// The separator between the cells of a key. No cell contains it.
const BETWEEN: char = '\u{1f}';
/// Maximum number of warnings about unmatched keys. If there are more, a single warning covers all.
const MOST_UNJOINED: usize = 20;

/// The users of a roster, by join key.
pub(crate) struct Join<'t> {
    roster: TableUse<'t>,
    groups: IndexMap<String, Group>,
    /// The index of the group of the last row. The next row is often in the same group.
    last: usize,
    /// The other table. If it has several uses that share this join, the first of them.
    each: TableUse<'t>,
    /// The key columns of the other table.
    columns: Vec<Column>,
    /// The key columns of the roster; `None` for a column that only the `via` table has.
    own: Vec<Option<Column>>,
    /// The table whose cells replace cells of the roster.
    moved: Option<Rc<Via>>,
    /// The table whose cells fill empty cells of the roster.
    via: Option<Rc<Via>>,
}

/// A table that supplies cells of the key for rows of the roster.
pub(crate) struct Via {
    /// The file's name.
    name: String,
    /// The supplied cells and their dates, by key; `None` for rows that `where` leaves out. A cell
    /// is empty if the table has no column for it.
    cells: HashMap<String, Option<(Vec<String>, Presence)>>,
    /// The roster's columns that form the key of this table.
    columns: Vec<Column>,
}

/// The rows of the roster that have the same key.
struct Group {
    members: MemberList,
    rows: usize,
    /// The number of rows that add a member today.
    used: usize,
    /// The first cell of the key in the first of these rows.
    first: At,
    line: u32,
    /// The place of that cell's column in the header.
    column: Option<usize>,
    /// The highest [`RowUse`] of the other table's rows with this key; `None` if there is no such
    /// row.
    joined: Option<RowUse>,
}

impl<'t> Join<'t> {
    /// Creates an empty join. Returns `None` if a column or a table is missing, which is reported.
    pub(crate) fn new(
        (on, via, moved): (&RawOn, Option<&RawVia>, Option<&RawVia>),
        roster: &FileUse,
        each: TableUse<'t>,
        tables: &'t Tables,
        vias: &UseCache<Via>,
    ) -> Option<Self> {
        let columns = resolved(on.iter().map(|(_, name)| each.column(name)));
        let roster = tables.get(roster, each.problems)?;
        let [via, moved] = [via, moved].map(|via| {
            let via = via.filter(|via| tables.find_absent(&via.file).is_none());
            optional(via, |via| {
                let key = (via_content(via, tables), roster.columns(), on);
                let key = tables.hash(key);
                let made = || Some(vias.keep(key, Via::new(via, on, roster, tables)?));
                vias.get(key).or_else(made)
            })
        });
        let (via, moved) = (via?, moved?);
        let own = resolved(on.iter().map(|(name, _)| {
            if via.is_some() && !roster.has_column(&name.value) {
                return Some(None);
            }
            roster.column(name).map(Some)
        }));
        Some(Self {
            roster,
            groups: IndexMap::new(),
            last: 0,
            each,
            columns: columns?,
            own: own?,
            moved,
            via,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Adds a row of the roster with its users. Returns how the row is used.
    ///
    /// # Errors
    /// Returns an error if the row has no complete key.
    pub(crate) fn add(
        &mut self,
        row: &Row<'_>,
        users: &[(UserId, Presence)],
    ) -> Result<RowUse, Box<Diagnostic>> {
        let Some((key, of_key)) = self.key_of(row)? else {
            return Ok(RowUse::LeftOut);
        };
        let last = self.groups.get_index(self.last);
        if last.is_none_or(|(last, _)| *last != key) {
            let known = self.groups.get_index_of(&*key);
            self.last = known.unwrap_or_else(|| {
                let group = Group::new(row, &self.own);
                self.groups.insert_full(key.into_owned(), group).0
            });
        }
        if let Some((_, group)) = self.groups.get_index_mut(self.last) {
            group.rows += 1;
            let today = |(_, presence): &(UserId, Presence)| presence.and(of_key).today;
            group.used += usize::from(users.iter().any(today));
            let place = row.to_place();
            for (user, presence) in users.iter().copied() {
                let member = Member { user, place };
                group.members.push(member, presence.and(of_key));
            }
        }
        Ok(RowUse::of(Some(of_key)))
    }

    /// Returns the members for a row of the other table, and records how that row is used.
    pub(crate) fn members_of(&mut self, row: &Row<'_>, row_use: RowUse) -> Option<&MemberList> {
        let key = join_cells(self.columns.iter().map(|column| row.cell(column)));
        let group = self.groups.get_mut(&*key)?;
        group.joined = group.joined.max(Some(row_use));
        Some(&group.members)
    }

    /// Returns the key of a roster's row, and the dates of the key; `None` if the `via` table
    /// leaves the row out.
    fn key_of<'k>(
        &self,
        row: &'k Row<'_>,
    ) -> Result<Option<(Cow<'k, str>, Presence)>, Box<Diagnostic>> {
        let cell = |column: &Option<Column>| column.as_ref().map_or("", |column| row.cell(column));
        let merge = |cells: &[String], replaces: bool| {
            let pairs = self.own.iter().zip(cells);
            let merged = pairs.map(|(column, other)| match (cell(column), other.as_str()) {
                (own, other) if other.is_empty() || !(own.is_empty() || replaces) => own,
                (_, other) => other,
            });
            Cow::Owned(join_cells(merged).into_owned())
        };
        if let Some(moved) = &self.moved
            && let Some(Some((cells, presence))) = moved.cells.get(&*moved.key_of(row))
            && presence.today
        {
            return Ok(Some((merge(cells, true), *presence)));
        }
        if self.own.iter().all(|column| !cell(column).is_empty()) {
            let key = join_cells(self.own.iter().map(cell));
            return Ok(Some((key, Presence::ALWAYS)));
        }
        let Some(via) = &self.via else {
            return Err(self.no_key(row));
        };
        let between = via.key_of(row);
        match via.cells.get(&*between) {
            Some(Some((cells, presence))) => Ok(Some((merge(cells, false), *presence))),
            Some(None) => Ok(None),
            None if between.split(BETWEEN).all(str::is_empty) => Err(self.no_key(row)),
            None => {
                let key = clip(&between.replace(BETWEEN, ", "));
                let message = format!("`{key}` is not in `{}`", via.name);
                let mistake = mistake(row, Code::BadCell, via.columns.first(), &message);
                let hint = "add it there, or leave the row out with `where`";
                Err(mistake.hint(hint).into())
            }
        }
    }

    /// Creates the error for a row with empty key cells.
    fn no_key(&self, row: &Row<'_>) -> Box<Diagnostic> {
        let mut own = self.own.iter().flatten();
        let column = own.find(|column| row.cell(column).is_empty());
        let message = match column {
            Some(_) => "the cell is empty, so the row belongs to no room",
            None => "the row belongs to no room",
        };
        let hint = "fill in the cell, or leave the row out with `where`";
        mistake(row, Code::BadCell, column, message)
            .hint(hint)
            .into()
    }

    /// Corrects the counts of roster rows that match only unused rows of the other table. Warns of
    /// roster rows that match no row. Returns the unused rows that the asked user's rows match.
    pub(crate) fn finish(mut self, asked: Option<UserId>) -> Vec<Place> {
        let (each, mut unused) = (self.each, Vec::new());
        for (key, group) in &mut self.groups {
            let members = &group.members;
            let has_asked = || asked.is_some() && members.today().any(|it| Some(it.user) == asked);
            // Rows of `each` that `where` leaves out may not have been visited, so search for the
            // key. The asked user also needs the places of rows that were visited.
            let is_left_out = group.joined == Some(RowUse::LeftOut);
            if group.joined.is_none() || is_left_out && has_asked() {
                let rows = each.rows_with(&self.columns, key.split(BETWEEN));
                group.joined = rows.first().map(|_| RowUse::LeftOut);
                if has_asked() {
                    unused.extend(rows);
                }
            }
            let row_use = group.joined.unwrap_or(RowUse::Unmatched);
            self.roster.recount(group.used, row_use);
        }
        self.warn_of_unjoined();
        unused
    }

    fn warn_of_unjoined(&self) {
        let each = self.each;
        let groups = self
            .groups
            .iter()
            .filter(|(_, group)| group.joined.is_none());
        let mut left: Vec<(&String, &Group)> = groups.collect();
        if left.is_empty() {
            return;
        }
        // A key may refer to a row with too few or too many cells, which is already reported.
        let ragged = each.ragged_cells();
        left.retain(|(key, _)| !key.split(BETWEEN).all(|part| ragged.contains(part)));
        left.sort_by_key(|(key, group)| (group.first, *key));
        let Some((_, first)) = left.first().filter(|_| left.len() > MOST_UNJOINED) else {
            let warnings = left.iter().map(|(key, group)| self.unjoined(key, group));
            return self.roster.problems.extend(warnings);
        };
        // With so many unmatched rows, the columns are probably wrong.
        let rows: usize = left.iter().map(|(_, group)| group.rows).sum();
        let (roster, each) = (&self.roster.file.name, &each.file.name);
        let message =
            format!("{rows} rows of `{roster}` match no row of `{each}`; only the first is shown");
        let hint = "check the columns of `on`; no one is added for these rows";
        let problems = self.roster.problems;
        problems.note(Code::Unjoined, first.first, message, hint);
    }

    fn unjoined(&self, key: &str, group: &Group) -> Diagnostic {
        let more = match group.rows {
            1 => String::new(),
            2 => "; 1 more row of the roster has this value".to_owned(),
            rows => format!("; {} more rows of the roster have this value", rows - 1),
        };
        let (key, name) = (clip(&key.replace(BETWEEN, ", ")), &self.each.file.name);
        let column = group
            .column
            .and_then(|place| self.roster.header.columns.get(place));
        let column = column.map(|column| format!(":{}", clip(column)));
        let (file, line) = (&self.roster.file.source.name, group.line);
        let place = format!("{file}:{line}{}", column.unwrap_or_default());
        let message = format!("{place}: `{key}` is not in any row of `{name}`{more}");
        let hint = format!("fix the cell, or add a row to `{name}`");
        Diagnostic::at(Code::Unjoined, group.first, message).hint(hint)
    }
}

impl Group {
    fn new(row: &Row<'_>, own: &[Option<Column>]) -> Self {
        let mut own = own.iter().flatten();
        let column = own.find(|column| !row.cell(column).is_empty());
        Self {
            members: MemberList::default(),
            rows: 0,
            used: 0,
            first: column.map_or_else(|| row.at(), |column| row.cell_at(column)),
            line: row.start.line,
            column: column.and_then(|column| column.index(row.number)),
            joined: None,
        }
    }
}

/// Creates a diagnostic for a cell, or for a whole row.
fn mistake(row: &Row<'_>, code: Code, column: Option<&Column>, message: &str) -> Diagnostic {
    match column {
        Some(column) => row.mistake(code, column, message),
        None => Diagnostic::at(
            code,
            row.at(),
            format!("{}: {message}", row.file_and_line()),
        ),
    }
}

impl Via {
    fn new(raw: &RawVia, on: &RawOn, roster: TableUse<'_>, tables: &Tables) -> Option<Self> {
        let table = tables.get(&raw.file, roster.problems)?;
        let keys = resolved(raw.on.iter().map(|(own, _)| table.column(own)));
        let columns = resolved(raw.on.iter().map(|(_, name)| roster.column(name)));
        let wanted = resolved(on.iter().map(|(name, _)| {
            let mut to = raw.to.iter();
            match to.find(|(other, _)| is_same_key(&other.value, &name.value)) {
                Some((_, own)) => table.column(own).map(Some),
                None if raw.to.is_empty() => table.column(name).map(Some),
                None => Some(None),
            }
        }));
        let selection = table.selection();
        let (keys, wanted, columns, selection) = (keys?, wanted?, columns?, selection?);
        let mut cells = HashMap::new();
        let visited = table.rows(&selection, |row, presence| {
            let key = join_cells(keys.iter().map(|column| row.cell(column)));
            let known: &mut Option<(Vec<String>, Presence)> =
                cells.entry(key.into_owned()).or_default();
            let Some(presence) = presence else {
                return RowUse::LeftOut;
            };
            let cell = |column: &Option<Column>| column.as_ref().map_or("", |it| row.cell(it));
            let cells = wanted.iter().map(|column| cell(column).to_owned());
            let cells: Vec<String> = cells.collect();
            match (known, keys.first()) {
                (Some((first, dates)), Some(column)) if dates.today => {
                    if presence.today && *first != cells && !row.cell(column).is_empty() {
                        let shown = clip(row.cell(column));
                        let message = format!("an earlier row also has `{shown}`, but different values in other columns");
                        let mistake = row.mistake(Code::BadCell, column, &message);
                        let hint = "remove one of the rows, or leave it out with `where`";
                        table.problems.push(mistake.hint(hint));
                        return RowUse::Invalid;
                    }
                }
                (known, _) => *known = Some((cells, presence)),
            }
            RowUse::of(Some(presence))
        });
        // A key may refer to a row with too few or too many cells, which is already reported.
        for cell in table.ragged_cells() {
            cells.entry(cell).or_default();
        }
        table.check_empty(visited.rows);
        Some(Self {
            name: table.file.name.clone(),
            cells,
            columns,
        })
    }

    /// Returns the key to look up in this table for a row of the roster.
    fn key_of<'k>(&self, row: &'k Row<'_>) -> Cow<'k, str> {
        join_cells(self.columns.iter().map(|column| row.cell(column)))
    }
}

/// Returns a value that has the same hash for all equal uses of `via` or `moved`.
pub(crate) fn via_content(via: &RawVia, tables: &Tables) -> impl Hash {
    (tables.content(&via.file), &via.on, &via.to)
}

fn join_cells<'k>(mut cells: impl Iterator<Item = &'k str>) -> Cow<'k, str> {
    let mut key = Cow::from(cells.next().unwrap_or_default());
    for cell in cells {
        let key = key.to_mut();
        key.push(BETWEEN);
        key.push_str(cell);
    }
    key
}
