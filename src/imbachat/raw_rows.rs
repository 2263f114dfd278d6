//! Reads the rows of the server's lists, to show them to people and scripts. Changes the rows
//! as little as possible.
//!
//! A row keeps the server's fields in their order. Documented fields are converted to their
//! documented types, and possible secrets are removed. All other values stay unchanged,
//! including every digit of a number.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::list_stream::NOT_AN_OBJECT;
use super::wire::{self, BadAnswer};
use crate::model::{Cell, Listing, Row, few};

/// Maximum number of fields in a row.
const MOST_FIELDS: usize = 1000;
/// Maximum number of values in a list, which limits memory.
const MOST_VALUES: usize = 16_000_000;
/// Maximum nesting depth of JSON that is searched for secrets.
const DEEPEST: u32 = 128;
/// The text shown instead of a text that cannot be searched for secrets.
const WITHHELD: &str = "…";
/// Maximum number of keys in an error. Keys are not shortened, because the redactor would not
/// find a shortened secret.
const KEYS: usize = 12;
/// The keys that report success or failure. They never hold a list of rows.
const VERDICT: [&str; 5] = ["success", "code", "error", "errors", "errorMsg"];
/// The names to prefer for the list of messages, if an answer has several lists.
const NAMED: [&str; 3] = ["messages", "data.messages", "data"];

/// A list that may contain the messages, and its name.
type NamedList<'a> = (String, Vec<&'a RawValue>);

pub(super) fn row(listing: Listing, text: &[u8], shapes: &mut Shapes) -> Result<Row, BadAnswer> {
    let mut clean = Vec::new();
    let Fields(fields): Fields<'_> = wire::parse_borrowed(text, &mut clean)?;
    if fields.len() > MOST_FIELDS {
        let text = format!("an element of the list has more than {MOST_FIELDS} fields");
        return Err(BadAnswer::Shape(text));
    }
    let mut cells = IndexMap::with_capacity(fields.len());
    for (name, value) in fields.into_iter().filter(|(name, _)| !is_secret(name)) {
        let cell = cell(value, FieldType::of(listing, &name))?;
        cells.insert(name, cell);
    }
    let (names, cells): (Vec<_>, Vec<_>) = cells.into_iter().unzip();
    Ok(Row::new(shapes.share(names)?, cells))
}

/// The field names of the rows. Rows with the same names share one copy, which halves the memory
/// for a list.
#[derive(Default)]
pub(super) struct Shapes {
    known: BTreeSet<Arc<[String]>>,
    /// The number of values read so far, plus the number of names read so far.
    values: usize,
}

impl Shapes {
    fn share(&mut self, names: Vec<String>) -> Result<Arc<[String]>, BadAnswer> {
        self.values += names.len();
        let names = match self.known.get(names.as_slice()) {
            Some(known) => Arc::clone(known),
            None => {
                self.values += names.len();
                let names: Arc<[String]> = names.into();
                self.known.insert(Arc::clone(&names));
                names
            }
        };
        match self.values > MOST_VALUES {
            true => Err(BadAnswer::TooLarge(format!(
                "the server's list has more than {MOST_VALUES} values"
            ))),
            false => Ok(names),
        }
    }
}

/// The fields of an object, in order. This is not a map, because a name may occur twice, and
/// every value must be searched for secrets.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self(Vec::new()))
    }
}

impl<'de> Visitor<'de> for Fields<'de> {
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

/// How to read a documented field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldType {
    /// A whole number, in any form that PHP writes.
    Whole,
    /// A text that is kept exactly.
    Text,
    /// A text. `""` and `"NULL"` count as null.
    Maybe,
    /// A value that is not converted.
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

fn cell(value: &RawValue, field: FieldType) -> Result<Cell, BadAnswer> {
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
        Some(b'[' | b'{') => Cell::Nested(without_secrets(text, 0, &mut false)?),
        Some(b'"') => match wire::parse::<String>(text.as_bytes())? {
            text if field == FieldType::Maybe && (text.is_empty() || text == "NULL") => {
                Cell::Nothing
            }
            text => Cell::Text(text_without_secrets(text, 0, &mut false)),
        },
        _ if matches!(field, FieldType::Text | FieldType::Maybe) => Cell::Text(text.to_owned()),
        _ => Cell::Number(text.to_owned()),
    })
}

