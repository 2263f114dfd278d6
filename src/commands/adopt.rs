//! `ledger adopt`: what the manifest declares of rooms that were there before roomform is written down as present.

use super::Console;
use super::prompt::consent;
use super::run_files::RunFiles;
use super::selection::{check_selection, selection};
use super::session::{Session, load_manifest};
use super::target::ResolvedTarget;
use crate::cli::{AdoptArgs, DocumentFormat};
use crate::config::Config;
use crate::document::LedgerDocument;
use crate::error::{Error, Exit};
use crate::ledger::{Fact, Record};
use crate::manifest::{Loaded, Options};
use crate::model::Recorded;
use crate::plan::{Adoption, RowFilter, adoption, to_note};
use crate::render;

pub(super) async fn run(
    args: &AdoptArgs,
    format: DocumentFormat,
    config: &Config,
    console: &mut Console,
) -> Result<Exit, Error> {
    if format != DocumentFormat::Text && !args.yes {
        let message = "--format json cannot ask, and --yes was not given";
        return Err(Error::message(Exit::Refused, message)
            .hint("look at what it records without --format json, then run it with --yes"));
    }
    let only = selection(&args.filter)?;
    let Some(loaded) = load_manifest(config, Options::default(), console)? else {
        return Ok(Exit::Invalid);
    };
    check_selection(&only, loaded.desired.rooms.keys(), "declared room")?;
    let resolved = ResolvedTarget::new(config, loaded.desired.widget)?;
    RunFiles::default()
        .manifest(&loaded)
        .target(config, &resolved)
        .check()?;
    let session = Session::open(config, resolved).await?;
    let recorded = session.read_ledger(console).await?.recorded;
    let observed = session.observe(&RowFilter::new(&loaded.desired)).await?;
    let adoption = adoption(&loaded.desired, &observed, &recorded, &only);
    if format == DocumentFormat::Text {
        console.print(&render::adoption(&session.target, &adoption))?;
    }
    if !adoption.rooms.is_empty() && !args.yes {
        let question = format!("Record this for {}?", session.target);
        if let Some(exit) = consent(&question, "recorded", console).await? {
            session.close().await?;
            return Ok(exit);
        }
    }
    let facts = facts(&adoption, &loaded, &recorded, only.is_all());
    if !facts.is_empty() {
        session.open_ledger().await?.append(facts).await?;
    }
    told(&adoption, &session, format, console).await?;
    session.close().await?;
    Ok(Exit::Done)
}

/// What is written down; with the whole manifest also how much its files with rows give, to judge later ones by.
fn facts(adoption: &Adoption, loaded: &Loaded, recorded: &Recorded, whole: bool) -> Vec<Fact> {
    let rooms = adoption.rooms.iter().map(|adopted| Fact::Adopted {
        pipe: adopted.pipe.clone(),
        room: adopted.room,
        members: adopted.members.clone(),
    });
    let given = to_note(&loaded.desired.given(), recorded, None).into_iter();
    let given = given.filter(|(source, given)| {
        let known = recorded.rosters.get(&**source);
        whole && !adoption.rooms.is_empty() && known.is_none_or(|known| known < given)
    });
    let given = given.map(|(source, given)| Fact::Roster {
        source: source.to_string(),
        given,
    });
    rooms.chain(given).collect()
}

async fn told(
    adoption: &Adoption,
    session: &Session,
    format: DocumentFormat,
    console: &mut Console,
) -> Result<(), Error> {
    if format == DocumentFormat::Json {
        let after = session.ledger.read(&session.target).await?;
        return console.document(&LedgerDocument::new(
            &session.target,
            after.entries.len(),
            &after.recorded(),
        ));
    }
    if !adoption.rooms.is_empty() {
        let path = &session.ledger;
        console.status(&format!(
            "recorded in {}",
            render::escape::terminal(&path.to_string())
        ));
    }
    Ok(())
}
