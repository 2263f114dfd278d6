//! The JSON form of a plan, and of the member counts in it.

use std::collections::BTreeMap;

use super::change::{ChangeDocument, ValueDocument, users, value};
use super::todo::OpenStepDocument;
use super::{DiagnosticDocument, Documents, Header, TargetDocument};
use crate::error::Exit;
use crate::model::{CountGap, CountResult, MemberCounts, RoomCount, Size};
use crate::plan::{
    Change, Conflict, ConflictKind, ManualSteps, MemberTally, Note, Plan, ShownField, Summary,
    Violation,
};
use crate::view::{self, Text};

define_documents! {
    /// What a run would do, what it cannot do, and what is unknown.
    #[schemars(title = "roomform plan")]
    pub struct PlanDocument<'a>(
        plan @ Plan {
            target, today, names: known, changes, conflicts, manual_steps, undeclared, left_rooms: _, overdue,
            ignored, notes, baseline: _, guards: _, refusals, summary, counts,
        }: &'a Plan,
        ledger: Option<String>,
        exit: Exit,
        diagnostics: Vec<DiagnosticDocument>
    ) {
        #[serde(flatten)]
        header: Header = Header::new("plan", exit),
        target: TargetDocument = TargetDocument::new(target),
        /// The day that counts as today for the dates in the manifest.
        today: String = today.to_string(),
        /// The ledger of the run; null if its path is absolute. `apply PLAN_FILE` refuses any other
        /// ledger.
        ledger: Option<String> = ledger,
        summary: SummaryDocument = SummaryDocument::new(plan, summary),
        /// The rooms to write, sorted by pipe.
        #[schemars(with = "Vec<ChangeDocument>")]
        changes: Documents<&'a [Change], ChangeDocument> = Documents(changes, ChangeDocument::new),
        /// The rooms that are not written until a person resolves a conflict.
        conflicts: Vec<ConflictDocument> = conflicts.iter().map(ConflictDocument::new).collect(),
        /// The members who are no longer in the manifest or are now excluded. The API cannot remove
        /// them.
        manual_steps: Vec<ManualStepsDocument> = {
            manual_steps.iter().map(ManualStepsDocument::new).collect()
        },
        /// The rooms on record that are no longer in the manifest.
        undeclared: Vec<String> = undeclared.iter().map(ToString::to_string).collect(),
        /// The number of overdue manual steps: those that have been open for at least the
        /// number of days given with `--fail-on-overdue`. Absent if there are none.
        overdue_steps: Option<usize> =? overdue.as_ref().map(|overdue| overdue.steps),
        /// The fields whose sent value the server ignored.
        ignored_by_server: Vec<IgnoredDocument> = {
            ignored.iter().map(IgnoredDocument::new).collect()
        },
        notes: Vec<NoteDocument> = notes.iter().map(NoteDocument::new).collect(),
        /// Why `apply` would be refused.
        refusals: Vec<RefusalDocument> = self::refusals(refusals, view::refusal),
        /// How many members the rooms have, if they were counted.
        counts: Option<CountsDocument> =? counts.as_ref().map(CountsDocument::new),
        /// The names of users in this document, by id. Users without a known name are omitted.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        #[schemars(default)]
        names: BTreeMap<u64, String> = super::names(super::named_users(changes, manual_steps), known),
        /// Warnings about the manifest.
        diagnostics: Vec<DiagnosticDocument> = diagnostics,
    }

    struct SummaryDocument(plan: &Plan, summary: &Summary) {
        create: usize = summary.create,
        /// The number of rooms that are created public.
        create_public: usize = summary.create_public,
        /// The number of rooms with a changed title, type or visibility.
        update: usize = summary.update,
        /// The number of rooms with a field that was changed outside roomform since the last
        /// recorded write.
        changed_outside: usize = summary.changed_outside,
        /// The number of closed rooms that become public.
        publish: usize = summary.publish,
        /// The number of rooms that only gain members.
        add_members_only: usize = summary.add_only,
        /// The number of rooms whose only change is that unknown members are sent again.
        resend_only: usize = summary.resend_only,
        /// The number of rooms that get only a welcome message that an earlier run did not send.
        welcome_only: usize = summary.welcome_only,
        members_to_add: usize = summary.members,
        /// The number of members to send again, because the ledger has no record of their room.
        members_unknown: usize = summary.unknown.members,
        messages_to_send: usize = summary.messages,
        unchanged: usize = summary.unchanged,
        unmanaged: usize = summary.unmanaged,
        declared: usize = summary.declared,
        conflicts: usize = plan.conflicts.len(),
        /// The number of counted rooms that have, or may have, fewer members than are on
        /// record.
        fewer_members: Option<usize> =? plan.counts.as_ref().map(MemberCounts::short),
        requests: RequestsDocument = RequestsDocument::new(plan),
    }

    struct RequestsDocument(plan: &Plan) {
        list: usize = 1,
        write: usize = plan.summary.writes,
        verify: usize = plan.verifies(),
        /// The number of calls that send messages.
        send: usize = plan.summary.messages,
    }

    struct ConflictDocument(conflict: &Conflict) {
        pipe: String = conflict.pipe.to_string(),
        file: String = conflict.file.to_string(),
        line: u32 = conflict.line,
        /// `several` (more than one room has this pipe), `deleted`, `vanished` (missing from a
        /// complete list) or `not_listed` (missing from a list that may be incomplete).
        kind: &'static str = match &conflict.kind {
            ConflictKind::Several(_) => "several",
            ConflictKind::Deleted(_) => "deleted",
            ConflictKind::Vanished(_) => "vanished",
            ConflictKind::NotListed(_) => "not_listed",
        },
        room_ids: Vec<u64> = match &conflict.kind {
            ConflictKind::Several(ids) | ConflictKind::Deleted(ids) => ids.as_slice(),
            ConflictKind::Vanished(id) => std::slice::from_ref(id),
            ConflictKind::NotListed(id) => id.as_slice(),
        }.iter().map(|id| id.0).collect(),
    }

    struct ManualStepsDocument(room: &ManualSteps) {
        pipe: String = room.pipe.to_string(),
        room_id: u64 = room.id.0,
        /// The members who left the manifest or were excluded since the last apply.
        newly_removed: Vec<u64> = users(&room.newly_removed),
        /// The members who left the manifest or were excluded before the last apply, and whose
        /// manual step is still open.
        previously_removed: Vec<OpenStepDocument> = {
            room.previously_removed.iter().map(OpenStepDocument::new).collect()
        },
    }

    struct IgnoredDocument(field: &ShownField) {
        pipe: String = field.pipe.to_string(),
        field: &'static str = field.field.name(),
        sent: ValueDocument = value(&field.sent),
        shown: ValueDocument = value(&field.shown),
    }

    pub(super) struct RefusalDocument(
        (limit, count, allowed, source): (&'static str, u64, u64, Option<String>),
        message: &Text<'_>
    ) {
        /// The key under `limits`; or `recreate`, `mass_change` or `roster`. `roster` means that a file with rows supplies too few rooms or members.
        limit: &'static str = limit,
        count: u64 = count,
        /// The maximum; for `roster`, the minimum.
        allowed: u64 = allowed,
        /// The name of the file, for `roster`.
        source: Option<String> =? source,
        /// The reason for the refusal, and the flag or key that would allow the plan.
        message: String = message.quoted(),
    }

    /// The number of memberships, and of the rooms that they are in.
    pub(super) struct MembershipsDocument(counted: &MemberTally) {
        rooms: usize = counted.rooms,
        members: usize = counted.members,
    }
}

