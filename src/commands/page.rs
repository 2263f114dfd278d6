//! The limits of a Markdown page.

use crate::cli::{ErrorFormat, Fit, PageFlags};
use crate::error::{Error, Exit};
use crate::render::markdown::{self, Dialect};

/// Bytes that a bot may put around a page.
const AROUND: usize = 256;

/// Refuses limits where there is no page.
pub(super) fn check(limits: PageFlags, format: ErrorFormat) -> Result<(), Error> {
    let is_limited = limits.fit.is_some() || limits.max_bytes.is_some();
    if format == ErrorFormat::Markdown || !is_limited {
        return Ok(());
    }
    let message = "--fit and --max-bytes are for --format markdown";
    Err(Error::message(Exit::Usage, message).hint("add --format markdown, or leave them out"))
}

/// What a page must fit. Sites count characters, UTF-16 units or bytes, and do not all say which: none of them is more than
/// the bytes.
pub(super) fn fit(flags: PageFlags) -> markdown::Fit {
    let site: Option<usize> = flags.fit.map(|fit| match fit {
        Fit::GithubComment => 65_536,
        Fit::GithubSummary => 1 << 20,
        Fit::Gitlab => 1_000_000,
        Fit::Azure => 150_000,
        Fit::Bitbucket => 32_768,
    });
    let site = site.map(|bytes| bytes - AROUND);
    let dialect = match flags.fit {
        Some(Fit::Bitbucket) => Dialect::Plain,
        _ => Dialect::Html,
    };
    markdown::Fit {
        bytes: site.into_iter().chain(flags.max_bytes).min(),
        dialect,
    }
}
