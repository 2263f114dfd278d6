//! `ledger`: look into the record, merge it, tidy it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::Console;
use super::adopt;
use super::target::{ResolvedTarget, named_ledger};
use crate::cli::{DocumentFormat, LedgerArgs, LedgerVerb};
use crate::config::Config;
use crate::document::LedgerDocument;
use crate::error::{Error, Exit};
use crate::ledger::{Entries, Fact, Record, Snapshot, compact};
use crate::model::{Pipe, Recorded};
use crate::plan::RoomFilter;
use crate::render;

pub(super) async fn run(
    args: &LedgerArgs,
    config: &Config,
    console: &mut Console,
) -> Result<Exit, Error> {
    let format = args.format;
    if let LedgerVerb::Adopt(args) = &args.verb {
        return adopt::run(args, format, config, console).await;
    }
    let resolved = ResolvedTarget::for_ledger(config).await?;
    match &args.verb {
        // It has a resolved of its own: where the rooms are read.
        LedgerVerb::Adopt(_) => {}
        LedgerVerb::Show => show(&resolved, format, console).await?,
        LedgerVerb::Forget { pipes, by_hand } => {
            let (before, after) = forget(&resolved, pipes, *by_hand, config, console).await?;
            told(&resolved, before, &after, format, console)?;
        }
        LedgerVerb::Merge { files } => {
            let (before, after) = merge(&resolved, files, config, console).await?;
            told(&resolved, before, &after, format, console)?;
        }
        LedgerVerb::Compact => {
            let mut before = 0;
            let work = |entries: Entries| {
                before = entries.len();
                compact(&entries)
            };
            let snapshot = resolved.ledger.rewrite(&resolved.target, work).await?;
            told(&resolved, before, &snapshot, format, console)?;
        }
    }
    Ok(Exit::Done)
}

async fn show(
    resolved: &ResolvedTarget,
    format: DocumentFormat,
    console: &mut Console,
) -> Result<(), Error> {
    let snapshot = resolved.ledger.read(&resolved.target).await?;
    if !snapshot.found {
        console.warn(&format!("there is no ledger at `{}`", resolved.ledger));
    }
    warn(console, &snapshot);
    let recorded = snapshot.recorded();
    let (target, entries) = (&resolved.target, snapshot.entries.len());
    match format {
        DocumentFormat::Json => console.document(&LedgerDocument::new(target, entries, &recorded)),
        DocumentFormat::Text => console.print(&render::ledger(target, entries, &recorded)),
    }
}

/// Forgets rooms, or only their manual steps. Gives the number of entries before, and the ledger after.
async fn forget(
    resolved: &ResolvedTarget,
    pipes: &[String],
    by_hand: bool,
    config: &Config,
    console: &mut Console,
) -> Result<(usize, Snapshot), Error> {
    let snapshot = resolved.ledger.read(&resolved.target).await?;
    warn(console, &snapshot);
    let recorded = snapshot.recorded();
    let (known, unknown) = meant(pipes, &recorded)?;
    if !unknown.is_empty() {
        let names: Vec<String> = unknown.iter().map(|pipe| format!("`{pipe}`")).collect();
        let message = format!("nothing is on record of {}", names.join(", "));
        return Err(
            Error::message(Exit::Failed, message).hint("`roomform ledger show` lists what is")
        );
    }
    let (facts, said) = if by_hand {
        taken_out(&known, &recorded)?
    } else {
        let facts = known.iter().cloned().map(|pipe| Fact::Forgotten { pipe });
        let said = format!("forgot {}", render::Count(known.len(), "room"));
        (facts.collect(), said)
    };
    // What a glob matched nobody has read yet.
    let globbed = facts.iter().filter_map(Fact::pipe);
    let globbed = globbed.filter(|pipe| !pipes.iter().any(|name| *name == *pipe.as_str()));
    let globbed: Vec<String> = globbed
        .map(|pipe| render::escape::terminal(pipe.as_str()))
        .collect();
    if !globbed.is_empty() {
        console.status(&format!("  {}", globbed.join("\n  ")));
    }
    let ledger = resolved.ledger.open(&resolved.target, &config.run).await?;
    ledger.append(facts).await?;
    let after = resolved.ledger.read(&resolved.target).await?;
    console.status(&said);
    Ok((snapshot.entries.len(), after))
}

