//! Writes sentences as Markdown: roomform's own words as prose, and untrusted text as code.

use crate::render::escape::markdown;
use crate::view::{Detail, Line, SectionKind, Span, Text};

/// Maximum length of prose in bytes. A longer text is written as code, which is cut.
const WIDEST: usize = 1300;

/// Formats a line as an item: its position, label, message and hint.
pub(super) fn item(kind: SectionKind, line: &Line<'_>) -> String {
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

pub(super) fn write_text(text: &Text<'_>) -> String {
    text.write(|span| match span {
        Span::Words(words) => words.to_string(),
        Span::Message(message) => prose(message),
        value => markdown(value.raw()),
    })
}

/// Writes our words as prose, and the text between back-ticks as code. Untrusted text may contain
/// back-ticks too, so a part becomes prose only if it is certainly harmless.
pub(super) fn prose(text: &str) -> String {
    let text = text.trim_matches(' ');
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) || !starts_plainly(text) {
        return markdown(text);
    }
    let part = |(index, part): (usize, &&str)| match *part {
        "" => String::new(),
        part if index.is_multiple_of(2) && is_prose(part) => part.to_owned(),
        // Keep the spaces at both ends outside the code.
        part => {
            let rest = part.trim_start_matches(' ');
            let inner = rest.trim_end_matches(' ');
            let before = part.strip_suffix(rest).unwrap_or_default();
            let after = rest.strip_prefix(inner).unwrap_or_default();
            format!("{before}{}{after}", markdown(inner))
        }
    };
    let words: String = parts.iter().enumerate().map(part).collect();
    if words.len() > WIDEST {
        markdown(text)
    } else {
        words
    }
}

/// Returns whether a text at the start of a line would not become a list or a definition.
fn starts_plainly(text: &str) -> bool {
    let after = text.trim_start_matches(|c: char| c.is_ascii_digit());
    match after.chars().next() {
        Some(c) if after.len() < text.len() => c == ' ',
        Some('-') => after.starts_with("--"),
        Some(c) => c.is_ascii_alphabetic() || matches!(c, '`' | '"' | '('),
        None => false,
    }
}

/// Returns whether a text has only words and numbers, and nothing that a parser, a site or a bot
/// would interpret.
fn is_prose(text: &str) -> bool {
    let next = text.chars().skip(1).chain([' ']);
    let before = [' '].into_iter().chain(text.chars());
    let mut signs = before.zip(text.chars()).zip(next);
    let signs = signs.all(|((before, c), next)| match c {
        ' ' | ',' | ';' | '(' | ')' | '"' | '\'' | '…' | '→' | '·' | '–' => true,
        '.' | ':' | '%' | '?' => matches!(next, ' ' | ',' | ';' | ')'),
        '-' if before == ' ' => matches!(next, ' ' | '-') || next.is_ascii_alphabetic(),
        '-' if before.is_ascii_digit() => next.is_ascii_digit(),
        '-' => next.is_ascii_alphabetic() || next == '-',
        '_' if before == ' ' => next == ' ',
        '_' | '+' => before.is_ascii_alphanumeric() && next.is_ascii_alphanumeric(),
        _ => c.is_ascii_alphanumeric(),
    });
    signs
        && !text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(is_commit)
}

/// Returns whether a word could be a short commit id.
fn is_commit(word: &str) -> bool {
    word.len() >= 7 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_words_are_printed_as_text() {
        let shown = prose;
        assert_eq!(
            shown(
                "`a-b` would become public; allow it with --allow-publish or `limits.publish: 1`"
            ),
            "`a-b` would become public; allow it with --allow-publish or `limits.publish: 1`"
        );
        for hostile in [
            "see @channel",
            "fixes #12",
            "GH-12",
            "www.evil.example",
            "http://evil.example",
            "deadbeef1",
            "1234567",
            ":tada:",
            "!12",
            "~label",
            "%1",
            "%\"v 1\"",
            "&1",
            "$1",
            "/close",
            "a_b_",
            "_a",
            "GH-12 3-4",
            "*b*",
            "[x](y)",
            "<b>",
            "a|b",
            "\u{202e}x",
        ] {
            assert!(!is_prose(hostile), "{hostile}");
            assert!(shown(hostile).starts_with('`'), "{hostile}");
            let between = shown(&format!("one `a` {hostile} `b` two"));
            assert!(
                between.starts_with("one `a` `") && between.ends_with("` `b` two"),
                "{between}"
            );
        }
        assert_eq!(shown("an odd ` back-tick"), "`an odd \\u{60} back-tick`");
    }
}
