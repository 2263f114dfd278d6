//! What one of the two arguments of `diff` means.

use std::path::{Path, PathBuf};

use crate::error::{Error, Exit};
use crate::manifest::tree::{Disk, Tree};
use crate::manifest::{Loaded, Options, load_from};

/// One of the two arguments.
pub(super) struct Given {
    /// As its user wrote it.
    pub(super) name: String,
    tree: Box<dyn Tree>,
    root: PathBuf,
}

impl Given {
    /// The files an argument names.
    pub(super) fn new(argument: &Path) -> Result<Self, Error> {
        let name = argument.to_string_lossy().into_owned();
        if !argument.exists() {
            let message = format!("`{name}`: no such file or directory");
            return Err(Error::message(Exit::Invalid, message));
        }
        Ok(Self {
            name,
            tree: Box::new(Disk),
            root: argument.to_owned(),
        })
    }

    /// Reads them as one manifest.
    pub(super) fn load(&self, options: Options) -> Loaded {
        load_from(
            self.tree.as_ref(),
            std::slice::from_ref(&self.root),
            options,
        )
    }
}
