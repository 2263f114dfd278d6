//! The JSON form of the comparison of two manifests.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::change::{ChangeDocument, ValueDocument, WelcomeDocument, users, value};
use super::plan::{NoteDocument, RefusalDocument, refusals};
use super::{DiagnosticDocument, Documents, Header};
use crate::error::Exit;
use crate::model::{Limit, Pipe, UserId};
use crate::plan::{
    Change, Difference, ManifestDiff, ManualSteps, People, Removed, RoomDifference, Summary,
};
use crate::view::{percent, would_be_refused};

define_documents! {
    /// The differences between two manifests, and what an apply of the second would do if the
    /// widget matched the first.
    #[schemars(title = "roomform diff")]
    pub struct DiffDocument<'a>(
        diff @ ManifestDiff { base, head, plan, removed, differences, people }: &'a ManifestDiff,
        exit: Exit,
        diagnostics: Vec<DiagnosticDocument>
    ) {
        #[serde(flatten)]
        header: Header = Header::new("diff", exit),
        /// The first manifest, as named on the command line.
        base: String = base.clone(),
        /// The second manifest, as named on the command line.
        head: String = head.clone(),
        /// Whether the manifests differ in more than the positions of their declarations.
        differ: bool = diff.differs(),
        summary: SummaryDocument = SummaryDocument::new(&plan.summary, removed.len()),
        people: PeopleDocument = PeopleDocument::new(people),
        /// The rooms that an apply would write, sorted by pipe. `members.known` counts the members
        /// in both manifests.
        #[schemars(with = "Vec<ChangeDocument>")]
        changes: Documents<&'a [Change], ChangeDocument> = Documents(&plan.changes, |change| {
            ChangeDocument::new(change).without_id()
        }),
        /// The members whom the second manifest removes or excludes. The API cannot remove them.
        manual_steps: Vec<RoomMembersDocument> = manual_steps(&plan.manual_steps),
        /// The rooms that only the first manifest declares. The API cannot delete them.
        removed: Vec<RemovedDocument> = removed.iter().map(RemovedDocument::new).collect(),
        /// The differences that an apply would not send.
        differences: Vec<DifferenceDocument> = {
            differences.iter().map(DifferenceDocument::new).collect()
        },
        notes: Vec<NoteDocument> = plan.notes.iter().map(NoteDocument::new).collect(),
        /// Why `plan` would refuse the second manifest, as far as the two manifests show.
        would_refuse: Vec<RefusalDocument> = refusals(&plan.refusals, would_be_refused),
        /// The names of users in this document, by id. Users without a known name are omitted.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        #[schemars(default)]
        names: BTreeMap<u64, String> = names(diff),
        /// Warnings about the second manifest.
        diagnostics: Vec<DiagnosticDocument> = diagnostics,
    }

    struct SummaryDocument(summary: &Summary, removed: usize) {
        create: usize = summary.create,
        /// The number of rooms that are created public.
        create_public: usize = summary.create_public,
        /// The number of rooms with a changed title, type or visibility.
        update: usize = summary.update,
        /// The number of closed rooms that become public.
        publish: usize = summary.publish,
        /// The number of rooms that only gain members.
        add_members_only: usize = summary.add_only,
        members_to_add: usize = summary.members,
        messages_to_send: usize = summary.messages,
        removed: usize = removed,
        /// The number of rooms that are the same in both manifests.
        unchanged: usize = summary.unchanged,
    }

    /// Each person is counted once, no matter how many rooms they join or leave.
    struct PeopleDocument(people: &People) {
        /// People who join a room.
        join: usize = people.join,
        /// Rooms that gain people.
        joined_rooms: usize = people.joined_rooms,
        /// People who are removed from a room that stays in the manifest.
        leave: usize = people.leave,
        /// Rooms that lose people.
        left_rooms: usize = people.left_rooms,
    }

    struct RoomMembersDocument(pipe: &Pipe, members: &[UserId]) {
        pipe: String = pipe.to_string(),
        members: Vec<u64> = users(members),
    }

    struct RemovedDocument(room: &Removed) {
        pipe: String = room.pipe.to_string(),
        /// The file that declares the room in the first manifest.
        file: String = room.file.to_string(),
        /// The line number, counted from 1.
        line: u32 = room.line,
        title: String = room.title.clone(),
        /// The number of members that the first manifest declares.
        members: usize = room.members,
    }
}

