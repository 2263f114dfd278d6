//! The comparison of two manifests as a document.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::change::{ChangeDocument, ValueDocument, WelcomeDocument, users, value};
use super::plan::{NoteDocument, RefusalDocument, note, refusals};
use super::{DiagnosticDocument, Header};
use crate::error::Exit;
use crate::model::{Limit, MembersPolicy, Pipe, UserId};
use crate::plan::{
    Change, Difference, ManifestDiff, ManualSteps, People, Removed, RoomDifference, Summary,
};
use crate::view::names::named_users;
use crate::view::{percent, would_be_refused};

define_documents! {
    /// The differences between two manifests, and what an apply would do if the widget matched the first.
    #[schemars(title = "roomform diff")]
    pub struct DiffDocument(
        diff @ ManifestDiff {
            base, head, names: _, changes, manual_steps, removed, differences, notes, would_refuse,
            summary, people,
        }: &ManifestDiff,
        exit: Exit,
        diagnostics: Vec<DiagnosticDocument>
    ) {
        #[serde(flatten)]
        header: Header = Header::new("diff", exit),
        /// The first manifest, as named on the command line.
        base: String = base.clone(),
        /// The second manifest, as named on the command line.
        head: String = head.clone(),
        /// Whether they differ in more than source positions.
        differ: bool = diff.differs(),
        summary: SummaryDocument = SummaryDocument::new(summary, removed.len()),
        #[serde(with = "PeopleDocument")]
        people: People = *people,
        /// Rooms that would be written, by pipe. `members.known` counts the members that both manifests have.
        changes: Vec<ChangeDocument> = self::changes(changes),
        /// Members that were removed from the manifest or are now excluded. The API cannot remove them.
        manual_steps: Vec<RoomMembersDocument> = self::manual_steps(manual_steps),
        /// Rooms that were removed from the manifest. The API cannot delete them.
        removed: Vec<RemovedDocument> = removed.iter().map(RemovedDocument::new).collect(),
        /// Differences that cause no change.
        differences: Vec<DifferenceDocument> = differences.iter().map(difference).collect(),
        notes: Vec<NoteDocument> = notes.iter().map(note).collect(),
        /// Why `plan` would refuse the second manifest, as far as the manifests show.
        would_refuse: Vec<RefusalDocument> = refusals(would_refuse, would_be_refused),
        /// The known names of the users in this document, by id.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        #[schemars(default)]
        names: BTreeMap<u64, String> = names(diff),
        /// Warnings about the second manifest.
        diagnostics: Vec<DiagnosticDocument> = diagnostics,
    }

    struct SummaryDocument(summary: &Summary, removed: usize) {
        create: usize = summary.create,
        /// Rooms that are created public.
        create_public: usize = summary.create_public,
        /// Rooms with a changed title, type or publicity.
        update: usize = summary.update,
        /// Closed rooms that become public.
        publish: usize = summary.publish,
        /// Rooms that only gain members.
        add_members_only: usize = summary.add_only,
        members_to_add: usize = summary.members,
        messages_to_send: usize = summary.messages,
        removed: usize = removed,
        /// Rooms that are the same in both manifests.
        unchanged: usize = summary.unchanged,
    }

    struct RoomMembersDocument(pipe: &Pipe, members: &[UserId]) {
        pipe: String = pipe.to_string(),
        members: Vec<u64> = users(members),
    }

    struct RemovedDocument(room: &Removed) {
        pipe: String = room.pipe.to_string(),
        /// Where the first manifest declares it.
        file: String = room.file.to_string(),
        /// From 1.
        line: u32 = room.line,
        title: String = room.title.clone(),
        /// The number of members it had.
        members: usize = room.members,
    }
}

/// Each person is counted once, no matter how many rooms they join or leave.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(remote = "People")]
#[schemars(rename = "PeopleDocument")]
struct PeopleDocument {
    /// People who join a room.
    join: usize,
    /// Rooms that gain people.
    joined_rooms: usize,
    /// People who are removed from a room that remains.
    leave: usize,
    /// Rooms that lose people.
    left_rooms: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "difference", rename_all = "snake_case")]
