//! Selects the part of the current plan that a saved plan approves.
//!
//! A saved plan is an approval, not an instruction: every value that is written comes from the
//! current plan.

use std::collections::BTreeMap;

use super::change::{Change, Plan};
use super::digest::Digest;
use super::filter::{Allow, Inputs};
use super::findings::{ConflictKind, MemberTally};
use super::guards::guards;
use super::manual_steps::without;
use crate::model::{
    DesiredRoom, Field, LiveRoom, Pipe, Recorded, RoomId, RoomState, Target, UserId, Welcome,
};

/// What a saved plan approves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedPlan {
    /// The target of the plan.
    pub target: Target,
    /// The path of the plan's ledger; `None` if the path is absolute.
    pub ledger: Option<String>,
    /// Rooms to write.
    pub changes: Vec<SavedChange>,
}

/// What a saved plan approves for one room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedChange {
    /// The pipe of the room.
    pub pipe: Pipe,
    /// The id of the room; `None` for a new room.
    pub id: Option<RoomId>,
    /// Whether the plan recreates a deleted or vanished room.
    pub recreate: bool,
    /// The digest of what the list showed for the pipe when the plan was saved.
    pub digest: Digest,
    /// The fields to send.
    pub send: RoomState,
    /// The members to send.
    pub members: Vec<UserId>,
    /// The welcome to send.
    pub welcome: Option<Welcome>,
}

/// The part of a new plan that a saved plan approves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// The changes to write.
    pub plan: Plan,
    /// Rooms of the saved plan that are skipped.
    pub skipped: Vec<Skipped>,
    /// Members of the saved plan that the manifest no longer declares.
    pub undeclared: Vec<(Pipe, Vec<UserId>)>,
    /// Rooms and members that only the new plan contains.
    pub not_approved: MemberTally,
}

/// A room of a saved plan that is skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The pipe of the room.
    pub pipe: Pipe,
    /// The id of the room in the saved plan; `None` for a new room.
    pub id: Option<RoomId>,
    /// The change to the room in the new plan. It is not sent.
    pub change: Option<Change>,
    /// Why the room is skipped.
    pub reason: SkipReason,
}

/// Why a room of a saved plan is skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// The room is up to date, so nothing is sent.
    UpToDate,
    /// The manifest no longer declares the room.
    Undeclared,
    /// The room or the manifest changed after the plan was saved.
    Stale(String),
}

/// Selects the part of a new plan that a saved plan approves. The guards check only that part.
pub fn select(saved: SavedPlan, new: &Plan, inputs: Inputs<'_>, allow: &Allow) -> Approved {
    let changes = new.changes.iter().map(|change| (&change.pipe, change));
    let mut changes: BTreeMap<&Pipe, &Change> = changes.collect();
    let mut approved = Approved::whole(new.with_changes(Vec::new()));
    // A forged file may list a room twice. If so, the first entry is used.
    let mut entries = BTreeMap::new();
    for mut entry in saved.changes {
        entry.members.sort_unstable();
        entries.entry(entry.pipe.clone()).or_insert(entry);
    }
    for entry in entries.into_values() {
        let room = inputs.desired.rooms.get(&entry.pipe);
        approved.note_undeclared(&entry, room);
        let change = changes.remove(&entry.pipe);
        let reason = match (room, change) {
            (None, _) => SkipReason::Undeclared,
            (Some(_), None) => not_planned(&entry, new),
            (Some(_), Some(change)) => match narrow(&entry, change, inputs) {
                Ok(narrowed) => {
                    approved.not_approved.members +=
                        change.members.count() - narrowed.members.count();
                    if !narrowed.is_welcome_only() || narrowed.welcome.is_some() {
                        approved.plan.push(narrowed);
                        continue;
                    }
                    SkipReason::UpToDate
                }
                Err(reason) => SkipReason::Stale(reason),
            },
        };
        approved.skipped.push(Skipped {
            pipe: entry.pipe,
            id: entry.id,
            change: change.cloned(),
            reason,
        });
    }
    approved.not_approved.rooms = changes.len();
    let members = changes.values().map(|change| change.members.count());
    approved.not_approved.members += members.sum::<usize>();
    if approved.plan.changes.len() < new.changes.len() {
        // Only an apply of the whole plan may record which rooms left the manifest and how many
        // rows there are.
        approved.plan.baseline.left.clear();
        approved.plan.baseline.given.clear();
    }
    approved.plan.guards = guards(&approved.plan, inputs, None);
    approved.plan.allow(allow);
    approved
}

