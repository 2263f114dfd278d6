//! The ledger's state, computed independently of the product: from the lines of each room.

use std::collections::{BTreeMap, BTreeSet};

use roomform::ledger::{Entries, Fact, Stage, Stamp};
use roomform::model::{Field, FieldValue, Pipe, RoomId, RoomState, Sending, UserId};

/// What the ledger records for one room.
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
    /// The run that made the last confirmed write, and the pipe it was meant for.
    pub wrote: Option<(String, Pipe)>,
    /// What that run saw of the room afterwards, if it looked.
    pub saw: Option<RoomState>,
}

/// What the ledger records.
#[derive(Debug, Default, PartialEq)]
pub struct Account {
    pub rooms: BTreeMap<RoomId, Known>,
    pub ids: BTreeMap<Pipe, RoomId>,
    /// The members that the last intent of each pipe named.
    pub promised: BTreeMap<Pipe, BTreeSet<UserId>>,
    /// The same, without members confirmed since.
    pub owed: BTreeMap<Pipe, BTreeSet<UserId>>,
    /// Whether the last intent of each pipe named a welcome, and the id of its room if known.
    pub welcomes: BTreeMap<Pipe, (bool, Option<RoomId>)>,
    /// Whether a room is in the manifest, as last recorded.
    pub declared: BTreeMap<Pipe, bool>,
    /// The number of rows of each roster when it was last applied.
    pub given: BTreeMap<String, u64>,
    /// The last stage of a room's message in each run.
    pub messages: BTreeMap<RoomId, BTreeMap<String, Stage>>,
}

impl Account {
    /// Reads the ledger's lines in order.
    pub fn of(entries: &Entries) -> Self {
        let mut account = Self::default();
        let forgets = |fact: &Fact| matches!(fact, Fact::Forgotten { .. });
        let forgotten: BTreeMap<&Pipe, &Stamp> = entries
            .iter()
            .filter(|(_, fact)| forgets(fact))
            .filter_map(|(stamp, fact)| Some((fact.pipe()?, stamp)))
            .collect();
        for (stamp, fact) in entries {
            let end = fact.pipe().and_then(|pipe| forgotten.get(pipe));
            let late = end.is_none_or(|end| *end < stamp);
            if late {
                account.take(stamp, fact);
            }
        }
        account.look(entries, &forgotten);
        let rooms: Vec<RoomId> = account.messages.keys().copied().collect();
        for room in rooms {
            if account.begun(room).is_some() {
                account.rooms.entry(room).or_default();
            }
        }
        account
    }

    /// Finds the last writer of each room and what that run saw, from all lines about the room after that write.
    fn look(&mut self, entries: &Entries, forgotten: &BTreeMap<&Pipe, &Stamp>) {
        for (id, known) in &mut self.rooms {
            let lines: Vec<(&Stamp, &Fact)> = entries
                .iter()
                .filter(|(stamp, fact)| {
                    let end = fact.pipe().and_then(|pipe| forgotten.get(pipe));
                    end.is_none_or(|end| end < stamp)
                })
                .collect();
            let last = lines
                .iter()
                .rposition(|(_, fact)| matches!(fact, Fact::Confirmed { room, .. } if room == id));
            let (Some(last), Some(sent)) = (last, &known.sent) else {
                continue;
            };
            let writer = &lines[last].0.run;
            let (mut saw, mut looked) = (sent.clone(), false);
            for (stamp, fact) in &lines[last..] {
                let own = stamp.run == *writer;
                match fact {
                    Fact::Shown {
                        room,
                        field,
                        sent: one,
                        shown: other,
                        ..
                    } if one == other && !own => {
                        // Any run may have looked: the list showed the value as last sent.
                        let ended = room == id && sent.value(*field) == *one;
                        ended.then(|| saw.copy_field(*field, sent));
                    }
                    _ if !own => {}
                    Fact::Shown { room, shown, .. } if room == id => match shown {
                        FieldValue::Text(title) => saw.title.clone_from(title),
                        FieldValue::Kind(kind) => saw.kind = *kind,
                        FieldValue::Public(public) => saw.public = *public,
                    },
                    Fact::Seen { room, .. } => looked |= room == id,
                    _ => {}
                }
            }
            let pipe = lines[last].1.pipe().cloned();
            known.wrote = pipe.map(|pipe| (writer.clone(), pipe));
            known.saw = looked.then_some(saw);
        }
    }

