//! Finds rows by the text of a cell.
//!
//! Main type: [`Index`]. It stores only hashes, so it may find rows that do not match.
//! The caller checks each row again.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use super::condition::{LIST_DELIMITERS, lists_in};

/// The index of one column: pairs of the hash of a text and the index of a row, sorted by hash.
#[derive(Debug, Default)]
pub(crate) struct Index {
    hasher: RandomState,
    /// The pairs for whole cells that are not empty.
    pub(super) cells: Vec<(u32, u32)>,
    /// For each delimiter, a pair with the first row whose cell is certainly a list with that
    /// delimiter.
    pub(super) lists: Vec<(u32, u32)>,
    /// A pair for each element of each cell that contains a delimiter.
    pub(super) elements: Vec<(u32, u32)>,
}

impl Index {
    fn hash(&self, text: &str) -> u32 {
        self.hasher.hash_one(text) as u32
    }

    pub(super) fn add(&mut self, cell: &str, row: u32, listed: &mut BTreeSet<&str>) {
        if cell.is_empty() {
            return;
        }
        self.cells.push((self.hash(cell), row));
        for delimiter in LIST_DELIMITERS {
            if cell.contains(delimiter) {
                let values = cell.split(delimiter).map(str::trim);
                let pairs: Vec<_> = values.map(|value| (self.hash(value), row)).collect();
                self.elements.extend(pairs);
            }
        }
        for (delimiter, is_prose) in lists_in(cell) {
            if !is_prose && listed.insert(delimiter) {
                self.lists.push((self.hash(delimiter), row));
            }
        }
    }

    /// Sorts the pairs, which [`Self::find`] requires. Call this after all cells are added.
    pub(super) fn sorted(mut self) -> Self {
        self.cells.sort_unstable();
        self.lists.sort_unstable();
        self.elements.sort_unstable();
        self
    }

    /// Returns the pairs of the cells that may be equal to `text`. If `as_element` is set, also
    /// returns the pairs of the cells that may be lists with `text` as an element.
    pub(super) fn wanted(&self, text: &str, as_element: bool) -> [&[(u32, u32)]; 2] {
        let elements = as_element.then(|| self.find(&self.elements, text));
        [self.find(&self.cells, text), elements.unwrap_or_default()]
    }

    /// Returns the pairs with the hash of this text.
    pub(super) fn find<'i>(&self, pairs: &'i [(u32, u32)], text: &str) -> &'i [(u32, u32)] {
        let hash = self.hash(text);
        let from = pairs.partition_point(|(other, _)| *other < hash);
        let to = pairs.partition_point(|(other, _)| *other <= hash);
        pairs.get(from..to).unwrap_or_default()
    }
}
