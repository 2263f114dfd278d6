//! Reads the parts of a saved plan that an apply uses. The rest of the document is for people.

use serde::Deserialize;
use serde_json::Value;

use super::change::ChangeDocument;
use super::{FORMAT, TargetDocument};
use crate::model::{Target, WidgetId};
use crate::plan::SavedPlan;

/// Why a text cannot be read as a saved plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SavedPlanError {
    /// The text is not a saved plan.
    #[error("not a saved plan")]
    NotAPlan,
    /// The plan was written by another version of roomform, in another format.
    #[error("the plan has format {0}, but this roomform reads format {FORMAT}")]
    Format(u64),
    /// The plan has missing or invalid fields.
    #[error("the plan is damaged: {0}")]
    Damaged(String),
}

#[derive(Debug, Deserialize)]
struct SavedPlanDocument {
    target: TargetDocument,
    ledger: Option<String>,
    changes: Vec<ChangeDocument>,
}

/// Reads the changes that a saved plan approves.
///
/// # Errors
/// [`SavedPlanError`] if the text is not a valid saved plan.
pub fn read_plan(text: &str) -> Result<SavedPlan, SavedPlanError> {
    let value: Value = serde_json::from_str(text).map_err(|_| SavedPlanError::NotAPlan)?;
    if value.get("kind").and_then(Value::as_str) != Some("plan") {
        return Err(SavedPlanError::NotAPlan);
    }
    match value.get("format").and_then(Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => {}
        Some(format) => return Err(SavedPlanError::Format(format)),
        None => return Err(SavedPlanError::NotAPlan),
    }
    let plan: SavedPlanDocument = serde_json::from_value(value)
        .map_err(|error| SavedPlanError::Damaged(error.to_string()))?;
    let changes = plan.changes.into_iter().map(ChangeDocument::read);
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
