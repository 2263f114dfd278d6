//! `apply PLAN_FILE`: applies the part of a newly computed plan that the file approves.

use std::path::Path;

use anyhow::Context;

use super::Console;
use super::apply_report::ApplyReport;
use super::target::ResolvedTarget;
use crate::apply::{Outcome, RoomOutcome, Status};
use crate::document::{SavedPlanError, read_plan};
use crate::error::{Exit, Result, bail, error};
use crate::plan::{Approved, PlanOptions, SavedPlan, SkipReason};
use crate::render::{Count, escape};
use crate::view::names;

/// Maximum size of a plan file, in bytes.
const LARGEST: u64 = 1 << 30;

pub fn read(file: &Path, options: &PlanOptions) -> Result<SavedPlan> {
    if !options.only.is_all() {
        bail!(Usage: "--only, --except and --shard cannot be combined with a saved plan";
            "make another plan with --only, or one with --shard for each part");
    }
    let name = file.display();
    let unreadable = || format!("`{name}` cannot be read");
    let metadata = std::fs::metadata(file).with_context(unreadable)?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        bail!(Refused: "`{name}` is not a regular file, or is larger than {LARGEST} bytes";
            "name a file saved by `plan --out`");
    }
    let text = std::fs::read_to_string(file).with_context(unreadable)?;
    read_plan(&text).map_err(|error| {
        let hint = match error {
            SavedPlanError::NotAPlan => {
                "save one with `roomform plan --out FILE`; to name a manifest, use -f"
            }
            SavedPlanError::Format(_) => {
                "apply it with the version of roomform that saved it, or make a new plan"
            }
            SavedPlanError::Damaged(_) => "make a new plan",
        };
        error!(Refused: "`{name}`: {error}"; hint)
    })
}

/// Refuses a plan for another target or ledger before the run looks for credentials.
pub fn check_target(saved: &SavedPlan, resolved: &ResolvedTarget) -> Result<()> {
    let (planned, target, ledger) = (&saved.target, &resolved.target, &resolved.ledger);
    if target != planned {
        let hint = match (planned.is_sandbox(), target.is_sandbox()) {
            (true, _) => "apply it with --sandbox, or plan again without it",
            (false, true) => "leave --sandbox out, or plan again with it",
            (false, false) => "check --widget, --api-url and the IMBACHAT_ variables",
        };
        bail!(Refused: "wrong target: the plan is for {planned}, this run is for {target}"; hint);
    }
    let used = ledger.portable();
    let Some(planned) = saved.ledger.as_ref().filter(|it| used.as_ref() != Some(it)) else {
        return Ok(());
    };
    bail!(Refused: "the plan was created with the ledger `{planned}`, but this run uses `{ledger}`";
        "run in the same directory with the same -f and --ledger, or make a new plan")
}

/// Prints which part of a saved plan is skipped, and what only the new plan contains.
pub fn print_skipped(approved: &Approved, console: &mut Console) {
    let up_to_date = approved.skipped.len() - approved.stale();
    if up_to_date > 0 {
        let rooms = Count(up_to_date, "room");
        console.status(&format!("{rooms} already up to date"));
    }
    for room in &approved.skipped {
        let pipe = escape::terminal(room.pipe.as_str());
        match &room.reason {
            SkipReason::UpToDate => {}
            SkipReason::Undeclared => console.error(&format!("`{pipe}` is not in the manifest")),
            SkipReason::Stale(reason) => {
                console.error(&format!(
                    "`{pipe}` has changed since the plan was saved: {reason}"
                ));
            }
        }
    }
    for (pipe, users) in &approved.undeclared {
        console.status(&format!(
            "`{}`: {} no longer in the manifest, skipped: {}",
            escape::terminal(pipe.as_str()),
            Count(users.len(), "member"),
            escape::terminal(&names::users(users, &approved.plan.names))
        ));
    }
    let not_approved = [
        Count(approved.not_approved.rooms, "room"),
        Count(approved.not_approved.members, "member"),
    ];
    let not_approved = not_approved.iter().filter(|count| count.0 > 0);
    let not_approved: Vec<String> = not_approved.map(ToString::to_string).collect();
    if !not_approved.is_empty() {
        console.status(&format!(
            "not in the saved plan: {}; make a new plan to apply them",
            not_approved.join(", ")
        ));
    }
}

/// Adds the rooms of the saved plan that were skipped, unless guards refused the plan.
pub fn add_skipped(report: &mut ApplyReport<'_>) {
    let approved = report.approved;
    if !approved.plan.refusals.is_empty() {
        return;
    }
    if approved.stale() > 0 && report.exit == Exit::Done {
        report.exit = Exit::Partial;
    }
    let rooms = approved.plan.changes.iter().map(RoomOutcome::begun);
    let outcome = report.outcome.get_or_insert_with(|| Outcome {
        rooms: rooms.collect(),
        ..Outcome::default()
    });
    outcome.rooms.extend(approved.skipped.iter().map(|room| {
        let status = match &room.reason {
            SkipReason::UpToDate => Status::UpToDate,
            SkipReason::Undeclared => Status::Undeclared,
            SkipReason::Stale(reason) => Status::Stale(reason.clone()),
        };
        RoomOutcome {
            status,
            ..RoomOutcome::not_begun(&room.pipe, room.id)
        }
    }));
    outcome.rooms.sort_by(|a, b| a.pipe.cmp(&b.pipe));
}
