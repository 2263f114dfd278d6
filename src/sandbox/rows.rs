//! Writes rooms, users and messages as JSON, with the keys and the order in the API's
//! documentation.
//!
//! Fields that the sandbox has no data for (a tab, an avatar, an e-mail address) get a value of the
//! right type.

use std::fmt::Display;

use serde_json::{Value, json};

use super::records::{Message, Room, User};

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
    let avatar = format!("https://avatars.invalid/{}", user.remote);
    object(&[
        ("id", &user.id),
        ("deleted_at", &Value::Null),
        ("created_at", &json!(user.created_at)),
        ("updated_at", &json!(user.updated_at)),
        ("remote_user_id", &json!(user.remote.to_string())),
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

/// Writes the answer to `send_msg`.
pub(super) fn sent_message(message: &Message, author: &User) -> String {
    let (name, role) = (json!(author.name()), json!(author.role()));
    let id = json!(author.id.to_string());
    let mail = format!("{}@sandbox.invalid", author.remote);
    let profile = object(&[
        ("profile_id", &author.remote),
        ("name", &name),
        ("chat_role", &role),
        ("avatar_url", &false),
        ("profile_url", &false),
        ("user_id", &id),
        ("status", &0),
        ("lastlogin", &-1),
        ("remote_user_id", &author.remote),
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
            &object(&[(&author.remote.to_string(), &profile)]),
        ),
        ("lastlogin", &-1),
        ("remote_user_id", &author.remote),
    ]);
    object(&[
        ("success", &true),
        ("message", &message_row(message, author)),
        ("user", &user),
        ("relation", &0),
    ])
}
