//! A title before and after, with the words that changed marked.

use similar::{ChangeTag, TextDiff};

use super::escape;
use super::paint::{Paint, Tone};

/// `"Platform" → "Platform team"`; in colour the words that went and came stand out.
pub(super) fn change(before: &str, after: &str, paint: Paint) -> String {
    let (before, after) = (escape::brief(before), escape::brief(after));
    if paint == Paint::Plain {
        return format!("\"{before}\" → \"{after}\"");
    }
    let diff = TextDiff::from_unicode_words(before.as_str(), after.as_str());
    let side = |own: ChangeTag, tone: Tone| -> String {
        let parts = diff
            .iter_all_changes()
            .filter(|change| change.tag() == own || change.tag() == ChangeTag::Equal);
        parts
            .map(|change| {
                if change.tag() == own {
                    paint.tone(tone, change.value())
                } else {
                    change.value().to_owned()
                }
            })
            .collect()
    };
    format!(
        "\"{}\" → \"{}\"",
        side(ChangeTag::Delete, Tone::Gone),
        side(ChangeTag::Insert, Tone::Came)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_words_that_changed_are_marked() {
        assert_eq!(
            change("Platform", "Platform team", Paint::Plain),
            "\"Platform\" → \"Platform team\""
        );
        let coloured = change("Rust 101 autumn", "Rust 101 spring", Paint::Colour);
        assert_eq!(
            coloured,
            "\"Rust 101 \u{1b}[9m\u{1b}[31mautumn\u{1b}[0m\" → \"Rust 101 \u{1b}[1m\u{1b}[32mspring\u{1b}[0m\""
        );
    }
}
