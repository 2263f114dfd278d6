//! Applies a plan. Writes rooms concurrently, with each room's calls in order; then verifies the
//! writes against the list; then sends welcomes.
//!
//! Main function: [`apply`], which returns an [`Outcome`]. It does only what is in the plan. It
//! prints nothing, and reports progress as [`Event`]s.

mod attempts;
mod baseline;
mod job;
mod limiter;
mod outcome;
mod reconcile;
mod run;
mod send_calls;
mod verify;
mod welcome;

pub use baseline::facts_of_counts;
pub use job::{Backoff, Control, Interrupt, Job, Patience};
pub use limiter::Limiter;
pub use outcome::{Doubt, Event, Halt, Outcome, RoomOutcome, Status};
pub use run::apply;
