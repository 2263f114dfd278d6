//! Members to remove manually: those who left with this plan, and those who left in earlier runs.

use std::collections::BTreeMap;
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
    /// Its title in the manifest, or the one last sent.
    pub title: String,
    /// The file and line that declare it, if any does.
    pub place: Option<(Arc<str>, u32)>,
    /// Recorded members who left the manifest since the last apply.
    pub newly_removed: Vec<UserId>,
    /// Members that left in an earlier run.
    pub previously_removed: Vec<OpenStep>,
}

/// The removal of one member, recorded by an earlier run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenStep {
    /// The member.
    pub user: UserId,
    /// Why the member does not belong in the room.
    pub reason: LeaveReason,
    /// When the run recorded that the member left.
    pub since: Time,
    /// Calendar days since then, in UTC.
    pub age: u64,
    /// That run.
    pub run: Arc<str>,
}

named_enum! {
    /// Why a member does not belong in a room.
    pub enum LeaveReason {
        /// No longer in the manifest.
        Left = "left",
        /// Excluded by the manifest.
        Excluded = "excluded",
    }
}

/// Returns the members of a declared room to remove manually.
pub(super) fn manual_steps(
    desired: &Desired,
    room: &DesiredRoom,
    id: RoomId,
    record: &RecordedRoom,
) -> Option<ManualSteps> {
    let declared = || room.members.iter().map(|member| member.user);
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

/// Returns the open manual steps of all recorded rooms, as recorded by earlier runs.
pub fn open_steps(desired: &Desired, recorded: &Recorded) -> Vec<ManualSteps> {
    let rooms = recorded.ids.iter().filter_map(|(pipe, id)| {
        let (room, record) = (desired.rooms.get(pipe), recorded.rooms.get(id)?);
        let steps = open_steps_of(room, &record.released, desired.today);
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

fn place_of(desired: &Desired, room: &DesiredRoom) -> Option<(Arc<str>, u32)> {
    Some((desired.file_name(room.place), room.place.line))
}

/// Returns the open steps of a room. A member who is declared again is not one.
fn open_steps_of(
    room: Option<&DesiredRoom>,
    released: &BTreeMap<UserId, Release>,
    today: Date,
) -> Vec<OpenStep> {
    let gone = released
        .iter()
        .filter(|(user, _)| !room.is_some_and(|room| room.has_member(**user)));
    let steps = gone.map(|(user, release)| OpenStep {
        user: *user,
        reason: match room.is_some_and(|room| room.exclude.contains(user)) {
            true => LeaveReason::Excluded,
            false => LeaveReason::Left,
        },
        since: release.since,
        age: today.days_since(release.since.day()),
        run: Arc::clone(&release.run),
    });
    steps.collect()
}

/// Whether the users are exactly the room's declared members, which is the usual case.
pub(super) fn is_exactly_declared(room: &DesiredRoom, users: &UserSet) -> bool {
    let declared = room.members.iter().map(|member| &member.user);
    users.len() == room.members.len() && users.iter().eq(declared)
}

/// Returns the elements that are not in the other sequence. Both are sorted and without duplicates.
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