define_variants! {
    #[serde(tag = "note", rename_all = "snake_case")]
    pub(super) enum NoteDocument(&Note) {
        Note::Recreated { pipe, recorded, live } => Recreated {
            pipe: String = pipe.to_string(),
            recorded: u64 = recorded.0,
            live: u64 = live.0,
        },
        Note::Renamed { from, to, same_title } => Renamed {
            from: String = from.to_string(),
            to: String = to.to_string(),
            same_title: bool = *same_title,
        },
        Note::WelcomeUncertain { pipe, room } => WelcomeUncertain {
            pipe: String = pipe.to_string(),
            room_id: u64 = room.0,
        },
        /// A field's value was sent before, but the list does not show it yet. The value is
        /// sent again.
        Note::Pending { pipe, field, was } => Pending {
            pipe: String = pipe.to_string(),
            field: &'static str = field.name(),
            sent: ValueDocument = value(&was.sent),
            shown: ValueDocument = value(&was.shown),
            /// When a run last saw the value of `shown` in the list (UTC).
            since: String = was.since.to_string(),
        },
        Note::LooksLike { pipe, live } => LooksLike {
            pipe: String = pipe.to_string(),
            live: String = live.to_string(),
        },
        Note::Assumed(counted) => AssumedMembers(
            MembershipsDocument = MembershipsDocument::new(counted)
        ),
        /// Declared members that were adopted: recorded, but never confirmed by the server.
        Note::Adopted(counted) => AdoptedMembers(
            MembershipsDocument = MembershipsDocument::new(counted)
        ),
        /// Memberships that end within 14 days.
        Note::Ending(counted) => EndingMembers(
            MembershipsDocument = MembershipsDocument::new(counted)
        ),
        /// Declared members that `members_policy: on_create` does not send to existing rooms.
        Note::NotSent(counted) => MembersNotSent(
            MembershipsDocument = MembershipsDocument::new(counted)
        ),
        /// Entries of `limits.publish` whose rooms are all public already.
        Note::AlreadyPublic(entries) => AlreadyPublic {
            entries: Vec<String> = entries.clone(),
        },
        Note::LeftOut { rooms, .. } => LeftOut {
            rooms: usize = *rooms,
        },
        /// The plan covers one shard of the rooms, such as `0/8`. `rooms` is the number of
        /// rooms in the other shards.
        Note::OtherShards { shard, rooms } => OtherShards {
            shard: String = shard.to_string(),
            rooms: usize = *rooms,
        },
    }
}

