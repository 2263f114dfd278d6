//! Open manual steps as a document.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Header, TargetDocument};
use crate::error::Exit;
use crate::model::{Pipe, Target, UserNames};
use crate::plan::{LeaveReason, ManualSteps, OpenStep};

/// The manual steps that earlier runs caused and that are not done, by pipe and user.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "roomform todo")]
pub struct TodoDocument {
    #[serde(flatten)]
    header: Header,
    #[serde(flatten)]
    target: TargetDocument,
    steps: Vec<TodoStepDocument>,
    /// Recorded rooms that the manifest no longer declares.
    undeclared: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TodoStepDocument {
    pipe: String,
    room_id: u64,
    /// The title in the manifest, or the one last sent.
    title: String,
    /// The user's name, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(flatten)]
    step: OpenStepDocument,
}

/// A member to remove.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct OpenStepDocument {
    user: u64,
    /// `left` (no longer in the manifest) or `excluded`.
    reason: &'static str,
    /// When a run recorded that the member left. In UTC.
    since: String,
    /// Calendar days since then.
    age_days: u64,
    /// The id of the run that recorded it.
    run: String,
}

impl OpenStepDocument {
    pub(super) fn new(step: &OpenStep) -> Self {
        Self {
            user: step.user.0,
            reason: match step.reason {
                LeaveReason::Left => "left",
                LeaveReason::Excluded => "excluded",
            },
            since: step.since.to_string(),
            age_days: step.age,
            run: step.run.to_string(),
        }
    }
}

impl TodoDocument {
    /// Builds the document of open steps.
    pub fn new(
        target: &Target,
        rooms: &[ManualSteps],
        undeclared: &[Pipe],
        names: &UserNames,
    ) -> Self {
        let steps = rooms.iter().flat_map(|room| {
            room.previously_removed.iter().map(|step| TodoStepDocument {
                pipe: room.pipe.to_string(),
                room_id: room.id.0,
                title: room.title.clone(),
                name: names.get(&step.user).cloned(),
                step: OpenStepDocument::new(step),
            })
        });
        Self {
            header: Header::new("todo", Exit::Done),
            target: TargetDocument::new(target),
            steps: steps.collect(),
            undeclared: undeclared.iter().map(ToString::to_string).collect(),
        }
    }
}
