//! Pages in Markdown, for a comment on a pull request or a job's summary: the figures first, then what is dangerous, then the
//! rest in folds; cut to a limit on whole items, with exact counts of what was left out.
//!
//! Main entries: [`plan()`], [`outcome()`], [`not_applied()`], [`check()`], [`invalid()`], [`failure()`]; [`Fit`] says what a page must fit. It decides
//! nothing: what is dangerous is said in one place for all formats.

mod dialect;
mod mistakes;
mod outcome;
mod page;
mod plan;

pub use dialect::Dialect;
pub use mistakes::{check, failure, invalid};
pub use outcome::{not_applied, outcome};
pub(super) use plan::legend;
pub use plan::plan;

use std::sync::Arc;

use self::page::{Item, Section};
use super::escape;
use crate::model::Target;

/// What a page must fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fit {
    /// The most bytes it may have, and so the most characters, whichever a site counts; at least 4096, so that its figures fit.
    pub bytes: Option<usize>,
    /// What the site takes.
    pub dialect: Dialect,
}

/// What a marker says: the verb, and the target where it is known, so that a bot can tell the pages of two widgets apart.
fn marker(verb: &str, target: Option<&Target>) -> String {
    match target {
        Some(Target { origin, widget }) => {
            format!("{verb} target={}/{widget}", escape::marker(origin))
        }
        None => verb.to_owned(),
    }
}

/// `widget 627 on the sandbox`.
fn site(target: &Target, dialect: Dialect) -> String {
    match target.origin.as_str() {
        "sandbox:" => format!("widget {} on the sandbox", target.widget),
        origin => format!("widget {} on {}", target.widget, dialect.code(origin)),
    }
}

/// A section whose items are not folded.
fn section(
    name: &'static str,
    noun: &'static str,
    remark: &'static str,
    lines: Vec<String>,
) -> Section {
    let item = |text| Item { fold: None, text };
    Section {
        name,
        noun,
        remark,
        pinned: false,
        items: lines.into_iter().map(item).collect(),
    }
}

/// The same, to be left out last.
fn pinned(
    name: &'static str,
    noun: &'static str,
    remark: &'static str,
    lines: Vec<String>,
) -> Section {
    Section {
        pinned: true,
        ..section(name, noun, remark, lines)
    }
}

/// The heading of a fold.
fn fold(text: String) -> Option<Arc<str>> {
    Some(Arc::from(text))
}
