//! Entries -> what is on record. Neither the order of the lines nor a line that stands twice matters.
//!
//! Everything on record is a register whose last writer, by stamp, wins: so the fold of a union does not depend on how it
//! came about, and [`compact`] may drop an entry once later ones overrule all it says.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::{Fact, Stage, Stamp};
use crate::model::{
    Field, FieldValue, Owed, Pipe, Recorded, RecordedRoom, RoomId, Sending, Shown, UserId,
};

/// Entries by stamp, each once.
pub type Entries = BTreeMap<Stamp, Fact>;

/// The record that these entries add up to, in the order of their stamps.
pub fn fold(entries: &Entries) -> Recorded {
    fold_all(entries.clone())
}

/// The same of entries that nobody needs any more: there may be very many.
pub(super) fn fold_all(entries: Entries) -> Recorded {
    let forgotten = forgotten(&entries).into_iter();
    let forgotten: BTreeMap<Pipe, Stamp> = forgotten
        .map(|(pipe, until)| (pipe.clone(), until.clone()))
        .collect();
    let mut folding = Folding::default();
    for (stamp, fact) in entries {
        let until = fact.pipe().and_then(|pipe| forgotten.get(pipe));
        if until.is_none_or(|until| *until < stamp) {
            folding.apply(stamp.run, fact);
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
fn forgotten(entries: &Entries) -> BTreeMap<&Pipe, &Stamp> {
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
    messages: Messages<String>,
}

/// A room on its way.
#[derive(Default)]
struct Room {
    known: RecordedRoom,
    /// Who wrote to it last. Only that run's own look tells what became of it: another's may have been before.
    run: Option<String>,
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
    fn apply(&mut self, run: String, fact: Fact) {
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
                there.run = Some(run);
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
            Fact::Released { room, members, .. } => {
                if !members.is_empty() {
                    let known = &mut self.rooms.entry(room).or_default().known;
                    known.members.remove_all(&members);
                    known.adopted.remove_all(&members);
                    known.released.take_in(members);
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
                if let Some(there) = there.of(&run) {
                    there.shown.insert(field, shown.clone());
                }
                there.known.shown.insert(field, Shown { sent, shown });
            }
            Fact::Seen { room, .. } => {
                let there = self.rooms.get_mut(&room);
                if let Some(there) = there.and_then(|there| there.of(&run)) {
                    there.seen = true;
                }
            }
            Fact::Message {
                pipe, room, stage, ..
            } => {
                // Nothing is said into a room that the list does not show under its pipe.
                self.paid(&pipe, room, &[]);
                self.ids.push((pipe, room));
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

/// What an entry has a say in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Register<'a> {
    /// What a create promised.
    Owed(&'a Pipe),
    /// That a promise to a member was kept.
    Paid(&'a Pipe, UserId),
    /// The id of a pipe, and so the room its last create's promise is to.
    Id(&'a Pipe),
    /// Whether a member is on record.
    Member(&'a Pipe, RoomId, UserId),
    /// That the room is on record at all, without a write of ours.
    There(&'a Pipe, RoomId),
    /// What was last sent.
    Sent(&'a Pipe, RoomId),
    /// That a value was sent, and is no longer one the server is known to ignore.
    Resent(&'a Pipe, RoomId, FieldValue),
    /// What the server showed.
    Shown(&'a Pipe, RoomId, Field),
    /// What a run saw of a field it had sent; of none: that it looked.
    Saw(&'a Pipe, RoomId, &'a str, Option<Field>),
    /// How far one run came with a message.
    Message(&'a Pipe, RoomId, &'a str),
    /// Whether the room stands in the manifest.
    Declared(&'a Pipe),
    /// How much a file with rows gave.
    Roster(&'a str),
    /// That everything before was forgotten.
    Forgotten(&'a Pipe),
}

/// The entries without those that later ones overrule in everything they say. Compacting commutes with merging.
pub fn compact(entries: &Entries) -> Entries {
    let forgotten = forgotten(entries);
    let mut spoken = BTreeSet::new();
    let mut kept = Entries::new();
    for (stamp, fact) in entries.iter().rev() {
        let until = fact.pipe().and_then(|pipe| forgotten.get(pipe));
        let gone = until.is_some_and(|until| *until > stamp);
        let news = registers(stamp, fact)
            .into_iter()
            .filter(|register| !is_settled(register, &spoken) && spoken.insert(register.clone()))
            .count();
        if news > 0 && !gone {
            kept.insert(stamp.clone(), fact.clone());
        }
    }
    kept
}

/// Whether nobody asks any more: what a run saw of its write matters until the next one.
fn is_settled<'a>(register: &Register<'a>, spoken: &BTreeSet<Register<'a>>) -> bool {
    match register {
        Register::Saw(pipe, room, ..) => spoken.contains(&Register::Sent(pipe, *room)),
        _ => false,
    }
}

fn registers<'a>(stamp: &'a Stamp, fact: &'a Fact) -> Vec<Register<'a>> {
    match fact {
        Fact::Intent { pipe, .. } => vec![Register::Owed(pipe)],
        Fact::Confirmed {
            pipe,
            room,
            members,
            sent,
            kept: _,
        } => {
            let each = members.iter();
            let each = each.flat_map(|user| {
                [
                    Register::Paid(pipe, *user),
                    Register::Member(pipe, *room, *user),
                ]
            });
            let resent = Field::ALL.map(|field| Register::Resent(pipe, *room, sent.value(field)));
            each.chain([Register::Id(pipe), Register::Sent(pipe, *room)])
                .chain(resent)
                .collect()
        }
        Fact::Adopted {
            pipe,
            room,
            members,
        } => {
            let each = members.iter();
            let each = each.flat_map(|user| {
                [
                    Register::Paid(pipe, *user),
                    Register::Member(pipe, *room, *user),
                ]
            });
            each.chain([Register::Id(pipe), Register::There(pipe, *room)])
                .collect()
        }
        Fact::Released {
            pipe,
            room,
            members,
        } => members
            .iter()
            .map(|user| Register::Member(pipe, *room, *user))
            .collect(),
        Fact::Shown {
            pipe, room, field, ..
        } => vec![
            Register::Shown(pipe, *room, *field),
            Register::Saw(pipe, *room, &stamp.run, Some(*field)),
        ],
        Fact::Message { pipe, room, .. } => vec![
            Register::Id(pipe),
            Register::Message(pipe, *room, &stamp.run),
        ],
        Fact::Seen { pipe, room } => vec![Register::Saw(pipe, *room, &stamp.run, None)],
        Fact::Declared { pipe, .. } => vec![Register::Declared(pipe)],
        Fact::Roster { source, .. } => vec![Register::Roster(source)],
        Fact::Forgotten { pipe } => vec![Register::Forgotten(pipe)],
    }
}
