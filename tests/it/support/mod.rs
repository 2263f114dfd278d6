//! What tests are made of: a directory, a run of the program with a scrubbed environment, servers that end with their test.

mod api;
mod canned;
mod scene;

pub use api::{Api, deaf, runtime};
pub use canned::Canned;
pub use scene::{Ran, Scene, Shows, live_room};
