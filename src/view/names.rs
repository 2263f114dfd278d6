//! Formats users: `tutor (5)` if a name is known. Names are untrusted, and the writers escape them.

use super::NAMED;
use super::grammar::few;
pub use crate::model::user_with_name as user;
use crate::model::{UserId, UserNames};
use crate::plan::{Change, ManualSteps};

/// Lists the first users, then says how many more there are. The result is not escaped.
pub fn users(users: &[UserId], names: &UserNames) -> String {
    few(users.iter().map(|it| user(*it, names)), NAMED)
}

/// Returns the users that occur in changes and manual steps.
pub fn named_users<'a>(
    changes: &'a [Change],
    manual_steps: &'a [ManualSteps],
) -> impl Iterator<Item = UserId> {
    let changes = changes.iter().flat_map(|change| {
        let from = change.welcome.as_ref().map(|welcome| welcome.from);
        change.members.sent().chain(from)
    });
    let steps = manual_steps.iter().flat_map(|room| {
        let earlier = room.previously_removed.iter().map(|step| step.user);
        room.newly_removed.iter().copied().chain(earlier)
    });
    changes.chain(steps)
}
