//! Explains the errors of the YAML library: finds the usual cause, and says what to do.
//!
//! Main entry: [`explain`]. It searches the library's messages for known words. A message
//! without any of these words gets a general hint.

/// Words that an error message may contain, each with its hint. The first match is used.
const REMEDIES: [(&str, &str); 10] = [
    ("tab", "indent with spaces; YAML does not allow tabs here"),
    (
        "unexpected character `@`",
        "quote it, as in \"@staff\": YAML reserves the @ sign",
    ),
    (
        "unexpected character",
        "quote the text: YAML reserves this character at the start of a word",
    ),
    (
        "mapping values are not allowed",
        "quote text that contains `: `, or check the indentation",
    ),
    (
        "simple key expected",
        "write `key: value`; a key without quotes has at most 1024 characters",
    ),
    (
        "illegal placement of ':'",
        "look for an unclosed bracket above; quote text that contains `: `",
    ),
    (
        "multiline quoted scalar",
        "look for an unclosed quote above",
    ),
    (
        "unknown anchor",
        "define the anchor (`&name`) before its alias (`*name`); quote text that starts with *",
    ),
    (
        "hexadecimal",
        "write \\\\ for a backslash, or use single quotes, which keep it as it is",
    ),
    (
        "escape",
        "write \\\\ for a backslash, or use single quotes, which keep it as it is",
    ),
];

/// Returns the place of an error's cause, and the hint. `character` is the unexpected character, if
/// any.
pub(super) fn explain(
    text: &str,
    offset: usize,
    words: &str,
    character: Option<char>,
) -> (usize, &'static str) {
    let remedy = REMEDIES
        .iter()
        .find(|(known, _)| words.contains(known))
        .map_or(
            "check the indentation, quotes and brackets here and above",
            |(_, remedy)| *remedy,
        );
    match character.filter(|c| c.is_control()) {
        Some(control) => (
            ahead(text, offset, control),
            "remove this invisible character",
        ),
        None if words.contains("tab") => (tab(text, offset), remedy),
        None => (offset, remedy),
    }
}

/// Returns the offset of the tab that caused an error. The library reports a place after the
/// tab, or the start of the word before the tab.
fn tab(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or_default();
    let indent = before.trim_end_matches('\t').len();
    if indent < offset {
        indent
    } else {
        ahead(text, offset, '\t')
    }
}

/// Returns the offset of the next `c`, or the given offset if there is none.
fn ahead(text: &str, offset: usize, c: char) -> usize {
    let after = text.get(offset..).unwrap_or_default();
    offset + after.find(c).unwrap_or_default()
}
