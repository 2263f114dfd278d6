//! Access to a manifest's files on disk, in memory, or in a git revision.
//!
//! Main type: [`Files`]. Callers pass the paths that the user wrote, and compare paths by
//! [`Files::real_path`].

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// The type of the file at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The path is a regular file.
    File,
    /// The path is a directory.
    Directory,
    /// The path is a pipe or a device. roomform reads it only if the user names it.
    Other,
}

/// Read-only access to files.
pub trait Files {
    /// Returns the type of the file at a path. Links are followed.
    ///
    /// # Errors
    /// Fails if the path does not exist or cannot be accessed.
    fn kind(&self, path: &Path) -> io::Result<Kind>;

    /// Returns the paths of the entries of a directory, in any order. Each path starts with
    /// `directory`.
    ///
    /// # Errors
    /// Fails if the path is not a directory or cannot be read.
    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>>;

    /// Reads a file. Returns `None` for a file of more than `limit` bytes, without reading all of
    /// it.
    ///
    /// # Errors
    /// Fails if the file cannot be read.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>>;

    /// Returns the path with every link and `..` resolved.
    ///
    /// # Errors
    /// Fails if the path does not exist.
    fn real_path(&self, path: &Path) -> io::Result<PathBuf>;

    /// Whether the last component of a path may be a link.
    ///
    /// # Errors
    /// Fails if the path does not exist.
    fn may_be_link(&self, path: &Path) -> io::Result<bool> {
        let _ = path;
        Ok(true)
    }

    /// Returns the top directory of the git work tree that contains `directory`, or `None` if
    /// there is no work tree. `directory` and the result are real paths.
    fn work_tree(&self, directory: &Path) -> Option<PathBuf> {
        let _ = directory;
        None
    }

    /// Formats a path for messages.
    fn display(&self, path: &Path) -> String {
        let text = path.to_string_lossy().replace('\\', "/");
        text.strip_prefix("./").unwrap_or(&text).to_owned()
    }
}

/// The local disk.
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
        read_at_most(fs::File::open(path)?, limit)
    }

    fn real_path(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }

    fn may_be_link(&self, path: &Path) -> io::Result<bool> {
        Ok(fs::symlink_metadata(path)?.is_symlink())
    }

    fn work_tree(&self, directory: &Path) -> Option<PathBuf> {
        // In a linked work tree or a submodule, `.git` is a file.
        let is_top = |directory: &&Path| directory.join(".git").exists();
        directory.ancestors().find(is_top).map(Path::to_owned)
    }
}

/// Reads everything; returns `None` if there are more than `limit` bytes, without reading all of
/// them.
///
/// # Errors
/// If reading fails.
pub(crate) fn read_at_most(source: impl Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    source
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// Removes each `.`, and each `..` together with the component before it.
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

/// Finds real paths, and caches them. Resolving a path visits every directory above it, so
/// without the cache, resolving all paths of a deep tree would take quadratic time.
pub(crate) struct RealPaths<'a> {
    files: &'a dyn Files,
    known: BTreeMap<PathBuf, PathBuf>,
}

impl<'a> RealPaths<'a> {
    pub(crate) fn new(files: &'a dyn Files) -> Self {
        Self {
            files,
            known: BTreeMap::new(),
        }
    }

    /// Returns the path with every link and `..` resolved.
    ///
    /// # Errors
    /// Fails if the path does not exist.
    pub(crate) fn find(&mut self, path: &Path) -> io::Result<PathBuf> {
        if let Some(real) = self.known.get(path) {
            return Ok(real.clone());
        }
        let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
        let real = match parent.zip(path.file_name()) {
            Some((parent, name)) if !self.files.may_be_link(path)? => self.find(parent)?.join(name),
            _ => self.files.real_path(path)?,
        };
        self.known.insert(path.to_owned(), real.clone());
        Ok(real)
    }
}
