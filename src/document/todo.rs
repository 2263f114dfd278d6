//! The JSON form of open manual steps.

use super::change::users;
use super::{Header, TargetDocument};
use crate::error::Exit;
use crate::model::{Target, UserNames};
use crate::plan::{LeftRoom, ManualSteps, OpenStep};

define_documents! {
    /// The manual steps that earlier runs recorded and that are still open, sorted by pipe and
    /// user.
    #[schemars(title = "roomform todo")]
    pub struct TodoDocument(
        target: &Target,
        rooms: &[ManualSteps],
        left: &[LeftRoom],
        names: &UserNames
    ) {
        #[serde(flatten)]
        header: Header = Header::new("todo", Exit::Done),
        #[serde(flatten)]
        target: TargetDocument = TargetDocument::new(target),
        steps: Vec<TodoStepDocument> = steps(rooms, names),
        /// Rooms that are no longer in the manifest. Each is to be deleted in ImbaChat, or kept
        /// there and removed from the ledger with `ledger forget`.
        left_rooms: Vec<LeftRoomDocument> = left.iter().map(LeftRoomDocument::new).collect(),
    }

    struct LeftRoomDocument(room: &LeftRoom) {
        pipe: String = room.pipe.to_string(),
        room_id: u64 = room.id.0,
        /// The title last sent.
        title: String = room.title.clone(),
        /// The known members.
        members: Vec<u64> = users(&room.members),
        /// When a run recorded that the room was no longer in the manifest (UTC).
        since: String = room.release.since.to_string(),
        /// Calendar days since the time in `since`.
        age_days: u64 = room.age,
        /// The id of the run that recorded that the room was no longer in the manifest.
        run: String = room.release.run.to_string(),
    }

    struct TodoStepDocument(room: &ManualSteps, step: &OpenStep, names: &UserNames) {
        pipe: String = room.pipe.to_string(),
        room_id: u64 = room.id.0,
        /// The room's title in the manifest, or else the title that was last sent.
        title: String = room.title.clone(),
        /// The user's name; absent if it is not known.
        name: Option<String> =? names.get(&step.user).cloned(),
        #[serde(flatten)]
        step: OpenStepDocument = OpenStepDocument::new(step),
    }

    /// A member to remove manually.
    pub(super) struct OpenStepDocument(step: &OpenStep) {
        user: u64 = step.user.0,
        /// `left` (no longer in the manifest), `excluded` or `room_left` (the room is no longer in the manifest).
        reason: &'static str = step.reason.name(),
        /// When a run recorded the manual step (UTC).
        since: String = step.since.to_string(),
        /// Calendar days since the time in `since`.
        age_days: u64 = step.age,
        /// The id of the run that recorded the manual step.
        run: String = step.run.to_string(),
    }
}

fn steps(rooms: &[ManualSteps], names: &UserNames) -> Vec<TodoStepDocument> {
    let steps = rooms.iter().flat_map(|room| {
        let steps = room.previously_removed.iter();
        steps.map(move |step| TodoStepDocument::new(room, step, names))
    });
    steps.collect()
}
