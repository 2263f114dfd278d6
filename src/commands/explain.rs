//! `explain` and `render`: what a manifest comes to, offline.

use super::Console;
use super::selection::{check_selection, selection};
use super::session::load_manifest;
use crate::cli::{DocumentFormat, ExplainArgs, RenderArgs, RenderFormat};
use crate::config::Config;
use crate::document::ExplainDocument;
use crate::error::{Error, Exit};
use crate::manifest::explain;
use crate::model::DesiredRoom;
use crate::render;

/// Prints why each member is in a room.
pub(super) fn run(
    args: &ExplainArgs,
    config: &Config,
    console: &mut Console,
) -> Result<Exit, Error> {
    let (asked, only) = (args.what.as_str(), selection(&args.manifest.filter)?);
    let options = (&args.manifest).into();
    let (loaded, explained) = explain(&config.manifest(), options, asked);
    if !console.diagnostics(&[&loaded])? {
        return Ok(Exit::Invalid);
    }
    let desired = &loaded.desired;
    check_selection(&only, desired.rooms.keys(), "declared room")?;
    let Some(mut explained) = explained else {
        let message = format!("`{asked}` is neither the pipe of a declared room nor a user of one");
        return Err(Error::message(Exit::Usage, message)
            .hint("ask for a pipe, a user's id, or a name from `people`"));
    };
    let all = explained.memberships.len();
    let memberships = &mut explained.memberships;
    memberships.retain(|membership| only.contains(&membership.pipe));
    if memberships.len() < all {
        let left_out = render::Count(all - memberships.len(), "membership");
        console.status(&format!("{} leaves out {left_out}", only.flags()));
    }
    match args.format {
        DocumentFormat::Json => console.document(&ExplainDocument::new(&explained, desired))?,
        DocumentFormat::Text => {
            console.print(&render::explained(&explained, desired, console.out_paint))?;
        }
    }
    Ok(Exit::Done)
}

/// Prints the rooms after rosters and templates.
pub(super) fn render_manifest(
    args: &RenderArgs,
    config: &Config,
    console: &mut Console,
) -> Result<Exit, Error> {
    let only = selection(&args.manifest.filter)?;
    let Some(loaded) = load_manifest(config, (&args.manifest).into(), console)? else {
        return Ok(Exit::Invalid);
    };
    let desired = &loaded.desired;
    check_selection(&only, desired.rooms.keys(), "declared room")?;
    let rooms = desired.rooms.values();
    let rooms: Vec<&DesiredRoom> = rooms.filter(|room| only.contains(&room.pipe)).collect();
    console.stream(|out| match args.format {
        Some(RenderFormat::Csv) => render::members(&rooms, out),
        Some(RenderFormat::Json) | None => render::manifest(desired, &rooms, out),
    })?;
    Ok(Exit::Done)
}
