//! Everything that is text for people or a document for machines: plans, outcomes, mistakes.
//!
//! Main types: [`Paint`] (colour or not) and the writers. It computes nothing that is not shown.

mod adoption;
pub(crate) mod compared;
mod danger;
pub mod diagnostics;
mod doctor;
pub mod escape;
mod explained;
mod failed;
pub mod github;
pub mod html;
mod ledger;
mod line;
pub mod log;
pub mod markdown;
pub(crate) mod outcome;
mod paint;
mod plan;
mod progress;
mod resolved;
mod result;
pub mod rows;
pub mod sarif;
pub(crate) mod sections;
mod sent;
mod title;
mod unified;
mod words;
mod yaml;

pub use adoption::adoption;
pub use doctor::doctor;
pub use explained::explained;
pub use failed::failed;
pub use ledger::ledger;
pub use outcome::{briefly, hints, outcome};
pub use paint::Paint;
pub use plan::{plan, verdict};
pub use progress::{EVERY, Progress};
pub use resolved::{manifest, members};
pub use sections::lifted_by;
pub use sent::{Sent, sent};
pub use unified::unified;
pub use words::{Count, few};
