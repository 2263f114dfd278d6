//! Reads the status and the body of answers, within limits on size and time. Describes bodies in
//! the log without user text.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use tracing::debug;

use super::http::{Http, date, header, parse_date};
use super::retry::{Cause, Failure};
use super::wire::{self, BadAnswer};

/// Maximum size of the answer to a write, in bytes.
pub(super) const LARGEST_ANSWER: usize = 4 << 20;
/// Maximum size of the body of an answer with an error status, in bytes.
const LARGEST_ERROR: usize = 64 << 10;
/// Maximum time for reading the body of a list, as a multiple of the timeout.
const LIST_TIMEOUTS: u32 = 20;

impl Http {
    /// Sends a request. Returns the answer if its status is success, and a failure otherwise.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let response = self.answer(request).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if status.is_redirection() {
            return Err(self.redirected(&response));
        }
        let retry_after = retry_after(response.headers());
        let reason = match self.body(response, LARGEST_ERROR, self.timeout).await {
            Ok(body) => wire::complaint(&body),
            Err(failure) if failure.lasting => Some(failure.message),
            // The request as a whole timed out, or the connection was idle for too long.
            Err(failure) if failure.cause == Some(Cause::NoAnswer) => {
                Some(incomplete(self.timeout))
            }
            Err(_) => None,
        };
        Err(Failure {
            retry_after,
            ..self.refusal(Cause::Status(status.as_u16()), reason)
        })
    }

    /// Returns the maximum time for reading the body of a list, which may take longer than other
    /// answers.
    pub(super) fn list_time(&self) -> Duration {
        self.timeout.saturating_mul(LIST_TIMEOUTS)
    }

    /// Reads the whole body of an answer, up to `largest` bytes and within `time`.
    pub(super) async fn body(
        &self,
        response: Response,
        largest: usize,
        time: Duration,
    ) -> Result<Vec<u8>, Failure> {
        let (number, mut body) = (number(&response), Vec::new());
        let take = |piece: &[u8]| {
            body.extend_from_slice(piece);
            Ok(())
        };
        self.pieces(response, largest, time, take).await?;
        self.log_body(number, None, &body);
        Ok(body)
    }

    /// Passes on the pieces of a body as they arrive. The limits `largest` (in bytes) and
    /// `time` make sure that every run ends.
    pub(super) async fn pieces(
        &self,
        mut response: Response,
        largest: usize,
        time: Duration,
        mut take: impl FnMut(&[u8]) -> Result<(), BadAnswer>,
    ) -> Result<(), Failure> {
        let read = async {
            let mut size = 0;
            while let Some(piece) = response.chunk().await.map_err(|error| self.fail(error))? {
                size += piece.len();
                if size > largest {
                    let (size, unit) = match largest >> 20 {
                        0 => (largest >> 10, "KiB"),
                        size => (size, "MiB"),
                    };
                    let text = format!("the server's answer is larger than {size} {unit}");
                    return Err(self.reject(BadAnswer::TooLarge(text)));
                }
                take(&piece).map_err(|bad| self.reject(bad))?;
            }
            Ok(())
        };
        tokio::time::timeout(time, read).await.unwrap_or_else(|_| {
            let failure = self.reject(BadAnswer::TooLarge(incomplete(time)));
            Err(failure.hint("raise --timeout if the server needs more time"))
        })
    }

    /// Logs the shape of a body. For a list, `body` is the envelope, and `rows` is the number of
    /// rows.
    pub(super) fn log_body(&self, number: u64, rows: Option<usize>, body: &[u8]) {
        // `debug!` evaluates its arguments only if the entry is logged.
        debug!(
            number,
            rows,
            bytes = body.len(),
            shape = shape(body, &|key| self.redact(key)),
            "body"
        );
    }
}

fn incomplete(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    format!("the server's answer is not complete after {seconds} s")
}

/// Returns the number of the request that this answer belongs to.
pub(super) fn number(response: &Response) -> u64 {
    response.extensions().get().copied().unwrap_or_default()
}

/// Reads `Retry-After`, which is a number of seconds or a date. A date is compared with the
/// answer's own `Date` header, because the local clock may be off.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let asked = header(headers, RETRY_AFTER)?.trim();
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let now = date(headers).unwrap_or_else(Timestamp::now);
    Some(Duration::try_from(parse_date(asked)?.duration_since(now)).unwrap_or_default())
}

/// Maximum number of keys that are logged for an object, and maximum length of each key.
const KEYS: usize = 20;
const KEY: usize = 32;
/// Maximum size of an answer whose shape is logged, in bytes.
const LARGEST_SHAPE: usize = 4 << 20;
/// Maximum depth of a logged shape.
const DEPTH: u32 = 4;

/// Describes an answer for the log. Shows its numbers, its booleans and its keys (with secrets
/// redacted), and the length of each text instead of the text.
fn shape(body: &[u8], redact: &dyn Fn(&str) -> String) -> String {
    if body.len() > LARGEST_SHAPE {
        return "large".to_owned();
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => value_shape(&value, DEPTH, redact),
        Err(_) if body.trim_ascii_start().starts_with(b"<") => "a page".to_owned(),
        Err(_) => "no JSON".to_owned(),
    }
}

fn value_shape(value: &Value, depth: u32, redact: &dyn Fn(&str) -> String) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) if matches!(text.as_str(), "" | "true" | "false" | "null" | "NULL") => {
            format!("\"{text}\"")
        }
        Value::String(text) => format!("text({})", text.chars().count()),
        Value::Array(_) | Value::Object(_) if depth == 0 => "…".to_owned(),
        Value::Array(items) => {
            let first = items.iter().take(1);
            let first = first.map(|item| value_shape(item, depth - 1, redact));
            format!("[{}]", join(first.collect(), ", ", items.len()))
        }
        Value::Object(map) => {
            let keys = map.iter().take(KEYS).map(|(key, value)| {
                let key: String = redact(key).chars().take(KEY).collect();
                format!("{key}:{}", value_shape(value, depth - 1, redact))
            });
            format!("{{{}}}", join(keys.collect(), " ", map.len()))
        }
    }
}

/// Joins the parts to show, and adds the number of parts that are left out.
fn join(mut parts: Vec<String>, separator: &str, total: usize) -> String {
    if let more @ 1.. = total - parts.len() {
        parts.push(format!("{more} more"));
    }
    parts.join(separator)
}

#[cfg(test)]
mod tests {
    fn shape(body: &[u8]) -> String {
        super::shape(body, &|key| key.replace("hunter2", "***"))
    }

    #[test]
    fn a_shape_has_keys_and_numbers_but_no_text() {
        let body = br#"{"code":200,"success":"true","message":"Hello Ann","data":[{"room_id":7,"user":{"login":"ann","x":{"y":{"z":1}}}},{}]}"#;
        insta::assert_snapshot!(shape(body), @r#"{code:200 data:[{room_id:7 user:{login:text(3) x:…}}, 1 more] message:text(9) success:"true"}"#);
        // A key is redacted before it is shortened, because redaction does not find part of a
        // secret.
        let key = format!("{}hunter2", "x".repeat(28));
        let body = format!("{{\"{key}\":1}}");
        assert_eq!(
            shape(body.as_bytes()),
            format!("{{{}***:1}}", "x".repeat(28))
        );
        assert_eq!(shape(b"<html>"), "a page");
        assert_eq!(shape(b"secret"), "no JSON");
        assert_eq!(shape(br#"["x",null,[[[[1]]]]]"#), "[text(1), 2 more]");
        assert_eq!(shape(b"[[[[[1,2]]]]]"), "[[[[…]]]]");
    }
}
