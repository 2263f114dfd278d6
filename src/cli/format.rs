//! The formats of each verb, and the form that its errors take in each of them.

use clap::ValueEnum;

/// How a run reports that it failed or that a manifest is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorFormat {
    /// On stderr only.
    Text,
    /// One JSON document on stdout.
    Json,
    /// A page on stdout, and on stderr.
    Markdown,
    /// Annotations on stdout.
    Github,
}

/// Declares the formats of a verb, each with the form of its errors.
macro_rules! formats {
    ($(#[$about:meta])* $name:ident { $($(#[doc = $help:literal])+ $format:ident => $errors:ident,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
        pub enum $name {
            $($(#[doc = $help])+ $format,)+
        }

        impl From<$name> for ErrorFormat {
            fn from(format: $name) -> Self {
                match format {
                    $($name::$format => Self::$errors,)+
                }
            }
        }
    };
}

formats! {
    /// `check`
    CheckFormat {
        /// For people
        Text => Text,
        /// One JSON document
        Json => Json,
        /// A page for a comment on a pull request or the summary of a job
        Markdown => Markdown,
        /// GitHub annotations on the lines of the manifest
        Github => Github,
        /// SARIF 2.1.0, for code scanning
        Sarif => Text,
    }
}

formats! {
    /// `plan` and `diff`
    PlanFormat {
        /// For people
        Text => Text,
        /// One JSON document
        Json => Json,
        /// A page for a comment on a pull request or the summary of a job
        Markdown => Markdown,
        /// A page for a browser in one file
        Html => Text,
        /// GitHub annotations on the lines of the manifest
        Github => Github,
    }
}

formats! {
    /// `apply`
    ApplyFormat {
        /// For people
        Text => Text,
        /// One JSON document
        Json => Json,
        /// A page for a comment on a pull request or the summary of a job
        Markdown => Markdown,
        /// GitHub annotations on the lines of the manifest
        Github => Github,
    }
}

formats! {
    /// `render`
    RenderFormat {
        /// The manifest in JSON; errors are JSON too
        Json => Json,
        /// Comma-separated values: one line per member
        Csv => Text,
    }
}

formats! {
    /// `get`
    GetFormat {
        /// For people
        Table => Text,
        /// One JSON document
        Json => Json,
        /// Comma-separated values
        Csv => Text,
    }
}

formats! {
    /// Verbs with text and one document
    DocumentFormat {
        /// For people
        Text => Text,
        /// One JSON document
        Json => Json,
    }
}
