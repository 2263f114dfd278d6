//! Desired against observed and recorded: what a run would do, what it cannot do, and what it does not know.
//!
//! Main type: [`Plan`], made by [`plan`]. Pure: no network, no file, no environment, no clock.

mod adopt;
mod change;
mod diff;
mod digest;
mod drift;
mod limits;
mod manifest_diff;
mod remarks;
mod rename;
mod saved;
mod select;
mod shard;
mod standing;
mod walk;

pub use adopt::{Adopted, Adoption, adoption};
pub use change::{Action, Change, Changed, FieldChange, Members, Plan, Summary};
pub use diff::{Switches, plan};
pub use digest::Digest;
pub use limits::Allow;
pub use manifest_diff::{Difference, ManifestDiff, People, Removed, RoomDifference, Side, compare};
pub use remarks::{
    ByHand, Conflict, ConflictKind, IgnoredField, LimitKind, Note, Refusal, Unverified,
};
pub use saved::{Approved, Inputs, SavedChange, SavedPlan, SkipReason, Skipped, select};
pub use select::{Interest, Selection};
pub use shard::Shard;
pub use standing::{SettledField, Standing, to_note};

/// Members sent in one call: PHP silently drops form variables past 1,000 (`api: fact 2`), so a call stays far below.
pub const CHUNK: usize = 200;
