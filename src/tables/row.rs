//! A row of a table: its cells by column, errors in its cells, and the conditions that select it.
//!
//! Main types: [`Row`], and [`Selection`], which selects rows for one use of a table.

use std::cell::Cell;

use csv::StringRecord;

use super::condition::{Condition, LIST_DELIMITERS, parse_date};
use super::diagnostic::{At, Code, Diagnostic, clip};
use super::dialect::{Start, cell_offset, trimmed};
use super::input::RawFilter;
use super::nearest::nearest;
use super::number::whole_number;
use super::table::TableUse;
use crate::model::{Place, Presence};

/// Maximum number of allowed values that a message lists.
const MOST_NAMED: usize = 8;

/// The hint for a cell that is not a date.
pub(crate) const DATE_HINT: &str = "write it in the form 2026-09-01";

/// A column that was found in a table.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// The name as written in the file; for a numbered column, without the number.
    pub(crate) name: String,
    pub(crate) place: Cells,
}

/// The positions of a column's cells in a record.
#[derive(Debug, Clone)]
pub(crate) enum Cells {
    /// The cell is always at this index.
    At(usize),
    /// The indices of the cells for numbers 1, 2, …; `None` for a number that the file lacks.
    Numbered(Vec<Option<usize>>),
    /// The cell at this index has values for several rows, separated by this text.
    Parts(usize, String),
    /// The column is optional, and the file lacks it.
    Absent,
}

impl Column {
    /// Returns the index of the cell. `number` is the number of the row among the rows of its
    /// record, from 0.
    pub(super) fn index(&self, number: usize) -> Option<usize> {
        match &self.place {
            Cells::At(place) | Cells::Parts(place, _) => Some(*place),
            Cells::Numbered(places) => places.get(number).copied().flatten(),
            Cells::Absent => None,
        }
    }

    /// Returns the indices of all its cells.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        let (one, many) = match &self.place {
            Cells::At(place) | Cells::Parts(place, _) => (Some(*place), &[][..]),
            Cells::Numbered(places) => (None, places.as_slice()),
            Cells::Absent => (None, &[][..]),
        };
        one.into_iter().chain(many.iter().copied().flatten())
    }

    /// Returns the trimmed cell in the row that is made for this number and value.
    pub(super) fn cell<'r>(
        &self,
        record: &'r StringRecord,
        (number, value): (usize, &'r str),
    ) -> &'r str {
        match &self.place {
            Cells::Parts(..) => value,
            _ => {
                let cell = self.index(number).and_then(|index| record.get(index));
                cell.map_or("", trimmed)
            }
        }
    }
}

/// Returns the number and the value of each row that a record makes: one row for each value of
/// `first`. Without `first`, a record makes one row.
pub(super) fn row_values<'r>(
    record: &'r StringRecord,
    first: Option<&'r Column>,
) -> impl Iterator<Item = (usize, &'r str)> {
    let (numbered, list) = match first.map(|column| &column.place) {
        Some(Cells::Numbered(places)) => (places.as_slice(), None),
        Some(Cells::Parts(place, split)) => (&[][..], record.get(*place).zip(Some(split))),
        _ => (&[][..], None),
    };
    let numbered = numbered.iter();
    let numbered = numbered.map(|place| place.and_then(|place| record.get(place)));
    let values = numbered.map(|cell| cell.map_or("", trimmed));
    let list = list
        .into_iter()
        .flat_map(|(cell, split)| parts(cell, split));
    let values = values.chain(list).enumerate();
    let values = values.filter(|(_, value)| !value.is_empty());
    values.chain(first.is_none().then_some((0, "")))
}

/// A condition, and the column that it applies to.
#[derive(Debug)]
pub(crate) struct Filter<'f> {
    raw: &'f RawFilter,
    pub(super) column: Column,
    /// Whether a cell with several values was already reported.
    has_warned: Cell<bool>,
}

impl<'f> Filter<'f> {
    pub(crate) fn new(raw: &'f RawFilter, column: Column) -> Self {
        Self {
            raw,
            column,
            has_warned: Cell::new(false),
        }
    }

    /// Returns the texts that a matching cell may be equal to, and whether a text may also be
    /// an element of a list in the cell. Returns `None` if an index cannot find the matching
    /// rows.
    pub(super) fn wanted(&self) -> Option<(&'f [String], bool)> {
        let (texts, as_element) = match &self.raw.condition {
            _ if self.raw.any_case || self.raw.known.is_some() => return None,
            Condition::OneOf(texts) => (texts.as_slice(), false),
            Condition::Has(texts, split) if LIST_DELIMITERS.contains(&split.as_str()) => {
                (texts.as_slice(), true)
            }
            _ => return None,
        };
        // An index has no empty cells.
        (!texts.iter().any(String::is_empty)).then_some((texts, as_element))
    }

