//! For one use of a file, counts how many rows were used, were blank, had an error, and so on.
//!
//! Main type: [`RowCounts`].

use crate::model::Presence;

/// Counts the rows that were visited, and those among them that match all conditions.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Visited {
    pub(crate) rows: usize,
    pub(crate) matching: usize,
}

/// How a row is counted. Several variants may apply, for example if a row has several users.
/// The row is then counted under the last variant that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RowUse {
    /// All cells that the use reads are empty.
    Blank,
    /// A `where` leaves out the row, or something that the row names: a person, or a row of another
    /// file.
    LeftOut,
    /// Today is not within the dates of the row.
    OutsideDates,
    /// The row has an error.
    Invalid,
    /// An earlier row has the same value of the `distinct` column.
    Repeated,
    /// The row of a roster matches no row of a room.
    Unmatched,
    Used,
}

/// The names of the variants of [`RowUse`], in the same order.
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

/// The number of rows for each variant of [`RowUse`].
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
        if let Some(count) = self.0.get_mut(row_use as usize) {
            *count += rows;
        }
    }

    /// Moves `rows` rows from the count of [`RowUse::Used`] to the count of `row_use`.
    pub(crate) fn move_used(&mut self, rows: usize, row_use: RowUse) {
        let [.., used] = &mut self.0;
        *used -= rows;
        self.add(row_use, rows);
    }
}
