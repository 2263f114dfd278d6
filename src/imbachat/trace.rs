//! What is told of a request and its answer under `-vv`: neither a header of ours nor a text of people, so no secret either.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Request, Response};
use serde_json::Value;
use tracing::{debug, field};

use super::failure::Failure;

/// Keys of an object that are named, and how much of each.
const KEYS: usize = 20;
const KEY: usize = 32;
/// How deep a shape is followed.
const DEPTH: u32 = 4;

/// One request of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestTrace {
    number: u64,
    begun: Instant,
}

impl RequestTrace {
    /// A request is about to be sent; `sent` counts them.
    pub(super) fn request(sent: &AtomicU64, request: &Request) -> Self {
        let number = sent.fetch_add(1, Ordering::Relaxed) + 1;
        let path = request.url().path();
        debug!(number, method = %request.method(), path, "request");
        let begun = Instant::now();
        Self { number, begun }
    }

    /// It was answered; the body comes later. `clean` takes out what must not be told.
    pub(super) fn answered(self, response: &mut Response, clean: impl Fn(&str) -> String) {
        let (number, milliseconds) = (self.number, self.milliseconds());
        let (status, kind) = (response.status().as_u16(), kind(response.headers()));
        debug!(number, status, kind = clean(kind), milliseconds, "answer");
        response.extensions_mut().insert(self);
    }

    /// Which request an answer is to.
    pub(super) fn of(response: &Response) -> Option<Self> {
        response.extensions().get::<Self>().copied()
    }

    /// It was not.
    pub(super) fn failed(self, failure: &Failure) {
        let (number, milliseconds) = (self.number, self.milliseconds());
        debug!(
            number,
            cause = failure.cause.map(field::debug),
            milliseconds,
            "no answer"
        );
    }

    fn milliseconds(self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// The body of an answer is read; for a list, what is left of it without its rows.
pub(super) fn body(
    told: Option<RequestTrace>,
    rows: Option<usize>,
    body: &[u8],
    clean: impl Fn(&str) -> String,
) {
    let number = told.map_or(0, |told| told.number);
    debug!(
        number,
        rows,
        bytes = body.len(),
        shape = clean(&shape(body)),
        "body"
    );
}

/// The content type without its parameters.
fn kind(headers: &HeaderMap) -> &str {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or("none").split(';').next().unwrap_or_default();
    kind.trim()
}

/// What an answer is made of: keys, numbers, yes and no, but of a text only its length.
fn shape(body: &[u8]) -> String {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => of(&value, DEPTH),
        Err(_) if body.trim_ascii_start().starts_with(b"<") => "a page".to_owned(),
        Err(_) => "no JSON".to_owned(),
    }
}

fn of(value: &Value, depth: u32) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) if matches!(text.as_str(), "" | "true" | "false" | "null" | "NULL") => {
            format!("\"{text}\"")
        }
        Value::String(text) => format!("text({})", text.chars().count()),
        Value::Array(items) if depth == 0 => format!("[{}]", items.len()),
        Value::Array(items) => match items.split_first() {
            None => "[]".to_owned(),
            Some((first, [])) => format!("[{}]", of(first, depth - 1)),
            Some((first, more)) => format!("[{}, {} more]", of(first, depth - 1), more.len()),
        },
        Value::Object(map) if depth == 0 => format!("{{{}}}", map.len()),
        Value::Object(map) => {
            let keys = map.iter().take(KEYS).map(|(key, value)| {
                let key: String = key.chars().take(KEY).collect();
                format!("{key}:{}", of(value, depth - 1))
            });
            let mut keys: Vec<String> = keys.collect();
            if map.len() > KEYS {
                keys.push(format!("{} more", map.len() - KEYS));
            }
            format!("{{{}}}", keys.join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_has_keys_and_numbers_but_no_text() {
        let body = br#"{"code":200,"success":"true","message":"Hello Ann","data":[{"room_id":7,"user":{"login":"ann","x":{"y":{"z":1}}}},{}]}"#;
        insta::assert_snapshot!(shape(body), @r#"{code:200 data:[{room_id:7 user:{login:text(3) x:{1}}}, 1 more] message:text(9) success:"true"}"#);
        assert_eq!(shape(b"<html>"), "a page");
        assert_eq!(shape(b"secret"), "no JSON");
        assert_eq!(shape(br#"["x",null,[[[[1]]]]]"#), "[text(1), 2 more]");
        assert_eq!(shape(b"[[[[[1,2]]]]]"), "[[[[[2]]]]]");
    }
}
