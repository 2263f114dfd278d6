//! Entries -> what is on record. The order of the lines in a file does not matter, nor does a line that stands twice.

use std::collections::BTreeSet;

use super::entry::{Fact, Stamp};
use crate::model::{Recorded, RecordedRoom, Shown};

/// The record that these entries add up to, taken in the order of their stamps, each stamp once.
pub fn fold(mut entries: Vec<(Stamp, Fact)>) -> Recorded {
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    entries.dedup_by(|(a, _), (b, _)| a == b);
    let mut recorded = Recorded::default();
    for (_, fact) in entries {
        apply(&mut recorded, fact);
    }
    recorded
}

fn apply(recorded: &mut Recorded, fact: Fact) {
    match fact {
        Fact::Intent { pipe, members } => {
            recorded.owed.insert(pipe, members.into_iter().collect());
        }
        Fact::Confirmed {
            pipe,
            room,
            members,
            sent: _,
        } => {
            settle(recorded, &pipe, &members);
            let known: &mut RecordedRoom = recorded.rooms.entry(room).or_default();
            for user in members {
                known.released.remove(&user);
                known.members.insert(user);
            }
            recorded.ids.insert(pipe, room);
        }
        Fact::Released { room, members, .. } => {
            let known = recorded.rooms.entry(room).or_default();
            for user in members {
                if known.members.remove(&user) {
                    known.released.insert(user);
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
            recorded
                .rooms
                .entry(room)
                .or_default()
                .shown
                .insert(field, Shown { sent, shown });
        }
        Fact::Forgotten { pipe } => {
            recorded.owed.remove(&pipe);
            if let Some(id) = recorded.ids.remove(&pipe) {
                recorded.rooms.remove(&id);
            }
        }
    }
}

/// Takes what was confirmed off what is owed; a debt that is paid is gone.
fn settle(recorded: &mut Recorded, pipe: &crate::model::Pipe, members: &[crate::model::UserId]) {
    if let Some(owed) = recorded.owed.get_mut(pipe) {
        for user in members {
            owed.remove(user);
        }
        if *owed == BTreeSet::new() {
            recorded.owed.remove(pipe);
        }
    }
}
