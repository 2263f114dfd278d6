//! `init`: a starter manifest with its schema, what git has to know, and the files of a CI. All of them or none.

mod ci;

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::Console;
use super::files::{PlannedFile, make_directories, refuse_what_is_in_the_way};
use crate::cli::InitArgs;
use crate::document;
use crate::error::{Error, Exit};
use crate::manifest::raw;

const STARTER: &str = include_str!("rooms.yaml");
/// The sandbox's state is nobody else's; the ledger may be committed.
const IGNORED: &str = ".roomform/sandbox*";
/// Two branches that both applied are put together line by line.
const MERGED: &str = ".roomform/*.jsonl merge=union";

pub(super) fn run(args: &InitArgs, console: &mut Console) -> Result<Exit, Error> {
    let home = args.directory.as_deref().unwrap_or(Path::new("."));
    let planned = |path: &str, text: String| PlannedFile {
        path: home.join(path),
        text,
    };
    let mut files = vec![
        planned("rooms.yaml", STARTER.to_owned()),
        planned(
            "schema/manifest.schema.json",
            document::text(&raw::schema())?,
        ),
    ];
    let ci = args
        .ci
        .map(|ci| ci::files(ci, args.ledger_store, args.source.as_deref()));
    files.extend(
        ci.into_iter()
            .flatten()
            .map(|(path, text)| planned(path, text)),
    );
    files.retain(|file| !file.is_done());
    refuse_what_is_in_the_way(&files, args.force, None)?;
    // A list of git's is added to, whatever stands in it.
    for (name, line) in [(".gitignore", IGNORED), (".gitattributes", MERGED)] {
        files.extend(with_line(home, name, line)?);
    }
    make_directories(&files)?;
    for file in &files {
        file.write()?;
        console.print(&format!("wrote {}\n", file.path.display()))?;
    }
    if files.is_empty() {
        console.print("everything is there already\n")?;
    }
    console.status(&next_steps(args));
    Ok(Exit::Done)
}

/// A list of lines with one more, if it is not there yet.
fn with_line(home: &Path, name: &str, line: &str) -> Result<Option<PlannedFile>, Error> {
    let path = home.join(name);
    let mut text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(Error::new(
                Exit::Failed,
                anyhow::Error::from(error).context(format!("`{}` cannot be read", path.display())),
            ));
        }
    };
    if text.lines().any(|other| other.trim() == line) {
        return Ok(None);
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line);
    text.push('\n');
    Ok(Some(PlannedFile { path, text }))
}

fn next_steps(args: &InitArgs) -> String {
    let mut steps = String::from(
        "next: edit rooms.yaml; `roomform plan --sandbox` shows what it comes to, with no account",
    );
    if let Some(ci) = args.ci {
        steps.push_str("\nfor the CI: ");
        steps.push_str(ci::needs(ci, args.ledger_store, args.source.is_some()).as_str());
    }
    steps
}
