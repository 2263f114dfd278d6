//! A raw row of one of the server's lists, for display and scripts. No decision depends on it.

use std::sync::Arc;

use super::named_enum;

named_enum! {
    /// One of the server's lists.
    pub enum Listing {
        /// The rooms of a widget.
        Rooms = "rooms",
        /// The users of a widget.
        Users = "users",
        /// The messages in the widget's rooms.
        Messages = "messages",
    }
}

impl Listing {
    /// Returns the noun for one row.
    pub fn noun(self) -> &'static str {
        self.name().trim_end_matches('s')
    }

    /// Returns the documented fields of a row. For messages, returns those fields of a
    /// `send_msg` answer that may be shown.
    pub fn documented_fields(self) -> Vec<&'static str> {
        let names = match self {
            Self::Rooms => {
                "id pipe name admin_id type tab is_public created_at updated_at deleted_at status imba_id"
            }
            Self::Users => {
                "id remote_user_id login status created_at updated_at deleted_at user_data avatar_url imba_id"
            }
            Self::Messages => "id time room_id user_id message",
        };
        names.split(' ').collect()
    }
}

/// The value of one field of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// The row has no value for the field.
    Nothing,
    /// A JSON boolean.
    Truth(bool),
    /// A number, spelled as in the server's JSON.
    Number(String),
    /// A text that is not escaped.
    Text(String),
    /// A list or an object, as JSON.
    Nested(String),
}

/// The fields of a row in the server's order, without duplicate names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The names of the fields. Rows with the same names share one allocation.
    names: Arc<[String]>,
    cells: Box<[Cell]>,
}

impl Row {
    /// Creates a row from names and cells. Each cell must have one name.
    pub fn new(names: Arc<[String]>, cells: Vec<Cell>) -> Self {
        let cells = cells.into();
        Self { names, cells }
    }

    /// Returns the names and values of all fields.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Cell)> {
        self.names.iter().map(String::as_str).zip(&self.cells)
    }

    /// Returns the value of a field; `None` if the row does not have the field.
    pub fn get(&self, name: &str) -> Option<&Cell> {
        self.fields()
            .find_map(|(known, cell)| (known == name).then_some(cell))
    }
}