    /// Returns the texts that whole cells are compared with. Returns an empty list if a format
    /// defines the values of the column.
    pub(super) fn whole_cells(&self) -> &'f [String] {
        match self.raw.known {
            Some(_) => &[],
            None => self.raw.condition.whole_cells(),
        }
    }

    fn accepts(&self, cell: &str) -> bool {
        let condition = &self.raw.condition;
        let is_unknown = matches!(condition, Condition::Not(_)) && self.is_unknown(cell);
        condition.accepts(cell, self.raw.any_case) && !is_unknown
    }

    /// Whether the value is in neither the format nor the condition.
    fn is_unknown(&self, cell: &str) -> bool {
        let Some(known) = &self.raw.known else {
            return false;
        };
        let texts = self.raw.condition.whole_cells();
        let is_same = |word: &String| word.eq_ignore_ascii_case(cell);
        !texts.is_empty()
            && !known.words.iter().any(is_same)
            && !texts.iter().any(|text| text == cell)
    }

    /// Whether the cell has a value that is invalid for its column.
    fn is_bad(&self, cell: &str) -> bool {
        self.is_unknown(cell) || self.raw.condition.is_bad_date(cell)
    }
}

/// A row of a table, or one of several rows made from a record by `numbered` or `expand`.
#[derive(Debug)]
pub(crate) struct Row<'r> {
    pub(crate) record: &'r StringRecord,
    /// The number of this row among the rows of its record, from 0.
    pub(crate) number: usize,
    /// The value of the `numbered` or `expand` column that this row is made for.
    pub(super) value: &'r str,
    pub(crate) table: TableUse<'r>,
    pub(crate) start: Start,
}

/// Returns the values of a cell, without empty ones.
pub(crate) fn parts<'c>(cell: &'c str, split: &str) -> impl Iterator<Item = &'c str> {
    let parts = cell.split(split).map(str::trim);
    parts.filter(|part| !part.is_empty())
}

