//! A title before and after, with the words that changed marked.

use similar::{ChangeTag, TextDiff};

use super::escape;
use super::paint::{Paint, Tone};

/// `"Platform" → "Platform team"`; in colour the words that went and came stand out.
pub(super) fn change(before: &str, after: &str, paint: Paint) -> String {
    let [before, after] = escape::both(before, after).map(|text| escape::within_quotes(&text));
    if paint == Paint::Plain {
        return format!("\"{before}\" → \"{after}\"");
    }
    let mark = |tag: ChangeTag, text: &str| match tag {
        ChangeTag::Equal => text.to_owned(),
        ChangeTag::Delete => paint.tone(Tone::Gone, text),
        ChangeTag::Insert => paint.tone(Tone::Came, text),
    };
    let [before, after] = sides(&before, &after, mark);
    format!("\"{before}\" → \"{after}\"")
}

/// Both titles word by word, each word as `mark` shows it: the same in both, gone from the first, come in the second.
pub(super) fn sides(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_words_that_changed_are_marked() {
        assert_eq!(
            change("Platform", "Platform team", Paint::Plain),
            "\"Platform\" → \"Platform team\""
        );
        assert_eq!(
            change("Party\" → \"Platform", "Platform", Paint::Plain),
            "\"Party\\\" → \\\"Platform\" → \"Platform\""
        );
        let coloured = change("Rust 101 autumn", "Rust 101 spring", Paint::Colour);
        assert_eq!(
            coloured,
            "\"Rust 101 \u{1b}[9m\u{1b}[31mautumn\u{1b}[0m\" → \"Rust 101 \u{1b}[1m\u{1b}[32mspring\u{1b}[0m\""
        );
    }
}
