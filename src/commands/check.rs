//! `check`: validates the manifest, offline.

use super::Console;
use super::log::log_files;
use super::options::{check_filter, load_options, room_filter};
use super::session::warn_of_ignored_directory;
use crate::cli::{CheckArgs, CheckFormat};
use crate::config::Config;
use crate::document;
use crate::error::{Exit, Result};
use crate::manifest::load;
use crate::render::{Count, github, sarif};
use crate::view;

pub fn run(args: &CheckArgs, config: &Config, console: &mut Console) -> Result<Exit> {
    let only = room_filter(&args.manifest.filter)?;
    let mut loaded = load(
        &config.manifest(),
        load_options(config, args.manifest.allow_empty),
    );
    warn_of_ignored_directory(config, console);
    log_files(&loaded);
    let mut exit = Exit::Invalid;
    if loaded.is_valid() {
        exit = Exit::Done;
        let rooms = &mut loaded.desired.rooms;
        check_filter(&only, rooms.keys(), "declared room")?;
        let all = rooms.len();
        rooms.retain(|pipe, _| only.contains(pipe));
        if rooms.len() < all {
            let (flags, left_out) = (only.flags(), Count(all - rooms.len(), "declared room"));
            console.status(&format!(
                "{flags} excludes {left_out}, but all rooms were checked"
            ));
        }
    }
    let view = || view::check(&loaded);
    match args.format {
        CheckFormat::Text => {
            console.report_diagnostics(&[&loaded])?;
            let rooms = Count(loaded.desired.rooms.len(), "room");
            let members = Count(loaded.desired.memberships(), "membership");
            console.print(&format!("valid: {rooms}, {members}\n"))?;
        }
        CheckFormat::Json => console.print_document(&document::check(&loaded, exit))?,
        CheckFormat::Markdown => console.print_markdown(&view())?,
        CheckFormat::Github => console.print(&github::write(&view()))?,
        CheckFormat::Sarif => console.print_document(&sarif::check(&loaded))?,
    }
    Ok(exit)
}
