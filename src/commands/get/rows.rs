//! The rows of a list: which fields they have, and in which order they are shown.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::model::{Cell, Row};

/// Fields to sort by; true for descending.
pub(super) type Order = Vec<(String, bool)>;

/// The fields of all rows in the order in which they first occur, and whether any row has a value there.
pub(super) fn fields(rows: &[Row]) -> Vec<(String, bool)> {
    let mut fields: Vec<(String, bool)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (name, cell) in rows.iter().flat_map(|row| &row.fields) {
        let place = *places.entry(name).or_insert(fields.len());
        match fields.get_mut(place) {
            Some((_, filled)) => *filled |= *cell != Cell::Nothing,
            None => fields.push((name.clone(), *cell != Cell::Nothing)),
        }
    }
    fields
}

/// Sorts rows; equal ones stay in the server's order.
pub(super) fn sort(rows: &mut [Row], order: &Order) {
    if order.is_empty() {
        return;
    }
    rows.sort_by_cached_key(|row| {
        let keys = order.iter();
        keys.map(|(name, descending)| SortKey {
            value: SortValue::new(row.get(name)),
            descending: *descending,
        })
        .collect::<Vec<_>>()
    });
}

#[derive(Debug, PartialEq)]
struct SortKey {
    value: SortValue,
    descending: bool,
}

/// What a cell is sorted by: nothing, then numbers, then texts.
#[derive(Debug, PartialEq)]
enum SortValue {
    Nothing,
    /// By value, and by digits where floats no longer tell one number from the next.
    Number(f64, Option<i128>),
    Text(String),
}

impl SortValue {
    fn new(cell: Option<&Cell>) -> Self {
        match cell {
            None | Some(Cell::Nothing) => Self::Nothing,
            Some(Cell::Truth(truth)) => Self::Number(f64::from(u8::from(*truth)), None),
            Some(Cell::Number(text) | Cell::Text(text) | Cell::Nested(text)) => {
                // Ids come as texts too.
                let number = text.parse().ok().filter(|number: &f64| number.is_finite());
                number.map_or_else(
                    || Self::Text(text.clone()),
                    |number| Self::Number(number, text.parse().ok()),
                )
            }
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Number(..) => 1,
            Self::Text(_) => 2,
        }
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let ordering = match (&self.value, &other.value) {
            (SortValue::Number(left, digits), SortValue::Number(right, others)) => {
                left.total_cmp(right).then(digits.cmp(others))
            }
            (SortValue::Text(left), SortValue::Text(right)) => left.cmp(right),
            (left, right) => left.rank().cmp(&right.rank()),
        };
        if self.descending {
            ordering.reverse()
        } else {
            ordering
        }
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for SortKey {}
