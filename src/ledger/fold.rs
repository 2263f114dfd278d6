//! Entries -> what is on record. Neither the order of the lines nor a line that stands twice matters.
//!
//! Everything on record is a register whose last writer, by stamp, wins: so the fold of a union does not depend on how it
//! came about, and [`compact`] may drop an entry once later ones overrule all it says.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::{Fact, Stamp};
use crate::model::{Field, FieldValue, Pipe, Recorded, RecordedRoom, RoomId, Shown, UserId};

/// Entries by stamp, each once.
pub type Entries = BTreeMap<Stamp, Fact>;

/// The record that these entries add up to, in the order of their stamps.
pub fn fold(entries: &Entries) -> Recorded {
    let mut recorded = Recorded::default();
    let forgotten = forgotten(entries);
    for (stamp, fact) in entries {
        if forgotten
            .get(fact.pipe())
            .is_none_or(|until| *until < stamp)
        {
            apply(&mut recorded, fact);
        }
    }
    recorded.owed.retain(|_, owed| !owed.is_empty());
    recorded
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

fn apply(recorded: &mut Recorded, fact: &Fact) {
    match fact {
        Fact::Intent { pipe, members } => {
            recorded
                .owed
                .insert(pipe.clone(), members.iter().copied().collect());
        }
        Fact::Confirmed {
            pipe,
            room,
            members,
            sent,
        } => {
            let owed = recorded.owed.entry(pipe.clone()).or_default();
            for user in members {
                owed.remove(user);
            }
            let known: &mut RecordedRoom = recorded.rooms.entry(*room).or_default();
            for user in members {
                known.released.remove(user);
                known.members.insert(*user);
            }
            known.sent = Some(sent.clone());
            // A value that was ignored and is sent again may be taken this time; the list will tell.
            known
                .shown
                .retain(|field, shown| sent.value(*field) != shown.sent);
            recorded.ids.insert(pipe.clone(), *room);
        }
        Fact::Released { room, members, .. } => {
            for user in members {
                let known = recorded.rooms.entry(*room).or_default();
                known.members.remove(user);
                known.released.insert(*user);
            }
        }
        Fact::Shown {
            room,
            field,
            sent,
            shown,
            ..
        } => {
            let shown = Shown {
                sent: sent.clone(),
                shown: shown.clone(),
            };
            recorded
                .rooms
                .entry(*room)
                .or_default()
                .shown
                .insert(*field, shown);
        }
        Fact::Forgotten { .. } => {}
    }
}

/// What an entry has a say in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Register<'a> {
    /// What a create promised.
    Owed(&'a Pipe),
    /// That a promise to a member was kept.
    Paid(&'a Pipe, UserId),
    /// The id of a pipe.
    Id(&'a Pipe),
    /// Whether a member is on record.
    Member(&'a Pipe, RoomId, UserId),
    /// What was last sent.
    Sent(&'a Pipe, RoomId),
    /// That a value was sent, and is no longer one the server is known to ignore.
    Resent(&'a Pipe, RoomId, FieldValue),
    /// What the server showed.
    Shown(&'a Pipe, RoomId, Field),
    /// That everything before was forgotten.
    Forgotten(&'a Pipe),
}

/// The entries without those that later ones overrule in everything they say. Compacting commutes with merging.
pub fn compact(entries: &Entries) -> Entries {
    let forgotten = forgotten(entries);
    let mut spoken = BTreeSet::new();
    let mut kept = Entries::new();
    for (stamp, fact) in entries.iter().rev() {
        let gone = forgotten
            .get(fact.pipe())
            .is_some_and(|until| *until > stamp);
        let news = registers(fact)
            .into_iter()
            .filter(|register| spoken.insert(register.clone()))
            .count();
        if news > 0 && !gone {
            kept.insert(stamp.clone(), fact.clone());
        }
    }
    kept
}

fn registers(fact: &Fact) -> Vec<Register<'_>> {
    match fact {
        Fact::Intent { pipe, .. } => vec![Register::Owed(pipe)],
        Fact::Confirmed {
            pipe,
            room,
            members,
            sent,
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
        } => vec![Register::Shown(pipe, *room, *field)],
        Fact::Forgotten { pipe } => vec![Register::Forgotten(pipe)],
    }
}
