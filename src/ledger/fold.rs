//! Combines entries into the recorded state. Neither the order of the lines nor duplicate lines
//! change the result.
//!
//! Each recorded value is set by the latest entry about it, so the order in which ledgers are
//! merged does not matter either. [`compact`](super::compact()) may drop an entry if later entries
//! set all the values that it sets.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::entry::{Entries, Fact, PipeFact, RoomFact, Stage, Stamp, parse_time};
use crate::model::{
    Field, FieldValue, OpenCreate, Owed, PendingField, Pipe, Recorded, RecordedRoom, Release,
    RoomId, RoomState, Sending, Shown, Time, UserId, UserSet,
};

/// Combines entries into the recorded state, in the order of their stamps.
pub fn fold(entries: &Entries) -> Recorded {
    fold_owned(entries.clone())
}

pub(super) fn fold_owned(entries: Entries) -> Recorded {
    let forgotten: BTreeMap<Pipe, Stamp> = forgotten(&entries)
        .into_iter()
        .map(|(pipe, until)| (pipe.clone(), until.clone()))
        .collect();
    let mut folding = Folding::default();
    let mut last_time = Arc::default();
    for (stamp, fact) in entries {
        // Entries that were written together have the same time.
        if stamp.time != last_time {
            folding.time = parse_time(&stamp.time).unwrap_or_default();
            last_time = Arc::clone(&stamp.time);
        }
        let until = fact.pipe().and_then(|pipe| forgotten.get(pipe));
        if until.is_none_or(|until| *until < stamp) {
            folding.apply(&stamp, fact);
        }
    }
    folding.finish()
}

/// Returns for each forgotten pipe when it was last forgotten. Earlier entries of the pipe are
/// ignored.
fn forgotten(entries: &Entries) -> BTreeMap<&Pipe, &Stamp> {
    let mut until = BTreeMap::new();
    for (stamp, fact) in entries {
        if let Fact::Pipe(pipe, PipeFact::Forgotten) = fact {
            until.insert(pipe, stamp);
        }
    }
    until
}

#[derive(Default)]
struct Folding {
    recorded: Recorded,
    /// The time of the current entry, or the start of 1970 if it cannot be parsed.
    time: Time,
    /// The last confirmed write to each room.
    last_writes: BTreeMap<RoomId, LastWrite>,
    /// Pipes with their room ids, in stamp order. The last id of a pipe wins.
    ids: Vec<(Pipe, RoomId)>,
    /// The creates of each pipe, in the order of the stamps.
    intents: HashMap<Pipe, Vec<Intent>>,
    /// The stage of the message that each run sends to each room.
    messages: BTreeMap<(RoomId, Arc<str>), Stage>,
}

/// A create, and what must still be sent to its room.
struct Intent {
    run: Arc<str>,
    since: Time,
    members: UserSet,
    welcome: bool,
    /// The room that has the pipe, once it is known.
    room: Option<RoomId>,
}

/// What the run that wrote to a room saw afterwards. Only what this run saw counts, because other
/// runs may have read the list earlier.
struct LastWrite {
    run: Arc<str>,
    /// The fields for which the run saw a value other than the one that it had sent.
    shown: BTreeMap<Field, FieldValue>,
    /// Whether the run read the list after its write.
    seen: bool,
}

