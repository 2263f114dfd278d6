//! `apply`: plan, ask, write, look again.

use std::cell::RefCell;
use std::sync::Arc;

use super::prompt::confirm;
use super::report::{Told, check_writable};
use super::run_files::{RunFiles, check_apply_kinds};
use super::selection::switches;
use super::target::{Connection, Planned, WriteAccess, dice, manifest, planned};
use super::{Console, interrupt, saved};
use clap::ValueEnum;

use crate::apply::{Control, Halt, Job, Limiter, Outcome, apply};
use crate::cli::{ApplyArgs, ApplyFormat};
use crate::config::Config;
use crate::error::{Error, Exit};
use crate::imbachat::{ReadRooms, SendMessages, WriteRooms};
use crate::ledger::Record;
use crate::model::Desired;
use crate::plan::{Approved, Interest, Plan, Switches, plan};
use crate::render::{self, EVERY};

pub(super) async fn run(
    args: &ApplyArgs,
    config: &Config,
    console: &mut Console,
) -> Result<Exit, Error> {
    for file in args.report.iter().chain(&args.failed) {
        check_writable(file)?;
    }
    let switches = switches(&args.run)?;
    let saved = args.plan.as_deref();
    let saved = saved.map(|file| saved::open(file, &switches)).transpose()?;
    if args.format != ApplyFormat::Text && !args.yes && saved.is_none() {
        let format = args.format.to_possible_value();
        let format = format.as_ref().map_or("", |format| format.get_name());
        let message = format!("--format {format} cannot ask, and --yes was not given");
        return Err(
            Error::message(Exit::Refused, message).hint("review the plan, then run apply --yes")
        );
    }
    let Some(loaded) = manifest(config, args.run.manifest.empty.into(), console)? else {
        return Ok(Exit::Invalid);
    };
    RunFiles::default()
        .apply_files(args)
        .manifest(&loaded)
        .target(config, loaded.desired.widget)
        .check()?;
    check_apply_kinds(args)?;
    if let Some(saved) = &saved {
        saved::check_target(saved, config, loaded.desired.widget)?;
    }
    let connection = Connection::open(config, loaded.desired.widget).await?;
    let access = WriteAccess::new(config)?;
    if let Some(saved) = &saved {
        saved::check_ledger(saved, &connection)?;
    }
    let planned = planned(loaded, connection, switches, console).await?;
    let approved = saved.map(|saved| saved::approved(saved, &planned));
    let Planned {
        loaded,
        connection,
        switches,
        plan,
        made_of: _,
    } = planned;
    let before = approved.as_ref().map_or(&plan, |approved| &approved.plan);
    show(before, args.format, console)?;
    let mut told = Told::nothing(Exit::Done, config, connection.ledger.portable());
    if before.refusals.is_empty() {
        access.check(before)?;
    }
    if let Some(approved) = &approved {
        saved::report(approved, console);
        told.wanted = Some(saved::wanted(approved));
    }
    let consent = match &approved {
        Some(approved) => approval(approved, args.apply_fresh, console),
        None => consent(before, args.yes, console).await?,
    };
    let mut outcome = None;
    match consent {
        Consent::Withheld(exit) => told.exit = exit,
        Consent::Given => {
            outcome = carry_out(
                before,
                Interest::new(&loaded.desired),
                &connection,
                access,
                args,
                config,
                console,
            )
            .await?;
            told.exit = exit(before, outcome.as_ref());
            told.after = after(
                &loaded.desired,
                outcome.as_ref(),
                &connection,
                &switches,
                console,
            )
            .await;
        }
    }
    if let Some(approved) = approved.as_ref().filter(|_| before.refusals.is_empty()) {
        if approved.stale() > 0 && told.exit == Exit::Done {
            told.exit = Exit::Partial;
        }
        outcome = Some(saved::with_skipped(approved, outcome));
    }
    told.outcome = outcome;
    told.tell(before, &loaded, args, console)?;
    connection.close().await?;
    Ok(told.exit)
}

/// Prints a plan before it is asked about. A document or a page is printed once, at the end.
fn show(plan: &Plan, format: ApplyFormat, console: &mut Console) -> Result<(), Error> {
    if format == ApplyFormat::Text {
        let printed = console.print(&render::plan(plan, console.out_paint));
        printed.map_err(|error| {
            let message = format!("nothing was applied: {}", error.chain());
            Error::message(error.exit, message)
        })?;
    }
    Ok(())
}

enum Consent {
    Given,
    Withheld(Exit),
}

