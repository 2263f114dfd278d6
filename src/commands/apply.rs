//! `apply`: plans, asks, writes and verifies. With a plan file, it applies only the part of a newly
//! computed plan that the file approves.

use std::path::Path;

use anyhow::Context;

use super::apply_run::ApplyRun;
use super::files::{OutputKind, RunFiles, save_document};
use super::options::{check_allowed, count_limits, plan_options};
use super::prompt::check_can_ask;
use super::session::{Session, load_run};
use super::target::{ResolvedTarget, check_can_send, write_auth};
use super::{Console, interrupt};
use crate::cli::{ApplyArgs, ReportFormat};
use crate::config::Config;
use crate::document::{self, SavedPlanError, read_plan};
use crate::error::{Error, Exit, Result, bail, error};
use crate::plan::{Approved, PlanOptions, SavedPlan, SkipReason};
use crate::render::{self, Count, escape};
use crate::view::grammar;

pub async fn run(args: &ApplyArgs, config: &Config, console: &mut Console) -> Result<Exit> {
    let (report, failed) = (args.report.as_deref(), args.failed.as_deref());
    let files = RunFiles::default()
        .output("--report", report, OutputKind::REPORT, args.force)
        .output("--failed", failed, OutputKind::FAILED, args.force);
    let file = args.plan.as_deref();
    files.check_writable()?;
    let options = plan_options(&args.run)?;
    let saved = file.map(|file| read_saved(file, &options)).transpose()?;
    if !args.yes && saved.is_none() {
        check_can_ask(&args.format, "review the plan, then run apply --yes")?;
    }
    let (allow_empty, files) = (args.run.manifest.allow_empty, files.reads("the plan", file));
    let (loaded, resolved) = load_run(config, allow_empty, &options.only, files, console)?;
    check_allowed(&options.allow, &loaded.desired)?;
    if let Some(saved) = &saved {
        check_target(saved, &resolved)?;
    }
    let mut session = Session::open(config, resolved, console).await?;
    session.patience.verify = args.pace.verify_timeout;
    session.count = count_limits(&args.run);
    let auth = write_auth(config)?;
    let planning = session.plan(&loaded, saved, &options);
    let Some(approved) = interrupt::unless_interrupted(planning).await else {
        let error = interrupt::interrupted();
        if let Some(path) = &args.report {
            save_document(path, &document::failure(&error, &[]), console)?;
        }
        return Err(error);
    };
    let approved = approved?;
    // The text output begins with the plan. The other formats are printed once, at the end.
    if args.format == ReportFormat::Text {
        let printed = console.print(&render::plan(&approved.plan, console.out_paint));
        printed.map_err(|error| {
            let message = format!("nothing was applied: {}", error.chain());
            Error::message(error.exit, message)
        })?;
    }
    check_can_send(&auth, &approved.plan)?;
    print_skipped(&approved, console);
    let mut run = ApplyRun {
        session: &session,
        args,
        options: &options,
        loaded: &loaded,
        approved: &approved,
        exit: Exit::Done,
        outcome: None,
        after: None,
        unknown: Vec::new(),
    };
    match run.confirm(console).await {
        Some(exit) => run.exit = exit,
        None => run.write(auth).await?,
    }
    if args.plan.is_some() {
        run.add_skipped();
    }
    run.report(console)?;
    let exit = run.exit;
    session.close().await?;
    Ok(exit)
}

/// Maximum size of a plan file, in bytes.
const LARGEST: u64 = 1 << 30;

fn read_saved(file: &Path, options: &PlanOptions) -> Result<SavedPlan> {
    if !options.only.is_all() {
        bail!(Usage: "--only, --except and --shard cannot be combined with a saved plan";
            "make a new plan with these flags; with --shard, make one plan for each shard");
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
                "save a plan with `roomform plan --out FILE`; if the file is a manifest, give it with -f"
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
fn check_target(saved: &SavedPlan, resolved: &ResolvedTarget) -> Result<()> {
    let (planned, target, ledger) = (&saved.target, &resolved.target, &resolved.ledger);
    if target != planned {
        let hint = match (planned.is_sandbox(), target.is_sandbox()) {
            (true, _) => "apply the plan with --sandbox, or plan again without --sandbox",
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
fn print_skipped(approved: &Approved, console: &mut Console) {
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
            "`{}`: skipped {} no longer in the manifest: {}",
            escape::terminal(pipe.as_str()),
            Count(users.len(), "member"),
            escape::terminal(&grammar::users(users, &approved.plan.names))
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
