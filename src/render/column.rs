//! Aligns a column of pipes, so that the next column starts in the same place.

use unicode_width::UnicodeWidthStr;

use super::escape::terminal;
use crate::model::Pipe;

/// The minimum and maximum width of the column. A longer pipe shifts the rest of its line.
const WIDTH: usize = 20;
const WIDEST: usize = 40;

/// Returns the width of a column for these pipes.
pub(super) fn measure_pipes<'a>(pipes: impl Iterator<Item = &'a Pipe>) -> usize {
    measure(pipes.map(|pipe| terminal(pipe.as_str()))).max(WIDTH)
}

/// Returns the width of a column for these texts, which are already escaped.
pub(super) fn measure(texts: impl Iterator<Item = String>) -> usize {
    let widths = texts.map(|text| text.width());
    widths.max().unwrap_or_default().min(WIDEST)
}

/// Adds spaces to the end of a text.
pub(super) fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_letters_take_two_columns() {
        let pipes = ["ab", "教室"].map(Pipe::new);
        assert_eq!(measure_pipes(pipes.iter()), 20);
        let texts = ["ab", "教室"].map(str::to_owned);
        assert_eq!(measure(texts.into_iter()), 4);
        assert_eq!(["ab", "教室"].map(|text| pad(text, 5)), ["ab   ", "教室 "]);
    }
}
