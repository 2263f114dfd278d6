//! `ledger`: look into the record, merge it, tidy it.

use std::path::{Path, PathBuf};

use super::Console;
use super::adopt;
use super::site::Site;
use crate::cli::{Format, LedgerVerb};
use crate::error::{Error, Exit};
use crate::ledger::{Entries, Fact, Journal, Record, Snapshot, compact, read, rewrite};
use crate::model::Pipe;
use crate::render;
use crate::render::json::LedgerDocument;
use crate::settings::Settings;

pub(super) async fn run(
    verb: &LedgerVerb,
    settings: &Settings,
    console: &mut Console,
) -> Result<Exit, Error> {
    if let LedgerVerb::Adopt(args) = verb {
        return adopt::run(args, settings, console).await;
    }
    let site = Site::of_ledger(settings)?;
    match verb {
        // It has a site of its own: where the rooms are read.
        LedgerVerb::Adopt(_) => {}
        LedgerVerb::Show => show(&site, console)?,
        LedgerVerb::Forget { pipes } => forget(&site, pipes, settings, console).await?,
        LedgerVerb::Merge { files } => merge(&site, files, console)?,
        LedgerVerb::Compact => {
            let mut before = 0;
            let snapshot = rewrite(&site.ledger, &site.target, |entries| {
                before = entries.len();
                compact(&entries)
            })?;
            told(console, &site, before, &snapshot)?;
        }
    }
    Ok(Exit::Done)
}

fn show(site: &Site, console: &mut Console) -> Result<(), Error> {
    if !site.ledger.exists() {
        console.warn(&format!(
            "there is no ledger at `{}`",
            site.ledger.display()
        ));
    }
    let snapshot = read(&site.ledger, &site.target)?;
    warn(console, &snapshot);
    let recorded = snapshot.recorded();
    if console.format == Format::Json {
        return console.document(&LedgerDocument::new(
            &site.target,
            snapshot.entries.len(),
            &recorded,
        ));
    }
    console.print(&render::ledger(
        &site.target,
        snapshot.entries.len(),
        &recorded,
    ))
}

async fn forget(
    site: &Site,
    pipes: &[String],
    settings: &Settings,
    console: &mut Console,
) -> Result<(), Error> {
    let snapshot = read(&site.ledger, &site.target)?;
    warn(console, &snapshot);
    let recorded = snapshot.recorded();
    let unknown = |pipe: &&String| {
        let pipe = pipe.as_str();
        !recorded.ids.contains_key(pipe) && !recorded.owed.contains_key(pipe)
    };
    let unknown: Vec<&String> = pipes.iter().filter(unknown).collect();
    if !unknown.is_empty() {
        let names: Vec<String> = unknown.iter().map(|pipe| format!("`{pipe}`")).collect();
        let message = format!("nothing is on record of {}", names.join(", "));
        return Err(
            Error::message(Exit::Failed, message).hint("`roomform ledger show` lists what is")
        );
    }
    let facts = pipes
        .iter()
        .map(|pipe| Fact::Forgotten {
            pipe: Pipe::new(pipe.as_str()),
        })
        .collect();
    Journal::open(&site.ledger, &site.target, &settings.run)?
        .append(facts)
        .await?;
    let after = read(&site.ledger, &site.target)?;
    console.status(&format!("forgot {}", render::Count(pipes.len(), "room")));
    told(console, site, snapshot.entries.len(), &after)
}

fn merge(site: &Site, files: &[PathBuf], console: &mut Console) -> Result<(), Error> {
    let mut more = Entries::new();
    for file in files {
        if !file.exists() {
            let message = format!("ledger `{}`: no such file", file.display());
            return Err(Error::message(Exit::Failed, message));
        }
        let snapshot = read(file, &site.target)?;
        warn(console, &snapshot);
        more.extend(snapshot.entries);
    }
    let mut before = 0;
    let snapshot = rewrite(&site.ledger, &site.target, |mut entries| {
        before = entries.len();
        entries.extend(more);
        entries
    })?;
    told(console, site, before, &snapshot)
}

fn warn(console: &mut Console, snapshot: &Snapshot) {
    for warning in &snapshot.warnings {
        console.warn(warning);
    }
}

/// What the ledger holds now, and what was wrong with it.
fn told(console: &mut Console, site: &Site, before: usize, after: &Snapshot) -> Result<(), Error> {
    warn(console, after);
    let (entries, recorded) = (&after.entries, after.recorded());
    if console.format == Format::Json {
        return console.document(&LedgerDocument::new(&site.target, entries.len(), &recorded));
    }
    let path: &Path = &site.ledger;
    let rooms = render::Count(recorded.ids.len(), "room");
    let text = format!(
        "{}: {before} → {} entries, {rooms} on record\n",
        path.display(),
        entries.len()
    );
    console.print(&text)
}
