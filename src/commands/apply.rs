//! `apply`: plan, ask, write, look again.

use std::cell::RefCell;
use std::sync::Arc;

use super::report::{Told, write_files};
use super::target::{Connection, Planned, WriteAccess, dice, manifest, planned, switches};
use super::{Console, interrupt};
use crate::apply::{Control, Halt, Job, Outcome, Pace, apply};
use crate::cli::{ApplyArgs, Format};
use crate::error::{Error, Exit};
use crate::ledger::{Journal, read};
use crate::plan::{Interest, Plan, plan};
use crate::render::{self, EVERY};
use crate::settings::Settings;

pub(super) async fn run(
    args: &ApplyArgs,
    settings: &Settings,
    console: &mut Console,
) -> Result<Exit, Error> {
    if console.format == Format::Json && !args.yes {
        let message = "--format json cannot ask, and --yes was not given";
        return Err(
            Error::message(Exit::Refused, message).hint("review the plan, then run apply --yes")
        );
    }
    let switches = switches(&settings.common)?;
    let Some(loaded) = manifest(settings, console)? else {
        return Ok(Exit::Invalid);
    };
    let connection = Connection::open(settings, loaded.desired.widget).await?;
    let access = WriteAccess::new(settings)?;
    let planned = planned(loaded, connection, switches, console).await?;
    if console.format == Format::Text {
        let text = render::plan(&planned.plan, console.out_paint);
        console.print(&text)?;
    }
    let told = match consent(&planned.plan, args.yes, console)? {
        Consent::Given => carry_out(&planned, access, args, settings, console).await?,
        Consent::Withheld(exit) => Told {
            exit,
            outcome: None,
            after: None,
        },
    };
    write_files(&planned, &told, args)?;
    told.print(&planned, console)?;
    planned.connection.close().await?;
    Ok(told.exit)
}

enum Consent {
    Given,
    Withheld(Exit),
}

/// Whether the plan may be carried out: nothing refuses it, and somebody said yes to what it writes.
fn consent(plan: &Plan, yes: bool, console: &mut Console) -> Result<Consent, Error> {
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
    let question = dialoguer::Confirm::new()
        .with_prompt("Apply this plan?")
        .default(false)
        .report(true);
    let answer = question
        .interact()
        .map_err(|error| Error::new(Exit::Refused, error).hint("use --yes off a terminal"))?;
    Ok(if answer {
        Consent::Given
    } else {
        Consent::Withheld(Exit::Done)
    })
}

/// Writes. Only here is a writer made, and the ledger opened for writing, before the first call.
async fn carry_out(
    planned: &Planned,
    access: WriteAccess,
    args: &ApplyArgs,
    settings: &Settings,
    console: &mut Console,
) -> Result<Told, Error> {
    let Planned {
        loaded,
        connection,
        switches,
        plan: before,
    } = planned;
    let releases = before.by_hand.iter().any(|room| !room.left.is_empty());
    if before.is_empty() && !releases {
        let exit = if before.is_pending() {
            Exit::Partial
        } else {
            Exit::Done
        };
        return Ok(Told {
            exit,
            outcome: None,
            after: None,
        });
    }
    let pace = Pace::new(settings.common.parallelism.get(), settings.common.rate);
    let job = Job {
        plan: before,
        interest: Interest::new(&loaded.desired),
        reader: &connection.reader,
        writer: Arc::new(connection.writer(access)),
        ledger: Arc::new(Journal::open(&connection.ledger, &connection.target)?),
        control: Arc::new(Control::new(
            pace,
            dice(),
            args.fail_fast,
            interrupt::channel()?,
        )),
    };
    let outcome = followed(job, before.changes.len(), console).await;
    let after = outcome.observed.as_ref().and_then(|observed| {
        match read(&connection.ledger, &connection.target) {
            Ok(snapshot) => {
                let (target, recorded) = (&connection.target, snapshot.recorded());
                Some(plan(target, &loaded.desired, observed, &recorded, switches))
            }
            // What was done is reported all the same; only the plan after it cannot be made.
            Err(error) => {
                console.warn(&error.to_string());
                None
            }
        }
    });
    Ok(Told {
        exit: exit(before, &outcome),
        outcome: Some(outcome),
        after,
    })
}

/// Applies, and shows how far it is.
async fn followed<R, W, L>(job: Job<'_, R, W, L>, rooms: usize, console: &mut Console) -> Outcome
where
    R: crate::imbachat::ReadRooms,
    W: crate::imbachat::WriteRooms + 'static,
    L: crate::ledger::Record + 'static,
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

fn exit(before: &Plan, outcome: &Outcome) -> Exit {
    let complete = outcome.is_complete() && before.conflicts.is_empty();
    match &outcome.halt {
        Some(Halt::Interrupted) => Exit::Interrupted,
        Some(Halt::Ledger(_)) if outcome.writes() == 0 => Exit::Failed,
        _ if complete => Exit::Done,
        _ => Exit::Partial,
    }
}
