//! The JSON formats: versioned structs of their own, so that the model can change without breaking readers.
//!
//! Main types: [`PlanDocument`], [`DiffDocument`], [`ReportDocument`], [`ErrorDocument`], [`CheckDocument`]. The JSON Schemas are
//! committed in `schema/`.

mod change;
mod diff;
mod doctor;
mod documents;
mod explained;
mod ledger;
mod plan;
mod read;
mod report;
mod sent;

pub use diff::DiffDocument;
pub use doctor::DoctorDocument;
pub use documents::{CheckDocument, DiagnosticDocument, ErrorDocument, diagnostics};
pub use explained::ExplainDocument;
pub use ledger::LedgerDocument;
pub use plan::PlanDocument;
pub use read::{SavedPlanError, read_plan};
pub use report::ReportDocument;
pub use sent::SentDocument;

/// The version of every document. It grows when a field changes its meaning or is removed.
pub const FORMAT: u32 = 1;

/// The JSON Schema of a document.
pub fn schema<T: schemars::JsonSchema>() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft07();
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}
