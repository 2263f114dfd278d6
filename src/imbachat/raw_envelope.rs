//! Finds the rows in an answer of unknown shape. [`ListStream`](super::list_stream::ListStream) has already taken rows under `data` or
//! in a bare list; this handles the rest.
//!
//! Values stay the text they came as: nothing is decoded that is only looked for.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::failure::some;
use super::list_stream::is_number;
use super::raw_value::Fields;
use super::wire::{self, Bad};

/// Keys that are named in an error, and characters of each.
const KEYS: usize = 12;
const KEY: usize = 32;
/// What tells success or failure, and is no list of anything else.
const VERDICT: [&str; 5] = ["success", "code", "error", "errors", "errorMsg"];
/// What the list is called, if it has to be told from others.
const NAMED: [&str; 3] = ["messages", "data.messages", "data"];

/// A list in an answer: its key, and its elements.
type Found = (String, Vec<Box<RawValue>>);

/// The rows in what is left of an answer of which so many came already.
///
/// # Errors
/// If the answer says no, or leaves open which list is meant.
pub(super) fn rest(envelope: &[u8], came: usize) -> Result<Vec<Box<RawValue>>, Bad> {
    let answer: Box<RawValue> = wire::parse(envelope)?;
    match answer.get().as_bytes().first() {
        Some(b'[') => return Ok(Vec::new()),
        Some(b'{') => {}
        _ => {
            let text = "the answer is JSON, but neither an object nor a list";
            return Err(Bad::Shape(text.to_owned()));
        }
    }
    let Fields(fields) = wire::parse(answer.get().as_bytes())?;
    wire::good(&verdict(&fields))?;
    if came > 0 {
        return Ok(Vec::new());
    }
    let (mut lists, mut keys) = (Vec::new(), Vec::new());
    for (name, value) in fields {
        keys.push(name.clone());
        let inside = match (name.as_str(), value.get()) {
            ("data", text) if text.starts_with('{') => wire::parse::<Fields>(text.as_bytes())?.0,
            _ => Vec::new(),
        };
        let nothing = name == "data" && inside.is_empty() && value.get().starts_with('{');
        let found = if nothing {
            Some(Vec::new())
        } else {
            elements(&value)
        };
        let found = found.filter(|_| !VERDICT.contains(&name.as_str()));
        lists.extend(found.map(|found| (name.clone(), found)));
        for (inner, value) in inside
            .into_iter()
            .filter(|(inner, _)| !is_number(inner.as_bytes()))
        {
            let name = format!("{name}.{inner}");
            keys.push(name.clone());
            lists.extend(elements(&value).map(|found| (name, found)));
        }
    }
    the_one(lists, &keys)
}

/// The only list with something in it, or the one that is called so; else the same of the empty ones.
fn the_one(lists: Vec<Found>, keys: &[String]) -> Result<Vec<Box<RawValue>>, Bad> {
    let (empty, full): (Vec<Found>, Vec<Found>) =
        lists.into_iter().partition(|(_, rows)| rows.is_empty());
    let mut lists = if full.is_empty() { empty } else { full };
    if lists.len() > 1 && lists.iter().any(|(name, _)| is_named(name)) {
        lists.retain(|(name, _)| is_named(name));
    }
    match <[Found; 1]>::try_from(lists) {
        Ok([(_, rows)]) => Ok(rows),
        Err(lists) if lists.is_empty() => Err(Bad::NoList(format!(
            "no list of messages is in it; its keys are {}",
            quoted(keys)
        ))),
        Err(lists) => {
            let names: Vec<String> = lists.into_iter().map(|(name, _)| name).collect();
            Err(Bad::NoList(format!(
                "several lists in it may be the messages: {}",
                quoted(&names)
            )))
        }
    }
}

fn is_named(name: &str) -> bool {
    NAMED.contains(&name)
}

/// The elements of a list of objects, or of what PHP makes of one with gaps.
fn elements(value: &RawValue) -> Option<Vec<Box<RawValue>>> {
    let text = value.get().as_bytes();
    let rows: Vec<Box<RawValue>> = if text.starts_with(b"[") {
        wire::parse(text).ok()?
    } else if text.starts_with(b"{") {
        let Fields(fields) = wire::parse(text).ok()?;
        let numbered =
            !fields.is_empty() && fields.iter().all(|(name, _)| is_number(name.as_bytes()));
        numbered.then(|| fields.into_iter().map(|(_, value)| value).collect())?
    } else {
        return None;
    };
    let objects = rows.iter().all(|row| row.get().starts_with('{'));
    objects.then_some(rows)
}

/// What of the answer says whether it is a good one.
fn verdict(fields: &[(String, Box<RawValue>)]) -> Value {
    let told = fields.iter().filter(|(name, value)| {
        let words = name == "message" && value.get().starts_with('"');
        words || VERDICT.contains(&name.as_str())
    });
    let told = told.filter_map(|(name, value)| {
        let value = serde_json::from_str(value.get()).ok()?;
        Some((name.clone(), value))
    });
    Value::Object(told.collect::<Map<_, _>>())
}

/// Names between back-ticks, not all of very many.
fn quoted(names: &[String]) -> String {
    let shown = names.iter().map(|name| {
        let name: String = name.chars().take(KEY).collect();
        format!("`{name}`")
    });
    some(shown, KEYS).unwrap_or_else(|| "none".to_owned())
}
