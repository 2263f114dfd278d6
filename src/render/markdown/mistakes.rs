//! Mistakes in a manifest, and failures, as a page: a comment must say too why there is no plan.

use super::dialect::Dialect;
use super::page::{Page, Section};
use super::{Fit, marker, pinned, section};
use crate::error::Error;
use crate::manifest::Loaded;
use crate::manifest::diagnostic::{Code, Diagnostic, Severity, Sources};
use crate::model::Target;
use crate::render::words::Count;

/// What `check` found.
pub fn check(loaded: &Loaded, fit: Fit) -> String {
    let (rooms, members) = (loaded.desired.rooms.len(), loaded.desired.memberships());
    let all = &[loaded];
    let head = if loaded.is_valid() {
        let (rooms, members) = (Count(rooms, "room"), Count(members, "membership"));
        let figures = format!("**{rooms}, {members}**{}", warned(all));
        ["## The manifest is valid".to_owned(), figures]
    } else {
        ["## The manifest is invalid".to_owned(), tally(all)]
    };
    page(all, fit, head, "check", None)
}

/// Why there is no plan: the manifest is invalid. The verb is the one that was run.
pub fn invalid(loaded: &[&Loaded], verb: &str, target: Option<&Target>, fit: Fit) -> String {
    let head = [
        format!("## No {verb}: the manifest is invalid"),
        tally(loaded),
    ];
    page(loaded, fit, head, verb, target)
}

/// Why a run came to nothing.
pub fn failure(error: &Error, verb: &str, target: Option<&Target>, fit: Fit) -> String {
    let dialect = fit.dialect;
    let hints = error.hints.iter().map(|hint| dialect.words(hint));
    let page = Page {
        dialect,
        head: vec![
            dialect.marker(&marker(verb, target)),
            format!("## No {verb}: {}", error.exit.name()),
            dialect.words(&error.chain()),
        ],
        sections: vec![section("What to do", "hints", "", hints.collect())],
        foot: Vec::new(),
    };
    page.write(fit.bytes)
}

fn page(
    loaded: &[&Loaded],
    fit: Fit,
    head: [String; 2],
    verb: &str,
    target: Option<&Target>,
) -> String {
    let dialect = fit.dialect;
    let errors = of(loaded, dialect, |it| it.severity() == Severity::Error);
    let sections = vec![
        pinned("Errors", "errors", "", errors),
        look_alikes(loaded, dialect),
        warnings(loaded, dialect),
    ];
    let marker = dialect.marker(&marker(verb, target));
    let page = Page {
        dialect,
        head: [marker].into_iter().chain(head).collect(),
        sections,
        foot: Vec::new(),
    };
    page.write(fit.bytes)
}

fn tally(loaded: &[&Loaded]) -> String {
    let errors = loaded.iter().flat_map(|it| &it.diagnostics);
    let errors = errors.filter(|it| it.severity() == Severity::Error).count();
    format!("**{}**{}", Count(errors, "error"), warned(loaded))
}

/// `, 2 warnings`, if there are any.
fn warned(loaded: &[&Loaded]) -> String {
    let warnings = loaded.iter().flat_map(|it| &it.diagnostics);
    match warnings
        .filter(|it| it.severity() == Severity::Warning)
        .count()
    {
        0 => String::new(),
        warnings => format!(", {}", Count(warnings, "warning")),
    }
}

/// Names people cannot tell apart.
pub(super) fn look_alikes(loaded: &[&Loaded], dialect: Dialect) -> Section {
    let remark = "People cannot tell these apart.";
    pinned(
        "Look-alikes",
        "look-alikes",
        remark,
        of(loaded, dialect, is_look_alike),
    )
}

/// The other warnings.
pub(super) fn warnings(loaded: &[&Loaded], dialect: Dialect) -> Section {
    let other = |it: &Diagnostic| it.severity() == Severity::Warning && !is_look_alike(it);
    section("Warnings", "warnings", "", of(loaded, dialect, other))
}

fn is_look_alike(diagnostic: &Diagnostic) -> bool {
    matches!(diagnostic.code, Code::LookAlike | Code::LookAlikeTitle)
}

fn of(loaded: &[&Loaded], dialect: Dialect, wanted: impl Fn(&Diagnostic) -> bool) -> Vec<String> {
    let all = loaded
        .iter()
        .flat_map(|it| it.diagnostics.iter().zip(std::iter::repeat(&it.sources)));
    let wanted = all.filter(|(it, _)| wanted(it));
    wanted
        .map(|(it, sources)| line(it, sources, dialect))
        .collect()
}

/// Place, code, words, remedy.
fn line(diagnostic: &Diagnostic, sources: &Sources, dialect: Dialect) -> String {
    let Diagnostic {
        code,
        message,
        at,
        path,
        related,
        hint,
    } = diagnostic;
    let place = |at| {
        let (name, place) = sources.told(at);
        dialect.code(&format!("{name}:{}:{}", place.line, place.column))
    };
    let mut text = match (at, path.as_deref()) {
        (Some(at), _) => format!("{} ", place(*at)),
        (None, None | Some("")) => String::new(),
        (None, Some(path)) => format!("{} ", dialect.code(path)),
    };
    text.push_str(&format!("{}: {}", code.id(), dialect.words(message)));
    if let Some((at, label)) = related {
        text.push_str(&format!(" ({}: {})", dialect.words(label), place(*at)));
    }
    if let Some(hint) = hint {
        text.push_str(&format!(". *{}*", dialect.words(hint)));
    }
    text
}
