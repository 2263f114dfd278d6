//! Texts that differ, but not for people: by case, normal form, or letters that look alike; and where they differ.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

/// Differences told of one pair.
const TOLD: usize = 3;
/// Code points told of one side of a difference.
const POINTS: usize = 4;

/// What a text looks like: the same for all that people cannot tell apart, and for most that a server folds.
pub fn looks(text: &str) -> String {
    if text.is_ascii() {
        return text.bytes().flat_map(ascii).collect();
    }
    any(text)
}

/// What a sign of ASCII looks like, found out once: lists have pipes by the hundred thousand.
fn ascii(sign: u8) -> std::str::Chars<'static> {
    static SHAPES: LazyLock<Vec<String>> = LazyLock::new(|| {
        (0..128)
            .map(|sign: u8| any(&char::from(sign).to_string()))
            .collect()
    });
    let shape = SHAPES.get(usize::from(sign));
    shape.map(String::as_str).unwrap_or_default().chars()
}

fn any(text: &str) -> String {
    let folded = text.nfkc().collect::<String>().to_lowercase();
    skeleton(&folded).collect()
}

/// Where two texts differ, as code points: `U+0430 for U+0061`.
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
    let differ: Vec<String> = one
        .iter()
        .zip(two)
        .filter(|(a, b)| a != b)
        .map(|(a, b)| format!("{} for {}", point(*a), point(*b)))
        .collect();
    let told = differ.iter().take(TOLD).cloned().collect::<Vec<_>>();
    match differ.len().saturating_sub(TOLD) {
        0 => told.join(", "),
        more => format!("{}, and {more} more", told.join(", ")),
    }
}

fn points(text: &[char]) -> String {
    let told: Vec<String> = text.iter().take(POINTS).map(|c| point(*c)).collect();
    match text.len().saturating_sub(POINTS) {
        _ if text.is_empty() => "nothing".to_owned(),
        0 => told.join(" "),
        more => format!("{} and {more} more", told.join(" ")),
    }
}

fn point(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

#[cfg(test)]
mod tests {
    use super::{any, difference, looks};

    #[test]
    fn the_short_way_for_ascii_is_the_long_way() {
        let signs = || (0..128).map(char::from);
        for text in signs().flat_map(|a| signs().map(move |b| format!("{a}{b}x"))) {
            assert_eq!(looks(&text), any(&text), "{text:?}");
        }
    }

    #[test]
    fn the_code_points_that_differ_are_told() {
        let cases = [
            ("аdmin", "admin", "U+0430 for U+0061"),
            (
                "TEAM",
                "team",
                "U+0054 for U+0074, U+0045 for U+0065, U+0041 for U+0061, and 1 more",
            ),
            ("cafe\u{301}", "café", "U+0065 U+0301 for U+00E9"),
            ("ad\u{200b}min", "admin", "U+200B for nothing"),
            (
                "rnrnrn",
                "mmm",
                "U+0072 U+006E U+0072 U+006E and 2 more for U+006D U+006D U+006D",
            ),
        ];
        for (text, other, told) in cases {
            assert_eq!(difference(text, other), told);
        }
    }
}
