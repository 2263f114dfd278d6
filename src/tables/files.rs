//! Access to a manifest's files on disk, in memory, or in a git revision.
//!
//! Main types: [`Files`], [`Disk`], and [`FileMap`], which keeps files in memory so that a manifest
//! can be checked before it is written. Callers pass the paths that the user wrote, and compare
//! paths by [`Files::real_path`].

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind, Read};
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

/// Files in memory. All other files are either read from the disk or treated as missing.
#[derive(Debug, Clone, Default)]
pub struct FileMap {
    /// Contents by real path.
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// Whether paths that are not in memory are read from the disk.
    over_disk: bool,
}

impl FileMap {
    /// Creates a map that has only these files.
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a Path, &'a [u8])>) -> Self {
        Self::with(files, false)
    }

    /// Creates a view of the disk in which these files are already written.
    pub fn over_disk<'a>(files: impl IntoIterator<Item = (&'a Path, &'a [u8])>) -> Self {
        Self::with(files, true)
    }

    fn with<'a>(files: impl IntoIterator<Item = (&'a Path, &'a [u8])>, over_disk: bool) -> Self {
        let mut map = Self {
            files: BTreeMap::new(),
            over_disk,
        };
        for (path, bytes) in files {
            map.files.insert(map.future_path(path), bytes.to_vec());
        }
        map
    }

    /// Returns the real path of a file that may not exist yet.
    fn future_path(&self, path: &Path) -> PathBuf {
        match self.over_disk {
            true => resolve(path),
            false => without_dots(&Path::new("/").join(path)),
        }
    }

    fn on_disk<T>(&self, look: impl FnOnce(Disk) -> io::Result<T>) -> io::Result<T> {
        if self.over_disk {
            look(Disk)
        } else {
            Err(ErrorKind::NotFound.into())
        }
    }
}

impl Files for FileMap {
    fn kind(&self, path: &Path) -> io::Result<Kind> {
        match self.on_disk(|disk| disk.kind(path)) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let is_file = self.files.contains_key(&self.real_path(path)?);
                Ok(if is_file { Kind::File } else { Kind::Directory })
            }
            kind => kind,
        }
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        let real = self.real_path(directory)?;
        let mut found = match self.on_disk(|disk| disk.list(directory)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            entries => entries.unwrap_or_default(),
        };
        let new = self.files.keys().filter_map(|file| {
            let below = file.strip_prefix(&real).ok()?;
            Some(directory.join(below.components().next()?))
        });
        found.extend(new);
        found.sort();
        found.dedup();
        Ok(found)
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let real = self.real_path(path).ok();
        match real.and_then(|real| self.files.get(&real)) {
            Some(bytes) => Ok((bytes.len() as u64 <= limit).then(|| bytes.clone())),
            None => self.on_disk(|disk| disk.read(path, limit)),
        }
    }

    fn real_path(&self, path: &Path) -> io::Result<PathBuf> {
        if let Ok(real) = self.on_disk(|disk| disk.real_path(path)) {
            return Ok(real);
        }
        let real = self.future_path(path);
        let next = self.files.range(real.clone()..).next();
        let is_there = next.is_some_and(|(file, _)| file.starts_with(&real));
        is_there.then_some(real).ok_or(ErrorKind::NotFound.into())
    }

    fn may_be_link(&self, path: &Path) -> io::Result<bool> {
        self.on_disk(|disk| disk.may_be_link(path)).or(Ok(true))
    }

    fn work_tree(&self, directory: &Path) -> Option<PathBuf> {
        self.over_disk.then(|| Disk.work_tree(directory))?
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

/// Returns a path with its links resolved. A new file resolves to its future path.
pub(crate) fn resolve(path: &Path) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return real;
    }
    if let Ok(target) = fs::read_link(path) {
        return without_dots(&resolve(directory_of(path)).join(target));
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (absolute.parent(), absolute.file_name()) {
        (Some(parent), Some(name)) => resolve(parent).join(name),
        _ => absolute,
    }
}

/// Returns the directory of a file, without resolving links.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Removes each `.`, and each `..` together with the component before it.
pub(super) fn without_dots(path: &Path) -> PathBuf {
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
