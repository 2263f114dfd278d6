//! The fields of a room: their names, how to get and set them, how they are compared and shown.
//!
//! All that differs from field to field is here; other stages go through [`Field::ALL`].

use std::fmt;

use super::nfc;

/// A room's type. An open set: the server may hold numbers nobody documented, and they must survive a resend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoomKind {
    /// 0, a talk between two.
    Dialog,
    /// 1, a group.
    Conference,
    /// 3, technical support.
    Support,
    /// Any other number the server showed.
    Other(i64),
}

impl RoomKind {
    /// The number on the wire (`api: room_type`).
    pub fn number(self) -> i64 {
        match self {
            Self::Dialog => 0,
            Self::Conference => 1,
            Self::Support => 3,
            Self::Other(number) => number,
        }
    }

    /// The kind a number stands for; total, unknown numbers are kept.
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

/// The fields that a write sets and a list shows, not normalised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomState {
    /// What people see.
    pub title: String,
    /// The type.
    pub kind: RoomKind,
    /// Whether anyone may enter.
    pub public: bool,
}

/// One of the changeable fields, in the order they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// [`RoomState::title`].
    Title,
    /// [`RoomState::kind`].
    Kind,
    /// [`RoomState::public`].
    Public,
}

impl Field {
    /// All fields, in the order they are shown.
    pub const ALL: [Self; 3] = [Self::Title, Self::Kind, Self::Public];

    /// The field's name in a manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Kind => "type",
            Self::Public => "public",
        }
    }

    /// The field as a noun, for sentences.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Public => "publicity",
            field => field.name(),
        }
    }

    /// The field whose manifest name this is.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
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
    /// Adds a field; true if it was not in the set.
    pub fn insert(&mut self, field: Field) -> bool {
        let before = self.0;
        self.0 |= 1 << field as u8;
        self.0 != before
    }

    /// The fields in it.
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

/// One field's value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldValue<T = String> {
    /// A text; in NFC where two sides are compared.
    Text(T),
    /// A type.
    Kind(RoomKind),
    /// Publicity.
    Public(bool),
}

/// The value in words; a text is written as it is.
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
    /// A state with these fields, and all others empty.
    pub fn new(title: impl Into<String>, kind: RoomKind, public: bool) -> Self {
        Self {
            title: title.into(),
            kind,
            public,
        }
    }

    /// A field's value as it is.
    pub fn raw(&self, field: Field) -> FieldValue<&str> {
        match field {
            Field::Title => FieldValue::Text(&self.title),
            Field::Kind => FieldValue::Kind(self.kind),
            Field::Public => FieldValue::Public(self.public),
        }
    }

    /// A field's value, normalised: the one way in which desired and observed are ever compared.
    pub fn value(&self, field: Field) -> FieldValue {
        match self.raw(field) {
            FieldValue::Text(text) => FieldValue::Text(nfc(text)),
            FieldValue::Kind(kind) => FieldValue::Kind(kind),
            FieldValue::Public(public) => FieldValue::Public(public),
        }
    }

    /// Whether a field has the same value, normalised, in another state.
    pub fn is_same(&self, field: Field, other: &Self) -> bool {
        self.raw(field) == other.raw(field) || self.value(field) == other.value(field)
    }

    /// Takes one field, raw, from another state.
    pub fn copy_field(&mut self, field: Field, from: &Self) {
        match field {
            Field::Title => self.title.clone_from(&from.title),
            Field::Kind => self.kind = from.kind,
            Field::Public => self.public = from.public,
        }
    }
}
