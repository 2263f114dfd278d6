//! `apply`: plans, asks, writes, verifies.

use clap::ValueEnum;

use super::access::WriteAccess;
use super::filter::plan_options;
use super::prompt::consent;
use super::run_files::{OutputKind, RunFiles};
use super::session::{Session, load_manifest};
use super::target::ResolvedTarget;
use super::{Console, saved};
use crate::cli::{ApplyArgs, ReportFormat};
use crate::config::Config;
use crate::error::{Error, Exit, Result};
use crate::plan::Approved;
use crate::render;

pub async fn run(args: &ApplyArgs, config: &Config, console: &mut Console) -> Result<Exit> {
    let outputs = [
        ("--report", &args.report, OutputKind::REPORT),
        ("--failed", &args.failed, OutputKind::FAILED),
    ];
    let files = RunFiles::default().outputs(&outputs, args.force);
    files.check_writable()?;
    let options = plan_options(&args.run)?;
    let saved = args.plan.as_deref();
    let saved = saved.map(|file| saved::read(file, &options)).transpose()?;
    check_can_ask(args)?;
    let Some(loaded) = load_manifest(config, (&args.run.manifest).into(), &options.only, console)?
    else {
        return Ok(Exit::Invalid);
    };
    let resolved = ResolvedTarget::new(config, loaded.desired.widget)?;
    files
        .reads("the plan", args.plan.as_deref())
        .manifest(&loaded)
        .target(config, &resolved)
        .check()?;
    if let Some(saved) = &saved {
        saved::check_target(saved, &resolved)?;
    }
    let session = Session::open(config, resolved).await?;
    let access = WriteAccess::new(config)?;
    let planned = session.plan(&loaded, &options, console).await?;
    let approved = saved::approve(saved, planned, &loaded.desired, &options);
    // A document or a page is printed once, at the end.
    if args.format == ReportFormat::Text {
        let printed = console.print(&render::plan(&approved.plan, console.out_paint));
        printed.map_err(|error| {
            let message = format!("nothing was applied: {}", error.chain());
            Error::message(error.exit, message)
        })?;
    }
    access.check(&approved.plan)?;
    saved::print_skipped(&approved, console);
    let mut report = session.report(&approved, &loaded);
    match withheld(&approved, args, console).await? {
        Some(exit) => report.exit = exit,
        None => {
            let applied = session.apply(&mut report, &options, access, &args.pace, console);
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

fn check_can_ask(args: &ApplyArgs) -> Result<()> {
    if args.format == ReportFormat::Text || args.yes || args.plan.is_some() {
        return Ok(());
    }
    let format = args.format.to_possible_value();
    let format = format.as_ref().map_or("", |format| format.get_name());
    let message = format!("--format {format} cannot ask, and --yes was not given");
    Err(Error::message(Exit::Refused, message).hint("review the plan, then run apply --yes"))
}

/// Decides how the run ends if the plan may not be applied. The user who passed a plan file has approved it.
async fn withheld(
    approved: &Approved,
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
    let question = format!("Apply this plan to {}?", plan.target);
    consent(&question, "applied", console).await
}
