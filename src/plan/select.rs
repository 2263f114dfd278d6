//! Which rooms a run is about: `--only`, and the rows of the server's list that matter to a manifest.

use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::model::{Desired, LiveRoom, Observed, Pipe};

/// Pipes chosen by globs; all of them if there is no glob.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    globs: Option<GlobSet>,
}

impl Selection {
    /// A selection by globs.
    ///
    /// # Errors
    /// The first glob that is none, with what is wrong with it.
    pub fn new(globs: &[String]) -> Result<Self, globset::Error> {
        let mut builder = GlobSetBuilder::new();
        for glob in globs {
            builder.add(Glob::new(glob)?);
        }
        let globs = if globs.is_empty() {
            None
        } else {
            Some(builder.build()?)
        };
        Ok(Self { globs })
    }

    /// Whether the pipe is chosen.
    pub fn contains(&self, pipe: &Pipe) -> bool {
        self.globs
            .as_ref()
            .is_none_or(|globs| globs.is_match(pipe.as_str()))
    }

    /// Whether every pipe is chosen.
    pub fn is_all(&self) -> bool {
        self.globs.is_none()
    }
}

/// Sorts the rows of a list into those a manifest declares, those in its scope, and the rest.
#[derive(Debug)]
pub struct Interest<'a> {
    desired: &'a Desired,
    scope: Selection,
}

impl<'a> Interest<'a> {
    /// The interest of a manifest. Its globs were checked when it was read; one that is none matches nothing.
    pub fn new(desired: &'a Desired) -> Self {
        Self {
            desired,
            scope: Selection::new(&desired.scope).unwrap_or_default(),
        }
    }

    /// Takes a row in.
    pub fn take(&self, observed: &mut Observed, row: LiveRoom) {
        let wanted = self.desired.rooms.contains_key(&row.pipe);
        let in_scope = !wanted && self.scope.contains(&row.pipe);
        observed.take(row, wanted, in_scope);
    }
}
