//! A joined roster's rows by their keys, and the warnings of keys that nobody asks for.
//!
//! Main type: [`Groups`].

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use super::super::diagnostic::{At, Code, Diagnostic, Problems, Sources};
use super::super::fields::clip;
use super::super::row::{Column, Row};
use super::super::table::Table;
use super::BETWEEN;
use crate::model::Member;

/// So many values without a row of the rooms' file are mistakes of their own; more are one.
const MOST_UNJOINED: usize = 20;

/// The roster's rows by their keys. Rows of one key mostly stand one after another.
#[derive(Default)]
pub(super) struct Groups {
    groups: IndexMap<String, Group, RandomState>,
    /// Where the group of the last row is.
    last: usize,
    /// Where the group behind the last that was asked for is.
    next: usize,
}

impl Groups {
    /// The group of a key; a new one if there is none yet.
    pub(super) fn of(&mut self, key: &str, new: impl FnOnce() -> Group) -> Option<&mut Group> {
        let last = self.groups.get_index(self.last);
        if last.is_none_or(|(last, _)| last != key) {
            let known = self.groups.get_index_of(key);
            self.last = known.unwrap_or_else(|| self.groups.insert_full(key.to_owned(), new()).0);
        }
        self.groups.get_index_mut(self.last).map(|(_, group)| group)
    }

    /// The group that a room's row asks for. Rooms mostly stand in the same order as the rows of their groups.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Group> {
        let next = self.groups.get_index(self.next);
        let is_next = next.is_some_and(|(next, _)| next == key);
        let place = match is_next {
            true => self.next,
            false => self.groups.get_index_of(key)?,
        };
        self.next = place + 1;
        self.groups.get_index_mut(place).map(|(_, group)| group)
    }

    /// Warns of rows that belong to no row of the rooms' file at all.
    pub(super) fn unjoined(
        self,
        own: &[Option<Column>],
        each: &Table,
        sources: &Sources,
        problems: &mut Problems,
    ) {
        let groups = self.groups.iter().filter(|(_, group)| !group.asked);
        let mut left: Vec<(&String, &Group)> = groups.collect();
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
            let each = left.iter().map(|(key, group)| {
                let place = group.place_of(own, sources);
                unjoined((key, place), group, each)
            });
            problems.extend(each);
        }
    }
}

/// The roster's rows of one key.
pub(super) struct Group {
    /// Their users, in the order of the roster.
    pub(super) members: Vec<Member>,
    /// The first of them: the cell that says what it belongs to.
    first: At,
    /// Which of the roster's own columns that cell is in.
    column: Option<usize>,
    pub(super) rows: usize,
    /// Whether a room's row had the key, be it one that `where` left out.
    pub(super) asked: bool,
}

impl Group {
    pub(super) fn new(row: &Row<'_>, own: &[Option<Column>]) -> Self {
        let mut columns = own.iter().enumerate();
        let first = columns.find_map(|(index, column)| {
            let column = column.as_ref()?;
            (!row.cell(column).is_empty()).then(|| (index, row.cell_at(column)))
        });
        Self {
            members: Vec::new(),
            first: first.map_or_else(|| row.at(), |(_, at)| at),
            column: first.map(|(index, _)| index),
            rows: 0,
            asked: false,
        }
    }

    /// `enrollments.csv:214:course_id`
    fn place_of(&self, own: &[Option<Column>], sources: &Sources) -> String {
        let place = sources.place(self.first);
        let file = sources.file(place.file);
        let file = file.map(|file| clip(&file.name)).unwrap_or_default();
        let column = self.column.and_then(|index| own.get(index)?.as_ref());
        let column = column.map(|column| format!(":{}", clip(&column.name)));
        format!("{file}:{}{}", place.line, column.unwrap_or_default())
    }
}

/// The warning of one value that no row of the rooms' file has.
fn unjoined((key, place): (&str, String), group: &Group, each: &Table) -> Diagnostic {
    let more = match group.rows {
        1 => String::new(),
        2 => "; 1 more row says so".to_owned(),
        rows => format!("; {} more rows say so", rows - 1),
    };
    let shown = clip(&key.replace(BETWEEN, ", "));
    let name = &each.name;
    let message = format!("{place}: `{shown}` is in no row of `{name}`{more}");
    Diagnostic::at(Code::Unjoined, group.first, message).hint(format!(
        "nobody is added for it; mend the cell, or add a row to `{name}`"
    ))
}

/// The warning of so many of them that something else is wrong.
fn all_unjoined(left: &[(&String, &Group)], each: &Table, sources: &Sources) -> Option<Diagnostic> {
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
