//! The files of a git revision, read through the `git` program and without a work tree.
//!
//! Main type: [`GitFiles`]. Nothing is checked out, fetched or written, no
//! shell is involved, and no name out of a repository or a command line ever becomes an argument: revisions and object ids go
//! to `git cat-file --batch` on its stdin.

mod listing;
mod objects;
mod tree;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

pub(super) use self::tree::GitFiles;
use crate::error::{Error, Exit};

/// Where git was asked from.
#[derive(Debug)]
struct Repository {
    /// Whether the clone lacks old revisions.
    shallow: bool,
    /// The current directory below the top of the work tree.
    prefix: PathBuf,
}

impl Repository {
    /// The repository the current directory lies in; `asked` is what it is wanted for.
    fn here(asked: &str) -> Result<Self, Error> {
        let output = git()
            .args(["rev-parse", "--is-shallow-repository", "--show-prefix"])
            .output()
            .map_err(|error| not_started(asked, &error))?;
        if !output.status.success() {
            return Err(no_repository(
                asked,
                &String::from_utf8_lossy(&output.stderr),
            ));
        }
        let mut lines = output.stdout.splitn(2, |byte| *byte == b'\n');
        let shallow = lines.next() == Some(b"true");
        let prefix = lines.next().unwrap_or_default();
        let prefix = prefix.strip_suffix(b"\n").unwrap_or(prefix);
        Ok(Self {
            shallow,
            prefix: os_text(prefix).into(),
        })
    }
}

/// `git`, so that it takes no lock, asks nobody, fetches nothing, and says the same in every language.
fn git() -> Command {
    let mut git = Command::new("git");
    git.stdin(Stdio::null())
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("LC_ALL", "C");
    git
}

/// A name as git has it: bytes.
fn os_text(bytes: &[u8]) -> OsString {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        std::ffi::OsStr::from_bytes(bytes).to_owned()
    }
    #[cfg(not(unix))]
    String::from_utf8_lossy(bytes).into_owned().into()
}

fn not_started(asked: &str, error: &std::io::Error) -> Error {
    let message = format!("`{asked}` is read through git, which cannot be started: {error}");
    Error::message(Exit::Failed, message).hint("install git, or name two files or directories")
}

fn no_repository(asked: &str, told: &str) -> Error {
    let told = told.trim();
    if told.contains("not a git repository") {
        let message = format!("`{asked}` is no file, and a git revision only in a git repository");
        return Error::message(Exit::Failed, message)
            .hint("run it in the repository, or name a file or a directory");
    }
    let words: Vec<&str> = told.split_whitespace().collect();
    let message = format!("`{asked}` cannot be read through git: {}", words.join(" "));
    Error::message(Exit::Failed, message)
}

/// Why a revision is none.
fn unknown(revision: &str, shallow: bool) -> Error {
    let message = format!("git knows no revision `{revision}`");
    let error = Error::message(Exit::Failed, message);
    if shallow {
        error.hint("this clone is shallow: fetch more of it with git fetch --unshallow, or in CI with fetch-depth: 0")
    } else {
        error.hint("fetch it first; git log -1 REVISION shows what git makes of it")
    }
}
