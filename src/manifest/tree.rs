//! Where the files of a manifest lie: on the disk, or wherever else somebody can list and read them.
//!
//! Main type: [`Tree`]. Paths are the user's; [`Tree::real`] tells whether two name one file, and whether one lies below another.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

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

/// A tree of files that is only read.
pub trait Tree {
    /// What the path leads to, links followed.
    ///
    /// # Errors
    /// If it leads nowhere, or cannot be looked at.
    fn kind(&self, path: &Path) -> io::Result<Kind>;

    /// Everything in a directory, in any order, each as the directory's path and its name.
    ///
    /// # Errors
    /// If it is no directory, or cannot be read.
    fn entries(&self, directory: &Path) -> io::Result<Vec<PathBuf>>;

    /// Whether the path itself is a link.
    fn is_link(&self, path: &Path) -> bool;

    /// The path with every link resolved and no `..`: the file's one name.
    ///
    /// # Errors
    /// If it leads nowhere.
    fn real(&self, path: &Path) -> io::Result<PathBuf>;

    /// The top of the git work tree that a directory lies in, both as real paths; `None` without git.
    fn work_tree(&self, directory: &Path) -> Option<PathBuf> {
        let _ = directory;
        None
    }

    /// A file's bytes; `None` if there are more than `most`, without reading them all.
    ///
    /// # Errors
    /// If it cannot be read.
    fn read(&self, path: &Path, most: u64) -> io::Result<Option<Vec<u8>>>;

    /// The path as people write it, for messages and places.
    fn shown(&self, path: &Path) -> String {
        let text = path.to_string_lossy().replace('\\', "/");
        text.strip_prefix("./").unwrap_or(&text).to_owned()
    }
}

/// The files of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Tree for Disk {
    fn kind(&self, path: &Path) -> io::Result<Kind> {
        let metadata = fs::metadata(path)?;
        Ok(match metadata {
            metadata if metadata.is_dir() => Kind::Directory,
            metadata if metadata.is_file() => Kind::File,
            _ => Kind::Other,
        })
    }

    fn entries(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(directory)?;
        entries.map(|entry| Ok(entry?.path())).collect()
    }

    fn is_link(&self, path: &Path) -> bool {
        path.is_symlink()
    }

    fn real(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }

    fn work_tree(&self, directory: &Path) -> Option<PathBuf> {
        // A linked work tree and a submodule have a file there.
        let is_top = |directory: &&Path| directory.join(".git").exists();
        directory.ancestors().find(is_top).map(Path::to_owned)
    }

    fn read(&self, path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        let file = fs::File::open(path)?;
        file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok((bytes.len() as u64 <= most).then_some(bytes))
    }
}

/// No files at all: what a text by itself has beside it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alone;

impl Tree for Alone {
    fn kind(&self, _: &Path) -> io::Result<Kind> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn entries(&self, _: &Path) -> io::Result<Vec<PathBuf>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn is_link(&self, _: &Path) -> bool {
        false
    }

    fn real(&self, _: &Path) -> io::Result<PathBuf> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn read(&self, _: &Path, _: u64) -> io::Result<Option<Vec<u8>>> {
        Err(io::ErrorKind::NotFound.into())
    }
}
