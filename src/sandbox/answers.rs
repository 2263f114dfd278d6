//! The answers: good ones, and errors in each of the forms that are known of the API.
//!
//! The main type is [`Answer`]. It decides nothing: which answer is due is up to the calls.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::records::{Message, User};
use super::rows;

/// An answer before it is put on a wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body. It claims to be JSON, but the answer to an update has a comma too many, as on the API's page.
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

    /// The first of the two shapes the pages print, with the id as a number, twice.
    pub(super) fn room_created(id: u64) -> Self {
        Self::good(format!(
            r#"{{"code":200,"message":"Success","data":[{{"success":true,"roomId":{id},"room_id":{id}}}]}}"#
        ))
    }

    /// The second shape, with the id as text and a comma that makes it invalid JSON: the pages print it so.
    pub(super) fn room_updated(id: u64) -> Self {
        Self::good(format!(
            r#"{{"code":200,"message":"Success","data":[{{"error":false,"success":true,"room_id":"{id}",}}]}}"#
        ))
    }

    pub(super) fn list(rows: &[String]) -> Self {
        Self::good(rows::list(rows))
    }

    pub(super) fn message_sent(message: &Message, author: &User) -> Self {
        Self::good(rows::sent_message(message, author))
    }

    /// An error in the form of ImbaChat's own code (api: fact 6).
    pub(super) fn error(code: u16, text: &str) -> Self {
        Self::json(code, &json!({"code": code, "error": text}))
    }

    /// The same under another key.
    pub(super) fn not_found(text: &str) -> Self {
        Self::json(404, &json!({"code": 404, "message": text}))
    }

    /// Laravel's form of a refused form: for each field the reason (api: fact 6).
    pub(super) fn invalid(reasons: &BTreeMap<&str, String>) -> Self {
        let errors: BTreeMap<_, _> = reasons
            .iter()
            .map(|(field, reason)| (field, [reason]))
            .collect();
        Self::json(
            422,
            &json!({"message": "The given data was invalid.", "errors": errors}),
        )
    }

    /// Laravel's form of everything else that went wrong.
    pub(super) fn message(status: u16, text: &str) -> Self {
        Self::json(status, &json!({"message": text}))
    }

    /// An error as some of ImbaChat's code gives it: HTTP says 200, the body knows better (api: fact 6).
    pub(super) fn with_status_200(self) -> Self {
        if self.status == 200 {
            return self;
        }
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let text = ["error", "message"]
            .iter()
            .find_map(|key| body.get(key)?.as_str());
        let error = Self::error(self.status, text.unwrap_or_default());
        Self {
            status: 200,
            ..error
        }
    }
}
