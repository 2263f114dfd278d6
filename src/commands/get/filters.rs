//! `get`'s flags -> what is asked of the server, and what is asked once more of each row that comes back: the samples of the
//! API's own pages show rows that their filters exclude.

use crate::cli::{GetList, MessageFilters, RoomFilters, UserFilters};
use crate::imbachat::Query;
use crate::model::{Cell, Listing, Pipe, Row, WidgetId};
use crate::plan::RoomFilter;

/// A list and what its rows must be.
pub(super) struct Asked {
    pub(super) query: Query,
    widget: WidgetId,
    only: RoomFilter,
}

impl Asked {
    pub(super) fn new(list: &GetList, widget: WidgetId, only: RoomFilter) -> Self {
        let (listing, path, filters) = match list {
            GetList::Rooms(filters) => (Listing::Rooms, None, of_rooms(filters)),
            GetList::Users(filters) => (Listing::Users, None, of_users(filters)),
            GetList::Messages(filters) => (
                Listing::Messages,
                filters.endpoint.clone(),
                of_messages(filters),
            ),
        };
        let filters = filters
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let query = Query {
            listing,
            path,
            filters: filters.collect(),
        };
        Self {
            query,
            widget,
            only,
        }
    }

    /// Whether a row passes every filter that it tells enough of.
    pub(super) fn admits(&self, row: &Row) -> bool {
        let widget = self.widget.to_string();
        let mut filters = self.query.filters.iter();
        let asked = filters.all(|(name, wanted)| match (self.query.listing, *name) {
            (Listing::Rooms, "room_type") => is_number(row.get("type"), wanted),
            (Listing::Users, "id") => is_number(row.get("id"), wanted),
            (Listing::Users, "login") => is_text(row.get("login"), wanted, str::to_owned),
            (Listing::Users, "status") => is_text(row.get("status"), wanted, role),
            // `status` of rooms is that of a user in them, a row's own is another thing; of the others rows tell nothing.
            _ => true,
        });
        asked && is_number(row.get("imba_id"), &widget) && self.chooses(row)
    }

    fn chooses(&self, row: &Row) -> bool {
        let pipe = match row.get("pipe") {
            Some(Cell::Text(pipe)) => pipe.as_str(),
            _ => "",
        };
        self.only.is_all() || self.only.contains(&Pipe::new(pipe))
    }
}

type Filters = Vec<(&'static str, Option<String>)>;

fn of_rooms(filters: &RoomFilters) -> Filters {
    let RoomFilters {
        kind,
        status,
        count_users,
        last_message_date,
        banned,
        filter: _,
        reader: _,
    } = filters;
    vec![
        ("room_type", kind.map(|kind| kind.to_string())),
        ("status", status.clone()),
        ("count_users", count_users.map(|count| count.to_string())),
        ("last_message_date", last_message_date.clone()),
        ("banned", banned.map(flag)),
    ]
}

fn of_users(filters: &UserFilters) -> Filters {
    let UserFilters {
        login,
        id,
        status,
        last_message_date,
        banned,
    } = filters;
    vec![
        ("login", login.clone()),
        ("id", id.map(|id| id.to_string())),
        ("status", status.clone()),
        ("last_message_date", last_message_date.clone()),
        ("banned", banned.map(flag)),
    ]
}

fn of_messages(filters: &MessageFilters) -> Filters {
    let MessageFilters {
        date,
        id,
        kind,
        user_name,
        user_role,
        endpoint: _,
        reader: _,
    } = filters;
    vec![
        ("date", date.clone()),
        ("id", id.map(|id| id.to_string())),
        ("room_type", kind.map(|kind| kind.to_string())),
        ("user_name", user_name.clone()),
        ("user_role", user_role.clone()),
    ]
}

fn flag(truth: bool) -> String {
    u8::from(truth).to_string()
}

/// The page calls an administrator so, and writes `admin` in its sample.
fn role(status: &str) -> String {
    let status = status.to_lowercase();
    if status == "administrator" {
        "admin".to_owned()
    } else {
        status
    }
}

/// A value that is no number, or is not there, tells nothing.
fn is_number(cell: Option<&Cell>, wanted: &str) -> bool {
    !matches!(cell, Some(Cell::Number(number)) if number != wanted)
}

/// The server writes `NULL` for no text.
fn is_text(cell: Option<&Cell>, wanted: &str, normal: impl Fn(&str) -> String) -> bool {
    match cell {
        Some(Cell::Text(text)) => normal(text) == normal(wanted),
        Some(Cell::Nothing) => wanted == "NULL",
        _ => true,
    }
}
