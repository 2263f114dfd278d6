//! Members to remove manually: those who left the manifest since the last apply, and those whom
//! earlier runs recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{
    Date, Desired, DesiredRoom, Pipe, Recorded, RecordedRoom, Release, RoomId, Time, UserId,
    UserSet, named_enum,
};

/// Members that left the manifest or are now excluded, and may still be in the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualSteps {
    /// The room.
    pub pipe: Pipe,
    /// Its id.
    pub id: RoomId,
    /// The title of the room in the manifest or, if it is not declared, the title that was last
    /// sent.
    pub title: String,
    /// The file and line that declare the room; `None` if it is not declared.
    pub place: Option<(Arc<str>, u32)>,
    /// Recorded members who left the manifest since the last apply.
    pub newly_removed: Vec<UserId>,
    /// Members that left the manifest in an earlier run.
    pub previously_removed: Vec<OpenStep>,
}

/// A manual step that an earlier run recorded: one member who must still be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenStep {
    /// The member to remove.
    pub user: UserId,
    /// Why the member does not belong in the room.
    pub reason: LeaveReason,
    /// When the earlier run recorded that the member left.
    pub since: Time,
    /// Calendar days from `since` to today, in UTC.
    pub age: u64,
    /// The run that recorded that the member left.
    pub run: Arc<str>,
}

/// A room that left the manifest in an earlier run. Someone must delete it manually, because
/// the API cannot delete rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftRoom {
    /// The room.
    pub pipe: Pipe,
    /// Its id.
    pub id: RoomId,
    /// The title last sent.
    pub title: String,
    /// The known members.
    pub members: Vec<UserId>,
    /// Which earlier run recorded that the room left, and when.
    pub release: Release,
    /// Calendar days from the time of `release` to today, in UTC.
    pub age: u64,
}

/// The manual steps that have been open for too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overdue {
    /// The age in days from which a step is overdue.
    pub days: u64,
    /// The number of overdue steps.
    pub steps: usize,
    /// Their rooms.
    pub rooms: BTreeSet<Pipe>,
}

named_enum! {
    /// Why a member does not belong in a room.
    pub enum LeaveReason {
        /// No longer in the manifest.
        Left = "left",
        /// Excluded by the manifest.
        Excluded = "excluded",
        /// The room is no longer in the manifest.
        RoomLeft = "room_left",
    }
}

/// Returns the members of a declared room that must be removed manually.
pub(super) fn manual_steps(
    desired: &Desired,
    room: &DesiredRoom,
    id: RoomId,
    record: &RecordedRoom,
) -> Option<ManualSteps> {
    let declared = || room.members.iter().copied();
    let newly_removed = match is_exactly_declared(room, &record.members) {
        true => Vec::new(),
        false => without(record.members.iter().copied(), declared()).collect(),
    };
    let previously_removed = open_steps_of(Some(room), &record.released, desired.today);
    (!newly_removed.is_empty() || !previously_removed.is_empty()).then(|| ManualSteps {
        pipe: room.pipe.clone(),
        id,
        title: room.state.title.clone(),
        place: place_of(desired, room),
        newly_removed,
        previously_removed,
    })
}

/// Returns the manual steps that earlier runs recorded and that are still open, in all recorded
/// rooms. If users are given, returns only the steps for these users, and adds a step for each
/// of these users who is a recorded member of a room that left the manifest.
pub fn open_steps(desired: &Desired, recorded: &Recorded, users: &[UserId]) -> Vec<ManualSteps> {
    let rooms = recorded.ids.iter().filter_map(|(pipe, id)| {
        let (room, record) = (desired.rooms.get(pipe), recorded.rooms.get(id)?);
        let mut steps = open_steps_of(room, &record.released, desired.today);
        if let (None, Some(left)) = (room, recorded.left.get(pipe)) {
            let inside = users.iter().filter(|user| record.members.contains(user));
            steps
                .extend(inside.map(|user| step(*user, LeaveReason::RoomLeft, left, desired.today)));
        }
        steps.retain(|step| users.is_empty() || users.contains(&step.user));
        let state = room.map(|room| &room.state).or(record.sent.as_ref());
        (!steps.is_empty()).then(|| ManualSteps {
            pipe: pipe.clone(),
            id: *id,
            title: state.map(|state| state.title.clone()).unwrap_or_default(),
            place: room.and_then(|room| place_of(desired, room)),
            newly_removed: Vec::new(),
            previously_removed: steps,
        })
    });
    rooms.collect()
}

