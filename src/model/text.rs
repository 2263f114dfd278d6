//! Text helpers: counts with nouns, shortened lists, Unicode normal form, hidden characters, and
//! texts that look the same but differ.

use std::fmt;
use std::sync::OnceLock;

use unicode_normalization::{UnicodeNormalization, is_nfc};
use unicode_security::skeleton;

/// Maximum number of differences that are listed for two texts.
const MOST_DIFFERENCES: usize = 3;
/// Maximum number of code points that are listed for each side of a difference.
const MOST_POINTS: usize = 4;
/// The end of the range of characters that the table of shapes covers.
const TABLE_END: usize = 0x500;

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

/// Returns a key that is equal for texts that people cannot tell apart. It is also equal for most
/// texts that a server may treat as equal.
pub fn looks(text: &str) -> String {
    if !text.chars().all(is_standalone_char) {
        return find_shape(text);
    }
    let mut shape = String::with_capacity(text.len());
    text.chars().for_each(|c| shape.push_str(shape_of_char(c)));
    shape
}

/// Whether a character has the same shape whatever is next to it. This is true for Latin, Greek
/// and Cyrillic letters, except combining marks and sigma. Sigma has a different form at the
/// end of a word.
fn is_standalone_char(c: char) -> bool {
    let depends = matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | 'Σ' | 'σ' | 'ς');
    (c as usize) < TABLE_END && !depends
}

/// Looks up a standalone character in a table whose entries are computed once, because inputs have
/// hundreds of thousands of texts.
fn shape_of_char(c: char) -> &'static str {
    static SHAPES: [OnceLock<Box<str>>; TABLE_END] = [const { OnceLock::new() }; TABLE_END];
    let shape = SHAPES.get(c as usize);
    shape.map_or("", |shape| {
        shape.get_or_init(|| find_shape(c.encode_utf8(&mut [0; 4])).into())
    })
}

fn find_shape(text: &str) -> String {
    let folded = text.nfkc().collect::<String>().to_lowercase();
    skeleton(&folded).collect()
}

/// Describes where two texts differ, as code points: `U+0430 for U+0061`.
pub fn difference(text: &str, other: &str) -> String {
    let (text, other): (Vec<char>, Vec<char>) = (text.chars().collect(), other.chars().collect());
    let pairs = text.iter().zip(&other);
    let start = pairs.take_while(|(a, b)| a == b).count();
    let [one, two] = [&text, &other].map(|text| text.get(start..).unwrap_or_default());
    let ends = one.iter().rev().zip(two.iter().rev());
    let end = ends.take_while(|(a, b)| a == b).count();
    let [one, two] = [one, two].map(|text| text.get(..text.len() - end).unwrap_or_default());
    if one.len() != two.len() {
        return format!("{} for {}", points(one), points(two));
    }
    let differ = one.iter().zip(two).filter(|(a, b)| a != b);
    let differ = differ.map(|(a, b)| format!("{} for {}", point(*a), point(*b)));
    few(Vec::from_iter(differ).iter(), MOST_DIFFERENCES)
}

fn points(text: &[char]) -> String {
    match text {
        [] => "nothing".to_owned(),
        text => few(text.iter().map(|c| point(*c)), MOST_POINTS).replace(", ", " "),
    }
}

fn point(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

#[cfg(test)]
mod tests {
    use super::{difference, find_shape, looks};

    #[test]
    fn the_table_gives_the_same_keys_as_the_full_algorithm() {
        let chars = || (0..128).map(char::from);
        for text in chars().flat_map(|a| chars().map(move |b| format!("{a}{b}x"))) {
            assert_eq!(looks(&text), find_shape(&text), "{text:?}");
        }
        // Neighbours can matter only for combining marks, so a few contexts are enough.
        for c in (0..0x600).filter_map(char::from_u32) {
            for text in [format!("{c}"), format!("a{c}x{c}й"), format!("İ{c}{c}'ΐ")] {
                assert_eq!(looks(&text), find_shape(&text), "{text:?}");
            }
        }
    }

    #[test]
    fn the_code_points_that_differ_are_listed() {
        let cases = [
            ("аdmin", "admin", "U+0430 for U+0061"),
            (
                "TEAM",
                "team",
                "U+0054 for U+0074, U+0045 for U+0065, U+0041 for U+0061 … 1 more",
            ),
            ("cafe\u{301}", "café", "U+0065 U+0301 for U+00E9"),
            ("ad\u{200b}min", "admin", "U+200B for nothing"),
            (
                "rnrnrn",
                "mmm",
                "U+0072 U+006E U+0072 U+006E … 2 more for U+006D U+006D U+006D",
            ),
        ];
        for (text, other, shown) in cases {
            assert_eq!(difference(text, other), shown);
        }
    }
}