impl Approved {
    /// Approves a whole plan, for a run without a saved plan.
    pub fn whole(plan: Plan) -> Self {
        Self {
            plan,
            skipped: Vec::new(),
            undeclared: Vec::new(),
            not_approved: MemberTally::default(),
        }
    }

    /// Counts the skipped rooms that changed after the plan was saved, or that left the manifest.
    pub fn stale(&self) -> usize {
        let is_stale = |skipped: &&Skipped| skipped.reason != SkipReason::UpToDate;
        self.skipped.iter().filter(is_stale).count()
    }

    fn note_undeclared(&mut self, entry: &SavedChange, room: Option<&DesiredRoom>) {
        let Some(room) = room else { return };
        let members = entry.members.iter().copied();
        let declared = room.members.iter().copied();
        let undeclared: Vec<UserId> = without(members, declared).collect();
        if !undeclared.is_empty() {
            self.undeclared.push((entry.pipe.clone(), undeclared));
        }
    }
}

/// Returns why the new plan has no change for a declared room of the saved plan.
fn not_planned(entry: &SavedChange, new: &Plan) -> SkipReason {
    let conflict = new.conflicts.iter().find(|it| it.pipe == entry.pipe);
    let Some(conflict) = conflict else {
        return SkipReason::UpToDate;
    };
    let reason = match &conflict.kind {
        ConflictKind::Several(_) => "more than one live room has this pipe",
        ConflictKind::Deleted(_) => {
            "only a deleted room has this pipe; --allow-recreate recreates it"
        }
        ConflictKind::NotListed(_) => {
            "not listed: a JWT may show only one user's rooms; read with the secret key"
        }
        ConflictKind::Vanished(_) => {
            "the ledger has the room, but the list does not; --allow-recreate recreates it"
        }
    };
    SkipReason::Stale(reason.to_owned())
}

/// Returns the part of a change that a saved plan approves, or why the saved plan is stale.
fn narrow(entry: &SavedChange, change: &Change, inputs: Inputs<'_>) -> Result<Change, String> {
    let live: Vec<&LiveRoom> = inputs.observed.live(&change.pipe).collect();
    let is_begun = matches!(live.as_slice(), [room] if is_begun(entry, room, inputs.recorded));
    if !is_begun {
        check_live(entry, change, &live)?;
    }
    if change.recreate != entry.recreate {
        let reason = "the saved plan and this run differ on whether the room is recreated";
        return Err(reason.to_owned());
    }
    let differs = |field: &Field| change.send.value(*field) != entry.send.value(*field);
    if let Some(field) = Field::ALL.into_iter().find(differs) {
        let name = field.name();
        return Err(format!("the saved plan has another value for `{name}`"));
    }
    let mut narrowed = change.clone();
    match (&entry.welcome, &change.welcome) {
        (Some(saved), Some(new)) if saved == new => {}
        // Another run sent the welcome, or the manifest no longer has one.
        (_, None) if !change.is_create() => {}
        (None, Some(_)) if !change.is_create() => narrowed.welcome = None,
        (None, None) => {}
        _ => return Err("the saved plan has a different welcome".to_owned()),
    }
    let is_approved = |user: &UserId| entry.members.binary_search(user).is_ok();
    for members in [&mut narrowed.members.new, &mut narrowed.members.unknown] {
        // Usually all are approved, and the list stays shared.
        if !members.iter().all(is_approved) {
            *members = members.iter().copied().filter(is_approved).collect();
        }
    }
    Ok(narrowed)
}

/// Checks that the list shows the room as it was when the plan was saved.
fn check_live(entry: &SavedChange, change: &Change, live: &[&LiveRoom]) -> Result<(), String> {
    if entry.digest == change.digest && entry.id == change.room_id {
        return Ok(());
    }
    let reason = match (live, entry.id) {
        ([], Some(_)) => "the room is gone",
        ([], None) => "the deleted rooms with this pipe have changed",
        ([_], None) => "a room with this pipe exists now",
        ([_], Some(_)) => "the room has changed on the server",
        _ => "more than one live room has this pipe",
    };
    Err(reason.to_owned())
}

/// Whether an earlier run already wrote the saved fields. This is so if the list shows these
/// fields, and the room has the saved id or was created by roomform.
fn is_begun(entry: &SavedChange, room: &LiveRoom, recorded: &Recorded) -> bool {
    let is_ours = match entry.id {
        Some(id) => id == room.id,
        None => {
            recorded.rooms.contains_key(&room.id)
                || recorded.owed.contains_key(&entry.pipe)
                || recorded.open.contains_key(&entry.pipe)
        }
    };
    is_ours
        && Field::ALL
            .into_iter()
            .all(|field| room.state.value(field) == entry.send.value(field))
}
