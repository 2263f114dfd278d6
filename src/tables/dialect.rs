//! Determines the layout of a file with rows: one value per line or CSV, the delimiter, and the
//! start of each cell. Also finds quotes that would swallow the following lines: CSV readers accept
//! such quotes without an error, and rows are lost.

/// Whether a file has one value per line and no header, judging by its name. If `delimiter` is
/// set, the name does not matter.
pub(crate) fn is_plain(name: &str) -> bool {
    let ending = name.len().checked_sub(4).filter(|at| *at > 0);
    let ending = ending.and_then(|at| name.get(at..));
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case(".txt"))
}

/// Returns the values of a file with one value per line. Lines that start with `#` are comments.
pub(crate) fn values(text: &str) -> impl Iterator<Item = (&str, Start)> {
    let ends = line_ends(text.as_bytes()).chain([text.len()]);
    let lines = ends.zip(1..).scan(0, |next, (end, line)| {
        let byte = std::mem::replace(next, end);
        let value = text.get(byte..end).unwrap_or_default().trim();
        let byte = byte as u32;
        Some((value, Start { byte, line }))
    });
    lines.filter(|(value, _)| !value.is_empty() && !value.starts_with('#'))
}

/// The start of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    /// The byte offset in the text.
    pub(crate) byte: u32,
    /// The line number, from 1.
    pub(crate) line: u32,
}

/// Returns the offset after each line end: LF, CR LF, or the single CR that some spreadsheets still write.
pub(crate) fn line_ends(bytes: &[u8]) -> impl Iterator<Item = usize> {
    memchr::memchr2_iter(b'\n', b'\r', bytes)
        .map(|at| at + 1)
        .filter(|end| bytes.get(*end) != Some(&b'\n') || bytes.get(end - 1) == Some(&b'\n'))
}

/// Returns the offset, or the next offset if this one is between a CR and its LF. The CSV reader
/// leaves such an LF to the next row.
pub(crate) fn after_line_end(text: &str, byte: usize) -> usize {
    let ends = text.get(byte.saturating_sub(1)..=byte) == Some("\r\n");
    byte + usize::from(ends)
}

/// Returns the first line of a text, including its line end.
pub(crate) fn first_line(text: &str) -> &str {
    let end = line_ends(text.as_bytes()).next();
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// Parses a first line such as `sep=;`, which some spreadsheets write. Returns the start of the
/// header, and the delimiter.
pub(crate) fn spreadsheet_line(text: &str) -> (usize, Option<u8>) {
    let line = first_line(text);
    match line.trim_end().as_bytes() {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] => (line.len(), Some(*delimiter)),
        _ => (0, None),
    }
}

/// The delimiters that are detected.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Returns the most frequent delimiter outside quotes in the header. A quote that does not open a
/// valid quoted cell is plain text.
pub(crate) fn likely_delimiter(text: &str) -> u8 {
    let bytes = text.trim_start().as_bytes();
    let mut counts = DELIMITERS.map(|delimiter| (delimiter, 0));
    let (mut at, mut starts_cell) = (0, true);
    let is_delimiter = |byte| DELIMITERS.contains(&byte);
    while let Some(byte) = bytes.get(at) {
        if *byte == b'"' && starts_cell {
            let end = end_of_quoted(bytes, at + 1);
            if let (Some(end), None) = (end, judge_quoted(bytes, at, end, is_delimiter)) {
                (at, starts_cell) = (end, false);
                continue;
            }
        }
        if matches!(byte, b'\n' | b'\r') {
            break;
        }
        starts_cell = is_delimiter(*byte);
        for (delimiter, count) in &mut counts {
            *count += usize::from(delimiter == byte);
        }
        at += 1;
    }
    // On a tie, the first delimiter of the list wins. If none occurs, the comma is returned.
    counts
        .into_iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .map_or(b',', |(delimiter, _)| delimiter)
}

/// Returns the offset of the cell with this index in a row's text.
pub(crate) fn cell_offset(text: &str, delimiter: Option<u8>, index: usize) -> usize {
    let (mut left, mut quoted) = (index, false);
    let Some(delimiter) = delimiter.filter(|_| index > 0) else {
        return 0;
    };
    for (offset, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            byte if byte == delimiter && !quoted => {
                left -= 1;
                if left == 0 {
                    return offset + 1;
                }
            }
            b'\n' | b'\r' if !quoted => break,
            _ => {}
        }
    }
    0
}

/// Trims a cell. Nearly all cells have no surrounding white space, and take a fast path.
pub(crate) fn trimmed(cell: &str) -> &str {
    let bytes = cell.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(b'!'..=b'~'), Some(b'!'..=b'~')) => cell,
        _ => cell.trim(),
    }
}

/// The reasons why a quote probably does not open a quoted cell.
const NEVER_CLOSED: &str = "a quoted cell starts here and is never closed";
const TEXT_AFTER: &str =
    "a quoted cell starts here, spans lines and has text after its closing quote";

