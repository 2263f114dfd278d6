//! A plan as a document.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::change::{ChangeDocument, ValueDocument, users, value};
use super::counts::CountsDocument;
use super::todo::OpenStepDocument;
use super::{DiagnosticDocument, Header, TargetDocument};
use crate::error::Exit;
use crate::model::{MemberCounts, RoomId};
use crate::plan::{Conflict, ConflictKind, MemberTally, Note, Plan, Violation};
use crate::view::names::named_users;
use crate::view::{self, Text};

/// A plan: what a run would do, what it cannot do, and what is unknown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "roomform plan")]
pub struct PlanDocument {
    #[serde(flatten)]
    header: Header,
    target: TargetDocument,
    /// The day for which dates were evaluated.
    today: String,
    /// The ledger of the run, unless its path is absolute. `apply PLAN_FILE` refuses to run with another ledger.
    ledger: Option<String>,
    summary: SummaryDocument,
    /// Rooms that will be written, by pipe.
    changes: Vec<ChangeDocument>,
    /// Rooms with a conflict that a person has to resolve first.
    conflicts: Vec<ConflictDocument>,
    /// Members that were removed from the manifest or are now excluded. The API cannot remove them.
    manual_steps: Vec<ManualStepsDocument>,
    /// Recorded rooms that the manifest no longer declares.
    undeclared: Vec<String>,
    /// Fields that the server ignored.
    ignored_by_server: Vec<IgnoredDocument>,
    notes: Vec<NoteDocument>,
    /// Why apply is refused.
    refusals: Vec<RefusalDocument>,
    /// How many members the rooms have, if they were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<CountsDocument>,
    /// The known names of the users in this document, by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(default)]
    names: BTreeMap<u64, String>,
    /// Warnings about the manifest.
    diagnostics: Vec<DiagnosticDocument>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SummaryDocument {
    create: usize,
    /// Rooms that are created public.
    create_public: usize,
    /// Rooms with a changed title, type or publicity.
    update: usize,
    /// Rooms with a field that someone else changed since the last recorded write.
    changed_outside: usize,
    /// Closed rooms that become public.
    publish: usize,
    /// Rooms that only gain members.
    add_members_only: usize,
    /// Rooms whose members are only sent again.
    resend_only: usize,
    /// Rooms that only get the welcome message that is still outstanding.
    welcome_only: usize,
    members_to_add: usize,
    /// Members that are sent again because their room has no record.
    members_unknown: usize,
    messages_to_send: usize,
    unchanged: usize,
    unmanaged: usize,
    declared: usize,
    conflicts: usize,
    /// Rooms that were counted and have fewer members than known, or may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    fewer_members: Option<usize>,
    requests: RequestsDocument,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RequestsDocument {
    list: usize,
    write: usize,
    verify: usize,
    /// Number of messages.
    send: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ConflictDocument {
    pipe: String,
    file: String,
    line: u32,
    /// `several`, `deleted`, `vanished` or `not_listed`.
    kind: &'static str,
    room_ids: Vec<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ManualStepsDocument {
    pipe: String,
    room_id: u64,
    /// Removed from the manifest since the last apply.
    newly_removed: Vec<u64>,
    /// Removed from the manifest earlier; the step is still open.
    previously_removed: Vec<OpenStepDocument>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct IgnoredDocument {
    pipe: String,
    field: &'static str,
    sent: ValueDocument,
    shown: ValueDocument,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "note", rename_all = "snake_case")]
pub(super) enum NoteDocument {
    Recreated {
        pipe: String,
        recorded: u64,
        live: u64,
    },
    Renamed {
        from: String,
        to: String,
        same_title: bool,
    },
    WelcomeUncertain {
        pipe: String,
        room_id: u64,
    },
    /// A field was sent before, and the list does not show it yet. It is sent again.
    Pending {
        pipe: String,
        field: &'static str,
        sent: ValueDocument,
        shown: ValueDocument,
        /// When a run last saw the shown value. In UTC.
        since: String,
    },
    LooksLike {
        pipe: String,
        live: String,
    },
    AssumedMembers(MembershipsDocument),
    /// Declared members that were adopted: recorded, but never confirmed by the server.
    AdoptedMembers(MembershipsDocument),
    /// Memberships that end within 14 days.
    EndingMembers(MembershipsDocument),
    /// Declared members that `members_policy: on_create` does not send to existing rooms.
    MembersNotSent(MembershipsDocument),
    /// Entries of `limits.publish` whose rooms are all public already.
    AlreadyPublic {
        entries: Vec<String>,
    },
    LeftOut {
        rooms: usize,
    },
    /// The plan covers one shard of the rooms, such as `0/8`. The other shards have this many rooms.
    OtherShards {
        shard: String,
        rooms: usize,
    },
}

/// Memberships, and the rooms that have them.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct MembershipsDocument {
    rooms: usize,
    members: usize,
}

fn memberships(counted: &MemberTally) -> MembershipsDocument {
    MembershipsDocument {
        rooms: counted.rooms,
        members: counted.members,
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RefusalDocument {
    /// The key under `limits`; or `recreate`, `mass_change` or `roster`. `roster` means that a file with rows supplies too few rooms or members.
    limit: &'static str,
    count: u64,
    /// The maximum; for `roster`, the minimum.
    allowed: u64,
    /// The name of the file, for `roster`.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// The message text, with the flag or key that allows it.
    message: String,
}

impl PlanDocument {
    /// Builds the document of a plan.
    pub fn new(
        plan: &Plan,
        ledger: Option<String>,
        exit: Exit,
        diagnostics: Vec<DiagnosticDocument>,
    ) -> Self {
        let Plan {
            target,
            today,
            names: known,
            changes,
            conflicts,
            manual_steps,
            undeclared,
            ignored,
            notes,
            baseline: _,
            guards: _,
            refusals,
            summary: _,
            counts,
        } = plan;
        let names = super::names(named_users(changes, manual_steps), known);
        let manual_steps = manual_steps.iter().map(|it| ManualStepsDocument {
            pipe: it.pipe.to_string(),
            room_id: it.id.0,
            newly_removed: users(&it.newly_removed),
            previously_removed: it
                .previously_removed
                .iter()
                .map(OpenStepDocument::new)
                .collect(),
        });
        let ignored = ignored.iter().map(|it| IgnoredDocument {
            pipe: it.pipe.to_string(),
            field: it.field.name(),
            sent: value(&it.sent),
            shown: value(&it.shown),
        });
        let refusals = refusals.iter().map(|it| refusal(it, &view::refusal(it)));
        Self {
            header: Header::new("plan", exit),
            target: TargetDocument::new(target),
            today: today.to_string(),
            ledger,
            summary: summary(plan),
            changes: changes.iter().map(ChangeDocument::new).collect(),
            conflicts: conflicts.iter().map(conflict).collect(),
            manual_steps: manual_steps.collect(),
            undeclared: undeclared.iter().map(ToString::to_string).collect(),
            ignored_by_server: ignored.collect(),
            notes: notes.iter().map(note).collect(),
            refusals: refusals.collect(),
            counts: counts.as_ref().map(CountsDocument::new),
            names,
            diagnostics,
        }
    }
}

fn summary(plan: &Plan) -> SummaryDocument {
    let summary = &plan.summary;
    SummaryDocument {
        create: summary.create,
        create_public: summary.create_public,
        update: summary.update,
        changed_outside: summary.changed_outside,
        publish: summary.publish,
        add_members_only: summary.add_only,
        resend_only: summary.resend_only,
        welcome_only: summary.welcome_only,
        members_to_add: summary.members,
        members_unknown: summary.unknown.members,
        messages_to_send: summary.messages,
        unchanged: summary.unchanged,
        unmanaged: summary.unmanaged,
        declared: summary.declared,
        conflicts: plan.conflicts.len(),
        fewer_members: plan.counts.as_ref().map(MemberCounts::short),
        requests: RequestsDocument {
            list: 1,
            write: summary.writes,
            verify: plan.verifies(),
            send: summary.messages,
        },
    }
}

fn conflict(conflict: &Conflict) -> ConflictDocument {
    let ids = |ids: &[RoomId]| ids.iter().map(|id| id.0).collect();
    let (kind, room_ids) = match &conflict.kind {
        ConflictKind::Several(several) => ("several", ids(several)),
        ConflictKind::Deleted(deleted) => ("deleted", ids(deleted)),
        ConflictKind::Vanished(id) => ("vanished", vec![id.0]),
        ConflictKind::NotListed(id) => ("not_listed", ids(id.as_slice())),
    };
    ConflictDocument {
        pipe: conflict.pipe.to_string(),
        file: conflict.file.to_string(),
        line: conflict.line,
        kind,
        room_ids,
    }
}

pub(super) fn note(note: &Note) -> NoteDocument {
    match note {
        Note::Recreated {
            pipe,
            recorded,
            live,
        } => NoteDocument::Recreated {
            pipe: pipe.to_string(),
            recorded: recorded.0,
            live: live.0,
        },
        Note::Renamed {
            from,
            to,
            same_title,
        } => NoteDocument::Renamed {
            from: from.to_string(),
            to: to.to_string(),
            same_title: *same_title,
        },
        Note::WelcomeUncertain { pipe, room } => NoteDocument::WelcomeUncertain {
            pipe: pipe.to_string(),
            room_id: room.0,
        },
        Note::Pending { pipe, field, was } => NoteDocument::Pending {
            pipe: pipe.to_string(),
            field: field.name(),
            sent: value(&was.sent),
            shown: value(&was.shown),
            since: was.since.to_string(),
        },
        Note::LooksLike { pipe, live } => NoteDocument::LooksLike {
            pipe: pipe.to_string(),
            live: live.to_string(),
        },
        Note::Assumed(counted) => NoteDocument::AssumedMembers(memberships(counted)),
        Note::Adopted(counted) => NoteDocument::AdoptedMembers(memberships(counted)),
        Note::Ending(counted) => NoteDocument::EndingMembers(memberships(counted)),
        Note::NotSent(counted) => NoteDocument::MembersNotSent(memberships(counted)),
        Note::AlreadyPublic(entries) => NoteDocument::AlreadyPublic {
            entries: entries.clone(),
        },
        Note::LeftOut { rooms, .. } => NoteDocument::LeftOut { rooms: *rooms },
        Note::OtherShards { shard, rooms } => NoteDocument::OtherShards {
            shard: shard.to_string(),
            rooms: *rooms,
        },
    }
}

pub(super) fn refusal(refusal: &Violation, message: &Text<'_>) -> RefusalDocument {
    let (limit, count, allowed, source) = match refusal {
        Violation::Limit {
            kind,
            count,
            allowed,
            ..
        } => (kind.key(), *count, *allowed, None),
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
    RefusalDocument {
        limit,
        count,
        allowed,
        source,
        message: message.quoted(),
    }
}
