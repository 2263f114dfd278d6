//! Writes views as Markdown pages, for a comment on a pull request or a job summary. If a page
//! exceeds a limit, whole items are omitted and counted exactly.

mod page;
mod prose;

use std::io::{self, Write};

use self::page::{Page, Section};
use self::prose::{prose, write_text};
use super::{escape, to_text};
use crate::error::Error;
use crate::model::Target;
use crate::view::grammar::sentence;
use crate::view::{self, View};

/// The size limit and the Markdown dialect of the site that shows a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fit {
    /// Maximum size of a page in bytes. The value is at least 4096, so that the figures fit.
    /// The limit also works for sites that count characters, because a text never has more
    /// characters than bytes.
    pub bytes: Option<usize>,
    /// The Markdown that the site supports.
    pub dialect: Dialect,
}

/// What a site's Markdown supports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Markdown with the HTML for folds and comments, as in GitHub, GitLab and Azure DevOps.
    #[default]
    Html,
    /// Markdown without HTML, as in Bitbucket.
    Plain,
}

/// Writes the Markdown page of a view.
///
/// # Errors
/// Returns an error if the output cannot be written.
pub fn write(view: &View<'_>, fit: Fit, out: &mut dyn Write) -> io::Result<()> {
    page(view, format!("**{}**", view.verdict), fit).write(fit.bytes, out)
}

/// Returns the Markdown page for a failed run.
///
/// # Errors
/// Does not fail in practice, because writing to memory cannot fail.
pub fn failure(error: &Error, verb: &str, target: Option<&Target>, fit: Fit) -> io::Result<String> {
    let view = view::failed(verb, target, error.exit.name(), &error.hints);
    let page = page(&view, prose(&error.chain()), fit);
    to_text(|out| page.write(fit.bytes, out))
}

/// Lays out a view. `verdict` is the line below the heading.
fn page<'a>(view: &'a View<'a>, verdict: String, fit: Fit) -> Page<'a> {
    let mut head = vec![
        marker(view.verb, view.target, fit.dialect),
        format!("## {}", write_text(&view.heading)),
        verdict,
    ];
    head.extend(view.facts.iter().map(|fact| sentence(fact)));
    let mut foot: Vec<String> = view.legend.iter().map(|words| sentence(words)).collect();
    foot.extend(view.cut.iter().map(|all| format!("Lists are cut; {all}.")));
    let sections = view.sections.values();
    let sections = sections.map(|section| Section { view, section });
    Page {
        dialect: fit.dialect,
        head,
        sections: sections.collect(),
        foot,
    }
}

/// Returns the invisible line by which a bot finds the page. It names the verb, and the target if
/// it is known, so that a bot can distinguish the pages of two widgets.
fn marker(verb: &str, target: Option<&Target>, dialect: Dialect) -> String {
    let target = target
        .map(|Target { origin, widget }| format!(" target={}/{widget}", escape::marker(origin)));
    let what = format!("roomform:{verb}{}", target.unwrap_or_default());
    match dialect {
        Dialect::Html => format!("<!-- {what} -->"),
        Dialect::Plain => format!("[//]: # ({what})"),
    }
}
