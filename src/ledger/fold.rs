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
    let (looks, messages) = (looks(&entries), messages(&entries));
    let forgotten = forgotten(&entries).into_iter();
    let forgotten: BTreeMap<Pipe, Stamp> = forgotten
        .map(|(pipe, until)| (pipe.clone(), until.clone()))
        .collect();
    let (mut recorded, mut ids) = (Recorded::default(), Vec::new());
    for (stamp, fact) in entries {
        let until = fact.pipe().and_then(|pipe| forgotten.get(pipe));
        if until.is_none_or(|until| *until < stamp) {
            apply(&mut recorded, &mut ids, fact);
        }
    }
    // The last one of each pipe, whatever their number.
    recorded.ids = ids.into_iter().collect();
    for (room, seen) in looks {
        recorded.rooms.entry(room).or_default().seen = seen;
    }
    for (room, welcome) in messages {
        recorded.rooms.entry(room).or_default().welcome = Some(welcome);
    }
    let rooms = &recorded.rooms;
    let begun = |room: RoomId| rooms.get(&room).is_some_and(|room| room.welcome.is_some());
    for owed in recorded.owed.values_mut() {
        owed.welcome &= !owed.room.is_some_and(begun);
    }
    recorded
        .owed
        .retain(|_, owed| owed.welcome || !owed.members.is_empty());
    recorded
}

/// The entries that nobody had forgotten, in their order.
fn remembered(entries: &Entries) -> impl Iterator<Item = (&Stamp, &Fact)> {
    let forgotten = forgotten(entries);
    entries.iter().filter(move |(stamp, fact)| {
        let until = fact.pipe().and_then(|pipe| forgotten.get(pipe));
        until.is_none_or(|until| *until < *stamp)
    })
}

/// What the list showed otherwise than it was last sent to each room, if the run that sent it looked. Only its own look tells:
/// that of another run may have been before.
fn looks(entries: &Entries) -> BTreeMap<RoomId, Option<BTreeMap<Field, FieldValue>>> {
    struct Look<'a> {
        run: &'a str,
        shown: BTreeMap<Field, FieldValue>,
        seen: bool,
    }
    let mut looks: BTreeMap<RoomId, Look<'_>> = BTreeMap::new();
    for (stamp, fact) in remembered(entries) {
        let run = stamp.run.as_str();
        match fact {
            Fact::Confirmed { room, .. } => {
                let (shown, seen) = (BTreeMap::new(), false);
                looks.insert(*room, Look { run, shown, seen });
            }
            Fact::Shown {
                room, field, shown, ..
            } => {
                if let Some(look) = looks.get_mut(room).filter(|look| look.run == run) {
                    look.shown.insert(*field, shown.clone());
                }
            }
            Fact::Seen { room, .. } => {
                if let Some(look) = looks.get_mut(room).filter(|look| look.run == run) {
                    look.seen = true;
                }
            }
            _ => {}
        }
    }
    let looks = looks.into_iter();
    looks
        .map(|(room, look)| (room, look.seen.then_some(look.shown)))
        .collect()
}

/// What became of the welcome of each room to which one was begun: confirmed if any run had an answer, else in doubt if any
/// run may have sent it.
pub(super) fn messages(entries: &Entries) -> BTreeMap<RoomId, Sending> {
    let mut runs: BTreeMap<(RoomId, &str), Stage> = BTreeMap::new();
    for (stamp, fact) in remembered(entries) {
        if let Fact::Message { room, stage, .. } = fact {
            runs.insert((*room, &stamp.run), *stage);
        }
    }
    let mut rooms = BTreeMap::new();
    for ((room, _), stage) in runs {
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

fn apply(recorded: &mut Recorded, ids: &mut Vec<(Pipe, RoomId)>, fact: Fact) {
    match fact {
        Fact::Intent {
            pipe,
            members,
            welcome,
        } => {
            let owed = Owed {
                members: members.into_iter().collect(),
                welcome,
                room: None,
            };
            recorded.owed.insert(pipe, owed);
        }
        Fact::Confirmed {
            pipe,
            room,
            members,
            sent,
            kept,
        } => {
            paid(recorded, &pipe, room, &members);
            let known: &mut RecordedRoom = recorded.rooms.entry(room).or_default();
            known.released.remove_all(&members);
            known.adopted.remove_all(&members);
            known.members.extend(members);
            // A value that was ignored and is sent again may be taken this time; the list will tell.
            known
                .shown
                .retain(|field, shown| sent.value(*field) != shown.sent);
            known.sent = Some(sent);
            known.kept = kept;
            known.pipe = Some(pipe.clone());
            ids.push((pipe, room));
        }
        Fact::Adopted {
            pipe,
            room,
            members,
        } => {
            paid(recorded, &pipe, room, &members);
            let known: &mut RecordedRoom = recorded.rooms.entry(room).or_default();
            known.released.remove_all(&members);
            known.adopted.extend(members.iter().copied());
            known.members.extend(members);
            ids.push((pipe, room));
        }
        Fact::Released { room, members, .. } => {
            if !members.is_empty() {
                let known = recorded.rooms.entry(room).or_default();
                known.members.remove_all(&members);
                known.adopted.remove_all(&members);
                known.released.extend(members);
            }
        }
        Fact::Shown {
            room,
            field,
            sent,
            shown,
            ..
        } => {
            let known = recorded.rooms.entry(room).or_default();
            known.shown.insert(field, Shown { sent, shown });
        }
        Fact::Message { pipe, room, .. } => {
            // Nothing is said into a room that the list does not show under its pipe.
            paid(recorded, &pipe, room, &[]);
            ids.push((pipe, room));
        }
        Fact::Declared { pipe, declared } => {
            if declared {
                recorded.left.remove(&pipe);
            } else {
                recorded.left.insert(pipe);
            }
        }
        Fact::Roster { source, given } => {
            recorded.rosters.insert(source, given);
        }
        Fact::Seen { .. } | Fact::Forgotten { .. } => {}
    }
}

/// Takes off what was owed to a pipe what a room of it got. Where nothing is owed there is nothing to remember: only an intent owes.
fn paid(recorded: &mut Recorded, pipe: &Pipe, room: RoomId, members: &[UserId]) {
    if let Some(owed) = recorded.owed.get_mut(pipe) {
        owed.room = Some(room);
        owed.members.remove_all(members);
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
