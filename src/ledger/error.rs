//! Why a ledger cannot be read or written.

use std::io;
use std::path::{Path, PathBuf};

use super::json::VERSION;
use crate::model::Target;

/// What is wrong with a ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It cannot be read or written.
    #[error("ledger `{}`: {doing}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// It belongs to another widget or server.
    #[error("ledger `{}` belongs to {found}, not to {wanted}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: Box<Target>,
        /// What the run is for.
        wanted: Box<Target>,
    },
    /// A newer roomform wrote it.
    #[error("ledger `{}` has format {version}, this roomform reads up to {VERSION}", path.display())]
    Future {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// A line in the middle is not an entry.
    #[error("ledger `{}`, line {line}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// An object store cannot be read or written.
    #[error("ledger `{place}`: {doing}: {reason}")]
    Store {
        /// Its address.
        place: String,
        /// What was tried.
        doing: &'static str,
        /// Why it failed, without any secret.
        reason: String,
        /// What the user can do about it.
        remedy: &'static str,
    },
    /// An earlier write failed, and nothing may be written after it.
    #[error("the ledger can no longer be written: {0}")]
    Closed(String),
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

    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => {
                "make the file and its directory writable and free some space, or name another ledger with --ledger"
            }
            Self::Foreign { .. } => {
                "name the ledger of this target with --ledger, or check --api-url and --widget"
            }
            Self::Future { .. } => "update roomform",
            Self::Damaged { .. } => {
                "fix or remove that line; without a ledger the plan says \"members unknown\" and sends them again"
            }
            Self::Store { remedy, .. } => remedy,
            Self::Closed(_) => {
                "make the ledger writable, then run again; nothing was sent to the server after this"
            }
        }
    }
}

/// No entry of ours causes it.
impl From<serde_json::Error> for LedgerError {
    fn from(error: serde_json::Error) -> Self {
        Self::Closed(error.to_string())
    }
}
