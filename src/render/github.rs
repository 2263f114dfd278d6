//! Writes views as GitHub annotations: workflow commands that attach a message to a line of a file.
//!
//! GitHub shows at most ten annotations of each level for a step, so no more are printed. The most
//! dangerous ones come first, and the last one has the figures.

use std::fmt::Write;

use super::escape::{annotation, annotation_property, brief, terminal};
use super::sheet::{name_sheet, path_of};
use crate::error::Error;
use crate::view::{Count, Level, Line, SectionKind, Span, Text, View};

/// Maximum number of annotations of one level that GitHub shows for a step.
const SHOWN: usize = 10;

/// Returns a view as annotations.
pub fn write(view: &View<'_>) -> String {
    let mut text = String::new();
    let mut more = Vec::new();
    for (level, noun, shown) in [
        (Level::Error, "error", SHOWN),
        (Level::Warning, "warning", SHOWN),
        (Level::Notice, "notice", SHOWN - 1),
    ] {
        let of_level = || view.sections.values().filter(|it| it.kind.level() == level);
        let lines = of_level().flat_map(|section| {
            let lines = view.lines(section);
            lines.map(|line| annotate(noun, section.kind, &line))
        });
        text.extend(lines.take(shown));
        let count: usize = of_level().map(|section| section.count()).sum();
        if let left @ 1.. = count.saturating_sub(shown) {
            more.push(Count(left, noun).to_string());
        }
    }
    let remedies = view.sections.get(&SectionKind::Remedies).into_iter();
    let remedies = remedies.flat_map(|section| &section.lines);
    let remedies = remedies.map(|line| format!("; {}", sentence(&line.text)));
    let verdict = view.verdict.clone() + &remedies.collect::<String>();
    let left_out = (!more.is_empty()).then(|| format!("not shown here: {}", more.join(", ")));
    let title = format!("roomform {}", view.verb);
    text + &command("notice", "", &title, &verdict, left_out.as_deref())
}

/// Returns the annotation for a failed run.
pub fn failure(error: &Error, verb: &str) -> String {
    let title = format!("roomform {verb}: {}", error.exit.name());
    let hints = (!error.hints.is_empty()).then(|| error.hints.join("; "));
    command("error", "", &title, &error.chain(), hints.as_deref())
}

fn annotate(level: &str, kind: SectionKind, line: &Line<'_>) -> String {
    let name = kind.name().to_lowercase();
    let title = line.label.as_deref().unwrap_or(&name);
    let mut message = sentence(&line.sentence());
    let mut place = String::new();
    if let Some(at) = &line.place {
        let path = path_of(at.file);
        let file = annotation_property(path);
        let _ = write!(place, "file={file},line={},", at.line.unwrap_or(1));
        if let Some(column) = at.column.filter(|_| path == at.file) {
            let _ = write!(place, "col={column},");
        }
        if at.line.is_none() {
            message = format!("{}: {message}", at.file);
        }
        message = name_sheet(at.file, message);
    }
    command(level, &place, title, &message, line.hint)
}

/// Formats a workflow command. `place` is already escaped.
fn command(level: &str, place: &str, title: &str, message: &str, hint: Option<&str>) -> String {
    let (title, message) = (annotation_property(title), annotation(message));
    let hint = hint.map(|hint| format!("%0A{}", annotation(hint)));
    let hint = hint.unwrap_or_default();
    format!("::{level} {place}title={title}::{message}{hint}\n")
}

/// Joins the parts of a sentence. [`command`] escapes the result.
fn sentence(text: &Text<'_>) -> String {
    text.write(|span| match span {
        Span::Words(words) => words.to_string(),
        Span::Name(text) => format!("`{}`", brief(text)),
        Span::Title(text) | Span::Said(text) => format!("`{}`", brief(text)),
        Span::Ids(ids) | Span::Members(ids) => format!("`{}`", terminal(ids)),
        Span::Message(message) => message.to_string(),
    })
}
