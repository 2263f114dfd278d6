//! The inside of the imitated server as tests see it, with what the API does not show.
//!
//! The main type is [`RoomView`]. The types are copies: changing one changes nothing in the server.

use std::collections::BTreeSet;

use super::state::{Message, Room, User};

/// A room as it is inside, with what the API does not show. Also the seed of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomView {
    /// ImbaChat's id; in a seed 0 for "the next one".
    pub id: u64,
    /// The pipe; in a seed empty for a generated one.
    pub pipe: String,
    /// The title.
    pub name: String,
    /// 0 a dialog, 1 a conference, 3 support.
    pub kind: u8,
    /// Whether the room is public.
    pub is_public: bool,
    /// External ids.
    pub members: BTreeSet<u64>,
    /// Whether the room is soft-deleted.
    pub deleted: bool,
}

/// A user of the external site, as the widget knows them. Also the seed of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserView {
    /// The id on the external site.
    pub remote_user_id: u64,
    /// The name; without one the API writes `NULL`.
    pub login: Option<String>,
    /// Whether the user is an administrator of the widget.
    pub admin: bool,
    /// Whether the user is banned.
    pub banned: bool,
}

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageView {
    /// ImbaChat's id of the message.
    pub id: u64,
    /// The room it went into.
    pub room_id: u64,
    /// The external id of its author.
    pub remote_user_id: u64,
    /// Its text.
    pub text: String,
}

impl From<&Room> for RoomView {
    fn from(room: &Room) -> Self {
        Self {
            id: room.id,
            pipe: room.pipe.clone(),
            name: room.name.clone(),
            kind: room.kind,
            is_public: room.is_public,
            members: room.members.clone(),
            deleted: room.deleted_at.is_some(),
        }
    }
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            remote_user_id: user.remote,
            login: user.login.clone(),
            admin: user.admin,
            banned: user.banned,
        }
    }
}

impl From<&Message> for MessageView {
    fn from(message: &Message) -> Self {
        Self {
            id: message.id,
            room_id: message.room,
            remote_user_id: message.author,
            text: message.text.clone(),
        }
    }
}
