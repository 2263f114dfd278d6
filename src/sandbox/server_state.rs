//! The fake server without a socket: its state and its quirks.
//!
//! The main type is [`World`]. It has no clock and does no I/O. [`ReadLag`] delays what lists show.
//! The calls start in [`super::calls`]. Every change is an [`Entry`], so that loading a state and
//! changing it use the same code.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use super::records::{Counters, Entry, Message, Room, User, stamp};

/// The title of a room created without one.
pub(super) const UNTITLED: &str = "new room";
const SUPPORT_TITLE: &str = "Technical support";
const SUPPORT_KIND: u8 = 3;
/// The external id of the site user whose login is `admin` in the documentation.
const OWNER: u64 = 1;

/// Possible behaviours of the real server that its documentation leaves open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quirks {
    /// A write without a title keeps the title of an existing room. If this is off, the write
    /// changes the title to "new room". The documentation says that the server uses this title
    /// if none is sent, even if the call adds members to an existing room (api: fact 1).
    pub keep_title: bool,
    /// A write to an existing room adds the members that it sends, but does not change the
    /// title, type or visibility.
    pub ignore_updates: bool,
    /// After a write, this number of list calls of the widget do not yet show the change.
    pub lag: u32,
    /// After a write, `get_rooms` does not show the change until this much time has passed.
    pub lag_time: Duration,
    /// Each write without `room_id` creates a room. If this is off, a write updates the live
    /// room that has the same pipe, if there is one.
    pub duplicate_pipes: bool,
    /// `get_rooms` shows deleted rooms too.
    pub show_deleted: bool,
    /// Errors come with HTTP status 200 and the error code in the body (api: fact 6).
    pub errors_with_200: bool,
    /// `get_rooms` with a token shows only the rooms whose members include the token's user.
    pub jwt_lists_own: bool,
    /// A write silently drops members that the widget does not know. If this is off, it adds them
    /// as users.
    pub drop_unknown_users: bool,
    /// What the filter `count_users` of `get_rooms` means.
    pub count_users: CountUsers,
    /// The filter `count_users` also counts a room's administrator.
    pub count_admin: bool,
    /// `send_msg` requires `imba_id` and `password`, as the text of its documentation says. The
    /// sample in the documentation sends neither.
    pub strict_messages: bool,
}

/// The rooms that the filter `count_users` finds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CountUsers {
    /// The filter finds rooms with exactly the requested number of users.
    #[default]
    Exact,
    /// The filter finds rooms with at least the requested number of users.
    AtLeast,
    /// The filter has no effect.
    Ignored,
}

/// The fake server as a state machine.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub(super) quirks: Quirks,
    pub(super) counters: Counters,
    pub(super) widgets: BTreeMap<u64, Widget>,
    pub(super) lag: ReadLag,
    /// The time of the current call, since the epoch.
    pub(super) now: Duration,
    /// Increases with every change to be saved.
    pub(super) revision: u64,
    /// Changes since the last save; `None` if the state is in memory only.
    pub(super) unsaved: Option<Vec<Entry>>,
}

/// The chat of one customer.
#[derive(Debug, Clone, Default)]
pub(super) struct Widget {
    pub(super) rooms: BTreeMap<u64, Room>,
    /// The users by external id.
    pub(super) users: BTreeMap<u64, User>,
    pub(super) messages: Vec<Message>,
    /// The ids of the live rooms by pipe. A seeded state may have several rooms with the same pipe.
    pipes: HashMap<String, BTreeSet<u64>>,
    has_support_room: bool,
}

impl World {
    /// Creates an empty server that records its changes, so that they can be saved.
    pub(super) fn for_saving() -> Self {
        Self {
            unsaved: Some(Vec::new()),
            ..Self::default()
        }
    }

