//! Removes entries that no longer have an effect. Compacting before or after a merge gives the same
//! result.
//!
//! Main function: [`compact`].

use std::collections::{BTreeMap, BTreeSet};

use super::entry::{Entries, Fact, PipeFact, RoomFact, Stage, Stamp};
use crate::model::{Field, FieldValue, RoomId, UserId};

/// A register: one value that entries set. The latest entry that sets a register determines the
/// value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Register<'a> {
    /// A create whose result is open.
    Open(&'a Stamp),
    /// A member who must still be sent after a create.
    Owed(&'a Stamp, UserId),
    /// A welcome that must still be sent after a create.
    OwedWelcome(&'a Stamp),
    /// The creates that the given run sent for the pipe did nothing.
    NotCreated(&'a str),
    /// A member who had to be sent after a create and is now confirmed.
    Paid(UserId),
    /// A welcome that had to be sent after a create and is now confirmed.
    Welcomed,
    /// The id of the pipe's room. Whatever must still be sent after a create goes to this room.
    Id,
    /// Whether the user is a known member.
    Member(RoomId, UserId),
    /// The room is known although roomform did not write to it.
    There(RoomId),
    /// The room was created by roomform.
    Created(RoomId),
    /// The values that the last write sent.
    Sent(RoomId),
    /// A value that a write sent. If the server ignored it before, it no longer counts as ignored.
    Resent(RoomId, FieldValue),
    /// Whether the field is pending.
    Pending(RoomId, Field),
    /// The value that the list last showed for the field.
    Shown(RoomId, Field),
    /// A run found that the list shows the value that had been sent.
    Settled(RoomId, &'a FieldValue),
    /// What the list showed the given run for a field that the run had sent. If the field is
    /// `None`, the register records only that the run read the list again.
    Saw(RoomId, &'a str, Option<Field>),
    /// The stage of the message that the given run sends to the room.
    Message(RoomId, &'a str),
    /// The number of members that the room has.
    Counted(RoomId),
    /// Whether the manifest declares the room.
    Declared,
    /// The number of rooms and memberships in a roster.
    Roster(&'a str),
    /// All earlier entries of the pipe are forgotten.
    Forgotten,
}

/// Returns the entries that still matter: those that set at least one register that no later entry
/// sets. Handles one pipe at a time, because only entries of
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
        // A `Forgotten` entry discards all earlier entries of the pipe.
        if matches!(fact, Fact::Pipe(_, PipeFact::Forgotten)) {
            break;
        }
    }
    kept
}

/// Returns whether later entries make this register useless. A new write replaces what runs
/// found about the write before it. A confirmation replaces the register of the create, member
/// or welcome that it confirms.
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

/// Calls `set` with each register that a fact sets.
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
            let run = of_run.as_deref().unwrap_or(&stamp.run);
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

/// Calls `set` with each register that is set when a room exists and has these members.
fn set_present<'a>(room: RoomId, members: &[UserId], set: &mut impl FnMut(Register<'a>)) {
    set(Register::Id);
    for user in members {
        set(Register::Paid(*user));
        set(Register::Member(room, *user));
    }
}
