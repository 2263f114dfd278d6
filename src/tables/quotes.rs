//! Finds where quoted CSV cells end, and quotes that would swallow the following lines.
//!
//! Main entry: [`bad_quotes`]. CSV readers accept such quotes without an error, and rows are lost.

/// The reason why a quote probably does not open a quoted cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadQuote {
    /// The cell is never closed.
    NeverClosed,
    /// The cell spans lines and has text after its closing quote.
    TextAfter,
}

/// Returns the offset after the closing quote. `from` is the offset after the opening quote.
/// Returns `None` if the cell is never closed.
pub(crate) fn end_of_quoted(bytes: &[u8], mut from: usize) -> Option<usize> {
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
pub(crate) fn end_of_line(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    memchr::memchr2(b'\n', b'\r', rest).map_or(bytes.len(), |length| from + length)
}

/// Returns what is wrong with the quoted cell from `open` to `end`, if anything is wrong.
pub(crate) fn judge_quoted(
    bytes: &[u8],
    open: usize,
    end: Option<usize>,
    is_delimiter: impl Fn(u8) -> bool,
) -> Option<BadQuote> {
    let Some(end) = end else {
        return Some(BadQuote::NeverClosed);
    };
    let spans_lines = end_of_line(bytes, open) < end;
    let mut rest = bytes.get(end..).unwrap_or_default().iter();
    let next = rest.find(|byte| is_delimiter(**byte) || !matches!(byte, b' ' | b'\t'));
    let has_text = next.is_some_and(|byte| !is_delimiter(*byte) && !matches!(byte, b'\n' | b'\r'));
    (spans_lines && has_text).then_some(BadQuote::TextAfter)
}

/// Calls `found` with the offset of each bad quote. The text must start at a row. After a bad
/// quote, the search continues in the next line, so that other bad quotes are found too.
pub(crate) fn bad_quotes(text: &str, delimiter: u8, mut found: impl FnMut(usize, BadQuote)) {
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
    use super::BadQuote::{self, NeverClosed, TextAfter};
    use super::*;

    #[test]
    fn quotes_that_swallow_lines_are_found() {
        let cases: [(&str, &[(usize, BadQuote)]); 12] = [
            ("a,b\n1,\"x\n2,y\n", &[(6, NeverClosed)]),
            ("a,b\n1,\"x", &[(6, NeverClosed)]),
            ("a,b\n1,\"x\n2,the \"y\"\n3,z\n", &[(6, TextAfter)]),
            ("a,b\n1,\"x\n2,\"y\n", &[(6, TextAfter), (11, NeverClosed)]),
            ("\"a,b\n1,x\n", &[(0, NeverClosed)]),
            // Quoted cells that span lines and are closed are not bad.
            ("a,b\n1,\"x\ny\"\n2,\"\r\n\"\r\n", &[]),
            ("a,b\n1,\"x \"\"y\"\"\nz\" \t,\n", &[]),
            ("a,b\n1,\"x\ny\"", &[]),
            // Quotes inside a cell, and text after a quoted cell on one line, are not bad.
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
