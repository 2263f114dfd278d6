//! The comparison itself: one walk over the declared rooms, each against the live rows and the record of its pipe.

use super::adopt::on_record;
use super::change::{Action, Change, FieldChange, Members, Plan};
use super::digest::Digest;
use super::drift::changed;
use super::limits::{self, Allow};
use super::remarks::{ByHand, Conflict, ConflictKind, IgnoredField, Note};
use super::rename::likely_renames;
use super::select::Selection;
use super::standing::{Standing, left, settled};
use super::walk::{Ahead, without};
use crate::model::{
    Desired, DesiredRoom, Field, FieldSet, LiveRoom, MembersPolicy, Observed, Pipe, Recorded,
    RecordedRoom, RoomId, RoomState, Sending, Target, UserId, UserSet, Welcome,
};

/// What the command line says about a plan.
#[derive(Debug, Clone, Default)]
pub struct Switches {
    /// Which rooms it is about.
    pub only: Selection,
    /// What is allowed beyond the manifest's limits.
    pub allow: Allow,
    /// Send fields again that the server ignored.
    pub resend: bool,
    /// Take declared members of existing rooms for present.
    pub assume_members: bool,
}

/// The plan that makes the target look like the manifest. Equal input gives an equal plan.
///
/// Of a part of the rooms (`--shard`) it says and does what is in the part, but what guards against the plan judges all parts
/// together: what no machine may do on its own, several must not do between them.
pub fn plan(
    target: &Target,
    desired: &Desired,
    observed: &Observed,
    recorded: &Recorded,
    switches: &Switches,
) -> Plan {
    let of = |only: &Selection| {
        let mut diff = Diff {
            desired,
            observed,
            recorded,
            switches,
            ids: Ahead::new(&recorded.ids),
            plan: Plan::empty(target),
        };
        let chosen = desired.rooms.values();
        for room in chosen.filter(|room| only.contains(&room.pipe)) {
            diff.room(room);
        }
        diff
    };
    let only = &switches.only;
    let all = only.shard().map(|_| of(&only.of_all_shards()).plan);
    of(only).finish(all.as_ref())
}

/// Whether users are exactly a room's declared members, as they nearly always are.
fn is_just(room: &DesiredRoom, users: &UserSet) -> bool {
    let declared = room.members.iter().map(|member| &member.user);
    users.len() == room.members.len() && users.iter().eq(declared)
}

struct Diff<'a> {
    desired: &'a Desired,
    observed: &'a Observed,
    recorded: &'a Recorded,
    switches: &'a Switches,
    /// The ids on record, in step with the declared rooms.
    ids: Ahead<'a, Pipe, RoomId>,
    plan: Plan,
}

