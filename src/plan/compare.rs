//! Two manifests against each other, without a server: the plan that would lead from one to the other, if the widget
//! looked like the first.
//!
//! Main types: [`Compared`], which marks such a plan and holds what no plan of a widget has, and [`Difference`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::change::{Action, Plan};
use super::diff::{Switches, plan};
use super::differences::{between, in_room};
use super::remarks::{Note, Refusal};
use super::standing::Standing;
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

/// That a plan is the comparison of two manifests, and what only such a one has. Its target, its ids of rooms and its digests
/// are made up: nothing can be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// What is compared with.
    pub base: Arc<str>,
    /// What is compared.
    pub head: Arc<str>,
    /// Membership in figures.
    pub people: People,
    /// Rooms that both declare in the same way.
    pub same: usize,
    /// Rooms the second manifest no longer declares, as the first one has them.
    pub removed: Vec<Removed>,
    /// What differs and leads to no change of a room.
    pub differences: Vec<Difference>,
    /// What a plan would be refused for, as far as manifests tell.
    pub would_refuse: Vec<Refusal>,
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

/// The plan that leads from one manifest to another, with [`Plan::compared`]. It is refused by nothing: it has no target.
pub fn compare(base: Side<'_>, head: Side<'_>, switches: &Switches) -> Plan {
    let target = Target {
        origin: String::new(),
        widget: head.desired.widget.unwrap_or(WidgetId(0)),
    };
    let before: BTreeMap<&Pipe, &DesiredRoom> = base
        .desired
        .rooms
        .iter()
        .filter(|(pipe, _)| switches.only.contains(pipe))
        .collect();
    let (observed, mut recorded) = as_if_applied(&before);
    let given = base.desired.given().into_iter();
    recorded.rosters = given
        .map(|(source, given)| (source.to_string(), given))
        .collect();
    let mut plan = plan(&target, head.desired, &observed, &recorded, switches);
    let after = &head.desired.rooms;
    let mut differences = between(base.desired, head.desired);
    differences.extend(before.iter().flat_map(|(pipe, before)| {
        let both = after.get(*pipe).map(|after| in_room(before, after));
        both.into_iter().flatten()
    }));
    let removed: Vec<Removed> = before
        .iter()
        .filter(|(pipe, _)| !after.contains_key(**pipe))
        .map(|(_, room)| Removed::new(base.desired, room))
        .collect();
    plan.undeclared = removed.iter().map(|room| room.pipe.clone()).collect();
    plan.guards = Vec::new();
    for note in &mut plan.notes {
        if let Note::OtherShards { guarded, .. } = note {
            *guarded = false;
        }
    }
    plan.standing = Standing::default();
    plan.compared = Some(Compared {
        base: base.name.into(),
        head: head.name.into(),
        people: People::of(&plan),
        same: same(&plan, &differences),
        removed,
        differences,
        would_refuse: std::mem::take(&mut plan.refusals),
    });
    plan
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
fn same(plan: &Plan, differences: &[Difference]) -> usize {
    let changes = plan
        .changes
        .iter()
        .filter(|change| change.action != Action::Create);
    let mut differ: BTreeSet<&Pipe> = changes.map(|change| &change.pipe).collect();
    let changed = differ.len();
    differ.extend(plan.by_hand.iter().map(|room| &room.pipe));
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

impl Compared {
    /// Whether anything differs besides the rooms the plan would write to.
    fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.differences.is_empty()
    }
}

impl Plan {
    /// Whether two manifests that were compared differ in anything but places.
    pub fn differs(&self) -> bool {
        let beside = self.compared.as_ref().is_some_and(|it| !it.is_empty());
        self.is_pending() || !self.by_hand.is_empty() || beside
    }
}

impl People {
    fn of(plan: &Plan) -> Self {
        let joining = || {
            let changes = plan.changes.iter();
            changes.map(|change| &change.members.new)
        };
        let leaving = || plan.by_hand.iter().map(|room| &room.left);
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
