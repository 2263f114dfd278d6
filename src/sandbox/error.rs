//! Errors of the sandbox itself, as opposed to the errors it answers with.
//!
//! The main type is [`SandboxError`]. Hints are in [`SandboxError::hint`], not in the messages.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

/// Why a sandbox failed to start or to stop cleanly.
#[derive(Debug, Error)]
pub enum SandboxError {
    /// A rate outside 0 to 1, or a limit that allows no requests.
    #[error("the sandbox setting `{name}` cannot be {value}")]
    Setting {
        /// The name of the configuration field.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// The address is in use or not on this machine.
    #[error("the sandbox cannot listen on `{addr}`")]
    Listen {
        /// The requested address.
        addr: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The server stopped unexpectedly.
    #[error("the sandbox server failed")]
    Serve(#[source] io::Error),
    /// The state file or its directory cannot be read or written.
    #[error("cannot {action} the sandbox state `{}`", path.display())]
    File {
        /// `read` or `write`.
        action: &'static str,
        /// The state file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The state file is not a valid sandbox state.
    #[error("the sandbox state `{}` is damaged", path.display())]
    Damaged {
        /// The state file.
        path: PathBuf,
        /// Where and why parsing failed.
        source: serde_json::Error,
    },
    /// The state file has an unsupported format version.
    #[error("the sandbox state `{}` has format {format}, which this version does not know", path.display())]
    Format {
        /// The state file.
        path: PathBuf,
        /// The format version in the file.
        format: u64,
    },
    /// Another process changed the state file since this sandbox last read or wrote it.
    #[error("the sandbox state `{}` was changed by another process", path.display())]
    Contended {
        /// The state file.
        path: PathBuf,
    },
}

impl SandboxError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Setting { .. } => Some(
                "rates are shares from 0 to 1; a limit is a number of requests per second above 0",
            ),
            Self::Listen { .. } => Some("choose another port, or port 0 for any free port"),
            Self::Serve(_) => None,
            Self::File { .. } => Some("check the path and its permissions, or name another file"),
            Self::Damaged { .. } => {
                Some("move the file away to start with an empty sandbox, or restore it from a copy")
            }
            Self::Format { .. } => {
                Some("use the version of roomform that wrote it, or move the file away")
            }
            Self::Contended { .. } => Some("use a separate state file for each sandbox"),
        }
    }
}
