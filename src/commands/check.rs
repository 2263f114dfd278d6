//! `check`: the manifest alone, offline.

use super::Console;
use crate::cli::Format;
use crate::error::{Error, Exit};
use crate::manifest::{Options, load};
use crate::render::Count;
use crate::render::json::CheckDocument;
use crate::settings::Settings;

pub(super) fn run(settings: &Settings, console: &mut Console) -> Result<Exit, Error> {
    let loaded = load(
        &settings.manifest(),
        Options {
            allow_empty: settings.common.allow_empty,
        },
    );
    let exit = if loaded.is_valid() {
        Exit::Done
    } else {
        Exit::Invalid
    };
    if console.format == Format::Json {
        console.document(&CheckDocument::new(&loaded, exit))?;
        return Ok(exit);
    }
    if console.mistakes(&loaded)?.is_none() {
        let (rooms, members) = (loaded.desired.rooms.len(), loaded.desired.memberships());
        console.print(&format!(
            "valid: {}, {}\n",
            Count(rooms, "room"),
            Count(members, "membership")
        ))?;
    }
    Ok(exit)
}
