//! Errors of reading or writing a ledger.

use std::io;
use std::path::{Path, PathBuf};

use super::json::VERSION;
use crate::model::Target;

/// Why a ledger cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The ledger file cannot be read or written.
    #[error("ledger `{}`: {doing}", path.display())]
    Io {
        /// The path of the ledger file.
        path: PathBuf,
        /// The operation that failed.
        doing: &'static str,
        /// The error that the operating system reported.
        source: io::Error,
    },
    /// The ledger belongs to another widget or server.
    #[error("ledger `{}` belongs to {found}, not to {wanted}", path.display())]
    Foreign {
        /// The path of the ledger file.
        path: PathBuf,
        /// The target that the ledger belongs to.
        found: Box<Target>,
        /// The target that the run is for.
        wanted: Box<Target>,
    },
    /// The ledger was written by a newer version of roomform.
    #[error("ledger `{}` has format {version}, this roomform reads up to {VERSION}", path.display())]
    Future {
        /// The path of the ledger file.
        path: PathBuf,
        /// The format version of the ledger.
        version: u32,
    },
    /// The file does not start with a ledger header: it is not a ledger, or has lost its first
    /// line.
    #[error("ledger `{}`: the file does not start with a ledger's header", .0.display())]
    NoHeader(PathBuf),
    /// The ledger disappeared or was replaced while it was in use.
    #[error("ledger `{place}` {loss} while roomform used it")]
    Lost {
        /// The path or address of the ledger.
        place: String,
        /// What happened to the ledger.
        loss: Loss,
    },
    /// An object of the ledger was lost between two runs.
    #[error("ledger `{place}` is incomplete: `{object}` is missing")]
    Incomplete {
        /// The address of the ledger.
        place: String,
        /// The address of the missing object.
        object: String,
    },
    /// A line of the ledger is not a valid entry.
    #[error("ledger `{}`, line {line}: {reason}", path.display())]
    Damaged {
        /// The path of the ledger file.
        path: PathBuf,
        /// The line number, counted from 1.
        line: usize,
        /// Why the line is not an entry.
        reason: String,
    },
    /// The object store cannot be read or written.
    #[error("ledger `{place}`: {doing}: {reason}")]
    Store {
        /// The address of the ledger.
        place: String,
        /// The operation that failed.
        doing: &'static str,
        /// The reason for the failure, without secrets.
        reason: String,
        /// What the user can do about it.
        remedy: &'static str,
    },
    /// An earlier write to the ledger failed, so nothing more may be written.
    #[error("the ledger can no longer be written: {reason}")]
    Closed {
        /// The message of the earlier error, with its hint.
        reason: String,
        /// Whether the ledger disappeared or was replaced.
        is_lost: bool,
    },
}

/// What happened to a ledger while it was in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// The ledger no longer exists.
    #[error("disappeared")]
    Gone,
    /// The ledger still exists, but with different content.
    #[error("was replaced by another program")]
    Replaced,
}

impl LedgerError {
    pub(super) fn io(path: &Path, doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io {
            path: path.to_owned(),
            doing,
            source,
        }
    }

    pub(super) fn damaged(path: &Path, line: usize, reason: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            line,
            reason: reason.into(),
        }
    }

    /// Returns whether the ledger disappeared or was replaced.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Lost { .. } | Self::Closed { is_lost: true, .. })
    }

    /// Returns the error for all later writes. It contains the message and the hint of this error.
    pub(super) fn closed(&self) -> Self {
        if let Self::Closed { reason, is_lost } = self {
            return Self::Closed {
                reason: reason.clone(),
                is_lost: *is_lost,
            };
        }
        let cause = std::error::Error::source(self);
        let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
        Self::Closed {
            reason: format!("{self}{cause}; {}", self.hint()),
            is_lost: self.is_lost(),
        }
    }

    /// Returns what the user can do about the error.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::TimedOut => {
                "end or resume the other process, then run again"
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::InvalidInput => {
                "name a regular file with --ledger"
            }
            Self::Io { .. } => {
                "make the file and its directory writable and free some space, or name another ledger with --ledger"
            }
            Self::Foreign { .. } => {
                "name the ledger of this target with --ledger, or check --api-url and --widget"
            }
            Self::Future { .. } => "update roomform",
            Self::NoHeader(_) => {
                "restore the first line of the file from a copy; if the file is not a ledger, move it away, or name another file with --ledger"
            }
            Self::Lost { .. } => {
                "restore the ledger from a copy (`roomform ledger merge COPY` combines the ledger with the copy), then run again"
            }
            Self::Incomplete { .. } => {
                "restore the object from the bucket's versions; if it is lost for good, `roomform ledger compact` continues without it"
            }
            Self::Damaged { .. } => {
                "fix or remove that line; if you remove the whole ledger, the next apply sends all members again"
            }
            Self::Store { remedy, .. } => remedy,
            Self::Closed { .. } => {
                "fix the cause, then run again; nothing was sent to the server after this error"
            }
        }
    }
}

/// Converts an error that does not occur in practice: entries can always be serialized.
impl From<serde_json::Error> for LedgerError {
    fn from(error: serde_json::Error) -> Self {
        Self::Closed {
            reason: error.to_string(),
            is_lost: false,
        }
    }
}
