//! Entries -> what is on record. Neither the order of the lines nor a line that stands twice matters.
//!
//! Everything on record is a register whose last writer, by stamp, wins: so the fold of a union does not depend on how it
//! came about, and [`compact`](super::compact()) may drop an entry once later ones overrule all it says.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::entry::{Entries, Fact, Stage, Stamp};
use crate::model::{
    Field, FieldValue, Owed, Pipe, Recorded, RecordedRoom, RoomId, Sending, Shown, UserId,
};

/// The record that these entries add up to, in the order of their stamps.
pub fn fold(entries: &Entries) -> Recorded {
    fold_owned(entries.clone())
}

pub(super) fn fold_owned(entries: Entries) -> Recorded {
    let forgotten: BTreeMap<Pipe, Stamp> = forgotten(&entries)
        .into_iter()
        .map(|(pipe, until)| (pipe.clone(), until.clone()))
        .collect();
    let mut folding = Folding::default();
    for (stamp, fact) in entries {
        let until = fact.pipe().and_then(|pipe| forgotten.get(pipe));
        if until.is_none_or(|until| *until < stamp) {
            folding.apply(&stamp.run, fact);
        }
    }
    folding.finish()
}

/// What became of the welcome of each room to which one was begun.
pub(super) fn messages(entries: &Entries) -> BTreeMap<RoomId, Sending> {
    let forgotten = forgotten(entries);
    let mut messages = Messages::new();
    for (stamp, fact) in entries {
        let until = fact.pipe().and_then(|pipe| forgotten.get(pipe));
        if let Fact::Message { room, stage, .. } = fact
            && until.is_none_or(|until| *until < stamp)
        {
            messages.insert((*room, stamp.run.as_str()), *stage);
        }
    }
    sendings(messages)
}

/// How far each run came with the message to each room.
type Messages<R> = BTreeMap<(RoomId, R), Stage>;

/// Confirmed if any run had an answer, else in doubt if any run may have sent it.
fn sendings<R>(messages: Messages<R>) -> BTreeMap<RoomId, Sending> {
    let mut rooms = BTreeMap::new();
    for ((room, _), stage) in messages {
        match stage {
            Stage::Confirmed => drop(rooms.insert(room, Sending::Confirmed)),
            Stage::Intended => drop(rooms.entry(room).or_insert(Sending::InDoubt)),
            Stage::Failed => {}
        }
    }
    rooms
}

/// When each forgotten pipe was last forgotten: what came before is not there any more.
pub(super) fn forgotten(entries: &Entries) -> BTreeMap<&Pipe, &Stamp> {
    let mut until = BTreeMap::new();
    for (stamp, fact) in entries {
        if let Fact::Forgotten { pipe } = fact {
            until.insert(pipe, stamp);
        }
    }
    until
}

/// A record on its way.
#[derive(Default)]
struct Folding {
    recorded: Recorded,
    rooms: BTreeMap<RoomId, Room>,
    /// In their order: of several the last one holds, whatever its number.
    ids: Vec<(Pipe, RoomId)>,
    messages: Messages<Arc<str>>,
    /// The run of the last entry. It nearly always wrote the next one too.
    run: Arc<str>,
}

/// A room on its way.
#[derive(Default)]
struct Room {
    known: RecordedRoom,
    /// Who wrote to it last. Only that run's own look tells what became of it: another's may have been before.
    run: Option<Arc<str>>,
    /// What the list showed that run otherwise than it had sent it.
    shown: BTreeMap<Field, FieldValue>,
    /// Whether it looked.
    seen: bool,
}

impl Room {
    /// The room, if this run wrote to it last.
    fn of(&mut self, run: &str) -> Option<&mut Self> {
        (self.run.as_deref() == Some(run)).then_some(self)
    }
}

