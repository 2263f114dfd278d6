//! Selects the rows of a table for one use.
//!
//! Main type: [`Selection`].

use super::condition::parse_date;
use super::number::whole_number;
use super::row::{Column, DATE_HINT, Filter, Row};
use crate::model::Presence;

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
