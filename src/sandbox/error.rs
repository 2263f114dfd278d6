//! Errors of the sandbox itself, as opposed to the errors in its answers.
//!
//! The main type is [`SandboxError`]. Hints are in [`SandboxError::hint`], not in the messages.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

/// Why a sandbox failed to start or to stop cleanly.
#[derive(Debug, Error)]
pub enum SandboxError {
    /// A rate is not between 0 and 1, or a limit allows no requests.
    #[error("the sandbox setting `{name}` cannot be {value}")]
    Setting {
        /// The name of the invalid configuration field.
        name: &'static str,
        /// The value of the field.
        value: f64,
    },
    /// The address is in use, or does not belong to this machine.
    #[error("the sandbox cannot listen on `{addr}`")]
    Listen {
        /// The address that the sandbox should listen on.
        addr: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The server stopped unexpectedly.
    #[error("the sandbox server failed")]
    Serve(#[source] io::Error),
    /// The state file or its directory cannot be read or written.
    #[error("cannot {action} the sandbox state `{}`", path.display())]
    File {
        /// The action that failed: `read` or `write`.
        action: &'static str,
        /// The path of the state file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The state file is not a valid sandbox state.
    #[error("the sandbox state `{}` is damaged", path.display())]
    Damaged {
        /// The path of the state file.
        path: PathBuf,
        /// The error of the parser, with its position.
        source: serde_json::Error,
    },
    /// The state file has an unsupported format version.
    #[error("the sandbox state `{}` has format {format}, which this version does not know", path.display())]
    Format {
        /// The path of the state file.
        path: PathBuf,
        /// The format version in the file.
        format: u64,
    },
    /// Another process changed the state file since this sandbox last read or wrote it.
    #[error("the sandbox state `{}` was changed by another process", path.display())]
    Contended {
        /// The path of the state file.
        path: PathBuf,
    },
}

impl SandboxError {
    /// Returns what the user can do about the error.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Setting { .. } => Some(
                "set `error_rate` and `lost_answer_rate` from 0 to 1, and `rate_limit` above 0",
            ),
            Self::Listen { .. } => Some("choose another port, or port 0 for any free port"),
            Self::Serve(_) => None,
            Self::File { .. } => Some("check the path and its permissions, or name another file"),
            Self::Damaged { .. } => {
                Some("restore the file from a copy, or move it away to start with an empty sandbox")
            }
            Self::Format { .. } => {
                Some("use the version of roomform that wrote the file, or move the file away")
            }
            Self::Contended { .. } => Some("use a separate state file for each sandbox"),
        }
    }
}