/// Asks for consent, unless the plan is refused or empty, or --yes was given.
async fn consent(plan: &Plan, yes: bool, console: &mut Console) -> Result<Consent, Error> {
    if !plan.refusals.is_empty() {
        return Ok(Consent::Withheld(Exit::Refused));
    }
    if yes || plan.is_empty() {
        return Ok(Consent::Given);
    }
    if !console.interactive {
        console.error("nothing was applied: nobody is there to ask, and --yes was not given");
        return Ok(Consent::Withheld(Exit::Refused));
    }
    let question = format!("Apply this plan to {}?", plan.target);
    match confirm(&question, console).await {
        Ok(true) => Ok(Consent::Given),
        Ok(false) => {
            console.status("nothing was applied: the answer was not `yes`");
            Ok(Consent::Withheld(Exit::Done))
        }
        // The report is still written.
        Err(error) if error.exit == Exit::Interrupted => {
            console.error(&error.chain());
            Ok(Consent::Withheld(Exit::Interrupted))
        }
        Err(error) => Err(error),
    }
}

/// Whether a saved plan may be applied: the file is the approval, unless a guard or a stale room forbids it.
fn approval(approved: &Approved, apply_fresh: bool, console: &mut Console) -> Consent {
    if !approved.plan.refusals.is_empty() {
        return Consent::Withheld(Exit::Refused);
    }
    if approved.stale() > 0 && !apply_fresh {
        console.error("nothing was applied: the plan is stale; make a new plan, or apply the rooms that did not change with --apply-fresh");
        return Consent::Withheld(Exit::Refused);
    }
    Consent::Given
}

/// Writes; `None` if there was nothing to do. Only here is a writer made, and the ledger opened for writing, before the
/// first call.
pub(super) async fn carry_out(
    plan: &Plan,
    interest: Interest<'_>,
    connection: &Connection,
    access: WriteAccess,
    args: &ApplyArgs,
    config: &Config,
    console: &mut Console,
) -> Result<Option<Outcome>, Error> {
    if plan.is_empty() && !plan.is_to_be_noted() {
        return Ok(None);
    }
    let pace = Limiter::new(args.pace.parallelism.get(), args.pace.rate);
    let job = Job {
        plan,
        interest,
        reader: &connection.reader,
        writer: Arc::new(connection.writer(access)),
        ledger: Arc::new(
            connection
                .ledger
                .open(&connection.target, &config.run)
                .await?,
        ),
        control: Arc::new(Control::new(
            pace,
            dice(),
            args.pace.fail_fast,
            interrupt::channel()?,
        )),
    };
    Ok(Some(followed(job, plan.changes.len(), console).await))
}

/// The plan that is left after the writes, from the list that was read to verify them.
async fn after(
    desired: &Desired,
    outcome: Option<&Outcome>,
    connection: &Connection,
    switches: &Switches,
    console: &mut Console,
) -> Option<Plan> {
    let observed = outcome?.observed.as_ref()?;
    // A sandbox lists what it could not save, and the next one will not have it. That it failed is told when it stops.
    if let Some(sandbox) = &connection.sandbox
        && sandbox.flush().await.is_err()
    {
        return None;
    }
    match connection.ledger.remember(&connection.target).await {
        Ok(remembered) => Some(plan(
            &connection.target,
            desired,
            observed,
            &remembered.recorded.beside_an_older_list(),
            switches,
        )),
        // What was done is reported all the same; only the plan after it cannot be made.
        Err(error) => {
            console.warn(&error.to_string());
            None
        }
    }
}

/// Applies, and shows how far it is.
async fn followed<R, W, L>(job: Job<'_, R, W, L>, rooms: usize, console: &mut Console) -> Outcome
where
    R: ReadRooms,
    W: WriteRooms + SendMessages + 'static,
    L: Record + 'static,
{
    let progress = RefCell::new(console.progress(rooms));
    let mut work = Box::pin(apply(job, |event| progress.borrow_mut().event(&event)));
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + EVERY, EVERY);
    let outcome = loop {
        tokio::select! {
            outcome = &mut work => break outcome,
            _ = ticks.tick() => progress.borrow_mut().tick(),
        }
    };
    drop(work);
    progress.into_inner().finish();
    outcome
}

/// How an apply ends.
pub(super) fn exit(before: &Plan, outcome: Option<&Outcome>) -> Exit {
    let halt = outcome.and_then(|outcome| outcome.halt.as_ref());
    let complete = before.conflicts.is_empty() && outcome.is_none_or(Outcome::is_complete);
    match halt {
        Some(Halt::Interrupted) => Exit::Interrupted,
        Some(Halt::Ledger(_)) if !outcome.is_some_and(Outcome::has_written) => Exit::Failed,
        _ if complete => Exit::Done,
        _ => Exit::Partial,
    }
}
