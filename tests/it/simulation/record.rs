//! What the ledger says, worked out a second time and in another way than the product does: by the lines of each room.

use std::collections::{BTreeMap, BTreeSet};

use roomform::ledger::{Entries, Fact, Stamp};
use roomform::model::{Field, FieldValue, Pipe, RoomId, RoomState, UserId};

/// What is on record of one room.
#[derive(Debug, Default, PartialEq)]
pub struct Known {
    /// Confirmed, and not released since.
    pub on: BTreeSet<UserId>,
    /// Released, and not confirmed since.
    pub released: BTreeSet<UserId>,
    /// The last confirmed write.
    pub sent: Option<RoomState>,
    /// Field, sent, shown.
    pub shown: BTreeMap<Field, (FieldValue, FieldValue)>,
}

/// What is on record.
#[derive(Debug, Default, PartialEq)]
pub struct Account {
    pub rooms: BTreeMap<RoomId, Known>,
    pub ids: BTreeMap<Pipe, RoomId>,
    /// The last intent of each pipe: everyone it named.
    pub promised: BTreeMap<Pipe, BTreeSet<UserId>>,
    /// The same, without those confirmed since.
    pub owed: BTreeMap<Pipe, BTreeSet<UserId>>,
}

impl Account {
    /// Reads the ledger's lines in order.
    pub fn of(entries: &Entries) -> Self {
        let mut account = Self::default();
        let forgets = |fact: &Fact| matches!(fact, Fact::Forgotten { .. });
        let forgotten: BTreeMap<&Pipe, &Stamp> = entries
            .iter()
            .filter(|(_, fact)| forgets(fact))
            .map(|(stamp, fact)| (fact.pipe(), stamp))
            .collect();
        for (stamp, fact) in entries {
            let late = forgotten.get(fact.pipe()).is_none_or(|end| *end < stamp);
            if late {
                account.take(fact);
            }
        }
        account
    }

    fn take(&mut self, fact: &Fact) {
        match fact {
            Fact::Intent { pipe, members } => {
                let members: BTreeSet<UserId> = members.iter().copied().collect();
                self.owed.insert(pipe.clone(), members.clone());
                self.promised.insert(pipe.clone(), members);
            }
            Fact::Confirmed {
                pipe,
                room,
                members,
                sent,
            } => {
                if let Some(owed) = self.owed.get_mut(pipe) {
                    members.iter().for_each(|user| {
                        owed.remove(user);
                    });
                }
                let known = self.rooms.entry(*room).or_default();
                known.on.extend(members);
                members.iter().for_each(|user| {
                    known.released.remove(user);
                });
                known.sent = Some(sent.clone());
                self.ids.insert(pipe.clone(), *room);
            }
            Fact::Released { room, members, .. } => {
                let known = self.rooms.entry(*room).or_default();
                known.released.extend(members);
                members.iter().for_each(|user| {
                    known.on.remove(user);
                });
            }
            Fact::Shown {
                room,
                field,
                sent,
                shown,
                ..
            } => {
                let known = self.rooms.entry(*room).or_default();
                known.shown.insert(*field, (sent.clone(), shown.clone()));
            }
            Fact::Forgotten { .. } => {}
        }
    }

    /// The same account, as far as plans depend on it.
    pub fn agrees(&self, other: &Self) -> bool {
        let pipes = self.owed.keys().chain(other.owed.keys());
        let mut owed = pipes.map(|pipe| (self.owed(pipe), other.owed(pipe)));
        self.rooms == other.rooms && self.ids == other.ids && owed.all(|(own, its)| own == its)
    }

    fn owed(&self, pipe: &Pipe) -> Option<&BTreeSet<UserId>> {
        self.owed.get(pipe).filter(|owed| !owed.is_empty())
    }

    /// Whether the last intent of a pipe still owes anything.
    pub fn owes(&self, pipe: &Pipe) -> bool {
        self.owed(pipe).is_some()
    }
}
