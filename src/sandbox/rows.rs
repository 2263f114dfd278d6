//! The JSON of rooms, users and messages, key for key and in the order in which the API's pages print them.
//!
//! The main types are [`RoomRow`], [`UserRow`] and [`MessageRow`]. What the sandbox knows nothing of (a tab, an avatar,
//! an e-mail address) has a value of the right type.

use std::collections::BTreeMap;

use serde::Serialize;

use super::state::{Message, Room, User};

/// The answer to a list call: `"success"` is text here, and a boolean in the answers to writes.
#[derive(Serialize)]
pub(super) struct List<T> {
    success: &'static str,
    data: Vec<T>,
    code: u16,
}

impl<T> List<T> {
    pub(super) fn new(data: Vec<T>) -> Self {
        Self {
            success: "true",
            data,
            code: 200,
        }
    }
}

/// A row of `get_rooms`. It has no members, and neither has the API.
#[derive(Serialize)]
pub(super) struct RoomRow<'a> {
    id: u64,
    pipe: &'a str,
    name: &'a str,
    admin_id: u64,
    #[serde(rename = "type")]
    kind: u8,
    tab: u8,
    is_public: u8,
    created_at: &'a str,
    updated_at: &'a str,
    deleted_at: Option<&'a str>,
    status: u8,
    imba_id: u64,
}

impl<'a> From<&'a Room> for RoomRow<'a> {
    fn from(room: &'a Room) -> Self {
        Self {
            id: room.id,
            pipe: &room.pipe,
            name: &room.name,
            admin_id: room.admin_id,
            kind: room.kind,
            tab: 0,
            is_public: room.is_public.into(),
            created_at: &room.created_at,
            updated_at: &room.updated_at,
            deleted_at: room.deleted_at.as_deref(),
            status: 0,
            imba_id: room.widget,
        }
    }
}

/// A row of `get_users`. The text `NULL` stands where nothing is known, as in the page's sample.
#[derive(Serialize)]
pub(super) struct UserRow<'a> {
    id: u64,
    deleted_at: Option<&'a str>,
    created_at: &'a str,
    updated_at: &'a str,
    remote_user_id: String,
    user_data: Option<&'a str>,
    imba_id: u64,
    login: &'a str,
    password: &'a str,
    status: &'a str,
    avatar_url: String,
}

impl<'a> From<&'a User> for UserRow<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            id: user.id,
            deleted_at: None,
            created_at: &user.created_at,
            updated_at: &user.updated_at,
            remote_user_id: user.remote.to_string(),
            user_data: None,
            imba_id: user.widget,
            login: user.login.as_deref().unwrap_or("NULL"),
            password: "NULL",
            status: user.role(),
            avatar_url: format!("https://avatars.invalid/{}", user.remote),
        }
    }
}

/// A message, both as a row of `get_messages` and in the answer of `send_msg`.
#[derive(Serialize)]
pub(super) struct MessageRow<'a> {
    id: u64,
    uuid: &'a str,
    message: &'a str,
    time: String,
    answer_to: u64,
    liked: &'static str,
    user_id: u64,
    room_id: String,
    meta: [(); 0],
}

impl<'a> MessageRow<'a> {
    pub(super) fn new(message: &'a Message, author: &User) -> Self {
        Self {
            id: message.id,
            uuid: &message.uuid,
            message: &message.text,
            time: message.time.to_string(),
            answer_to: 0,
            liked: "0",
            user_id: author.id,
            room_id: message.room.to_string(),
            meta: [],
        }
    }
}

/// The answer to `send_msg`.
#[derive(Serialize)]
pub(super) struct Sent<'a> {
    success: bool,
    message: MessageRow<'a>,
    user: Profile<'a>,
    relation: u8,
}

impl<'a> Sent<'a> {
    pub(super) fn new(message: &'a Message, author: &'a User) -> Self {
        Self {
            success: true,
            message: MessageRow::new(message, author),
            user: Profile::new(author),
            relation: 0,
        }
    }
}

#[derive(Serialize)]
struct Profile<'a> {
    name: String,
    user_id: String,
    user_mail: String,
    chat_role: &'a str,
    status: u8,
    avatar_url: bool,
    profile_url: bool,
    profiles: BTreeMap<u64, InnerProfile<'a>>,
    lastlogin: i8,
    remote_user_id: u64,
}

#[derive(Serialize)]
struct InnerProfile<'a> {
    profile_id: u64,
    name: String,
    chat_role: &'a str,
    avatar_url: bool,
    profile_url: bool,
    user_id: String,
    status: u8,
    lastlogin: i8,
    remote_user_id: u64,
}

impl<'a> Profile<'a> {
    fn new(user: &'a User) -> Self {
        let inner = InnerProfile {
            profile_id: user.remote,
            name: user.name(),
            chat_role: user.role(),
            avatar_url: false,
            profile_url: false,
            user_id: user.id.to_string(),
            status: 0,
            lastlogin: -1,
            remote_user_id: user.remote,
        };
        Self {
            name: user.name(),
            user_id: user.id.to_string(),
            user_mail: format!("{}@sandbox.invalid", user.remote),
            chat_role: user.role(),
            status: 0,
            avatar_url: false,
            profile_url: false,
            profiles: BTreeMap::from([(user.remote, inner)]),
            lastlogin: -1,
            remote_user_id: user.remote,
        }
    }
}
