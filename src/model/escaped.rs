//! Reads text that may be escaped several times, and may have markup between its characters.
//!
//! Main type: [`Rest`].

use std::cell::Cell;

/// The bytes that an escape or markup may start with.
pub(super) const STARTS: &[u8] = b"&\\%+\"<\x1b";
/// Markup that our pages may insert between two characters. Terminal output may also insert colour
/// codes.
const MARKUP: [&[u8]; 5] = [b"<!-- -->", b"<del>", b"</del>", b"<ins>", b"</ins>"];

/// The rest of a text, which may be escaped up to `depth` times.
#[derive(Clone, Copy)]
pub(super) struct Rest<'b> {
    pub(super) bytes: &'b [u8],
    pub(super) depth: u8,
    /// Set if a secret or an escape may continue after the bytes.
    pub(super) is_cut: &'b Cell<bool>,
}

impl<'b> Rest<'b> {
    /// Returns the markup that begins here; empty if there is none.
    pub(super) fn markup(self) -> &'b [u8] {
        let end = match self.bytes.first() {
            Some(b'<') => b'>',
            Some(b'\x1b') => b'm',
            _ => return &[],
        };
        let mut parts = self.bytes.split_inclusive(|byte| *byte == end);
        let markup = parts.next().unwrap_or_default();
        let is_whole = markup.ends_with(&[end]);
        self.is_cut
            .set(self.is_cut.get() || !is_whole && markup.len() < 16);
        let is_markup = is_whole && (end == b'm' || MARKUP.contains(&markup));
        if is_markup { markup } else { &[] }
    }

    pub(super) fn advance(&mut self, length: usize) {
        self.bytes = self.bytes.get(length..).unwrap_or_default();
    }

    /// Skips markup, then returns each possible next character: as it is, unescaped once, unescaped
    /// twice, and so on. Each character comes with the text after it.
    pub(super) fn readings(mut self) -> Vec<(char, Self)> {
        while let markup @ [_, ..] = self.markup() {
            self.advance(markup.len());
        }
        let first = self.bytes.get(..4).unwrap_or(self.bytes);
        let first = first.utf8_chunks().next().map(|chunk| chunk.valid());
        let Some(c) = first.and_then(|first| first.chars().next()) else {
            self.is_cut.set(self.is_cut.get() || self.bytes.len() < 4);
            return Vec::new();
        };
        let bytes = self.bytes.get(c.len_utf8()..).unwrap_or_default();
        let mut found = vec![(c, Self { bytes, ..self })];
        if u8::try_from(c).is_ok_and(|c| STARTS.contains(&c)) {
            // Each round unescapes what the previous rounds found.
            for depth in 0..self.depth {
                for (c, rest) in found.clone() {
                    let mut rest = Self { depth, ..rest };
                    if let Some(c) = rest.unescape(c) {
                        rest.depth = self.depth;
                        found.push((c, rest));
                    }
                }
            }
        }
        found
    }

    /// Decodes an escape. `c` is its first character, and `self` continues after `c`.
    fn unescape(&mut self, c: char) -> Option<char> {
        match c {
            '&' => self.entity(),
            '\\' => self.after_backslash(),
            '%' => self.percent(),
            '+' => Some(' '),
            // In CSV, a quote is doubled.
            '"' => self.next().filter(|next| *next == '"'),
            _ => None,
        }
    }

    /// Reads a short escape up to `end`, and returns it in lower case.
    fn until(&mut self, end: char) -> String {
        let text: String = self.take(10).take_while(|c| *c != end).collect();
        text.to_ascii_lowercase()
    }

    fn digits(&mut self, count: usize) -> Option<u32> {
        hex(&self.take(count).collect::<String>())
    }

    fn entity(&mut self) -> Option<char> {
        let name = self.until(';');
        Some(match name.as_str() {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "nbsp" => ' ',
            name => {
                let number = name.strip_prefix('#')?;
                let code = number
                    .strip_prefix('x')
                    .map_or_else(|| number.parse().ok(), hex);
                char::from_u32(code?)?
            }
        })
    }

    fn after_backslash(&mut self) -> Option<char> {
        Some(match self.next()? {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'U' => char::from_u32(self.digits(8)?)?,
            'u' if { *self }.next() == Some('{') => {
                char::from_u32(hex(self.until('}').strip_prefix('{')?)?)?
            }
            'u' => {
                let mut units = vec![self.digits(4)?];
                if (0xd800..0xdc00).contains(units.first()?) {
                    self.nth(1);
                    units.extend(self.digits(4));
                }
                char::decode_utf16(units.iter().map(|unit| *unit as u16))
                    .next()?
                    .ok()?
            }
            c if c.is_ascii_punctuation() => c,
            _ => return None,
        })
    }

    /// Decodes a URL-encoded character after its `%`.
    fn percent(&mut self) -> Option<char> {
        let mut bytes = vec![self.digits(2)? as u8];
        let length = bytes.first()?.leading_ones().max(1) as usize;
        while bytes.len() < length.min(4) && self.next()? == '%' {
            bytes.push(self.digits(2)? as u8);
        }
        std::str::from_utf8(&bytes).ok()?.chars().next()
    }
}

/// Iterates over the characters. Each is unescaped as often as it is escaped, up to `depth`.
impl Iterator for Rest<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let (c, rest) = self.readings().pop()?;
        *self = rest;
        Some(c)
    }
}

fn hex(digits: &str) -> Option<u32> {
    u32::from_str_radix(digits, 16).ok()
}
