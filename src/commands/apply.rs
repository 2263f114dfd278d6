//! `apply`: plans, asks, writes, verifies.

use super::access::{check_can_send, write_auth};
use super::filter::{check_allowed, count_limits, plan_options};
use super::prompt::{check_can_ask, consent};
use super::run_files::{OutputKind, RunFiles};
use super::session::{Session, load_run};
use super::{Console, saved};
use crate::cli::{ApplyArgs, ReportFormat};
use crate::config::Config;
use crate::error::{Error, Exit, Result};
use crate::manifest::Loaded;
use crate::plan::Approved;
use crate::render;
use crate::view;

pub async fn run(args: &ApplyArgs, config: &Config, console: &mut Console) -> Result<Exit> {
    let outputs = [
        ("--report", &args.report, OutputKind::REPORT),
        ("--failed", &args.failed, OutputKind::FAILED),
    ];
    let (files, file) = (
        RunFiles::default().outputs(&outputs, args.force),
        args.plan.as_deref(),
    );
    files.check_writable()?;
    let options = plan_options(&args.run)?;
    let saved = file.map(|file| saved::read(file, &options)).transpose()?;
    if !args.yes && saved.is_none() {
        check_can_ask(&args.format, "review the plan, then run apply --yes")?;
    }
    let (allow_empty, files) = (args.run.manifest.allow_empty, files.reads("the plan", file));
    let Some((loaded, resolved)) = load_run(config, allow_empty, &options.only, files, console)?
    else {
        return Ok(Exit::Invalid);
    };
    check_allowed(&options.allow, &loaded.desired)?;
    if let Some(saved) = &saved {
        saved::check_target(saved, &resolved)?;
    }
    let mut session = Session::open(config, resolved).await?;
    session.patience.verify = args.pace.verify_timeout;
    session.count = count_limits(&args.run);
    let auth = write_auth(config)?;
    let approved = session.plan(&loaded, saved, &options, console).await?;
    // A document or a page is printed once, at the end.
    if args.format == ReportFormat::Text {
        let printed = console.print(&render::plan(&approved.plan, console.out_paint));
        printed.map_err(|error| {
            let message = format!("nothing was applied: {}", error.chain());
            Error::message(error.exit, message)
        })?;
    }
    check_can_send(&auth, &approved.plan)?;
    saved::print_skipped(&approved, console);
    let mut report = session.report(&approved, &loaded);
    match withheld(&approved, &loaded, args, console).await? {
        Some(exit) => report.exit = exit,
        None => {
            let pace = (&args.pace, args.run.parallelism);
            let applied = session.apply(&mut report, &options, auth, pace, console);
            applied.await?;
        }
    }
    if args.plan.is_some() {
        saved::add_skipped(&mut report);
    }
    report.write(args, console)?;
    session.close().await?;
    Ok(report.exit)
}

/// Returns the exit code if the plan may not be applied. A user who passes a plan file has approved the plan, so nothing is
/// asked.
async fn withheld(
    approved: &Approved,
    loaded: &Loaded,
    args: &ApplyArgs,
    console: &mut Console,
) -> Result<Option<Exit>> {
    let plan = &approved.plan;
    if !plan.refusals.is_empty() {
        return Ok(Some(Exit::Refused));
    }
    if approved.stale() > 0 && !args.apply_fresh {
        console.error("nothing was applied: the plan is stale; make a new plan, or apply the rooms that did not change with --apply-fresh");
        return Ok(Some(Exit::Refused));
    }
    if args.plan.is_some() || args.yes || plan.is_empty() {
        return Ok(None);
    }
    if console.streams.interactive {
        let view = view::plan(plan, loaded);
        console.prompt(&render::attention(&view, console.err_paint));
    }
    let question = format!("Apply this plan to {}?", plan.target);
    consent(&question, "applied", console).await
}
