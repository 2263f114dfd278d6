//! Everything that is text for people or a document for machines: plans, outcomes, mistakes.
//!
//! Main types: [`Paint`] (colour or not) and, in [`json`], the versioned documents. It computes nothing that is not shown.

pub mod diagnostics;
pub mod escape;
pub mod json;
mod outcome;
mod paint;
mod plan;
mod sections;
mod title;
mod words;

pub use outcome::outcome;
pub use paint::Paint;
pub use plan::{plan, verdict};
pub use words::Count;
