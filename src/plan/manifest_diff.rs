//! Compares two manifests without a server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::change::Plan;
use super::filter::PlanOptions;
use super::findings::Note;
use super::guards::plan;
use super::publish::{PublishPermit, PublishRules};
use crate::model::{
    Desired, DesiredRoom, Field, FieldValue, Limit, LiveRoom, MembersPolicy, Observed, Pipe,
    Recorded, RecordedRoom, RoomId, Target, UserId, Welcome, WidgetId,
};

/// One of the two manifests.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The manifest's name, as the user wrote it.
    pub name: &'a str,
    /// The resolved manifest.
    pub desired: &'a Desired,
}

/// The differences between two manifests, and the changes that lead from one to the other. The
/// changes cannot be applied, because their room ids and digests are placeholders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManifestDiff {
    /// The name of the first manifest, as the user wrote it.
    pub base: String,
    /// The name of the second manifest, as the user wrote it.
    pub head: String,
    /// The plan that contains the changes. `plan.names` has the user names of both manifests,
    /// and `plan.summary.unchanged` is the number of rooms that both manifests declare in the
    /// same way.
    pub plan: Plan,
    /// Rooms that only the first manifest declares.
    pub removed: Vec<Removed>,
    /// Differences between the manifests that are not in the changes of `plan`.
    pub differences: Vec<Difference>,
    /// How many people join and leave rooms.
    pub people: People,
}

/// How many people join and leave rooms. Each person counts once, no matter how many rooms they
/// join or leave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct People {
    /// Number of people who join a room.
    pub join: usize,
    /// Number of rooms that people join.
    pub joined_rooms: usize,
    /// Number of people who leave a room that both manifests declare. Their removal is a manual
    /// step.
    pub leave: usize,
    /// Number of rooms that people leave.
    pub left_rooms: usize,
}

/// A room that left the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The pipe of the room.
    pub pipe: Pipe,
    /// The file that declared the room.
    pub file: Arc<str>,
    /// The line that declared the room, from 1.
    pub line: u32,
    /// The title of the room.
    pub title: String,
    /// Number of members that the room had.
    pub members: usize,
}

/// A difference that is not about titles, types, visibility or members to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The manifests are for different widgets.
    Widget {
        /// The first manifest's widget.
        before: Option<WidgetId>,
        /// The second manifest's widget.
        after: Option<WidgetId>,
    },
    /// The manifests have different scopes.
    Scope {
        /// The first manifest's globs.
        before: Vec<String>,
        /// The second manifest's globs.
        after: Vec<String>,
    },
    /// A limit was added, removed or changed.
    Limit {
        /// The limit's key under `limits`.
        key: &'static str,
        /// The first manifest's limit.
        before: Option<Limit>,
        /// The second manifest's limit.
        after: Option<Limit>,
    },
    /// The manifests differ in which rooms may become public.
    Publish {
        /// The first manifest's pipes and globs.
        before: Vec<String>,
        /// The second manifest's pipes and globs.
        after: Vec<String>,
    },
    /// A room differs.
    Room {
        /// The pipe of the room.
        pipe: Pipe,
        /// How the room differs.
        what: RoomDifference,
    },
}

/// A difference in a room that both manifests declare. An apply does not send this difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomDifference {
    /// Members added to a room whose members are sent only on creation.
    NotSent(Vec<UserId>),
    /// The members policy changed to this one.
    Policy(MembersPolicy),
    /// A field differs, but is not sent, because the second manifest ignores the field.
    Kept {
        /// The field that differs.
        field: Field,
        /// The value in the first manifest.
        before: FieldValue,
        /// The value in the second manifest.
        after: FieldValue,
    },
    /// The second manifest ignores the field, and the first manifest does not.
    Ignored(Field),
    /// The second manifest no longer ignores the field, and sets it to this value.
    Managed(Field, FieldValue),
    /// The welcome differs, but an existing room does not get another welcome.
    Welcome {
        /// The welcome in the first manifest.
        before: Option<Welcome>,
        /// The welcome in the second manifest.
        after: Option<Welcome>,
    },
    /// Users who are now excluded.
    Excluded(Vec<UserId>),
    /// Users who are no longer excluded.
    Readmitted(Vec<UserId>),
}

