//! The state that a ledger records, computed from its lines without the product's code.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use roomform::ledger::{Entries, Fact, PipeFact, RoomFact, Stage, Stamp};
use roomform::model::{Field, FieldValue, Pipe, RoomId, RoomState, Sending, Time, UserId};

/// What the ledger records for one room.
#[derive(Debug, Default, PartialEq)]
pub struct Known {
    /// Members that were confirmed and not released since.
    pub on: BTreeSet<UserId>,
    /// Members that were released and not confirmed since.
    pub released: BTreeSet<UserId>,
    /// The last confirmed write.
    pub sent: Option<RoomState>,
    /// For each ignored field, the values sent and shown.
    pub shown: BTreeMap<Field, (FieldValue, FieldValue)>,
    pub pending: BTreeMap<Field, Pending>,
    /// The run that made the last confirmed write, and the pipe it was meant for.
    pub wrote: Option<(String, Pipe)>,
    /// The room as the run in `wrote` saw it after its write, if that run read the list.
    pub saw: Option<RoomState>,
}

/// A field whose new value did not appear in time in the list that the last writer read.
#[derive(Debug, PartialEq)]
pub struct Pending {
    pub sent: FieldValue,
    pub shown: FieldValue,
    pub updated_at: Option<Box<str>>,
    pub since: Time,
}

/// A create that a run claimed. It is removed once the create is known to have made no room.
#[derive(Debug, PartialEq)]
pub struct Claimed {
    pub run: String,
    pub since: Time,
    /// All members in the intent, and those of them that are not confirmed yet (`owed`).
    pub members: BTreeSet<UserId>,
    owed: BTreeSet<UserId>,
    /// Whether the intent has a welcome that no run is known to have sent.
    pub welcome: bool,
    /// The room of the pipe, once an answer or the list showed it.
    pub room: Option<RoomId>,
}

/// What the ledger records.
#[derive(Debug, Default, PartialEq)]
pub struct Account {
    pub rooms: BTreeMap<RoomId, Known>,
    pub ids: BTreeMap<Pipe, RoomId>,
    /// The claims of each pipe, earliest first.
    pub claims: BTreeMap<Pipe, Vec<Claimed>>,
    /// Whether a room is in the manifest, as last recorded.
    pub declared: BTreeMap<Pipe, bool>,
    /// The number of rooms and memberships of each roster when it was last applied.
    pub given: BTreeMap<String, u64>,
    /// The last stage of a room's message in each run.
    pub messages: BTreeMap<RoomId, BTreeMap<String, Stage>>,
}

