//! Caches real paths. Resolving a path visits every directory above it, which is quadratic in a deep tree.
//!
//! Main type: [`RealPaths`].

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::files::Files;

/// The real paths found so far, by path.
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
