//! Answers -> values, tolerant of everything PHP does to types (`api: fact 8`), strict about what a good answer is (`api: fact 7`).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::list_stream::ListStream;
use crate::model::{LiveRoom, MessageId, Pipe, RoomId, RoomKind, RoomState, UserId};

/// The keys that report an error, and those that report a warning.
pub(super) const ERRORS: [&str; 3] = ["error", "errorMsg", "errors"];
pub(super) const WARNINGS: [&str; 2] = ["warning", "warnings"];
pub(super) const NO_REASON: &str = "the server gave no reason";

/// What the server itself said is wrong, and with which code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) code: Option<i64>,
    pub(super) text: String,
}

/// Why an answer is no good one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bad {
    /// It is not JSON, or not of a known shape.
    Shape(String),
    /// It is good, and leaves open which of its lists is meant, if any.
    NoList(String),
    /// It is JSON and says no.
    Complaint(Complaint),
}

#[derive(Debug, Deserialize)]
struct Row {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    pipe: Value,
    #[serde(default)]
    name: Value,
    #[serde(default)]
    r#type: Value,
    #[serde(default)]
    is_public: Value,
    #[serde(default)]
    deleted_at: Value,
}

/// A row as nearly all are, without a value of its own for each field.
#[derive(Debug, Deserialize)]
struct PlainRow<'r> {
    id: u64,
    #[serde(borrow)]
    pipe: Cow<'r, str>,
    name: String,
    r#type: i64,
    is_public: u8,
    deleted_at: Option<Never>,
}

/// No value at all.
#[derive(Debug, Deserialize)]
enum Never {}

impl From<PlainRow<'_>> for LiveRoom {
    fn from(row: PlainRow<'_>) -> Self {
        let state = RoomState {
            title: row.name,
            kind: RoomKind::from_number(row.r#type),
            public: row.is_public != 0,
        };
        Self {
            id: RoomId(row.id),
            pipe: Pipe::new(row.pipe),
            state,
            deleted: row.deleted_at.is_some(),
        }
    }
}

