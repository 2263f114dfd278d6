//! Removes entries that no longer have an effect. Compacting commutes with merging.
//!
//! Main function: [`compact`].

use std::collections::BTreeSet;

use super::entry::{Entries, Fact, PipeFact, RoomFact, Stage, Stamp};
use super::fold::forgotten;
use crate::model::{Field, FieldValue, Pipe, RoomId, UserId};

/// A value that entries set. The entry with the latest stamp wins.
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
    /// That the room is known, without a write by roomform.
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
        let mut is_news = false;
        registers(stamp, fact, &mut |register| {
            is_news |= !is_superseded(&register, &set) && set.insert(register);
        });
        if is_news && !is_forgotten {
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

/// Passes on the registers that a fact sets.
fn registers<'a>(stamp: &'a Stamp, fact: &'a Fact, set: &mut impl FnMut(Register<'a>)) {
    match fact {
        Fact::Pipe(pipe, PipeFact::Intent { members, welcome }) => {
            for user in members {
                set(Register::Owed(pipe, stamp, *user));
            }
            set(Register::Open(pipe, stamp));
            if *welcome {
                set(Register::OwedWelcome(pipe, stamp));
            }
        }
        Fact::Pipe(pipe, PipeFact::NotCreated(of_run)) => {
            let run = of_run.as_ref().unwrap_or(&stamp.run);
            set(Register::NotCreated(pipe, run));
        }
        Fact::Pipe(pipe, PipeFact::Declared(_)) => set(Register::Declared(pipe)),
        Fact::Pipe(pipe, PipeFact::Forgotten) => set(Register::Forgotten(pipe)),
        Fact::Room(pipe, room, fact) => room_registers(stamp, pipe, *room, fact, set),
        Fact::Roster { source, .. } => set(Register::Roster(source)),
    }
}

fn room_registers<'a>(
    stamp: &'a Stamp,
    pipe: &'a Pipe,
    room: RoomId,
    fact: &'a RoomFact,
    set: &mut impl FnMut(Register<'a>),
) {
    let saw = |field| Register::Saw(pipe, room, &stamp.run, field);
    match fact {
        RoomFact::Confirmed {
            members,
            sent,
            kept: _,
            created,
            source: _,
        } => {
            set_present(pipe, room, members, set);
            set(Register::Sent(pipe, room));
            for field in Field::ALL {
                set(Register::Resent(pipe, room, sent.value(field)));
            }
            if *created {
                set(Register::Created(pipe, room));
            }
        }
        RoomFact::Adopted(members) => {
            set_present(pipe, room, members, set);
            set(Register::There(pipe, room));
        }
        RoomFact::Released {
            members,
            taken_out: _,
        } => {
            for user in members {
                set(Register::Member(pipe, room, *user));
            }
        }
        RoomFact::Pending { field, .. } => {
            set(Register::Pending(pipe, room, *field));
            set(saw(Some(*field)));
        }
        RoomFact::Shown { field, sent, shown } => {
            set(Register::Pending(pipe, room, *field));
            set(Register::Shown(pipe, room, *field));
            set(saw(Some(*field)));
            if sent == shown {
                set(Register::Settled(pipe, room, sent));
            }
        }
        RoomFact::Message { stage, .. } => {
            set(Register::Id(pipe));
            set(Register::Message(pipe, room, &stamp.run));
            if *stage == Stage::Confirmed {
                set(Register::Welcomed(pipe));
            }
        }
        RoomFact::Seen => set(saw(None)),
        RoomFact::Counted { .. } => set(Register::Counted(pipe, room)),
    }
}

/// Passes on the registers that a room and its present members set.
fn set_present<'a>(
    pipe: &'a Pipe,
    room: RoomId,
    members: &[UserId],
    set: &mut impl FnMut(Register<'a>),
) {
    set(Register::Id(pipe));
    for user in members {
        set(Register::Paid(pipe, *user));
        set(Register::Member(pipe, room, *user));
    }
}
