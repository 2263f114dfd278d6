//! `plan`: shows what apply would do. It never creates a writer, so it cannot write.

use super::Console;
use super::files::{OutputKind, RunFiles, save_document};
use super::members::check_users;
use super::options::{check_allowed, count_limits, plan_options};
use super::session::{Session, load_run};
use crate::cli::PlanArgs;
use crate::config::Config;
use crate::document::{PlanDocument, diagnostics};
use crate::error::{Exit, Result, bail};
use crate::model::Pipe;
use crate::plan::{Change, Plan, PublishPermit};
use crate::render::escape;
use crate::view::{self, flag_that_lifts};

pub async fn run(args: &PlanArgs, config: &Config, console: &mut Console) -> Result<Exit> {
    // A JWT can list rooms, but not users.
    let credentials = &config.credentials;
    if args.check_users && credentials.secret_key.is_none() && credentials.jwt.is_some() {
        bail!(Failed: "--check-users needs the widget's secret key: get_users does not accept a JWT";
            "set IMBACHAT_SECRET_KEY, or leave --check-users out");
    }
    let options = plan_options(&args.run)?;
    let out = args.out.as_deref();
    let files = RunFiles::default().output("--out", out, OutputKind::PLAN, args.force);
    let allow_empty = args.run.manifest.allow_empty;
    let (mut loaded, resolved) = load_run(config, allow_empty, &options.only, files, console)?;
    check_allowed(&options.allow, &loaded.desired)?;
    let mut session = Session::open(config, resolved, console).await?;
    session.count = count_limits(&args.run);
    let mut plan = session.plan(&loaded, None, &options).await?.plan;
    if args.check_users {
        let chosen = |pipe: &Pipe| options.only.contains(pipe);
        let warnings = check_users(&session.reader, &loaded, chosen).await?;
        console.report_warnings(&warnings, &loaded.sources);
        loaded.diagnostics.extend(warnings);
    }
    if let Some(days) = args.fail_on_overdue {
        plan.note_overdue(days);
    }
    // Guards take precedence over pending changes. Manual steps are not pending changes.
    let exit = match &plan {
        plan if !plan.refusals.is_empty() => Exit::Refused,
        plan if args.detailed_exitcode && plan.is_pending() => Exit::Pending,
        plan if plan.overdue.is_some() => Exit::Pending,
        _ => Exit::Done,
    };
    let document = || {
        let warnings = diagnostics(&loaded.diagnostics, &loaded.sources);
        PlanDocument::new(&plan, session.resolved.ledger.portable(), exit, warnings)
    };
    if let Some(path) = &args.out {
        save_document(path, &document(), console)?;
        remind_of_guard_flags(&plan, console);
    }
    console.print_view(args.format, || view::plan(&plan, &loaded), document)?;
    session.close().await?;
    Ok(exit)
}

/// Lists the flags that the user must repeat with `apply`, because a saved plan does not store
/// flags that lift guards.
fn remind_of_guard_flags(plan: &Plan, console: &mut Console) {
    let lifted = plan.guards.iter();
    let lifted = lifted.filter(|guard| !plan.refusals.contains(guard));
    let mut flags: Vec<String> = lifted.map(|it| flag_that_lifts(it).to_owned()).collect();
    let by_flag = |change: &&Change| {
        let publish = change.publish.as_ref();
        publish.is_some_and(|it| it.permit == Some(PublishPermit::Flag))
    };
    let published = plan.changes.iter().filter(by_flag);
    flags.extend(published.map(|change| {
        let pipe = escape::terminal(change.pipe.as_str());
        format!("--allow-publish {pipe}")
    }));
    flags.sort_unstable();
    flags.dedup();
    if !flags.is_empty() {
        console.status(&format!(
            "the plan does not save flags that lift a guard; `apply` needs them again: {}",
            flags.join(" ")
        ));
    }
}
