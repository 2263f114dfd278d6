//! Pipes and titles that differ, but not for people: by case, normal form, or letters that look alike; with the code points.

use std::collections::{HashMap, HashSet};

use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

use super::diagnostic::{At, Code, Diagnostic, Problems};
use super::fields::clip;

/// Differences told of one pair.
const TOLD: usize = 3;
/// Code points told of one side of a difference.
const POINTS: usize = 4;

/// Warns of pipes that look alike, in the order of their places.
pub(super) fn pipes<'a>(pipes: impl Iterator<Item = (&'a str, At)>, problems: &mut Problems) {
    let hint = "a server that folds case or letters would merge the two rooms";
    look_alikes(pipes, Code::LookAlike, hint, problems);
}

/// Warns of titles that look alike, and are not the same: two rooms may have one title.
pub(super) fn titles<'a>(titles: impl Iterator<Item = (&'a str, At)>, problems: &mut Problems) {
    let hint = "people cannot tell the two rooms apart; write both titles alike, or one otherwise";
    look_alikes(titles, Code::LookAlikeTitle, hint, problems);
}

fn look_alikes<'a>(
    texts: impl Iterator<Item = (&'a str, At)>,
    code: Code,
    hint: &str,
    problems: &mut Problems,
) {
    let mut known: HashSet<&str> = HashSet::new();
    let mut seen: HashMap<String, (&str, At)> = HashMap::new();
    for (text, at) in texts {
        if !known.insert(text) {
            continue;
        }
        let folded = text.nfkc().collect::<String>().to_lowercase();
        let looks: String = skeleton(&folded).collect();
        let Some((other, first)) = seen.get(&looks) else {
            seen.insert(looks, (text, at));
            continue;
        };
        let (shown, like) = (clip(text), clip(other));
        let points = difference(text, other);
        let message = format!("`{shown}` looks like `{like}`: {points}");
        let diagnostic = Diagnostic::at(code, at, message).related(*first, "the other one");
        problems.push(diagnostic.hint(hint));
    }
}

/// Where two texts differ, as code points: `U+0430 for U+0061`.
fn difference(text: &str, other: &str) -> String {
    let (text, other): (Vec<char>, Vec<char>) = (text.chars().collect(), other.chars().collect());
    let pairs = || text.iter().zip(&other);
    let start = pairs().take_while(|(a, b)| a == b).count();
    let ends = text[start..].iter().rev().zip(other[start..].iter().rev());
    let end = ends.take_while(|(a, b)| a == b).count();
    let (one, two) = (
        &text[start..text.len() - end],
        &other[start..other.len() - end],
    );
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
    use super::difference;

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
