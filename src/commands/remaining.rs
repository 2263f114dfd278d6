//! The changes that remain after an apply, and the members that are missing.

use std::collections::BTreeSet;

use super::interrupt;
use super::members::check_users;
use super::session::Session;
use crate::apply::{Halt, Outcome};
use crate::manifest::Loaded;
use crate::manifest::diagnostic::Diagnostic;
use crate::model::Pipe;
use crate::plan::{Inputs, Plan, PlanOptions, countable, plan};

impl Session {
    /// Computes the remaining plan from the list that was read to verify the writes. Also counts
    /// the members if the run counts them. Returns `None` if the plan cannot be computed.
    pub async fn plan_again(
        &self,
        loaded: &Loaded,
        options: &PlanOptions,
        outcome: &mut Outcome,
    ) -> Option<Plan> {
        // If the verification was interrupted, the list may lag, so it does not show what remains.
        let is_whole = outcome.halt != Some(Halt::Interrupted);
        let mut observed = outcome.observed.take().filter(|_| is_whole)?;
        // The sandbox also lists rooms that it failed to save, which the next run will not see.
        // `close` reports that failure.
        if let Some(sandbox) = &self.sandbox
            && sandbox.flush().await.is_err()
        {
            return None;
        }
        let snapshot = self.ledger.read(&self.target).await;
        let snapshot = snapshot.inspect_err(|error| match error.is_lost() {
            true => {
                outcome.halt.get_or_insert(Halt::Ledger {
                    reason: format!("{error}; {}", error.hint()),
                    is_lost: true,
                });
            }
            false => self.console.warn(&error.to_string()),
        });
        let recorded = snapshot.ok()?.into_recorded().without_later_observations();
        let (target, desired) = (&self.target, &loaded.desired);
        if let Some(limits) = self.count.filter(|_| outcome.halt.is_none()) {
            let inputs = Inputs::new(desired, &observed, &recorded);
            self.console.status("counting members");
            let all = countable(inputs, &options.only);
            let counts = limits.count_again(&self.reader, all, outcome, self.patience.verify);
            match interrupt::unless_interrupted(counts).await {
                None => outcome.halt = Some(Halt::Interrupted),
                Some(counts) => {
                    outcome.note_counts(&counts);
                    observed.counts = Some(counts);
                }
            }
        }
        Some(plan(target, desired, &observed, &recorded, options))
    }

    /// For each room with too few members, warns about its declared members whom the widget
    /// does not know.
    pub async fn find_unknown(&self, loaded: &Loaded, outcome: &mut Outcome) -> Vec<Diagnostic> {
        let short = outcome.rooms.iter().filter(|room| room.short.is_some());
        let short: BTreeSet<&Pipe> = short.map(|room| &room.pipe).collect();
        if short.is_empty() {
            return Vec::new();
        }
        let checked = check_users(&self.reader, loaded, |pipe| short.contains(pipe));
        match interrupt::unless_interrupted(checked).await {
            None => {
                outcome.halt = Some(Halt::Interrupted);
                Vec::new()
            }
            Some(Ok(unknown)) => {
                self.console.report_warnings(&unknown, &loaded.sources);
                unknown
            }
            Some(Err(error)) => {
                let reason = error.chain();
                let message = format!("cannot read the widget's users: {reason}");
                self.console.warn(&message);
                Vec::new()
            }
        }
    }
}
