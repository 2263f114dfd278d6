//! Applies a plan: writes rooms concurrently, with each room's calls in order, then verifies the list, then sends welcomes.
//!
//! Main function: [`apply`], which returns an [`Outcome`]. It does only what is in the plan, and prints nothing: it reports
//! progress as [`Event`]s.

mod attempts;
mod baseline;
mod control;
mod create_claim;
mod job;
mod limiter;
mod outcome;
mod patience;
mod reconcile;
mod run;
mod send_calls;
mod verify;
mod welcome;

pub use baseline::facts_of_counts;
pub use control::{Control, Halt, Interrupt};
pub use job::Job;
pub use limiter::Limiter;
pub use outcome::{Doubt, Event, Outcome, RoomOutcome, Status};
pub use patience::{Backoff, Patience};
pub use run::apply;