/// Returns the offset after the closing quote. `from` is the offset after the opening quote.
/// Returns `None` if the cell is never closed.
fn end_of_quoted(bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let quote = from + memchr::memchr(b'"', bytes.get(from..)?)?;
        // In a quoted cell, two quotes mean one quote.
        if bytes.get(quote + 1) != Some(&b'"') {
            return Some(quote + 1);
        }
        from = quote + 2;
    }
}

/// Returns the end of the line that contains this offset, without its line break.
fn end_of_line(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    memchr::memchr2(b'\n', b'\r', rest).map_or(bytes.len(), |length| from + length)
}

/// Returns what is wrong with the quoted cell from `open` to `end`, if anything is wrong.
fn judge_quoted(
    bytes: &[u8],
    open: usize,
    end: Option<usize>,
    is_delimiter: impl Fn(u8) -> bool,
) -> Option<&'static str> {
    let Some(end) = end else {
        return Some(NEVER_CLOSED);
    };
    let spans_lines = end_of_line(bytes, open) < end;
    let mut rest = bytes.get(end..).unwrap_or_default().iter();
    let next = rest.find(|byte| is_delimiter(**byte) || !matches!(byte, b' ' | b'\t'));
    let has_text = next.is_some_and(|byte| !is_delimiter(*byte) && !matches!(byte, b'\n' | b'\r'));
    (spans_lines && has_text).then_some(TEXT_AFTER)
}

/// Calls `found` with the offset of each bad quote. The text must start at a row. After a bad
/// quote, the search continues in the next line, so that other bad quotes are found too.
pub(crate) fn bad_quotes(text: &str, delimiter: u8, mut found: impl FnMut(usize, &'static str)) {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(length) = bytes
        .get(from..)
        .and_then(|rest| memchr::memchr(b'"', rest))
    {
        let open = from + length;
        let before = open.checked_sub(1).and_then(|before| bytes.get(before));
        let opens = before.is_none_or(|byte| *byte == delimiter || matches!(byte, b'\n' | b'\r'));
        if !opens {
            from = open + 1;
            continue;
        }
        let end = end_of_quoted(bytes, open + 1);
        let bad = judge_quoted(bytes, open, end, |byte| byte == delimiter);
        from = match (bad, end) {
            (None, Some(end)) => end,
            _ => end_of_line(bytes, open),
        };
        bad.into_iter().for_each(|bad| found(open, bad));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_counted_outside_of_quotes_in_the_header_only() {
        for (text, expected) in [
            ("user;name\n1,2,3,4", b';'),
            ("user;\"name, in full, with title\"\n", b';'),
            ("user;\"name,\nin, full\";class\n", b';'),
            ("\"user\";\"name \"\"a,b,c\"\"\"\n", b';'),
            // The quote is never closed, or a quote in a later row closes it by mistake.
            ("user;\"name\n1,2,3,4", b';'),
            ("user;\"name\n1;a\n2;\"b, c, d\"\n", b';'),
            ("size 5\" \tlength, 6\"\t\n", b'\t'),
            ("course|user, in full|role\n1|2|3", b'|'),
            ("user", b','),
        ] {
            let found = likely_delimiter(text);
            assert_eq!(char::from(found), char::from(expected), "{text:?}");
        }
    }

    #[test]
    fn quotes_that_swallow_lines_are_found() {
        let cases: [(&str, &[(usize, &str)]); 12] = [
            ("a,b\n1,\"x\n2,y\n", &[(6, NEVER_CLOSED)]),
            ("a,b\n1,\"x", &[(6, NEVER_CLOSED)]),
            ("a,b\n1,\"x\n2,the \"y\"\n3,z\n", &[(6, TEXT_AFTER)]),
            (
                "a,b\n1,\"x\n2,\"y\n",
                &[(6, TEXT_AFTER), (11, NEVER_CLOSED)],
            ),
            ("\"a,b\n1,x\n", &[(0, NEVER_CLOSED)]),
            // A quoted cell that spans lines is not bad if its quote is closed.
            ("a,b\n1,\"x\ny\"\n2,\"\r\n\"\r\n", &[]),
            ("a,b\n1,\"x \"\"y\"\"\nz\" \t,\n", &[]),
            ("a,b\n1,\"x\ny\"", &[]),
            // A quote inside a cell is not bad. Text after a closing quote is not bad if the
            // whole cell is on one line.
            ("a,b\n1,5\" screen\n2,\"x\" y\n", &[]),
            ("a,b\n1,\"\"\n2,\"\"\"\"\n", &[]),
            ("a,b\n1, \"x\n", &[]),
            // The delimiter is `;`, so the quote after a comma does not start a cell.
            ("a;b\n1,\"x;y\n", &[]),
        ];
        for (text, expected) in cases {
            let delimiter = if text.starts_with("a;") { b';' } else { b',' };
            let mut bad = Vec::new();
            bad_quotes(text, delimiter, |open, why| bad.push((open, why)));
            assert_eq!(bad, expected, "{text:?}");
        }
    }
}
