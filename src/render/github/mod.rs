//! Annotations of GitHub: workflow commands that put a line of words on a line of a file.
//!
//! Main entries: [`plan()`], [`outcome()`], [`check()`], [`invalid()`], [`failure()`]. GitHub shows ten of each kind for a step, so the dangerous ones
//! come first, no more are printed, and the last one says how many there are.

mod plan;

pub use plan::{outcome, plan};

use std::fmt::Write;

use super::escape::{annotation, annotation_property, brief};
use super::words::Count;
use crate::error::Error;
use crate::manifest::Loaded;
use crate::manifest::diagnostic::{Diagnostic, Severity};

/// Annotations of a kind that GitHub shows for a step.
const SHOWN: usize = 10;
/// The kinds, loudest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Error,
    Warning,
    Notice,
}

/// One annotation; its words are as they are.
#[derive(Debug)]
struct Annotation {
    kind: Kind,
    /// File, line, column.
    place: Option<(String, u32, Option<u32>)>,
    title: String,
    message: String,
    hint: Option<String>,
}

impl Annotation {
    fn new(kind: Kind, title: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            place: None,
            title: title.into(),
            message: message.into(),
            hint: None,
        }
    }

    fn at(self, file: &str, line: u32) -> Self {
        let place = Some((file.to_owned(), line, None));
        Self { place, ..self }
    }

    fn write(&self, text: &mut String) {
        let name = match self.kind {
            Kind::Error => "error",
            Kind::Warning => "warning",
            Kind::Notice => "notice",
        };
        let _ = write!(text, "::{name} ");
        if let Some((file, line, column)) = &self.place {
            let _ = write!(text, "file={},line={line},", annotation_property(file));
            if let Some(column) = column {
                let _ = write!(text, "col={column},");
            }
        }
        let title = annotation_property(&self.title);
        let _ = write!(text, "title={title}::{}", annotation(&self.message));
        if let Some(hint) = &self.hint {
            let _ = write!(text, "%0A{}", annotation(hint));
        }
        text.push('\n');
    }
}

/// What `check` found.
pub fn check(loaded: &Loaded) -> String {
    let mistakes = loaded.diagnostics.iter();
    let all: Vec<Annotation> = mistakes.map(|it| mistake(it, loaded)).collect();
    let verdict = if loaded.is_valid() {
        let (rooms, members) = (loaded.desired.rooms.len(), loaded.desired.memberships());
        format!(
            "valid: {}, {}",
            Count(rooms, "room"),
            Count(members, "membership")
        )
    } else {
        "the manifest is invalid".to_owned()
    };
    text(&all, "roomform check", &verdict)
}

/// Why there is nothing else to tell.
pub fn invalid(loaded: &[&Loaded], verb: &str) -> String {
    let mistakes = loaded.iter().flat_map(|it| {
        it.diagnostics
            .iter()
            .map(|mistake| self::mistake(mistake, it))
    });
    let all: Vec<Annotation> = mistakes.collect();
    text(&all, &format!("roomform {verb}"), "the manifest is invalid")
}

/// Why a run came to nothing.
pub fn failure(error: &Error, verb: &str) -> String {
    let title = format!("roomform {verb}: {}", error.exit.name());
    let hint = (!error.hints.is_empty()).then(|| error.hints.join("; "));
    let failure = Annotation {
        hint,
        ..Annotation::new(Kind::Error, title, error.chain())
    };
    let mut text = String::new();
    failure.write(&mut text);
    text
}

/// Those that are shown, loudest first, then the figures and how many are not.
fn text(all: &[Annotation], title: &str, verdict: &str) -> String {
    let mut text = String::new();
    let mut more = Vec::new();
    for (kind, noun, shown) in [
        (Kind::Error, "error", SHOWN),
        (Kind::Warning, "warning", SHOWN),
        (Kind::Notice, "notice", SHOWN - 1),
    ] {
        let of_kind = || all.iter().filter(|it| it.kind == kind);
        of_kind().take(shown).for_each(|it| it.write(&mut text));
        if let left @ 1.. = of_kind().count().saturating_sub(shown) {
            more.push(Count(left, noun).to_string());
        }
    }
    let hint = (!more.is_empty()).then(|| format!("not shown here: {}", more.join(", ")));
    let last = Annotation {
        hint,
        ..Annotation::new(Kind::Notice, title, verdict)
    };
    last.write(&mut text);
    text
}

/// Text of others between back-ticks.
fn tick(text: &str) -> String {
    format!("`{}`", brief(text))
}

fn mistake(diagnostic: &Diagnostic, loaded: &Loaded) -> Annotation {
    let Diagnostic {
        code,
        message,
        at,
        path,
        related,
        hint,
    } = diagnostic;
    let kind = match diagnostic.severity() {
        Severity::Error => Kind::Error,
        Severity::Warning => Kind::Warning,
    };
    let located = |at| {
        let (name, place) = loaded.sources.told(at);
        (name.to_owned(), place.line, place.column)
    };
    let place = at
        .map(located)
        .map(|(file, line, column)| (file, line, Some(column)));
    let path = path.clone().filter(|path| !path.is_empty());
    let mut words = match (&place, &path) {
        (None, Some(path)) => format!("{path}: {message}"),
        _ => message.clone(),
    };
    if let Some((at, label)) = related {
        let (file, line, _) = located(*at);
        let _ = write!(words, " ({label}: {file}:{line})");
    }
    Annotation {
        kind,
        place: place.or_else(|| path.map(|path| (path, 1, None))),
        title: format!("{} {}", code.id(), code.name()),
        message: words,
        hint: hint.clone(),
    }
}
