//! The rows that a use of a table selects, and the count of what became of each row.
//!
//! Main types: [`Selection`] and [`RowCounts`].

use super::condition::parse_date;
use super::diagnostic::Problems;
use super::number::whole_number;
use super::row::{Column, Filter, Row};
use crate::model::{Date, Presence};

/// The conditions and the dates of rows, and the numbered columns that multiply them.
#[derive(Debug)]
pub(crate) struct Selection<'f> {
    pub(crate) numbered: Vec<Column>,
    pub(crate) filters: Vec<Filter<'f>>,
    pub(crate) from: Option<Column>,
    pub(crate) until: Option<Column>,
    pub(crate) days: Option<Column>,
    /// The columns that make a readable name.
    pub(crate) show: Vec<Column>,
}

impl Selection<'_> {
    /// Returns when a row is declared; `None` if a condition leaves it out. Bad cells are reported.
    pub(crate) fn presence(
        &self,
        row: &Row<'_>,
        today: Date,
        problems: &mut Problems,
    ) -> Option<Presence> {
        if !row.check_filters(&self.filters, problems) {
            return None;
        }
        let mut date = |column: &Option<Column>| {
            let column = column.as_ref()?;
            let cell = Some(row.cell(column)).filter(|cell| !cell.is_empty())?;
            let date = parse_date(cell);
            problems.extend(date.is_none().then(|| row.bad_date(column)));
            date
        };
        let (from, until) = (date(&self.from), date(&self.until));
        let last = self.days.as_ref().and_then(|column| {
            let cell = Some(row.cell(column)).filter(|cell| !cell.is_empty())?;
            let days = whole_number(cell);
            problems.extend(days.is_none().then(|| row.bad_number(column)));
            from?.last_of(days.filter(|days| *days > 0)?)
        });
        let until = until.into_iter().chain(last).min();
        Some(Presence::between(from, until, today))
    }
}

/// What became of a row. A row with several users, or with several reasons, counts as the last of these that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RowUse {
    /// It has no cells that count.
    Blank,
    /// A `where` leaves it out: its own, or that of the person or the row that it names.
    LeftOut,
    /// Today is outside its dates.
    OutsideDates,
    /// It has an error.
    Invalid,
    /// An earlier row has the same value of the `distinct` column.
    Repeated,
    /// It joins no row.
    Unmatched,
    Used,
}

/// The names of what becomes of a row, in the order of [`RowUse`].
const NAMES: [&str; 7] = [
    "blank",
    "left_out",
    "outside_dates",
    "invalid",
    "repeated",
    "unmatched",
    "used",
];

impl RowUse {
    pub(crate) fn of(presence: Option<Presence>) -> Self {
        match presence {
            None => Self::LeftOut,
            Some(Presence { today: false, .. }) => Self::OutsideDates,
            Some(_) => Self::Used,
        }
    }
}

/// The number of rows by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCounts([usize; NAMES.len()]);

impl RowCounts {
    /// Returns the number of all rows.
    pub fn read(&self) -> usize {
        self.0.iter().sum()
    }

    /// Returns each count with its name.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, usize)> {
        NAMES.into_iter().zip(self.0)
    }

    pub(crate) fn has(&self, row_use: RowUse) -> bool {
        self.0.get(row_use as usize).is_some_and(|count| *count > 0)
    }

    pub(crate) fn add(&mut self, row_use: RowUse, rows: usize) {
        self.0
            .get_mut(row_use as usize)
            .into_iter()
            .for_each(|count| *count += rows);
    }

    /// Counts rows under another use, if they were counted as used before.
    pub(crate) fn move_used(&mut self, rows: usize, row_use: RowUse) {
        let [.., used] = &mut self.0;
        *used -= rows;
        self.add(row_use, rows);
    }
}
