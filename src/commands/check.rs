//! `check`: the manifest alone, offline.

use std::mem::forget;

use super::{Console, decisions};
use crate::cli::Format;
use crate::document::CheckDocument;
use crate::error::{Error, Exit};
use crate::manifest::{Loaded, Options, load};
use crate::render::{Count, sarif};
use crate::settings::Settings;
use crate::view;

pub(super) fn run(settings: &Settings, console: &mut Console) -> Result<Exit, Error> {
    let loaded = load(
        &settings.manifest(),
        Options {
            allow_empty: settings.common.allow_empty,
        },
    );
    decisions::files(&loaded);
    let exit = if loaded.is_valid() {
        Exit::Done
    } else {
        Exit::Invalid
    };
    match console.format {
        Format::Text | Format::Csv | Format::Html | Format::Table => {
            text(&loaded, console)?;
        }
        Format::Json => console.document(&CheckDocument::new(&loaded, exit))?,
        Format::Markdown | Format::Github => console.page(&view::check(&loaded))?,
        Format::Sarif => console.document(&sarif::check(&loaded))?,
    }
    // The process ends: giving millions of pieces back one by one would only take time.
    forget(loaded);
    Ok(exit)
}

fn text(loaded: &Loaded, console: &mut Console) -> Result<(), Error> {
    if console.mistakes(loaded)?.is_some() {
        return Ok(());
    }
    let (rooms, members) = (loaded.desired.rooms.len(), loaded.desired.memberships());
    console.print(&format!(
        "valid: {}, {}\n",
        Count(rooms, "room"),
        Count(members, "membership")
    ))
}
