//! The machine formats: versioned structs of their own, so that the model can change without breaking a reader.
//!
//! Main types: [`PlanDocument`], [`DiffDocument`], [`ReportDocument`], [`ErrorDocument`], [`CheckDocument`]. Their schemas are committed in `schema/`.

mod change;
mod diff;
mod doctor;
mod documents;
mod explained;
mod ledger;
mod plan;
mod read;
mod report;
mod rows;
mod sent;

pub use diff::DiffDocument;
pub use doctor::DoctorDocument;
pub use documents::{CheckDocument, DiagnosticDocument, ErrorDocument, diagnostics};
pub use explained::ExplainDocument;
pub use ledger::LedgerDocument;
pub use plan::PlanDocument;
pub use read::{SavedPlanError, read_plan};
pub use report::ReportDocument;
pub use rows::rows;
pub use sent::SentDocument;

use serde::Serialize;

use crate::render::escape;

/// The version of every document here; it grows when a field changes its meaning or goes.
pub const FORMAT: u32 = 1;

/// A document as text, ending with a line break. Characters that could steer a terminal or a CI log are written as JSON escapes.
///
/// # Errors
/// If it cannot be written as JSON, which no document here can cause.
pub fn text(document: &impl Serialize) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string_pretty(document)?;
    let lines = text.lines().map(|line| escape::json(line) + "\n");
    Ok(lines.collect())
}

/// The JSON Schema of a document.
pub fn schema<T: schemars::JsonSchema>() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft07();
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}
