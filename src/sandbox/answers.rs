//! Builds the answers of the API: successes, and errors in each of the known forms. Rooms, users and
//! messages have the same keys, in the same order, as in the API's documentation.
//!
//! The main type is [`Answer`]. The calls decide which answer to give. Fields that the sandbox has
//! no data for (a tab, an avatar, an e-mail address) get a value of the right type.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde_json::{Value, json};

use super::records::{Message, Room, User};

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

    /// Creates the answer to `send_msg`.
    pub(super) fn message_sent(message: &Message, author: &User) -> Self {
        let (name, role) = (json!(author.name()), json!(author.role()));
        let id = json!(author.id.to_string());
        let mail = format!("{}@sandbox.invalid", author.remote_user_id);
        let profile = object(&[
            ("profile_id", &author.remote_user_id),
            ("name", &name),
            ("chat_role", &role),
            ("avatar_url", &false),
            ("profile_url", &false),
            ("user_id", &id),
            ("status", &0),
            ("lastlogin", &-1),
            ("remote_user_id", &author.remote_user_id),
        ]);
        let user = object(&[
            ("name", &name),
            ("user_id", &id),
            ("user_mail", &json!(mail)),
            ("chat_role", &role),
            ("status", &0),
            ("avatar_url", &false),
            ("profile_url", &false),
            (
                "profiles",
                &object(&[(&author.remote_user_id.to_string(), &profile)]),
            ),
            ("lastlogin", &-1),
            ("remote_user_id", &author.remote_user_id),
        ]);
        Self::good(object(&[
            ("success", &true),
            ("message", &message_row(message, author)),
            ("user", &user),
            ("relation", &0),
        ]))
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

/// Writes a JSON object with its keys in the order of `fields`. The values are already JSON.
fn object(fields: &[(&str, &dyn Display)]) -> String {
    let fields = fields.iter();
    let fields = fields.map(|(key, value)| format!("\"{key}\":{value}"));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

/// Writes a row of `get_rooms`. As in the API, the row does not list the room's members.
pub(super) fn room_row(room: &Room) -> String {
    object(&[
        ("id", &room.id),
        ("pipe", &json!(room.pipe)),
        ("name", &json!(room.name)),
        ("admin_id", &room.admin_id),
        ("type", &room.kind),
        ("tab", &0),
        ("is_public", &u8::from(room.is_public)),
        ("created_at", &json!(room.created_at)),
        ("updated_at", &json!(room.updated_at)),
        ("deleted_at", &json!(room.deleted_at)),
        ("status", &0),
        ("imba_id", &room.widget),
    ])
}

/// Writes a row of `get_users`. An unknown value is the text `NULL`, as in the documented sample.
pub(super) fn user_row(user: &User) -> String {
    let login = user.login.as_deref().unwrap_or("NULL");
    let avatar = format!("https://avatars.invalid/{}", user.remote_user_id);
    object(&[
        ("id", &user.id),
        ("deleted_at", &Value::Null),
        ("created_at", &json!(user.created_at)),
        ("updated_at", &json!(user.updated_at)),
        ("remote_user_id", &json!(user.remote_user_id.to_string())),
        ("user_data", &Value::Null),
        ("imba_id", &user.widget),
        ("login", &json!(login)),
        ("password", &json!("NULL")),
        ("status", &json!(user.role())),
        ("avatar_url", &json!(avatar)),
    ])
}

/// Writes a message as a row of `get_messages`. The answer to `send_msg` contains the same row.
pub(super) fn message_row(message: &Message, author: &User) -> String {
    object(&[
        ("id", &message.id),
        ("uuid", &json!(message.uuid)),
        ("message", &json!(message.text)),
        ("time", &json!(message.time.to_string())),
        ("answer_to", &0),
        ("liked", &json!("0")),
        ("user_id", &author.id),
        ("room_id", &json!(message.room_id.to_string())),
        ("meta", &json!([])),
    ])
}
