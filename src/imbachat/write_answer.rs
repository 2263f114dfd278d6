//! Parses the answers to writes: what imba_rooms and send_msg confirm, and which errors a
//! successful answer contains.

use std::collections::BTreeSet;

use serde_json::Value;

use super::wire::{
    Bad, ERRORS, NO_REASON, WARNINGS, collect, complaint_of, good, has_error, integer, is_denied,
    is_nothing, is_object, parse, reasons, shape, truth,
};
use crate::model::{MessageId, RoomId};

/// Maximum number of errors that are reported for one answer.
const MOST_ERRORS: usize = 20;

/// What the answer to a successful write contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The room that the server wrote.
    pub room: RoomId,
    /// The errors and warnings in the answer. If there are any, no member is confirmed.
    pub errors: Vec<String>,
}

/// Creates the result of a write without errors.
impl From<RoomId> for Written {
    fn from(room: RoomId) -> Self {
        let errors = Vec::new();
        Self { room, errors }
    }
}

/// Parses the answer to a write. `accepted` is true if the HTTP status is 202.
pub(super) fn written(text: &[u8], accepted: bool) -> Result<Written, Bad> {
    let answer: Value = parse(text)?;
    is_object(&answer)?;
    let code = answer.get("code").and_then(integer);
    let accepted = accepted || code == Some(202);
    if is_denied(&answer) || code.is_some_and(|code| !matches!(code, 200 | 202)) {
        return Err(complaint_of(&answer));
    }
    let elements: Vec<&Value> = match answer.get("data") {
        Some(Value::Array(rows)) => rows.iter().collect(),
        Some(Value::Object(rows)) if rows.contains_key("0") => {
            let first = rows.get("0").into_iter();
            let others = rows.iter().filter(|(key, _)| *key != "0");
            first.chain(others.map(|(_, row)| row)).collect()
        }
        Some(row @ Value::Object(_)) => vec![row],
        _ => Vec::new(),
    };
    match first_room(&elements) {
        Ok(room) => Ok(Written {
            room,
            errors: carried_errors(&answer, &elements, accepted),
        }),
        // An answer with an error and no room is a failure, not a success with errors.
        Err(Bad::Shape(_)) if has_error(&answer) => Err(complaint_of(&answer)),
        Err(bad) => Err(bad),
    }
}

/// Returns the room in the first element, if that element reports success. The element may also
/// contain an error.
fn first_room(elements: &[&Value]) -> Result<RoomId, Bad> {
    let first = elements
        .first()
        .ok_or_else(|| shape("the answer names no room"))?;
    let failed = first.get("error").is_some_and(|error| !is_nothing(error));
    let succeeded = first.get("success").and_then(truth);
    if succeeded == Some(false) || (failed && succeeded != Some(true)) {
        let text = reasons(first).unwrap_or_else(|| NO_REASON.to_owned());
        return Err(Bad::Complaint { code: None, text });
    }
    if succeeded.is_none() {
        return Err(shape("the answer does not say whether the call succeeded"));
    }
    rooms(first)
        .next()
        .ok_or_else(|| shape("the answer has no numeric room_id"))
}

fn rooms(element: &Value) -> impl Iterator<Item = RoomId> {
    ["room_id", "roomId"]
        .iter()
        .filter_map(|key| integer(element.get(key)?))
        .filter_map(|id| u64::try_from(id).ok().filter(|id| *id > 0))
        .map(RoomId)
}

/// Returns the errors and warnings in an answer that succeeded as a whole.
fn carried_errors(answer: &Value, elements: &[&Value], accepted: bool) -> Vec<String> {
    let mut errors = Vec::new();
    if accepted {
        errors.push("the call was accepted but not confirmed (202)".to_owned());
    }
    let parts = std::iter::once(answer).chain(elements.iter().copied());
    for (index, part) in parts.clone().enumerate() {
        let before = errors.len();
        let keys = ERRORS.iter().chain(&WARNINGS);
        let values = keys.filter_map(|key| part.get(key));
        let code = part.get("code").and_then(integer);
        let failed = is_denied(part)
            || code.is_some_and(|code| !matches!(code, 200 | 202))
            || (index > 0 && part.get("success").and_then(truth) != Some(true));
        let mut is_bad = failed;
        for value in values.filter(|value| !is_nothing(value)) {
            is_bad = true;
            collect(value, &mut errors);
        }
        // An element may be a text instead of an object.
        let message = part.is_string().then_some(part).or(part.get("message"));
        if failed && let Some(message) = message {
            collect(message, &mut errors);
        }
        if is_bad && errors.len() == before {
            errors.push(NO_REASON.to_owned());
        }
    }
    let named: BTreeSet<RoomId> = parts.flat_map(rooms).collect();
    if named.len() > 1 {
        let named: Vec<String> = named.iter().map(ToString::to_string).collect();
        errors.push(format!(
            "the answer names more than one room: {}",
            named.join(", ")
        ));
    }
    let mut seen = BTreeSet::new();
    errors.retain(|error| seen.insert(error.clone()));
    if let more @ 1.. = errors.len().saturating_sub(MOST_ERRORS) {
        errors.truncate(MOST_ERRORS);
        errors.push(format!("and {more} more errors"));
    }
    errors
}

/// Returns the message id from a successful answer of send_msg. The answer may lack the id,
/// because roomform needs the id only to show it to the user.
pub(super) fn sent(text: &[u8]) -> Result<Option<MessageId>, Bad> {
    let answer: Value = parse(text)?;
    let success = answer.get("success").and_then(truth);
    if success == Some(true) && has_error(&answer) {
        // The message may have been sent. If this answer were treated as a refusal, the next
        // run would send the message again.
        let words = reasons(&answer).unwrap_or_else(|| NO_REASON.to_owned());
        return Err(Bad::Shape(format!(
            "it reports success and an error: {words}"
        )));
    }
    good(&answer)?;
    if answer.get("success").is_none() {
        return Err(shape("the answer does not say whether the call succeeded"));
    }
    let id = answer.get("message").and_then(|message| message.get("id"));
    let id = id.and_then(integer).and_then(|id| u64::try_from(id).ok());
    Ok(id.filter(|id| *id > 0).map(MessageId))
}
