//! One function a sink: what makes text of others harmless where it is shown.

use crate::model::is_hidden;

/// How much of a text of others is shown at most, in characters.
const LONGEST: usize = 200;

/// For a terminal: nothing that moves the cursor, changes the colour, the direction or hides; one line.
pub fn terminal(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            safe.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// The same, cut to what a line can bear, with the number of characters left out.
pub fn brief(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => terminal(text),
        Some((end, _)) => format!(
            "{}… ({} more)",
            terminal(&text[..end]),
            text[end..].chars().count()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_hides_or_turns_is_spelled_out() {
        assert_eq!(terminal("Алгебра 7б · ok"), "Алгебра 7б · ok");
        assert_eq!(
            terminal("\u{1b}[31mred\u{7}\n\u{202e}x\u{200b}"),
            "\\u{1b}[31mred\\u{7}\\u{a}\\u{202e}x\\u{200b}"
        );
        assert_eq!(terminal("\u{9b}31m\r\u{2028}"), "\\u{9b}31m\\u{d}\\u{2028}");
    }

    #[test]
    fn long_texts_are_cut_on_characters() {
        let long = "ж".repeat(10_000);
        let shown = brief(&long);
        assert!(shown.starts_with("жжж") && shown.ends_with("… (9800 more)"));
    }
}
