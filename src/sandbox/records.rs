//! The rooms, users and messages that the server keeps, and the entries that change the state.
//!
//! Times are parameters, in seconds since the epoch.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A change of the state. It adds or replaces one record.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Entry {
    Counters(Counters),
    Room(Room),
    User(User),
    Message(Message),
}

/// The last ids assigned. All widgets share the counters, as in one database table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counters {
    pub(super) room: u64,
    pub(super) user: u64,
    pub(super) message: u64,
    /// The time of the last generated pipe, in microseconds. The next pipe gets a later time.
    pub(super) pipe_micros: u64,
}

/// A room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// ImbaChat's id.
    pub id: u64,
    /// The widget that the room belongs to.
    pub widget: u64,
    /// The pipe.
    pub pipe: String,
    /// The title of the room.
    pub name: String,
    /// ImbaChat's id of the administrator.
    pub admin_id: u64,
    /// The type of the room: 0 for a dialog, 1 for a conference, 3 for support.
    pub kind: u8,
    /// Whether the room is public.
    pub is_public: bool,
    /// When the room was created.
    pub created_at: String,
    /// When the room was last changed.
    pub updated_at: String,
    /// When the room was soft-deleted; `None` if it is live.
    pub deleted_at: Option<String>,
    /// The external ids of the members, which no call of the API shows.
    pub members: BTreeSet<u64>,
}

/// A user of the external site, as the widget knows them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// ImbaChat's id of the user.
    pub id: u64,
    /// The widget that knows the user.
    pub widget: u64,
    /// The user's id on the external site.
    #[serde(rename = "remote")]
    pub remote_user_id: u64,
    /// The user's name. If it is absent, the API writes `NULL`.
    pub login: Option<String>,
    /// Whether the user is an administrator of the widget.
    pub admin: bool,
    /// Whether the user is banned.
    pub banned: bool,
    /// When the widget first saw the user.
    pub created_at: String,
    /// When the user was last changed.
    pub updated_at: String,
}

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// ImbaChat's id of the message.
    pub id: u64,
    pub(super) widget: u64,
    /// ImbaChat's id of the room.
    #[serde(rename = "room")]
    pub room_id: u64,
    /// The author's id on the external site.
    #[serde(rename = "author")]
    pub remote_user_id: u64,
    /// The text of the message.
    pub text: String,
    pub(super) time: u64,
    pub(super) uuid: String,
}

impl User {
    /// Returns the display name.
    pub(super) fn name(&self) -> String {
        let made_up = || format!("user {}", self.remote_user_id);
        self.login.clone().unwrap_or_else(made_up)
    }

    /// Returns `admin` or `user`, as `status`, `chat_role` and the filters spell the role.
    pub(super) fn role(&self) -> &'static str {
        if self.admin { "admin" } else { "user" }
    }
}

/// Formats a time as the API does: UTC, `YYYY-MM-DD HH:MM:SS` (api: fact 9). A time outside the
/// calendar becomes the epoch.
pub(super) fn stamp(epoch_secs: u64) -> String {
    let moment = i64::try_from(epoch_secs)
        .ok()
        .and_then(|secs| jiff::Timestamp::from_second(secs).ok())
        .unwrap_or_default();
    moment.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::stamp;

    #[test]
    fn stamps_are_utc() {
        assert_eq!(stamp(1_608_410_527), "2020-12-19 20:42:07");
        assert_eq!(stamp(u64::MAX), "1970-01-01 00:00:00");
    }
}
