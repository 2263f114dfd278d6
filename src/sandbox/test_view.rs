//! The internal state of the fake server, for tests that prepare or inspect it. It includes what
//! the API does not show. Rooms, users and messages are copies: changing a copy does not change the
//! server.

use std::collections::BTreeSet;
use std::time::Duration;

use super::records::{Entry, Message, Room, User};
use super::server_state::{Quirks, World};

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
    pub fn rooms(&self, widget: u64) -> Vec<Room> {
        let widget = self.widgets.get(&widget);
        widget.map_or(Vec::new(), |it| it.rooms.values().cloned().collect())
    }

    /// Returns all users of a widget in the order of their external ids.
    #[must_use]
    pub fn users(&self, widget: u64) -> Vec<User> {
        let widget = self.widgets.get(&widget);
        widget.map_or(Vec::new(), |it| it.users.values().cloned().collect())
    }

    /// Returns all messages of a widget, oldest first.
    #[must_use]
    pub fn messages(&self, widget: u64) -> Vec<Message> {
        let widget = self.widgets.get(&widget);
        widget.map_or(Vec::new(), |it| it.messages.clone())
    }

    /// Adds a room, bypassing the rules of the API, and returns its id. If the seed's id is 0 or
    /// taken, the room gets the next id. If the seed's pipe is empty, the room gets a generated
    /// pipe. Unknown members become users. Ignores the seed's widget, administrator and
    /// times, except `deleted_at`.
    pub fn insert_room(&mut self, widget: u64, seed: Room, now_epoch_secs: u64) -> u64 {
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
            deleted_at: seed.deleted_at,
            members: seed.members,
            ..self.new_room(widget, id, pipe)
        };
        self.add(Entry::Room(room));
        id
    }

    /// Adds a user, or replaces the user's name and flags. Returns the user's id in ImbaChat.
    pub fn insert_user(&mut self, widget: u64, seed: User, now_epoch_secs: u64) -> u64 {
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