impl Account {
    /// Reads the ledger's lines in order.
    pub fn of(entries: &Entries) -> Self {
        let mut account = Self::default();
        let forgets = |fact: &Fact| matches!(fact, Fact::Pipe(_, PipeFact::Forgotten));
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

    /// Finds the run that last wrote to each room. What that run saw is computed from all lines
    /// about the room after its write.
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
                .rposition(|(_, fact)| matches!(fact, Fact::Room(_, room, RoomFact::Confirmed { .. }) if room == id));
            let (Some(last), Some(sent)) = (last, &known.sent) else {
                continue;
            };
            let writer = &lines[last].0.run;
            let (mut saw, mut looked) = (sent.clone(), false);
            for (stamp, fact) in &lines[last..] {
                let own = stamp.run == *writer;
                match fact {
                    Fact::Room(
                        _,
                        room,
                        RoomFact::Shown {
                            field,
                            sent: one,
                            shown: other,
                        },
                    ) if one == other && !own => {
                        // Some run, no matter which, read a list with the last sent value.
                        let ended = room == id && sent.value(*field) == *one;
                        ended.then(|| saw.copy_field(*field, sent));
                    }
                    _ if !own => {}
                    Fact::Room(_, room, RoomFact::Shown { field, shown, .. })
                    | Fact::Room(_, room, RoomFact::Pending { field, shown, .. })
                        if room == id =>
                    {
                        match shown {
                            FieldValue::Text(title) => saw.title.clone_from(title),
                            FieldValue::Kind(kind) => saw.kind = *kind,
                            FieldValue::Public(public) => saw.public = *public,
                        }
                    }
                    Fact::Room(_, room, RoomFact::Seen) => looked |= room == id,
                    _ => {}
                }
            }
            let pipe = lines[last].1.pipe().cloned();
            known.wrote = pipe.map(|pipe| (writer.to_string(), pipe));
            known.saw = looked.then_some(saw);
        }
    }

    fn take(&mut self, stamp: &Stamp, fact: &Fact) {
        match fact {
            Fact::Pipe(pipe, PipeFact::Intent { members, welcome }) => {
                let members: BTreeSet<UserId> = members.iter().copied().collect();
                self.claims.entry(pipe.clone()).or_default().push(Claimed {
                    run: stamp.run.to_string(),
                    since: time(stamp),
                    owed: members.clone(),
                    members,
                    welcome: *welcome,
                    room: None,
                });
            }
            Fact::Pipe(pipe, PipeFact::NotCreated(of_run)) => {
                let run = of_run.as_deref().unwrap_or(&stamp.run);
                if let Some(claims) = self.claims.get_mut(pipe) {
                    claims.retain(|claim| *claim.run != *run);
                }
            }
            Fact::Room(pipe, room, RoomFact::Confirmed { members, sent, .. }) => {
                for claim in self.claims.get_mut(pipe).into_iter().flatten() {
                    claim.owed.retain(|user| !members.contains(user));
                }
                let known = self.rooms.entry(*room).or_default();
                known.on.extend(members);
                members.iter().for_each(|user| {
                    known.released.remove(user);
                });
                known.sent = Some(sent.clone());
                known.pending.clear();
                // The server may accept an ignored value when it is sent again.
                let resent = |field: &Field, value: &FieldValue| sent.value(*field) == *value;
                known
                    .shown
                    .retain(|field, (value, _)| !resent(field, value));
                self.names(pipe, *room);
            }
            Fact::Room(pipe, room, RoomFact::Adopted(_)) => {
                unreachable!("nothing is adopted here: {pipe} {room}")
            }
            Fact::Room(pipe, room, RoomFact::Message { stage, .. }) => {
                let runs = self.messages.entry(*room).or_default();
                runs.insert(stamp.run.to_string(), *stage);
                if *stage == Stage::Confirmed {
                    let claims = self.claims.get_mut(pipe);
                    let claims = claims.into_iter().flatten();
                    claims.for_each(|claim| claim.welcome = false);
                }
                self.names(pipe, *room);
            }
            Fact::Room(
                _,
                _,
                RoomFact::Released {
                    taken_out: true, ..
                },
            ) => unreachable!("no manual step is cleared here"),
            Fact::Room(_, room, RoomFact::Released { members, .. }) => {
                let known = self.rooms.entry(*room).or_default();
                known.released.extend(members);
                members.iter().for_each(|user| {
                    known.on.remove(user);
                });
            }
            Fact::Pipe(pipe, PipeFact::Declared(declared)) => {
                self.declared.insert(pipe.clone(), *declared);
            }
            Fact::Roster { source, given } => {
                self.given.insert(source.clone(), *given);
            }
            Fact::Room(_, room, RoomFact::Shown { field, sent, shown }) => {
                let known = self.rooms.entry(*room).or_default();
                known.pending.remove(field);
                if sent == shown {
                    known.shown.remove(field);
                } else {
                    known.shown.insert(*field, (sent.clone(), shown.clone()));
                }
            }
            Fact::Room(
                _,
                room,
                RoomFact::Pending {
                    field,
                    sent,
                    shown,
                    updated_at,
                    since,
                },
            ) => {
                let known = self.rooms.entry(*room).or_default();
                let pending = Pending {
                    sent: sent.clone(),
                    shown: shown.clone(),
                    updated_at: updated_at.clone(),
                    since: since.unwrap_or(time(stamp)),
                };
                known.pending.insert(*field, pending);
            }
            Fact::Room(_, _, RoomFact::Counted { .. }) => unreachable!("nothing is counted here"),
            Fact::Room(_, _, RoomFact::Seen) | Fact::Pipe(_, PipeFact::Forgotten) => {}
        }
    }

    /// Records the room of a pipe. The room is known from the server's answer or from its list.
    fn names(&mut self, pipe: &Pipe, room: RoomId) {
        self.ids.insert(pipe.clone(), room);
        for claim in self.claims.get_mut(pipe).into_iter().flatten() {
            claim.room = Some(room);
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

    /// The claims of a pipe for which members or a welcome must still be sent.
    fn unsettled(&self, pipe: &Pipe) -> impl Iterator<Item = &Claimed> {
        let claims = self.claims.get(pipe).into_iter().flatten();
        claims.filter(|claim| !claim.owed.is_empty() || self.owes_its_welcome(claim))
    }

    fn owes_its_welcome(&self, claim: &Claimed) -> bool {
        let begun = |room| self.begun(room).is_some();
        claim.welcome && !claim.room.is_some_and(begun)
    }

    /// The claims of a pipe that have no known room: only the last claim of each run, in order
    /// of time.
    pub fn open(&self, pipe: &Pipe) -> Vec<&Claimed> {
        let mut open: Vec<&Claimed> = Vec::new();
        for claim in self.claims.get(pipe).into_iter().flatten() {
            if claim.room.is_none() {
                open.retain(|other| other.run != claim.run);
                open.push(claim);
            }
        }
        open
    }

    /// The members that were promised by a create of the pipe and are not confirmed yet.
    pub fn owed(&self, pipe: &Pipe) -> BTreeSet<UserId> {
        let claims = self.claims.get(pipe).into_iter().flatten();
        claims.flat_map(|claim| &claim.owed).copied().collect()
    }

    /// Whether the ledger records a create with a welcome that no run is known to have sent.
    pub fn promises_welcome(&self, pipe: &Pipe) -> bool {
        let claims = self.claims.get(pipe);
        claims.is_some_and(|claims| claims.iter().any(|claim| claim.welcome))
    }

    /// Whether a welcome that a create promised must still be sent to this room.
    pub fn owes_welcome(&self, pipe: &Pipe, room: RoomId) -> bool {
        let last = self.unsettled(pipe).last();
        let is_meant = last.is_some_and(|last| last.room.is_none_or(|to| to == room));
        let owes = self
            .unsettled(pipe)
            .any(|claim| self.owes_its_welcome(claim));
        owes && is_meant && self.begun(room).is_none()
    }

    /// Whether two accounts of the ledger agree in everything that plans depend on.
    pub fn agrees(&self, other: &Self) -> bool {
        let pipes = self.claims.keys().chain(other.claims.keys());
        let runs = |account: &Self, pipe| -> Vec<String> {
            let open = account.open(pipe).into_iter();
            open.map(|claim| claim.run.clone()).collect()
        };
        let mut claims = pipes.map(|pipe| {
            self.owed(pipe) == other.owed(pipe)
                && self.owes(pipe) == other.owes(pipe)
                && runs(self, pipe) == runs(other, pipe)
        });
        let rooms = self.messages.keys().chain(other.messages.keys());
        let mut begun = rooms.map(|room| (self.begun(*room), other.begun(*room)));
        begun.all(|(own, its)| own == its)
            && claims.all(|agrees| agrees)
            && self.rooms == other.rooms
            && self.ids == other.ids
    }

    /// Whether members or a welcome are still to be sent after the creates of a pipe.
    pub fn owes(&self, pipe: &Pipe) -> bool {
        self.unsettled(pipe).next().is_some()
    }
}

fn time(stamp: &Stamp) -> Time {
    Time(stamp.time.parse::<Timestamp>().unwrap().as_millisecond())
}
