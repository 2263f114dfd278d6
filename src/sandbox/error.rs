//! What can go wrong with the sandbox itself, apart from the errors it answers with.
//!
//! The main type is [`SandboxError`]. Remedies are in [`SandboxError::hint`], not in the messages.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

/// Why a sandbox could not be started, or not be stopped in order.
#[derive(Debug, Error)]
pub enum SandboxError {
    /// A rate that is no share from 0 to 1, or a limit that lets nothing pass.
    #[error("the sandbox cannot work with a `{name}` of {value}")]
    Setting {
        /// The setting, as a field of the configuration.
        name: &'static str,
        /// What it was set to.
        value: f64,
    },
    /// The address is taken or not one of this machine.
    #[error("the sandbox cannot listen on `{addr}`")]
    Listen {
        /// The address asked for.
        addr: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The server ended by itself.
    #[error("the sandbox server failed")]
    Serve(#[source] io::Error),
    /// The state file, or the directory it is to be in, cannot be read.
    #[error("cannot read the sandbox state `{}`", path.display())]
    Read {
        /// The state file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The state file cannot be replaced.
    #[error("cannot write the sandbox state `{}`", path.display())]
    Write {
        /// The state file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The state file is not what a sandbox writes.
    #[error("the sandbox state `{}` is damaged", path.display())]
    Damaged {
        /// The state file.
        path: PathBuf,
        /// Where and why reading it stopped.
        source: serde_json::Error,
    },
    /// The state file has another format than this version's.
    #[error("the sandbox state `{}` has format {format}, which this version does not know", path.display())]
    Format {
        /// The state file.
        path: PathBuf,
        /// The format it says it has.
        format: u64,
    },
    /// The state file is not the one this sandbox read or wrote last.
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
                "rates are shares from 0 to 1; a limit is a number of requests a second above 0",
            ),
            Self::Listen { .. } => Some("choose another port, or port 0 for any that is free"),
            Self::Serve(_) => None,
            Self::Read { .. } | Self::Write { .. } => {
                Some("check the path and its permissions, or name another file")
            }
            Self::Damaged { .. } => {
                Some("move the file away to start with an empty sandbox, or restore it from a copy")
            }
            Self::Format { .. } => {
                Some("use the version of roomform that wrote it, or move the file away")
            }
            Self::Contended { .. } => Some("let one sandbox at a time use a state file"),
        }
    }
}
