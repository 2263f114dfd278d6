//! A plan walked over the writing half: rooms side by side, each one's calls in order, then a look at what took.
//!
//! Main entry: [`apply`], which gives an [`Outcome`]. It does nothing that is not in the plan, and prints nothing: progress
//! goes out as [`Event`]s.

mod outcome;
mod room;
mod run;
mod verify;

pub use outcome::{Event, Outcome, RoomOutcome, Status};
pub use run::{Job, apply};
