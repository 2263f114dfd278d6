//! Keeps files in memory, so that a manifest can be checked before it is written. All other
//! files are either read from the disk or treated as missing.
//!
//! Main type: [`FileMap`].

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::boundary::directory_of;
use super::files::{Disk, Files, Kind, without_dots};

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
            let path = map.future_path(path).unwrap_or_else(|_| path.to_owned());
            map.files.insert(path, bytes.to_vec());
        }
        map
    }

    /// Returns the real path of a file that may not exist yet.
    fn future_path(&self, path: &Path) -> io::Result<PathBuf> {
        if !self.over_disk {
            return Ok(without_dots(&Path::new("/").join(path)));
        }
        match (Disk.real_path(path), path.file_name()) {
            (Err(error), Some(name)) if error.kind() == ErrorKind::NotFound => {
                Ok(self.future_path(directory_of(path))?.join(name))
            }
            (real, _) => real,
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
        let real = self.future_path(path)?;
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
