//! Views as Markdown pages, for a comment on a pull request or a job summary. A page is cut to a limit at whole items, with exact
//! counts of the omitted ones.

mod dialect;
mod page;

use std::collections::HashMap;
use std::sync::Arc;

pub use dialect::Dialect;

use self::page::{Item, Page, Section};
use super::escape;
use crate::error::Error;
use crate::model::Target;
use crate::view::grammar::sentence;
use crate::view::{self, Detail, Line, SectionKind, Span, Text, View};

/// The limits of a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fit {
    /// Maximum size in bytes, which also limits the characters, whichever unit a site counts; at least 4096, so that the figures fit.
    pub bytes: Option<usize>,
    /// The Markdown that the site supports.
    pub dialect: Dialect,
}

/// The page of a view.
pub fn write(view: &View<'_>, fit: Fit) -> String {
    let dialect = fit.dialect;
    let heading = write_text(&view.heading, dialect);
    let mut head = vec![
        dialect.marker(&marker(view.verb, view.target)),
        format!("## {heading}"),
        format!("**{}**", view.verdict),
    ];
    head.extend(view.facts.iter().map(|fact| sentence(fact)));
    let mut foot: Vec<String> = view.legend.iter().map(|words| sentence(words)).collect();
    foot.extend(view.cut.iter().map(|all| format!("Lists are cut; {all}.")));
    let sections = view.sections.values().map(|it| section(view, it, dialect));
    let page = Page {
        dialect,
        head,
        sections: sections.collect(),
        foot,
    };
    page.write(fit.bytes)
}

/// Why a run failed.
pub fn failure(error: &Error, verb: &str, target: Option<&Target>, fit: Fit) -> String {
    let dialect = fit.dialect;
    let hints = error.hints.iter().map(|hint| Item {
        fold: None,
        text: dialect.words(hint),
    });
    let page = Page {
        dialect,
        head: vec![
            dialect.marker(&marker(verb, target)),
            format!("## No {verb}: {}", error.exit.name()),
            dialect.words(&error.chain()),
        ],
        sections: vec![Section {
            kind: SectionKind::Remedies,
            items: hints.collect(),
            listed_by: None,
        }],
        foot: Vec::new(),
    };
    page.write(fit.bytes)
}

/// The marker's text: the verb, and the target if known, so that a bot can distinguish the pages of two widgets.
fn marker(verb: &str, target: Option<&Target>) -> String {
    match target {
        Some(Target { origin, widget }) => {
            format!("{verb} target={}/{widget}", escape::marker(origin))
        }
        None => verb.to_owned(),
    }
}

/// The lines of a section. Changes are folded by file unless they need attention.
fn section(view: &View<'_>, section: &view::Section<'_>, dialect: Dialect) -> Section {
    let kind = section.kind;
    let mut lines: Vec<Line<'_>> = view.lines(section).collect();
    let is_by_file = !kind.is_pinned() && !section.changes.is_empty();
    if is_by_file {
        lines.sort_by_key(|line| line.place.map(|place| (place.file, place.line)));
    }
    let mut folds: HashMap<&str, Arc<str>> = HashMap::new();
    let is_listed = kind == SectionKind::OpenSteps && view.verb != "todo";
    let rooms: Arc<str> = Arc::from("Rooms");
    let items = lines.iter().map(|line| match line.place {
        Some(place) if is_by_file => {
            let heading = || Arc::from(dialect.code(place.file));
            let number = place.line.unwrap_or(1);
            Item {
                fold: Some(folds.entry(place.file).or_insert_with(heading).clone()),
                text: format!("{} (line {number})", write_text(&line.sentence(), dialect)),
            }
        }
        _ => Item {
            fold: (kind == SectionKind::AsPlanned || is_listed).then(|| rooms.clone()),
            text: item(kind, line, dialect),
        },
    });
    Section {
        kind,
        items: items.collect(),
        listed_by: is_listed.then_some("roomform todo"),
    }
}

/// Position, label, message, hint.
fn item(kind: SectionKind, line: &Line<'_>, dialect: Dialect) -> String {
    let words = write_text(&line.sentence(), dialect);
    let label = line.label.as_deref().map(|label| match line.detail {
        Detail::Change(_) => format!("**{label}:** "),
        Detail::None | Detail::Removed(_) | Detail::OpenSteps(_) => format!("{label}: "),
    });
    let label = label.unwrap_or_default();
    let hint = line.hint.map(|hint| format!(". *{}*", dialect.words(hint)));
    let hint = hint.unwrap_or_default();
    match line.place.map(|place| dialect.code(&place.raw())) {
        Some(place) if line.pipe.is_none() => format!("{place} {label}{words}{hint}"),
        Some(place) if kind != SectionKind::AsPlanned => format!("{label}{words} ({place}){hint}"),
        _ => format!("{label}{words}{hint}"),
    }
}

fn write_text(text: &Text<'_>, dialect: Dialect) -> String {
    text.write(|span| match span {
        Span::Words(words) => words.to_string(),
        Span::Message(message) => dialect.words(message),
        value => dialect.code(value.raw()),
    })
}