    fn take(&mut self, stamp: &Stamp, fact: &Fact) {
        match fact {
            Fact::Intent {
                pipe,
                members,
                welcome,
            } => {
                self.welcomes.insert(pipe.clone(), (*welcome, None));
                let members: BTreeSet<UserId> = members.iter().copied().collect();
                self.owed.insert(pipe.clone(), members.clone());
                self.promised.insert(pipe.clone(), members);
            }
            Fact::Confirmed {
                pipe,
                room,
                members,
                sent,
                kept: _,
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
                self.names(pipe, *room);
            }
            Fact::Adopted { pipe, room, .. } => {
                unreachable!("nothing is adopted here: {pipe} {room}")
            }
            Fact::Message {
                pipe, room, stage, ..
            } => {
                let runs = self.messages.entry(*room).or_default();
                runs.insert(stamp.run.clone(), *stage);
                self.names(pipe, *room);
            }
            Fact::Released {
                taken_out: true, ..
            } => unreachable!("no manual step is cleared here"),
            Fact::Released { room, members, .. } => {
                let known = self.rooms.entry(*room).or_default();
                known.released.extend(members);
                members.iter().for_each(|user| {
                    known.on.remove(user);
                });
            }
            Fact::Declared { pipe, declared } => {
                self.declared.insert(pipe.clone(), *declared);
            }
            Fact::Roster { source, given } => {
                self.given.insert(source.clone(), *given);
            }
            Fact::Shown {
                room,
                field,
                sent,
                shown,
                ..
            } => {
                let known = self.rooms.entry(*room).or_default();
                if sent == shown {
                    known.shown.remove(field);
                } else {
                    known.shown.insert(*field, (sent.clone(), shown.clone()));
                }
            }
            Fact::Seen { .. }
            | Fact::Forgotten { .. }
            | Fact::NotCreated { .. }
            | Fact::Pending { .. } => {}
        }
    }

    /// The server's answer, or its list, showed the room of a pipe.
    fn names(&mut self, pipe: &Pipe, room: RoomId) {
        self.ids.insert(pipe.clone(), room);
        if let Some((_, to)) = self.welcomes.get_mut(pipe) {
            *to = Some(room);
        }
    }

    /// The state of a room's message, if any run may have sent one.
    pub fn begun(&self, room: RoomId) -> Option<Sending> {
        let stages: Vec<Stage> = self.messages.get(&room)?.values().copied().collect();
        if stages.contains(&Stage::Confirmed) {
            Some(Sending::Confirmed)
        } else if stages.contains(&Stage::Intended) {
            Some(Sending::Uncertain)
        } else {
            None
        }
    }

    /// Whether a room still waits for the welcome that its create promised.
    pub fn owes_welcome(&self, pipe: &Pipe, room: RoomId) -> bool {
        let promised = self.welcomes.get(pipe);
        let to = promised.is_some_and(|(welcome, to)| *welcome && to.is_none_or(|to| to == room));
        to && self.begun(room).is_none()
    }

    /// Whether two accounts agree in everything that plans depend on.
    pub fn agrees(&self, other: &Self) -> bool {
        let pipes = self.owed.keys().chain(other.owed.keys());
        let mut owed = pipes.map(|pipe| (self.owed(pipe), other.owed(pipe)));
        let rooms = self.messages.keys().chain(other.messages.keys());
        let mut begun = rooms.map(|room| (self.begun(*room), other.begun(*room)));
        let pipes = self.welcomes.keys().chain(other.welcomes.keys());
        let mut owes = pipes.map(|pipe| (self.owes(pipe), other.owes(pipe)));
        begun.all(|(own, its)| own == its)
            && owes.all(|(own, its)| own == its)
            && self.rooms == other.rooms
            && self.ids == other.ids
            && owed.all(|(own, its)| own == its)
    }

    fn owed(&self, pipe: &Pipe) -> Option<&BTreeSet<UserId>> {
        self.owed.get(pipe).filter(|owed| !owed.is_empty())
    }

    /// Whether the last intent of a pipe is incomplete.
    pub fn owes(&self, pipe: &Pipe) -> bool {
        let welcome = self.welcomes.get(pipe).is_some_and(|(welcome, to)| {
            *welcome && to.is_none_or(|room| self.begun(room).is_none())
        });
        welcome || self.owed(pipe).is_some()
    }
}
