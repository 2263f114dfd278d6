//! Readable names of users, for output only.
//!
//! Main type: [`DisplayNames`]. It is filled while people and rosters are read.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::model::UserId;
use crate::tables::row::{Column, Row};

/// The readable name of each user. A name from `show` columns takes precedence over a name from
/// `people`. Of several names from the same source, the first is used.
#[derive(Debug, Default)]
pub(super) struct DisplayNames {
    listed: RefCell<BTreeMap<UserId, String>>,
    shown: RefCell<BTreeMap<UserId, String>>,
}

impl DisplayNames {
    /// Adds a name from `people`.
    pub(super) fn add(&self, user: UserId, name: &str) {
        let mut names = self.listed.borrow_mut();
        names.entry(user).or_insert_with(|| name.to_owned());
    }

    /// Adds a name made from the `show` columns of a row. Returns `false` if all their cells are
    /// empty.
    pub(super) fn add_shown(&self, user: UserId, row: &Row<'_>, show: &[Column]) -> bool {
        let cells = show.iter().map(|column| row.cell(column));
        let cells: Vec<&str> = cells.filter(|cell| !cell.is_empty()).collect();
        if cells.is_empty() {
            return false;
        }
        let mut names = self.shown.borrow_mut();
        names.entry(user).or_insert_with(|| cells.join(" "));
        true
    }

    pub(super) fn finish(self) -> BTreeMap<UserId, String> {
        let mut names = self.listed.into_inner();
        names.extend(self.shown.into_inner());
        names
    }
}
