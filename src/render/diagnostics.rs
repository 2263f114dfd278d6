//! Mistakes in a manifest, drawn: the line, a caret, the words, the remedy.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::escape::terminal;
use super::paint::Paint;
use super::words::Count;
use crate::manifest::diagnostic::{At, Diagnostic, Severity, Sources};

/// Mistakes drawn in full; the rest is only counted.
const DRAWN: usize = 200;
/// Characters of a line shown around its caret.
const AROUND: usize = 90;

/// All mistakes, each with its excerpt, and a last line that counts them. Empty if there are none.
pub fn draw(diagnostics: &[Diagnostic], sources: &Sources, paint: Paint) -> String {
    let renderer = if paint == Paint::Colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    for diagnostic in diagnostics.iter().take(DRAWN) {
        text.push_str(&renderer.render(&[group(diagnostic, sources)]));
        text.push_str("\n\n");
    }
    if !diagnostics.is_empty() {
        text.push_str(&tally(diagnostics));
        text.push('\n');
    }
    text
}

fn tally(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity() == Severity::Error)
        .count();
    let left_out = match diagnostics.len().saturating_sub(DRAWN) {
        0 => String::new(),
        more => format!("; {more} of them not shown"),
    };
    match (errors, diagnostics.len() - errors) {
        (0, warnings) => format!("{}{left_out}", Count(warnings, "warning")),
        (errors, 0) => format!(
            "the manifest is invalid: {}{left_out}",
            Count(errors, "error")
        ),
        (errors, warnings) => {
            format!(
                "the manifest is invalid: {}, {}{left_out}",
                Count(errors, "error"),
                Count(warnings, "warning")
            )
        }
    }
}

fn group<'a>(diagnostic: &Diagnostic, sources: &Sources) -> Group<'a> {
    let level = match diagnostic.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = match &diagnostic.path {
        Some(path) if !path.is_empty() => {
            format!("{}: {}", terminal(path), terminal(&diagnostic.message))
        }
        _ => terminal(&diagnostic.message),
    };
    let id = format!("{} {}", diagnostic.code.id(), diagnostic.code.name());
    let mut group = level
        .primary_title(message)
        .id(id)
        .elements(None::<Snippet<'_, Annotation<'_>>>);
    if let Some(at) = diagnostic.at {
        group = excerpt_at(group, at, sources, AnnotationKind::Primary, None);
    }
    if let Some((at, label)) = &diagnostic.related {
        let label = Some(terminal(label));
        group = excerpt_at(group, *at, sources, AnnotationKind::Context, label);
    }
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.message(terminal(hint)));
    }
    group
}

/// The line of a place with a mark under the thing there. Where the excerpt is cut or spelled out its columns are not the
/// file's, and the place is said apart from it.
fn excerpt_at<'a>(
    group: Group<'a>,
    at: At,
    sources: &Sources,
    kind: AnnotationKind,
    label: Option<String>,
) -> Group<'a> {
    let place = sources.locate(at);
    let (line, column) = (place.line as usize, place.column as usize);
    let file = sources.file(at.file);
    let name = file.map(|file| terminal(&file.name)).unwrap_or_default();
    let (text, span) = excerpt(
        file.map(|file| file.text.as_str()).unwrap_or_default(),
        at.offset as usize,
    );
    let same_columns = text[..span.start].chars().count() + 1 == column;
    let mark = kind.span(span);
    let mark = match label {
        Some(label) => mark.label(label),
        None => mark,
    };
    let snippet = Snippet::source(text).line_start(line).annotation(mark);
    if same_columns {
        group.element(snippet.path(name))
    } else {
        group
            .element(Origin::path(name).line(line).char_column(column))
            .element(snippet)
    }
}

/// The line of a byte, cut around it if it is long and neutralised, and where in it the thing at the byte stands.
fn excerpt(text: &str, offset: usize) -> (String, Range<usize>) {
    let offset = floor(text, offset);
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let end = text[offset..]
        .find('\n')
        .map_or(text.len(), |length| offset + length);
    let line_end = text[offset..end].trim_end_matches('\r').len() + offset;
    let before: String = last_chars(&text[start..offset], AROUND);
    let thing = &text[offset..offset + token(&text[offset..line_end])];
    let thing: String = thing.chars().take(AROUND).collect();
    let after: String = text[offset + thing.len()..line_end]
        .chars()
        .take(AROUND)
        .collect();
    let [before, thing, after] =
        [before, thing, after].map(|part| terminal(&part.replace('\t', " ")));
    let span = before.len()..before.len() + thing.len();
    (format!("{before}{thing}{after}"), span)
}

fn floor(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or_default()
}

fn last_chars(text: &str, most: usize) -> String {
    let from = text
        .char_indices()
        .rev()
        .nth(most.saturating_sub(1))
        .map_or(0, |(at, _)| at);
    text[from..].to_owned()
}

/// How long the YAML word, quoted text or sign at the start of a text is, in bytes; at least one character.
fn token(text: &str) -> usize {
    let first = text.chars().next().map_or(0, char::len_utf8);
    let quoted = |quote: char| {
        text[first..]
            .find(quote)
            .map_or(text.len(), |end| first + end + 1)
    };
    match text.chars().next() {
        Some('"') => quoted('"'),
        Some('\'') => quoted('\''),
        Some('[' | '{' | ']' | '}' | ',') => first,
        Some('-') if text[first..].starts_with(' ') => first,
        _ => {
            let end = text.find([',', ']', '}', '#', '\t']).unwrap_or(text.len());
            let end = text[..end].find(": ").unwrap_or(end);
            let word = text[..end].trim_end().trim_end_matches(':');
            word.len().max(first)
        }
    }
}
