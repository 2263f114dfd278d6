//! Two plans against each other: what moved since one of them was looked at.
//!
//! Main type: [`Moved`]. What a plan does to a room counts; where the room is declared, what is on record of it and how the
//! server showed it do not.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Action, Change, Plan};
use super::remarks::{Conflict, ConflictKind};
use super::select::Selection;
use crate::model::{Pipe, Target, UserId};

/// What moved between two plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Both targets, if the plans are for different ones.
    pub targets: Option<(Target, Target)>,
    /// Rooms that are written to otherwise than before: the dangerous first, then new ones, changed ones, and those left alone.
    pub rooms: Vec<RoomMove>,
    /// Conflicts that were not there before.
    pub new_conflicts: Vec<Conflict>,
    /// Conflicts that are no more.
    pub gone_conflicts: Vec<Conflict>,
    /// Rooms whose members are left to people otherwise than before, by pipe.
    pub by_hand: Vec<ByHandMove>,
    /// Rooms the two plans do the same to.
    pub same: usize,
}

/// One room that is written to otherwise than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomMove {
    /// The room.
    pub pipe: Pipe,
    /// Whether it is opened to everyone, or made anew, and was not before.
    pub dangerous: bool,
    /// How.
    pub kind: MoveKind,
}

/// How a room's change moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveKind {
    /// The plan writes to it, and did not.
    New(Box<Change>),
    /// The plan does something else to it.
    Changed {
        /// What it did.
        before: Box<Change>,
        /// What it does now.
        after: Box<Change>,
    },
    /// The plan wrote to it, and does not any more.
    Gone(Box<Change>),
}

/// Whom somebody has to take out of a room by hand, other than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByHandMove {
    /// The room.
    pub pipe: Pipe,
    /// Users to take out who were not before.
    pub came: Vec<UserId>,
    /// Users who are not to be taken out any more.
    pub went: Vec<UserId>,
}

/// What moved from one plan to another, among the chosen rooms.
pub fn moved(old: &Plan, new: &Plan, only: &Selection) -> Moved {
    let chosen = |pipe: &Pipe| only.contains(pipe);
    let (before, after) = (changes(old, only), changes(new, only));
    let pipes: BTreeSet<&Pipe> = before.keys().chain(after.keys()).copied().collect();
    let mut rooms: Vec<RoomMove> = pipes
        .iter()
        .filter_map(|pipe| {
            let (before, after) = (before.get(*pipe).copied(), after.get(*pipe).copied());
            room_move((*pipe).clone(), before, after)
        })
        .collect();
    let same = pipes.len() - rooms.len();
    rooms.sort_by_key(|room| (!room.dangerous, room.kind.rank()));
    let only_in = |one: &Plan, other: &Plan| -> Vec<Conflict> {
        let there: BTreeMap<&Pipe, &ConflictKind> = other
            .conflicts
            .iter()
            .map(|it| (&it.pipe, &it.kind))
            .collect();
        let conflicts = one.conflicts.iter().filter(|it| chosen(&it.pipe));
        conflicts
            .filter(|it| there.get(&it.pipe) != Some(&&it.kind))
            .cloned()
            .collect()
    };
    Moved {
        targets: (old.target != new.target).then(|| (old.target.clone(), new.target.clone())),
        rooms,
        new_conflicts: only_in(new, old),
        gone_conflicts: only_in(old, new),
        by_hand: by_hand(old, new, only),
        same,
    }
}

fn changes<'a>(plan: &'a Plan, only: &Selection) -> BTreeMap<&'a Pipe, &'a Change> {
    let changes = plan.changes.iter().filter(|it| only.contains(&it.pipe));
    changes.map(|change| (&change.pipe, change)).collect()
}

fn room_move(pipe: Pipe, before: Option<&Change>, after: Option<&Change>) -> Option<RoomMove> {
    let boxed = |change: &Change| Box::new(change.clone());
    let kind = match (before, after) {
        (Some(before), Some(after)) if same(before, after) => return None,
        (Some(before), Some(after)) => MoveKind::Changed {
            before: boxed(before),
            after: boxed(after),
        },
        (None, Some(after)) => MoveKind::New(boxed(after)),
        (Some(before), None) => MoveKind::Gone(boxed(before)),
        (None, None) => return None,
    };
    let opens =
        |change: Option<&Change>| change.is_some_and(|it| it.publishes() || it.creates_public());
    let anew = |change: Option<&Change>| change.is_some_and(|it| it.recreate);
    let dangerous = (opens(after) && !opens(before)) || (anew(after) && !anew(before));
    Some(RoomMove {
        pipe,
        dangerous,
        kind,
    })
}

/// Whether two changes do the same. What is sent of a field that does not change is as the server shows it, and changes nothing.
fn same(before: &Change, after: &Change) -> bool {
    let Change {
        pipe: _,
        file: _,
        line: _,
        action,
        send,
        kept: _,
        members,
        welcome,
        recreate,
        digest: _,
    } = before;
    let creates = *action == Action::Create;
    // Who made a field differ changes nothing about what is done.
    let values = |change: &Change| -> Vec<_> {
        let fields = change.fields().iter();
        fields
            .map(|it| (it.field, it.before.clone(), it.after.clone()))
            .collect()
    };
    let sent = |change: &Change| change.members.sent().collect::<BTreeSet<UserId>>();
    before.room_id() == after.room_id()
        && values(before) == values(after)
        && (!creates || *send == after.send)
        && members.sent().collect::<BTreeSet<UserId>>() == sent(after)
        && *welcome == after.welcome
        && *recreate == after.recreate
}

fn by_hand(old: &Plan, new: &Plan, only: &Selection) -> Vec<ByHandMove> {
    let of = |plan: &Plan| -> BTreeMap<Pipe, BTreeSet<UserId>> {
        let rooms = plan.by_hand.iter().filter(|it| only.contains(&it.pipe));
        rooms
            .map(|it| {
                (
                    it.pipe.clone(),
                    it.left.iter().chain(&it.released).copied().collect(),
                )
            })
            .collect()
    };
    let (before, after) = (of(old), of(new));
    let pipes: BTreeSet<&Pipe> = before.keys().chain(after.keys()).collect();
    let none = BTreeSet::new();
    let moves = pipes.into_iter().map(|pipe| {
        let (was, is) = (
            before.get(pipe).unwrap_or(&none),
            after.get(pipe).unwrap_or(&none),
        );
        ByHandMove {
            pipe: pipe.clone(),
            came: is.difference(was).copied().collect(),
            went: was.difference(is).copied().collect(),
        }
    });
    moves
        .filter(|it| !it.came.is_empty() || !it.went.is_empty())
        .collect()
}

impl MoveKind {
    fn rank(&self) -> u8 {
        match self {
            Self::New(_) => 0,
            Self::Changed { .. } => 1,
            Self::Gone(_) => 2,
        }
    }
}

impl Moved {
    /// Whether anything moved.
    pub fn differs(&self) -> bool {
        let Self {
            targets,
            rooms,
            new_conflicts,
            gone_conflicts,
            by_hand,
            same: _,
        } = self;
        targets.is_some()
            || !rooms.is_empty()
            || !new_conflicts.is_empty()
            || !gone_conflicts.is_empty()
            || !by_hand.is_empty()
    }
}
