//! `apply`: plan, ask, write, look again.

use std::sync::Arc;

use super::Console;
use super::target::{Connection, Planned, WriteAccess, manifest, planned, switches};
use crate::apply::{Event, Job, Outcome, apply};
use crate::cli::{ApplyArgs, Format};
use crate::error::{Error, Exit};
use crate::ledger::{Journal, read};
use crate::plan::{Interest, Plan, plan};
use crate::render;
use crate::render::json::{PlanDocument, ReportDocument, diagnostics};
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
    let (exit, outcome, after) = match consent(&planned.plan, args.yes, console)? {
        Consent::Given => carry_out(&planned, access, settings, console).await?,
        Consent::Withheld(exit) => (exit, None, None),
    };
    report(&planned, exit, outcome.as_ref(), after.as_ref(), console)?;
    planned.connection.close().await?;
    Ok(exit)
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
        console.warn("nothing was applied: nobody is there to ask, and --yes was not given");
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

type Carried = (Exit, Option<Outcome>, Option<Plan>);

/// Writes. Only here is a writer made, and the ledger opened for writing, before the first call.
async fn carry_out(
    planned: &Planned,
    access: WriteAccess,
    settings: &Settings,
    console: &mut Console,
) -> Result<Carried, Error> {
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
        return Ok((exit, None, None));
    }
    let job = Job {
        plan: before,
        interest: Interest::new(&loaded.desired),
        reader: &connection.reader,
        writer: Arc::new(connection.writer(access)),
        ledger: Arc::new(Journal::open(&connection.ledger, &connection.target)?),
        parallelism: settings.common.parallelism,
    };
    let outcome = apply(job, |event| {
        if let Event::Verifying = event {
            console.status("reading the list again");
        }
    })
    .await;
    let after = outcome.observed.as_ref().and_then(|observed| {
        match read(&connection.ledger, &connection.target) {
            Ok(snapshot) => {
                let (target, recorded) = (&connection.target, &snapshot.recorded);
                Some(plan(target, &loaded.desired, observed, recorded, switches))
            }
            // What was done is reported all the same; only the plan after it cannot be made.
            Err(error) => {
                console.warn(&error.to_string());
                None
            }
        }
    });
    let complete = outcome.is_complete() && before.conflicts.is_empty();
    let exit = match (&outcome.ledger, complete) {
        (Some(_), _) if outcome.writes() == 0 => Exit::Failed,
        (_, true) => Exit::Done,
        (_, false) => Exit::Partial,
    };
    Ok((exit, Some(outcome), after))
}

fn report(
    planned: &Planned,
    exit: Exit,
    outcome: Option<&Outcome>,
    after: Option<&Plan>,
    console: &mut Console,
) -> Result<(), Error> {
    if console.format == Format::Json {
        let warnings = diagnostics(&planned.loaded.diagnostics, &planned.loaded.sources);
        let plan = PlanDocument::new(&planned.plan, exit, warnings);
        let converged = after.map(|after| !after.is_pending());
        return console.document(&ReportDocument::new(plan, outcome, converged, exit));
    }
    let written = outcome.filter(|outcome| !outcome.rooms.is_empty());
    let mut text = written
        .map(|outcome| format!("\n{}", render::outcome(outcome, console.out_paint)))
        .unwrap_or_default();
    if let Some(after) = after {
        text.push_str(&format!("now:  {}\n", render::verdict(after)));
    }
    console.print(&text)
}