impl Folding {
    fn apply(&mut self, stamp: &Stamp, fact: Fact) {
        match fact {
            Fact::Pipe(pipe, PipeFact::Intent { members, welcome }) => {
                let intent = Intent {
                    run: Arc::clone(&stamp.run),
                    since: self.time,
                    members: members.into(),
                    welcome,
                    room: None,
                };
                let intents = self.intents.entry(pipe);
                // A pipe rarely has more than one create.
                let intents = intents.or_insert_with(|| Vec::with_capacity(1));
                intents.push(intent);
            }
            Fact::Pipe(pipe, PipeFact::NotCreated(of_run)) => {
                let run = of_run.as_deref().unwrap_or(&stamp.run);
                if let Some(intents) = self.intents.get_mut(&pipe) {
                    intents.retain(|intent| *intent.run != *run);
                }
            }
            Fact::Pipe(pipe, PipeFact::Declared(declared)) => {
                if declared {
                    self.recorded.left.remove(&pipe);
                } else {
                    let (since, run) = (self.time, Arc::clone(&stamp.run));
                    self.recorded.left.insert(pipe, Release { since, run });
                }
            }
            Fact::Roster { source, given } => {
                self.recorded.rosters.insert(source, given);
            }
            Fact::Room(pipe, room, fact) => self.apply_to_room(stamp, pipe, room, fact),
            Fact::Pipe(_, PipeFact::Forgotten) => {}
        }
    }

    fn apply_to_room(&mut self, stamp: &Stamp, pipe: Pipe, room: RoomId, fact: RoomFact) {
        match fact {
            RoomFact::Confirmed {
                members,
                sent,
                kept,
                created,
                source: _,
            } => {
                self.settle_intents(&pipe, room, &members);
                let known = self.recorded.rooms.entry(room).or_default();
                forget_releases(known, &members);
                known.adopted.remove_all(&members);
                known.members.merge(members);
                // The server may now accept a value that it once ignored. The next list shows
                // whether it did.
                known
                    .shown
                    .retain(|field, shown| sent.value(*field) != shown.sent);
                known.pending.clear();
                known.confirmed_at = Some(self.time);
                known.sent = Some(sent);
                known.kept = kept;
                known.created |= created;
                known.pipe = Some(pipe.clone());
                let last = LastWrite {
                    run: Arc::clone(&stamp.run),
                    shown: BTreeMap::new(),
                    seen: false,
                };
                self.last_writes.insert(room, last);
                self.ids.push((pipe, room));
            }
            RoomFact::Adopted(members) => {
                self.settle_intents(&pipe, room, &members);
                let known = self.recorded.rooms.entry(room).or_default();
                forget_releases(known, &members);
                known.adopted.extend(members.iter().copied());
                known.members.merge(members);
                self.ids.push((pipe, room));
            }
            RoomFact::Released { members, taken_out } => {
                if !members.is_empty() {
                    let known = self.recorded.rooms.entry(room).or_default();
                    known.members.remove_all(&members);
                    known.adopted.remove_all(&members);
                    if taken_out {
                        forget_releases(known, &members);
                    } else {
                        let release = Release {
                            since: self.time,
                            run: Arc::clone(&stamp.run),
                        };
                        let released = members.into_iter().map(|user| (user, release.clone()));
                        known.released.extend(released);
                    }
                }
            }
            RoomFact::Pending {
                field,
                sent,
                shown,
                updated_at,
                since,
            } => {
                if let Some(last) = self.last_write(room, &stamp.run) {
                    last.shown.insert(field, shown.clone());
                }
                let pending = PendingField {
                    sent,
                    shown,
                    since: since.unwrap_or(self.time),
                    updated_at,
                };
                let known = self.recorded.rooms.entry(room).or_default();
                known.pending.insert(field, pending);
            }
            RoomFact::Shown { field, sent, shown } => {
                let known = self.recorded.rooms.entry(room).or_default();
                let is_last = |state: &RoomState| state.value(field) == sent;
                match self.last_writes.get_mut(&room) {
                    Some(last) if last.run == stamp.run => {
                        last.shown.insert(field, shown.clone());
                    }
                    // Another run saw that the list shows the value of the last write. If the value
                    // differs later, someone else changed it.
                    Some(last) if sent == shown && known.sent.as_ref().is_some_and(is_last) => {
                        last.shown.remove(&field);
                    }
                    _ => {}
                }
                known.pending.remove(&field);
                if sent == shown {
                    known.shown.remove(&field);
                } else {
                    known.shown.insert(field, Shown { sent, shown });
                }
            }
            RoomFact::Seen => {
                if let Some(last) = self.last_write(room, &stamp.run) {
                    last.seen = true;
                }
            }
            RoomFact::Message { stage, .. } => {
                // A message is sent only if the list shows this room under the pipe, so this room
                // is the one that the create made.
                self.settle_intents(&pipe, room, &[]);
                if stage == Stage::Confirmed {
                    let intents = self.intents.get_mut(&pipe).into_iter().flatten();
                    intents.for_each(|intent| intent.welcome = false);
                }
                self.ids.push((pipe, room));
                let run = Arc::clone(&stamp.run);
                self.messages.insert((room, run), stage);
            }
            RoomFact::Counted { count, offset } => {
                let known = self.recorded.rooms.entry(room).or_default();
                (known.counted, known.offset) = (Some(count), offset);
            }
        }
    }

