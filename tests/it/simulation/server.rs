//! The true state of the server: its rooms, their members, what its list shows, and changes by others.
//!
//! Main type: [`Server`]. It has no network; `client` simulates the faults of calls.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use roomform::imbachat::{Delivery, Failure};
use roomform::model::{Field, FieldSet, LiveRoom, Pipe, RoomId, RoomKind, RoomState, UserId};

use super::rng::Rng;
use super::types::{Late, Said, Write, timestamp};
use super::wishes;

/// The life cycle of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    Live,
    /// Deleted, but still listed as deleted.
    Deleted,
    /// Deleted, and no longer listed.
    Gone,
}

#[derive(Debug, Clone)]
pub struct Room {
    pub pipe: Pipe,
    pub state: RoomState,
    pub life: Life,
    /// Everyone who was ever added. The API cannot remove members.
    pub members: BTreeSet<UserId>,
    /// Messages that roomform sent.
    pub said: Vec<Said>,
    /// Every write that reached the room, oldest first.
    pub writes: Vec<Arrival>,
    /// The run whose create made the room.
    pub made_by: Option<String>,
    /// The `updated_at` of the list, but in milliseconds. The list has only whole seconds.
    pub updated_at: u64,
}

/// A write that reached a room.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The run that waited for the answer, if any.
    pub run: Option<String>,
    /// Whether a run sent it.
    pub is_ours: bool,
    pub at: u64,
    pub sent: RoomState,
    pub changed: FieldSet,
    /// Fields that the server ignored.
    pub ignored: FieldSet,
}

/// The sender of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender<'a> {
    /// The run that waits for the answer.
    Run(&'a str),
    /// A run that no longer waits.
    GoneRun(&'a str),
    Others,
}

/// Undocumented behaviour of the server, which differs between worlds.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// A call without `room_id` finds the live room of its pipe.
    pub upserts: bool,
    /// The lookup of a room by its pipe ignores case.
    pub folds_case: bool,
    /// Deleted rooms stay in the list.
    pub shows_deleted: bool,
    /// A deleted room can be written to.
    pub writes_to_deleted: bool,
    /// A call for a missing room creates one.
    pub strays: bool,
    /// Fields that an update never changes cannot be set on creation either.
    pub stubborn_from_birth: bool,
    /// A write updates `updated_at` even if it changes no field.
    pub touches: bool,
    /// How many milliseconds the server's clock is ahead; negative if it is behind.
    pub ahead: i64,
}

#[derive(Debug)]
pub struct Server {
    pub manners: Manners,
    pub rooms: BTreeMap<RoomId, Room>,
    /// Fields that an update never changes.
    pub stubborn: BTreeMap<Pipe, FieldSet>,
    /// Calls that no one waits for.
    pub late: Vec<Late>,
    /// The time in milliseconds.
    pub time: u64,
    /// The list after each change, with the time of the change.
    history: Vec<(u64, Vec<LiveRoom>)>,
    next: u64,
}

impl Server {
    pub fn new(manners: Manners) -> Self {
        Self {
            manners,
            rooms: BTreeMap::new(),
            stubborn: BTreeMap::new(),
            late: Vec::new(),
            time: 0,
            history: Vec::new(),
            next: 100,
        }
    }

    /// The live rooms of a pipe.
    pub fn live(&self, pipe: &Pipe) -> Vec<RoomId> {
        let live = self.rooms.iter();
        live.filter(|(_, room)| room.life == Life::Live && room.pipe == *pipe)
            .map(|(id, _)| *id)
            .collect()
    }

    /// Adds a room.
    pub fn insert(&mut self, pipe: Pipe, state: RoomState) -> RoomId {
        self.next += 1;
        let id = RoomId(self.next);
        let room = Room {
            pipe,
            state,
            life: Life::Live,
            members: BTreeSet::new(),
            said: Vec::new(),
            writes: Vec::new(),
            made_by: None,
            updated_at: self.time,
        };
        self.rooms.insert(id, room);
        id
    }

    /// Executes a call. `moody`: this time no field of an existing room changes.
    pub fn commit(
        &mut self,
        write: &Write,
        moody: bool,
        sender: Sender<'_>,
    ) -> Result<RoomId, Failure> {
        let named = write.room.filter(|id| self.takes(*id));
        if write.room.is_some() && named.is_none() && !self.manners.strays {
            return Err(Failure::lasting(Delivery::Refused, "404: room not found"));
        }
        let existing = named.or_else(|| self.find(&write.pipe));
        let id = existing.unwrap_or_else(|| self.insert(write.pipe.clone(), write.state.clone()));
        let stubborn = self.stubborn.get(&write.pipe).copied().unwrap_or_default();
        let Some(room) = self.rooms.get_mut(&id) else {
            return Err(Failure::lasting(Delivery::Refused, "404: room not found"));
        };
        if existing.is_none() && self.manners.stubborn_from_birth {
            room.state = RoomState {
                title: "new room".to_owned(),
                kind: RoomKind::Conference,
                public: false,
            };
        }
        if existing.is_none() {
            let run = match sender {
                Sender::Run(run) | Sender::GoneRun(run) => Some(run.to_owned()),
                Sender::Others => None,
            };
            room.made_by = run.filter(|_| write.room.is_none());
        }
        let before = room.state.clone();
        let mut ignored = FieldSet::default();
        for field in Field::ALL {
            if stubborn.contains(field) || moody && existing.is_some() {
                ignored.insert(field);
            } else {
                room.state.copy_field(field, &write.state);
            }
        }
        let changed = changed(&before, &room.state);
        if self.manners.touches || changed != FieldSet::default() {
            room.updated_at = self.time;
        }
        room.writes.push(Arrival {
            run: match sender {
                Sender::Run(name) => Some(name.to_owned()),
                Sender::GoneRun(_) | Sender::Others => None,
            },
            is_ours: sender != Sender::Others,
            at: self.time,
            sent: write.state.clone(),
            changed,
            ignored,
        });
        room.members.extend(&write.members);
        self.keep_list();
        Ok(id)
    }

