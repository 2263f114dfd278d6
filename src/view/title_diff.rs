//! Compares a title before and after a change: finds the changed words and, in long titles, the
//! part that differs.

use std::ops::Range;

use similar::{ChangeTag, TextDiff};

/// Maximum length in characters of a text that is shown as a whole.
const LONGEST: usize = 200;
/// Maximum length in characters of the part that differs, in the texts that [`both`] returns.
const LONGEST_PART: usize = 1000;
/// The number of equal characters to show on each side of the part that differs.
const AROUND: usize = 40;
/// Maximum length in characters of the note about omitted characters.
const LONGEST_MARK: usize = 20;

/// Compares two texts word by word. `mark` formats each word. Its first argument says whether
/// the word is in both texts, only in the first (deleted) or only in the second (inserted).
pub fn by_words(
    before: &str,
    after: &str,
    mark: impl Fn(ChangeTag, &str) -> String,
) -> [String; 2] {
    let diff = TextDiff::from_unicode_words(before, after);
    [ChangeTag::Delete, ChangeTag::Insert].map(|own| {
        let parts = diff
            .iter_all_changes()
            .filter(|part| part.tag() == own || part.tag() == ChangeTag::Equal);
        parts.map(|part| mark(part.tag(), part.value())).collect()
    })
}

/// Returns both texts. They are not escaped, so they are not safe to print. Short texts are
/// kept whole. Long texts are cut to the part that differs, with a count of the omitted
/// characters.
pub fn both(before: &str, after: &str) -> [String; 2] {
    differing(before, after, LONGEST_PART)
}

/// Like [`both`], but short enough that no writer cuts off the part that differs.
pub fn apart(before: &str, after: &str) -> [String; 2] {
    differing(before, after, LONGEST - 2 * LONGEST_MARK)
}

fn differing(before: &str, after: &str, longest: usize) -> [String; 2] {
    let texts = [before, after].map(|text| text.chars().collect::<Vec<char>>());
    if texts.iter().all(|text| text.len() <= LONGEST) {
        return [before, after].map(str::to_owned);
    }
    let [before, after] = &texts;
    let shorter = before.len().min(after.len());
    let pairs = before.iter().zip(after);
    let head = pairs.take_while(|(one, other)| one == other).count();
    let pairs = before.iter().rev().zip(after.iter().rev());
    let tail = pairs.take(shorter - head);
    let tail = tail.take_while(|(one, other)| one == other).count();
    [before, after].map(|text| part(text, head..text.len() - tail, longest))
}

/// Returns the part that differs, with some equal characters on both sides.
fn part(text: &[char], differs: Range<usize>, longest: usize) -> String {
    let from = differs.start.saturating_sub(AROUND);
    let to = (differs.end + AROUND).min(text.len()).min(from + longest);
    let before = match from {
        0 => String::new(),
        more => format!("({more} more) …"),
    };
    let after = match text.len() - to {
        0 => String::new(),
        more => format!("… ({more} more)"),
    };
    let part: String = text.get(from..to).unwrap_or_default().iter().collect();
    format!("{before}{part}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_long_texts_is_shown() {
        let long = "ж".repeat(10_000);
        let show = |text: &str| text.replace('\u{7}', "\\u{7}");
        let [before, after] = both(&long, &format!("\u{7}{long}")).map(|text| show(&text));
        assert_eq!(before, format!("{}… (9960 more)", "ж".repeat(40)));
        assert_eq!(after, format!("\\u{{7}}{}… (9960 more)", "ж".repeat(40)));
        let [before, after] = both(&long, "Ж");
        assert_eq!(before, format!("{}… (9000 more)", "ж".repeat(1000)));
        assert_eq!(after, "Ж");
    }
}
