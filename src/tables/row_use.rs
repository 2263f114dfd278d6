//! What became of the rows of a file, for one of its uses.
//!
//! Main type: [`RowCounts`].

use crate::model::Presence;

/// The number of rows that were visited, and of those that match all conditions.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Visited {
    pub(crate) rows: usize,
    pub(crate) matching: usize,
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
