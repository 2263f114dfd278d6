//! `ledger`: shows and changes the record of confirmed writes.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use super::files::RunFiles;
use super::options::{find_user, load_options, match_pipes, room_filter};
use super::prompt::{check_can_ask, consent};
use super::session::{Session, load_run};
use super::target::{ResolvedTarget, named_ledger};
use super::{Console, interrupt};
use crate::cli::{AdoptArgs, DocumentFormat, LedgerArgs, LedgerVerb};
use crate::config::Config;
use crate::document;
use crate::error::{Result, bail};
use crate::ledger::{Entries, Fact, PipeFact, Record, RoomFact, compact, history};
use crate::manifest::{Loaded, load};
use crate::model::{HistoryEntry, Pipe, Recorded};
use crate::plan::{Adoption, Inputs, RowFilter, adoption, counts_to_record};
use crate::render::{self, Count, escape};
use crate::view::{NAMED, few};

pub async fn run(args: &LedgerArgs, config: &Config, console: &mut Console) -> Result<()> {
    if let LedgerVerb::Adopt(adopt_args) = &args.verb {
        return adopt(adopt_args, args.format, config, console).await;
    }
    let loaded = LazyCell::new(|| load(&config.manifest(), load_options(config, false)));
    let resolved = ResolvedTarget::for_ledger(config, || loaded.desired.widget).await?;
    let ResolvedTarget { ledger, target, .. } = &resolved;
    let mut before = None;
    let after = match &args.verb {
        LedgerVerb::Show | LedgerVerb::Adopt(_) | LedgerVerb::History { .. } => {
            let snapshot = ledger.read(target).await?;
            if !snapshot.found {
                console.warn(&format!("there is no ledger at `{ledger}`"));
            }
            snapshot
        }
        LedgerVerb::Forget { pipes } => {
            let snapshot = resolved.read_ledger(console).await?;
            before = Some(snapshot.entries.len());
            let recorded = snapshot.into_recorded();
            let rooms = recorded_rooms(pipes, &recorded)?;
            print_matched(&rooms, pipes, console);
            for pipe in &rooms {
                let known = recorded.ids.get(pipe).and_then(|id| recorded.rooms.get(id));
                let steps = known.map(|known| known.released.keys());
                if let Some(users) = steps.filter(|steps| steps.len() > 0) {
                    let (users, pipe) = (few(users, NAMED), escape::terminal(pipe.as_str()));
                    let steps = format!("remove {users} from `{pipe}`");
                    console.warn(&format!(
                        "plans will no longer list these manual steps: {steps}"
                    ));
                }
            }
            let journal = resolved.open_ledger(&config.run).await?;
            let done = format!("forgot {}", Count(rooms.len(), "room"));
            let facts = rooms.into_iter();
            let facts = facts.map(|pipe| Fact::Pipe(pipe, PipeFact::Forgotten));
            journal.append(facts.collect()).await?;
            let after = ledger.read(target).await?;
            console.status(&done);
            after
        }
        LedgerVerb::Merge { files } => {
            let mut more = Entries::new();
            for file in files {
                let other = named_ledger(file, config)?;
                let snapshot = other.read(target).await?;
                if !snapshot.found {
                    bail!(Failed: "ledger `{other}`: no such file");
                }
                console.warn_all(&snapshot.warnings);
                more.extend(snapshot.entries);
            }
            let merge = |mut entries: Entries| {
                interrupt::finish(Some(interrupt::WRITING));
                before = Some(entries.len());
                entries.extend(more.clone());
                entries
            };
            ledger.rewrite(target, merge).await?
        }
        LedgerVerb::Compact => {
            let compact = |entries: Entries| {
                interrupt::finish(Some(interrupt::WRITING));
                before = Some(entries.len());
                compact(entries)
            };
            ledger.rewrite(target, compact).await?
        }
    };
    console.warn_all(&after.warnings);
    if let LedgerVerb::History { what } = &args.verb {
        let entries = find_history(&after.entries, what.as_deref(), config)?;
        let (partial, names) = (after.is_rewritten(), &loaded.desired.names);
        let text = |_| render::history(partial, &entries, names);
        let document = || document::history(target, partial, &entries, names);
        return console.print_as(args.format, text, document);
    }
    let (entries, recorded) = (after.entries.len(), after.into_recorded());
    let names = &loaded.desired.names;
    let text = |_| match before {
        None => render::ledger(target, entries, &recorded, names),
        Some(before) => {
            let rooms = Count(recorded.ids.len(), "room");
            format!("{ledger}: {before} → {entries} entries, {rooms} recorded\n")
        }
    };
    let document = || document::ledger(target, entries, &recorded, names);
    console.print_as(args.format, text, document)
}

