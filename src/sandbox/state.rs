//! What the imitated server remembers: widgets with their rooms, users and messages, and the counters of ids.
//!
//! The main type is [`State`]. It does not know about requests, answers or files, and it has no clock: the time of a
//! change is always given, as seconds of the epoch.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

const SUPPORT_TITLE: &str = "Technical support";
const SUPPORT_KIND: u8 = 3;
/// The external id of the site user whose login the pages write as `admin`.
const OWNER: u64 = 1;

/// Everything the server remembers.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) counters: Counters,
    pub(super) widgets: BTreeMap<u64, Widget>,
    /// What changed since the state was last saved.
    pub(super) changed: BTreeSet<Key>,
}

/// A thing of the state, by its widget and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Room(u64, u64),
    User(u64, u64),
    Message(u64, usize),
}

/// The last ids given out. Each counter serves all widgets, as one database table does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counters {
    pub(super) room: u64,
    pub(super) user: u64,
    pub(super) message: u64,
    /// The microsecond of the last generated pipe; the next one is later in any case.
    pub(super) pipe_micros: u64,
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Room {
    pub(super) id: u64,
    pub(super) widget: u64,
    pub(super) pipe: String,
    pub(super) name: String,
    pub(super) admin_id: u64,
    pub(super) kind: u8,
    pub(super) is_public: bool,
    pub(super) created_at: String,
    pub(super) updated_at: String,
    pub(super) deleted_at: Option<String>,
    /// External ids. No call of the API shows them.
    pub(super) members: BTreeSet<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) id: u64,
    pub(super) widget: u64,
    /// The id on the external site.
    pub(super) remote: u64,
    pub(super) login: Option<String>,
    pub(super) admin: bool,
    pub(super) banned: bool,
    pub(super) created_at: String,
    pub(super) updated_at: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Message {
    pub(super) id: u64,
    pub(super) widget: u64,
    pub(super) room: u64,
    /// The external id of the author.
    pub(super) author: u64,
    pub(super) text: String,
    pub(super) time: u64,
    pub(super) uuid: String,
}

impl State {
    /// Gives a widget seen for the first time its owner and a support room that nobody declared (api: fact 11).
    /// Tells whether that changed anything.
    pub(super) fn touch(&mut self, widget: u64, now: u64) -> bool {
        if self.widget_mut(widget).has_support_room {
            return false;
        }
        let admin_id = self.owner(widget, now);
        let room = Room {
            id: self.next_room_id(),
            widget,
            pipe: self.generated_pipe(now),
            name: SUPPORT_TITLE.to_owned(),
            admin_id,
            kind: SUPPORT_KIND,
            is_public: false,
            created_at: stamp(now),
            updated_at: stamp(now),
            deleted_at: None,
            members: BTreeSet::new(),
        };
        self.put_room(room);
        true
    }

    /// Adds or replaces a room.
    pub(super) fn put_room(&mut self, room: Room) {
        self.changed.insert(Key::Room(room.widget, room.id));
        self.widget_mut(room.widget).put_room(room);
    }

    /// ImbaChat's id of the widget's administrator, who stands as `admin_id` in its rooms.
    pub(super) fn owner(&mut self, widget: u64, now: u64) -> u64 {
        let users = &self.widget_mut(widget).users;
        if let Some(admin) = users.values().find(|user| user.admin) {
            return admin.id;
        }
        if let Some(user) = users.get(&OWNER) {
            return user.id;
        }
        self.add_user(widget, OWNER, Some("admin"), true, now)
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
        self.counters.user += 1;
        let user = User {
            id: self.counters.user,
            widget,
            remote,
            login: login.map(str::to_owned),
            admin,
            banned: false,
            created_at: stamp(now),
            updated_at: stamp(now),
        };
        self.widget_mut(widget).users.insert(remote, user);
        self.changed.insert(Key::User(widget, remote));
        self.counters.user
    }

    pub(super) fn widget_mut(&mut self, widget: u64) -> &mut Widget {
        self.widgets.entry(widget).or_default()
    }

    pub(super) fn next_room_id(&mut self) -> u64 {
        self.counters.room += 1;
        self.counters.room
    }

    pub(super) fn next_message_id(&mut self) -> u64 {
        self.counters.message += 1;
        self.counters.message
    }

    /// Whether any widget has a room with that id, deleted ones included.
    pub(super) fn knows_room(&self, id: u64) -> bool {
        self.widgets
            .values()
            .any(|widget| widget.rooms.contains_key(&id))
    }

    /// A pipe as PHP's `uniqid() . '_' . time()` makes it (api: fact 10), unique even within one microsecond.
    pub(super) fn generated_pipe(&mut self, now: u64) -> String {
        let micros = now
            .saturating_mul(1_000_000)
            .max(self.counters.pipe_micros + 1);
        self.counters.pipe_micros = micros;
        format!("{:08x}{:05x}_{now}", micros / 1_000_000, micros % 1_000_000)
    }
}

impl Widget {
    pub(super) fn put_room(&mut self, room: Room) {
        if let Some(before) = self.rooms.get(&room.id) {
            let (id, pipe) = (before.id, before.pipe.clone());
            self.forget_pipe(id, &pipe);
        }
        self.has_support_room |= room.kind == SUPPORT_KIND;
        if room.deleted_at.is_none() {
            self.pipes
                .entry(room.pipe.clone())
                .or_default()
                .insert(room.id);
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

    fn forget_pipe(&mut self, id: u64, pipe: &str) {
        if let Some(ids) = self.pipes.get_mut(pipe) {
            ids.remove(&id);
            if ids.is_empty() {
                self.pipes.remove(pipe);
            }
        }
    }
}

impl User {
    /// The name others see.
    pub(super) fn name(&self) -> String {
        let made_up = || format!("user {}", self.remote);
        self.login.clone().unwrap_or_else(made_up)
    }

    /// `admin` or `user`, as `status`, `chat_role` and the filters spell it.
    pub(super) fn role(&self) -> &'static str {
        if self.admin { "admin" } else { "user" }
    }
}

/// A time as the API writes it: UTC, `YYYY-MM-DD HH:MM:SS` (api: fact 9). Beyond the calendar it is the epoch.
pub(super) fn stamp(epoch_secs: u64) -> String {
    let moment = i64::try_from(epoch_secs)
        .ok()
        .and_then(|secs| jiff::Timestamp::from_second(secs).ok())
        .unwrap_or_default();
    moment.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
#[expect(
    clippy::indexing_slicing,
    reason = "a test that indexes what is not there fails where it stands"
)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_utc() {
        assert_eq!(stamp(1_608_410_527), "2020-12-19 20:42:07");
        assert_eq!(stamp(u64::MAX), "1970-01-01 00:00:00");
    }

    #[test]
    fn a_generated_pipe_is_the_clock_twice() {
        let mut state = State::default();
        assert_eq!(
            state.generated_pipe(1_608_410_527),
            "5fde659f00000_1608410527"
        );
        assert_eq!(
            state.generated_pipe(1_608_410_527),
            "5fde659f00001_1608410527"
        );
    }

    #[test]
    fn a_pipe_finds_only_live_rooms_the_oldest_first() {
        let mut state = State::default();
        state.touch(7, 0);
        let support = state.widget_mut(7).rooms[&1].clone();
        for id in [5, 4] {
            let pipe = "p".to_owned();
            state.widget_mut(7).put_room(Room {
                id,
                pipe,
                ..support.clone()
            });
        }
        let widget = state.widget_mut(7);
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
