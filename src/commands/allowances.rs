//! The flags that lift what guards against a plan: a saved one keeps none of them.

use super::Console;
use crate::plan::{Plan, Refusal};
use crate::view::flag_that_lifts;

/// Says after `plan --out` which flags `apply` needs once more.
pub(super) fn remind(plan: &Plan, console: &mut Console) {
    let lifted = plan.guards.iter();
    let lifted = flags(lifted.filter(|guard| !plan.refusals.contains(guard)));
    if !lifted.is_empty() {
        console.status(&format!(
            "what was allowed is not saved: an `apply` of this plan needs {lifted} again"
        ));
    }
}

/// The flags for some guards, each once.
fn flags<'g>(guards: impl Iterator<Item = &'g Refusal>) -> String {
    let mut flags: Vec<&str> = guards.map(flag_that_lifts).collect();
    flags.sort_unstable();
    flags.dedup();
    flags.join(" ")
}
