//! `plan`: what apply would do. It never holds a writer.

use super::Console;
use super::allowances::remind;
use super::console::PageFormat;
use super::report::replace;
use super::run_files::{RunFiles, check_plan_kinds};
use super::selection::switches;
use super::target::{Connection, Planned, dice, manifest, may_list_users, planned};
use crate::cli::{PlanArgs, PlanFormat};
use crate::config::Config;
use crate::document::{self, PlanDocument, diagnostics};
use crate::error::{Error, Exit};
use crate::plan::Plan;
use crate::view;

pub(super) async fn run(
    args: &PlanArgs,
    config: &Config,
    console: &mut Console,
) -> Result<Exit, Error> {
    if args.check_users {
        may_list_users(config)?;
    }
    let switches = switches(&args.run)?;
    let Some(loaded) = manifest(config, args.run.manifest.empty.into(), console)? else {
        return Ok(Exit::Invalid);
    };
    RunFiles::default()
        .plan_outputs(args)
        .manifest(&loaded)
        .target(config, loaded.desired.widget)
        .check()?;
    check_plan_kinds(args)?;
    let connection = Connection::open(config, loaded.desired.widget).await?;
    let mut planned = planned(loaded, connection, switches, console).await?;
    if args.check_users {
        let known = planned.connection.reader.users(&dice()).await?;
        let only = &planned.switches.only;
        let unknown = planned
            .loaded
            .unknown_users(&known, |pipe| only.contains(pipe));
        console.warnings(&unknown, &planned.loaded.sources);
        planned.loaded.diagnostics.extend(unknown);
    }
    let exit = exit(&planned.plan, args.detailed_exitcode);
    if let Some(path) = &args.out {
        replace(path, &document::text(&document(&planned, exit))?)?;
        remind(&planned.plan, console);
    }
    let (plan, loaded) = (&planned.plan, &planned.loaded);
    let page = || view::plan(plan, loaded);
    match args.format {
        PlanFormat::Text => console.page(&page(), PageFormat::Text)?,
        PlanFormat::Json => console.document(&document(&planned, exit))?,
        PlanFormat::Markdown => console.page(&page(), PageFormat::Markdown)?,
        PlanFormat::Html => console.page(&page(), PageFormat::Html)?,
        PlanFormat::Github => console.page(&page(), PageFormat::Github)?,
    }
    planned.connection.close().await?;
    Ok(exit)
}

fn document(planned: &Planned, exit: Exit) -> PlanDocument {
    let loaded = &planned.loaded;
    let warnings = diagnostics(&loaded.diagnostics, &loaded.sources);
    let ledger = planned.connection.ledger.portable();
    PlanDocument::new(&planned.plan, ledger, exit, warnings)
}

/// A refusal outranks pending changes; what is only left to people does not count.
fn exit(plan: &Plan, detailed: bool) -> Exit {
    match plan {
        plan if !plan.refusals.is_empty() => Exit::Refused,
        plan if detailed && plan.is_pending() => Exit::Pending,
        _ => Exit::Done,
    }
}
