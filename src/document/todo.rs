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
        /// Rooms that left the manifest and are to be deleted, or kept and forgotten.
        left_rooms: Vec<LeftRoomDocument> = left.iter().map(LeftRoomDocument::new).collect(),
    }

    struct LeftRoomDocument(room: &LeftRoom) {
        pipe: String = room.pipe.to_string(),
        room_id: u64 = room.id.0,
        /// The title last sent.
        title: String = room.title.clone(),
        /// The known members.
        members: Vec<u64> = users(&room.members),
        /// When a run recorded that the room left. In UTC.
        since: String = room.release.since.to_string(),
        /// Calendar days since then.
        age_days: u64 = room.age,
        /// The id of the run that recorded it.
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
        /// When a run recorded that the member left (UTC).
        since: String = step.since.to_string(),
        /// Calendar days since then.
        age_days: u64 = step.age,
        /// The id of the run that recorded it.
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
