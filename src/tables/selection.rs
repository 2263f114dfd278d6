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
    pub(crate) fn presence(&self, row: &Row<'_>) -> Option<Presence> {
        if !row.check_filters(&self.filters) {
            return None;
        }
        let problems = row.table.problems;
        let date = |column: &Option<Column>| {
            let column = column.as_ref()?;
            let cell = Some(row.cell(column)).filter(|cell| !cell.is_empty())?;
            let date = parse_date(cell);
            problems.extend(
                date.is_none()
                    .then(|| row.bad_value(column, "a date", DATE_HINT)),
            );
            date
        };
        let (from, until) = (date(&self.from), date(&self.until));
        let last = self.days.as_ref().and_then(|column| {
            let cell = Some(row.cell(column)).filter(|cell| !cell.is_empty())?;
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