impl Folding {
    fn apply(&mut self, run: &str, fact: Fact) {
        if *self.run != *run {
            self.run = run.into();
        }
        match fact {
            Fact::Intent {
                pipe,
                members,
                welcome,
            } => {
                let owed = Owed {
                    members: members.into(),
                    welcome,
                    room: None,
                };
                self.recorded.owed.insert(pipe, owed);
            }
            Fact::Confirmed {
                pipe,
                room,
                members,
                sent,
                kept,
            } => {
                self.paid(&pipe, room, &members);
                let there = self.rooms.entry(room).or_default();
                let known = &mut there.known;
                known.released.remove_all(&members);
                known.adopted.remove_all(&members);
                known.members.take_in(members);
                // A value that was ignored and is sent again may be taken this time; the list will tell.
                known
                    .shown
                    .retain(|field, shown| sent.value(*field) != shown.sent);
                known.sent = Some(sent);
                known.kept = kept;
                known.pipe = Some(pipe.clone());
                there.run = Some(Arc::clone(&self.run));
                there.shown.clear();
                there.seen = false;
                self.ids.push((pipe, room));
            }
            Fact::Adopted {
                pipe,
                room,
                members,
            } => {
                self.paid(&pipe, room, &members);
                let known = &mut self.rooms.entry(room).or_default().known;
                known.released.remove_all(&members);
                known.adopted.extend(members.iter().copied());
                known.members.take_in(members);
                self.ids.push((pipe, room));
            }
            Fact::Released {
                room,
                members,
                taken_out,
                ..
            } => {
                if !members.is_empty() {
                    let known = &mut self.rooms.entry(room).or_default().known;
                    known.members.remove_all(&members);
                    known.adopted.remove_all(&members);
                    match taken_out {
                        true => known.released.remove_all(&members),
                        false => known.released.take_in(members),
                    }
                }
            }
            Fact::Shown {
                room,
                field,
                sent,
                shown,
                ..
            } => {
                let there = self.rooms.entry(room).or_default();
                let last = there.known.sent.as_ref().map(|state| state.value(field));
                if let Some(there) = there.of(run) {
                    there.shown.insert(field, shown.clone());
                } else if sent == shown && last.as_ref() == Some(&sent) {
                    // Another run saw what the last write sent: another value since then is drift.
                    there.shown.remove(&field);
                }
                if sent == shown {
                    there.known.shown.remove(&field);
                } else {
                    there.known.shown.insert(field, Shown { sent, shown });
                }
            }
            Fact::Seen { room, .. } => {
                let there = self.rooms.get_mut(&room);
                if let Some(there) = there.and_then(|there| there.of(run)) {
                    there.seen = true;
                }
            }
            Fact::Message {
                pipe, room, stage, ..
            } => {
                // Nothing is said into a room that the list does not show under its pipe.
                self.paid(&pipe, room, &[]);
                self.ids.push((pipe, room));
                let run = Arc::clone(&self.run);
                self.messages.insert((room, run), stage);
            }
            Fact::Declared { pipe, declared } => {
                if declared {
                    self.recorded.left.remove(&pipe);
                } else {
                    self.recorded.left.insert(pipe);
                }
            }
            Fact::Roster { source, given } => {
                self.recorded.rosters.insert(source, given);
            }
            Fact::Forgotten { .. } => {}
        }
    }

    /// Takes off what was owed to a pipe what a room of it got. Where nothing is owed there is nothing to remember: only an
    /// intent owes.
    fn paid(&mut self, pipe: &Pipe, room: RoomId, members: &[UserId]) {
        if let Some(owed) = self.recorded.owed.get_mut(pipe) {
            owed.room = Some(room);
            owed.members.remove_all(members);
        }
    }

    fn finish(mut self) -> Recorded {
        for (room, welcome) in sendings(self.messages) {
            self.rooms.entry(room).or_default().known.welcome = Some(welcome);
        }
        let mut recorded = self.recorded;
        recorded.ids = self.ids.into_iter().collect();
        let rooms = self.rooms.into_iter();
        recorded.rooms = rooms
            .map(|(id, room)| {
                let seen = room.seen.then_some(room.shown);
                (id, RecordedRoom { seen, ..room.known })
            })
            .collect();
        let rooms = &recorded.rooms;
        let begun = |room: RoomId| rooms.get(&room).is_some_and(|room| room.welcome.is_some());
        recorded.owed.retain(|_, owed| {
            owed.welcome &= !owed.room.is_some_and(begun);
            owed.welcome || !owed.members.is_empty()
        });
        recorded
    }
}
