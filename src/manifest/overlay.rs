//! The files of this machine as they would be with some of them written anew: what is about to be written can be read before it is.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::tree::{Disk, Kind, Tree};

/// The disk with other texts in the place of some files, which need not be there.
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    /// By the files' one names.
    files: BTreeMap<PathBuf, String>,
}

impl Overlay {
    /// The disk with these files, each by a path as its user writes it.
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a Path, &'a str)>) -> Self {
        let files = files.into_iter().map(|(path, text)| {
            let name = name(path).unwrap_or_else(|_| path.to_owned());
            (name, text.to_owned())
        });
        Self {
            files: files.collect(),
        }
    }
}

/// The name that a path has, or will have once something is written there.
fn name(path: &Path) -> io::Result<PathBuf> {
    let error = match Disk.real(path) {
        Ok(real) => return Ok(real),
        Err(error) => error,
    };
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(last)) if error.kind() == io::ErrorKind::NotFound => {
            let parent = if parent.as_os_str().is_empty() {
                Path::new(".")
            } else {
                parent
            };
            Ok(name(parent)?.join(last))
        }
        _ => Err(error),
    }
}

impl Tree for Overlay {
    fn kind(&self, path: &Path) -> io::Result<Kind> {
        match Disk.kind(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let name = self.real(path)?;
                Ok(if self.files.contains_key(&name) {
                    Kind::File
                } else {
                    Kind::Directory
                })
            }
            kind => kind,
        }
    }

    fn entries(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        let real = self.real(directory)?;
        let mut found: BTreeSet<PathBuf> = match Disk.entries(directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            entries => entries.unwrap_or_default().into_iter().collect(),
        };
        let new = self.files.keys().filter_map(|file| {
            let below = file.strip_prefix(&real).ok()?;
            Some(directory.join(below.components().next()?))
        });
        found.extend(new);
        Ok(found.into_iter().collect())
    }

    fn is_link(&self, path: &Path) -> bool {
        Disk.is_link(path)
    }

    fn real(&self, path: &Path) -> io::Result<PathBuf> {
        let error = match Disk.real(path) {
            Ok(real) => return Ok(real),
            Err(error) => error,
        };
        let name = name(path)?;
        let led = self.files.keys().any(|file| file.starts_with(&name));
        if led { Ok(name) } else { Err(error) }
    }

    fn work_tree(&self, directory: &Path) -> Option<PathBuf> {
        Disk.work_tree(directory)
    }

    fn read(&self, path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
        match self.real(path).ok().and_then(|name| self.files.get(&name)) {
            Some(text) if text.len() as u64 > most => Ok(None),
            Some(text) => Ok(Some(text.clone().into_bytes())),
            None => Disk.read(path, most),
        }
    }
}
