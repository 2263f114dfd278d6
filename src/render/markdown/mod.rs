//! Writes views as Markdown pages, for a comment on a pull request or a job summary. If a page
//! exceeds a limit, whole items are omitted and counted exactly.

mod page;
mod prose;

use self::page::{Page, Section};
use self::prose::prose;
use super::escape::{self, markdown};
use crate::error::Error;
use crate::model::Target;
use crate::view::grammar::sentence;
use crate::view::{self, Detail, Line, SectionKind, Span, Text, View};

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

/// Returns the Markdown page of a view.
pub fn write(view: &View<'_>, fit: Fit) -> String {
    let mut head = vec![
        marker(view.verb, view.target, fit.dialect),
        format!("## {}", write_text(&view.heading)),
        format!("**{}**", view.verdict),
    ];
    head.extend(view.facts.iter().map(|fact| sentence(fact)));
    let mut foot: Vec<String> = view.legend.iter().map(|words| sentence(words)).collect();
    foot.extend(view.cut.iter().map(|all| format!("Lists are cut; {all}.")));
    let sections = view.sections.values().map(|it| section(view, it));
    let page = Page {
        dialect: fit.dialect,
        head,
        sections: sections.collect(),
        foot,
    };
    page.write(fit.bytes)
}

/// Returns the Markdown page for a failed run.
pub fn failure(error: &Error, verb: &str, target: Option<&Target>, fit: Fit) -> String {
    let page = Page {
        dialect: fit.dialect,
        head: vec![
            marker(verb, target, fit.dialect),
            format!("## No {verb}: {}", error.exit.name()),
            prose(&error.chain()),
        ],
        sections: vec![Section {
            kind: SectionKind::Remedies,
            items: error.hints.iter().map(|hint| prose(hint)).collect(),
            is_folded: false,
            listed_by: None,
        }],
        foot: Vec::new(),
    };
    page.write(fit.bytes)
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

/// Returns the items of a section. Changes are folded unless they need attention.
fn section(view: &View<'_>, section: &view::Section<'_>) -> Section {
    let kind = section.kind;
    let is_listed = kind.is_open() && view.verb != "todo";
    let has_changes = !kind.is_pinned() && !section.changes.is_empty();
    Section {
        kind,
        items: view.lines(section).map(|line| item(kind, &line)).collect(),
        is_folded: is_listed || has_changes || kind == SectionKind::AsPlanned,
        listed_by: is_listed.then_some("roomform todo"),
    }
}

/// Formats a line as an item: its position, label, message and hint.
fn item(kind: SectionKind, line: &Line<'_>) -> String {
    let words = write_text(&line.sentence());
    let label = line.label.as_deref().map(|label| match line.detail {
        Detail::Change(_) if kind.is_pinned() => format!("**{label}:** "),
        Detail::Change(_) => String::new(),
        Detail::None | Detail::Removed(_) | Detail::OpenSteps(_) => format!("{label}: "),
    });
    let label = label.unwrap_or_default();
    let hint = line.hint.map(|hint| format!(". *{}*", prose(hint)));
    let hint = hint.unwrap_or_default();
    match line.place.map(|place| markdown(&place.raw())) {
        Some(place) if line.pipe.is_none() => format!("{place} {label}{words}{hint}"),
        Some(place) if kind != SectionKind::AsPlanned => format!("{label}{words} ({place}){hint}"),
        _ => format!("{label}{words}{hint}"),
    }
}

fn write_text(text: &Text<'_>) -> String {
    text.write(|span| match span {
        Span::Words(words) => words.to_string(),
        Span::Message(message) => prose(message),
        value => markdown(value.raw()),
    })
}
