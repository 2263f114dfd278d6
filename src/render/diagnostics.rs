//! Formats the diagnostics of a manifest. Each shows the line, a mark, the message and the hint.

use std::fmt::Write;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::escape::terminal;
use super::paint::Paint;
use crate::manifest::diagnostic::{At, Diagnostic, Severity, Sources};
use crate::view::tally;

/// Maximum number of diagnostics that are shown. The others are only counted.
const DRAWN: usize = 200;
/// Maximum number of characters that the renderer gets on each side of the mark. The renderer
/// cuts the line to the width of the screen.
const AROUND: usize = 1000;
/// Maximum number of characters that are marked.
const MARKED: usize = 90;

/// Formats the diagnostics, each with an excerpt, and a last line with their total number.
/// Returns an empty text if there are none.
pub fn draw(diagnostics: &[Diagnostic], sources: &Sources, paint: Paint) -> String {
    let renderer = match paint {
        Paint::Colour => Renderer::styled(),
        Paint::Plain => Renderer::plain(),
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    for diagnostic in diagnostics.iter().take(DRAWN) {
        let drawn = renderer.render(&[group(diagnostic, sources)]);
        for line in drawn.lines().filter(|line| !is_nameless(line)) {
            // Escaping breaks up each `##`, but the renderer may put the two `#` next to each other
            // again.
            text.push_str(&line.replace("##", "#\\u{23}"));
            text.push('\n');
        }
        text.push('\n');
    }
    if diagnostics.is_empty() {
        return text;
    }
    let mut severities = diagnostics.iter().map(Diagnostic::severity);
    let verdict = match severities.any(|severity| severity == Severity::Error) {
        true => "the manifest is invalid: ",
        false => "",
    };
    let more = match diagnostics.len().saturating_sub(DRAWN) {
        0 => String::new(),
        more => format!("; {more} of them not shown"),
    };
    let _ = writeln!(text, "{verdict}{}{more}", tally(diagnostics));
    text
}

/// Returns whether a line is the header of an excerpt without a file name. Such a header is
/// redundant, because the position is printed separately.
fn is_nameless(line: &str) -> bool {
    anstream::adapter::strip_str(line).to_string().trim() == ":::"
}

fn group<'a>(diagnostic: &Diagnostic, sources: &Sources) -> Group<'a> {
    let level = match diagnostic.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = match &diagnostic.path {
        Some(path) => format!("{}: {}", terminal(path), terminal(&diagnostic.message)),
        None => terminal(&diagnostic.message),
    };
    let id = format!("{} {}", diagnostic.code.id(), diagnostic.code.name());
    let mut group = level
        .primary_title(message)
        .id(id)
        .elements(None::<Snippet<'_, Annotation<'_>>>);
    if let Some(at) = diagnostic.at {
        group = add_excerpt(group, at, sources, AnnotationKind::Primary, None);
    }
    if let Some((at, label)) = &diagnostic.related {
        let label = Some(terminal(label));
        group = add_excerpt(group, *at, sources, AnnotationKind::Context, label);
    }
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.message(terminal(hint)));
    }
    group
}

/// Adds the line at a position, with a mark below the token. If the line is cut or contains
/// escapes, the columns differ from those in the file, so the position is printed separately.
fn add_excerpt<'a>(
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
    let (text, span) = cut_excerpt(
        file.map(|file| file.text.as_str()).unwrap_or_default(),
        at.offset as usize,
        if is_yaml(&name) { token_len } else { cell_len },
    );
    let before = text.get(..span.start).unwrap_or_default();
    let same_columns = before.chars().count() + 1 == column;
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

/// Returns the line at a byte offset, escaped and cut to fit, and the range of the token in the
/// result.
fn cut_excerpt(text: &str, offset: usize, length: fn(&str) -> usize) -> (String, Range<usize>) {
    let mut offsets = (0..=offset.min(text.len())).rev();
    let split = offsets.find_map(|offset| text.split_at_checked(offset));
    let (above, below) = split.unwrap_or((text, ""));
    let ends = ['\n', '\r'];
    // If the offset is at the LF of a CR LF, the CR belongs to the same line.
    let inside = match below.starts_with('\n') {
        true => above.trim_end_matches('\r'),
        false => above,
    };
    let start = inside.rfind(ends).map_or(0, |at| at + 1);
    let before = above.get(start..).unwrap_or_default();
    let cut = before.char_indices().rev().nth(AROUND - 1);
    let before = before
        .get(cut.map_or(0, |(at, _)| at)..)
        .unwrap_or_default();
    let line = below.split(ends).next().unwrap_or_default();
    let ahead: String = line.chars().take(MARKED).collect();
    let thing = ahead.get(..length(&ahead)).unwrap_or(&ahead);
    let after = line.get(thing.len()..).unwrap_or_default();
    let after: String = after.chars().take(AROUND).collect();
    let [before, thing, after] =
        [before, thing, &after].map(|part| terminal(&part.replace('\t', " ")));
    let span = before.len()..before.len() + thing.len();
    (format!("{before}{thing}{after}"), span)
}

/// Returns whether a file is a manifest, by the end of its name. All other files are tables,
/// such as rosters.
fn is_yaml(name: &str) -> bool {
    let ending = name.rsplit('.').next().unwrap_or_default();
    ["yaml", "yml", "json"].contains(&ending)
}

/// Returns the length in bytes of the cell at the start of a text, including its quotes. The
/// result is at least the length of the first character.
fn cell_len(text: &str) -> usize {
    let first = text.chars().next().map_or(0, char::len_utf8);
    let quoted = text
        .starts_with('"')
        .then(|| quoted_len(text, true))
        .flatten();
    let cell = text.split([',', ';', '\t', '|']).next().unwrap_or_default();
    quoted.unwrap_or(cell.trim_end().len().max(first))
}

/// Returns the length in bytes of the YAML word, quoted text or sign at the start of a text.
/// The result is at least the length of the first character.
fn token_len(text: &str) -> usize {
    let first = text.chars().next().map_or(0, char::len_utf8);
    match text.chars().next() {
        Some(quote @ ('"' | '\'')) => quoted_len(text, quote == '\'').unwrap_or(text.len()),
        Some('[' | '{' | ']' | '}' | ',' | '#') => first,
        Some('-') if text.starts_with("- ") => first,
        _ => {
            let word = text.split([',', ']', '}', '\t']).next();
            let word = [" #", ": "]
                .iter()
                .fold(word, |word, stop| word?.split(stop).next());
            let word = word.unwrap_or_default().trim_end();
            word.trim_end_matches(':').len().max(first)
        }
    }
}

/// Returns the length of the quoted text at the start, including its quotes. If `doubles` is
/// true, a doubled quote is part of the text. Otherwise, a quote after a backslash is part of
/// the text.
fn quoted_len(text: &str, doubles: bool) -> Option<usize> {
    let mut rest = text.char_indices().peekable();
    let (_, quote) = rest.next()?;
    while let Some((at, c)) = rest.next() {
        match c {
            '\\' if !doubles => drop(rest.next()),
            _ if c != quote => {}
            _ if doubles && rest.next_if(|(_, next)| *next == quote).is_some() => {}
            _ => return Some(at + c.len_utf8()),
        }
    }
    None
}
