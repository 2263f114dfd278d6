//! Writes files that the user keeps. Writes either all of them or none, and loses no existing
//! content.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::{Builder, NamedTempFile};

use super::{Console, interrupt};
use crate::error::{Result, bail, error};
use crate::render::Count;

pub struct PlannedFile {
    pub path: PathBuf,
    pub text: String,
    /// Whether an existing file with different content may be replaced.
    pub replaces: bool,
    /// The message to print after the file is written.
    pub message: String,
}

impl PlannedFile {
    /// Whether the file already has this content.
    pub fn is_done(&self) -> bool {
        !takes_all(&self.path) && fs::read(&self.path).is_ok_and(|old| old == self.text.as_bytes())
    }
}

/// Writes the files and creates their directories. If one file cannot be written, writes none.
pub fn write_all(files: &[PlannedFile], console: &mut Console) -> Result<()> {
    for directory in files.iter().filter_map(|file| file.path.parent()) {
        fs::create_dir_all(directory)
            .with_context(|| format!("`{}` cannot be created", directory.display()))?;
    }
    for file in files {
        check_writable(&file.path)?;
    }
    for file in files {
        replace(&file.path, &file.text, NewFile::Shared)?;
        console.print(&file.message)?;
    }
    Ok(())
}

/// Whether the path is a device or a pipe, where no content can be lost.
pub fn takes_all(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// Refuses to write any of the files if one of them cannot be written, or if one of them would
/// replace an existing file that has different content. `instead` is an additional hint for the
/// second case.
pub fn refuse_conflicting_paths(files: &[PlannedFile], instead: Option<&str>) -> Result<()> {
    let (mut others, mut stuck) = (BTreeSet::new(), BTreeSet::new());
    for PlannedFile { path, replaces, .. } in files {
        let shown = format!("`{}`", path.display());
        let above = path.ancestors().skip(1);
        let blocked = above.filter(|directory| exists(directory) && !directory.is_dir());
        if let Some(file) = blocked.last() {
            let file = file.display();
            stuck.insert(format!("`{file}`, which is a file, not a directory"));
        } else if path.is_dir() {
            stuck.insert(format!("{shown}, which is a directory, not a file"));
        } else if !replaces && exists(path) && !takes_all(path) {
            others.insert(shown);
        }
    }
    if !stuck.is_empty() {
        bail!(Refused: "in the way: {}", Vec::from_iter(stuck).join("; ");
            "move what is in the way, or choose another directory; nothing was written");
    }
    if others.is_empty() {
        return Ok(());
    }
    let count = Count(others.len(), "file");
    let others = Vec::from_iter(others).join(", ");
    Err(
        error!(Refused: "{count} with other content would be overwritten: {others}";
            "move them away, or use --force to replace them; nothing was written")
        .hints(instead),
    )
}

/// Whether the path is in use, even by a broken link. An unreadable entry counts as in use.
fn exists(path: &Path) -> bool {
    match path.symlink_metadata() {
        Ok(_) => true,
        // If a parent is a file, this path does not exist. The check of its parents finds that
        // file.
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

/// Whether the path is a file, or a directory with a manifest file in it or below it.
pub fn has_manifest(path: &Path) -> bool {
    let Ok(entries) = fs::read_dir(path) else {
        return path.symlink_metadata().is_ok();
    };
    entries.flatten().any(|entry| {
        let path = entry.path();
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let yaml = path.extension();
        let yaml = yaml.is_some_and(|it| it == "yaml" || it == "yml");
        let directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        !hidden && (yaml || (directory && has_manifest(&path)))
    })
}

/// Who may read and write a new file, as far as the umask allows. An existing file keeps its mode.
#[derive(Debug, Clone, Copy)]
pub enum NewFile {
    /// Everyone, because the file is meant to be shared.
    Shared,
    /// Only its owner, because people are named in the file.
    Private,
}

pub fn replace(path: &Path, text: &str, new: NewFile) -> Result<()> {
    replace_with(path, new, |out| out.write_all(text.as_bytes()))
}

/// Replaces a file atomically. Writes directly to a device or a pipe.
pub fn replace_with(
    path: &Path,
    new: NewFile,
    write: impl Fn(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let replace_atomically = || {
        interrupt::finish(Some(interrupt::WRITING));
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let mut file = temporary_file_beside(&real, new)?;
        write(&mut file)?;
        if let Ok(old) = fs::metadata(path) {
            file.as_file().set_permissions(old.permissions())?;
        }
        file.as_file().sync_all()?;
        file.persist(&real).map(drop).map_err(|error| error.error)
    };
    let written = if path.exists() && !path.is_file() {
        let file = OpenOptions::new().write(true).open(path);
        file.and_then(|mut file| write(&mut file))
    } else {
        replace_atomically()
    };
    Ok(written.with_context(|| format!("`{}` cannot be written", path.display()))?)
}

/// Checks, before anything is sent, that a file can be written when the run ends.
pub fn check_writable(path: &Path) -> Result<()> {
    // Do not open a pipe only to check it. Its reader would take the closing of the pipe for
    // the end of the data.
    if takes_all(path) {
        return Ok(());
    }
    let checked = if path.is_dir() {
        OpenOptions::new().write(true).open(path).map(drop)
    } else {
        temporary_file_beside(path, NewFile::Private).map(drop)
    };
    Ok(checked.with_context(|| format!("`{}` cannot be written", path.display()))?)
}

fn temporary_file_beside(path: &Path, new: NewFile) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    // A temporary file is private unless its permissions are set.
    #[cfg(unix)]
    if let NewFile::Shared = new {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    #[cfg(not(unix))]
    let _ = new;
    builder.tempfile_in(path.parent().unwrap_or(path))
}
