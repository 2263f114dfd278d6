//! Removes entries that no longer have an effect. Compacting commutes with merging.
//!
//! Main function: [`compact`].

use std::collections::BTreeSet;

use super::entry::{Entries, Fact, Stamp};
use super::fold::forgotten;
use crate::model::{Field, FieldValue, Pipe, RoomId, UserId};

/// What an entry sets. The last entry by stamp wins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Register<'a> {
    /// What a create owes.
    Owed(&'a Pipe),
    /// A member that was owed and is confirmed.
    Paid(&'a Pipe, UserId),
    /// The room id of a pipe. What the last create still owes is sent to this room.
    Id(&'a Pipe),
    /// Whether a member is known.
    Member(&'a Pipe, RoomId, UserId),
    /// That the room is known, without a write of ours.
    There(&'a Pipe, RoomId),
    /// The last values sent.
    Sent(&'a Pipe, RoomId),
    /// That a value was sent and is no longer known to be ignored.
    Resent(&'a Pipe, RoomId, FieldValue),
    /// What the list showed.
    Shown(&'a Pipe, RoomId, Field),
    /// That a run saw the value that had been sent.
    Settled(&'a Pipe, RoomId, &'a FieldValue),
    /// What a run saw of a field it had sent. Without a field: that the run read the list.
    Saw(&'a Pipe, RoomId, &'a str, Option<Field>),
    /// The stage of one run's message.
    Message(&'a Pipe, RoomId, &'a str),
    /// Whether the room is in the manifest.
    Declared(&'a Pipe),
    /// The rooms and memberships from a roster.
    Roster(&'a str),
    /// That all earlier entries are forgotten.
    Forgotten(&'a Pipe),
}

/// Keeps each entry that sets at least one register no later entry sets.
pub fn compact(entries: &Entries) -> Entries {
    let forgotten = forgotten(entries);
    let mut set = BTreeSet::new();
    let mut kept = Entries::new();
    for (stamp, fact) in entries.iter().rev() {
        let until = fact.pipe().and_then(|pipe| forgotten.get(pipe));
        let is_forgotten = until.is_some_and(|until| *until > stamp);
        let news = registers(stamp, fact)
            .into_iter()
            .filter(|register| !is_superseded(register, &set) && set.insert(register.clone()))
            .count();
        if news > 0 && !is_forgotten {
            kept.insert(stamp.clone(), fact.clone());
        }
    }
    kept
}

/// What a run saw of a write is superseded by the next write.
fn is_superseded<'a>(register: &Register<'a>, set: &BTreeSet<Register<'a>>) -> bool {
    match register {
        Register::Saw(pipe, room, ..) | Register::Settled(pipe, room, _) => {
            set.contains(&Register::Sent(pipe, *room))
        }
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
            let each = member_registers(pipe, *room, members);
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
            let each = member_registers(pipe, *room, members);
            each.chain([Register::Id(pipe), Register::There(pipe, *room)])
                .collect()
        }
        Fact::Released {
            pipe,
            room,
            members,
            taken_out: _,
        } => members
            .iter()
            .map(|user| Register::Member(pipe, *room, *user))
            .collect(),
        Fact::Shown {
            pipe,
            room,
            field,
            sent,
            shown,
        } => {
            let settled = (sent == shown).then_some(Register::Settled(pipe, *room, sent));
            let own = [
                Register::Shown(pipe, *room, *field),
                Register::Saw(pipe, *room, &stamp.run, Some(*field)),
            ];
            own.into_iter().chain(settled).collect()
        }
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

fn member_registers<'a>(
    pipe: &'a Pipe,
    room: RoomId,
    members: &[UserId],
) -> impl Iterator<Item = Register<'a>> {
    members.iter().flat_map(move |user| {
        [
            Register::Paid(pipe, *user),
            Register::Member(pipe, room, *user),
        ]
    })
}
