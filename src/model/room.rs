//! The fields of a room: names, accessors, comparison and display.
//!
//! All code that differs between fields is here; other modules iterate over [`Field::ALL`].

use std::fmt;

use super::{named_enum, nfc};

/// A room's type. The server may hold undocumented numbers, which must be sent back unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoomKind {
    /// A conversation between two people; number 0 in the API.
    Dialog,
    /// A group; number 1 in the API.
    Conference,
    /// Technical support; number 3 in the API.
    Support,
    /// Any other number that the server returned.
    Other(i64),
}

impl RoomKind {
    /// Returns the number used by the API (`api: room_type`).
    pub fn number(self) -> i64 {
        match self {
            Self::Dialog => 0,
            Self::Conference => 1,
            Self::Support => 3,
            Self::Other(number) => number,
        }
    }

    /// Returns the type with this number. Unknown numbers are kept.
    pub fn from_number(number: i64) -> Self {
        match number {
            0 => Self::Dialog,
            1 => Self::Conference,
            3 => Self::Support,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for RoomKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dialog => f.write_str("dialog"),
            Self::Conference => f.write_str("conference"),
            Self::Support => f.write_str("support"),
            Self::Other(number) => write!(f, "type {number}"),
        }
    }
}

/// The fields that a write sets and a list shows, not normalized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomState {
    /// The title that users see.
    pub title: String,
    /// Whether the room is a dialog, a conference or a support room.
    pub kind: RoomKind,
    /// Whether anyone may join.
    pub public: bool,
}

named_enum! {
    /// A mutable field, in display order.
    pub enum Field {
        /// [`RoomState::title`].
        Title = "title",
        /// [`RoomState::kind`].
        Kind = "type",
        /// [`RoomState::public`].
        Public = "public",
    }
}

impl Field {
    /// Returns the field's name as a noun, for sentences.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Public => "visibility",
            field => field.name(),
        }
    }
}

/// A set of fields, as in a room's `ignore`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FieldSet(u8);

impl FromIterator<Field> for FieldSet {
    fn from_iter<T: IntoIterator<Item = Field>>(fields: T) -> Self {
        let mut set = Self::default();
        for field in fields {
            set.insert(field);
        }
        set
    }
}

impl FieldSet {
    /// Adds a field. Returns whether the field was new.
    pub fn insert(&mut self, field: Field) -> bool {
        let before = self.0;
        self.0 |= 1 << field as u8;
        self.0 != before
    }

    /// Returns the fields in display order.
    pub fn iter(self) -> impl Iterator<Item = Field> {
        Field::ALL
            .into_iter()
            .filter(move |field| self.contains(*field))
    }

    /// Whether the field is in the set.
    pub fn contains(self, field: Field) -> bool {
        self.0 & (1 << field as u8) != 0
    }
}

/// The value of one field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldValue<T = String> {
    /// The value of a text field. It is converted to NFC before it is compared.
    Text(T),
    /// The value of [`Field::Kind`].
    Kind(RoomKind),
    /// The value of [`Field::Public`].
    Public(bool),
}

/// Displays the value in words. Texts are not escaped.
impl<T: fmt::Display> fmt::Display for FieldValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Kind(kind) => kind.fmt(f),
            Self::Public(true) => f.write_str("public"),
            Self::Public(false) => f.write_str("closed"),
        }
    }
}

impl RoomState {
    /// Creates a state from a title, a type and visibility.
    pub fn new(title: impl Into<String>, kind: RoomKind, public: bool) -> Self {
        Self {
            title: title.into(),
            kind,
            public,
        }
    }

    /// Returns the value of a field, not normalized.
    pub fn raw(&self, field: Field) -> FieldValue<&str> {
        match field {
            Field::Title => FieldValue::Text(&self.title),
            Field::Kind => FieldValue::Kind(self.kind),
            Field::Public => FieldValue::Public(self.public),
        }
    }

    /// Returns the normalized value of a field. Desired and observed values are compared only in
    /// this form.
    pub fn value(&self, field: Field) -> FieldValue {
        match self.raw(field) {
            FieldValue::Text(text) => FieldValue::Text(nfc(text)),
            FieldValue::Kind(kind) => FieldValue::Kind(kind),
            FieldValue::Public(public) => FieldValue::Public(public),
        }
    }

    /// Whether both states have the same normalized value for a field.
    pub fn is_same(&self, field: Field, other: &Self) -> bool {
        self.raw(field) == other.raw(field) || self.value(field) == other.value(field)
    }

    /// Copies the raw value of one field from another state.
    pub fn copy_field(&mut self, field: Field, from: &Self) {
        match field {
            Field::Title => self.title.clone_from(&from.title),
            Field::Kind => self.kind = from.kind,
            Field::Public => self.public = from.public,
        }
    }
}
