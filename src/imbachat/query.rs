//! The lists as they are, for people and scripts to look at: get_rooms, get_users and get_messages with their filters.
//!
//! Main type: [`Query`]. Rows keep the server's fields, in its order; what PHP does to the types of the documented ones is
//! undone, and what may hold a secret is left out.

use std::fmt;

use reqwest::multipart::Form;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::failure::{Cause, Failure};
use super::read::{Reader, wait_after};
use super::retry::Dice;
use super::wire::{self, Bad};
use crate::model::{Cell, Listing, Row};

/// What in a path stands for the widget's number.
const WIDGET: &str = "{imba_id}";
/// A row with more fields is none.
const MOST_FIELDS: usize = 1000;

/// One list and what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Which list.
    pub listing: Listing,
    /// Another path than the usual one, below the API's address; `{imba_id}` in it is the widget's number.
    pub path: Option<String>,
    /// Filters by their names in the API, with what they are to be.
    pub filters: Vec<(&'static str, String)>,
}

impl Query {
    fn path(&self, reader: &Reader) -> String {
        let usual = || format!("imbachat/v2/{WIDGET}/get_{}", self.listing.name());
        let path = self.path.clone().unwrap_or_else(usual);
        path.trim_start_matches('/')
            .replace(WIDGET, &reader.widget().to_string())
    }

    /// The widget is a filter too, and the documented one that every sample sends.
    fn form(&self, reader: &Reader) -> Form {
        let form = Form::new().text("imba_id", reader.widget().to_string());
        self.filters
            .iter()
            .fold(form, |form, (name, value)| form.text(*name, value.clone()))
    }
}

impl Reader {
    /// The rows the server sends for a query, in its order, after as many tries as the retry table gives. `collect` starts
    /// anew on each try: an error may come after some rows did.
    ///
    /// # Errors
    /// [`Failure`]; of users also if there is no secret key, without which they are not listed.
    pub async fn query<T: Send>(
        &self,
        query: &Query,
        dice: &Dice,
        collect: impl Fn() -> T,
        take: impl Fn(&mut T, Row) + Sync,
    ) -> Result<T, Failure> {
        let auth = match query.listing {
            Listing::Users => self.user_auth()?,
            Listing::Rooms | Listing::Messages => self.auth.clone(),
        };
        let path = query.path(self);
        let mut attempt = 1;
        loop {
            let mut collected = collect();
            let mut take = |text: &[u8]| {
                take(&mut collected, row(query.listing, text)?);
                Ok(())
            };
            let form = query.form(self);
            match self.elements(&path, form, &auth, &mut take).await {
                Ok(_) => return Ok(collected),
                Err(failure) => wait_after(query.told(failure), attempt, dice).await?,
            }
            attempt += 1;
        }
    }
}

impl Query {
    /// A path that was only guessed may be wrong.
    fn told(&self, failure: Failure) -> Failure {
        let guessed = self.listing == Listing::Messages && self.path.is_none();
        let missed = matches!(failure.cause, Some(Cause::Status(404 | 405)));
        if missed && self.path.is_some() {
            failure.hint("check --endpoint, and --api-url")
        } else if guessed && missed {
            failure.hint("the path of messages is not published, this one is a guess: name it with --endpoint")
        } else {
            failure
        }
    }
}

/// How a documented field is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
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

/// One element of a list.
///
/// # Errors
/// If it is no JSON object, or no row.
fn row(listing: Listing, text: &[u8]) -> Result<Row, Bad> {
    let Fields(fields) = wire::parse(text)?;
    if fields.len() > MOST_FIELDS {
        let text = format!("an element of `data` has more than {MOST_FIELDS} fields");
        return Err(Bad::Shape(text));
    }
    let mut row = Row::default();
    for (name, value) in fields.into_iter().filter(|(name, _)| !is_secret(name)) {
        let cell = cell(value, Kind::of(listing, &name));
        match row.fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = cell,
            None => row.fields.push((name, cell)),
        }
    }
    Ok(row)
}

/// What is of no documented type stays what it is.
fn cell(value: Value, kind: Kind) -> Cell {
    let whole = match kind {
        Kind::Whole => wire::integer(&value),
        _ => None,
    };
    if let Some(number) = whole {
        return Cell::Number(number.to_string());
    }
    match value {
        Value::Null => Cell::Nothing,
        Value::String(text) if kind == Kind::Maybe && (text.is_empty() || text == "NULL") => {
            Cell::Nothing
        }
        Value::Number(number) if matches!(kind, Kind::Text | Kind::Maybe) => {
            Cell::Text(number.to_string())
        }
        Value::Bool(truth) => Cell::Truth(truth),
        Value::Number(number) => Cell::Number(number.to_string()),
        Value::String(text) => Cell::Text(written_without_secrets(text)),
        nested => Cell::Nested(without_secrets(nested).to_string()),
    }
}

/// Nobody asks for these, and no output is the place for one.
fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    ["password", "secret", "token"]
        .iter()
        .any(|word| name.contains(word))
}

/// PHP likes to keep lists and objects as texts of JSON. Only one with a secret in it is written anew.
fn written_without_secrets(text: String) -> String {
    if !text.trim_start().starts_with(['{', '[']) {
        return text;
    }
    let Ok(value) = serde_json::from_str::<Value>(&text) else {
        return text;
    };
    let clean = without_secrets(value.clone());
    if clean == value {
        text
    } else {
        clean.to_string()
    }
}

fn without_secrets(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(without_secrets).collect(),
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(name, _)| !is_secret(name));
            let kept = kept.map(|(name, value)| (name, without_secrets(value)));
            Value::Object(kept.collect())
        }
        Value::String(text) => Value::String(written_without_secrets(text)),
        value => value,
    }
}

/// The fields of an object in the order in which they stand.
struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields, M::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}
