//! Reads what a saved plan approves; the rest of the document is for people.

use serde::Deserialize;

use super::FORMAT;
use super::change::{StateDocument, read_state};
use crate::model::{Pipe, RoomId, Target, UserId, Welcome, WidgetId};
use crate::plan::{Digest, SavedChange, SavedPlan};

/// Why a text is not a saved plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SavedPlanError {
    /// It is something else.
    #[error("not a saved plan")]
    NotAPlan,
    /// Another version of roomform wrote it.
    #[error("the plan has format {0}, but this roomform reads format {FORMAT}")]
    Format(u64),
    /// It is damaged.
    #[error("the plan is damaged: {0}")]
    Damaged(String),
}

#[derive(Debug, Deserialize)]
struct PlanText {
    target: TargetText,
    ledger: Option<String>,
    changes: Vec<ChangeText>,
}

#[derive(Debug, Deserialize)]
struct TargetText {
    origin: String,
    widget: u64,
}

#[derive(Debug, Deserialize)]
struct ChangeText {
    pipe: String,
    room_id: Option<u64>,
    recreate: bool,
    send: StateDocument,
    members: MembersText,
    welcome: Option<WelcomeText>,
    live_digest: String,
}

#[derive(Debug, Deserialize)]
struct MembersText {
    new: Vec<u64>,
    unverified: Vec<u64>,
}

#[derive(Debug, Deserialize)]
struct WelcomeText {
    from: u64,
    text: String,
}

/// What the document of a plan approves.
///
/// # Errors
/// [`SavedPlanError`].
pub fn read_plan(text: &str) -> Result<SavedPlan, SavedPlanError> {
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|_| SavedPlanError::NotAPlan)?;
    if value.get("kind").and_then(serde_json::Value::as_str) != Some("plan") {
        return Err(SavedPlanError::NotAPlan);
    }
    match value.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format != u64::from(FORMAT) => {
            return Err(SavedPlanError::Format(format));
        }
        Some(_) => {}
        None => return Err(SavedPlanError::NotAPlan),
    }
    let plan: PlanText = serde_json::from_value(value)
        .map_err(|error| SavedPlanError::Damaged(error.to_string()))?;
    let changes = plan.changes.into_iter().map(change);
    Ok(SavedPlan {
        target: Target {
            origin: plan.target.origin,
            widget: WidgetId(plan.target.widget),
        },
        ledger: plan.ledger,
        changes: changes
            .collect::<Result<_, _>>()
            .map_err(SavedPlanError::Damaged)?,
    })
}

fn change(text: ChangeText) -> Result<SavedChange, String> {
    let MembersText { new, unverified } = text.members;
    Ok(SavedChange {
        pipe: Pipe::new(text.pipe),
        id: text.room_id.map(RoomId),
        recreate: text.recreate,
        digest: Digest::from_hex(&text.live_digest)
            .ok_or_else(|| format!("`{}` is not a digest", text.live_digest))?,
        send: read_state(text.send)?,
        members: new.into_iter().chain(unverified).map(UserId).collect(),
        welcome: text.welcome.map(|WelcomeText { from, text }| Welcome {
            from: UserId(from),
            text,
        }),
    })
}
