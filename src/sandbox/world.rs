//! The imitated server without a socket: its state, its quirks, and ways for tests to prepare and to inspect both.
//!
//! The main type is [`World`]. It has no clock and does no I/O; the calls themselves are in [`super::calls`].

use super::lag::Lag;
use super::state::{Key, Message, Room, State, stamp};
use super::views::{MessageView, RoomView, UserView};

/// Ways in which the real server may behave and which its pages leave open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirks {
    /// A write without a title renames an existing room to "new room". On by default: the pages say of an omitted
    /// title that the server assigns this one, and they say it of adding members too (api: fact 1).
    pub reset_title: bool,
    /// A write to an existing room adds its members and leaves title, type and publicity as they are.
    pub ignore_updates: bool,
    /// `get_rooms` shows a write only after this many further list calls of the widget.
    pub lag: u32,
    /// `get_rooms` shows deleted rooms too.
    pub show_deleted: bool,
    /// Errors of the calls come with HTTP status 200 and the real one in the body (api: fact 6).
    pub errors_with_200: bool,
    /// `get_rooms` with a token shows only rooms that the token's user is a member of.
    pub jwt_lists_own: bool,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            reset_title: true,
            ignore_updates: false,
            lag: 0,
            show_deleted: false,
            errors_with_200: false,
            jwt_lists_own: false,
        }
    }
}

/// The imitated server as a state machine.
#[derive(Debug, Clone, Default)]
pub struct World {
    state: State,
    quirks: Quirks,
    lag: Lag,
    revision: u64,
}

/// Preparing and inspecting.
impl World {
    /// A server that has seen nothing yet, with the default quirks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with other quirks.
    #[must_use]
    pub fn with_quirks(quirks: Quirks) -> Self {
        Self {
            quirks,
            ..Self::default()
        }
    }

    /// Makes a world behave otherwise from here on.
    pub fn set_quirks(&mut self, quirks: Quirks) {
        self.quirks = quirks;
    }

    /// All rooms of a widget by id, deleted and undeclared ones included; none if it was never seen.
    #[must_use]
    pub fn rooms(&self, widget: u64) -> Vec<RoomView> {
        let rooms = self.state.widgets.get(&widget).into_iter();
        rooms
            .flat_map(|widget| widget.rooms.values())
            .map(RoomView::from)
            .collect()
    }

    /// All users of a widget by external id.
    #[must_use]
    pub fn users(&self, widget: u64) -> Vec<UserView> {
        let users = self.state.widgets.get(&widget).into_iter();
        users
            .flat_map(|widget| widget.users.values())
            .map(UserView::from)
            .collect()
    }

    /// All messages of a widget, the oldest first.
    #[must_use]
    pub fn messages(&self, widget: u64) -> Vec<MessageView> {
        let messages = self.state.widgets.get(&widget).into_iter();
        messages
            .flat_map(|widget| &widget.messages)
            .map(MessageView::from)
            .collect()
    }

    /// Adds a room as it is, past all rules of the API, and gives its id: that of the seed, or the next one where the
    /// seed's is 0 or taken. Its members become known users.
    pub fn insert_room(&mut self, widget: u64, seed: RoomView, now_epoch_secs: u64) -> u64 {
        let now = now_epoch_secs;
        let RoomView {
            id,
            pipe,
            name,
            kind,
            is_public,
            members,
            deleted,
        } = seed;
        let free = id != 0 && !self.state.knows_room(id);
        let id = if free { id } else { self.state.next_room_id() };
        self.state.counters.room = self.state.counters.room.max(id);
        for &member in &members {
            self.state.add_user(widget, member, None, false, now);
        }
        let room = Room {
            id,
            widget,
            pipe: if pipe.is_empty() {
                self.state.generated_pipe(now)
            } else {
                pipe
            },
            name,
            admin_id: self.state.owner(widget, now),
            kind,
            is_public,
            created_at: stamp(now),
            updated_at: stamp(now),
            deleted_at: deleted.then(|| stamp(now)),
            members,
        };
        self.state.put_room(room);
        self.revision += 1;
        id
    }

    /// Makes a user known, or changes one that is; gives ImbaChat's own id.
    pub fn insert_user(&mut self, widget: u64, seed: UserView, now_epoch_secs: u64) -> u64 {
        let UserView {
            remote_user_id,
            login,
            admin,
            banned,
        } = seed;
        let id = self
            .state
            .add_user(widget, remote_user_id, None, admin, now_epoch_secs);
        if let Some(user) = self.state.widget_mut(widget).users.get_mut(&remote_user_id) {
            (user.login, user.admin, user.banned) = (login, admin, banned);
            user.updated_at = stamp(now_epoch_secs);
        }
        self.state.changed.insert(Key::User(widget, remote_user_id));
        self.revision += 1;
        id
    }

    /// Soft-deletes a room, as an administrator can in ImbaChat's own panel. Tells whether there was a live one.
    pub fn delete_room(&mut self, widget: u64, id: u64, now_epoch_secs: u64) -> bool {
        let Some(before) = self.state.widget_mut(widget).live_room(id).cloned() else {
            return false;
        };
        let deleted_at = Some(stamp(now_epoch_secs));
        self.write_room(
            Some(&before),
            Room {
                deleted_at,
                ..before.clone()
            },
        );
        true
    }
}

/// For the calls and for the store.
impl World {
    pub(super) fn from_state(state: State, quirks: Quirks) -> Self {
        Self {
            state,
            quirks,
            ..Self::default()
        }
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    pub(super) fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    pub(super) fn quirks(&self) -> &Quirks {
        &self.quirks
    }

    /// Grows with every change of what is to be saved.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn touch(&mut self, widget: u64, now: u64) {
        if self.state.touch(widget, now) {
            self.revision += 1;
        }
    }

    pub(super) fn write_room(&mut self, before: Option<&Room>, room: Room) {
        if self.quirks.lag > 0 {
            self.lag.note(before, &room);
        }
        self.state.put_room(room);
        self.revision += 1;
    }

    pub(super) fn write_message(&mut self, message: Message) {
        let widget = message.widget;
        let messages = &mut self.state.widget_mut(widget).messages;
        messages.push(message);
        let key = Key::Message(widget, messages.len() - 1);
        self.state.changed.insert(key);
        self.revision += 1;
    }

    pub(super) fn list_called(&mut self, widget: u64) {
        self.lag.list_called(widget, self.quirks.lag);
    }

    /// The room as `get_rooms` sees it by now.
    pub(super) fn seen<'a>(&'a self, room: &'a Room) -> Option<&'a Room> {
        self.lag.view(room)
    }
}
