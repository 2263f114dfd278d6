//! `todo`: lists the open manual steps, and marks them as done. It sends nothing.

use std::collections::BTreeSet;

use super::Console;
use super::console::csv_reader;
use super::filter::{find_user, load_options, match_pipes};
use super::ledger::print_matched;
use super::session::open_ledger;
use super::target::ResolvedTarget;
use crate::cli::{TodoArgs, TodoDoneArgs, TodoFormat, TodoVerb};
use crate::config::Config;
use crate::document::TodoDocument;
use crate::error::{Exit, Result, bail};
use crate::ledger::{Fact, Record, RoomFact};
use crate::manifest::load;
use crate::model::{Desired, Pipe, UserId};
use crate::plan::{ManualSteps, open_steps, undeclared};
use crate::render::{self, Count, markdown};
use crate::view;

pub async fn run(args: &TodoArgs, config: &Config, console: &mut Console) -> Result<Exit> {
    let flags = args.flags();
    let reader = csv_reader(flags.csv, flags.format == TodoFormat::Csv)?;
    let loaded = load(&config.manifest(), load_options(config, false));
    let nothing = Desired {
        today: config.today,
        ..Desired::default()
    };
    // An invalid manifest does not say who belongs in a room.
    let desired = match loaded.is_valid() {
        true => &loaded.desired,
        false => &nothing,
    };
    let resolved = ResolvedTarget::for_ledger(config, || loaded.desired.widget).await?;
    let ResolvedTarget { ledger, target, .. } = &resolved;
    console.target = Some(target.clone());
    let snapshot = ledger.read(target).await?;
    console.warn_all(&snapshot.warnings);
    if !snapshot.found {
        console.warn(&format!("there is no ledger at `{ledger}`"));
    }
    let recorded = snapshot.into_recorded();
    let mut rooms = open_steps(desired, &recorded);
    let mut undeclared: Vec<Pipe> = match loaded.is_valid() {
        true => undeclared(desired, &recorded).cloned().collect(),
        false => Vec::new(),
    };
    let mut user = None;
    match &args.verb {
        None => user = args.list.user.as_ref(),
        Some(TodoVerb::List(list)) => user = list.user.as_ref(),
        Some(TodoVerb::Done(done)) => {
            let facts = facts_when_done(done, &rooms, config, console)?;
            let journal = open_ledger(ledger, target, &config.run).await?;
            journal.append(facts).await?;
            rooms = open_steps(desired, &ledger.read(target).await?.into_recorded());
        }
    }
    if let Some(user) = user {
        let user = find_user(user, config)?;
        keep_users(&mut rooms, |it| it == user);
        undeclared.clear();
    }
    let names = &desired.names;
    let view = || view::todo(target, &rooms, &undeclared, names);
    match flags.format {
        TodoFormat::Text => console.print(&render::write(&view(), console.out_paint)),
        TodoFormat::Json => {
            console.print_document(&TodoDocument::new(target, &rooms, &undeclared, names))
        }
        TodoFormat::Csv => console.print_stream(|out| render::todo(&rooms, names, reader, out)),
        TodoFormat::Markdown => console.print(&markdown::write(&view(), console.fit)),
    }?;
    Ok(Exit::Done)
}

/// The facts that mark open steps as done.
fn facts_when_done(
    args: &TodoDoneArgs,
    open: &[ManualSteps],
    config: &Config,
    console: &mut Console,
) -> Result<Vec<Fact>> {
    let pipes = match_pipes(&args.pipe, open.iter().map(|room| &room.pipe))?;
    let mut rooms = open.to_vec();
    rooms.retain(|room| pipes.contains(&room.pipe));
    if rooms.is_empty() {
        bail!(Usage: "no manual steps are open for `{}`", args.pipe;
            "run `roomform todo` to list the open steps; `apply` records who left the manifest");
    }
    let mut users = BTreeSet::new();
    for name in &args.users {
        let user = find_user(name, config)?;
        let mut steps = rooms.iter().flat_map(|room| &room.previously_removed);
        if !steps.any(|step| step.user == user) {
            bail!(Usage: "removing `{name}` from `{}` is not an open step", args.pipe;
                "run `roomform todo` to list the open steps");
        }
        users.insert(user);
    }
    keep_users(&mut rooms, |user| users.is_empty() || users.contains(&user));
    let pipes: BTreeSet<Pipe> = rooms.iter().map(|room| room.pipe.clone()).collect();
    print_matched(&pipes, std::slice::from_ref(&args.pipe), console);
    let members = rooms.iter().map(|room| room.previously_removed.len());
    let (members, count) = (Count(members.sum(), "member"), Count(rooms.len(), "room"));
    console.status(&format!("{members} of {count} marked as removed"));
    let facts = rooms.into_iter().map(|room| {
        let steps = room.previously_removed.iter();
        let done = RoomFact::Released {
            members: steps.map(|step| step.user).collect(),
            taken_out: true,
        };
        Fact::Room(room.pipe, room.id, done)
    });
    Ok(facts.collect())
}

/// Keeps the steps of some users.
fn keep_users(rooms: &mut Vec<ManualSteps>, is_kept: impl Fn(UserId) -> bool) {
    for room in rooms.iter_mut() {
        room.previously_removed.retain(|step| is_kept(step.user));
    }
    rooms.retain(|room| !room.previously_removed.is_empty());
}
