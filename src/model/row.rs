//! A raw row of one of the server's lists, for display and scripts. No decision depends on it.

use std::sync::Arc;

/// One of the server's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Listing {
    /// The rooms of a widget.
    Rooms,
    /// The users of a widget.
    Users,
    /// The messages in the widget's rooms.
    Messages,
}

impl Listing {
    /// Returns the list's name on the command line and in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rooms => "rooms",
            Self::Users => "users",
            Self::Messages => "messages",
        }
    }

    /// Returns the noun for one row.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Rooms => "room",
            Self::Users => "user",
            Self::Messages => "message",
        }
    }
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// No value.
    Nothing,
    /// A boolean.
    Truth(bool),
    /// A number as JSON writes it.
    Number(String),
    /// A raw text.
    Text(String),
    /// A list or an object, as JSON.
    Nested(String),
}

/// The fields of a row in the server's order, without duplicate names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Rows with the same names share one allocation.
    names: Arc<[String]>,
    cells: Box<[Cell]>,
}

impl Row {
    /// Creates a row. There is one name for each cell.
    pub fn new(names: Arc<[String]>, cells: Vec<Cell>) -> Self {
        let cells = cells.into();
        Self { names, cells }
    }

    /// The names and values of all fields.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Cell)> {
        self.names.iter().map(String::as_str).zip(&self.cells)
    }

    /// Returns the value of a field; `None` if the row does not have it.
    pub fn get(&self, name: &str) -> Option<&Cell> {
        self.fields()
            .find_map(|(known, cell)| (known == name).then_some(cell))
    }
}
