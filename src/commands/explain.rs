//! `explain` and `render`: what a manifest comes to, offline.

use super::Console;
use super::target::{chosen, manifest, switches};
use crate::cli::Format;
use crate::document::ExplainDocument;
use crate::error::{Error, Exit};
use crate::manifest::{Options, explain};
use crate::model::DesiredRoom;
use crate::render;
use crate::settings::Settings;

/// Why somebody is in a room.
pub(super) fn run(asked: &str, settings: &Settings, console: &mut Console) -> Result<Exit, Error> {
    let options = Options {
        allow_empty: settings.common.allow_empty,
    };
    let (loaded, explained) = explain(&settings.manifest(), options, asked);
    if console.mistakes(&loaded)?.is_some() {
        return Ok(Exit::Invalid);
    }
    let Some(explained) = explained else {
        let message = format!("`{asked}` is neither the pipe of a declared room nor a user of one");
        return Err(Error::message(Exit::Usage, message)
            .hint("ask for a pipe, a user's id, or a name from `people`"));
    };
    match console.format {
        Format::Json => {
            console.document(&ExplainDocument::new(&explained, &loaded.desired))?;
        }
        _ => {
            let text = render::explained(&explained, &loaded.desired, console.out_paint);
            console.print(&text)?;
        }
    }
    Ok(Exit::Done)
}

/// The rooms after rosters and templates.
pub(super) fn resolved(settings: &Settings, console: &mut Console) -> Result<Exit, Error> {
    let switches = switches(&settings.common)?;
    let Some(loaded) = manifest(settings, console)? else {
        return Ok(Exit::Invalid);
    };
    chosen(&loaded, &switches)?;
    let desired = &loaded.desired;
    let rooms = desired.rooms.values();
    let rooms: Vec<&DesiredRoom> = rooms
        .filter(|room| switches.only.contains(&room.pipe))
        .collect();
    console.stream(|format, out| match format {
        Format::Csv => render::members(&rooms, out),
        _ => render::manifest(desired, &rooms, out),
    })?;
    Ok(Exit::Done)
}