impl Row<'_> {
    /// Returns a trimmed cell.
    pub(crate) fn cell(&self, column: &Column) -> &str {
        column.cell(self.record, (self.number, self.value))
    }

    /// Returns whether all conditions match. Reports an invalid value only if all other conditions
    /// match.
    fn check_filters(&self, filters: &[Filter<'_>]) -> bool {
        let (problems, mut failing) = (self.table.problems, Vec::new());
        for filter in filters {
            let cell = self.cell(&filter.column);
            problems.extend(self.list_in_cell(filter, cell));
            if !filter.accepts(cell) {
                failing.push((filter, cell));
            }
        }
        if failing.iter().all(|(filter, cell)| filter.is_bad(cell)) {
            problems.extend(failing.iter().map(|(filter, _)| self.bad_cell(filter)));
        }
        failing.is_empty()
    }

    /// Returns a warning if the cell has several values, but the condition compares it as a
    /// whole. Only the first such cell gets a warning.
    fn list_in_cell(&self, filter: &Filter<'_>, cell: &str) -> Option<Diagnostic> {
        if filter.has_warned.get() || filter.whole_cells().is_empty() {
            return None;
        }
        let delimiter = filter.raw.condition.find_list(cell)?;
        filter.has_warned.set(true);
        let message = format!(
            "`{}` has several values, but `where` compares whole cells",
            clip(cell)
        );
        let mistake = self.mistake(Code::ListInCell, &filter.column, &message);
        let hint = match &filter.raw.condition {
            Condition::Not(_) => "check that `not` leaves out the right rows".to_owned(),
            _ => format!("to match one of them, write {{has: VALUE, split: \"{delimiter}\"}}"),
        };
        Some(mistake.hint(hint))
    }

    fn bad_cell(&self, filter: &Filter<'_>) -> Diagnostic {
        match filter.raw.condition.is_bad_date(self.cell(&filter.column)) {
            true => self.bad_value(&filter.column, "a date", DATE_HINT),
            false => self.unknown_cell(filter),
        }
    }

    fn bad_value(&self, column: &Column, wanted: &str, hint: &str) -> Diagnostic {
        let message = format!("`{}` is not {wanted}", clip(self.cell(column)));
        self.mistake(Code::BadCell, column, &message).hint(hint)
    }

    fn unknown_cell(&self, filter: &Filter<'_>) -> Diagnostic {
        let cell = self.cell(&filter.column);
        let values = filter.raw.condition.whole_cells();
        let format = filter.raw.known.as_ref();
        let others = format.iter().flat_map(|known| &known.words);
        let others = others.filter(|word| !values.contains(word));
        let known = values.iter().chain(others);
        let known = known.map(String::as_str).filter(|known| !known.is_empty());
        let names: Vec<&str> = known.clone().take(MOST_NAMED).collect();
        let what = match cell {
            "" => "the cell is empty".to_owned(),
            cell => format!("`{}` is not a known value", clip(cell)),
        };
        let has_more = known.clone().count() > MOST_NAMED;
        let more = if has_more { ", …" } else { "" };
        let message = format!("{what}; expected one of {}{more}", names.join(", "));
        let hint = match nearest(cell, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format.map_or("", |known| known.hint).to_owned(),
        };
        self.mistake(Code::BadCell, &filter.column, &message)
            .hint(hint)
    }

    /// Returns the start of the row.
    pub(crate) fn at(&self) -> At {
        At::new(self.table.file.id, self.start.byte as usize)
    }

    /// Returns the start of the row as a [`Place`].
    pub(crate) fn to_place(&self) -> Place {
        Place {
            file: self.table.file.id,
            line: self.start.line,
        }
    }

    /// Returns the start of a cell; for an absent column, the start of the row.
    pub(crate) fn cell_at(&self, column: &Column) -> At {
        let index = column.index(self.number).unwrap_or_default();
        let row = self.table.text().get(self.start.byte as usize..);
        let within = cell_offset(row.unwrap_or_default(), self.table.header.delimiter, index);
        At::new(self.table.file.id, self.start.byte as usize + within)
    }

    /// Returns all cells with their column names.
    pub(crate) fn cells(&self) -> Vec<(&str, &str)> {
        let names = self.table.header.columns.iter().map(String::as_str);
        let cells = self.record.iter().map(|cell| cell.trim());
        names.zip(cells).collect()
    }

    /// Creates a diagnostic for a cell.
    pub(crate) fn mistake(&self, code: Code, column: &Column, message: &str) -> Diagnostic {
        let name = column
            .index(self.number)
            .and_then(|place| self.table.header.columns.get(place))
            .unwrap_or(&column.name);
        let message = format!("{}:{}: {message}", self.file_and_line(), clip(name));
        Diagnostic::at(code, self.cell_at(column), message)
    }

    /// Returns the file and line, as in `enrollments.csv:214`.
    pub(crate) fn file_and_line(&self) -> String {
        format!("{}:{}", self.table.file.source.name, self.start.line)
    }
}

/// The conditions and dates that select rows.
#[derive(Debug)]
pub(crate) struct Selection<'f> {
    /// The first column that makes several rows of a record.
    pub(crate) numbered: Option<Column>,
    pub(crate) filters: Vec<Filter<'f>>,
    pub(crate) from: Option<Column>,
    pub(crate) until: Option<Column>,
    pub(crate) days: Option<Column>,
    /// The columns that make up the readable name of a user.
    pub(crate) show: Vec<Column>,
    /// Whether rows that a condition leaves out may be skipped.
    pub(crate) may_skip: bool,
}

impl Selection<'_> {
    /// Returns the dates of a row; `None` if a condition leaves the row out. Invalid cells are
    /// reported.
    pub(crate) fn presence<'r>(&'r self, row: &'r Row<'_>) -> Option<Presence> {
        if !row.check_filters(&self.filters) {
            return None;
        }
        let problems = row.table.problems;
        let given = |column: &'r Option<Column>| {
            let column = column.as_ref()?;
            let cell = row.cell(column);
            (!cell.is_empty()).then_some((column, cell))
        };
        let date = |column| {
            let (column, cell) = given(column)?;
            parse_date(cell).or_else(|| {
                problems.push(row.bad_value(column, "a date", DATE_HINT));
                None
            })
        };
        let (from, until) = (date(&self.from), date(&self.until));
        let last = given(&self.days).and_then(|(column, cell)| {
            let days = whole_number(cell);
            let hint = "write a whole number, or leave the cell empty";
            let bad = || row.bad_value(column, "a number of days", hint);
            problems.extend(days.is_none().then(bad));
            from?.last_of(days.filter(|days| *days > 0)?)
        });
        let until = until.into_iter().chain(last).min();
        Some(Presence::between(from, until, row.table.today))
    }
}
