//! `export`: the live rooms as a manifest, printed or in files.

mod files;

use super::Console;
use super::run_files::RunFiles;
use super::session::{Session, dice};
use super::target::ResolvedTarget;
use crate::cli::ExportArgs;
use crate::config::Config;
use crate::error::{Error, Exit};
use crate::imbachat::ReadRooms;
use crate::manifest::{Entry, Options, entries, load_text, page};
use crate::model::{LiveRoom, WidgetId};
use crate::plan::RoomFilter;

pub(super) async fn run(
    args: &ExportArgs,
    config: &Config,
    console: &mut Console,
) -> Result<Exit, Error> {
    let (globs, scope) = scope(&args.scope)?;
    let out = match &args.out {
        None => None,
        Some(out) => match files::Out::open(out, args, config, console)? {
            Some(out) => Some(out),
            None => return Ok(Exit::Invalid),
        },
    };
    let declared = out.as_ref().and_then(files::Out::widget);
    let resolved = ResolvedTarget::new(config, declared)?;
    let inputs = RunFiles::default().target(config, &resolved);
    if let Some(path) = &args.out {
        inputs.clone().writes("--out", Some(path)).check()?;
    }
    let session = Session::open(config, resolved).await?;
    let recorded = session.read_ledger(console).await?.recorded;
    let rooms: Vec<LiveRoom> = session
        .reader
        .collect(&dice(), Vec::new, |rooms, row| {
            if scope.contains(&row.pipe) {
                rooms.push(row);
            }
        })
        .await?;
    if session.reader.is_partial() {
        console.warn(
            "the export may be incomplete: a JWT may show only one user's rooms; read with the secret key",
        );
    }
    let widget = session.target.widget;
    session.close().await?;
    let entries = entries(&rooms, &recorded);
    if entries.is_empty() {
        console.warn(match args.scope.as_slice() {
            [] => "the server lists no live room",
            _ => "no live room matches --scope",
        });
    }
    match out {
        Some(out) => out.write(widget, &globs, &entries, inputs, console)?,
        None => {
            let all: Vec<&Entry> = entries.iter().collect();
            console.print(&page(widget, &globs, &all))?;
        }
    }
    Ok(Exit::Done)
}

/// The globs of `--scope`, each once, and what they choose. They are those a manifest may have, for they will stand in one.
fn scope(given: &[String]) -> Result<(Vec<String>, RoomFilter), Error> {
    let mut globs: Vec<String> = Vec::new();
    for glob in given {
        if !globs.contains(glob) {
            globs.push(glob.clone());
        }
    }
    let text = page(WidgetId(1), &globs, &[]);
    let loaded = load_text("--scope", &text, Options { allow_empty: true });
    let wrong = loaded.diagnostics.first().map(|it| it.message.clone());
    let wrong = match (wrong, RoomFilter::new(&globs)) {
        (None, Ok(selection)) => return Ok((globs, selection)),
        (Some(wrong), _) => wrong,
        (None, Err(error)) => error.to_string(),
    };
    Err(Error::message(Exit::Usage, format!("--scope: {wrong}"))
        .hint("write it as --scope 'course-*'"))
}
