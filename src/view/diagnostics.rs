//! Converts the diagnostics of a manifest to lines, and to a view.

use super::grammar::Count;
use super::section::{Line, Place, SectionKind};
use super::text::text;
use super::{Span, Text, View};
use crate::manifest::Loaded;
use crate::manifest::diagnostic::{At, Code, Diagnostic, Severity, Sources};
use crate::model::Target;

pub fn check(loaded: &Loaded) -> View<'_> {
    let desired = &loaded.desired;
    let found = tally(&loaded.diagnostics);
    let (heading, verdict) = if loaded.is_valid() {
        let rooms = Count(desired.rooms.len(), "room");
        let members = Count(desired.memberships(), "membership");
        let separator = if found.is_empty() { "" } else { ", " };
        let verdict = format!("valid: {rooms}, {members}{separator}{found}");
        ("The manifest is valid", verdict)
    } else {
        ("The manifest is invalid", format!("invalid: {found}"))
    };
    let mut view = View::new("check", None, heading.into(), verdict);
    view.add_diagnostics(loaded);
    view
}

/// Creates the view of invalid manifests. They have no plan or diff to show.
pub fn invalid<'a>(loaded: &[&'a Loaded], verb: &'a str, target: Option<&'a Target>) -> View<'a> {
    let heading = Span::words(format!("No {verb}: the manifest is invalid")).into();
    let found = tally(loaded.iter().flat_map(|it| &it.diagnostics));
    let mut view = View::new(verb, target, heading, format!("invalid: {found}"));
    loaded
        .iter()
        .for_each(|loaded| view.add_diagnostics(loaded));
    view
}

/// Creates the view of a failed run: its reason, and hints.
pub fn failed<'a>(
    verb: &'a str,
    target: Option<&'a Target>,
    reason: &str,
    hints: &'a [String],
) -> View<'a> {
    let heading = Span::words(format!("No {verb}: {reason}")).into();
    let mut view = View::new(verb, target, heading, String::new());
    let hints = hints.iter();
    let hints = hints.map(|hint| Line::new(Span::Message(hint.into()).into()));
    view.add(SectionKind::Remedies, hints);
    view
}

/// Counts diagnostics by severity, for example `2 errors, 1 warning`.
pub fn tally<'a>(diagnostics: impl IntoIterator<Item = &'a Diagnostic>) -> String {
    let is_error = |it: &&Diagnostic| it.severity() == Severity::Error;
    let (errors, warnings): (Vec<_>, Vec<_>) = diagnostics.into_iter().partition(is_error);
    let counts = [(errors.len(), "error"), (warnings.len(), "warning")];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts = counts.map(|(count, noun)| Count(count, noun).to_string());
    counts.collect::<Vec<_>>().join(", ")
}

impl<'a> View<'a> {
    pub(super) fn add_diagnostics(&mut self, loaded: &'a Loaded) {
        for diagnostic in &loaded.diagnostics {
            let kind = match (diagnostic.severity(), diagnostic.code) {
                (Severity::Error, _) => SectionKind::Errors,
                (_, Code::LookAlike | Code::LookAlikeTitle) => SectionKind::LookAlikes,
                (Severity::Warning, _) => SectionKind::Warnings,
            };
            self.add(kind, [diagnostic_line(diagnostic, &loaded.sources)]);
        }
    }
}

fn diagnostic_line<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Line<'a> {
    let Diagnostic {
        code,
        message,
        at,
        path,
        related,
        hint,
    } = diagnostic;
    let whole_file = path.as_deref().map(|file| Place {
        file,
        ..Place::default()
    });
    let mut text = Text::from(Span::Message(message.into()));
    if let Some((at, label)) = related {
        let place = Span::Name(find_place(*at, sources).raw().into());
        text.push(text!(" ({}: {})", Span::Message(label.into()), place));
    }
    Line {
        label: Some(format!("{} {}", code.id(), code.name()).into()),
        place: at.map(|at| find_place(at, sources)).or(whole_file),
        hint: hint.as_deref(),
        ..Line::new(text)
    }
}

fn find_place(at: At, sources: &Sources) -> Place<'_> {
    let (file, place) = sources.name_and_position(at);
    Place {
        file,
        line: Some(place.line),
        column: Some(place.column),
    }
}
