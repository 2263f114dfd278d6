//! The formats of each verb, and how errors are reported in them.

use std::ffi::OsString;

use clap::ValueEnum;

/// The formats of `apply`. Every verb can report a failed run or an invalid manifest in these
/// formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Human-readable text
    Text,
    /// One JSON document
    Json,
    /// Markdown for a pull request comment or a job summary
    Markdown,
    /// GitHub annotations on the lines of the manifest
    Github,
}

impl ReportFormat {
    /// The error format that `--format` implies, even if the rest of the command line is invalid. Formats that cannot carry errors
    /// fall back to text.
    pub fn requested(args: &[OsString]) -> Self {
        let words = args.iter().map(|arg| arg.to_string_lossy().into_owned());
        let words: Vec<String> = words.take_while(|word| word != "--").collect();
        let mut formats = words.iter().enumerate().filter_map(|(at, word)| {
            let name = match word.strip_prefix("--format")? {
                "" => words.get(at + 1)?,
                value => value.strip_prefix('=')?,
            };
            Self::from_str(name, false).ok()
        });
        formats.next().unwrap_or(Self::Text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// Human-readable text
    Text,
    /// One JSON document
    Json,
    /// Markdown for a pull request comment or a job summary
    Markdown,
    /// GitHub annotations on the lines of the manifest
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// The formats of `plan` and `diff`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// Human-readable text
    Text,
    /// One JSON document
    Json,
    /// Markdown for a pull request comment or a job summary
    Markdown,
    /// One self-contained HTML page
    Html,
    /// GitHub annotations on the lines of the manifest
    Github,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RenderFormat {
    /// The manifest in JSON; errors are JSON too
    Json,
    /// CSV with one line per member
    Csv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GetFormat {
    /// A human-readable table
    Table,
    /// One JSON document
    Json,
    /// Comma-separated values
    Csv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TodoFormat {
    /// Human-readable text
    Text,
    /// One JSON document
    Json,
    /// Comma-separated values
    Csv,
    /// A Markdown checklist
    Markdown,
}

/// The formats of verbs that print text or one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DocumentFormat {
    /// Human-readable text
    Text,
    /// One JSON document
    Json,
}
