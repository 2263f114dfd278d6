//! Readable names of users, for output only.
//!
//! Main type: [`DisplayNames`]. It is filled while people and rosters are read.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::model::UserId;
use crate::tables::row::{Column, Row};

/// The readable name of each user: made from the `show` columns of a row, else a name from `people`. Of several names of the same
/// kind, the first is used.
#[derive(Debug, Default)]
pub(super) struct DisplayNames(RefCell<BTreeMap<UserId, DisplayName>>);

#[derive(Debug)]
struct DisplayName {
    text: String,
    /// Whether the name is made from `show` columns.
    is_shown: bool,
}

impl DisplayNames {
    /// Adds a name by which a user may be listed.
    pub(super) fn add(&self, user: UserId, name: &str) {
        let mut names = self.0.borrow_mut();
        names.entry(user).or_insert_with(|| DisplayName {
            text: name.to_owned(),
            is_shown: false,
        });
    }

    /// Adds the name made from the `show` columns of a row, without empty cells. Returns whether there is such a name.
    pub(super) fn add_shown(&self, user: UserId, row: &Row<'_>, show: &[Column]) -> bool {
        let cells = show.iter().map(|column| row.cell(column));
        let cells: Vec<&str> = cells.filter(|cell| !cell.is_empty()).collect();
        if cells.is_empty() {
            return false;
        }
        let shown = || DisplayName {
            text: cells.join(" "),
            is_shown: true,
        };
        match self.0.borrow_mut().entry(user) {
            Entry::Vacant(free) => drop(free.insert(shown())),
            Entry::Occupied(known) if known.get().is_shown => {}
            Entry::Occupied(mut known) => drop(known.insert(shown())),
        }
        true
    }

    /// Returns the names by user.
    pub(super) fn finish(self) -> BTreeMap<UserId, String> {
        let names = self.0.into_inner().into_iter();
        names.map(|(user, name)| (user, name.text)).collect()
    }
}