/// A room's state as form fields.
pub(super) fn form_fields(state: &RoomState) -> [(&'static str, String); 3] {
    [
        ("room_title", state.title.clone()),
        ("room_type", state.kind.number().to_string()),
        ("room_is_public", u8::from(state.public).to_string()),
    ]
}

/// One element of get_rooms.
pub(super) fn row(text: &[u8]) -> Result<LiveRoom, Bad> {
    let plain = serde_json::from_slice::<PlainRow<'_>>(text).ok();
    let plain = plain.filter(|row| i64::try_from(row.id).is_ok());
    plain.map_or_else(|| any_row(text), |row| Ok(row.into()))
}

/// One of any types.
fn any_row(text: &[u8]) -> Result<LiveRoom, Bad> {
    let row: Row = parse(text)?;
    let shape = |what: &str| Bad::Shape(format!("a room in the list {what}"));
    let id = integer(&row.id)
        .and_then(|id| u64::try_from(id).ok())
        .ok_or_else(|| shape("has no number as its id"))?;
    let kind = integer(&row.r#type).ok_or_else(|| shape("has no number as its type"))?;
    let public = truth(&row.is_public).ok_or_else(|| shape("does not say whether it is public"))?;
    let deleted = text_of(&row.deleted_at).is_some_and(|date| {
        !date.starts_with("0000-00-00") && truth(&row.deleted_at) != Some(false)
    });
    let state = RoomState {
        title: raw_text(row.name),
        kind: RoomKind::from_number(kind),
        public,
    };
    Ok(LiveRoom {
        id: RoomId(id),
        pipe: Pipe::new(raw_text(row.pipe)),
        state,
        deleted,
    })
}

/// The id on the site of one element of get_users, a text that is compared as it is: `007` is not user 7. None for users whose id is
/// no number of a manifest.
pub(super) fn user(text: &[u8]) -> Result<Option<UserId>, Bad> {
    #[derive(Deserialize)]
    struct User {
        #[serde(default)]
        remote_user_id: Value,
    }
    let user: User = parse(text)?;
    let text = text_of(&user.remote_user_id);
    let id = text.and_then(|text| text.parse().ok().filter(|id: &u64| id.to_string() == text));
    Ok(id.filter(|id| *id > 0).map(UserId))
}

/// What an object is made of.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Its keys, sorted.
    pub(super) names: Vec<String>,
    /// The widget it says it is of.
    pub(super) widget: Option<u64>,
}

/// The keys of a row, or of the envelope.
pub(super) fn keys(text: &[u8]) -> Result<Keys, Bad> {
    let object: BTreeMap<String, Value> = parse(text)?;
    let widget = object.get("imba_id").and_then(integer);
    Ok(Keys {
        widget: widget.and_then(|widget| u64::try_from(widget).ok()),
        names: object.into_keys().collect(),
    })
}

/// Whether the envelope of a list (its elements taken out) is a good one.
pub(super) fn envelope(text: &[u8]) -> Result<(), Bad> {
    let envelope: Value = parse(text)?;
    good(&envelope)?;
    match envelope.get("data") {
        Some(Value::Array(_) | Value::Object(_)) => Ok(()),
        _ => Err(Bad::Shape("the answer has no list under `data`".to_owned())),
    }
}

/// The message's id out of a good answer of send_msg. Without one it was sent all the same: nothing is done with the id but telling it.
pub(super) fn sent(text: &[u8]) -> Result<Option<MessageId>, Bad> {
    let answer: Value = parse(text)?;
    let success = answer.get("success").and_then(truth);
    if success == Some(true) && has_error(&answer) {
        // Perhaps it was sent: a refusal would let the next run send it again.
        let words = words(&answer).unwrap_or_else(|| NO_REASON.to_owned());
        return Err(Bad::Shape(format!(
            "it reports success and an error: {words}"
        )));
    }
    good(&answer)?;
    if answer.get("success").is_none() {
        let text = "the answer does not say whether it succeeded";
        return Err(Bad::Shape(text.to_owned()));
    }
    let id = answer.get("message").and_then(|message| message.get("id"));
    let id = id.and_then(integer).and_then(|id| u64::try_from(id).ok());
    Ok(id.filter(|id| *id > 0).map(MessageId))
}

/// The server's own words in an answer that is an error anyway, if there are any.
pub(super) fn complaint(text: &[u8]) -> Option<Complaint> {
    let answer: Value = parse(text).ok()?;
    let code = answer.get("code").and_then(integer);
    words(&answer).map(|text| Complaint { code, text })
}

/// Success as the whole answer tells it: `code` absent or 200, `success` absent or true, no error.
pub(super) fn good(answer: &Value) -> Result<(), Bad> {
    is_object(answer)?;
    let code = answer.get("code").and_then(integer);
    if code.is_none_or(|code| code == 200) && !is_denied(answer) && !has_error(answer) {
        return Ok(());
    }
    Err(complaint_of(answer))
}

pub(super) fn is_object(answer: &Value) -> Result<(), Bad> {
    let shape = || Bad::Shape("the answer is JSON, but no object".to_owned());
    answer.is_object().then_some(()).ok_or_else(shape)
}

/// Whether an answer, or an element of one, says that it failed.
pub(super) fn is_denied(part: &Value) -> bool {
    let success = part.get("success");
    success.is_some_and(|success| truth(success) != Some(true))
}

pub(super) fn has_error(answer: &Value) -> bool {
    let errors = ERRORS.iter().filter_map(|key| answer.get(key));
    errors.into_iter().any(|error| !is_nothing(error))
}

pub(super) fn complaint_of(answer: &Value) -> Bad {
    let code = answer.get("code").and_then(integer);
    let text = words(answer).unwrap_or_else(|| NO_REASON.to_owned());
    Bad::Complaint(Complaint { code, text })
}

/// JSON, with or without a byte order mark and trailing commas.
pub(super) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Bad> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let strict = serde_json::from_slice(text);
    let parsed = strict
        .or_else(|error| serde_json::from_slice(&without_stray_commas(text)).map_err(|_| error));
    parsed.map_err(|error| Bad::Shape(not_json(text, &error)))
}

