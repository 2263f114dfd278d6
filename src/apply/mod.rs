//! Applies a plan: writes rooms concurrently, with each room's calls in order, then verifies the list, then sends welcomes.
//!
//! Main function: [`apply`], which returns an [`Outcome`]. It does only what is in the plan, and prints nothing: it reports
//! progress as [`Event`]s.

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
