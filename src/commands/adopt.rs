//! `ledger adopt`: what the manifest declares of rooms that were there before roomform is written down as present.

use super::Console;
use super::prompt::confirm;
use super::run_files::RunFiles;
use super::selection::{check_selection, selection};
use super::target::{Connection, manifest, observed};
use crate::cli::{AdoptArgs, DocumentFormat};
use crate::config::Config;
use crate::document::LedgerDocument;
use crate::error::{Error, Exit};
use crate::ledger::{Fact, Record};
use crate::manifest::{Loaded, Options};
use crate::model::Recorded;
use crate::plan::{Adoption, Interest, adoption, to_note};
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
    let Some(loaded) = manifest(config, Options::default(), console)? else {
        return Ok(Exit::Invalid);
    };
    check_selection(&only, loaded.desired.rooms.keys(), "declared room")?;
    RunFiles::default()
        .manifest(&loaded)
        .target(config, loaded.desired.widget)
        .check()?;
    let connection = Connection::open(config, loaded.desired.widget).await?;
    let recorded = connection.remembered(console).await?.recorded;
    let observed = observed(&connection, &Interest::new(&loaded.desired)).await?;
    let adoption = adoption(&loaded.desired, &observed, &recorded, &only);
    if format == DocumentFormat::Text {
        console.print(&render::adoption(&connection.target, &adoption))?;
    }
    let exit = consent(&adoption, args.yes, &connection, console).await?;
    if let Some(exit) = exit {
        connection.close().await?;
        return Ok(exit);
    }
    let facts = facts(&adoption, &loaded, &recorded, only.is_all());
    if !facts.is_empty() {
        let (place, target) = (&connection.ledger, &connection.target);
        place.open(target, &config.run).await?.append(facts).await?;
    }
    told(&adoption, &connection, format, console).await?;
    connection.close().await?;
    Ok(Exit::Done)
}

/// How the run ends if nothing is to be written down, or nobody said that it may.
async fn consent(
    adoption: &Adoption,
    yes: bool,
    connection: &Connection,
    console: &mut Console,
) -> Result<Option<Exit>, Error> {
    if adoption.rooms.is_empty() || yes {
        return Ok(None);
    }
    if !console.interactive {
        console.error("nothing was recorded: nobody is there to ask, and --yes was not given");
        return Ok(Some(Exit::Refused));
    }
    let question = format!("Record this for {}?", connection.target);
    if confirm(&question, console).await? {
        return Ok(None);
    }
    console.status("nothing was recorded: the answer was not `yes`");
    Ok(Some(Exit::Done))
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
    connection: &Connection,
    format: DocumentFormat,
    console: &mut Console,
) -> Result<(), Error> {
    if format == DocumentFormat::Json {
        let after = connection.ledger.read(&connection.target).await?;
        return console.document(&LedgerDocument::new(
            &connection.target,
            after.entries.len(),
            &after.recorded(),
        ));
    }
    if !adoption.rooms.is_empty() {
        let path = &connection.ledger;
        console.status(&format!(
            "recorded in {}",
            render::escape::terminal(&path.to_string())
        ));
    }
    Ok(())
}
