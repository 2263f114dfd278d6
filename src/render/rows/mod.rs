//! Rows of the server's lists: which columns they have, and each format.

mod csv;
mod table;

pub use csv::csv;
pub use table::{blocks, fit, table, widths};

use crate::model::{Listing, Row};

/// Which fields of the rows are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Columns {
    /// Whatever each row has.
    All,
    /// These, in this order.
    Named(Vec<String>),
}

impl Columns {
    fn named(&self) -> &[String] {
        match self {
            Self::All => &[],
            Self::Named(names) => names,
        }
    }
}

/// The fields a list is documented to have, as far as they may be shown; of messages those that an answer of send_msg has.
pub fn known(listing: Listing) -> &'static [&'static str] {
    match listing {
        Listing::Rooms => &[
            "id",
            "pipe",
            "name",
            "admin_id",
            "type",
            "tab",
            "is_public",
            "created_at",
            "updated_at",
            "deleted_at",
            "status",
            "imba_id",
        ],
        Listing::Users => &[
            "id",
            "remote_user_id",
            "login",
            "status",
            "created_at",
            "updated_at",
            "deleted_at",
            "user_data",
            "avatar_url",
            "imba_id",
        ],
        Listing::Messages => &["id", "time", "room_id", "user_id", "message"],
    }
}

/// The columns of CSV, given the fields that are there: always the documented ones; what else messages have is not known
/// before they are there.
pub fn csv_columns(listing: Listing, there: &[(String, bool)]) -> Vec<String> {
    if listing != Listing::Messages {
        return owned(known(listing));
    }
    let is_there = |name: &str| there.iter().any(|(field, _)| field == name);
    let common = known(listing).iter().copied().filter(|name| is_there(name));
    let others = there.iter().map(|(name, _)| name.as_str());
    let others = others.filter(|name| !known(listing).contains(name));
    owned(&common.chain(others).collect::<Vec<_>>())
}

/// The columns of a table, which has less room.
pub fn table_columns(listing: Listing, there: &[(String, bool)]) -> Vec<String> {
    let usual: &[&str] = match listing {
        Listing::Rooms => &[
            "id",
            "pipe",
            "name",
            "type",
            "is_public",
            "updated_at",
            "deleted_at",
        ],
        Listing::Users => &["id", "remote_user_id", "login", "status", "deleted_at"],
        Listing::Messages => known(listing),
    };
    let filled = |name: &str| there.iter().any(|(field, filled)| field == name && *filled);
    let is_there = |name: &str| there.iter().any(|(field, _)| field == name);
    let shown = usual.iter().copied().filter(|name| match listing {
        Listing::Messages => is_there(name),
        // Hardly ever is anything deleted, and then it matters.
        _ => *name != "deleted_at" || filled(name),
    });
    let shown = owned(&shown.collect::<Vec<_>>());
    if shown.is_empty() {
        there.iter().map(|(name, _)| name.clone()).collect()
    } else {
        shown
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The named fields of a row, or all of them.
pub(crate) fn shown<'a>(
    row: &'a Row,
    columns: &'a Columns,
) -> Vec<(&'a str, Option<&'a crate::model::Cell>)> {
    match columns {
        Columns::All => {
            let fields = row.fields.iter();
            fields
                .map(|(name, cell)| (name.as_str(), Some(cell)))
                .collect()
        }
        Columns::Named(names) => {
            let names = names.iter();
            names.map(|name| (name.as_str(), row.get(name))).collect()
        }
    }
}
