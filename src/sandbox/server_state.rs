//! The imitated server without a socket: what it remembers, and its quirks.
//!
//! The main type is [`World`]. It has no clock and does no I/O; the calls themselves are in [`super::calls`]. All that
//! changes it is an [`Entry`], so that a state is loaded in the same way as it came about.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::read_lag::ReadLag;
use super::records::{Counters, Entry, Message, Room, User, stamp};

/// The title of a room for which none was sent.
pub(super) const UNTITLED: &str = "new room";
const SUPPORT_TITLE: &str = "Technical support";
const SUPPORT_KIND: u8 = 3;
/// The external id of the site user whose login the pages write as `admin`.
const OWNER: u64 = 1;

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
    pub(super) quirks: Quirks,
    pub(super) counters: Counters,
    pub(super) widgets: BTreeMap<u64, Widget>,
    pub(super) lag: ReadLag,
    /// Grows with every change of what is to be saved.
    pub(super) revision: u64,
    /// The changes since the state was last saved; `None` if it is kept in memory only.
    pub(super) unsaved: Option<Vec<Entry>>,
}

/// One customer's chat.
#[derive(Debug, Clone, Default)]
pub(super) struct Widget {
    pub(super) rooms: BTreeMap<u64, Room>,
    /// By external id.
    pub(super) users: BTreeMap<u64, User>,
    pub(super) messages: Vec<Message>,
    /// Ids of the live rooms with a pipe. More than one is possible in seeded states.
    pipes: HashMap<String, BTreeSet<u64>>,
    has_support_room: bool,
}

impl World {
    /// A server without a state, whose changes are kept until they are saved.
    pub(super) fn for_saving() -> Self {
        Self {
            unsaved: Some(Vec::new()),
            ..Self::default()
        }
    }

    /// Changes the state by an entry that is saved already.
    pub(super) fn load(&mut self, entry: Entry) {
        let counters = &mut self.counters;
        match entry {
            Entry::Counters(saved) => *counters = saved,
            Entry::Room(room) => {
                counters.room = counters.room.max(room.id);
                self.widget_mut(room.widget).put_room(room);
            }
            Entry::User(user) => {
                counters.user = counters.user.max(user.id);
                let users = &mut self.widget_mut(user.widget).users;
                users.insert(user.remote, user);
            }
            Entry::Message(message) => {
                counters.message = counters.message.max(message.id);
                self.widget_mut(message.widget).messages.push(message);
            }
        }
    }

    /// Changes the state.
    pub(super) fn add(&mut self, entry: Entry) {
        if let Some(unsaved) = &mut self.unsaved {
            unsaved.push(entry.clone());
        }
        self.revision += 1;
        self.load(entry);
    }

    /// Adds or replaces a room by a call: a list that lags shows it later.
    pub(super) fn write_room(&mut self, room: Room) {
        if self.quirks.lag > 0 {
            let before = self.widget_mut(room.widget).rooms.get(&room.id).cloned();
            self.lag.note(before, &room);
        }
        self.add(Entry::Room(room));
    }

    /// Gives a widget seen for the first time its owner and a support room that nobody declared (api: fact 11).
    pub(super) fn touch(&mut self, widget: u64, now: u64) {
        if !self.widget_mut(widget).has_support_room {
            let id = self.next_room_id();
            let room = Room {
                name: SUPPORT_TITLE.to_owned(),
                kind: SUPPORT_KIND,
                ..self.new_room(widget, id, None, now)
            };
            self.add(Entry::Room(room));
        }
    }

    /// A room for which a form says nothing.
    pub(super) fn new_room(
        &mut self,
        widget: u64,
        id: u64,
        pipe: Option<String>,
        now: u64,
    ) -> Room {
        Room {
            id,
            widget,
            pipe: pipe.unwrap_or_else(|| self.generated_pipe(now)),
            name: UNTITLED.to_owned(),
            admin_id: self.owner(widget, now),
            created_at: stamp(now),
            updated_at: stamp(now),
            ..Room::default()
        }
    }