/// Returns whether a field is hidden because its name suggests a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    ["password", "secret", "token"]
        .iter()
        .any(|word| name.contains(word))
}

/// In a JSON value, removes the fields that may hold secrets, and sets `removed` if there were
/// any. All other values stay unchanged.
fn without_secrets(json: &str, depth: u32, removed: &mut bool) -> Result<String, BadAnswer> {
    if depth > DEEPEST {
        return Err(wire::shape("an element of the list is nested too deep"));
    }
    let depth = depth + 1;
    let not_text = |_| wire::shape("a text in the answer is not Unicode");
    Ok(match json.as_bytes().first() {
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(json).map_err(not_text)?;
            let items = items.into_iter().map(RawValue::get);
            let items = items.map(|item| without_secrets(item, depth, removed));
            format!("[{}]", items.collect::<Result<Vec<_>, _>>()?.join(","))
        }
        Some(b'{') => {
            let Fields(mut fields): Fields<'_> = serde_json::from_str(json).map_err(not_text)?;
            let all = fields.len();
            fields.retain(|(name, _)| !is_secret(name));
            *removed |= fields.len() < all;
            let fields = fields.into_iter().map(|(name, value)| {
                let value = without_secrets(value.get(), depth, removed)?;
                Ok(format!("{}:{value}", Value::String(name)))
            });
            format!(
                "{{{}}}",
                fields.collect::<Result<Vec<_>, BadAnswer>>()?.join(",")
            )
        }
        Some(b'"') => {
            let text = serde_json::from_str(json).map_err(not_text)?;
            Value::String(text_without_secrets(text, depth, removed)).to_string()
        }
        _ => json.to_owned(),
    })
}

/// Removes secrets from a text that contains JSON, because PHP often stores lists and objects as
/// text. A text without secrets stays unchanged. A text that cannot be searched is replaced.
fn text_without_secrets(text: String, depth: u32, removed: &mut bool) -> String {
    let is_json = text.trim_start().starts_with(['{', '[']);
    let Some(value) = serde_json::from_str::<&RawValue>(&text)
        .ok()
        .filter(|_| is_json)
    else {
        return text;
    };
    let mut is_changed = false;
    let clean = without_secrets(value.get(), depth, &mut is_changed);
    let clean = clean.unwrap_or_else(|_| {
        is_changed = true;
        WITHHELD.to_owned()
    });
    *removed |= is_changed;
    if is_changed { clean } else { text }
}

/// Finds the messages in an answer of unknown shape (a list, or an object with a list) and passes
/// them to `take`.
///
/// # Errors
/// Returns an error if the answer reports one, does not have exactly one list of messages, or
/// `take` fails.
pub(super) fn take_messages(
    answer: &[u8],
    mut take: impl FnMut(&[u8]) -> Result<(), BadAnswer>,
) -> Result<(), BadAnswer> {
    let mut clean = Vec::new();
    let answer: &RawValue = wire::parse_borrowed(answer, &mut clean)?;
    let rows = match answer.get().as_bytes().first() {
        Some(b'[') => elements("", answer).ok_or_else(|| wire::shape(NOT_AN_OBJECT))?,
        Some(b'{') => message_list(answer)?,
        _ => {
            let text = "the answer is JSON, but neither an object nor a list";
            return Err(wire::shape(text));
        }
    };
    rows.into_iter()
        .try_for_each(|row| take(row.get().as_bytes()))
}

fn message_list(answer: &RawValue) -> Result<Vec<&RawValue>, BadAnswer> {
    let fields = fields(answer);
    let verdict = fields.iter().filter(|(name, value)| {
        let words = *name == "message" && value.get().starts_with('"');
        words || VERDICT.contains(&name.as_str())
    });
    let verdict = verdict.filter_map(|(name, value)| {
        let value: Value = serde_json::from_str(value.get()).ok()?;
        Some((name.clone(), value))
    });
    wire::good(&Value::Object(verdict.collect()))?;
    let mut values = Vec::new();
    for (name, value) in fields {
        let inside = if name == "data" {
            self::fields(value)
        } else {
            Vec::new()
        };
        values.push((name, value));
        let inside = inside.into_iter().filter(|(key, _)| !is_number(key));
        values.extend(inside.map(|(key, value)| (format!("data.{key}"), value)));
    }
    let keys: Vec<String> = values.iter().map(|(name, _)| name.clone()).collect();
    let lists = values.into_iter().filter_map(|(name, value)| {
        let is_verdict = VERDICT.contains(&name.as_str());
        let rows = elements(&name, value).filter(|_| !is_verdict)?;
        Some((name, rows))
    });
    choose(lists.collect(), &keys)
}

