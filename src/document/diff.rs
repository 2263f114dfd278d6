//! The comparison of two manifests as a document.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::change::{ChangeDocument, ValueDocument, WelcomeDocument, users, value, welcome};
use super::plan::{NoteDocument, RefusalDocument, note, refusal};
use super::{DiagnosticDocument, Header};
use crate::error::Exit;
use crate::model::{Limit, MembersPolicy, Pipe, UserId};
use crate::plan::{Difference, ManifestDiff, People, Removed, RoomDifference};
use crate::view::names::named_users;
use crate::view::{percent, would_be_refused};

/// The differences between two manifests, and what an apply would do if the widget matched the first.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "roomform diff")]
pub struct DiffDocument {
    #[serde(flatten)]
    header: Header,
    /// The first manifest, as named on the command line.
    base: String,
    /// The second manifest, as named on the command line.
    head: String,
    /// Whether they differ in more than source positions.
    differ: bool,
    summary: SummaryDocument,
    #[serde(with = "PeopleDocument")]
    people: People,
    /// Rooms that would be written, by pipe. `members.known` counts the members that both manifests have.
    changes: Vec<ChangeDocument>,
    /// Members that were removed from the manifest or are now excluded. The API cannot remove them.
    manual_steps: Vec<RoomMembersDocument>,
    /// Rooms that were removed from the manifest. The API cannot delete them.
    removed: Vec<RemovedDocument>,
    /// Differences that cause no change.
    differences: Vec<DifferenceDocument>,
    notes: Vec<NoteDocument>,
    /// Why `plan` would refuse the second manifest, as far as the manifests show.
    would_refuse: Vec<RefusalDocument>,
    /// The known names of the users in this document, by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(default)]
    names: BTreeMap<u64, String>,
    /// Warnings about the second manifest.
    diagnostics: Vec<DiagnosticDocument>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SummaryDocument {
    create: usize,
    /// Rooms that are created public.
    create_public: usize,
    /// Rooms with a changed title, type or publicity.
    update: usize,
    /// Closed rooms that become public.
    publish: usize,
    /// Rooms that only gain members.
    add_members_only: usize,
    members_to_add: usize,
    messages_to_send: usize,
    removed: usize,
    /// Rooms that are the same in both manifests.
    unchanged: usize,
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
struct RoomMembersDocument {
    pipe: String,
    members: Vec<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RemovedDocument {
    pipe: String,
    /// Where the first manifest declares it.
    file: String,
    /// From 1.
    line: u32,
    title: String,
    /// The number of members it had.
    members: usize,
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

impl DiffDocument {
    /// Builds the document of a comparison.
    pub fn new(diff: &ManifestDiff, exit: Exit, diagnostics: Vec<DiagnosticDocument>) -> Self {
        let differ = diff.differs();
        let ManifestDiff {
            base,
            head,
            names,
            changes,
            manual_steps,
            removed,
            differences,
            notes,
            would_refuse,
            summary,
            people,
        } = diff;
        let users_of_rooms = differences.iter().flat_map(|it| match it {
            Difference::Room { what, .. } => what.users(),
            _ => &[],
        });
        let named = named_users(changes, manual_steps).chain(users_of_rooms.copied());
        let names = super::names(named, names);
        let changes = changes.iter().map(ChangeDocument::new);
        let manual_steps = manual_steps.iter();
        let manual_steps = manual_steps.map(|it| members(&it.pipe, &it.newly_removed));
        let would_refuse = would_refuse
            .iter()
            .map(|it| refusal(it, &would_be_refused(it)));
        Self {
            header: Header::new("diff", exit),
            base: base.clone(),
            head: head.clone(),
            differ,
            summary: SummaryDocument {
                create: summary.create,
                create_public: summary.create_public,
                update: summary.update,
                publish: summary.publish,
                add_members_only: summary.add_only,
                members_to_add: summary.members,
                messages_to_send: summary.messages,
                removed: removed.len(),
                unchanged: summary.unchanged,
            },
            people: *people,
            changes: changes.map(ChangeDocument::without_id).collect(),
            manual_steps: manual_steps.collect(),
            removed: removed.iter().map(removed_room).collect(),
            differences: differences.iter().map(difference).collect(),
            notes: notes.iter().map(note).collect(),
            would_refuse: would_refuse.collect(),
            names,
            diagnostics,
        }
    }
}

fn removed_room(room: &Removed) -> RemovedDocument {
    RemovedDocument {
        pipe: room.pipe.to_string(),
        file: room.file.to_string(),
        line: room.line,
        title: room.title.clone(),
        members: room.members,
    }
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

fn members(pipe: &Pipe, members: &[UserId]) -> RoomMembersDocument {
    RoomMembersDocument {
        pipe: pipe.to_string(),
        members: users(members),
    }
}

fn room(pipe: &Pipe, what: &RoomDifference) -> DifferenceDocument {
    let room = pipe.to_string();
    match what {
        RoomDifference::NotSent(who) => DifferenceDocument::MembersNotSent(members(pipe, who)),
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
            before: before.as_ref().map(welcome),
            after: after.as_ref().map(welcome),
        },
        RoomDifference::Excluded(who) => DifferenceDocument::Excluded(members(pipe, who)),
        RoomDifference::Readmitted(who) => DifferenceDocument::Readmitted(members(pipe, who)),
    }
}
