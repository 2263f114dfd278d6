//! What was found in a manifest, as lines and as a view of its own.

use super::findings::notes;
use super::grammar::Count;
use super::section::{Line, Place, Section, SectionKind};
use super::text::text;
use super::{Span, Text, View};
use crate::manifest::Loaded;
use crate::manifest::diagnostic::{At, Code, Diagnostic, Severity, Sources};
use crate::model::Target;
use crate::plan::Note;

/// What `check` found.
pub fn check(loaded: &Loaded) -> View<'_> {
    let desired = &loaded.desired;
    let (heading, verdict) = if loaded.is_valid() {
        let rooms = Count(desired.rooms.len(), "room");
        let members = Count(desired.memberships(), "membership");
        let warned = warned(&[loaded]);
        let verdict = format!("valid: {rooms}, {members}{warned}");
        ("The manifest is valid", verdict)
    } else {
        ("The manifest is invalid", tally(&[loaded]))
    };
    let view = View::new("check", None, heading.into(), verdict);
    view.with_sections(sections(&[loaded]))
}

/// Why there is no plan or diff: a manifest is invalid.
pub fn invalid<'a>(loaded: &[&'a Loaded], verb: &'a str, target: Option<&'a Target>) -> View<'a> {
    let heading = Span::words(format!("No {verb}: the manifest is invalid")).into();
    View::new(verb, target, heading, tally(loaded)).with_sections(sections(loaded))
}

fn sections<'a>(loaded: &[&'a Loaded]) -> Vec<Section<'a>> {
    [
        SectionKind::Errors,
        SectionKind::LookAlikes,
        SectionKind::Warnings,
    ]
    .map(|kind| Section::new(kind, loaded.iter().flat_map(|it| lines(kind, it))))
    .into()
}

fn tally(loaded: &[&Loaded]) -> String {
    let errors = Count(count(loaded, Severity::Error), "error");
    format!("invalid: {errors}{}", warned(loaded))
}

/// `, 2 warnings`, if there are any.
fn warned(loaded: &[&Loaded]) -> String {
    match count(loaded, Severity::Warning) {
        0 => String::new(),
        warnings => format!(", {}", Count(warnings, "warning")),
    }
}

fn count(loaded: &[&Loaded], severity: Severity) -> usize {
    let all = loaded.iter().flat_map(|it| &it.diagnostics);
    all.filter(|it| it.severity() == severity).count()
}

/// Names that people cannot tell apart, in the manifest or in the list.
pub(super) fn look_alikes<'a>(loaded: &'a Loaded, live: &'a [Note]) -> Section<'a> {
    let kind = SectionKind::LookAlikes;
    let mut section = notes(kind, live);
    section.lines.splice(0..0, lines(kind, loaded));
    section
}

/// The other warnings.
pub(super) fn warnings(loaded: &Loaded) -> Section<'_> {
    let kind = SectionKind::Warnings;
    Section::new(kind, lines(kind, loaded))
}

fn lines(kind: SectionKind, loaded: &Loaded) -> impl Iterator<Item = Line<'_>> {
    let section = |it: &Diagnostic| match (it.severity(), it.code) {
        (Severity::Error, _) => SectionKind::Errors,
        (_, Code::LookAlike | Code::LookAlikeTitle) => SectionKind::LookAlikes,
        (Severity::Warning, _) => SectionKind::Warnings,
    };
    let of_kind = loaded
        .diagnostics
        .iter()
        .filter(move |it| section(it) == kind);
    of_kind.map(|it| line(it, &loaded.sources))
}

fn line<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Line<'a> {
    let Diagnostic {
        code,
        message,
        at,
        path,
        related,
        hint,
    } = diagnostic;
    let whole_file = path.as_deref().filter(|path| !path.is_empty());
    let whole_file = whole_file.map(|file| Place {
        file,
        line: None,
        column: None,
    });
    let mut text = Text::from(Span::Message(message.into()));
    if let Some((at, label)) = related {
        let place = Span::Name(place(*at, sources).raw().into());
        text.push(text!(" ({}: {})", Span::Message(label.into()), place));
    }
    Line {
        label: Some(format!("{} {}", code.id(), code.name()).into()),
        place: at.map(|at| place(at, sources)).or(whole_file),
        hint: hint.as_deref(),
        ..Line::new(text)
    }
}

fn place(at: At, sources: &Sources) -> Place<'_> {
    let (file, place) = sources.name_and_position(at);
    Place {
        file,
        line: Some(place.line),
        column: Some(place.column),
    }
}
