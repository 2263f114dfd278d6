//! Files that a run writes for people to keep: none unless all can be, and none lost.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::report::{check_writable, replace};
use crate::error::{Error, Exit};
use crate::render::Count;

/// A file to be written.
pub(super) struct Planned {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl Planned {
    /// Whether the file has this content already.
    pub(super) fn is_done(&self) -> bool {
        !takes_all(&self.path)
            && fs::read(&self.path).is_ok_and(|there| there == self.text.as_bytes())
    }

    /// Makes sure that it can be written. Whoever reads a pipe would take a look for all there is.
    pub(super) fn check(&self) -> Result<(), Error> {
        if takes_all(&self.path) {
            return Ok(());
        }
        check_writable(&self.path)
    }

    /// Puts the text in the file's place.
    pub(super) fn write(&self) -> Result<(), Error> {
        replace(&self.path, &self.text)
    }
}

/// Makes the directories in which files will lie.
pub(super) fn make_directories(files: &[Planned]) -> Result<(), Error> {
    let above = files.iter().filter_map(|file| file.path.parent());
    for directory in above.filter(|directory| !directory.as_os_str().is_empty()) {
        fs::create_dir_all(directory)
            .with_context(|| format!("`{}` cannot be made", directory.display()))?;
    }
    Ok(())
}

/// Whether it is a device or a pipe, in which nothing can be lost.
fn takes_all(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir())
}

/// Nothing is written if anything would be lost, or if anything else cannot be written then.
/// `instead` is one more remedy where files have other content.
pub(super) fn refuse_what_is_in_the_way(
    files: &[Planned],
    force: bool,
    instead: Option<&str>,
) -> Result<(), Error> {
    let (mut others, mut stuck) = (BTreeSet::new(), BTreeSet::new());
    for file in files {
        let path = &file.path;
        let taken = !force && is_there(path) && !takes_all(path);
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
                shown(path)
            ))),
            None if taken => drop(others.insert(shown(path))),
            None => {}
        }
    }
    let (message, hint) = match (stuck.len(), others.len()) {
        (0, 0) => return Ok(()),
        (0, count) => (
            format!(
                "{} with other content in the way: {}",
                Count(count, "file"),
                joined(&others, ", ")
            ),
            "move them away, or replace them with --force; nothing was written",
        ),
        _ => (
            format!("in the way: {}", joined(&stuck, "; ")),
            "move it away, or choose another directory; nothing was written",
        ),
    };
    let error = Error::message(Exit::Refused, message).hint(hint);
    Err(match instead {
        Some(instead) if stuck.is_empty() => error.hint(instead),
        _ => error,
    })
}

/// Whether a name is taken, if only by a link that leads nowhere. What cannot be looked at is not taken for free.
fn is_there(path: &Path) -> bool {
    match path.symlink_metadata() {
        Ok(_) => true,
        // Below a file there is nothing; the file itself is found on the way up.
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

/// Whether there is a file, or a directory with a file of a manifest somewhere below it.
pub(super) fn has_manifest(path: &Path) -> bool {
    let Ok(entries) = fs::read_dir(path) else {
        return path.symlink_metadata().is_ok();
    };
    entries.flatten().any(|entry| {
        let path = entry.path();
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let yaml = path
            .extension()
            .is_some_and(|it| it == "yaml" || it == "yml");
        let directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        !hidden && (yaml || (directory && has_manifest(&path)))
    })
}

fn joined(names: &BTreeSet<String>, between: &str) -> String {
    names.iter().cloned().collect::<Vec<_>>().join(between)
}

fn shown(path: &Path) -> String {
    format!("`{}`", path.display())
}