    /// Applies an entry that is already saved.
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
                users.insert(user.remote_user_id, user);
            }
            Entry::Message(message) => {
                counters.message = counters.message.max(message.id);
                self.widget_mut(message.widget).messages.push(message);
            }
        }
    }

    /// Applies an entry and queues it for saving.
    pub(super) fn add(&mut self, entry: Entry) {
        if let Some(unsaved) = &mut self.unsaved {
            unsaved.push(entry.clone());
        }
        self.revision += 1;
        self.load(entry);
    }

    /// Adds or replaces a room on behalf of a call. If the quirk `lag` or `lag_time` is set,
    /// lists show the change later.
    pub(super) fn write_room(&mut self, room: Room) {
        if self.quirks.lag > 0 || !self.quirks.lag_time.is_zero() {
            let before = self.widget_mut(room.widget).rooms.get(&room.id).cloned();
            self.lag.note(before, &room, self.now);
        }
        self.add(Entry::Room(room));
    }

    /// Returns a widget. On the widget's first call, creates its owner and support room (api: fact
    /// 11).
    pub(super) fn touch(&mut self, widget: u64) -> &mut Widget {
        if !self.widget_mut(widget).has_support_room {
            let id = self.next_room_id();
            let room = Room {
                name: SUPPORT_TITLE.to_owned(),
                kind: SUPPORT_KIND,
                ..self.new_room(widget, id, None)
            };
            self.add(Entry::Room(room));
        }
        self.widget_mut(widget)
    }

    /// Returns the time of the current call, as the API writes it.
    pub(super) fn stamp(&self) -> String {
        stamp(self.now.as_secs())
    }

    /// Returns a room with default values.
    pub(super) fn new_room(&mut self, widget: u64, id: u64, pipe: Option<String>) -> Room {
        Room {
            id,
            widget,
            pipe: pipe.unwrap_or_else(|| self.generated_pipe()),
            name: UNTITLED.to_owned(),
            admin_id: self.owner(widget),
            created_at: self.stamp(),
            updated_at: self.stamp(),
            ..Room::default()
        }
    }

    /// Returns ImbaChat's id of the widget's administrator, which is the `admin_id` of its rooms.
    fn owner(&mut self, widget: u64) -> u64 {
        let users = &self.widget_mut(widget).users;
        let admin = users.values().find(|user| user.admin);
        match admin.or_else(|| users.get(&OWNER)) {
            Some(user) => user.id,
            None => self.add_user(widget, OWNER, Some("admin"), true),
        }
    }

    /// Adds the user if the widget does not know them. Returns ImbaChat's id of the user.
    pub(super) fn add_user(
        &mut self,
        widget: u64,
        remote: u64,
        login: Option<&str>,
        admin: bool,
    ) -> u64 {
        if let Some(known) = self.widget_mut(widget).users.get(&remote) {
            return known.id;
        }
        let id = self.counters.user + 1;
        self.add(Entry::User(User {
            id,
            widget,
            remote_user_id: remote,
            login: login.map(str::to_owned),
            admin,
            banned: false,
            created_at: self.stamp(),
            updated_at: self.stamp(),
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

    /// Returns a pipe like PHP's `uniqid() . '_' . time()` (api: fact 10). It is unique even within
    /// one microsecond.
    fn generated_pipe(&mut self) -> String {
        let now = self.now.as_secs();
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

    pub(super) fn live_room(&self, id: u64) -> Option<&Room> {
        self.rooms.get(&id).filter(|room| room.deleted_at.is_none())
    }

    /// Returns the oldest live room with this pipe.
    pub(super) fn room_by_pipe(&self, pipe: &str) -> Option<&Room> {
        self.rooms.get(self.pipes.get(pipe)?.first()?)
    }
}

/// Makes `get_rooms` lag: it shows the new version of a room only after a number of list calls and
/// some time. It is not part of the saved state. Writes ignore it, and always see the latest rooms.
#[derive(Debug, Clone, Default)]
pub(super) struct ReadLag {
    /// The number of list calls of each widget.
    calls: BTreeMap<u64, u64>,
    unsettled: BTreeMap<u64, History>,
}

#[derive(Debug, Clone)]
struct History {
    widget: u64,
    shown: Option<Room>,
    /// The versions after `shown`, oldest first. Each has the number of list calls before it
    /// was written, and the time when it was written.
    pending: VecDeque<(u64, Duration, Room)>,
}

impl ReadLag {
    /// Records a write. Readers see the previous version until the write is old enough.
    fn note(&mut self, before: Option<Room>, after: &Room, now: Duration) {
        let calls = self.calls.get(&after.widget).copied().unwrap_or(0);
        let history = self.unsettled.entry(after.id).or_insert_with(|| History {
            widget: after.widget,
            shown: before,
            pending: VecDeque::new(),
        });
        history.pending.push_back((calls, now, after.clone()));
    }

    /// Counts a list call of the widget. Then makes visible what was written before the
    /// previous `lag` list calls and no later than `until`.
    pub(super) fn list_called(&mut self, widget: u64, lag: u32, until: Duration) {
        let calls = self.calls.entry(widget).or_default();
        *calls += 1;
        let calls = calls.saturating_sub(lag.into());
        self.unsettled
            .retain(|_, history| history.widget != widget || history.settle(calls, until));
    }

    /// Returns the room as a reader sees it; `None` while the room is not yet visible.
    pub(super) fn view<'a>(&'a self, room: &'a Room) -> Option<&'a Room> {
        match self.unsettled.get(&room.id) {
            Some(history) => history.shown.as_ref(),
            None => Some(room),
        }
    }
}

impl History {
    /// Makes visible what was written before list call number `call` and no later than `until`.
    /// Returns whether newer versions are still pending.
    fn settle(&mut self, call: u64, until: Duration) -> bool {
        while let Some((written_at_call, written_at, _)) = self.pending.front()
            && *written_at_call < call
            && *written_at <= until
        {
            self.shown = self.pending.pop_front().map(|(_, _, room)| room);
        }
        !self.pending.is_empty()
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "a missing room fails the test")]
mod tests {
    use super::*;

    #[test]
    fn a_generated_pipe_is_the_clock_twice() {
        let mut world = World {
            now: Duration::from_secs(1_608_410_527),
            ..World::default()
        };
        let mut pipe = || world.generated_pipe();
        assert_eq!(pipe(), "5fde659f00000_1608410527");
        assert_eq!(pipe(), "5fde659f00001_1608410527");
    }

    #[test]
    fn a_pipe_finds_only_live_rooms_the_oldest_first() {
        let mut world = World::default();
        for id in [5, 4] {
            let room = world.new_room(7, id, Some("p".to_owned()));
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
