//! `apply PLAN_FILE`: exactly what was reviewed, or nothing.

use std::path::Path;

use anyhow::Context;

use super::Console;
use super::allowances::ask_again;
use super::apply::{carry_out, exit, show};
use super::report::Told;
use super::site::{Site, place};
use super::target::{Connection, WriteAccess, observed, switches};
use crate::apply::{Outcome, RoomOutcome, Status};
use crate::cli::ApplyArgs;
use crate::error::{Error, Exit};
use crate::manifest::Loaded;
use crate::model::Target;
use crate::plan::{Change, Fate, Interest, Plan, SavedError, fates, restore};
use crate::render;
use crate::settings::Settings;

pub(super) async fn run(
    file: &Path,
    args: &ApplyArgs,
    settings: &Settings,
    console: &mut Console,
) -> Result<Exit, Error> {
    let (mut saved, ledger) = open(file)?;
    let switches = switches(&settings.common)?;
    if !switches.only.is_all() {
        let message =
            "--only and --shard cannot choose from a saved plan: it is applied as it was reviewed";
        return Err(Error::message(Exit::Usage, message)
            .hint("make another plan with --only, or one with --shard for each part"));
    }
    check_target(&saved.target, settings)?;
    let mut connection = Connection::open(settings, Some(saved.target.widget)).await?;
    if let (None, true, Some(ledger)) = (
        &settings.common.ledger,
        settings.common.file.is_empty(),
        ledger,
    ) {
        connection.ledger = place(Path::new(&ledger), settings)?;
    }
    let access = WriteAccess::new(settings)?;
    saved.allow(&switches.allow);
    show(&saved, console)?;
    if !saved.refusals.is_empty() {
        ask_again(&saved, console);
        return finish(
            Told::nothing(Exit::Refused, settings),
            &saved,
            connection,
            args,
            console,
        )
        .await;
    }
    access.check(&saved)?;
    let observed = observed(&connection, &Interest::of_plan(&saved)).await?;
    let recorded = connection.remembered(console).await?.recorded;
    let sorted = Sorted::new(&saved, fates(&saved, &observed, &recorded));
    let rest = Some(sorted.rest(&saved));
    sorted.tell(console);
    let stale = sorted.stale;
    if stale > 0 && !args.apply_fresh {
        console.error("nothing was applied: the plan is stale; make a new one, or use --apply-fresh for the untouched rooms");
        let mut told = Told::nothing(Exit::Refused, settings);
        told.rest = rest;
        told.outcome = Some(sorted.with(Outcome::default(), true));
        return finish(told, &saved, connection, args, console).await;
    }
    let mut plan = saved.with_changes(sorted.left.clone());
    plan.catch_up(&recorded);
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
        Exit::Done if stale > 0 => Exit::Partial,
        ended => ended,
    };
    let outcome = Some(sorted.with(outcome.unwrap_or_default(), false));
    finish(
        Told {
            exit: ended,
            outcome,
            rest,
            ..Told::nothing(ended, settings)
        },
        &saved,
        connection,
        args,
        console,
    )
    .await
}

/// Refuses a plan for something else than this run is for; before credentials are looked for, which would be those of the wrong one.
fn check_target(planned: &Target, settings: &Settings) -> Result<(), Error> {
    let target = Site::new(settings, Some(planned.widget))?.target;
    if target == *planned {
        return Ok(());
    }
    let message = format!("wrong target: the plan is for {planned}, this run is for {target}");
    let hint = match (planned.is_sandbox(), target.is_sandbox()) {
        (true, _) => "apply it with --sandbox, or plan again without",
        (false, true) => "leave --sandbox out, or plan again with it",
        (false, false) => "check --api-url and IMBACHAT_API_URL",
    };
    Err(Error::message(Exit::Refused, message).hint(hint))
}

async fn finish(
    told: Told,
    plan: &Plan,
    connection: Connection,
    args: &ApplyArgs,
    console: &mut Console,
) -> Result<Exit, Error> {
    told.tell(plan, &Loaded::default(), args, console)?;
    connection.close().await?;
    Ok(told.exit)
}

/// The plan in a file, and the ledger it was made with.
fn open(file: &Path) -> Result<(Plan, Option<String>), Error> {
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
    stale: usize,
    /// The rooms nothing is sent for, and why.
    done: Vec<RoomOutcome>,
}

impl Sorted {
    fn new(plan: &Plan, fates: Vec<Fate>) -> Self {
        let mut sorted = Self {
            left: Vec::new(),
            stale: 0,
            done: Vec::new(),
        };
        for (change, fate) in plan.changes.iter().zip(fates) {
            let status = match fate {
                Fate::AsPlanned => {
                    sorted.left.push(change.clone());
                    continue;
                }
                Fate::Continue(rest) => {
                    sorted.left.push(*rest);
                    continue;
                }
                Fate::Already => Status::Already,
                Fate::Stale(why) => {
                    sorted.stale += 1;
                    Status::Stale(why.to_owned())
                }
            };
            sorted.done.push(RoomOutcome {
                status,
                ..RoomOutcome::begun(change)
            });
        }
        sorted
    }

    /// The plan with what is left of each room.
    fn rest(&self, plan: &Plan) -> Plan {
        let mut left = self.left.iter().peekable();
        let changes = plan.changes.iter().map(|change| {
            left.next_if(|left| left.pipe == change.pipe)
                .unwrap_or(change)
                .clone()
        });
        plan.with_changes(changes.collect())
    }

    fn tell(&self, console: &mut Console) {
        let already = self.done.len() - self.stale;
        if already > 0 {
            console.status(&format!(
                "{} already as planned",
                render::Count(already, "room")
            ));
        }
        for room in &self.done {
            if let Status::Stale(why) = &room.status {
                console.error(&format!(
                    "`{}` is not as it was when the plan was made: {why}",
                    room.pipe
                ));
            }
        }
    }

    /// The outcome with the rooms nothing was sent for; if nothing was sent at all, with all of them.
    fn with(self, mut outcome: Outcome, refused: bool) -> Outcome {
        outcome.rooms.extend(self.done);
        if refused {
            outcome
                .rooms
                .extend(self.left.iter().map(RoomOutcome::begun));
        }
        outcome.rooms.sort_by(|a, b| a.pipe.cmp(&b.pipe));
        outcome
    }
}
