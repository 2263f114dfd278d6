//! Parses answers. Tolerates PHP's type conversions (`api: fact 8`), but is strict about what counts as success (`api: fact 7`).

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::{LiveRoom, Pipe, RoomId, RoomKind, RoomState};

/// The keys that report an error. [`WARNINGS`] are the keys that report a warning.
pub(super) const ERRORS: [&str; 3] = ["error", "errorMsg", "errors"];
pub(super) const WARNINGS: [&str; 2] = ["warning", "warnings"];
pub(super) const NO_REASON: &str = "the server gave no reason";

/// Why an answer cannot be used. The text may quote the server, so escape it before you print it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    /// The answer is not JSON, or has an unknown shape.
    #[error("{0}")]
    Shape(String),
    /// The answer reports success, but has no list, or it is unclear which list to use.
    #[error("{0}")]
    NoList(String),
    /// The answer is larger than a limit.
    #[error("{0}")]
    TooLarge(String),
    /// The server reports an error.
    #[error("the answer reports an error: {text}")]
    Complaint {
        /// The error code in the answer.
        code: Option<i64>,
        /// The reason that the server gave.
        text: String,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row<'r> {
    id: Value,
    /// The raw JSON. Nearly every pipe is plain text, which can be read from the raw JSON
    /// without an allocation.
    #[serde(borrow)]
    pipe: Option<&'r RawValue>,
    name: Value,
    r#type: Value,
    is_public: Value,
    deleted_at: Value,
    updated_at: Value,
}

pub(super) fn row(text: &[u8]) -> Result<LiveRoom, BadAnswer> {
    let mut clean = Vec::new();
    let row: Row<'_> = parse_borrowed(text, &mut clean)?;
    let pipe = row.pipe.map_or("null", RawValue::get);
    let pipe = match serde_json::from_str::<&str>(pipe) {
        Ok(pipe) => Pipe::new(pipe),
        Err(_) => Pipe::new(raw_text(parse(pipe.as_bytes())?)),
    };
    let bad = |what: &str| BadAnswer::Shape(format!("a room in the list {what}"));
    let id = integer(&row.id).and_then(|id| u64::try_from(id).ok());
    let id = id.ok_or_else(|| bad("has no numeric id"))?;
    let kind = integer(&row.r#type).ok_or_else(|| bad("has no numeric type"))?;
    let public = truth(&row.is_public).ok_or_else(|| bad("does not say whether it is public"))?;
    let deleted = text_of(&row.deleted_at).is_some_and(|date| {
        !date.starts_with("0000-00-00") && truth(&row.deleted_at) != Some(false)
    });
    Ok(LiveRoom {
        id: RoomId(id),
        pipe,
        state: RoomState {
            title: raw_text(row.name),
            kind: RoomKind::from_number(kind),
            public,
        },
        deleted,
        updated_at: text_of(&row.updated_at).map(Into::into),
    })
}

/// Parses a list answer without its rows, and checks that it reports success.
pub(super) fn envelope(text: &[u8]) -> Result<Value, BadAnswer> {
    let envelope: Value = parse(text)?;
    good(&envelope)?;
    match envelope.get("data") {
        Some(Value::Array(_) | Value::Object(_)) => Ok(envelope),
        _ => Err(shape("the answer has no list under `data`")),
    }
}

/// Returns the server's error message from an answer that has an error status.
pub(super) fn complaint(text: &[u8]) -> Option<String> {
    reasons(&parse(text).ok()?)
}

/// Checks that an answer reports success: `code` is absent or 200, `success` is absent or true, and
/// there is no error.
pub(super) fn good(answer: &Value) -> Result<(), BadAnswer> {
    is_object(answer)?;
    let code = answer.get("code").and_then(integer);
    if code.is_none_or(|code| code == 200) && !denies_success(answer) && !has_error(answer) {
        return Ok(());
    }
    Err(complaint_of(answer))
}

pub(super) fn is_object(answer: &Value) -> Result<(), BadAnswer> {
    if answer.is_object() {
        return Ok(());
    }
    Err(shape("the answer is JSON, but not an object"))
}

/// Returns whether `part` has a `success` that is not true. `part` is an answer, or one of its
/// elements.
pub(super) fn denies_success(part: &Value) -> bool {
    let success = part.get("success");
    success.is_some_and(|success| truth(success) != Some(true))
}

pub(super) fn has_error(answer: &Value) -> bool {
    let errors = ERRORS.iter().filter_map(|key| answer.get(key));
    errors.into_iter().any(|error| !is_nothing(error))
}

pub(super) fn complaint_of(answer: &Value) -> BadAnswer {
    BadAnswer::Complaint {
        code: answer.get("code").and_then(integer),
        text: reasons(answer).unwrap_or_else(|| NO_REASON.to_owned()),
    }
}

pub(super) fn shape(text: &str) -> BadAnswer {
    BadAnswer::Shape(text.to_owned())
}

/// Parses JSON. Accepts a byte order mark and trailing commas.
pub(super) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, BadAnswer> {
    parse_borrowed(text, &mut Vec::new())
}

/// Parses JSON like [`parse`]. If the JSON has stray commas, the result borrows from `clean`, a
/// copy without them.
pub(super) fn parse_borrowed<'t, T: Deserialize<'t>>(
    text: &'t [u8],
    clean: &'t mut Vec<u8>,
) -> Result<T, BadAnswer> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    serde_json::from_slice(text).or_else(|error| {
        *clean = without_stray_commas(text);
        serde_json::from_slice(clean).map_err(|_| BadAnswer::Shape(not_json(text, &error)))
    })
}

