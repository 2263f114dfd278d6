//! A value of a row as it came -> a cell: what PHP does to the types of documented fields is undone, what may hold a secret is taken
//! out, and every other value passes as it stands, a number digit for digit.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::wire::{self, Bad};
use crate::model::{Cell, Listing};

/// How deep lists and objects are looked through.
const DEEPEST: u32 = 128;
/// What stands for a text that cannot be looked through for secrets.
const WITHHELD: &str = "…";

/// How a documented field is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A whole number, however PHP wrote it.
    Whole,
    /// A text, to the letter.
    Text,
    /// A text, or one of the words for none.
    Maybe,
    /// As it is.
    Any,
}

impl Kind {
    /// How the field of this name is read.
    pub(super) fn of(listing: Listing, name: &str) -> Self {
        match (listing, name) {
            (Listing::Messages, "id" | "user_id" | "room_id" | "answer_to") => Self::Whole,
            (Listing::Messages, _) => Self::Any,
            (_, "id" | "imba_id") => Self::Whole,
            (_, "created_at" | "updated_at" | "deleted_at") => Self::Maybe,
            (Listing::Rooms, "admin_id" | "type" | "tab" | "is_public" | "status") => Self::Whole,
            (Listing::Rooms, "pipe" | "name") => Self::Text,
            (Listing::Users, "remote_user_id" | "login" | "status" | "avatar_url") => Self::Maybe,
            _ => Self::Any,
        }
    }
}

/// What is of no documented type stays what it is.
///
/// # Errors
/// If it is no text that can be read, or nested too deep to be looked through.
pub(super) fn cell(value: &RawValue, kind: Kind) -> Result<Cell, Bad> {
    if kind == Kind::Whole
        && let Some(number) = whole(value)
    {
        return Ok(Cell::Number(number.to_string()));
    }
    let text = value.get();
    Ok(match text.as_bytes().first() {
        Some(b'n') => Cell::Nothing,
        Some(b't' | b'f') => Cell::Truth(text == "true"),
        Some(b'[' | b'{') => Cell::Nested(clean(value, 0)?.text),
        Some(b'"') => match wire::parse::<String>(text.as_bytes())? {
            said if kind == Kind::Maybe && (said.is_empty() || said == "NULL") => Cell::Nothing,
            said => Cell::Text(written_without_secrets(said, 0).0),
        },
        _ if matches!(kind, Kind::Text | Kind::Maybe) => Cell::Text(text.to_owned()),
        _ => Cell::Number(text.to_owned()),
    })
}

/// Whether nobody asks for a field of this name, since no output is the place for a secret.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    ["password", "secret", "token"]
        .iter()
        .any(|word| name.contains(word))
}

/// A whole number out of what PHP writes for one. A list or an object is none, and may be large.
fn whole(value: &RawValue) -> Option<i64> {
    let value = Some(value.get()).filter(|text| !text.starts_with(['[', '{']))?;
    wire::integer(&serde_json::from_str::<Value>(value).ok()?)
}

/// JSON without secrets.
struct Clean {
    text: String,
    /// Whether there were any.
    removed: bool,
}

fn clean(value: &RawValue, depth: u32) -> Result<Clean, Bad> {
    let mut clean = Clean {
        text: String::with_capacity(value.get().len()),
        removed: false,
    };
    clean.write(value, depth)?;
    Ok(clean)
}

impl Clean {
    fn write(&mut self, value: &RawValue, depth: u32) -> Result<(), Bad> {
        if depth > DEEPEST {
            let text = "an element of the list is nested too deep";
            return Err(Bad::Shape(text.to_owned()));
        }
        let text = value.get();
        match text.as_bytes().first() {
            Some(b'[') => {
                let items: Vec<&RawValue> = read(text)?;
                self.text.push('[');
                for (number, item) in items.into_iter().enumerate() {
                    self.comma(number);
                    self.write(item, depth + 1)?;
                }
                self.text.push(']');
            }
            Some(b'{') => self.object(read(text)?, depth)?,
            Some(b'"') => {
                let (said, removed) = written_without_secrets(read(text)?, depth + 1);
                self.removed |= removed;
                self.quoted(said);
            }
            _ => self.text.push_str(text),
        }
        Ok(())
    }

    fn object(
        &mut self,
        BorrowedFields(fields): BorrowedFields<'_>,
        depth: u32,
    ) -> Result<(), Bad> {
        let all = fields.len();
        let kept = fields.into_iter().filter(|(name, _)| !is_secret(name));
        let kept: Vec<(String, &RawValue)> = kept.collect();
        self.removed |= kept.len() < all;
        self.text.push('{');
        for (number, (name, value)) in kept.into_iter().enumerate() {
            self.comma(number);
            self.quoted(name);
            self.text.push(':');
            self.write(value, depth + 1)?;
        }
        self.text.push('}');
        Ok(())
    }

    fn comma(&mut self, number: usize) {
        if number > 0 {
            self.text.push(',');
        }
    }

    fn quoted(&mut self, text: String) {
        self.text.push_str(&Value::String(text).to_string());
    }
}

/// PHP likes to keep lists and objects as texts of JSON. Only one with a secret in it is written anew, and one that cannot be
/// looked through is not shown. Whether anything was taken out.
fn written_without_secrets(text: String, depth: u32) -> (String, bool) {
    if !text.trim_start().starts_with(['{', '[']) {
        return (text, false);
    }
    let Ok(value) = serde_json::from_str::<&RawValue>(&text) else {
        return (text, false);
    };
    match clean(value, depth) {
        Ok(clean) if clean.removed => (clean.text, true),
        Ok(_) => (text, false),
        Err(_) => (WITHHELD.to_owned(), true),
    }
}

/// A part of JSON that was read once already.
fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Bad> {
    let read = serde_json::from_str(text);
    read.map_err(|_| Bad::Shape("a text in the answer is not Unicode".to_owned()))
}

/// The fields of an object in the order in which they stand, each as it came.
pub(super) struct Fields(pub(super) Vec<(String, Box<RawValue>)>);

/// The same, not copied.
struct BorrowedFields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder(Vec::new())).map(Self)
    }
}

impl<'de> Deserialize<'de> for BorrowedFields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder(Vec::new())).map(Self)
    }
}

struct InOrder<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
    type Value = Vec<(String, T)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut fields = self.0;
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(fields)
    }
}
