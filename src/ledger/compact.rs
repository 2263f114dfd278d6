//! Removes entries that no longer have an effect. Compacting commutes with merging.
//!
//! Main function: [`compact`].

use std::collections::{BTreeMap, BTreeSet};

use super::entry::{Entries, Fact, PipeFact, RoomFact, Stage, Stamp};
use crate::model::{Field, FieldValue, RoomId, UserId};

/// A value that entries set. The entry with the latest stamp wins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Register<'a> {
    /// That a create is open.
    Open(&'a Stamp),
    /// A member that is still to be sent after a create.
    Owed(&'a Stamp, UserId),
    /// That a welcome is still to be sent after a create.
    OwedWelcome(&'a Stamp),
    /// That a run's creates did nothing.
    NotCreated(&'a str),
    /// A member that was to be sent after a create and is confirmed.
    Paid(UserId),
    /// That a welcome was to be sent after a create and is confirmed.
    Welcomed,
    /// The room id of a pipe. What is still to be sent after a create goes to this room.
    Id,
    /// Whether a member is known.
    Member(RoomId, UserId),
    /// That the room is known, without a write by roomform.
    There(RoomId),
    /// That roomform created the room.
    Created(RoomId),
    /// The last values sent.
    Sent(RoomId),
    /// That a value was sent and is no longer known to be ignored.
    Resent(RoomId, FieldValue),
    /// Whether a field is pending.
    Pending(RoomId, Field),
    /// What the list showed.
    Shown(RoomId, Field),
    /// That a run saw the value that had been sent.
    Settled(RoomId, &'a FieldValue),
    /// What a run saw of a field it had sent. Without a field: that the run read the list.
    Saw(RoomId, &'a str, Option<Field>),
    /// The stage of one run's message.
    Message(RoomId, &'a str),
    /// How many members the room has.
    Counted(RoomId),
    /// Whether the room is in the manifest.
    Declared,
    /// The rooms and memberships from a roster.
    Roster(&'a str),
    /// That all earlier entries are forgotten.
    Forgotten,
}

/// Keeps each entry that sets at least one register that no later entry sets. Handles one pipe at a time, because only entries of
/// the same pipe set the same registers.
pub fn compact(mut entries: Entries) -> Entries {
    let mut by_pipe: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (index, (stamp, fact)) in entries.iter().enumerate() {
        let of_pipe = by_pipe.entry(fact.pipe()).or_default();
        of_pipe.push((index, stamp, fact));
    }
    let kept: BTreeSet<usize> = by_pipe.into_values().flat_map(indexes_to_keep).collect();
    let mut indexes = 0..;
    entries.retain(|_, _| indexes.next().is_some_and(|index| kept.contains(&index)));
    entries
}

/// The indexes of those entries of one pipe that have an effect.
fn indexes_to_keep(entries: Vec<(usize, &Stamp, &Fact)>) -> Vec<usize> {
    let (mut set, mut kept) = (BTreeSet::new(), Vec::new());
    for (index, stamp, fact) in entries.into_iter().rev() {
        let mut is_news = false;
        registers(stamp, fact, &mut |register| {
            is_news |= !is_superseded(&register, &set) && set.insert(register);
        });
        if is_news {
            kept.push(index);
        }
        // Earlier entries of the pipe do not count.
        if matches!(fact, Fact::Pipe(_, PipeFact::Forgotten)) {
            break;
        }
    }
    kept
}

/// Whether a later entry makes this one useless. The next write supersedes what a run saw of the last one. A confirmation
/// supersedes the create, member or welcome that it confirms.
fn is_superseded<'a>(register: &Register<'a>, set: &BTreeSet<Register<'a>>) -> bool {
    let is_settled = |stamp: &'a Stamp, by: Register<'a>| {
        set.contains(&by) || set.contains(&Register::NotCreated(&stamp.run))
    };
    match register {
        Register::Open(stamp) => is_settled(stamp, Register::Id),
        Register::Owed(stamp, user) => is_settled(stamp, Register::Paid(*user)),
        Register::OwedWelcome(stamp) => is_settled(stamp, Register::Welcomed),
        Register::Saw(room, ..) | Register::Settled(room, _) | Register::Pending(room, _) => {
            set.contains(&Register::Sent(*room))
        }
        _ => false,
    }
}

/// Passes on the registers that a fact sets.
fn registers<'a>(stamp: &'a Stamp, fact: &'a Fact, set: &mut impl FnMut(Register<'a>)) {
    match fact {
        Fact::Pipe(_, PipeFact::Intent { members, welcome }) => {
            for user in members {
                set(Register::Owed(stamp, *user));
            }
            set(Register::Open(stamp));
            if *welcome {
                set(Register::OwedWelcome(stamp));
            }
        }
        Fact::Pipe(_, PipeFact::NotCreated(of_run)) => {
            let run = of_run.as_ref().unwrap_or(&stamp.run);
            set(Register::NotCreated(run));
        }
        Fact::Pipe(_, PipeFact::Declared(_)) => set(Register::Declared),
        Fact::Pipe(_, PipeFact::Forgotten) => set(Register::Forgotten),
        Fact::Room(_, room, fact) => room_registers(stamp, *room, fact, set),
        Fact::Roster { source, .. } => set(Register::Roster(source)),
    }
}

fn room_registers<'a>(
    stamp: &'a Stamp,
    room: RoomId,
    fact: &'a RoomFact,
    set: &mut impl FnMut(Register<'a>),
) {
    let saw = |field| Register::Saw(room, &stamp.run, field);
    match fact {
        RoomFact::Confirmed {
            members,
            sent,
            kept: _,
            created,
            source: _,
        } => {
            set_present(room, members, set);
            set(Register::Sent(room));
            for field in Field::ALL {
                set(Register::Resent(room, sent.value(field)));
            }
            if *created {
                set(Register::Created(room));
            }
        }
        RoomFact::Adopted(members) => {
            set_present(room, members, set);
            set(Register::There(room));
        }
        RoomFact::Released {
            members,
            taken_out: _,
        } => {
            for user in members {
                set(Register::Member(room, *user));
            }
        }
        RoomFact::Pending { field, .. } => {
            set(Register::Pending(room, *field));
            set(saw(Some(*field)));
        }
        RoomFact::Shown { field, sent, shown } => {
            set(Register::Pending(room, *field));
            set(Register::Shown(room, *field));
            set(saw(Some(*field)));
            if sent == shown {
                set(Register::Settled(room, sent));
            }
        }
        RoomFact::Message { stage, .. } => {
            set(Register::Id);
            set(Register::Message(room, &stamp.run));
            if *stage == Stage::Confirmed {
                set(Register::Welcomed);
            }
        }
        RoomFact::Seen => set(saw(None)),
        RoomFact::Counted { .. } => set(Register::Counted(room)),
    }
}

/// Passes on the registers that a room and its present members set.
fn set_present<'a>(room: RoomId, members: &[UserId], set: &mut impl FnMut(Register<'a>)) {
    set(Register::Id);
    for user in members {
        set(Register::Paid(*user));
        set(Register::Member(room, *user));
    }
}
