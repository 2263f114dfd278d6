//! `todo`: lists the open manual steps, and marks them as done. It sends nothing.

use std::collections::BTreeSet;

use super::Console;
use super::ledger::print_matched;
use super::options::{csv_reader, find_user, load_options, match_pipes};
use super::target::ResolvedTarget;
use crate::cli::{TodoArgs, TodoDoneArgs, TodoFormat, TodoVerb};
use crate::config::Config;
use crate::document::TodoDocument;
use crate::error::{Result, bail};
use crate::ledger::{Fact, Record, RoomFact};
use crate::manifest::load;
use crate::model::{Desired, Pipe, Recorded, UserId};
use crate::plan::{LeftRoom, left_rooms, open_steps};
use crate::render::{self, Count};
use crate::view;

pub async fn run(args: &TodoArgs, config: &Config, console: &mut Console) -> Result<()> {
    let flags = &args.flags;
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
    let snapshot = resolved.read_ledger(console).await?;
    if !snapshot.found {
        console.warn(&format!("there is no ledger at `{ledger}`"));
    }
    let mut recorded = snapshot.into_recorded();
    let mut users = Vec::new();
    match &args.verb {
        None => users.extend(&args.list.user),
        Some(TodoVerb::List(list)) => users.extend(&list.user),
        Some(TodoVerb::Done(done)) => {
            let facts = facts_when_done(done, desired, &recorded, config, console)?;
            let journal = resolved.open_ledger(&config.run).await?;
            journal.append(facts).await?;
            recorded = ledger.read(target).await?.into_recorded();
        }
    }
    let users = find_users(users, config)?;
    let rooms = open_steps(desired, &recorded, &users);
    let left: Vec<LeftRoom> = match users.is_empty() {
        true => left_rooms(desired, &recorded).collect(),
        false => Vec::new(),
    };
    let names = &desired.names;
    let view = || view::todo(target, &rooms, &left, names);
    match flags.format {
        TodoFormat::Text => {
            let paint = console.out_paint;
            console.print_stream(|out| render::write(&view(), paint, out))
        }
        TodoFormat::Json => {
            console.print_document(&TodoDocument::new(target, &rooms, &left, names))
        }
        TodoFormat::Csv => {
            console.print_stream(|out| render::todo(&rooms, &left, names, reader, out))
        }
        TodoFormat::Markdown => console.print_markdown(&view()),
    }
}

/// Returns the facts that mark open steps as done.
fn facts_when_done(
    args: &TodoDoneArgs,
    desired: &Desired,
    recorded: &Recorded,
    config: &Config,
    console: &mut Console,
) -> Result<Vec<Fact>> {
    let pipes = match_pipes(&args.pipe, recorded.ids.keys())?;
    let users = find_users(&args.users, config)?;
    let mut rooms = open_steps(desired, recorded, &users);
    rooms.retain(|room| pipes.contains(&room.pipe));
    for (user, name) in users.iter().zip(&args.users) {
        let mut steps = rooms.iter().flat_map(|room| &room.previously_removed);
        if !steps.any(|step| step.user == *user) {
            bail!(Usage: "there is no open step to remove `{name}` from `{}`", args.pipe;
                "run `roomform todo` to list the open steps");
        }
    }
    if rooms.is_empty() {
        let hint = match pipes.iter().any(|pipe| recorded.left.contains_key(pipe)) {
            true => format!(
                "after you delete the room in ImbaChat, or if you decide to keep it there, run `roomform ledger forget {}`",
                args.pipe
            ),
            false => {
                "run `roomform todo` to list the open steps; a step opens when `apply` records that a member is no longer in the manifest"
                    .to_owned()
            }
        };
        bail!(Usage: "no manual steps are open for `{}`", args.pipe; hint);
    }
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

fn find_users<'a>(
    names: impl IntoIterator<Item = &'a String>,
    config: &Config,
) -> Result<Vec<UserId>> {
    let names = names.into_iter();
    names.map(|name| find_user(name, config)).collect()
}
