//! A plan walked over the writing half: rooms side by side, each one's calls in order, then a look at what took, then welcomes.
//!
//! Main entry: [`apply`], which gives an [`Outcome`]. It does nothing that is not in the plan, and prints nothing: progress
//! goes out as [`Event`]s.

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

pub use control::{Control, Halt};
pub use job::Job;
pub use limiter::Limiter;
pub use outcome::{Doubt, Event, Outcome, RoomOutcome, Status};
pub use run::apply;
