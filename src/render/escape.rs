//! Escapes untrusted text: one function for each output.

use std::fmt::Write;
use std::io;

use crate::model::{is_hidden, spell_unsafe};

/// Maximum number of characters to show of an untrusted text.
const LONGEST: usize = 200;
/// Maximum number of characters to show of an untrusted text on a Markdown page. Every valid pipe
/// fits.
const LONGEST_ON_PAGE: usize = 255;
/// Maximum number of bytes of an escaped text on a Markdown page, so that one text with many
/// escapes does not fill the page.
const WIDEST_ON_PAGE: usize = 1300;
/// The text printed instead of an empty text.
const EMPTY: &str = "(empty)";

/// Escapes text for a terminal: one line, without characters that move the cursor, change the
/// colour or direction, or hide text. Breaks up commands that a CI system would execute if they
/// were printed to the log of a job.
pub fn terminal(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    spell_unsafe(&mut safe, text, spell);
    safe
}

/// Writes a character as an escape such as `\u{202e}`.
fn spell(safe: &mut String, c: char) {
    // Writing to a string cannot fail.
    let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
}

/// Like [`terminal`], but shortened to fit a line. The end says how many characters are left out.
pub fn brief(text: &str) -> String {
    let cut = text.char_indices().nth(LONGEST);
    match cut.and_then(|(end, _)| text.split_at_checked(end)) {
        None => terminal(text),
        Some((shown, more)) => {
            format!("{}… ({} more)", terminal(shown), more.chars().count())
        }
    }
}

/// Like [`brief`], but in quotes. Inner quotes are escaped, so that no title can look like
/// `"Party" → "Platform"`.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", within_quotes(&brief(text)))
}

/// Escapes the quotes in a text that is already escaped and will be put in quotes.
pub fn within_quotes(text: &str) -> String {
    text.replace('"', "\\\"")
}

/// Escapes text for Markdown (a comment or a job summary): code between back-ticks, in which
/// parsers and sites find no markup, mentions, references, links, emoji or commands. It has no
/// back-ticks inside, and is cut to fit a page.
pub fn markdown(text: &str) -> String {
    if text.is_empty() {
        return EMPTY.to_owned();
    }
    let mut safe = String::from("`");
    for (count, (at, c)) in text.char_indices().enumerate() {
        if count == LONGEST_ON_PAGE || safe.len() >= WIDEST_ON_PAGE {
            let more = text.get(at..).unwrap_or_default().chars().count();
            let _ = write!(safe, "… ({more} more)");
            break;
        }
        // GitHub treats `[x]` anywhere in the line of a list item as a ticked checkbox.
        let ticks = c == ']' && (safe.ends_with("[x") || safe.ends_with("[X"));
        if c == '`' || ticks || is_hidden(c) {
            spell(&mut safe, c);
        } else {
            safe.push(c);
        }
    }
    safe.push('`');
    safe
}

/// Escapes text for the HTML comment that marks a page (`<!-- … -->`). Percent-encodes
/// characters that the address of a server cannot have, and the second `-` of each `--`, which
/// could end the comment.
pub fn marker(text: &str) -> String {
    let safe = percent_encode(text, b".:/_-[]", |byte| format!("%{byte:02x}"));
    safe.replace("--", "-%2d")
}

/// Escapes a path for a URI.
pub fn uri(path: &str) -> String {
    percent_encode(path, b"/.-_~", |byte| format!("%{byte:02X}"))
}

fn percent_encode(text: &str, kept: &[u8], encode: fn(u8) -> String) -> String {
    let bytes = text.bytes().map(|byte| match byte {
        _ if byte.is_ascii_alphanumeric() || kept.contains(&byte) => char::from(byte).to_string(),
        _ => encode(byte),
    });
    bytes.collect()
}

/// Escapes text for a GitHub workflow command: one line without anything that the runner would
/// decode.
pub fn annotation(text: &str) -> String {
    terminal(text).replace('%', "%25")
}

/// Escapes text for a property of a GitHub workflow command, such as `file` or `title`.
pub fn annotation_property(text: &str) -> String {
    annotation(text).replace(':', "%3A").replace(',', "%2C")
}

/// Escapes text for a message in SARIF: no hidden characters, no links, and doubled braces, because
/// single braces are placeholders (SARIF 2.1.0, 3.11.5 and 3.11.6).
pub fn sarif(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        match c {
            _ if is_hidden(c) => drop(write!(safe, "<U+{:04X}>", u32::from(c))),
            '(' if before == ']' => safe.push_str(" ("),
            '{' | '}' => safe.extend([c, c]),
            _ => safe.push(c),
        }
        before = c;
    }
    safe
}

/// Escapes JSON for a terminal: each character that [`terminal`] escapes becomes a JSON escape.
/// Line breaks are kept, because they occur only between values.
pub fn json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    spell_unsafe(&mut safe, text, |safe, c| match c {
        '\n' => safe.push(c),
        _ => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        }
    });
    safe
}

/// A writer that escapes JSON with [`json`] and passes it on, some lines at a time.
pub struct JsonLines<'a> {
    out: &'a mut dyn io::Write,
    pending: Vec<u8>,
    /// The number of pending bytes after which lines are passed on.
    due: usize,
}

impl<'a> JsonLines<'a> {
    const PIECE: usize = 1 << 16;

    /// Creates a writer that has no pending bytes yet.
    pub fn new(out: &'a mut dyn io::Write) -> Self {
        Self {
            out,
            pending: Vec::new(),
            due: Self::PIECE,
        }
    }

    /// Passes on the first `length` pending bytes. They must be whole lines, so that no
    /// character is split.
    fn pass_on(&mut self, length: usize) -> io::Result<()> {
        let lines = self.pending.drain(..length).collect();
        let lines = String::from_utf8(lines).map_err(io::Error::other)?;
        self.out.write_all(json(&lines).as_bytes())
    }

    /// Passes on all bytes that are still pending, and a line break.
    pub fn finish(mut self) -> io::Result<()> {
        self.pending.push(b'\n');
        self.pass_on(self.pending.len())
    }
}

impl io::Write for JsonLines<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() > self.due {
            let end = memchr::memrchr(b'\n', &self.pending);
            self.pass_on(end.map_or(0, |end| end + 1))?;
            self.due = self.pending.len() + Self::PIECE;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Escapes text for the content and the attributes of an HTML page. The result is safe for a
/// terminal too, and has no markup.
pub fn html(text: &str) -> String {
    terminal(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// Escapes text for a cell of a spreadsheet: no hidden characters, and no formulas, because a
/// leading apostrophe makes the cell a text. Some spreadsheets also treat full-width signs as the
/// start of a formula.
pub fn spreadsheet(text: &str) -> String {
    let safe = terminal(text);
    if safe.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) {
        format!("'{safe}")
    } else {
        safe
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
