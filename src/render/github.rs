//! Annotations of GitHub: workflow commands that put a line of words on a line of a file.
//!
//! Main entries: [`plan()`], [`outcome()`], [`check()`], [`failure()`]. GitHub shows ten of each kind for a step, so the dangerous ones
//! come first, no more are printed, and the last one says how many there are.

use std::fmt::Write;

use super::danger::Danger;
use super::escape::{annotation, annotation_property, brief};
use super::line::{self, change};
use super::outcome::{figures, hints, stopped};
use super::plan::verdict;
use super::result::{Gravity, gravity, words};
use super::sections::{conflict_words, note, refused};
use super::words::{Count, few};
use crate::apply::Outcome;
use crate::error::Error;
use crate::manifest::Loaded;
use crate::manifest::diagnostic::{Diagnostic, Severity};
use crate::plan::{Action, Plan};

/// Annotations of a kind that GitHub shows for a step.
const SHOWN: usize = 10;
/// Members named in one line.
const NAMED: usize = 12;

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

/// A plan, and what was found in the manifest it was made from.
pub fn plan(plan: &Plan, loaded: &Loaded) -> String {
    let mut all: Vec<Annotation> = refusals(plan).chain(dangers(plan)).collect();
    all.extend(left_to_people(plan));
    all.extend(loaded.diagnostics.iter().map(|it| mistake(it, loaded)));
    all.extend(remarks(plan));
    all.extend(changes(plan));
    text(&all, "roomform plan", &verdict(plan))
}

/// What became of a plan, and the plan that is left where one was made.
pub fn outcome(plan: &Plan, outcome: &Outcome, after: Option<&Plan>) -> String {
    let mut all = Vec::new();
    let stopped = outcome.halt.as_ref().map(|halt| stopped(halt, &tick));
    all.extend(stopped.map(|why| Annotation::new(Kind::Error, "stopped", why)));
    let unverified = outcome.unverified.as_deref();
    all.extend(unverified.map(|why| {
        let message = format!("the list could not be read again: {}", tick(why));
        Annotation::new(Kind::Error, "not verified", message)
    }));
    all.extend(rooms(plan, outcome));
    all.extend(left_to_people(after.unwrap_or(plan)));
    let mut verdict = figures(outcome);
    for hint in hints(outcome) {
        let _ = write!(verdict, "; {hint}");
    }
    text(&all, "roomform apply", &verdict)
}

/// What `check` found, or why there is nothing else to tell.
pub fn check(loaded: &Loaded, verb: &str) -> String {
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
    text(&all, &format!("roomform {verb}"), &verdict)
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

fn refusals(plan: &Plan) -> impl Iterator<Item = Annotation> {
    let refusals = plan.refusals.iter();
    refusals.map(|it| Annotation::new(Kind::Error, "refused", refused(it, &tick)))
}

fn dangers(plan: &Plan) -> impl Iterator<Item = Annotation> {
    let dangers = plan
        .changes
        .iter()
        .filter_map(|it| Some((it, Danger::of(it)?)));
    dangers.map(|(it, danger)| {
        Annotation::new(Kind::Warning, danger.words(), change(it, &tick)).at(&it.file, it.line)
    })
}

fn left_to_people(plan: &Plan) -> impl Iterator<Item = Annotation> {
    let conflicts = plan.conflicts.iter().map(|it| {
        let words = conflict_words(&it.kind, &str::to_owned);
        let message = format!("{}: {words}", tick(it.pipe.as_str()));
        Annotation::new(Kind::Warning, "conflict", message).at(&it.file, it.line)
    });
    let by_hand = plan.by_hand.iter().map(|it| {
        let mut gone = [it.left.as_slice(), it.released.as_slice()].concat();
        gone.sort_unstable();
        let message = format!("{}: take out {}", tick(it.pipe.as_str()), few(&gone, NAMED));
        Annotation::new(Kind::Warning, "by hand", message)
    });
    let undeclared = plan.undeclared.iter().map(|pipe| {
        let message = format!("{}: recorded and no longer declared", tick(pipe.as_str()));
        Annotation::new(Kind::Warning, "by hand", message)
    });
    conflicts.chain(by_hand).chain(undeclared)
}

fn remarks(plan: &Plan) -> impl Iterator<Item = Annotation> {
    let ignored = plan.ignored.iter().map(|it| {
        let (sent, shown) = (line::value(&it.sent, &tick), line::value(&it.shown, &tick));
        let (pipe, field) = (tick(it.pipe.as_str()), it.field.name());
        let message = format!("{pipe}: {field} was sent as {sent}, the server shows {shown}");
        Annotation::new(Kind::Notice, "ignored by the server", message)
    });
    let notes = plan.notes.iter();
    ignored.chain(notes.map(|it| Annotation::new(Kind::Notice, "to know", note(it, &tick))))
}

fn changes(plan: &Plan) -> impl Iterator<Item = Annotation> {
    let harmless = plan.changes.iter().filter(|it| Danger::of(it).is_none());
    harmless.map(|it| {
        let title = match &it.action {
            Action::Create => "create",
            Action::Update { fields, .. } if fields.is_empty() => "members",
            Action::Update { .. } => "update",
        };
        Annotation::new(Kind::Notice, title, change(it, &tick)).at(&it.file, it.line)
    })
}

/// The rooms that did not end well, on the lines that declare them.
fn rooms(plan: &Plan, outcome: &Outcome) -> Vec<Annotation> {
    let mut changes = plan.changes.iter().peekable();
    let mut all = Vec::new();
    for room in &outcome.rooms {
        while changes.next_if(|it| it.pipe < room.pipe).is_some() {}
        let kind = match gravity(room) {
            Gravity::Well => continue,
            Gravity::Odd => Kind::Warning,
            Gravity::Failed => Kind::Error,
        };
        let message = format!("{}: {}", tick(room.pipe.as_str()), words(room, &tick));
        let told = Annotation::new(kind, room.status.name().replace('_', " "), message);
        all.push(match changes.next_if(|it| it.pipe == room.pipe) {
            Some(it) => told.at(&it.file, it.line),
            None => told,
        });
    }
    all
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
        let (place, file) = (loaded.sources.locate(at), loaded.sources.file(at.file));
        (
            file.map(|file| file.name.to_string()).unwrap_or_default(),
            place.line,
            place.column,
        )
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
