//! `explain` and `render`: resolve a manifest, offline. `explain` also reads the ledger.

use super::Console;
use super::options::{check_filter, csv_reader, find_shown_user, load_options, room_filter};
use super::session::{load_manifest, warn_of_ignored_directory};
use super::target::{ResolvedTarget, find_target};
use crate::cli::{ExplainArgs, RenderArgs, RenderFormat};
use crate::config::Config;
use crate::document;
use crate::error::{Result, bail};
use crate::ledger::{Entries, members_of, rooms_of};
use crate::manifest::{Explained, Subject, explain};
use crate::model::{Desired, DesiredRoom, Pipe, UserId};
use crate::render;
use crate::tables::number::positive_id;

/// For a room, prints why each member is in it. For a user, prints why they are in each of
/// their rooms. Also prints the members or rooms that the ledger lists but the manifest
/// does not.
pub async fn run(args: &ExplainArgs, config: &Config, console: &mut Console) -> Result<()> {
    let (asked, only) = (args.what.as_str(), room_filter(&args.manifest.filter)?);
    let options = load_options(config, args.manifest.allow_empty);
    let (mut loaded, mut explained) = explain(&config.manifest(), options, asked);
    let shown = find_shown_user(asked, &loaded.desired.names).filter(|_| explained.is_none());
    if let Some(user) = shown {
        (loaded, explained) = explain(&config.manifest(), options, &user.to_string());
    }
    warn_of_ignored_directory(config, console);
    console.report_diagnostics(&[&loaded])?;
    let desired = &loaded.desired;
    check_filter(&only, desired.rooms.keys(), "declared room")?;
    let ledger = read_entries(desired, config, console).await?;
    let pipe = Pipe::new(asked);
    let user = match explained.as_ref().map(|it| &it.subject) {
        Some(Subject::Room(_)) => None,
        Some(Subject::User(user, _)) => *user,
        // The argument may be a recorded pipe and also look like a user. Then it means
        // the room, just as the pipe of a declared room does.
        None if !members_of(&ledger, &pipe).is_empty() => None,
        None => shown.or(positive_id(asked).map(UserId)),
    };
    let mut listed = match user {
        Some(user) => rooms_of(&ledger, user),
        None => members_of(&ledger, &pipe),
    };
    if let Some(room) = desired.rooms.get(&pipe) {
        listed.retain(|it| !room.has_member(it.user));
    }
    // A user or a room that left the manifest may still be in the ledger.
    let only_listed = (!listed.is_empty()).then(|| Explained {
        subject: match user {
            Some(_) => Subject::User(user, Vec::new()),
            None => Subject::Room(pipe),
        },
        left_out: None,
        memberships: Vec::new(),
        skipped: Vec::new(),
    });
    let Some(mut explained) = explained.or(only_listed) else {
        bail!(Usage: "`{asked}` is neither a room's pipe nor a user in the manifest or the ledger";
            "write a room's pipe, a name from `people`, or a user's id without a sign or leading zeros");
    };
    let memberships = &mut explained.memberships;
    let all = memberships.len();
    memberships.retain(|membership| only.contains(&membership.pipe));
    listed.retain(|room| only.contains(&room.pipe));
    if memberships.len() < all {
        let left_out = render::Count(all - memberships.len(), "membership");
        console.status(&format!("{} leaves out {left_out}", only.flags()));
    }
    let text = |paint| render::explained(&explained, &listed, desired, paint);
    let document = || document::explained(&explained, &listed, desired);
    console.print_as(args.format, text, document)
}

/// The entries of the ledger. Without a widget there is no ledger to read.
async fn read_entries(desired: &Desired, config: &Config, console: &Console) -> Result<Entries> {
    if config.named_ledger().is_none() && find_target(config, desired.widget).is_err() {
        return Ok(Entries::new());
    }
    let resolved = ResolvedTarget::for_ledger(config, || desired.widget).await?;
    Ok(resolved.read_ledger(console).await?.entries)
}

/// Prints the rooms after rosters and templates are resolved.
pub fn render_manifest(args: &RenderArgs, config: &Config, console: &mut Console) -> Result<()> {
    let is_csv = args.format == Some(RenderFormat::Csv);
    let reader = csv_reader(args.csv, is_csv)?;
    let only = room_filter(&args.manifest.filter)?;
    let loaded = load_manifest(config, args.manifest.allow_empty, &only, console)?;
    let desired = &loaded.desired;
    let rooms = desired.rooms.values();
    let rooms: Vec<&DesiredRoom> = rooms.filter(|room| only.contains(&room.pipe)).collect();
    if let Some(pipe) = render::find_ci_command(&rooms).filter(|_| is_csv) {
        bail!(Failed: "the pipe or title of the room `{pipe}` contains a command that a CI job would execute, and CSV cannot escape it";
            "rename the room, or use --format json");
    }
    console.print_stream(|out| match args.format {
        Some(RenderFormat::Csv) => render::members(&rooms, reader, out),
        Some(RenderFormat::Json) | None => render::manifest(desired, &rooms, out),
    })
}
