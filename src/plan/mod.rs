//! Compares desired, observed and recorded state. Shows what a run would do, what it cannot do, and
//! what is unknown.
//!
//! Main type: [`Plan`], computed by [`plan`]. This module is pure: it uses no network, files,
//! environment or clock.
//! Layers: the plan as data (`change`, `findings`), `filter`, `diff`, `guards`, `staleness`.

mod adopt;
mod baseline;
mod change;
mod count;
mod count_evidence;
mod diff;
mod digest;
mod filter;
mod findings;
mod guards;
mod manifest_diff;
mod manual_steps;
mod publish;
mod rename;
mod staleness;
mod unseen;

pub use adopt::{Adopted, Adoption, adoption};
pub use baseline::{Baseline, counts_to_record};
pub use change::{CHUNK, Change, ChangedBy, FieldChange, Members, Plan, Summary};
pub use count::{Counting, NextSizes, SizeAnswer, countable};
pub use count_evidence::{Countable, IMPOSSIBLE};
pub use digest::Digest;
pub use filter::{Allow, Inputs, PlanOptions, RoomFilter, RowFilter, Shard};
pub use findings::{Conflict, ConflictKind, LimitKind, MemberTally, Note, ShownField, Violation};
pub use guards::plan;
pub use manifest_diff::{Difference, ManifestDiff, People, Removed, RoomDifference, Side, compare};
pub use manual_steps::{
    LeaveReason, LeftRoom, ManualSteps, OpenStep, Overdue, ages, left_rooms, open_steps,
};
pub use publish::{Publish, PublishPermit};
pub use staleness::{Approved, SavedChange, SavedPlan, SkipReason, Skipped, select};
pub use unseen::wait_for_confirmed;
