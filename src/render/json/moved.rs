//! What moved between two plans, as a document.

use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT;
use super::change::{ChangeDocument, change, users};
use super::plan::{ConflictDocument, TargetDocument, conflict, target};
use crate::error::Exit;
use crate::plan::{Conflict, MoveKind, Moved};

/// What moved between two plans.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "roomform plan diff")]
pub struct PlanDiffDocument {
    /// The version of this format: 1.
    format: u32,
    /// `plan_diff`.
    kind: &'static str,
    /// The exit code of the run that made it.
    exit: u8,
    /// The older plan, as it was named.
    old: String,
    /// The newer one.
    new: String,
    /// Whether anything moved.
    differ: bool,
    /// Both targets, older and newer, if they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    targets: Option<[TargetDocument; 2]>,
    /// Rooms that are written to otherwise than before, the dangerous first.
    rooms: Vec<RoomDocument>,
    /// Conflicts that were not there before.
    new_conflicts: Vec<ConflictDocument>,
    /// Conflicts that are no more.
    gone_conflicts: Vec<ConflictDocument>,
    /// Rooms whose members are left to people otherwise than before.
    by_hand: Vec<ByHandDocument>,
    /// Rooms that both plans do the same to.
    same: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RoomDocument {
    pipe: String,
    /// `new`, `changed` or `gone`.
    moved: &'static str,
    /// Whether it is opened to everyone, or made anew, and was not before.
    dangerous: bool,
    /// What the older plan does to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<ChangeDocument>,
    /// What the newer plan does to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<ChangeDocument>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ByHandDocument {
    pipe: String,
    /// Users to take out who were not before.
    came: Vec<u64>,
    /// Users who are not to be taken out any more.
    went: Vec<u64>,
}

impl PlanDiffDocument {
    /// The document of a comparison of two plans, as they were named.
    pub fn new(moved: &Moved, [old, new]: [&str; 2], exit: Exit) -> Self {
        let Moved {
            targets,
            rooms,
            new_conflicts,
            gone_conflicts,
            by_hand,
            same,
        } = moved;
        let conflicts = |all: &[Conflict]| all.iter().map(conflict).collect();
        let by_hand = by_hand.iter().map(|it| ByHandDocument {
            pipe: it.pipe.to_string(),
            came: users(&it.came),
            went: users(&it.went),
        });
        Self {
            format: FORMAT,
            kind: "plan_diff",
            exit: exit.code(),
            old: old.to_owned(),
            new: new.to_owned(),
            differ: moved.differs(),
            targets: targets
                .as_ref()
                .map(|(before, after)| [target(before), target(after)]),
            rooms: rooms
                .iter()
                .map(|it| room(it.pipe.to_string(), it.dangerous, &it.kind))
                .collect(),
            new_conflicts: conflicts(new_conflicts),
            gone_conflicts: conflicts(gone_conflicts),
            by_hand: by_hand.collect(),
            same: *same,
        }
    }
}

fn room(pipe: String, dangerous: bool, kind: &MoveKind) -> RoomDocument {
    let (moved, before, after) = match kind {
        MoveKind::New(after) => ("new", None, Some(change(after))),
        MoveKind::Changed { before, after } => {
            ("changed", Some(change(before)), Some(change(after)))
        }
        MoveKind::Gone(before) => ("gone", Some(change(before)), None),
    };
    RoomDocument {
        pipe,
        moved,
        dangerous,
        before,
        after,
    }
}
