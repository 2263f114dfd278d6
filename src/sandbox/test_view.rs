//! The internal state of the fake server, for tests that prepare or inspect it. It includes what
//! the API does not show.
//!
//! The main type is [`RoomView`]. The types are copies: changing a copy does not change the server.

use std::collections::BTreeSet;
use std::time::Duration;

use super::records::{Entry, Message, Room, User};
use super::server_state::{Quirks, World};

/// The internal state of a room, to inspect or to add.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomView {
    /// ImbaChat's id. To add a room with the next id, set 0.
    pub id: u64,
    /// The pipe. To add a room with a generated pipe, leave it empty.
    pub pipe: String,
    /// The title of the room.
    pub name: String,
    /// The type of the room: 0 for a dialog, 1 for a conference, 3 for support.
    pub kind: u8,
    /// Whether the room is public.
    pub is_public: bool,
    /// The external ids of the members.
    pub members: BTreeSet<u64>,
    /// Whether the room is soft-deleted.
    pub deleted: bool,
}

/// A user of the external site, as the widget knows them, to inspect or to add.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserView {
    /// The user's id on the external site.
    pub remote_user_id: u64,
    /// The user's name. If it is absent, the API writes `NULL`.
    pub login: Option<String>,
    /// Whether the user is an administrator of the widget.
    pub admin: bool,
    /// Whether the user is banned.
    pub banned: bool,
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

impl World {
    /// Creates an empty server with the default quirks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an empty server with these quirks.
    #[must_use]
    pub fn with_quirks(quirks: Quirks) -> Self {
        Self {
            quirks,
            ..Self::default()
        }
    }

    /// Replaces the quirks for all later calls.
    pub fn set_quirks(&mut self, quirks: Quirks) {
        self.quirks = quirks;
    }

    /// Returns all rooms of a widget in the order of their ids, including deleted rooms.
    /// Returns none if the widget is unknown.
    #[must_use]
    pub fn rooms(&self, widget: u64) -> Vec<RoomView> {
        let widget = self.widgets.get(&widget);
        let rooms = widget.into_iter().flat_map(|it| it.rooms.values());
        rooms.map(RoomView::from).collect()
    }

    /// Returns all users of a widget in the order of their external ids.
    #[must_use]
    pub fn users(&self, widget: u64) -> Vec<UserView> {
        let widget = self.widgets.get(&widget);
        let users = widget.into_iter().flat_map(|it| it.users.values());
        users.map(UserView::from).collect()
    }

    /// Returns all messages of a widget, oldest first.
    #[must_use]
    pub fn messages(&self, widget: u64) -> Vec<Message> {
        let widget = self.widgets.get(&widget);
        widget.map_or(Vec::new(), |it| it.messages.clone())
    }

    /// Adds a room, bypassing the rules of the API, and returns its id. If the seed's id is 0 or
    /// taken, the room gets the next id. Unknown members become users.
    pub fn insert_room(&mut self, widget: u64, seed: RoomView, now_epoch_secs: u64) -> u64 {
        self.now = Duration::from_secs(now_epoch_secs);
        let mut widgets = self.widgets.values();
        let is_taken = widgets.any(|it| it.rooms.contains_key(&seed.id));
        let id = match seed.id {
            0 => self.next_room_id(),
            _ if is_taken => self.next_room_id(),
            id => id,
        };
        for &member in &seed.members {
            self.add_user(widget, member, None, false);
        }
        let pipe = Some(seed.pipe).filter(|pipe| !pipe.is_empty());
        let room = Room {
            name: seed.name,
            kind: seed.kind,
            is_public: seed.is_public,
            deleted_at: seed.deleted.then(|| self.stamp()),
            members: seed.members,
            ..self.new_room(widget, id, pipe)
        };
        self.add(Entry::Room(room));
        id
    }

    /// Adds or replaces a user, and returns the user's id in ImbaChat.
    pub fn insert_user(&mut self, widget: u64, seed: UserView, now_epoch_secs: u64) -> u64 {
        self.now = Duration::from_secs(now_epoch_secs);
        let remote = seed.remote_user_id;
        let id = self.add_user(widget, remote, None, seed.admin);
        let updated_at = self.stamp();
        if let Some(known) = self.widget_mut(widget).users.get(&remote) {
            let user = User {
                login: seed.login,
                admin: seed.admin,
                banned: seed.banned,
                updated_at,
                ..known.clone()
            };
            self.add(Entry::User(user));
        }
        id
    }

    /// Replaces the members of a room, as an administrator can in ImbaChat's panel. Unknown members
    /// become users. Returns whether the room exists and is not deleted.
    pub fn set_members(&mut self, widget: u64, id: u64, members: BTreeSet<u64>) -> bool {
        let Some(room) = self.widget_mut(widget).live_room(id).cloned() else {
            return false;
        };
        for &member in &members {
            self.add_user(widget, member, None, false);
        }
        self.add(Entry::Room(Room { members, ..room }));
        true
    }

    /// Soft-deletes a room, as an administrator can in ImbaChat's panel. Returns whether the room
    /// existed and was not deleted.
    pub fn delete_room(&mut self, widget: u64, id: u64, now_epoch_secs: u64) -> bool {
        let room = self.widget_mut(widget).live_room(id).cloned();
        self.now = Duration::from_secs(now_epoch_secs);
        let deleted_at = Some(self.stamp());
        let deleted = room.map(|room| Room { deleted_at, ..room });
        let is_there = deleted.is_some();
        deleted.into_iter().for_each(|room| self.write_room(room));
        is_there
    }
}
