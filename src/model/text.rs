//! Text helpers: counts with nouns, shortened lists, Unicode normal form, and hidden characters.

use std::fmt;

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// A number with its noun: `1 room`, `2 rooms`.
#[derive(Debug, Clone, Copy)]
pub struct Count<'a>(pub usize, pub &'a str);

impl fmt::Display for Count<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, noun) = self;
        let ending = if *count == 1 { "" } else { "s" };
        write!(f, "{count} {noun}{ending}")
    }
}

/// Lists the first items, separated by commas, and the number of the others.
pub fn few<T: fmt::Display>(items: impl ExactSizeIterator<Item = T>, most: usize) -> String {
    let more = items.len().saturating_sub(most);
    let shown: Vec<String> = items.take(most).map(|item| item.to_string()).collect();
    match more {
        0 => shown.join(", "),
        more => format!("{} … {more} more", shown.join(", ")),
    }
}

/// Converts a text to Unicode normal form C.
pub fn nfc(text: &str) -> String {
    if is_nfc(text) {
        text.to_owned()
    } else {
        text.nfc().collect()
    }
}

/// Whether a character is invisible or changes how other characters are displayed. Such characters
/// are control characters, zero-width and direction marks, fillers, and tags.
pub fn is_hidden(c: char) -> bool {
    let mark = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}');
    mark || c.is_control()
}

/// Appends a text to `safe`. `spell` writes each character that must not be printed as it is. Such
/// characters are the hidden ones, and one character of each command that a CI job's log would
/// obey. These commands are `##` anywhere, and `::`, `section_start:` and `section_end:` at the
/// start or after white space.
pub fn spell_unsafe(safe: &mut String, text: &str, spell: fn(&mut String, char)) {
    let (mut before, mut start) = (' ', 0);
    for (at, c) in text.char_indices() {
        let begins = |command: &str| {
            let rest = text.get(at..).unwrap_or_default();
            before.is_whitespace() && rest.starts_with(command)
        };
        let is_unsafe = match c {
            '#' => before == '#',
            ':' => begins("::"),
            's' => begins("section_start:") || begins("section_end:"),
            ' '..='~' => false,
            c => is_hidden(c),
        };
        if is_unsafe {
            safe.push_str(text.get(start..at).unwrap_or_default());
            spell(safe, c);
            start = at + c.len_utf8();
        }
        before = c;
    }
    safe.push_str(text.get(start..).unwrap_or_default());
}