impl Diff<'_> {
    fn room(&mut self, room: &DesiredRoom) {
        let id = self.ids.get(&room.pipe).copied();
        let mut live = self.observed.live(&room.pipe);
        match (live.next(), live.next()) {
            // A room with the pipe that is not the one on record does not show that the other is gone.
            (live, None)
                if self.observed.is_partial
                    && live.is_none_or(|live| id.is_some_and(|id| id != live.id)) =>
            {
                self.conflict(room, ConflictKind::NotListed(id));
            }
            (None, _) => self.absent(room, id),
            (Some(live), None) => self.present(room, live, id),
            (Some(_), Some(_)) => {
                let several = self.observed.live(&room.pipe).map(|row| row.id);
                self.conflict(room, ConflictKind::Several(several.collect()));
            }
        }
    }

    /// A room that the list does not show; `id` is the one on record.
    fn absent(&mut self, room: &DesiredRoom, id: Option<RoomId>) {
        let deleted: Vec<_> = self
            .observed
            .deleted(&room.pipe)
            .map(|row| row.id)
            .collect();
        let obstacle = match id {
            Some(id) if !deleted.contains(&id) => Some(ConflictKind::Vanished(id)),
            _ if !deleted.is_empty() => Some(ConflictKind::Deleted(deleted)),
            _ => None,
        };
        let recreate = obstacle.is_some();
        match obstacle {
            Some(obstacle) if !self.switches.allow.recreate => self.conflict(room, obstacle),
            _ => {
                let new = room.members.iter().map(|member| member.user).collect();
                let members = Members {
                    new,
                    ..Members::default()
                };
                let send = (room.state.clone(), FieldSet::default());
                self.change(room, Action::Create, send, members, recreate);
            }
        }
    }

    /// A room that the list shows; `id` is the one on record.
    fn present(&mut self, room: &DesiredRoom, live: &LiveRoom, id: Option<RoomId>) {
        let nothing = RecordedRoom::default();
        let known = self.recorded.rooms.get(&live.id);
        let record = known.unwrap_or(&nothing);
        if let Some(id) = id.filter(|id| *id != live.id) {
            let note = Note::MadeAnew {
                pipe: room.pipe.clone(),
                recorded: id,
                live: live.id,
            };
            self.plan.notes.push(note);
        }
        if record.welcome == Some(Sending::InDoubt) && room.welcome.is_some() {
            let (pipe, room) = (room.pipe.clone(), live.id);
            self.plan.notes.push(Note::WelcomeInDoubt { pipe, room });
        }
        self.by_hand(room, live, record);
        let members = self.members(room, known);
        let (mut fields, mut kept, mut as_it_is) =
            (Vec::new(), FieldSet::default(), FieldSet::default());
        for field in Field::ALL {
            let settled = live.state.is_same(field, &room.state) || room.ignore.contains(field);
            if !settled && let Some(ignored) = self.ignored_field(room, live, record, field) {
                self.plan.ignored.push(ignored);
                kept.insert(field);
            }
            if settled || kept.contains(field) {
                as_it_is.insert(field);
            } else {
                let (before, after) = (live.state.value(field), room.state.value(field));
                let changed = changed(&room.pipe, field, &before, &after, record);
                fields.push(FieldChange {
                    field,
                    before,
                    after,
                    changed,
                });
            }
        }
        let welcome = self.welcome(room, live.id).is_some();
        if fields.is_empty() && members.count() == 0 && !welcome {
            self.plan.summary.unchanged += 1;
            return;
        }
        let mut send = room.state.clone();
        for field in as_it_is.iter() {
            // Every field goes with every write; one that is not to change goes as it is, raw.
            send.copy_field(field, &live.state);
        }
        let id = live.id;
        let action = Action::Update { id, fields };
        self.change(room, action, (send, kept), members, false);
    }

    /// The welcome of a room that is there: only if we made it, and it waits for it.
    fn welcome(&self, room: &DesiredRoom, id: RoomId) -> Option<Welcome> {
        let owed = self.recorded.owes_welcome(&room.pipe, id);
        room.welcome.clone().filter(|_| owed)
    }

    /// The difference, if it is one that the server already ignored; it is reported instead of sent.
    fn ignored_field(
        &self,
        room: &DesiredRoom,
        live: &LiveRoom,
        record: &RecordedRoom,
        field: Field,
    ) -> Option<IgnoredField> {
        let shown = record.shown.get(&field).filter(|_| !self.switches.resend)?;
        // A later write of a third value, by whatever run, was another attempt: this difference is a new one.
        let last = record.sent.as_ref().map(|sent| sent.value(field));
        let same = shown.sent == room.state.value(field)
            && shown.shown == live.state.value(field)
            && last.is_none_or(|last| last == shown.sent || last == shown.shown);
        same.then(|| IgnoredField {
            pipe: room.pipe.clone(),
            field,
            sent: shown.sent.clone(),
            shown: shown.shown.clone(),
        })
    }

    fn members(&mut self, room: &DesiredRoom, known: Option<&RecordedRoom>) -> Members {
        let declared = || room.members.iter().map(|member| member.user);
        let owed = self.recorded.owed.get(&room.pipe);
        let is_owed = |user: &UserId| owed.is_some_and(|owed| owed.members.contains(user));
        if known.is_some_and(|known| is_just(room, &known.members)) {
            return Members {
                recorded: room.members.len(),
                ..Members::default()
            };
        }
        let on_record = known.iter().flat_map(|known| known.members.iter().copied());
        let mut missing: Vec<UserId> = without(declared(), on_record).collect();
        let recorded = room.members.len() - missing.len();
        if room.policy == MembersPolicy::OnCreate {
            missing.retain(is_owed);
        }
        if self.switches.assume_members && known.is_none() && owed.is_none() {
            self.assume(missing.len());
            return Members {
                recorded,
                ..Members::default()
            };
        }
        match known {
            None if owed.is_none() => Members {
                unverified: missing,
                recorded,
                new: Vec::new(),
            },
            _ => Members {
                new: missing,
                recorded,
                unverified: Vec::new(),
            },
        }
    }

    fn assume(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        let place = self
            .plan
            .notes
            .iter()
            .position(|note| matches!(note, Note::Assumed(_)));
        let index = place.unwrap_or(self.plan.notes.len());
        if place.is_none() {
            self.plan
                .notes
                .push(Note::Assumed(super::Unverified::default()));
        }
        if let Some(Note::Assumed(assumed)) = self.plan.notes.get_mut(index) {
            assumed.rooms += 1;
            assumed.members += count;
        }
    }

    fn by_hand(&mut self, room: &DesiredRoom, live: &LiveRoom, record: &RecordedRoom) {
        let gone = |users: &UserSet| -> Vec<UserId> {
            if users.is_empty() || is_just(room, users) {
                return Vec::new();
            }
            let declared = room.members.iter().map(|member| member.user);
            without(users.iter().copied(), declared).collect()
        };
        let (left, released) = (gone(&record.members), gone(&record.released));
        if !left.is_empty() || !released.is_empty() {
            self.plan.by_hand.push(ByHand {
                pipe: room.pipe.clone(),
                id: live.id,
                left,
                released,
            });
        }
    }

    fn conflict(&mut self, room: &DesiredRoom, kind: ConflictKind) {
        let file = self.desired.file_name(room.place);
        self.plan.conflicts.push(Conflict {
            pipe: room.pipe.clone(),
            file,
            line: room.place.line,
            kind,
        });
    }

    fn change(
        &mut self,
        room: &DesiredRoom,
        action: Action,
        (send, kept): (RoomState, FieldSet),
        members: Members,
        recreate: bool,
    ) {
        let file = self.desired.file_name(room.place);
        let welcome = match &action {
            Action::Create => room.welcome.clone(),
            Action::Update { id, .. } => self.welcome(room, *id),
        };
        let change = Change {
            pipe: room.pipe.clone(),
            file,
            line: room.place.line,
            action,
            send,
            kept,
            members,
            welcome,
            recreate,
            digest: Digest::of(self.observed, &room.pipe),
        };
        self.plan.push(change);
    }

    /// Adds what concerns the plan as a whole; `all` is what all parts do, where this is a part.
    fn finish(mut self, all: Option<&Plan>) -> Plan {
        let only = &self.switches.only;
        let declared = self.desired.rooms.len();
        let plan = &mut self.plan;
        plan.summary.declared = declared;
        plan.summary.unmanaged = self.observed.unmanaged;
        let (mut matched, mut chosen) = (declared, declared);
        if !only.is_all() {
            let pipes = self.desired.rooms.keys();
            matched = pipes.clone().filter(|pipe| only.is_matched(pipe)).count();
            chosen = pipes.filter(|pipe| only.contains(pipe)).count();
        }
        let chosen_pairs = self.observed.look_alikes.iter();
        let mut pairs: Vec<_> = chosen_pairs
            .filter(|(pipe, _)| only.contains(pipe))
            .cloned()
            .collect();
        pairs.sort();
        let pairs = pairs.into_iter();
        plan.notes
            .extend(pairs.map(|(pipe, live)| Note::LooksLike { pipe, live }));
        let adopted = on_record(self.desired, self.observed, self.recorded, only);
        plan.notes.extend(adopted);
        if matched < declared {
            plan.notes.push(Note::LeftOut {
                rooms: declared - matched,
                flags: only.flags(),
            });
        }
        if let (Some(shard), rooms @ 1..) = (only.shard(), matched - chosen) {
            plan.notes.push(Note::OtherShards { shard, rooms });
        }
        let (desired, recorded) = (self.desired, self.recorded);
        let undeclared: Vec<&Pipe> = without(recorded.ids.keys(), desired.rooms.keys()).collect();
        let left = left(&undeclared, recorded);
        let given = desired.given();
        let here = desired.rooms.keys().filter(|pipe| only.contains(pipe));
        let settled = settled(here, self.observed, recorded);
        plan.standing = Standing::of(desired, &given, recorded, &left, settled, only);
        if only.of_all_shards().is_all() {
            let undeclared = undeclared.into_iter();
            plan.undeclared = undeclared
                .filter(|pipe| only.contains(pipe))
                .cloned()
                .collect();
            plan.notes
                .extend(likely_renames(&plan.changes, &left, recorded));
        }
        let whole = all.unwrap_or(plan);
        plan.guards = limits::guards(whole, desired, &given, recorded, &left, only.shard());
        plan.allow(&self.switches.allow);
        self.plan
    }
}