pub(super) fn refusals(
    violations: &[Violation],
    describe: fn(&Violation) -> Text<'_>,
) -> Vec<RefusalDocument> {
    let violations = violations.iter();
    violations.map(|it| refusal(it, &describe(it))).collect()
}

fn refusal(refusal: &Violation, message: &Text<'_>) -> RefusalDocument {
    let refused = match refusal {
        Violation::Limit {
            kind,
            count,
            allowed,
            ..
        } => (kind.name(), *count, *allowed, None),
        Violation::Publish { count, .. } => ("publish", *count, 0, None),
        Violation::Recreate { count, .. } => ("recreate", *count, 0, None),
        Violation::MassChange {
            created,
            left,
            known,
        } => ("mass_change", *created.min(left), known / 2, None),
        Violation::Shrunk {
            source,
            now,
            before,
        } => ("roster", *now, before.div_ceil(2), Some(source.to_string())),
    };
    RefusalDocument::new(refused, message)
}

define_documents! {
    /// What the server reported about the number of members in rooms.
    pub(super) struct CountsDocument(counts: &MemberCounts) {
        /// How the server interprets the filter `count_users`: `exact`, `at_least`,
        /// `exact_or_at_least`, `ignored` or `unclear`.
        meaning: &'static str = counts.meaning.name(),
        /// Whether the server counts the writing user as a member of rooms that roomform created.
        counts_writing_user: bool = counts.offset == Some(1),
        requests: u64 = counts.requests,
        /// The total size of the rows that the server sent.
        bytes: u64 = counts.bytes,
        /// Number of rooms that have as many members as expected.
        equal: usize = counts.rooms.iter().filter(|room| room.result == CountResult::Equal).count(),
        /// The rooms whose number of members is unknown or differs from the expected number.
        rooms: Vec<RoomCountDocument> = counts.rooms.iter().filter_map(count_of_room).collect(),
    }

    struct RoomCountDocument(
        room: &RoomCount,
        (result, size, gap): (&'static str, Option<Size>, Option<CountGap>)
    ) {
        pipe: String = room.pipe.to_string(),
        room_id: u64 = room.room.0,
        /// The number of members on record who may be in the room. If the ledger has no record
        /// of the room, the number of declared members.
        expected: u64 = room.expected,
        /// Whether the ledger has a record of the room. Only such a room can make the plan pending.
        recorded: bool = room.is_recorded,
        /// `fewer`, `more`, `outside` (not in the range from `least` to `most`) or `unknown`.
        result: &'static str = result,
        /// The smallest possible number of members; for `outside`, the start of the range.
        least: Option<u64> =? size.map(|size| size.least),
        /// The largest possible number of members; for `outside`, the end of the range.
        most: Option<u64> =? size.and_then(|size| size.most),
        /// The number of expected members whose removal is still an open manual step.
        open_removals: Option<u64> =? Some(room.open_removals).filter(|removals| *removals > 0),
        /// Why the number of members is unknown: `budget`, `failed`, `changed`, `ignored`,
        /// `unclear`, `none_found` or `writer`.
        reason: Option<&'static str> =? gap.map(CountGap::name),
    }
}

fn count_of_room(room: &RoomCount) -> Option<RoomCountDocument> {
    let result = match room.result {
        CountResult::Equal => return None,
        CountResult::Fewer(size) => ("fewer", Some(size), None),
        CountResult::More(size) => ("more", Some(size), None),
        CountResult::Outside(size) => ("outside", Some(size), None),
        CountResult::Unknown(gap) => ("unknown", None, Some(gap)),
    };
    Some(RoomCountDocument::new(room, result))
}
