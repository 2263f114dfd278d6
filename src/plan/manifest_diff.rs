//! Two manifests against each other, without a server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::change::{Action, Change, Plan, Summary};
use super::findings::{ManualSteps, Note, Violation};
use super::guards::plan;
use super::inputs::PlanOptions;
use crate::model::{
    Desired, DesiredRoom, Field, FieldValue, Limit, LiveRoom, MembersPolicy, Observed, Pipe,
    Recorded, RecordedRoom, RoomId, Target, UserId, Welcome, WidgetId,
};

/// One of the two manifests.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// What its user calls it.
    pub name: &'a str,
    /// What it says.
    pub desired: &'a Desired,
}

/// What differs between two manifests, and what would lead from one to the other. There is nothing to apply it to: the ids of
/// rooms and the digests in its changes are made up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManifestDiff {
    /// The first manifest, as its user calls it.
    pub base: String,
    /// The second.
    pub head: String,
    /// Rooms with something to write.
    pub changes: Vec<Change>,
    /// Members that only the first manifest has, by room.
    pub manual_steps: Vec<ManualSteps>,
    /// Rooms the second manifest no longer declares, as the first one has them.
    pub removed: Vec<Removed>,
    /// What differs and leads to no change of a room.
    pub differences: Vec<Difference>,
    /// What a user should know.
    pub notes: Vec<Note>,
    /// What a plan would be refused for, as far as manifests tell.
    pub would_refuse: Vec<Violation>,
    /// The figures; `unchanged` counts the rooms that both manifests declare in the same way.
    pub summary: Summary,
    /// Membership in figures.
    pub people: People,
}

/// Membership in people's terms: everyone is counted once, however many rooms they join or leave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct People {
    /// People who join a room.
    pub join: usize,
    /// Rooms that somebody joins.
    pub joined_rooms: usize,
    /// People who are taken out of a room that stays; somebody has to do it by hand.
    pub leave: usize,
    /// Rooms that somebody is taken out of.
    pub left_rooms: usize,
}

/// A room that left the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The room.
    pub pipe: Pipe,
    /// The file that declared it.
    pub file: Arc<str>,
    /// The line in it, from 1.
    pub line: u32,
    /// Its title.
    pub title: String,
    /// How many members it had.
    pub members: usize,
}

/// What differs between two manifests beside titles, types, publicity and members that are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// They are for different widgets.
    Widget {
        /// The first one's.
        before: Option<WidgetId>,
        /// The second one's.
        after: Option<WidgetId>,
    },
    /// Other globs say which live rooms are ours.
    Scope {
        /// The first one's.
        before: Vec<String>,
        /// The second one's.
        after: Vec<String>,
    },
    /// A guard was set, lifted or moved.
    Limit {
        /// Its key under `limits`.
        key: &'static str,
        /// The first one's.
        before: Option<Limit>,
        /// The second one's.
        after: Option<Limit>,
    },
    /// What is special about one room.
    Room {
        /// The room.
        pipe: Pipe,
        /// What differs.
        what: RoomDifference,
    },
}

/// What differs about a room that both manifests have, and is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomDifference {
    /// Members that were added to a room whose members are sent only when it is created.
    NotSent(Vec<UserId>),
    /// Members are sent at other times.
    Policy(MembersPolicy),
    /// A field differs, and is ignored: it is not sent.
    Kept {
        /// Which.
        field: Field,
        /// In the first manifest.
        before: FieldValue,
        /// In the second.
        after: FieldValue,
    },
    /// A field is ignored from now on.
    Ignored(Field),
    /// A field is ignored no more: whatever the server shows becomes this.
    Managed(Field, FieldValue),
    /// The welcome differs, and the room has had its own.
    Welcome {
        /// In the first manifest.
        before: Option<Welcome>,
        /// In the second.
        after: Option<Welcome>,
    },
    /// Users who must not be added any more.
    Excluded(Vec<UserId>),
    /// Users who may be added again.
    Readmitted(Vec<UserId>),
}

/// Compares two manifests: the plan that leads from one to the other, if the widget looked like the first.
pub fn compare(base: Side<'_>, head: Side<'_>, options: &PlanOptions) -> ManifestDiff {
    let target = Target {
        origin: String::new(),
        widget: head.desired.widget.unwrap_or(WidgetId(0)),
    };
    let before: BTreeMap<&Pipe, &DesiredRoom> = base
        .desired
        .rooms
        .iter()
        .filter(|(pipe, _)| options.only.contains(pipe))
        .collect();
    let (observed, mut recorded) = as_if_applied(&before);
    let given = base.desired.given().into_iter();
    recorded.rosters = given
        .map(|(source, given)| (source.to_string(), given))
        .collect();
    let plan = plan(&target, head.desired, &observed, &recorded, options);
    let after = &head.desired.rooms;
    let mut differences = between(base.desired, head.desired);
    differences.extend(before.iter().flat_map(|(pipe, before)| {
        let both = after.get(*pipe).map(|after| in_room(before, after));
        both.into_iter().flatten()
    }));
    let removed = before
        .iter()
        .filter(|(pipe, _)| !after.contains_key(**pipe))
        .map(|(_, room)| Removed::new(base.desired, room));
    ManifestDiff {
        base: base.name.to_owned(),
        head: head.name.to_owned(),
        people: People::of(&plan),
        summary: Summary {
            unchanged: unchanged(&plan, &differences),
            ..plan.summary
        },
        removed: removed.collect(),
        differences,
        changes: plan.changes,
        manual_steps: plan.manual_steps,
        notes: plan.notes,
        would_refuse: plan.refusals,
    }
}