    /// Returns the last write to a room, if this run sent it.
    fn last_write(&mut self, room: RoomId, run: &Arc<str>) -> Option<&mut LastWrite> {
        let last = self.last_writes.get_mut(&room);
        last.filter(|last| last.run == *run)
    }

    /// Notes the room in the creates of its pipe, and removes the members that the room has
    /// received. Discards a create once nothing is left to send to its room.
    fn settle_intents(&mut self, pipe: &Pipe, room: RoomId, members: &[UserId]) {
        if let Some(intents) = self.intents.get_mut(pipe) {
            intents.retain_mut(|intent| {
                intent.room = Some(room);
                intent.members.remove_all(members);
                intent.welcome || !intent.members.is_empty()
            });
        }
    }

    fn finish(self) -> Recorded {
        let mut recorded = self.recorded;
        for ((room, _), stage) in self.messages {
            // The message is confirmed if any run got an answer. If no run did, but one may
            // have sent the message, the sending is `Uncertain`.
            let sending = match stage {
                Stage::Confirmed => Sending::Confirmed,
                Stage::Intended => Sending::Uncertain,
                Stage::Failed => continue,
            };
            let welcome = &mut recorded.rooms.entry(room).or_default().welcome;
            if *welcome != Some(Sending::Confirmed) {
                *welcome = Some(sending);
            }
        }
        recorded.ids = self.ids.into_iter().collect();
        for (room, last) in self.last_writes.into_iter().filter(|(_, last)| last.seen) {
            recorded.rooms.entry(room).or_default().seen = Some(last.shown);
        }
        for (pipe, mut intents) in self.intents {
            let open = open_creates(&intents);
            if !open.is_empty() {
                recorded.open.insert(pipe.clone(), open);
            }
            intents.retain_mut(|intent| {
                let is_begun = |room| recorded.has_begun_welcome(room);
                intent.welcome &= !intent.room.is_some_and(is_begun);
                intent.welcome || !intent.members.is_empty()
            });
            if let Some(last) = intents.last() {
                let members = intents.iter().flat_map(|intent| &intent.members);
                let owed = Owed {
                    room: last.room,
                    welcome: intents.iter().any(|intent| intent.welcome),
                    members: members.copied().collect(),
                };
                recorded.owed.insert(pipe, owed);
            }
        }
        recorded
    }
}

/// Discards the record that the manifest no longer declares these members. They are in the room
/// again, or it is certain that they are no longer in it.
fn forget_releases(room: &mut RecordedRoom, members: &[UserId]) {
    if room.released.is_empty() {
        return;
    }
    for user in members {
        room.released.remove(user);
    }
}

/// Returns the creates that are neither confirmed nor known to have failed: at most one for each
/// run, the earliest first.
fn open_creates(intents: &[Intent]) -> Vec<OpenCreate> {
    let mut open: Vec<OpenCreate> = Vec::new();
    for intent in intents.iter().filter(|intent| intent.room.is_none()) {
        open.retain(|other| *other.run != *intent.run);
        open.push(OpenCreate {
            run: intent.run.to_string(),
            since: intent.since,
        });
    }
    open
}
