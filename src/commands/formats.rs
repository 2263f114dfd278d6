//! Which verb prints in which format.

use std::ffi::OsString;

use clap::ValueEnum;

use crate::cli::{Fit, Format, Verb};
use crate::error::{Error, Exit};
use crate::render::markdown::{self, Dialect};
use crate::settings::Settings;

/// What a bot may put around a page, in bytes.
const AROUND: usize = 256;

/// The verb's name, as in "no plan".
pub(super) fn name(verb: &Verb) -> &'static str {
    match verb {
        Verb::Init(_) => "init",
        Verb::Check => "check",
        Verb::Plan(_) => "plan",
        Verb::Diff(_) => "diff",
        Verb::Apply(_) => "apply",
        Verb::Render => "render",
        Verb::Explain { .. } => "explain",
        Verb::Export(_) => "export",
        Verb::Get(_) => "get",
        Verb::Send(_) => "send",
        Verb::Doctor(_) => "doctor",
        Verb::Ledger(_) => "ledger",
        Verb::Sandbox(_) => "sandbox",
        Verb::Schema { .. } => "schema",
        Verb::Completions { .. } => "completions",
        Verb::Man { .. } => "man",
    }
}

/// The formats of a verb.
fn of(verb: &Verb) -> &'static [Format] {
    use Format::{Csv, Github, Html, Json, Markdown, Sarif, Table, Text};
    match verb {
        Verb::Check => &[Text, Json, Markdown, Github, Sarif],
        Verb::Plan(_) | Verb::Diff(_) => &[Text, Json, Markdown, Html, Github],
        Verb::Apply(_) => &[Text, Json, Markdown, Github],
        Verb::Render => &[Text, Json, Csv],
        Verb::Get(_) => &[Text, Table, Json, Csv],
        Verb::Explain { .. }
        | Verb::Send(_)
        | Verb::Doctor(_)
        | Verb::Ledger(_)
        | Verb::Schema { .. } => &[Text, Json],
        Verb::Init(_)
        | Verb::Export(_)
        | Verb::Sandbox(_)
        | Verb::Completions { .. }
        | Verb::Man { .. } => &[Text],
    }
}

/// Refuses a format that the verb does not have, and a size where there is no page.
pub(super) fn check(settings: &Settings) -> Result<(), Error> {
    let common = &settings.common;
    let formats = of(&settings.verb);
    if !formats.contains(&common.format) {
        let (format, verb) = (word(common.format), name(&settings.verb));
        let words: Vec<String> = formats.iter().map(|format| word(*format)).collect();
        let message = format!("--format {format} is not for `{verb}`");
        return Err(Error::message(Exit::Usage, message)
            .hint(format!("it takes --format {}", words.join(", "))));
    }
    let sized = common.fit.is_some() || common.max_bytes.is_some();
    if sized && common.format != Format::Markdown {
        let message = "--fit and --max-bytes are for --format markdown";
        return Err(
            Error::message(Exit::Usage, message).hint("add --format markdown, or leave them out")
        );
    }
    Ok(())
}

/// The format as it is typed.
pub(super) fn word(format: Format) -> String {
    let value = format.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

/// The format that a command line asks for which could not be understood, unless it is text.
pub(super) fn asked(args: &[OsString]) -> Option<Format> {
    let formats = Format::value_variants().iter().copied();
    let mut formats = formats.filter(|format| *format != Format::Text);
    formats.find(|format| {
        let word = word(*format);
        args.iter().any(|arg| *arg == *format!("--format={word}"))
            || args
                .windows(2)
                .any(|pair| matches!(pair, [flag, value] if flag == "--format" && *value == *word))
    })
}

/// What a page must fit. Sites count characters, UTF-16 units or bytes, and do not all say which: none of them is more than
/// the bytes.
pub(super) fn fit(fit: Option<Fit>, max_bytes: Option<usize>) -> markdown::Fit {
    let site = fit.map(|fit| match fit {
        Fit::GithubComment => 65_536,
        Fit::GithubSummary => 1 << 20,
        Fit::Gitlab => 1_000_000,
        Fit::Azure => 150_000,
        Fit::Bitbucket => 32_768,
    });
    let site = site.map(|bytes: usize| bytes - AROUND);
    let dialect = match fit {
        Some(Fit::Bitbucket) => Dialect::Plain,
        _ => Dialect::Html,
    };
    markdown::Fit {
        bytes: site.into_iter().chain(max_bytes).min(),
        dialect,
    }
}