enum DifferenceDocument {
    Widget {
        before: Option<u64>,
        after: Option<u64>,
    },
    Scope {
        before: Vec<String>,
        after: Vec<String>,
    },
    /// The rooms that may become public.
    PublishLimit {
        before: Vec<String>,
        after: Vec<String>,
    },
    Limit {
        limit: &'static str,
        before: Option<LimitDocument>,
        after: Option<LimitDocument>,
    },
    MembersNotSent(RoomMembersDocument),
    MembersPolicy {
        pipe: String,
        after: &'static str,
    },
    FieldNotSent {
        pipe: String,
        field: &'static str,
        before: ValueDocument,
        after: ValueDocument,
    },
    FieldIgnored {
        pipe: String,
        field: &'static str,
    },
    FieldManaged {
        pipe: String,
        field: &'static str,
        after: ValueDocument,
    },
    Welcome {
        pipe: String,
        before: Option<WelcomeDocument>,
        after: Option<WelcomeDocument>,
    },
    Excluded(RoomMembersDocument),
    Readmitted(RoomMembersDocument),
}

/// A number, or a share such as `10%`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum LimitDocument {
    Count(u64),
    Share(String),
}

fn changes(changes: &[Change]) -> Vec<ChangeDocument> {
    let changes = changes.iter().map(ChangeDocument::new);
    changes.map(ChangeDocument::without_id).collect()
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
    let named = named_users(&diff.changes, &diff.manual_steps);
    super::names(named.chain(users_of_rooms.copied()), &diff.names)
}

fn difference(difference: &Difference) -> DifferenceDocument {
    match difference {
        Difference::Widget { before, after } => DifferenceDocument::Widget {
            before: before.map(|widget| widget.0),
            after: after.map(|widget| widget.0),
        },
        Difference::Scope { before, after } => DifferenceDocument::Scope {
            before: before.clone(),
            after: after.clone(),
        },
        Difference::Publish { before, after } => DifferenceDocument::PublishLimit {
            before: before.clone(),
            after: after.clone(),
        },
        Difference::Limit { key, before, after } => DifferenceDocument::Limit {
            limit: key,
            before: before.map(limit),
            after: after.map(limit),
        },
        Difference::Room { pipe, what } => room(pipe, what),
    }
}

fn limit(limit: Limit) -> LimitDocument {
    match limit {
        Limit::Count(count) => LimitDocument::Count(count),
        Limit::Share(share) => LimitDocument::Share(percent(share)),
    }
}

fn room(pipe: &Pipe, what: &RoomDifference) -> DifferenceDocument {
    let room = pipe.to_string();
    match what {
        RoomDifference::NotSent(who) => {
            DifferenceDocument::MembersNotSent(RoomMembersDocument::new(pipe, who))
        }
        RoomDifference::Policy(after) => DifferenceDocument::MembersPolicy {
            pipe: room,
            after: match after {
                MembersPolicy::Ensure => "ensure",
                MembersPolicy::OnCreate => "on_create",
            },
        },
        RoomDifference::Kept {
            field,
            before,
            after,
        } => DifferenceDocument::FieldNotSent {
            pipe: room,
            field: field.name(),
            before: value(before),
            after: value(after),
        },
        RoomDifference::Ignored(field) => DifferenceDocument::FieldIgnored {
            pipe: room,
            field: field.name(),
        },
        RoomDifference::Managed(field, after) => DifferenceDocument::FieldManaged {
            pipe: room,
            field: field.name(),
            after: value(after),
        },
        RoomDifference::Welcome { before, after } => DifferenceDocument::Welcome {
            pipe: room,
            before: before.as_ref().map(WelcomeDocument::new),
            after: after.as_ref().map(WelcomeDocument::new),
        },
        RoomDifference::Excluded(who) => {
            DifferenceDocument::Excluded(RoomMembersDocument::new(pipe, who))
        }
        RoomDifference::Readmitted(who) => {
            DifferenceDocument::Readmitted(RoomMembersDocument::new(pipe, who))
        }
    }
}
