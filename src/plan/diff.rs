//! Compares each declared room with the live rows and the record of its pipe.

use std::sync::Arc;

use super::baseline::{Baseline, newly_counted, newly_left, settled};
use super::change::{Change, FieldChange, Members, Plan};
use super::digest::Digest;
use super::filter::{Inputs, PlanOptions, RoomFilter};
use super::findings::{Conflict, ConflictKind, MemberTally, Note, ShownField};
use super::manual_steps::{
    ManualSteps, is_exactly_declared, left_rooms, manual_steps, undeclared, without,
};
use super::publish::{Publish, PublishRules};
use super::rename::likely_renames;
use super::unseen::{Unseen, changed, unseen};
use crate::model::{
    CountResult, DesiredRoom, Field, FieldSet, FieldValue, LiveRoom, MembersPolicy, RecordedRoom,
    RoomId, RoomState, Sending, Target, UserId, UserNames, Welcome,
};

/// Computes the changes and findings of the selected rooms.
pub(super) fn diff(
    target: &Target,
    inputs: Inputs<'_>,
    options: &PlanOptions,
    only: &RoomFilter,
) -> Plan {
    let mut plan = Plan {
        target: target.clone(),
        today: inputs.desired.today,
        names: UserNames::clone(&inputs.desired.names),
        ..Plan::default()
    };
    let [mut assumed, mut not_sent, mut adopted, mut ending] = [MemberTally::default(); 4];
    let mut now_ignored = Vec::new();
    let diff = Diff {
        inputs,
        options,
        publish: PublishRules::new(inputs.desired, &options.allow.publish),
    };
    let chosen = inputs.desired.rooms.values();
    for room in chosen.filter(|room| only.contains(&room.pipe)) {
        let room_plan = diff.room(room);
        let is_unchanged = room_plan.change.is_none() && room_plan.conflict.is_none();
        plan.summary.unchanged += usize::from(is_unchanged);
        plan.conflicts.extend(room_plan.conflict);
        plan.manual_steps.extend(room_plan.manual_steps);
        plan.ignored.extend(room_plan.ignored);
        plan.notes.extend(room_plan.notes);
        now_ignored.extend(room_plan.now_ignored);
        assumed.add(room_plan.assumed);
        not_sent.add(room_plan.not_sent);
        adopted.add(room_plan.adopted);
        ending.add(room.ending);
        room_plan.change.into_iter().for_each(|it| plan.push(it));
    }
    plan.notes.extend(assumed.note(Note::Assumed));
    plan.notes.extend(not_sent.note(Note::NotSent));
    add_notes(&mut plan, inputs, only, &diff.publish, [adopted, ending]);
    plan.baseline.shown.extend(now_ignored);
    plan.baseline.counted = newly_counted(inputs.observed, inputs.recorded);
    plan.counts.clone_from(&inputs.observed.counts);
    plan
}

/// Adds notes about the plan as a whole.
fn add_notes(
    plan: &mut Plan,
    inputs: Inputs<'_>,
    only: &RoomFilter,
    publish: &PublishRules<'_>,
    [adopted, ending]: [MemberTally; 2],
) {
    let Inputs {
        desired,
        observed,
        recorded,
    } = inputs;
    let declared = desired.rooms.len();
    plan.summary.declared = declared;
    plan.summary.unmanaged = observed.unmanaged;
    let (mut matched, mut chosen) = (declared, declared);
    if !only.is_all() {
        let pipes = desired.rooms.keys();
        matched = pipes.clone().filter(|pipe| only.is_matched(pipe)).count();
        chosen = pipes.filter(|pipe| only.contains(pipe)).count();
    }
    let pairs = observed.look_alikes.iter();
    let mut pairs: Vec<_> = pairs.filter(|(pipe, _)| only.contains(pipe)).collect();
    pairs.sort();
    plan.notes
        .extend(pairs.into_iter().map(|(pipe, live)| Note::LooksLike {
            pipe: pipe.clone(),
            live: live.clone(),
        }));
    plan.notes.extend(adopted.note(Note::Adopted));
    plan.notes.extend(publish.already_public(inputs, only));
    plan.notes.extend(ending.note(Note::Ending));
    if matched < declared {
        plan.notes.push(Note::LeftOut {
            rooms: declared - matched,
            flags: only.flags(),
        });
    }
    if let (Some(shard), rooms @ 1..) = (only.shard(), matched - chosen) {
        plan.notes.push(Note::OtherShards { shard, rooms });
    }
    let all_undeclared = undeclared(desired, recorded);
    let left = newly_left(&all_undeclared, recorded);
    let here = desired.rooms.keys().filter(|pipe| only.contains(pipe));
    let settled = settled(here, observed, recorded);
    plan.baseline = Baseline::of(desired, recorded, &left, settled, only);
    if !only.has_globs() {
        let undeclared = all_undeclared
            .into_iter()
            .filter(|pipe| only.contains(pipe));
        plan.undeclared = undeclared.cloned().collect();
        let left_rooms = left_rooms(desired, recorded);
        plan.left_rooms = left_rooms
            .filter(|room| only.contains(&room.pipe))
            .collect();
        plan.notes
            .extend(likely_renames(&plan.changes, &left, recorded));
    }
}