/// Returns the fields of an object; empty if the value is not an object.
fn fields(value: &RawValue) -> Vec<(String, &RawValue)> {
    let fields = serde_json::from_str::<Fields<'_>>(value.get());
    fields.map_or_else(|_| Vec::new(), |Fields(fields)| fields)
}

/// Selects one list. Prefers lists that have rows, then lists with a known name, then the list
/// named `data`. Fails if several lists are left, or none.
fn choose<'a>(
    mut lists: Vec<NamedList<'a>>,
    keys: &[String],
) -> Result<Vec<&'a RawValue>, BadAnswer> {
    let preferences: [fn(&NamedList<'_>) -> bool; 3] = [
        |(_, rows)| !rows.is_empty(),
        |(name, _)| NAMED.contains(&name.as_str()),
        |(name, _)| name == "data",
    ];
    for is_preferred in preferences {
        if lists.iter().any(is_preferred) {
            lists.retain(is_preferred);
        }
    }
    let names: Vec<String> = lists.iter().map(|(name, _)| name.clone()).collect();
    match (lists.pop(), lists.is_empty()) {
        (Some((_, rows)), true) => Ok(rows),
        (None, _) => Err(BadAnswer::NoList(format!(
            "it contains no list of messages; its keys are {}",
            quoted(keys)
        ))),
        (Some(_), false) => Err(BadAnswer::NoList(format!(
            "it contains several lists that may be the messages: {}",
            quoted(&names)
        ))),
    }
}

/// Returns the elements of a list of objects. PHP writes a list with gaps as an object with
/// numeric keys, so such an object is accepted as a list. An empty object is accepted only if
/// it is named `data`.
fn elements<'a>(name: &str, value: &'a RawValue) -> Option<Vec<&'a RawValue>> {
    let rows: Vec<&RawValue> = if value.get().starts_with('{') {
        let fields = fields(value);
        let is_list = fields.iter().all(|(key, _)| is_number(key));
        let is_list = is_list && (!fields.is_empty() || name == "data");
        is_list.then(|| fields.into_iter().map(|(_, value)| value).collect())?
    } else {
        serde_json::from_str(value.get()).ok()?
    };
    let objects = rows.iter().all(|row| row.get().starts_with('{'));
    objects.then_some(rows)
}

/// Returns whether a key is a number, which is how PHP writes the keys of a list with gaps.
fn is_number(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit())
}

/// Joins names in back-ticks. Shows at most [`KEYS`] names, and the number of names left out.
fn quoted(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => few(names.iter().map(|name| format!("`{name}`")), KEYS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_name_hides_no_secret() -> Result<(), BadAnswer> {
        let cell = |text: &str| {
            let text = Value::String(text.to_owned()).to_string();
            let text = format!(r#"{{"x":{text}}}"#);
            row(Listing::Messages, text.as_bytes(), &mut Shapes::default())
        };
        let shown = cell(r#"{"a":{"password":"p"},"a":1}"#)?;
        let expected = Cell::Text(r#"{"a":{},"a":1}"#.to_owned());
        assert_eq!(shown.get("x"), Some(&expected));
        Ok(())
    }

    #[test]
    fn rows_share_their_names_and_a_list_has_a_limit() -> Result<(), BadAnswer> {
        let mut shapes = Shapes::default();
        let mut row = |text: &str| row(Listing::Users, text.as_bytes(), &mut shapes);
        row(r#"{"a":1,"b":2}"#)?;
        row(r#"{"b":1}"#)?;
        let last = row(r#"{"a":3,"b":[]}"#)?;
        let fields: Vec<_> = last.fields().map(|(name, _)| name).collect();
        assert_eq!(fields, ["a", "b"]);
        assert_eq!((shapes.known.len(), shapes.values), (2, 8));
        let names = || vec![String::new(); 1000];
        let mut results = (0..16_000).map(|_| shapes.share(names()).map(drop));
        assert!(results.by_ref().take(15_998).all(|result| result.is_ok()));
        let error =
            BadAnswer::TooLarge("the server's list has more than 16000000 values".to_owned());
        assert_eq!(results.next(), Some(Err(error)));
        Ok(())
    }
}