/// Returns the entries about the room or the user with this name. Without a name, returns all
/// entries.
fn find_history(
    entries: &Entries,
    what: Option<&str>,
    config: &Config,
) -> Result<Vec<HistoryEntry>> {
    let Some(what) = what else {
        return Ok(history(entries, None, None));
    };
    let mut found = history(entries, Some(&Pipe::new(what)), None);
    if found.is_empty() {
        found = history(entries, None, Some(find_user(what, config)?));
    }
    if found.is_empty() {
        bail!(Failed: "the ledger has no entries about `{what}`";
            "run `roomform ledger history` to list all entries");
    }
    Ok(found)
}

/// Returns the recorded rooms that the pipes and globs match.
fn recorded_rooms(names: &[String], recorded: &Recorded) -> Result<BTreeSet<Pipe>> {
    let (mut rooms, mut unknown) = (BTreeSet::new(), Vec::new());
    for name in names {
        let matching = match_pipes(name, recorded.ids.keys().chain(recorded.owed.keys()))?;
        if matching.is_empty() {
            unknown.push(format!("`{name}`"));
        }
        rooms.extend(matching);
    }
    if unknown.is_empty() {
        return Ok(rooms);
    }
    bail!(Failed: "the ledger has no record of {}", unknown.join(", ");
        "run `roomform ledger show` to list the recorded rooms")
}

/// Lists the matched rooms, except those named without a glob.
pub fn print_matched(rooms: &BTreeSet<Pipe>, names: &[String], console: &mut Console) {
    let pipes = rooms.iter().map(Pipe::as_str);
    let matched = pipes.filter(|pipe| !names.iter().any(|name| name == pipe));
    let matched: Vec<String> = matched.map(escape::terminal).collect();
    if !matched.is_empty() {
        console.status(&format!("  {}", matched.join("\n  ")));
    }
}

/// Records the declared members of existing rooms as known members.
async fn adopt(
    args: &AdoptArgs,
    format: DocumentFormat,
    config: &Config,
    console: &mut Console,
) -> Result<()> {
    if !args.yes {
        let hint =
            "run the command without --format json to review its effect, then run it with --yes";
        check_can_ask(&format, hint)?;
    }
    let only = room_filter(&args.filter)?;
    let files = RunFiles::default();
    let (loaded, resolved) = load_run(config, false, &only, files, console)?;
    let session = Session::open(config, resolved, console).await?;
    let ResolvedTarget { target, ledger, .. } = &session.resolved;
    let recorded = session.resolved.read_ledger(console).await?.into_recorded();
    let observed = session.observe(&RowFilter::new(&loaded.desired)).await?;
    let inputs = Inputs::new(&loaded.desired, &observed, &recorded);
    let adoption = adoption(inputs, &only);
    let names = &loaded.desired.names;
    if format == DocumentFormat::Text {
        console.print(&render::adoption(target, &adoption, names))?;
    }
    if !adoption.rooms.is_empty() && !args.yes {
        let question = format!("Record this for {target}?");
        if !consent(&question, "recorded", console).await? {
            return session.close().await;
        }
    }
    let facts = facts_to_adopt(&adoption, &loaded, &recorded, only.is_all());
    if !facts.is_empty() {
        let journal = session.resolved.open_ledger(&session.run).await?;
        journal.append(facts).await?;
    }
    if format == DocumentFormat::Json {
        let after = ledger.read(target).await?;
        let (entries, recorded) = (after.entries.len(), after.into_recorded());
        console.print_document(&document::ledger(target, entries, &recorded, names))?;
    } else if !adoption.rooms.is_empty() {
        let ledger = escape::terminal(&ledger.to_string());
        console.status(&format!("recorded in {ledger}"));
    }
    session.close().await
}

/// Returns the facts for the adopted rooms. If the whole manifest is adopted, also returns the row
/// counts of its files, so that later counts can be compared with them.
fn facts_to_adopt(
    adoption: &Adoption,
    loaded: &Loaded,
    recorded: &Recorded,
    is_whole: bool,
) -> Vec<Fact> {
    let rooms = adoption.rooms.iter().map(|adopted| {
        let members = RoomFact::Adopted(adopted.members.clone());
        Fact::Room(adopted.pipe.clone(), adopted.room, members)
    });
    let given = counts_to_record(&loaded.desired.roster_counts(), recorded, None).into_iter();
    let given = given.filter(|(source, given)| {
        let known = recorded.rosters.get(&**source);
        is_whole && !adoption.rooms.is_empty() && known.is_none_or(|known| known < given)
    });
    let given = given.map(|(source, given)| Fact::Roster {
        source: source.to_string(),
        given,
    });
    rooms.chain(given).collect()
}