impl RoomDifference {
    /// Returns the users that the difference lists.
    pub fn users(&self) -> &[UserId] {
        match self {
            Self::NotSent(users) | Self::Excluded(users) | Self::Readmitted(users) => users,
            _ => &[],
        }
    }
}

/// Computes the plan that leads from the first manifest to the second, for a widget that matches the first.
pub fn compare(base: Side<'_>, head: Side<'_>, options: &PlanOptions) -> ManifestDiff {
    let target = Target {
        origin: String::new(),
        widget: head.desired.widget.unwrap_or(WidgetId(0)),
    };
    let before = base.desired.rooms.iter();
    let before: BTreeMap<&Pipe, &DesiredRoom> = before
        .filter(|(pipe, _)| options.only.contains(pipe))
        .collect();
    let (observed, mut recorded) = as_if_applied(&before);
    let given = base.desired.roster_counts().into_iter();
    recorded.rosters = given
        .map(|(source, given)| (source.to_string(), given))
        .collect();
    let mut plan = plan(&target, head.desired, &observed, &recorded, options);
    let allowed_before = PublishRules::new(base.desired, &options.allow.publish);
    for change in &mut plan.changes {
        let permit = change.publish.as_mut().and_then(|it| it.permit.as_mut());
        if let Some(PublishPermit::Limit { is_added, .. }) = permit {
            *is_added = allowed_before.entry(&change.pipe).is_none();
        }
    }
    let after = &head.desired.rooms;
    let mut differences = between(base.desired, head.desired);
    differences.extend(before.iter().flat_map(|(pipe, before)| {
        let both = after.get(*pipe).map(|after| in_room(before, after));
        both.into_iter().flatten()
    }));
    let removed = before
        .iter()
        .filter(|(pipe, _)| !after.contains_key(**pipe))
        .map(|(_, room)| Removed {
            pipe: room.pipe.clone(),
            file: base.desired.file_name(room.place),
            line: room.place.line,
            title: room.state.title.clone(),
            members: room.members.len(),
        });
    // `differences` already lists the members that are not sent.
    plan.notes.retain(|note| !matches!(note, Note::NotSent(_)));
    plan.summary.unchanged = unchanged(&plan, &differences);
    let mut names = (*base.desired.names).clone();
    names.extend((*head.desired.names).clone());
    plan.names = names.into();
    ManifestDiff {
        base: base.name.to_owned(),
        head: head.name.to_owned(),
        people: People::of(&plan),
        removed: removed.collect(),
        differences,
        plan,
    }
}

/// Builds the list and the ledger of a widget to which a manifest was just applied.
fn as_if_applied(rooms: &BTreeMap<&Pipe, &DesiredRoom>) -> (Observed, Recorded) {
    let (mut observed, mut recorded) = (Observed::default(), Recorded::default());
    for (id, room) in (1..).map(RoomId).zip(rooms.values()) {
        let live = LiveRoom {
            id,
            pipe: room.pipe.clone(),
            state: room.state.clone(),
            deleted: false,
            updated_at: None,
        };
        observed.take(live, true, true);
        let known = RecordedRoom {
            members: room.members.iter().copied().collect(),
            sent: Some(room.state.clone()),
            pipe: Some(room.pipe.clone()),
            ..RecordedRoom::default()
        };
        recorded.rooms.insert(id, known);
        recorded.ids.insert(room.pipe.clone(), id);
    }
    (observed, recorded)
}

/// Counts the rooms without any change or difference.
fn unchanged(plan: &Plan, differences: &[Difference]) -> usize {
    let changes = plan.changes.iter().filter(|change| !change.is_create());
    let mut differ: BTreeSet<&Pipe> = changes.map(|change| &change.pipe).collect();
    let changed = differ.len();
    differ.extend(plan.manual_steps.iter().map(|room| &room.pipe));
    differ.extend(differences.iter().filter_map(|it| match it {
        Difference::Room { pipe, .. } => Some(pipe),
        _ => None,
    }));
    (plan.summary.unchanged + changed).saturating_sub(differ.len())
}

