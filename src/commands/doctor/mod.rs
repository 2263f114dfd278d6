//! `doctor`: everything a run depends on, step by step. What fails takes along what needs it, and nothing else.
//!
//! It reads. Only [`probe`], asked for with `--write-probe`, writes: one room.

mod findings;
mod local;
mod probe;
mod rooms;
mod server;

use super::Console;
use super::target::ResolvedTarget;
use crate::cli::{DoctorArgs, DocumentFormat};
use crate::config::Config;
use crate::document::DoctorDocument;
use crate::error::{Error, Exit};
use crate::imbachat::{ReadRooms, Reader};
use crate::model::{Checkup, RoomId, Verdict};
use crate::render;

/// Characters of a name that are told.
const NAME: usize = 60;

pub(super) async fn run(
    args: &DoctorArgs,
    config: &Config,
    console: &mut Console,
) -> Result<Exit, Error> {
    if let Some(pipe) = &args.write_probe {
        probe::allowed(pipe, args, console)?;
    }
    let mut checkup = Checkup::default();
    let steps = &mut checkup.steps;
    steps.push(local::settings(config));
    let (loaded, step) = local::manifest(config);
    steps.push(step);
    let site = ResolvedTarget::new(config, loaded.desired.widget);
    steps.push(local::address(&site, config));
    let site = site.ok().filter(|_| !local::misplaced(config));
    let outside = server::look(config, site.as_ref(), steps).await;
    let (recorded, step) = local::ledger(site.as_ref()).await;
    steps.push(step);
    let survey = outside.survey.as_ref();
    let is_partial = outside.reader.as_ref().is_some_and(Reader::is_partial);
    let listed = rooms::look(survey, &loaded.desired, recorded.as_ref(), is_partial);
    steps.extend(listed);
    if let Some(pipe) = &args.write_probe {
        let known = probe::Known {
            loaded: &loaded,
            recorded: recorded.as_ref(),
            site: site.as_ref(),
            outside: &outside,
        };
        let (step, probe) = probe::look(pipe, args.yes, known, config, console).await?;
        steps.push(step);
        checkup.probe = probe;
    }
    if let Some(sandbox) = outside.sandbox {
        sandbox.stop().await?;
    }
    checkup.target = site.map(|site| site.target);
    tell(checkup, args.format, console)
}

fn tell(checkup: Checkup, format: DocumentFormat, console: &mut Console) -> Result<Exit, Error> {
    let exit = match checkup.count(Verdict::Failed) {
        0 => Exit::Done,
        _ => Exit::Failed,
    };
    let made = checkup.probe.as_ref().and_then(|probe| probe.room);
    let printed = match format {
        DocumentFormat::Json => console.document(&DoctorDocument::new(checkup, exit)),
        DocumentFormat::Text => console.print(&render::doctor(&checkup, console.out_paint)),
    };
    printed.map_err(|error| untold(error, made))?;
    Ok(exit)
}

/// Where nothing can be printed, a room that was made is told all the same: somebody has to remove it.
fn untold(error: Error, made: Option<RoomId>) -> Error {
    let Some(room) = made else {
        return error;
    };
    let message = format!(
        "room {room} was made, and only telling so failed: {}",
        error.chain()
    );
    Error::message(Exit::Failed, message).hint("remove the room by hand in ImbaChat")
}

/// A name of others between back-ticks, cut to what a line can bear; it is made harmless where it is shown.
fn quoted(name: &str) -> String {
    let short: String = name.chars().take(NAME).collect();
    let more = if short.len() < name.len() { "…" } else { "" };
    format!("`{short}{more}`")
}