    /// Sends a message to a room.
    pub fn say(&mut self, said: &Said) -> Result<(), Failure> {
        let takes = self.takes(said.room);
        let room = self.rooms.get_mut(&said.room).filter(|_| takes);
        let Some(room) = room else {
            return Err(Failure::lasting(Delivery::Refused, "404: room not found"));
        };
        room.said.push(said.clone());
        Ok(())
    }

    /// The live room that a call without `room_id` addresses, if the server looks for one.
    fn find(&self, pipe: &Pipe) -> Option<RoomId> {
        let mut rooms = self.rooms.iter();
        let found = rooms.find(|(_, room)| room.life == Life::Live && self.same(&room.pipe, pipe));
        found.map(|(id, _)| *id).filter(|_| self.manners.upserts)
    }

    /// Whether the server treats two pipes as one.
    pub fn same(&self, one: &Pipe, other: &Pipe) -> bool {
        let (one, other) = (one.as_str(), other.as_str());
        one == other || self.manners.folds_case && one.eq_ignore_ascii_case(other)
    }

    fn takes(&self, id: RoomId) -> bool {
        self.rooms.get(&id).is_some_and(|room| match room.life {
            Life::Live => true,
            Life::Deleted => self.manners.writes_to_deleted,
            Life::Gone => false,
        })
    }

    /// Stores the current list for readers that later get an outdated list.
    pub fn keep_list(&mut self) {
        self.history.push((self.time, self.list()));
    }

    /// The list as it was at `time`, or the first list if `time` is before it.
    pub fn list_at(&self, time: u64) -> Vec<LiveRoom> {
        let after = self.history.partition_point(|(at, _)| *at <= time);
        let (_, rows) = &self.history[after.saturating_sub(1)];
        rows.clone()
    }

    /// The correct list at this moment.
    pub fn list(&self) -> Vec<LiveRoom> {
        let shown = |life| match life {
            Life::Live => true,
            Life::Deleted => self.manners.shows_deleted,
            Life::Gone => false,
        };
        let rows = self.rooms.iter().filter(|(_, room)| shown(room.life));
        rows.map(|(id, room)| LiveRoom {
            id: *id,
            pipe: room.pipe.clone(),
            state: room.state.clone(),
            deleted: room.life == Life::Deleted,
            updated_at: Some(date_time(room.updated_at, self.manners.ahead)),
        })
        .collect()
    }

    /// Makes a random change as another user would; returns its description.
    pub fn meddle(&mut self, rng: &mut Rng) -> String {
        let living: Vec<RoomId> = self
            .rooms
            .iter()
            .filter(|(_, room)| room.life == Life::Live)
            .map(|(id, _)| *id)
            .collect();
        let dead: Vec<RoomId> = self
            .rooms
            .iter()
            .filter(|(_, room)| room.life == Life::Deleted)
            .map(|(id, _)| *id)
            .collect();
        match (rng.below(10), rng.choose(&living), rng.choose(&dead)) {
            (0..=4, Some(id), _) => {
                let state = wishes::state(rng);
                let text = format!("room {id} becomes {state:?}");
                let at = self.time;
                self.change(id, |room| {
                    room.writes.push(Arrival {
                        run: None,
                        is_ours: false,
                        at,
                        sent: state.clone(),
                        changed: changed(&room.state, &state),
                        ignored: FieldSet::default(),
                    });
                    room.state = state;
                });
                text
            }
            (5, Some(id), _) => {
                self.change(id, |room| room.life = Life::Deleted);
                format!("room {id} is deleted")
            }
            (6, Some(id), _) => {
                self.change(id, |room| room.life = Life::Gone);
                format!("room {id} is deleted without a trace")
            }
            (7, _, Some(id)) if self.live(&self.rooms[&id].pipe).is_empty() => {
                // From now on, the room does not count as created by a run.
                self.change(id, |room| (room.life, room.made_by) = (Life::Live, None));
                format!("room {id} is restored")
            }
            (8, _, _) => {
                let pipe = Pipe::new(format!("x{:02}", rng.below(20)));
                self.make(pipe, rng)
            }
            _ => self.make(wishes::pipe(rng), rng),
        }
    }

    fn change(&mut self, id: RoomId, work: impl FnOnce(&mut Room)) {
        if let Some(room) = self.rooms.get_mut(&id) {
            work(room);
            room.updated_at = self.time;
        }
        self.keep_list();
    }

    /// Creates a room as another user would. The server applies its usual rules for pipes.
    fn make(&mut self, pipe: Pipe, rng: &mut Rng) -> String {
        let write = Write {
            room: None,
            pipe,
            state: wishes::state(rng),
            members: vec![UserId(900 + rng.below(5))],
        };
        match self.commit(&write, false, Sender::Others) {
            Ok(id) => format!(
                "room {id} is made or changed: {} {:?}",
                write.pipe, write.state
            ),
            Err(failure) => failure.message,
        }
    }
}

/// The fields that differ.
fn changed(before: &RoomState, after: &RoomState) -> FieldSet {
    let mut fields = FieldSet::default();
    for field in Field::ALL {
        if before.value(field) != after.value(field) {
            fields.insert(field);
        }
    }
    fields
}

/// A time as the list shows it.
fn date_time(elapsed: u64, ahead: i64) -> Box<str> {
    let time = timestamp(elapsed) + SignedDuration::from_millis(ahead);
    let time = time.strftime("%Y-%m-%d %H:%M:%S");
    time.to_string().into()
}
