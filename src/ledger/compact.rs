//! Removes entries that no longer have an effect. Compacting commutes with merging.
//!
//! Main function: [`compact`].

use std::collections::BTreeSet;

use super::entry::{Entries, Fact, Stage, Stamp};
use super::fold::forgotten;
use crate::model::{Field, FieldValue, Pipe, RoomId, UserId};

/// What an entry sets. The last entry by stamp wins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Register<'a> {
    /// That a create is open.
    Open(&'a Pipe, &'a Stamp),
    /// A member that is still to be sent after a create.
    Owed(&'a Pipe, &'a Stamp, UserId),
    /// That a welcome is still to be sent after a create.
    OwedWelcome(&'a Pipe, &'a Stamp),
    /// That a run's creates did nothing.
    NotCreated(&'a Pipe, &'a str),
    /// A member that was to be sent after a create and is confirmed.
    Paid(&'a Pipe, UserId),
    /// That a welcome was to be sent after a create and is confirmed.
    Welcomed(&'a Pipe),
    /// The room id of a pipe. What is still to be sent after a create goes to this room.
    Id(&'a Pipe),
    /// Whether a member is known.
    Member(&'a Pipe, RoomId, UserId),
    /// That the room is known, without a write of ours.
    There(&'a Pipe, RoomId),
    /// That roomform created the room.
    Created(&'a Pipe, RoomId),
    /// The last values sent.
    Sent(&'a Pipe, RoomId),
    /// That a value was sent and is no longer known to be ignored.
    Resent(&'a Pipe, RoomId, FieldValue),
    /// Whether a field is pending.
    Pending(&'a Pipe, RoomId, Field),
    /// What the list showed.
    Shown(&'a Pipe, RoomId, Field),
    /// That a run saw the value that had been sent.
    Settled(&'a Pipe, RoomId, &'a FieldValue),
    /// What a run saw of a field it had sent. Without a field: that the run read the list.
    Saw(&'a Pipe, RoomId, &'a str, Option<Field>),
    /// The stage of one run's message.
    Message(&'a Pipe, RoomId, &'a str),
    /// How many members the room has.
    Counted(&'a Pipe, RoomId),
    /// Whether the room is in the manifest.
    Declared(&'a Pipe),
    /// The rooms and memberships from a roster.
    Roster(&'a str),
    /// That all earlier entries are forgotten.
    Forgotten(&'a Pipe),
}

/// Keeps each entry that sets at least one register that no later entry sets.
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

/// Whether a later entry makes this one useless. The next write supersedes what a run saw of the last one. A confirmation
/// supersedes the create, member or welcome that it confirms.
fn is_superseded<'a>(register: &Register<'a>, set: &BTreeSet<Register<'a>>) -> bool {
    let is_settled = |pipe: &'a Pipe, stamp: &'a Stamp, by: Register<'a>| {
        set.contains(&by) || set.contains(&Register::NotCreated(pipe, &stamp.run))
    };
    match register {
        Register::Open(pipe, stamp) => is_settled(pipe, stamp, Register::Id(pipe)),
        Register::Owed(pipe, stamp, user) => is_settled(pipe, stamp, Register::Paid(pipe, *user)),
        Register::OwedWelcome(pipe, stamp) => is_settled(pipe, stamp, Register::Welcomed(pipe)),
        Register::Saw(pipe, room, ..)
        | Register::Settled(pipe, room, _)
        | Register::Pending(pipe, room, _) => set.contains(&Register::Sent(pipe, *room)),
        _ => false,
    }
}

fn registers<'a>(stamp: &'a Stamp, fact: &'a Fact) -> Vec<Register<'a>> {
    match fact {
        Fact::Intent {
            pipe,
            members,
            welcome,
        } => {
            let members = members.iter();
            let owed = members.map(|user| Register::Owed(pipe, stamp, *user));
            let welcome = welcome.then_some(Register::OwedWelcome(pipe, stamp));
            owed.chain([Register::Open(pipe, stamp)])
                .chain(welcome)
                .collect()
        }
        Fact::NotCreated { pipe, of_run } => {
            let run = of_run.as_ref().unwrap_or(&stamp.run);
            vec![Register::NotCreated(pipe, run)]
        }
        Fact::Confirmed {
            pipe,
            room,
            members,
            sent,
            kept: _,
            created,
            source: _,
        } => {
            let each = member_registers(pipe, *room, members);
            let resent = Field::ALL.map(|field| Register::Resent(pipe, *room, sent.value(field)));
            let created = created.then_some(Register::Created(pipe, *room));
            each.chain([Register::Id(pipe), Register::Sent(pipe, *room)])
                .chain(resent)
                .chain(created)
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
        Fact::Pending {
            pipe, room, field, ..
        } => vec![
            Register::Pending(pipe, *room, *field),
            Register::Saw(pipe, *room, &stamp.run, Some(*field)),
        ],
        Fact::Shown {
            pipe,
            room,
            field,
            sent,
            shown,
        } => {
            let settled = (sent == shown).then_some(Register::Settled(pipe, *room, sent));
            let own = [
                Register::Pending(pipe, *room, *field),
                Register::Shown(pipe, *room, *field),
                Register::Saw(pipe, *room, &stamp.run, Some(*field)),
            ];
            own.into_iter().chain(settled).collect()
        }
        Fact::Message {
            pipe, room, stage, ..
        } => {
            let own = [
                Register::Id(pipe),
                Register::Message(pipe, *room, &stamp.run),
            ];
            let welcomed = (*stage == Stage::Confirmed).then_some(Register::Welcomed(pipe));
            own.into_iter().chain(welcomed).collect()
        }
        Fact::Seen { pipe, room } => vec![Register::Saw(pipe, *room, &stamp.run, None)],
        Fact::Counted { pipe, room, .. } => vec![Register::Counted(pipe, *room)],
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
