//! `apply PLAN_FILE`: exactly what was reviewed, or nothing.

use std::path::Path;

use anyhow::Context;

use super::Console;
use super::apply::{carry_out, exit, show};
use super::report::Told;
use super::target::{Connection, WriteAccess, observed, switches};
use crate::cli::ApplyArgs;
use crate::error::{Error, Exit};
use crate::plan::{Change, Fate, Interest, Plan, SavedError, fates, restore};
use crate::render;
use crate::settings::Settings;

pub(super) async fn run(
    file: &Path,
    args: &ApplyArgs,
    settings: &Settings,
    console: &mut Console,
) -> Result<Exit, Error> {
    let mut saved = open(file)?;
    let switches = switches(&settings.common)?;
    if !switches.only.is_all() {
        let message = "--only cannot choose from a saved plan: it is applied as it was reviewed";
        return Err(Error::message(Exit::Usage, message).hint("make another plan with --only"));
    }
    let connection = Connection::open(settings, Some(saved.target.widget)).await?;
    if connection.target != saved.target {
        let message = format!(
            "wrong target: the plan is for {}, this run is for {}",
            saved.target, connection.target
        );
        return Err(Error::message(Exit::Refused, message).hint("check --api-url and --sandbox"));
    }
    let access = WriteAccess::new(settings)?;
    saved.allow(&switches.allow);
    show(&saved, console)?;
    if !saved.refusals.is_empty() {
        return finish(
            Told::nothing(Exit::Refused),
            &saved,
            connection,
            args,
            console,
        )
        .await;
    }
    let observed = observed(&connection, &Interest::of_plan(&saved)).await?;
    let recorded = connection.recorded(console)?;
    let sorted = Sorted::new(&saved, fates(&saved, &observed, &recorded));
    sorted.tell(console);
    if !sorted.stale.is_empty() && !args.apply_fresh {
        console.error("nothing was applied: the plan is stale; make a new one, or use --apply-fresh for the untouched rooms");
        return finish(
            Told::nothing(Exit::Refused),
            &saved,
            connection,
            args,
            console,
        )
        .await;
    }
    let plan = saved.with_changes(sorted.left);
    let outcome = carry_out(
        &plan,
        Interest::of_plan(&plan),
        &connection,
        access,
        args,
        settings,
        console,
    )
    .await?;
    let ended = match exit(&plan, outcome.as_ref()) {
        Exit::Done if !sorted.stale.is_empty() => Exit::Partial,
        ended => ended,
    };
    finish(
        Told {
            exit: ended,
            outcome,
            after: None,
        },
        &plan,
        connection,
        args,
        console,
    )
    .await
}

async fn finish(
    told: Told,
    plan: &Plan,
    connection: Connection,
    args: &ApplyArgs,
    console: &mut Console,
) -> Result<Exit, Error> {
    told.write_files(plan, Vec::new(), args)?;
    told.print(plan, Vec::new(), console)?;
    connection.close().await?;
    Ok(told.exit)
}

/// The plan in a file.
fn open(file: &Path) -> Result<Plan, Error> {
    let name = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("`{name}` cannot be read"))?;
    restore(&text).map_err(|error| {
        let hint = match error {
            SavedError::NotAPlan => {
                "save one with `roomform plan --out FILE`; a manifest is named with -f"
            }
            SavedError::Version(_) => "apply it with the roomform that saved it, or make a new one",
            SavedError::Changed => {
                "a plan is applied as it was reviewed or not at all: make a new one"
            }
        };
        Error::message(Exit::Refused, format!("`{name}`: {error}")).hint(hint)
    })
}

/// The changes of a saved plan by their fate.
struct Sorted {
    left: Vec<Change>,
    already: usize,
    stale: Vec<(String, &'static str)>,
}

impl Sorted {
    fn new(plan: &Plan, fates: Vec<Fate>) -> Self {
        let mut sorted = Self {
            left: Vec::new(),
            already: 0,
            stale: Vec::new(),
        };
        for (change, fate) in plan.changes.iter().zip(fates) {
            match fate {
                Fate::AsPlanned => sorted.left.push(change.clone()),
                Fate::Continue(rest) => sorted.left.push(*rest),
                Fate::Already => sorted.already += 1,
                Fate::Stale(why) => sorted.stale.push((change.pipe.to_string(), why)),
            }
        }
        sorted
    }

    fn tell(&self, console: &mut Console) {
        if self.already > 0 {
            console.status(&format!(
                "{} already as planned",
                render::Count(self.already, "room")
            ));
        }
        for (pipe, why) in &self.stale {
            console.error(&format!(
                "`{pipe}` is not as it was when the plan was made: {why}"
            ));
        }
    }
}
