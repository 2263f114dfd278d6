//! One function a sink: what makes text of others harmless where it is shown.

/// How much of a text of others is shown at most, in characters.
const LONGEST: usize = 200;

/// For a terminal: nothing that moves the cursor, changes the colour, the direction or hides; one line.
pub fn terminal(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmless(c) {
            safe.push(c);
        } else {
            safe.extend(format!("\\u{{{:x}}}", u32::from(c)).chars());
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

/// Whether a character only shows itself.
fn is_harmless(c: char) -> bool {
    let hidden = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}');
    !c.is_control() && !hidden
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
