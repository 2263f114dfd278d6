//! Detects texts that look the same but differ: in case, in normal form, or in letters that look
//! alike.

use std::sync::OnceLock;

use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

use super::few;

/// Maximum number of differences that are listed for two texts.
const MOST_SHOWN: usize = 3;
/// Maximum number of code points that are listed for each side of a difference.
const POINTS: usize = 4;

/// Returns a key that is equal for texts that people cannot tell apart. It is also equal for most
/// texts that a server may treat as equal.
pub fn looks(text: &str) -> String {
    if !text.chars().all(is_standalone_sign) {
        return find_shape(text);
    }
    let mut shape = String::with_capacity(text.len());
    text.chars()
        .for_each(|sign| shape.push_str(shape_of_sign(sign)));
    shape
}

/// The end of the range that the lookup table covers.
const BEYOND: usize = 0x500;

/// Whether a character has the same shape whatever is next to it. This is true for Latin, Greek
/// and Cyrillic letters, except combining marks and sigma. Sigma has a different form at the
/// end of a word.
fn is_standalone_sign(sign: char) -> bool {
    let depends = matches!(sign, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | 'Σ' | 'σ' | 'ς');
    (sign as usize) < BEYOND && !depends
}

/// Looks up a standalone character in a table whose entries are computed once, because inputs have
/// hundreds of thousands of texts.
fn shape_of_sign(sign: char) -> &'static str {
    static SHAPES: [OnceLock<Box<str>>; BEYOND] = [const { OnceLock::new() }; BEYOND];
    let shape = SHAPES.get(sign as usize);
    shape.map_or("", |shape| {
        shape.get_or_init(|| find_shape(sign.encode_utf8(&mut [0; 4])).into())
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
    few(Vec::from_iter(differ).iter(), MOST_SHOWN)
}

fn points(text: &[char]) -> String {
    match text {
        [] => "nothing".to_owned(),
        text => few(text.iter().map(|c| point(*c)), POINTS).replace(", ", " "),
    }
}

fn point(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

#[cfg(test)]
mod tests {
    use super::{difference, find_shape, looks};

    #[test]
    fn the_short_way_is_the_long_way() {
        let signs = || (0..128).map(char::from);
        for text in signs().flat_map(|a| signs().map(move |b| format!("{a}{b}x"))) {
            assert_eq!(looks(&text), find_shape(&text), "{text:?}");
        }
        // Neighbours can matter only for combining marks, so a few contexts are enough.
        for sign in (0..0x600).filter_map(char::from_u32) {
            for text in [
                format!("{sign}"),
                format!("a{sign}x{sign}й"),
                format!("İ{sign}{sign}'ΐ"),
            ] {
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
