//! Builds the answers of the API: successes, and errors in each of the known forms.
//!
//! The main type is [`Answer`]. The calls decide which answer to give.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::records::{Message, User};
use super::rows;

/// An HTTP answer of the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status code.
    pub status: u16,
    /// The body. It is JSON, except that the answer to an update has an extra comma, as documented.
    pub body: String,
}

impl Answer {
    fn good(body: String) -> Self {
        Self { status: 200, body }
    }

    fn json(status: u16, body: &Value) -> Self {
        let body = body.to_string();
        Self { status, body }
    }

    /// Creates the answer to a create, in the first documented form: the id occurs twice, as a
    /// number.
    pub(super) fn room_created(id: u64) -> Self {
        Self::good(format!(
            r#"{{"code":200,"message":"Success","data":[{{"success":true,"roomId":{id},"room_id":{id}}}]}}"#
        ))
    }

    /// Creates the answer to an update, in the second documented form: the id is text, and a comma
    /// breaks the JSON.
    pub(super) fn room_updated(id: u64) -> Self {
        Self::good(format!(
            r#"{{"code":200,"message":"Success","data":[{{"error":false,"success":true,"room_id":"{id}",}}]}}"#
        ))
    }

    /// Creates the answer to a list call. Here `"success"` is the text `"true"`. In answers to
    /// writes, it is a boolean.
    pub(super) fn list(rows: &[String]) -> Self {
        let rows = rows.join(",");
        Self::good(format!(
            r#"{{"success":"true","data":[{rows}],"code":200}}"#
        ))
    }

    pub(super) fn message_sent(message: &Message, author: &User) -> Self {
        Self::good(rows::sent_message(message, author))
    }

    /// Creates an error as ImbaChat's own code returns it (api: fact 6).
    pub(super) fn error(code: u16, text: &str) -> Self {
        Self::json(code, &json!({"code": code, "error": text}))
    }

    /// Creates a 404 like [`Answer::error`], but with the text under the key `message`.
    pub(super) fn not_found(text: &str) -> Self {
        Self::json(404, &json!({"code": 404, "message": text}))
    }

    /// Creates a Laravel validation error, with a reason for each field (api: fact 6).
    pub(super) fn invalid(reasons: &BTreeMap<&str, String>) -> Self {
        let errors = reasons.iter().map(|(field, reason)| (field, [reason]));
        let errors: BTreeMap<_, _> = errors.collect();
        let body = json!({"message": "The given data was invalid.", "errors": errors});
        Self::json(422, &body)
    }

    /// Creates any other Laravel error.
    pub(super) fn message(status: u16, text: &str) -> Self {
        Self::json(status, &json!({"message": text}))
    }

    /// Changes an error to HTTP status 200 with the error code in the body, as some of ImbaChat's
    /// code does (api: fact 6).
    pub(super) fn with_status_200(self) -> Self {
        if self.status == 200 {
            return self;
        }
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let mut keys = ["error", "message"].iter();
        let text = keys.find_map(|key| body.get(key)?.as_str());
        let Self { body, .. } = Self::error(self.status, text.unwrap_or_default());
        Self::good(body)
    }
}
