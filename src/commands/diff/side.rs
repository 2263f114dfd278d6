//! What one of the two arguments of `diff` means.

use std::path::{Path, PathBuf};

use crate::commands::git::GitFiles;
use crate::error::{Error, Exit};
use crate::manifest::files::{Disk, Files};
use crate::manifest::{Loaded, Options, load_from, load_text};

/// What stands for a manifest without a room, as in git.
const NOTHING: &str = "/dev/null";

/// One of the two arguments.
pub(super) struct Given {
    /// As its user wrote it.
    pub(super) name: String,
    input: Input,
}

enum Input {
    /// No file at all.
    Nothing,
    Files(Box<dyn Files>, PathBuf),
}

impl Given {
    /// The files an argument names: on the disk or, after a revision and a colon, in git.
    ///
    /// # Errors
    /// If there are none.
    pub(super) fn new(argument: &Path) -> Result<Self, Error> {
        let name = argument.to_string_lossy().into_owned();
        let input = match argument.to_str().and_then(revision) {
            _ if name == NOTHING => Input::Nothing,
            _ if argument.exists() => Input::Files(Box::new(Disk), argument.to_owned()),
            Some(("", _)) => {
                let message = format!("`{name}`: no revision before the colon");
                return Err(Error::message(Exit::Usage, message)
                    .hint("write it as HEAD:rooms.yaml; what is staged is not read"));
            }
            Some((revision, path)) => {
                let files = GitFiles::open(&name, revision)?;
                let root = files.root(path)?;
                Input::Files(Box::new(files), root)
            }
            None => {
                let message = format!("`{name}`: no such file or directory");
                return Err(Error::message(Exit::Invalid, message)
                    .hint("a git revision is followed by a path, as in origin/main:rooms.yaml"));
            }
        };
        Ok(Self { name, input })
    }

    /// Reads them as one manifest.
    pub(super) fn load(&self, options: Options) -> Loaded {
        match &self.input {
            Input::Nothing => load_text(NOTHING, "version: 1\nrooms: []\n", options),
            Input::Files(files, root) => {
                load_from(files.as_ref(), std::slice::from_ref(root), options)
            }
        }
    }
}

/// Splits `REVISION:PATH` at the first colon that is not in braces, as git does. `C:\rooms` is a path.
fn revision(argument: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    let colon = argument.char_indices().find_map(|(at, c)| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => return Some(at),
            _ => {}
        }
        None
    })?;
    let (revision, rest) = argument.split_at_checked(colon)?;
    let path = rest.strip_prefix(':')?;
    let drive = revision.len() == 1
        && revision.starts_with(|c: char| c.is_ascii_alphabetic())
        && path.starts_with(['\\', '/']);
    (!drive).then_some((revision, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_ends_at_the_first_colon_outside_of_braces() {
        assert_eq!(
            revision("origin/main:rooms/"),
            Some(("origin/main", "rooms/"))
        );
        assert_eq!(
            revision("HEAD^{/fix: it}:a:b.yaml"),
            Some(("HEAD^{/fix: it}", "a:b.yaml"))
        );
        assert_eq!(revision("HEAD:"), Some(("HEAD", "")));
        assert_eq!(revision(":rooms.yaml"), Some(("", "rooms.yaml")));
        assert_eq!(revision("rooms.yaml"), None);
        assert_eq!(revision(r"C:\rooms"), None);
        assert_eq!(revision("c:/rooms"), None);
        assert_eq!(revision("v:rooms"), Some(("v", "rooms")));
    }
}
