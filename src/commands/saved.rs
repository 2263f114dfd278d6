//! `apply PLAN_FILE`: the file selects from the plan that this run computes from the manifest.

use std::path::Path;

use anyhow::Context;

use super::Console;
use super::site::Site;
use super::target::{Connection, Planned};
use crate::apply::{Outcome, RoomOutcome, Status};
use crate::config::Config;
use crate::document::{SavedPlanError, read_plan};
use crate::error::{Error, Exit};
use crate::model::WidgetId;
use crate::plan::{Approved, Inputs, Plan, SavedPlan, SkipReason, Switches, select};
use crate::render::{self, escape};

/// Members named in one line.
const NAMED: usize = 12;
/// The largest plan file that is read, in bytes.
const LARGEST: u64 = 1 << 30;

/// Reads a saved plan.
pub(super) fn open(file: &Path, switches: &Switches) -> Result<SavedPlan, Error> {
    if !switches.only.is_all() {
        let message = "--only, --except and --shard cannot be combined with a saved plan";
        return Err(Error::message(Exit::Usage, message)
            .hint("make another plan with --only, or one with --shard for each part"));
    }
    let name = file.display();
    let metadata = std::fs::metadata(file).with_context(|| format!("`{name}` cannot be read"))?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        let message = format!("`{name}` is not a regular file of at most {LARGEST} bytes");
        return Err(
            Error::message(Exit::Refused, message).hint("name a file saved by `plan --out`")
        );
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("`{name}` cannot be read"))?;
    read_plan(&text).map_err(|error| {
        let hint = match error {
            SavedPlanError::NotAPlan => {
                "save one with `roomform plan --out FILE`; a manifest is named with -f"
            }
            SavedPlanError::Format(_) => {
                "apply it with the roomform that saved it, or make a new plan"
            }
            SavedPlanError::Damaged(_) => "make a new plan",
        };
        Error::message(Exit::Refused, format!("`{name}`: {error}")).hint(hint)
    })
}

/// Refuses a plan for another target, before this run looks for credentials.
pub(super) fn check_target(
    saved: &SavedPlan,
    config: &Config,
    declared: Option<WidgetId>,
) -> Result<(), Error> {
    let (planned, target) = (&saved.target, Site::new(config, declared)?.target);
    if target == *planned {
        return Ok(());
    }
    let message = format!("wrong target: the plan is for {planned}, this run is for {target}");
    let hint = match (planned.is_sandbox(), target.is_sandbox()) {
        (true, _) => "apply it with --sandbox, or plan again without",
        (false, true) => "leave --sandbox out, or plan again with it",
        (false, false) => "check --widget, --api-url and the IMBACHAT_ variables",
    };
    Err(Error::message(Exit::Refused, message).hint(hint))
}

/// Refuses a plan that was made with another ledger. Only the operator of this run says where the ledger is.
pub(super) fn check_ledger(saved: &SavedPlan, connection: &Connection) -> Result<(), Error> {
    let Some(planned) = &saved.ledger else {
        return Ok(());
    };
    if connection.ledger.portable().as_ref() == Some(planned) {
        return Ok(());
    }
    let message = format!(
        "the plan was made with the ledger `{planned}`, this run uses `{}`",
        connection.ledger
    );
    Err(Error::message(Exit::Refused, message)
        .hint("run in the same directory with the same -f and --ledger, or make a new plan"))
}

/// The part of this run's plan that a saved plan approves.
pub(super) fn approved(saved: SavedPlan, planned: &Planned) -> Approved {
    let (observed, recorded) = &planned.made_of;
    let inputs = Inputs {
        desired: &planned.loaded.desired,
        observed,
        recorded,
    };
    select(saved, &planned.plan, inputs, &planned.switches.allow)
}

/// Says which part of a saved plan is not applied, and what it leaves out.
pub(super) fn report(approved: &Approved, console: &mut Console) {
    let Approved {
        plan: _,
        skipped,
        undeclared,
        not_approved,
    } = approved;
    let is_up_to_date = |reason: &SkipReason| *reason == SkipReason::UpToDate;
    let up_to_date = skipped
        .iter()
        .filter(|it| is_up_to_date(&it.reason))
        .count();
    if up_to_date > 0 {
        let rooms = render::Count(up_to_date, "room");
        console.status(&format!("{rooms} already up to date"));
    }
    for room in skipped {
        let pipe = escape::terminal(room.pipe.as_str());
        match &room.reason {
            SkipReason::UpToDate => {}
            SkipReason::Undeclared => {
                console.error(&format!("`{pipe}` is not in the manifest"));
            }
            SkipReason::Stale(reason) => console.error(&format!(
                "`{pipe}` has changed since the plan was saved: {reason}"
            )),
        }
    }
    for (pipe, users) in undeclared {
        let pipe = escape::terminal(pipe.as_str());
        let members = render::Count(users.len(), "member");
        let users = render::few(users, NAMED);
        console.status(&format!(
            "`{pipe}`: {members} no longer in the manifest, skipped: {users}"
        ));
    }
    let missing = [
        (not_approved.rooms, "room"),
        (not_approved.members, "member"),
    ];
    let missing = missing.into_iter().filter(|(count, _)| *count > 0);
    let missing: Vec<String> = missing
        .map(|(count, noun)| render::Count(count, noun).to_string())
        .collect();
    if !missing.is_empty() {
        console.status(&format!(
            "not in the saved plan: {}; make a new plan to apply them",
            missing.join(", ")
        ));
    }
}

/// The outcome with the rooms of the saved plan that nothing was sent for.
pub(super) fn with_skipped(approved: &Approved, outcome: Option<Outcome>) -> Outcome {
    let mut outcome = outcome.unwrap_or_else(|| Outcome {
        rooms: approved
            .plan
            .changes
            .iter()
            .map(RoomOutcome::begun)
            .collect(),
        ..Outcome::default()
    });
    outcome.rooms.extend(approved.skipped.iter().map(|room| {
        let status = match &room.reason {
            SkipReason::UpToDate => Status::Already,
            SkipReason::Undeclared => Status::Undeclared,
            SkipReason::Stale(reason) => Status::Stale(reason.clone()),
        };
        RoomOutcome {
            status,
            ..RoomOutcome::not_begun(&room.pipe, room.id)
        }
    }));
    outcome.rooms.sort_by(|a, b| a.pipe.cmp(&b.pipe));
    outcome
}

/// What the run should have written: what was approved, and what this run's plan does to the stale rooms.
pub(super) fn wanted(approved: &Approved) -> Plan {
    let stale = approved.skipped.iter().filter_map(|it| it.change.as_ref());
    let mut changes: Vec<_> = approved.plan.changes.iter().chain(stale).cloned().collect();
    changes.sort_by(|a, b| a.pipe.cmp(&b.pipe));
    approved.plan.with_changes(changes)
}
