//! How a run ends: [`Exit`] is the only table of exit codes, and [`Error`] is a failure with its
//! exit code and hints.

use std::fmt;

/// How a run ended, as the shell sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// Failed: network, server, credentials, files.
    Failed = 1,
    /// Changes are pending (only with `--detailed-exitcode`), or manual steps are overdue.
    Pending = 2,
    /// The manifest is invalid.
    Invalid = 3,
    /// Partly applied: some rooms failed, are uncertain or in conflict, or the server ignored a field.
    Partial = 4,
    /// Refused: a limit, the wrong target, a room that would become public, no confirmation.
    Refused = 5,
    /// Wrong usage of the command line.
    Usage = 64,
    Interrupted = 130,
}

impl Exit {
    /// All exits, in the order of the table in docs/exit-codes.md.
    pub const ALL: [Self; 8] = [
        Self::Done,
        Self::Failed,
        Self::Pending,
        Self::Invalid,
        Self::Partial,
        Self::Refused,
        Self::Usage,
        Self::Interrupted,
    ];

    pub fn code(self) -> u8 {
        self as u8
    }

    /// Returns the name in JSON output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::Invalid => "invalid",
            Self::Partial => "partial",
            Self::Refused => "refused",
            Self::Usage => "usage",
            Self::Interrupted => "interrupted",
        }
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure that ends the run: the exit, the chain of causes, and hints for the user.
#[derive(Debug)]
pub struct Error {
    pub exit: Exit,
    /// Whether the failure was already reported to the user.
    pub is_reported: bool,
    /// The chain of causes, outermost first.
    pub source: anyhow::Error,
    /// Hints, each a separate sentence.
    pub hints: Vec<String>,
}

impl Error {
    pub fn new(exit: Exit, source: impl Into<anyhow::Error>) -> Self {
        Self {
            exit,
            is_reported: false,
            source: source.into(),
            hints: Vec::new(),
        }
    }

    pub fn message(exit: Exit, message: impl fmt::Display) -> Self {
        Self::new(exit, anyhow::anyhow!("{message}"))
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    #[must_use]
    pub fn hints(mut self, hints: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.hints.extend(hints.into_iter().map(Into::into));
        self
    }

    /// Returns the chain in one line, without duplicates: libraries often repeat the message of a
    /// cause in their own message.
    pub fn chain(&self) -> String {
        let mut line = String::new();
        for cause in self.source.chain().map(ToString::to_string) {
            if line.is_empty() {
                line = cause;
            } else if !line.ends_with(&cause) {
                line.push_str(": ");
                line.push_str(&cause);
            }
        }
        line
    }
}

/// Creates an [`Error`] from the name of its exit, a format string and, after semicolons, hints.
macro_rules! error {
    ($exit:ident: $message:literal $(, $value:expr)* $(; $hint:expr)*) => {
        $crate::error::Error::message(
            $crate::error::Exit::$exit,
            format_args!($message $(, $value)*),
        )$(.hint($hint))*
    };
}
/// Returns from the function with an [`Error`] that `error!` creates.
macro_rules! bail {
    ($($error:tt)+) => {
        return Err($crate::error::error!($($error)+))
    };
}
pub(crate) use {bail, error};

macro_rules! failed {
    ($($source:ty),+) => {$(
        impl From<$source> for Error {
            fn from(source: $source) -> Self {
                Self::new(Exit::Failed, source)
            }
        }
    )+};
}
// The errors of the stages are not in this list: they have their own hints, so `commands`
// converts them.
failed!(anyhow::Error, std::io::Error, serde_json::Error);
