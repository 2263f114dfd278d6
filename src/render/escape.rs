//! Escapes untrusted text: one function for each output.

use std::fmt::Write;
use std::io;

use crate::model::{is_hidden, spell_unsafe};

/// Maximum number of characters shown of an untrusted text.
const LONGEST: usize = 200;
/// Maximum number of characters of an untrusted text on a page: enough for every valid pipe.
const LONGEST_ON_PAGE: usize = 255;
/// The same limit in bytes after escaping: one text with many escapes must not fill the page.
const WIDEST_ON_PAGE: usize = 1300;
/// Printed for an empty text.
const EMPTY: &str = "(empty)";

/// For a terminal: one line, without characters that move the cursor, change the colour or direction, or hide text. Also breaks
/// commands that the log of a CI job would obey.
pub fn terminal(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    spell_unsafe(&mut safe, text, spell);
    safe
}

/// Writes a character as in `\u{202e}`.
fn spell(safe: &mut String, c: char) {
    // Writing to a string cannot fail.
    let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
}

/// Like [`terminal`], cut to fit a line, with the number of characters left out.
pub fn brief(text: &str) -> String {
    let cut = text.char_indices().nth(LONGEST);
    match cut.and_then(|(end, _)| text.split_at_checked(end)) {
        None => terminal(text),
        Some((shown, more)) => {
            format!("{}… ({} more)", terminal(shown), more.chars().count())
        }
    }
}

/// Like [`brief`], in quotes, with inner quotes escaped: a title must not look like `"Party" → "Platform"`.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", within_quotes(&brief(text)))
}

/// Escapes the quotes of an escaped text that is put in quotes.
pub fn within_quotes(text: &str) -> String {
    text.replace('"', "\\\"")
}

/// For Markdown (a comment or a job summary): as code between back-ticks, where neither parsers nor sites look for markup, mentions,
/// references, links, emoji or commands. It has no back-ticks inside, and is cut to fit a page.
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
        // GitHub's engine ticks off a list item with `[x]` anywhere in its line.
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

/// For the marker of a page, an HTML comment (`<!-- … -->`). Characters that could end the comment, or that no address has, are
/// percent-encoded (`%2d`).
pub fn marker(text: &str) -> String {
    let safe = percent_encode(text, b".:/_-[]", |byte| format!("%{byte:02x}"));
    safe.replace("--", "-%2d")
}

/// For a path in a URI.
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

/// For the text of a GitHub workflow command: one line, with nothing that its runner would decode.
pub fn annotation(text: &str) -> String {
    terminal(text).replace('%', "%25")
}

/// For a property of a workflow command, such as `file` or `title`.
pub fn annotation_property(text: &str) -> String {
    annotation(text).replace(':', "%3A").replace(',', "%2C")
}

/// For a message in SARIF: no hidden characters, no links, and doubled braces, because single braces are placeholders (SARIF 2.1.0,
/// 3.11.5 and 3.11.6).
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

/// For JSON that may be read on a terminal: the characters that [`terminal`] escapes become JSON escapes. Line breaks occur only
/// between values, and are kept.
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

/// Passes JSON on as [`json`] escapes it, some lines at a time.
pub struct JsonLines<'a> {
    out: &'a mut dyn io::Write,
    pending: Vec<u8>,
    /// The number of pending bytes after which lines are passed on.
    due: usize,
}

impl<'a> JsonLines<'a> {
    const PIECE: usize = 1 << 16;

    /// Holds nothing back yet.
    pub fn new(out: &'a mut dyn io::Write) -> Self {
        Self {
            out,
            pending: Vec::new(),
            due: Self::PIECE,
        }
    }

    /// Passes on the first pending bytes. They are whole lines, because a character must not be cut.
    fn pass_on(&mut self, length: usize) -> io::Result<()> {
        let lines = self.pending.drain(..length).collect();
        let lines = String::from_utf8(lines).map_err(io::Error::other)?;
        self.out.write_all(json(&lines).as_bytes())
    }

    /// Passes on the rest, and a line break.
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

/// For the text and attributes of an HTML page: escaped as for a terminal, and without markup.
pub fn html(text: &str) -> String {
    terminal(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// For a cell of a spreadsheet: no hidden characters and no formulas. A leading apostrophe makes a spreadsheet treat the cell as
/// text. Some also treat full-width signs as the start of a formula.
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
