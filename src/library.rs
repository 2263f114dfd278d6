//! The first step for other programs: reads a manifest, and returns either the valid manifest or an
//! error that lists every mistake.
//!
//! Main entries: [`check`] and [`check_text`]. The later steps (plan, apply) need no wrapper and
//! are in their own modules.

use std::fmt;
use std::path::PathBuf;

use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::{Loaded, Options, load, load_text};
use crate::render::{Paint, diagnostics};

/// An invalid manifest. Its `Display` shows every mistake with its lines, a caret and a hint. The
/// text is safe for a terminal.
#[derive(Debug)]
pub struct Invalid(Box<Loaded>);

impl Invalid {
    /// All errors and warnings, sorted by position.
    pub fn problems(&self) -> &[Diagnostic] {
        &self.0.diagnostics
    }

    /// The manifest as far as it was read, with the source text that the diagnostics refer to.
    pub fn into_loaded(self) -> Loaded {
        *self.0
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Loaded {
            diagnostics: problems,
            sources,
            ..
        } = &*self.0;
        let drawn = diagnostics::draw(problems, sources, Paint::Plain);
        f.write_str(drawn.trim_end())
    }
}

impl std::error::Error for Invalid {}

/// Reads files and directories as one manifest. In a directory, reads every `*.yaml` and `*.yml` at
/// any depth, sorted by path. Uses no network and no credentials. Warnings are in
/// [`Loaded::diagnostics`].
///
/// # Errors
/// Returns [`Invalid`] with all mistakes at once, including unreadable files.
pub fn check(roots: &[PathBuf], options: Options) -> Result<Loaded, Invalid> {
    valid(load(roots, options))
}

/// Reads one text as a manifest, as if it were a file with that name and no other files existed.
///
/// # Errors
/// Returns [`Invalid`] with all mistakes at once.
pub fn check_text(name: &str, text: &str, options: Options) -> Result<Loaded, Invalid> {
    valid(load_text(name, text, options))
}

fn valid(loaded: Loaded) -> Result<Loaded, Invalid> {
    if loaded.is_valid() {
        Ok(loaded)
    } else {
        Err(Invalid(Box::new(loaded)))
    }
}