fn not_json(text: &[u8], error: &serde_json::Error) -> String {
    match text.trim_ascii_start() {
        [] => "the answer is empty".to_owned(),
        [b'<', ..] => "the answer is HTML, not JSON".to_owned(),
        _ if error.is_eof() => "the answer is cut off before its end".to_owned(),
        _ => {
            let (line, column) = (error.line(), error.column());
            format!("the answer is not JSON (line {line}, column {column})")
        }
    }
}

/// Removes commas before closing brackets, except in strings.
fn without_stray_commas(text: &[u8]) -> Vec<u8> {
    let mut clean: Vec<u8> = Vec::with_capacity(text.len());
    let (mut in_text, mut escaped) = (false, false);
    for byte in text {
        if !in_text
            && matches!(byte, b'}' | b']')
            && let Some(before) = clean.trim_ascii_end().strip_suffix(b",")
        {
            clean.truncate(before.len());
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ => {}
        }
        clean.push(*byte);
    }
    clean
}

/// Reads a whole number. Accepts 5, "5" and 5.0, and reads true as 1 and false as 0.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            number
                .as_f64()
                // Above 2^53, a float cannot represent every whole number.
                .filter(|f| f.fract() == 0.0 && f.abs() < 9e15)
                .map(|f| f as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        Value::Bool(truth) => Some(i64::from(*truth)),
        _ => None,
    }
}

/// Reads a boolean. Accepts true, "true", 1, "1" and their opposites; null, "" and "null" are
/// false.
pub(super) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Null => Some(false),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text)
            if ["", "false", "null"].contains(&text.to_ascii_lowercase().as_str()) =>
        {
            Some(false)
        }
        value => integer(value).map(|number| number != 0),
    }
}

/// Returns a text unchanged (a room may be named "NULL"), and a number as text. Any other value
/// becomes an empty text.
fn raw_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        value => text_of(&value).unwrap_or_default(),
    }
}

/// Returns a text, or a number as text. Returns `None` for the texts "" and "NULL", and for all
/// other values.
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

/// Returns the reasons in an answer: the texts in `error`, `errorMsg`, `errors` and `message`.
pub(super) fn reasons(answer: &Value) -> Option<String> {
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
            // Drop the server's full stop, because the text is put inside our own sentence.
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

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
