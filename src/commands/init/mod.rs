//! `init`: a starter manifest with its schema, what git has to know, and the files of a CI. All of them or none.

mod ci;

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Console;
use super::report::replace;
use crate::cli::InitArgs;
use crate::error::{Error, Exit};
use crate::manifest::raw;
use crate::render::Count;
use crate::render::json;

const STARTER: &str = include_str!("rooms.yaml");
/// The sandbox's state is nobody else's; the ledger may be committed.
const IGNORED: &str = ".roomform/sandbox*";
/// Two branches that both applied are put together line by line.
const MERGED: &str = ".roomform/*.jsonl merge=union";

/// A file to be written, by its path below the directory.
struct Planned {
    path: PathBuf,
    text: String,
}

pub(super) fn run(args: &InitArgs, console: &mut Console) -> Result<Exit, Error> {
    let home = args.directory.as_deref().unwrap_or(Path::new("."));
    let mut files = vec![
        planned("rooms.yaml", STARTER.to_owned()),
        planned("schema/manifest.schema.json", json::text(&raw::schema())?),
    ];
    let ci = args
        .ci
        .map(|ci| ci::files(ci, args.ledger_store, args.source.as_deref()));
    files.extend(
        ci.into_iter()
            .flatten()
            .map(|(path, text)| planned(path, text)),
    );
    files.retain(|file| {
        fs::read_to_string(home.join(&file.path)).ok().as_deref() != Some(&file.text)
    });
    refuse_what_is_in_the_way(home, &files, args.force)?;
    // A list of git's is added to, whatever stands in it.
    for (name, line) in [(".gitignore", IGNORED), (".gitattributes", MERGED)] {
        files.extend(with_line(home, name, line)?);
    }
    for file in &files {
        let path = home.join(&file.path);
        let directory = path.parent().unwrap_or(home);
        fs::create_dir_all(directory)
            .with_context(|| format!("`{}` cannot be made", directory.display()))?;
    }
    for Planned { path, text } in &files {
        let path = home.join(path);
        replace(&path, text)?;
        console.print(&format!("wrote {}\n", path.display()))?;
    }
    if files.is_empty() {
        console.print("everything is there already\n")?;
    }
    console.status(&next_steps(args));
    Ok(Exit::Done)
}

fn planned(path: &str, text: String) -> Planned {
    Planned {
        path: path.into(),
        text,
    }
}

/// Nothing is written if anything would be lost, or if anything else cannot be written then.
fn refuse_what_is_in_the_way(home: &Path, files: &[Planned], force: bool) -> Result<(), Error> {
    let (mut others, mut stuck) = (BTreeSet::new(), BTreeSet::new());
    for file in files {
        let path = home.join(&file.path);
        // From the file up to where the directory itself lies: what is there must be a directory.
        let above = path.ancestors().skip(1);
        let above = above.filter(|directory| !directory.as_os_str().is_empty());
        let blocked = above
            .filter(|directory| is_there(directory) && !directory.is_dir())
            .last();
        match blocked {
            Some(file) => drop(stuck.insert(format!(
                "{}, a file where a directory has to be",
                shown(file)
            ))),
            None if path.is_dir() => drop(stuck.insert(format!(
                "{}, a directory where a file has to be",
                shown(&path)
            ))),
            None if !force && is_there(&path) => drop(others.insert(shown(&path))),
            None => {}
        }
    }
    let (message, hint) = match (stuck.len(), others.len()) {
        (0, 0) => return Ok(()),
        (0, count) => (
            format!(
                "{} with other content in the way: {}",
                Count(count, "file"),
                joined(others, ", ")
            ),
            "move them away, or replace them with --force; nothing was written",
        ),
        _ => (
            format!("in the way: {}", joined(stuck, "; ")),
            "move it away, or choose another directory; nothing was written",
        ),
    };
    Err(Error::message(Exit::Refused, message).hint(hint))
}

/// Whether a name is taken, if only by a link that leads nowhere. What cannot be looked at is not taken for free.
fn is_there(path: &Path) -> bool {
    match path.symlink_metadata() {
        Ok(_) => true,
        // Below a file there is nothing; the file itself is found on the way up.
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

fn joined(names: BTreeSet<String>, between: &str) -> String {
    names.into_iter().collect::<Vec<_>>().join(between)
}

fn shown(path: &Path) -> String {
    format!("`{}`", path.display())
}

/// A list of lines with one more, if it is not there yet.
fn with_line(home: &Path, name: &str, line: &str) -> Result<Option<Planned>, Error> {
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
    Ok(Some(planned(name, text)))
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
