//! A row of one of the server's lists as it came, for people and scripts to look at; nothing is decided by it.

/// The lists the server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Listing {
    /// The rooms of a widget.
    Rooms,
    /// Its users.
    Users,
    /// The messages in its rooms.
    Messages,
}

impl Listing {
    /// Its name on the command line and in machine output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rooms => "rooms",
            Self::Users => "users",
            Self::Messages => "messages",
        }
    }

    /// What one row of it is.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Rooms => "room",
            Self::Users => "user",
            Self::Messages => "message",
        }
    }
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Nothing,
    /// Yes or no.
    Truth(bool),
    /// A number as JSON writes it.
    Number(String),
    /// A text, raw.
    Text(String),
    /// A list or an object, as JSON.
    Nested(String),
}

/// The fields of a row in the server's order, each name once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Names and values.
    pub fields: Vec<(String, Cell)>,
}

impl Row {
    /// The value of a field; `None` if the row does not have it.
    pub fn get(&self, name: &str) -> Option<&Cell> {
        let mut fields = self.fields.iter();
        fields.find_map(|(known, cell)| (known == name).then_some(cell))
    }
}
