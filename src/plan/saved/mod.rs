//! A plan as a file: versioned, checked for changes, the same bytes for the same plan on any machine.
//!
//! Text in, text out; reading and writing files is the caller's. It holds no credential, and no time.

mod body;
mod change;
mod lines;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use self::lines::Body;
use super::change::Plan;

/// The version of the format.
const VERSION: u32 = 1;

/// Why a text is no saved plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SavedError {
    /// It is something else.
    #[error("it is not a saved plan")]
    NotAPlan,
    /// A newer roomform wrote it.
    #[error("it has format {0}, this roomform reads format {VERSION}")]
    Version(u32),
    /// It is not as it was written.
    #[error("it was changed after it was saved")]
    Changed,
}

#[derive(Debug, Serialize, Deserialize)]
struct Envelope {
    format: u32,
    kind: String,
    /// SHA-256 over `plan` as compact JSON.
    checksum: String,
    plan: serde_json::Value,
}

/// The text of a plan's file; `ledger` is the relative path of the one it was made with.
///
/// # Errors
/// If it cannot be written as JSON, which no plan can cause.
pub fn save(plan: &Plan, ledger: Option<&str>) -> Result<String, serde_json::Error> {
    let body = serde_json::to_value(Body {
        ledger: ledger.map(ToOwned::to_owned),
        ..Body::from(plan)
    })?;
    let envelope = Envelope {
        format: VERSION,
        kind: "saved_plan".to_owned(),
        checksum: checksum(&body)?,
        plan: body,
    };
    serde_json::to_string_pretty(&envelope).map(|text| text + "\n")
}

/// The plan in a text, and the ledger it was made with. Nothing refuses it yet: what guards against it has to be allowed again.
///
/// # Errors
/// [`SavedError`].
pub fn restore(text: &str) -> Result<(Plan, Option<String>), SavedError> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|_| SavedError::NotAPlan)?;
    if value.get("kind").and_then(serde_json::Value::as_str) != Some("saved_plan") {
        return Err(SavedError::NotAPlan);
    }
    let envelope: Envelope = serde_json::from_value(value).map_err(|_| SavedError::Changed)?;
    if envelope.format != VERSION {
        return Err(SavedError::Version(envelope.format));
    }
    let sum = checksum(&envelope.plan).map_err(|_| SavedError::Changed)?;
    if sum != envelope.checksum {
        return Err(SavedError::Changed);
    }
    let mut body: Body = serde_json::from_value(envelope.plan).map_err(|_| SavedError::Changed)?;
    let ledger = body.ledger.take();
    let plan = Plan::try_from(body).map_err(|_| SavedError::Changed)?;
    Ok((plan, ledger))
}

fn checksum(body: &serde_json::Value) -> Result<String, serde_json::Error> {
    let hash = Sha256::digest(serde_json::to_vec(body)?);
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}
