//! One function for each output: escapes untrusted text.

use std::fmt::Write;

use crate::model::is_hidden;

/// The most characters shown of an untrusted text.
const LONGEST: usize = 200;
/// How much of one is shown on a page, in characters: every pipe a manifest may have.
const LONGEST_ON_PAGE: usize = 255;
/// And in bytes of the page: one text must not fill it, however much of it has to be spelled out.
const WIDEST_ON_PAGE: usize = 1300;
/// An invisible comment; it ends a text for a site that looks for addresses in what a parser made of the numbers.
const BREAK: &str = "<!-- -->";
/// Shown in place of an empty text.
const EMPTY: &str = "(empty)";

/// For a terminal: nothing that moves the cursor, changes the colour, the direction or hides; one line. Nor a command of the
/// older kind to the runner of a CI job, which obeys `##[` and `##vso[` anywhere in what a step prints.
pub fn terminal(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    spell_hidden(&mut safe, text, spell);
    safe
}

/// Adds a text, with what a terminal must not get as `spell` writes it.
fn spell_hidden(safe: &mut String, text: &str, spell: fn(&mut String, char)) {
    let (mut before, mut start) = (' ', 0);
    for (at, c) in text.char_indices() {
        let is_plain = matches!(c, ' '..='~');
        if (!is_plain && is_hidden(c)) || (c == '#' && before == '#') {
            safe.push_str(text.get(start..at).unwrap_or_default());
            spell(safe, c);
            start = at + c.len_utf8();
        }
        before = c;
    }
    safe.push_str(text.get(start..).unwrap_or_default());
}

/// `\u{202e}`.
fn spell(safe: &mut String, c: char) {
    // A string takes everything.
    let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
}

/// The same, cut to fit a line, with the number of characters left out.
pub fn brief(text: &str) -> String {
    let cut = text.char_indices().nth(LONGEST);
    match cut.and_then(|(end, _)| text.split_at_checked(end)) {
        None => terminal(text),
        Some((shown, more)) => {
            format!("{}… ({} more)", terminal(shown), more.chars().count())
        }
    }
}

/// The same between quotes, where one inside cannot pass for the end: a title must not look like `"Party" → "Platform"`.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", within_quotes(&brief(text)))
}

/// For an escaped text that is put between quotes.
pub fn within_quotes(text: &str) -> String {
    text.replace('"', "\\\"")
}

/// For YAML that is printed: in double quotes, with what [`terminal`] spells out spelled in YAML's own way.
pub fn yaml(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    // A string takes everything.
    spell_hidden(&mut quoted, &text, |safe, c| {
        let _ = write!(safe, "\\U{:08x}", u32::from(c));
    });
    quoted.push('"');
    quoted
}

/// For Markdown, and for HTML within it: as code, where no site looks for mentions, references, links, emoji or commands, and
/// with every sign of ASCII but `-` and `,` as a number, so that neither a parser nor a bot that reads the source sees one. Some
/// parsers look for addresses once the numbers are characters again, in code too: those are broken where they would be one.
/// Cut to fit a page.
pub fn markdown(text: &str) -> String {
    if text.is_empty() {
        return EMPTY.to_owned();
    }
    let mut before = [' '; 2];
    let inside = fit_page(text, |safe, c| {
        let address = match before {
            [_, ':'] => c == '/',
            [host, '.'] => host.is_alphanumeric() && c.is_alphanumeric(),
            [_, user] => c == '@' && user != ' ',
        };
        if address {
            safe.push_str(BREAK);
        }
        before = [before[1], c];
        if c.is_ascii_punctuation() && !matches!(c, '-' | ',') {
            let _ = write!(safe, "&#{};", u32::from(c));
        } else {
            safe.push(c);
        }
    });
    format!("<code>{inside}</code>")
}

/// For Markdown on a site that shows HTML as text: as code between back-ticks, with none inside.
pub fn markdown_plain(text: &str) -> String {
    if text.is_empty() {
        return EMPTY.to_owned();
    }
    let inside = fit_page(text, |safe, c| match c {
        '`' | '|' => spell(safe, c),
        _ => safe.push(c),
    });
    format!("`{inside}`")
}

/// What is hidden spelled out, the rest as `put` does it, cut on a character with the number of those left out.
fn fit_page(text: &str, mut put: impl FnMut(&mut String, char)) -> String {
    let (mut safe, mut spelled) = (String::with_capacity(text.len() * 2), String::new());
    for (count, (at, c)) in text.char_indices().enumerate() {
        if count == LONGEST_ON_PAGE || safe.len() >= WIDEST_ON_PAGE {
            let more = format!(
                "… ({} more)",
                text.get(at..).unwrap_or_default().chars().count()
            );
            more.chars().for_each(|c| put(&mut safe, c));
            break;
        }
        if is_hidden(c) {
            spelled.clear();
            spell(&mut spelled, c);
            spelled.chars().for_each(|c| put(&mut safe, c));
        } else {
            put(&mut safe, c);
        }
    }
    safe
}

/// For the marker of a page, an invisible comment: what could end it, and what no address has, as `%2d`.
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

/// For the text of a workflow command of GitHub: one line, and nothing its runner would decode to something else.
pub fn annotation(text: &str) -> String {
    terminal(text).replace('%', "%25")
}

/// For a property of one, as `file` or `title`.
pub fn annotation_property(text: &str) -> String {
    annotation(text).replace(':', "%3A").replace(',', "%2C")
}

/// For a message in SARIF: no hidden character, no link, and braces doubled, since single ones stand for arguments
/// (SARIF 2.1.0, 3.11.5 and 3.11.6).
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

/// For JSON that may be read on a terminal: what [`terminal`] spells out is written as JSON escapes. Line breaks are only between
/// values, and stay.
pub fn json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    spell_hidden(&mut safe, text, |safe, c| match c {
        '\n' => safe.push(c),
        _ => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        }
    });
    safe
}

/// For the text of an HTML page, and of its attributes: spelled out as for a terminal, and no markup.
pub fn html(text: &str) -> String {
    terminal(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// JSON inside a page's `<script type="application/json">`: nothing in it ends the element or begins another.
pub fn html_script(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

/// For a cell of CSV, which may end up on a terminal and in a spreadsheet: no hidden character, and nothing that a spreadsheet
/// would calculate. An apostrophe before it is what keeps it a text there.
pub fn csv(text: &str) -> String {
    let safe = terminal(text);
    if safe.starts_with(['=', '+', '-', '@']) {
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