/// That everybody who is left to people in these rooms was taken out, and what is said of it.
fn taken_out(rooms: &BTreeSet<Pipe>, recorded: &Recorded) -> Result<(Vec<Fact>, String), Error> {
    let mut members = 0;
    let facts = rooms.iter().filter_map(|pipe| {
        let room = *recorded.ids.get(pipe)?;
        let released = &recorded.rooms.get(&room)?.released;
        members += released.len();
        (!released.is_empty()).then(|| Fact::Released {
            pipe: pipe.clone(),
            room,
            members: released.iter().copied().collect(),
            taken_out: true,
        })
    });
    let facts: Vec<Fact> = facts.collect();
    if facts.is_empty() {
        let message = "nobody is on record as left to people there";
        return Err(Error::message(Exit::Failed, message).hint(
            "an apply writes down who is not wanted any more; `roomform ledger show` lists them as released",
        ));
    }
    let (members, rooms) = (
        render::Count(members, "member"),
        render::Count(facts.len(), "room"),
    );
    Ok((facts, format!("{members} of {rooms} recorded as taken out")))
}

/// The rooms on record that pipes and globs name, and which of these name none. A pipe that is on record is meant as it stands,
/// whatever signs it has.
fn meant<'p>(
    pipes: &'p [String],
    recorded: &Recorded,
) -> Result<(BTreeSet<Pipe>, Vec<&'p String>), Error> {
    let (mut known, mut unknown) = (BTreeSet::new(), Vec::new());
    for name in pipes {
        let pipe = name.as_str();
        if recorded.ids.contains_key(pipe) || recorded.owed.contains_key(pipe) {
            known.insert(Pipe::new(pipe));
            continue;
        }
        let globs = RoomFilter::new(std::slice::from_ref(name)).map_err(|error| {
            Error::message(Exit::Usage, format!("`{name}`: {error}"))
                .hint("it takes a pipe or a glob of pipes, as in 'course-*'")
        })?;
        let all = recorded.ids.keys().chain(recorded.owed.keys());
        let mut matching = all.filter(|pipe| globs.contains(pipe)).peekable();
        if matching.peek().is_none() {
            unknown.push(name);
        }
        known.extend(matching.cloned());
    }
    Ok((known, unknown))
}

async fn merge(
    resolved: &ResolvedTarget,
    files: &[PathBuf],
    config: &Config,
    console: &mut Console,
) -> Result<(usize, Snapshot), Error> {
    let mut more = Entries::new();
    for file in files {
        let other = named_ledger(file, config)?;
        let snapshot = other.read(&resolved.target).await?;
        if !snapshot.found {
            let message = format!("ledger `{other}`: no such file");
            return Err(Error::message(Exit::Failed, message));
        }
        warn(console, &snapshot);
        more.extend(snapshot.entries);
    }
    let mut before = 0;
    let work = |mut entries: Entries| {
        before = entries.len();
        entries.extend(more.clone());
        entries
    };
    let snapshot = resolved.ledger.rewrite(&resolved.target, work).await?;
    Ok((before, snapshot))
}

fn warn(console: &mut Console, snapshot: &Snapshot) {
    for warning in &snapshot.warnings {
        console.warn(warning);
    }
}

/// Reports what the ledger holds now, and what was wrong with it.
fn told(
    resolved: &ResolvedTarget,
    before: usize,
    after: &Snapshot,
    format: DocumentFormat,
    console: &mut Console,
) -> Result<(), Error> {
    warn(console, after);
    let (entries, recorded) = (after.entries.len(), after.recorded());
    match format {
        DocumentFormat::Json => {
            console.document(&LedgerDocument::new(&resolved.target, entries, &recorded))
        }
        DocumentFormat::Text => {
            let rooms = render::Count(recorded.ids.len(), "room");
            let ledger = &resolved.ledger;
            console.print(&format!(
                "{ledger}: {before} → {entries} entries, {rooms} on record\n"
            ))
        }
    }
}
