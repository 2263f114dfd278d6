//! Everything that is text for people or a document for machines: views, mistakes, lists.
//!
//! Main types: [`Paint`] (colour or not) and the writers. It computes nothing that is not shown.

mod adoption;
pub mod diagnostics;
mod doctor;
pub mod escape;
mod explained;
mod failed;
pub mod github;
pub mod html;
mod ledger;
pub mod log;
pub mod markdown;
mod paint;
mod progress;
mod resolved;
pub mod rows;
pub mod sarif;
mod sent;
mod text;
mod unified;
mod yaml;

pub use adoption::adoption;
pub use doctor::doctor;
pub use explained::explained;
pub use failed::failed;
pub use ledger::ledger;
pub use paint::Paint;
pub use progress::{EVERY, Progress};
pub use resolved::{manifest, members};
pub use sent::{Sent, sent};
pub use text::{briefly, outcome, plan, sentence, write};
pub use unified::unified;

pub use crate::view::{Count, few};
