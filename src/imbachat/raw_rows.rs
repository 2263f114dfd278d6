//! The rows of the server's lists, unmodified where possible, for people and scripts.
//!
//! A row keeps the server's fields and their order. Documented fields get their documented types back, possible secrets are
//! removed, and all other values stay as they are, numbers digit for digit.

use std::cell::Cell as Flag;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::failure::list_names;
use super::list_stream::is_number;
use super::wire::{self, Bad};
use crate::model::{Cell, Listing, Row};

/// Maximum number of fields in a row.
const MOST_FIELDS: usize = 1000;
/// Maximum depth of the search for secrets.
const DEEPEST: u32 = 128;
/// Replaces a text that cannot be searched for secrets.
const WITHHELD: &str = "…";
/// Maximum number of keys in an error, and maximum characters of each.
const KEYS: usize = 12;
const KEY: usize = 32;
/// Keys that report success or failure and never hold a list of rows.
const VERDICT: [&str; 5] = ["success", "code", "error", "errors", "errorMsg"];
/// The possible names of the message list, if there are several lists.
const NAMED: [&str; 3] = ["messages", "data.messages", "data"];

type Rows = Vec<Box<RawValue>>;

/// Reads one element of a list.
pub(super) fn row(listing: Listing, text: &[u8]) -> Result<Row, Bad> {
    let Fields(fields) = wire::parse::<Fields<Box<RawValue>>>(text)?;
    if fields.len() > MOST_FIELDS {
        let text = format!("an element of the list has more than {MOST_FIELDS} fields");
        return Err(Bad::Shape(text));
    }
    let mut row = Row::default();
    for (name, value) in fields.into_iter().filter(|(name, _)| !is_secret(name)) {
        let cell = cell(&value, FieldType::of(listing, &name))?;
        match row.fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = cell,
            None => row.fields.push((name, cell)),
        }
    }
    Ok(row)
}

/// The fields of an object in order. Names may repeat, so each value is searched for secrets.
struct Fields<V>(Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Fields<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self(Vec::new()))
    }
}

impl<'de, V: Deserialize<'de>> Visitor<'de> for Fields<V> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<Self, M::Error> {
        while let Some(field) = map.next_entry()? {
            self.0.push(field);
        }
        Ok(self)
    }
}

/// How a documented field is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldType {
    /// A whole number in any PHP form.
    Whole,
    /// An exact text.
    Text,
    /// A text, or one of the forms of null.
    Maybe,
    /// Unchanged.
    Any,
}

impl FieldType {
    fn of(listing: Listing, name: &str) -> Self {
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

fn cell(value: &RawValue, field: FieldType) -> Result<Cell, Bad> {
    let text = value.get();
    if field == FieldType::Whole
        && !text.starts_with(['[', '{'])
        && let Some(number) = serde_json::from_str(text)
            .ok()
            .and_then(|it| wire::integer(&it))
    {
        return Ok(Cell::Number(number.to_string()));
    }
    Ok(match text.as_bytes().first() {
        Some(b'n') => Cell::Nothing,
        Some(b't' | b'f') => Cell::Truth(text == "true"),
        Some(b'[' | b'{') => Cell::Nested(without_secrets(value, 0).map_err(Bad::Shape)?.0),
        Some(b'"') => match wire::parse::<String>(text.as_bytes())? {
            text if field == FieldType::Maybe && (text.is_empty() || text == "NULL") => {
                Cell::Nothing
            }
            text => Cell::Text(text_without_secrets(text, 0).0),
        },
        _ if matches!(field, FieldType::Text | FieldType::Maybe) => Cell::Text(text.to_owned()),
        _ => Cell::Number(text.to_owned()),
    })
}

/// Whether a field with this name is hidden because it may hold a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    ["password", "secret", "token"]
        .iter()
        .any(|word| name.contains(word))
}

/// Removes secrets from JSON. Also returns whether there were any.
fn without_secrets(value: &RawValue, depth: u32) -> Result<(String, bool), String> {
    let removed = Flag::new(false);
    let clean = Clean {
        value,
        depth,
        removed: &removed,
    };
    let text = serde_json::to_string(&clean).map_err(|error| error.to_string())?;
    Ok((text, removed.get()))
}

/// PHP often stores lists and objects as JSON texts. A text is rewritten only if it has a secret, and hidden if it cannot be
/// searched.
fn text_without_secrets(text: String, depth: u32) -> (String, bool) {
    if !text.trim_start().starts_with(['{', '[']) {
        return (text, false);
    }
    let Ok(value) = serde_json::from_str::<&RawValue>(&text) else {
        return (text, false);
    };
    match without_secrets(value, depth) {
        Ok((clean, true)) => (clean, true),
        Ok((_, false)) => (text, false),
        Err(_) => (WITHHELD.to_owned(), true),
    }
}

/// Serialises a value without its secrets.
struct Clean<'a> {
    value: &'a RawValue,
    depth: u32,
    removed: &'a Flag<bool>,
}

