//! The files of a manifest, wherever they are: on the disk, in memory, or in a git revision.
//!
//! Main type: [`Files`]. Paths are the user's; [`Files::real_path`] is what paths are compared by.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A pipe or a device: read only if it is named.
    Other,
}

/// Files that are listed and read, never written.
pub trait Files {
    /// What the path leads to, links followed.
    ///
    /// # Errors
    /// If it leads nowhere, or cannot be looked at.
    fn kind(&self, path: &Path) -> io::Result<Kind>;

    /// The entries of a directory in any order, each as the directory's path and its name.
    ///
    /// # Errors
    /// If it is no directory, or cannot be read.
    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>>;

    /// A file's bytes; `None` if there are more than `limit`, without reading them all.
    ///
    /// # Errors
    /// If it cannot be read.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>>;

    /// The path with every link resolved and without `..`.
    ///
    /// # Errors
    /// If it leads nowhere.
    fn real_path(&self, path: &Path) -> io::Result<PathBuf>;

    /// The top of the git work tree that a directory is in, both as real paths; `None` without git.
    fn work_tree(&self, directory: &Path) -> Option<PathBuf> {
        let _ = directory;
        None
    }

    /// The path in messages and places.
    fn display(&self, path: &Path) -> String {
        let text = path.to_string_lossy().replace('\\', "/");
        text.strip_prefix("./").unwrap_or(&text).to_owned()
    }
}

/// The files of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Files for Disk {
    fn kind(&self, path: &Path) -> io::Result<Kind> {
        let metadata = fs::metadata(path)?;
        Ok(match metadata {
            metadata if metadata.is_dir() => Kind::Directory,
            metadata if metadata.is_file() => Kind::File,
            _ => Kind::Other,
        })
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(directory)?;
        entries.map(|entry| Ok(entry?.path())).collect()
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        let file = fs::File::open(path)?;
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok((bytes.len() as u64 <= limit).then_some(bytes))
    }

    fn real_path(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }

    fn work_tree(&self, directory: &Path) -> Option<PathBuf> {
        // A linked work tree and a submodule have a file there.
        let is_top = |directory: &&Path| directory.join(".git").exists();
        directory.ancestors().find(is_top).map(Path::to_owned)
    }
}

/// A path without `.` and without `..` that only goes back.
pub(crate) fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}
