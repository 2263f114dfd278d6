//! `check`: the manifest alone, offline.

use super::selection::{check_selection, selection};
use super::{Console, verbose};
use crate::cli::{CheckArgs, CheckFormat};
use crate::config::Config;
use crate::document::CheckDocument;
use crate::error::{Error, Exit};
use crate::manifest::{Loaded, load};
use crate::render::{Count, github, markdown, sarif};
use crate::view;

pub(super) fn run(args: &CheckArgs, config: &Config, console: &mut Console) -> Result<Exit, Error> {
    let only = selection(&args.manifest.filter)?;
    let mut loaded = load(&config.manifest(), (&args.manifest).into());
    verbose::log_files(&loaded);
    if loaded.is_valid() {
        let rooms = &mut loaded.desired.rooms;
        check_selection(&only, rooms.keys(), "declared room")?;
        let all = rooms.len();
        rooms.retain(|pipe, _| only.contains(pipe));
        if rooms.len() < all {
            let left_out = Count(all - rooms.len(), "declared room");
            console.status(&format!(
                "{} leaves out {left_out}; all were checked",
                only.flags()
            ));
        }
    }
    let exit = if loaded.is_valid() {
        Exit::Done
    } else {
        Exit::Invalid
    };
    match args.format {
        CheckFormat::Text => text(&loaded, console)?,
        CheckFormat::Json => console.document(&CheckDocument::new(&loaded, exit))?,
        CheckFormat::Markdown => {
            console.print(&markdown::write(&view::check(&loaded), console.fit))?
        }
        CheckFormat::Github => console.print(&github::write(&view::check(&loaded)))?,
        CheckFormat::Sarif => console.document(&sarif::check(&loaded))?,
    }
    Ok(exit)
}

fn text(loaded: &Loaded, console: &mut Console) -> Result<(), Error> {
    if !console.diagnostics(&[loaded])? {
        return Ok(());
    }
    let (rooms, members) = (loaded.desired.rooms.len(), loaded.desired.memberships());
    console.print(&format!(
        "valid: {}, {}\n",
        Count(rooms, "room"),
        Count(members, "membership")
    ))
}
