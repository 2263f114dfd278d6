//! Applies a plan. Writes rooms concurrently, with each room's calls in order; then verifies the
//! writes against the list; then sends welcomes.
//!
//! Main function: [`apply`], which returns an [`Outcome`]. It does only what is in the plan. It
//! prints nothing, and reports progress as [`Event`]s.

mod attempts;
mod baseline;
mod control;
mod job;
mod limiter;
mod outcome;
mod reconcile;
mod run;
mod send_calls;
mod verify;
mod welcome;

pub use baseline::facts_of_counts;
pub use control::{Backoff, Control, Halt, Interrupt, Patience};
pub use job::Job;
pub use limiter::Limiter;
pub use outcome::{Doubt, Event, Outcome, RoomOutcome, Status};
pub use run::apply;