#[derive(Default)]
struct RoomPlan {
    change: Option<Change>,
    conflict: Option<Conflict>,
    manual_steps: Option<ManualSteps>,
    ignored: Vec<ShownField>,
    /// Ignored fields that were pending until now.
    now_ignored: Vec<ShownField>,
    notes: Vec<Note>,
    /// Number of members that are assumed to be present, without a record.
    assumed: usize,
    /// Number of members that are not sent because of `members_policy: on_create`.
    not_sent: usize,
    /// Number of declared members that are on record only because they were adopted.
    adopted: usize,
}

struct Diff<'a> {
    inputs: Inputs<'a>,
    options: &'a PlanOptions,
    publish: PublishRules<'a>,
}

impl Diff<'_> {
    fn room(&self, room: &DesiredRoom) -> RoomPlan {
        let observed = self.inputs.observed;
        let id = self.inputs.recorded.ids.get(&room.pipe).copied();
        let mut live = observed.live(&room.pipe);
        match (live.next(), live.next()) {
            // In an incomplete list, a room with another id does not prove that the recorded room
            // is gone.
            (live, None)
                if observed.is_partial
                    && live.is_none_or(|live| id.is_some_and(|id| id != live.id)) =>
            {
                self.conflict(room, ConflictKind::NotListed(id))
            }
            (None, _) => self.absent(room, id),
            (Some(live), None) => self.present(room, live, id),
            (Some(_), Some(_)) => {
                let several = observed.live(&room.pipe).map(|row| row.id);
                self.conflict(room, ConflictKind::Several(several.collect()))
            }
        }
    }

    /// Plans a room that the list does not show; `id` is the recorded id.
    fn absent(&self, room: &DesiredRoom, id: Option<RoomId>) -> RoomPlan {
        let deleted = self.inputs.observed.deleted(&room.pipe);
        let deleted: Vec<_> = deleted.map(|row| row.id).collect();
        let obstacle = match id {
            Some(id) if !deleted.contains(&id) => Some(ConflictKind::Vanished(id)),
            _ if !deleted.is_empty() => Some(ConflictKind::Deleted(deleted)),
            _ => None,
        };
        let recreate = obstacle.is_some();
        if let Some(obstacle) = obstacle.filter(|_| !self.options.allow.recreate) {
            return self.conflict(room, obstacle);
        }
        let members = Members {
            new: Arc::clone(&room.members),
            ..Members::default()
        };
        let open = self.inputs.recorded.open.get(&room.pipe);
        let change = Change {
            recreate,
            replaces: id,
            uncertain_since: open.and_then(|open| Some(open.first()?.since)),
            welcome: room.welcome.clone(),
            ..self.change(room, room.state.clone(), members)
        };
        RoomPlan {
            change: Some(change),
            ..RoomPlan::default()
        }
    }

    /// Plans a room that the list shows; `id` is the recorded id.
    fn present(&self, room: &DesiredRoom, live: &LiveRoom, id: Option<RoomId>) -> RoomPlan {
        let nothing = RecordedRoom::default();
        let known = self.inputs.recorded.rooms.get(&live.id);
        let record = known.unwrap_or(&nothing);
        let mut plan = RoomPlan {
            manual_steps: manual_steps(self.inputs.desired, room, live.id, record),
            ..RoomPlan::default()
        };
        if let Some(id) = id.filter(|id| *id != live.id) {
            plan.notes.push(Note::Recreated {
                pipe: room.pipe.clone(),
                recorded: id,
                live: live.id,
            });
        }
        if record.welcome == Some(Sending::Uncertain) && room.welcome.is_some() {
            let (pipe, room) = (room.pipe.clone(), live.id);
            plan.notes.push(Note::WelcomeUncertain { pipe, room });
        }
        let mut members = self.members(room, known);
        plan.not_sent = room.members.len() - members.known - members.count();
        plan.adopted = members.adopted;
        let owed = self.inputs.recorded.owed.get(&room.pipe);
        let is_assumed = self.options.assume_members && self.count_agrees(room);
        if is_assumed && known.is_none() && owed.is_none() {
            plan.assumed = std::mem::take(&mut members.unknown).len();
        }
        let (mut fields, mut kept, mut as_it_is) =
            (Vec::new(), FieldSet::default(), FieldSet::default());
        for field in Field::ALL {
            let settled = live.state.is_same(field, &room.state) || room.ignore.contains(field);
            match unseen(room, live, record, field, self.inputs.observed.read_at) {
                _ if settled => {}
                Some(Unseen::Pending(was)) => plan.notes.push(Note::Pending {
                    pipe: room.pipe.clone(),
                    field,
                    was: was.clone(),
                }),
                Some(_) if self.options.resend_ignored => {}
                Some(Unseen::Ignored(ignored)) => {
                    plan.ignored.push(ignored);
                    kept.insert(field);
                }
                Some(Unseen::NowIgnored(ignored)) => {
                    plan.now_ignored.push(ignored.clone());
                    plan.ignored.push(ignored);
                    kept.insert(field);
                }
                None => {}
            }
            if settled || kept.contains(field) {
                as_it_is.insert(field);
            } else {
                let (before, after) = (live.state.value(field), room.state.value(field));
                let changed = changed(&room.pipe, field, &before, &after, record);
                let sent = record.sent.as_ref().map(|sent| sent.value(field));
                fields.push(FieldChange {
                    field,
                    was_sent: sent.as_ref() == Some(&after),
                    before,
                    after,
                    changed,
                });
            }
        }
        let welcome = self.welcome(room, live.id);
        if fields.is_empty() && members.count() == 0 && welcome.is_none() {
            return plan;
        }
        // Most changes have one field, but the first push allocates room for four.
        fields.shrink_to_fit();
        let mut send = room.state.clone();
        for field in as_it_is.iter() {
            // Every write sends every field. Unchanged fields are sent with their raw live value.
            send.copy_field(field, &live.state);
        }
        let publishes = |field: &FieldChange| field.after == FieldValue::Public(true);
        let publish = fields.iter().any(publishes).then(|| Publish {
            inside: known.map(|record| record.members.len() + record.released.len()),
            to_remove: known.map_or(0, |record| record.released.len())
                + plan
                    .manual_steps
                    .as_ref()
                    .map_or(0, |it| it.newly_removed.len()),
            permit: self.publish.permit(&room.pipe),
        });
        plan.change = Some(Change {
            room_id: Some(live.id),
            fields,
            welcome,
            publish,
            updated_at: live.updated_at.clone(),
            kept,
            ..self.change(room, send, members)
        });
        plan
    }

    /// Whether a room without a record has as many members as declared. Returns true if rooms were
    /// not counted.
    fn count_agrees(&self, room: &DesiredRoom) -> bool {
        let counts = self.inputs.observed.counts.as_ref();
        counts.is_none_or(|counts| {
            let counted = counts.room(&room.pipe);
            counted.is_some_and(|counted| counted.result == CountResult::Equal)
        })
    }

    /// Returns the welcome of an existing room, if roomform created the room and the welcome is pending.
    fn welcome(&self, room: &DesiredRoom, id: RoomId) -> Option<Welcome> {
        let owed = self.inputs.recorded.owes_welcome(&room.pipe, id);
        room.welcome.clone().filter(|_| owed)
    }

    fn members(&self, room: &DesiredRoom, record: Option<&RecordedRoom>) -> Members {
        let adopted = record.iter().flat_map(|record| record.adopted.iter());
        let adopted = adopted.filter(|user| room.has_member(**user)).count();
        if record.is_some_and(|record| is_exactly_declared(room, &record.members)) {
            return Members {
                known: room.members.len(),
                adopted,
                ..Members::default()
            };
        }
        let owed = self.inputs.recorded.owed.get(&room.pipe);
        let declared = room.members.iter().copied();
        let on_record = record
            .iter()
            .flat_map(|record| record.members.iter().copied());
        let mut missing: Vec<UserId> = without(declared, on_record).collect();
        let known = room.members.len() - missing.len();
        if room.policy == MembersPolicy::OnCreate {
            missing.retain(|user| owed.is_some_and(|owed| owed.members.contains(user)));
        }
        let missing = match missing.len() == room.members.len() {
            true => Arc::clone(&room.members),
            false => missing.into(),
        };
        let (new, unknown) = match (record, owed) {
            (None, None) => (Arc::default(), missing),
            _ => (missing, Arc::default()),
        };
        Members {
            new,
            unknown,
            known,
            adopted,
        }
    }

    fn conflict(&self, room: &DesiredRoom, kind: ConflictKind) -> RoomPlan {
        let conflict = Conflict {
            pipe: room.pipe.clone(),
            file: self.inputs.desired.file_name(room.place),
            line: room.place.line,
            kind,
        };
        RoomPlan {
            conflict: Some(conflict),
            ..RoomPlan::default()
        }
    }

    fn change(&self, room: &DesiredRoom, send: RoomState, members: Members) -> Change {
        Change {
            pipe: room.pipe.clone(),
            file: self.inputs.desired.file_name(room.place),
            line: room.place.line,
            room_id: None,
            fields: Vec::new(),
            send,
            kept: FieldSet::default(),
            members,
            welcome: None,
            recreate: false,
            publish: None,
            replaces: None,
            updated_at: None,
            uncertain_since: None,
            digest: Digest::of(self.inputs.observed, &room.pipe),
        }
    }
}
