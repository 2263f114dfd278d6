//! The formats of each verb, and how errors are reported in them.

use std::ffi::OsString;

use clap::ValueEnum;

/// `apply`, and how every run reports that it failed or that a manifest is invalid
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people
    Text,
    /// One JSON document
    Json,
    /// A page for a comment on a pull request or the summary of a job
    Markdown,
    /// GitHub annotations on the lines of the manifest
    Github,
}

impl ReportFormat {
    /// The form of errors for the `--format` of a command line, which may have other mistakes. A format without a form for errors
    /// has them as text.
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
    /// For people
    Text,
    /// One JSON document
    Json,
    /// A page for a comment on a pull request or the summary of a job
    Markdown,
    /// GitHub annotations on the lines of the manifest
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// `plan` and `diff`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For people
    Text,
    /// One JSON document
    Json,
    /// A page for a comment on a pull request or the summary of a job
    Markdown,
    /// A page for a browser in one file
    Html,
    /// GitHub annotations on the lines of the manifest
    Github,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RenderFormat {
    /// The manifest in JSON; errors are JSON too
    Json,
    /// Comma-separated values: one line per member
    Csv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GetFormat {
    /// For people
    Table,
    /// One JSON document
    Json,
    /// Comma-separated values
    Csv,
}

/// Verbs that print text or one document
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DocumentFormat {
    /// For people
    Text,
    /// One JSON document
    Json,
}
