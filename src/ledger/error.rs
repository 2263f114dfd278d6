//! Errors of reading or writing a ledger.

use std::io;
use std::path::{Path, PathBuf};

use super::json::VERSION;
use crate::model::Target;

/// Why a ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file cannot be read or written.
    #[error("ledger `{}`: {doing}", path.display())]
    Io {
        /// Path of the ledger file.
        path: PathBuf,
        /// The operation that failed.
        doing: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The ledger belongs to another widget or server.
    #[error("ledger `{}` belongs to {found}, not to {wanted}", path.display())]
    Foreign {
        /// Path of the ledger file.
        path: PathBuf,
        /// The target of the ledger.
        found: Box<Target>,
        /// The target of the run.
        wanted: Box<Target>,
    },
    /// A newer roomform wrote it.
    #[error("ledger `{}` has format {version}, this roomform reads up to {VERSION}", path.display())]
    Future {
        /// Path of the ledger file.
        path: PathBuf,
        /// Its format version.
        version: u32,
    },
    /// It does not start with a header: it is no ledger, or has lost its first line.
    #[error("ledger `{}`: the file does not start with a ledger's header", .0.display())]
    NoHeader(PathBuf),
    /// It disappeared or was replaced while it was in use.
    #[error("ledger `{place}` {loss} while roomform used it")]
    Lost {
        /// Its path or address.
        place: String,
        /// What happened to it.
        loss: Loss,
    },
    /// An object of it was lost between two runs.
    #[error("ledger `{place}` is incomplete: `{object}` is missing")]
    Incomplete {
        /// The ledger's address.
        place: String,
        /// The address of the missing object.
        object: String,
    },
    /// A line other than the last is not an entry.
    #[error("ledger `{}`, line {line}: {reason}", path.display())]
    Damaged {
        /// Path of the ledger file.
        path: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// Why it is not an entry.
        reason: String,
    },
    /// An object store cannot be read or written.
    #[error("ledger `{place}`: {doing}: {reason}")]
    Store {
        /// The object's address.
        place: String,
        /// The operation that failed.
        doing: &'static str,
        /// Why it failed, without secrets.
        reason: String,
        /// What the user can do about it.
        remedy: &'static str,
    },
    /// An earlier write failed, so nothing more may be written.
    #[error("the ledger can no longer be written: {reason}")]
    Closed {
        /// The earlier error, with its hint.
        reason: String,
        /// Whether the ledger disappeared or was replaced.
        is_lost: bool,
    },
}

/// What happened to a ledger in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// It is no longer there.
    #[error("disappeared")]
    Gone,
    /// It has other content.
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

    /// Whether the ledger disappeared or was replaced.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Lost { .. } | Self::Closed { is_lost: true, .. })
    }

    /// Returns the error for every later write, with the cause and hint of this one.
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

    /// What the user can do about it.
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
                "restore its first line from a copy, or move it away if it is no ledger, or name another one with --ledger"
            }
            Self::Lost { .. } => {
                "restore the ledger from a copy (`roomform ledger merge COPY` combines two), then run again"
            }
            Self::Incomplete { .. } => {
                "restore the object from the bucket's versions; if it is lost for good, `roomform ledger compact` continues without it"
            }
            Self::Damaged { .. } => {
                "fix or remove that line; without a ledger, the plan says \"members unknown\" and the next apply sends all members again"
            }
            Self::Store { remedy, .. } => remedy,
            Self::Closed { .. } => {
                "fix this, then run again; nothing was sent to the server after this error"
            }
        }
    }
}

/// Serializing our own entries never fails.
impl From<serde_json::Error> for LedgerError {
    fn from(error: serde_json::Error) -> Self {
        Self::Closed {
            reason: error.to_string(),
            is_lost: false,
        }
    }
}