define_variants! {
    #[serde(tag = "difference", rename_all = "snake_case")]
    enum DifferenceDocument(&Difference) {
        Difference::Widget { before, after } => Widget {
            before: Option<u64> = before.map(|widget| widget.0),
            after: Option<u64> = after.map(|widget| widget.0),
        },
        Difference::Scope { before, after } => Scope {
            before: Vec<String> = before.clone(),
            after: Vec<String> = after.clone(),
        },
        /// The rooms that `limits.publish` allows to become public.
        Difference::Publish { before, after } => PublishLimit {
            before: Vec<String> = before.clone(),
            after: Vec<String> = after.clone(),
        },
        Difference::Limit { key, before, after } => Limit {
            limit: &'static str = key,
            before: Option<LimitDocument> = before.map(limit),
            after: Option<LimitDocument> = after.map(limit),
        },
        Difference::Room { pipe, what: RoomDifference::NotSent(who) } => MembersNotSent(
            RoomMembersDocument = RoomMembersDocument::new(pipe, who)
        ),
        Difference::Room { pipe, what: RoomDifference::Policy(after) } => MembersPolicy {
            pipe: String = pipe.to_string(),
            after: &'static str = after.name(),
        },
        Difference::Room {
            pipe,
            what: RoomDifference::Kept { field, before, after },
        } => FieldNotSent {
            pipe: String = pipe.to_string(),
            field: &'static str = field.name(),
            before: ValueDocument = value(before),
            after: ValueDocument = value(after),
        },
        Difference::Room { pipe, what: RoomDifference::Ignored(field) } => FieldIgnored {
            pipe: String = pipe.to_string(),
            field: &'static str = field.name(),
        },
        Difference::Room { pipe, what: RoomDifference::Managed(field, after) } => FieldManaged {
            pipe: String = pipe.to_string(),
            field: &'static str = field.name(),
            after: ValueDocument = value(after),
        },
        Difference::Room { pipe, what: RoomDifference::Welcome { before, after } } => Welcome {
            pipe: String = pipe.to_string(),
            before: Option<WelcomeDocument> = before.as_ref().map(WelcomeDocument::new),
            after: Option<WelcomeDocument> = after.as_ref().map(WelcomeDocument::new),
        },
        Difference::Room { pipe, what: RoomDifference::Excluded(who) } => Excluded(
            RoomMembersDocument = RoomMembersDocument::new(pipe, who)
        ),
        Difference::Room { pipe, what: RoomDifference::Readmitted(who) } => Readmitted(
            RoomMembersDocument = RoomMembersDocument::new(pipe, who)
        ),
    }
}

/// A number, or a percentage such as `10%`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum LimitDocument {
    Count(u64),
    Share(String),
}

fn manual_steps(rooms: &[ManualSteps]) -> Vec<RoomMembersDocument> {
    let rooms = rooms.iter();
    rooms
        .map(|it| RoomMembersDocument::new(&it.pipe, &it.newly_removed))
        .collect()
}

fn names(diff: &ManifestDiff) -> BTreeMap<u64, String> {
    let users_of_rooms = diff.differences.iter().flat_map(|it| match it {
        Difference::Room { what, .. } => what.users(),
        _ => &[],
    });
    let named = super::named_users(&diff.plan.changes, &diff.plan.manual_steps);
    super::names(named.chain(users_of_rooms.copied()), &diff.plan.names)
}

fn limit(limit: Limit) -> LimitDocument {
    match limit {
        Limit::Count(count) => LimitDocument::Count(count),
        Limit::Share(share) => LimitDocument::Share(percent(share)),
    }
}