/// A widget on which a manifest was just applied, and the ledger of that.
fn as_if_applied(rooms: &BTreeMap<&Pipe, &DesiredRoom>) -> (Observed, Recorded) {
    let (mut observed, mut recorded) = (Observed::default(), Recorded::default());
    for (id, room) in (1..).map(RoomId).zip(rooms.values()) {
        let live = LiveRoom {
            id,
            pipe: room.pipe.clone(),
            state: room.state.clone(),
            deleted: false,
        };
        observed.take(live, true, true);
        let known = RecordedRoom {
            members: room.members.iter().map(|member| member.user).collect(),
            sent: Some(room.state.clone()),
            pipe: Some(room.pipe.clone()),
            ..RecordedRoom::default()
        };
        recorded.rooms.insert(id, known);
        recorded.ids.insert(room.pipe.clone(), id);
    }
    (observed, recorded)
}

/// Rooms nothing is said about.
fn unchanged(plan: &Plan, differences: &[Difference]) -> usize {
    let changes = plan
        .changes
        .iter()
        .filter(|change| change.action != Action::Create);
    let mut differ: BTreeSet<&Pipe> = changes.map(|change| &change.pipe).collect();
    let changed = differ.len();
    differ.extend(plan.manual_steps.iter().map(|room| &room.pipe));
    differ.extend(
        differences
            .iter()
            .filter_map(|difference| match difference {
                Difference::Room { pipe, .. } => Some(pipe),
                Difference::Widget { .. } | Difference::Scope { .. } | Difference::Limit { .. } => {
                    None
                }
            }),
    );
    (plan.summary.unchanged + changed).saturating_sub(differ.len())
}

impl ManifestDiff {
    /// Whether the manifests differ in anything but places.
    pub fn differs(&self) -> bool {
        !(self.changes.is_empty()
            && self.manual_steps.is_empty()
            && self.removed.is_empty()
            && self.differences.is_empty())
    }
}

impl People {
    fn of(plan: &Plan) -> Self {
        let joining = || {
            let changes = plan.changes.iter();
            changes.map(|change| &change.members.new)
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

impl Removed {
    fn new(base: &Desired, room: &DesiredRoom) -> Self {
        Self {
            pipe: room.pipe.clone(),
            file: base.file_name(room.place),
            line: room.place.line,
            title: room.state.title.clone(),
            members: room.members.len(),
        }
    }
}

/// What two manifests say differently as a whole.
fn between(base: &Desired, head: &Desired) -> Vec<Difference> {
    let Desired {
        widget,
        scope,
        limits,
        rooms: _,
        files: _,
        rosters: _,
    } = base;
    let mut found = Vec::new();
    if *widget != head.widget {
        found.push(Difference::Widget {
            before: *widget,
            after: head.widget,
        });
    }
    let set = |globs: &[String]| -> BTreeSet<String> { globs.iter().cloned().collect() };
    if set(scope) != set(&head.scope) {
        found.push(Difference::Scope {
            before: scope.clone(),
            after: head.scope.clone(),
        });
    }
    let pairs = limits.each().into_iter().zip(head.limits.each());
    found.extend(
        pairs
            .filter(|((_, before), (_, after))| before != after)
            .map(|((key, before), (_, after))| Difference::Limit { key, before, after }),
    );
    found
}

/// What two manifests say differently of a room that both have, and no change of it tells.
fn in_room(before: &DesiredRoom, after: &DesiredRoom) -> Vec<Difference> {
    let DesiredRoom {
        pipe,
        state,
        // Told by the change, and by what is left to people.
        members: _,
        exclude,
        policy,
        ignore,
        welcome,
        place: _,
    } = before;
    let mut found = Vec::new();
    if *policy != after.policy {
        found.push(RoomDifference::Policy(after.policy));
    }
    if after.policy == MembersPolicy::OnCreate {
        let came = after.members.iter().map(|member| member.user);
        let came: Vec<UserId> = came.filter(|user| !before.has_member(*user)).collect();
        push_users(&mut found, came, RoomDifference::NotSent);
    }
    for field in Field::ALL {
        let values = (state.value(field), after.state.value(field));
        match (ignore.contains(field), after.ignore.contains(field)) {
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
    if *welcome != after.welcome {
        found.push(RoomDifference::Welcome {
            before: welcome.clone(),
            after: after.welcome.clone(),
        });
    }
    let excluded = after.exclude.difference(exclude).copied().collect();
    push_users(&mut found, excluded, RoomDifference::Excluded);
    let readmitted = exclude.difference(&after.exclude).copied().collect();
    push_users(&mut found, readmitted, RoomDifference::Readmitted);
    found
        .into_iter()
        .map(|what| Difference::Room {
            pipe: pipe.clone(),
            what,
        })
        .collect()
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
