//! The first step for other programs: a manifest that is either good or an error with every mistake in it.
//!
//! Main entries: [`check`] and [`check_text`]. What comes after it (plan, apply) needs no wrapping and stands in its own room.

use std::fmt;
use std::path::PathBuf;

use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::{Loaded, Options, load, load_text};
use crate::render::{Paint, diagnostics};

/// A manifest that cannot be used. As text: every mistake with its lines, a caret and a remedy, safe for a terminal.
#[derive(Debug)]
pub struct Invalid(Box<Loaded>);

impl Invalid {
    /// All mistakes and warnings, sorted by place.
    pub fn problems(&self) -> &[Diagnostic] {
        &self.0.diagnostics
    }

    /// The manifest as far as it was read, with the texts that the mistakes point into.
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

/// Reads files and directories (every `*.yaml` and `*.yml` below one, sorted by path) as one manifest. No network, no credentials.
/// What is only warned of is in [`Loaded::diagnostics`].
///
/// # Errors
/// [`Invalid`], with all mistakes at once; also when a file cannot be read.
pub fn check(roots: &[PathBuf], options: Options) -> Result<Loaded, Invalid> {
    valid(load(roots, options))
}

/// The same for one text, as if it were a file of that name with no other files beside it.
///
/// # Errors
/// [`Invalid`], with all mistakes at once.
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