impl ManifestDiff {
    /// Whether the manifests differ in anything except the files and lines of their
    /// declarations.
    pub fn differs(&self) -> bool {
        !(self.plan.changes.is_empty()
            && self.plan.manual_steps.is_empty()
            && self.removed.is_empty()
            && self.differences.is_empty())
    }
}

impl People {
    fn of(plan: &Plan) -> Self {
        let joining = || {
            let changes = plan.changes.iter();
            changes.map(|change| &*change.members.new)
        };
        let leaving = || plan.manual_steps.iter().map(|room| &room.newly_removed);
        let each = |users: BTreeSet<&UserId>| users.len();
        Self {
            join: each(joining().flatten().collect()),
            joined_rooms: joining().filter(|users| !users.is_empty()).count(),
            leave: each(leaving().flatten().collect()),
            left_rooms: leaving().filter(|users| !users.is_empty()).count(),
        }
    }
}

/// Returns the differences that are not about a room.
fn between(base: &Desired, head: &Desired) -> Vec<Difference> {
    let mut found = Vec::new();
    let (before, after) = (base.widget, head.widget);
    if before != after {
        found.push(Difference::Widget { before, after });
    }
    let differ = |before: &[String], after: &[String]| {
        BTreeSet::from_iter(before) != BTreeSet::from_iter(after)
    };
    if differ(&base.scope, &head.scope) {
        let (before, after) = (base.scope.clone(), head.scope.clone());
        found.push(Difference::Scope { before, after });
    }
    let pairs = base.limits.counted().into_iter();
    let pairs = pairs.zip(head.limits.counted());
    let pairs = pairs.filter(|((_, before), (_, after))| before != after);
    let limit = |((key, before), (_, after))| Difference::Limit { key, before, after };
    found.extend(pairs.map(limit));
    if differ(&base.limits.publish, &head.limits.publish) {
        let (before, after) = (base.limits.publish.clone(), head.limits.publish.clone());
        found.push(Difference::Publish { before, after });
    }
    found
}

/// Returns the differences in a room that both manifests declare, except the differences that
/// the room's `Change` already contains.
fn in_room(before: &DesiredRoom, after: &DesiredRoom) -> Vec<Difference> {
    let mut found = Vec::new();
    if before.policy != after.policy {
        found.push(RoomDifference::Policy(after.policy));
    }
    if after.policy == MembersPolicy::OnCreate {
        let came = after.members.iter().copied();
        let came: Vec<UserId> = came.filter(|user| !before.has_member(*user)).collect();
        push_users(&mut found, came, RoomDifference::NotSent);
    }
    for field in Field::ALL {
        let values = (before.state.value(field), after.state.value(field));
        match (before.ignore.contains(field), after.ignore.contains(field)) {
            (true, false) => found.push(RoomDifference::Managed(field, values.1)),
            (was, true) => {
                if !was {
                    found.push(RoomDifference::Ignored(field));
                }
                let (before, after) = values;
                if before != after {
                    found.push(RoomDifference::Kept {
                        field,
                        before,
                        after,
                    });
                }
            }
            (false, false) => {}
        }
    }
    if before.welcome != after.welcome {
        found.push(RoomDifference::Welcome {
            before: before.welcome.clone(),
            after: after.welcome.clone(),
        });
    }
    let excluded = after.exclude.difference(&before.exclude).copied().collect();
    push_users(&mut found, excluded, RoomDifference::Excluded);
    let readmitted = before.exclude.difference(&after.exclude).copied().collect();
    push_users(&mut found, readmitted, RoomDifference::Readmitted);
    let room = |what| Difference::Room {
        pipe: before.pipe.clone(),
        what,
    };
    found.into_iter().map(room).collect()
}

fn push_users(
    found: &mut Vec<RoomDifference>,
    users: Vec<UserId>,
    what: fn(Vec<UserId>) -> RoomDifference,
) {
    if !users.is_empty() {
        found.push(what(users));
    }
}
