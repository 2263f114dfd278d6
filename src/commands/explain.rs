//! `explain` and `render`: resolve a manifest, offline.

use super::Console;
use super::filter::{check_filter, load_options, room_filter};
use super::session::load_manifest;
use crate::cli::{DocumentFormat, ExplainArgs, RenderArgs, RenderFormat};
use crate::config::Config;
use crate::document::ExplainDocument;
use crate::error::{Exit, Result, bail};
use crate::manifest::explain;
use crate::model::DesiredRoom;
use crate::render;

/// Prints why each member is in a room.
pub fn run(args: &ExplainArgs, config: &Config, console: &mut Console) -> Result<Exit> {
    let (asked, only) = (args.what.as_str(), room_filter(&args.manifest.filter)?);
    let options = load_options(config, args.manifest.allow_empty);
    let (loaded, explained) = explain(&config.manifest(), options, asked);
    if !console.report_diagnostics(&[&loaded])? {
        return Ok(Exit::Invalid);
    }
    let desired = &loaded.desired;
    check_filter(&only, desired.rooms.keys(), "declared room")?;
    let Some(mut explained) = explained else {
        bail!(Usage: "`{asked}` is neither the pipe of a declared room nor a user of one";
            "ask for a pipe, a name from `people`, or a user's id without sign and leading zeros");
    };
    let all = explained.memberships.len();
    let memberships = &mut explained.memberships;
    memberships.retain(|membership| only.contains(&membership.pipe));
    if memberships.len() < all {
        let left_out = render::Count(all - memberships.len(), "membership");
        console.status(&format!("{} leaves out {left_out}", only.flags()));
    }
    let paint = console.out_paint;
    match args.format {
        DocumentFormat::Json => console.print_document(&ExplainDocument::new(&explained, desired)),
        DocumentFormat::Text => console.print(&render::explained(&explained, desired, paint)),
    }?;
    Ok(Exit::Done)
}

/// Prints the rooms after rosters and templates are resolved.
pub fn render_manifest(args: &RenderArgs, config: &Config, console: &mut Console) -> Result<Exit> {
    let only = room_filter(&args.manifest.filter)?;
    let Some(loaded) = load_manifest(config, args.manifest.allow_empty, &only, console)? else {
        return Ok(Exit::Invalid);
    };
    let desired = &loaded.desired;
    let rooms = desired.rooms.values();
    let rooms: Vec<&DesiredRoom> = rooms.filter(|room| only.contains(&room.pipe)).collect();
    let is_csv = args.format == Some(RenderFormat::Csv);
    if let Some(pipe) = render::find_ci_command(&rooms).filter(|_| is_csv) {
        bail!(Failed: "`{pipe}`: its pipe or title contains a command that the log of a CI job obeys, and CSV cannot escape it";
            "rename the room, or use --format json");
    }
    console.print_stream(|out| match args.format {
        Some(RenderFormat::Csv) => render::members(&rooms, out),
        Some(RenderFormat::Json) | None => render::manifest(desired, &rooms, out),
    })?;
    Ok(Exit::Done)
}