impl Serialize for Clean<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (text, depth) = (self.value.get(), self.depth + 1);
        if self.depth > DEEPEST {
            return Err(S::Error::custom(
                "an element of the list is nested too deep",
            ));
        }
        let inner = |value| Self {
            value,
            depth,
            ..*self
        };
        let not_text = |_| S::Error::custom("a text in the answer is not Unicode");
        match text.as_bytes().first() {
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(not_text)?;
                serializer.collect_seq(items.into_iter().map(inner))
            }
            Some(b'{') => {
                let Fields(mut fields) = serde_json::from_str(text).map_err(not_text)?;
                let all = fields.len();
                fields.retain(|(name, _)| !is_secret(name));
                self.removed.set(self.removed.get() || fields.len() < all);
                serializer.collect_map(fields.into_iter().map(|(name, it)| (name, inner(it))))
            }
            Some(b'"') => {
                let text = serde_json::from_str(text).map_err(not_text)?;
                let (text, removed) = text_without_secrets(text, depth);
                self.removed.set(self.removed.get() || removed);
                serializer.serialize_str(&text)
            }
            _ => self.value.serialize(serializer),
        }
    }
}

/// The rows in the rest of an answer of unknown shape, after `count` rows under `data` or in a bare list.
///
/// # Errors
/// If the answer reports an error, or it is unclear which of its lists to use.
pub(super) fn rest(envelope: &[u8], count: usize) -> Result<Rows, Bad> {
    let answer: Box<RawValue> = wire::parse(envelope)?;
    if answer.get().starts_with('[') {
        return Ok(Rows::new());
    }
    if !answer.get().starts_with('{') {
        let text = "the answer is JSON, but neither an object nor a list";
        return Err(Bad::Shape(text.to_owned()));
    }
    let Fields(fields) = wire::parse::<Fields<Box<RawValue>>>(answer.get().as_bytes())?;
    let verdict = fields.iter().filter(|(name, value)| {
        let words = *name == "message" && value.get().starts_with('"');
        words || VERDICT.contains(&name.as_str())
    });
    let verdict = verdict.filter_map(|(name, value)| {
        let value: Value = serde_json::from_str(value.get()).ok()?;
        Some((name.clone(), value))
    });
    wire::good(&Value::Object(verdict.collect()))?;
    if count > 0 {
        return Ok(Rows::new());
    }
    let mut values = Vec::new();
    for (name, value) in fields {
        let mut inside = Vec::new();
        if name == "data" && value.get().starts_with('{') {
            inside = wire::parse::<Fields<Box<RawValue>>>(value.get().as_bytes())?.0;
            inside.retain(|(key, _)| !is_number(key.as_bytes()));
        }
        values.push((name, value));
        values.extend(
            inside
                .into_iter()
                .map(|(key, value)| (format!("data.{key}"), value)),
        );
    }
    let keys: Vec<String> = values.iter().map(|(name, _)| name.clone()).collect();
    values.retain(|(name, _)| !VERDICT.contains(&name.as_str()));
    let lists = values.into_iter().filter_map(|(name, value)| {
        let rows = elements(&name, &value)?;
        Some((name, rows))
    });
    choose(lists.collect(), &keys)
}

/// The only non-empty list, or the one with a known name; if all are empty, the same choice among those.
fn choose(mut lists: Vec<(String, Rows)>, keys: &[String]) -> Result<Rows, Bad> {
    if lists.iter().any(|(_, rows)| !rows.is_empty()) {
        lists.retain(|(_, rows)| !rows.is_empty());
    }
    let is_named = |(name, _): &(String, Rows)| NAMED.contains(&name.as_str());
    if lists.len() > 1 && lists.iter().any(is_named) {
        lists.retain(is_named);
    }
    let names: Vec<String> = lists.iter().map(|(name, _)| name.clone()).collect();
    match (lists.pop(), lists.is_empty()) {
        (Some((_, rows)), true) => Ok(rows),
        (None, _) => Err(Bad::NoList(format!(
            "it contains no list of messages; its keys are {}",
            quoted(keys)
        ))),
        (Some(_), false) => Err(Bad::NoList(format!(
            "it contains several lists that may be the messages: {}",
            quoted(&names)
        ))),
    }
}

/// The elements of a list of objects, also in PHP's form for lists with gaps. An empty `data` is an empty list.
fn elements(name: &str, value: &RawValue) -> Option<Rows> {
    let text = value.get();
    let rows: Rows = if text.starts_with('{') {
        let Fields(fields) = serde_json::from_str(text).ok()?;
        let is_list = fields.iter().all(|(key, _)| is_number(key.as_bytes()));
        let is_list = is_list && (!fields.is_empty() || name == "data");
        is_list.then(|| fields.into_iter().map(|(_, value)| value).collect())?
    } else {
        serde_json::from_str(text).ok()?
    };
    let objects = rows.iter().all(|row| row.get().starts_with('{'));
    objects.then_some(rows)
}

/// Names in back-ticks, limited in number.
fn quoted(names: &[String]) -> String {
    let shown = names.iter().map(|name| {
        let name: String = name.chars().take(KEY).collect();
        format!("`{name}`")
    });
    list_names(&shown.collect::<Vec<_>>(), KEYS, "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_name_hides_no_secret() -> Result<(), Bad> {
        let cell = |text: &str| {
            let text = Value::String(text.to_owned()).to_string();
            row(Listing::Messages, format!(r#"{{"x":{text}}}"#).as_bytes())
        };
        let shown = cell(r#"{"a":{"password":"p"},"a":1}"#)?;
        let expected = Cell::Text(r#"{"a":{},"a":1}"#.to_owned());
        assert_eq!(shown.get("x"), Some(&expected));
        Ok(())
    }
}