    /// ImbaChat's id of the widget's administrator, who is `admin_id` in its rooms.
    fn owner(&mut self, widget: u64, now: u64) -> u64 {
        let users = &self.widget_mut(widget).users;
        let admin = users.values().find(|user| user.admin);
        match admin.or_else(|| users.get(&OWNER)) {
            Some(user) => user.id,
            None => self.add_user(widget, OWNER, Some("admin"), true, now),
        }
    }

    /// Makes the user known, unless it is; gives ImbaChat's own id.
    pub(super) fn add_user(
        &mut self,
        widget: u64,
        remote: u64,
        login: Option<&str>,
        admin: bool,
        now: u64,
    ) -> u64 {
        if let Some(known) = self.widget_mut(widget).users.get(&remote) {
            return known.id;
        }
        let id = self.counters.user + 1;
        self.add(Entry::User(User {
            id,
            widget,
            remote,
            login: login.map(str::to_owned),
            admin,
            banned: false,
            created_at: stamp(now),
            updated_at: stamp(now),
        }));
        id
    }

    pub(super) fn widget_mut(&mut self, widget: u64) -> &mut Widget {
        self.widgets.entry(widget).or_default()
    }

    pub(super) fn next_room_id(&mut self) -> u64 {
        self.counters.room += 1;
        self.counters.room
    }

    /// A pipe as PHP's `uniqid() . '_' . time()` makes it (api: fact 10), unique even within one microsecond.
    fn generated_pipe(&mut self, now: u64) -> String {
        let micros = now
            .saturating_mul(1_000_000)
            .max(self.counters.pipe_micros + 1);
        self.counters.pipe_micros = micros;
        format!("{:08x}{:05x}_{now}", micros / 1_000_000, micros % 1_000_000)
    }
}

impl Widget {
    fn put_room(&mut self, room: Room) {
        if let Some(before) = self.rooms.get(&room.id)
            && let Some(ids) = self.pipes.get_mut(&before.pipe)
        {
            ids.remove(&room.id);
        }
        self.has_support_room |= room.kind == SUPPORT_KIND;
        if room.deleted_at.is_none() {
            let ids = self.pipes.entry(room.pipe.clone()).or_default();
            ids.insert(room.id);
        }
        self.rooms.insert(room.id, room);
    }

    /// The live room with that id.
    pub(super) fn live_room(&self, id: u64) -> Option<&Room> {
        self.rooms.get(&id).filter(|room| room.deleted_at.is_none())
    }

    /// The oldest live room with that pipe.
    pub(super) fn room_by_pipe(&self, pipe: &str) -> Option<&Room> {
        self.rooms.get(self.pipes.get(pipe)?.first()?)
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "a missing room fails the test")]
mod tests {
    use super::*;

    #[test]
    fn a_generated_pipe_is_the_clock_twice() {
        let mut world = World::default();
        let mut pipe = || world.generated_pipe(1_608_410_527);
        assert_eq!(pipe(), "5fde659f00000_1608410527");
        assert_eq!(pipe(), "5fde659f00001_1608410527");
    }

    #[test]
    fn a_pipe_finds_only_live_rooms_the_oldest_first() {
        let mut world = World::default();
        for id in [5, 4] {
            let room = world.new_room(7, id, Some("p".to_owned()), 0);
            world.add(Entry::Room(room));
        }
        let widget = world.widget_mut(7);
        assert_eq!(widget.room_by_pipe("p").map(|room| room.id), Some(4));
        let deleted_at = Some(stamp(1));
        let gone = Room {
            deleted_at,
            ..widget.rooms[&4].clone()
        };
        widget.put_room(gone);
        assert_eq!(widget.room_by_pipe("p").map(|room| room.id), Some(5));
        assert!(widget.live_room(4).is_none());
    }
}