/// Returns the pipes on record that the manifest does not declare.
pub(super) fn undeclared<'a>(desired: &'a Desired, recorded: &'a Recorded) -> Vec<&'a Pipe> {
    without(recorded.ids.keys(), desired.rooms.keys()).collect()
}

/// Returns the rooms that left the manifest in earlier runs.
pub fn left_rooms<'a>(
    desired: &'a Desired,
    recorded: &'a Recorded,
) -> impl Iterator<Item = LeftRoom> {
    let left = recorded.left.iter();
    let left = left.filter(|(pipe, _)| !desired.rooms.contains_key(*pipe));
    left.filter_map(|(pipe, release)| {
        let id = *recorded.ids.get(pipe)?;
        let record = recorded.rooms.get(&id);
        let sent = record.and_then(|record| record.sent.as_ref());
        let members = record.map(|record| record.members.iter().copied().collect());
        Some(LeftRoom {
            pipe: pipe.clone(),
            id,
            title: sent.map(|sent| sent.title.clone()).unwrap_or_default(),
            members: members.unwrap_or_default(),
            release: release.clone(),
            age: desired.today.days_since(release.since.day()),
        })
    })
}

/// Returns the room and the age of each open step.
pub fn ages<'a>(
    rooms: &'a [ManualSteps],
    left: &'a [LeftRoom],
) -> impl Iterator<Item = (&'a Pipe, u64)> {
    let members = rooms.iter().flat_map(|room| {
        let steps = room.previously_removed.iter();
        steps.map(|step| (&room.pipe, step.age))
    });
    members.chain(left.iter().map(|room| (&room.pipe, room.age)))
}

fn place_of(desired: &Desired, room: &DesiredRoom) -> Option<(Arc<str>, u32)> {
    Some((desired.file_name(room.place), room.place.line))
}

/// Returns the open steps of a room. A member who is declared again has no open step.
fn open_steps_of(
    room: Option<&DesiredRoom>,
    released: &BTreeMap<UserId, Release>,
    today: Date,
) -> Vec<OpenStep> {
    let gone = released
        .iter()
        .filter(|(user, _)| !room.is_some_and(|room| room.has_member(**user)));
    let reason = |user| match room.is_some_and(|room| room.exclude.contains(user)) {
        true => LeaveReason::Excluded,
        false => LeaveReason::Left,
    };
    let steps = gone.map(|(user, release)| step(*user, reason(user), release, today));
    steps.collect()
}

fn step(user: UserId, reason: LeaveReason, release: &Release, today: Date) -> OpenStep {
    OpenStep {
        user,
        reason,
        since: release.since,
        age: today.days_since(release.since.day()),
        run: Arc::clone(&release.run),
    }
}

/// Whether the users are exactly the room's declared members, which is the usual case.
pub(super) fn is_exactly_declared(room: &DesiredRoom, users: &UserSet) -> bool {
    users.iter().as_slice() == &*room.members
}

/// Returns the elements of `some` that are not in the other sequence. Both are sorted and have no
/// duplicates.
pub(super) fn without<T: Ord>(
    some: impl Iterator<Item = T>,
    others: impl Iterator<Item = T>,
) -> impl Iterator<Item = T> {
    let mut others = others.peekable();
    some.filter(move |one| {
        while others.next_if(|other| other < one).is_some() {}
        others.peek() != Some(one)
    })
}