fn not_json(text: &[u8], error: &serde_json::Error) -> String {
    let start = text.trim_ascii_start();
    if start.is_empty() {
        return "the answer is empty".to_owned();
    }
    if start.starts_with(b"<") {
        return "the answer is HTML, not JSON".to_owned();
    }
    if error.is_eof() {
        return "the answer ends in the middle".to_owned();
    }
    format!(
        "the answer is not JSON (line {}, column {})",
        error.line(),
        error.column()
    )
}

/// The text without commas that stand before a closing bracket, outside of texts.
fn without_stray_commas(text: &[u8]) -> Cow<'_, [u8]> {
    let mut clean = Vec::with_capacity(text.len());
    let (mut in_text, mut escaped) = (false, false);
    for byte in text {
        if !in_text && matches!(byte, b'}' | b']') {
            let end = clean
                .iter()
                .rposition(|before: &u8| !before.is_ascii_whitespace());
            if let Some(end) = end.filter(|end| clean.get(*end) == Some(&b',')) {
                clean.truncate(end);
            }
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ => {}
        }
        clean.push(*byte);
    }
    Cow::Owned(clean)
}

/// 5, "5", 5.0, true.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            number
                .as_f64()
                // Beyond 2^53 a float no longer tells one whole number from the next.
                .filter(|f| f.fract() == 0.0 && f.abs() < 9e15)
                .map(|f| f as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        Value::Bool(truth) => Some(i64::from(*truth)),
        _ => None,
    }
}

/// true, "true", 1, "1" and their opposites; nothing counts as false.
pub(super) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Null => Some(false),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text)
            if text.is_empty()
                || text.eq_ignore_ascii_case("false")
                || text.eq_ignore_ascii_case("null") =>
        {
            Some(false)
        }
        value => integer(value).map(|number| number != 0),
    }
}

/// A text to the letter (a room may well be called "NULL"), a number as text, else nothing.
fn raw_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        value => text_of(&value).unwrap_or_default(),
    }
}

/// A text, a number as text; null, "NULL" and "" are nothing.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() || text == "NULL" => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

pub(super) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        value => truth(value) == Some(false),
    }
}

/// The reason an answer gives, wherever it gives it: `error`, `errors`, `errorMsg`, `message`.
pub(super) fn words(answer: &Value) -> Option<String> {
    let mut found = Vec::new();
    for key in ["error", "errorMsg", "errors", "message"] {
        if let Some(value) = answer.get(key) {
            collect(value, &mut found);
        }
    }
    found.dedup();
    (!found.is_empty()).then(|| found.join("; "))
}

pub(super) fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            // A sentence's full stop would stand in the middle of ours.
            let text = text.trim_end_matches('.');
            if !text.is_empty() {
                found.push(text.to_owned());
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, found)),
        Value::Object(map) => map.values().for_each(|value| collect(value, found)),
        _ => {}
    }
}

/// Why a kept answer is no list of rooms. The text may repeat what the server said: it is to be escaped before it is shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoList(String);

/// The rows of a whole answer of get_rooms, deleted ones included, in the server's order; read as tolerantly as over HTTP.
///
/// # Errors
/// [`NoList`], also if the answer is a good one in form and says no.
pub fn rooms_of(answer: &[u8]) -> Result<Vec<LiveRoom>, NoList> {
    read_rooms(answer).map_err(|bad| match bad {
        Bad::Shape(text) | Bad::NoList(text) => NoList(text),
        Bad::Complaint(complaint) => NoList(format!("the answer says no: {}", complaint.text)),
    })
}

fn read_rooms(answer: &[u8]) -> Result<Vec<LiveRoom>, Bad> {
    let (mut rows, mut rooms) = (ListStream::default(), Vec::new());
    rows.feed(answer, |text| {
        rooms.push(row(text)?);
        Ok::<(), Bad>(())
    })?;
    envelope(&rows.finish()?)?;
    Ok(rooms)
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
