//! The JSON formats. They are versioned and separate from the model, so that the model can change
//! without breaking readers.
//!
//! Main types: [`PlanDocument`], [`DiffDocument`], [`ReportDocument`], whose JSON Schemas are committed in `schema/`, and [`Document`]
//! for outputs without a schema.

#[macro_use]
mod define;

mod change;
mod diff;
mod doctor;
mod documents;
mod plan;
mod read;
mod report;
mod todo;

pub use diff::DiffDocument;
pub use doctor::DoctorDocument;
pub use documents::{
    DiagnosticDocument, Document, check, diagnostics, explained, failure, history, ledger, sent,
};
pub use plan::PlanDocument;
pub use read::{SavedPlanError, read_plan};
pub use report::ReportDocument;
pub use todo::TodoDocument;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::error::Exit;
use crate::model::{Target, UserId, UserNames};
use crate::plan::{Change, ManualSteps};

/// The version of every document. It increases when a field is removed or changes its meaning.
pub const FORMAT: u32 = 1;

define_documents! {
    /// The first fields of every document.
    struct Header(kind: &'static str, exit: Exit) {
        /// The version of the document format; at present 1.
        format: u32 = FORMAT,
        /// The type of the document, such as `plan`.
        kind: &'static str = kind,
        /// The exit code of the run that wrote the document.
        exit: u8 = exit.code(),
    }

    /// A widget on a server.
    #[derive(Deserialize)]
    struct TargetDocument(target: &Target) {
        /// The server's scheme, host, port and path, or `sandbox:`.
        origin: String = target.origin.clone(),
        widget: u64 = target.widget.0,
    }
}

/// Items, and the function that turns an item into a document. Each document is dropped once it
/// is written, because all the documents together need more memory than the items.
#[derive(Debug)]
struct Documents<I: IntoIterator, D>(I, fn(I::Item) -> D);

impl<I: IntoIterator + Clone, D: Serialize> Serialize for Documents<I, D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone().into_iter().map(self.1))
    }
}

/// Returns the known names of these users, by id.
fn names(users: impl Iterator<Item = UserId>, names: &UserNames) -> BTreeMap<u64, String> {
    let named = users.filter_map(|user| Some((user.0, names.get(&user)?.clone())));
    named.collect()
}

/// Returns the users that occur in changes and manual steps.
fn named_users<'a>(
    changes: &'a [Change],
    manual_steps: &'a [ManualSteps],
) -> impl Iterator<Item = UserId> {
    let changes = changes.iter().flat_map(|change| {
        let from = change.welcome.as_ref().map(|welcome| welcome.from);
        change.members.sent().chain(from)
    });
    let steps = manual_steps.iter().flat_map(|room| {
        let earlier = room.previously_removed.iter().map(|step| step.user);
        room.newly_removed.iter().copied().chain(earlier)
    });
    changes.chain(steps)
}

/// Returns the JSON Schema of a document.
pub fn schema<T: JsonSchema>() -> Value {
    let settings = schemars::generate::SchemaSettings::draft07();
    settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}
