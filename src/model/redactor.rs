//! Finds secrets in a text, in every form that a server, a page or a log may give them.

use std::cmp::Reverse;
use std::fmt;

/// Secrets shorter than this are found only in their plain form: the other forms would match ordinary text.
const SHORTEST: usize = 6;
/// Secrets shorter than this are not hidden at all.
const SHORTEST_PLAIN: usize = 3;
/// Maximum length of one form of a character, in bytes.
const WIDEST_FORM: usize = 14;
/// What replaces a secret.
const HIDDEN: &[u8] = b"***";
/// Our Markdown may contain this between any two characters.
const BREAK: &[u8] = b"<!-- -->";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Replaces secrets by `***`: as they are, URL-encoded, HTML-escaped, JSON-escaped, and within base64, also mixed. `Debug` shows
/// nothing.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: Vec<Secret>,
    /// The possible first bytes of a secret.
    first: Vec<u8>,
    /// Maximum length of a secret in any form, in bytes.
    longest: usize,
}

#[derive(Clone)]
struct Secret {
    text: String,
    /// The forms of its first character.
    first: Vec<String>,
    /// Whether it is found only in its plain form.
    is_plain: bool,
}

impl Redactor {
    /// Hides these texts.
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Self {
        let mut redactor = Self::default();
        for secret in secrets {
            redactor.hide(secret);
        }
        redactor
    }

    /// Hides one more text.
    pub fn hide(&mut self, secret: &str) {
        let is_plain = secret.len() < SHORTEST;
        let encoded = match is_plain {
            true => Vec::new(),
            false => base64_forms(secret),
        };
        if secret.len() >= SHORTEST_PLAIN {
            let texts = [secret.to_owned()].into_iter().chain(encoded);
            self.secrets.extend(texts.map(|text| {
                Secret {
                    first: text
                        .chars()
                        .take(1)
                        .flat_map(|c| forms(c, is_plain))
                        .collect(),
                    text,
                    is_plain,
                }
            }));
        }
        // The longest first, because one secret may contain another.
        self.secrets
            .sort_by_key(|secret| Reverse(secret.text.len()));
        let lengths = self
            .secrets
            .iter()
            .map(|secret| secret.text.chars().count());
        self.longest = lengths.max().unwrap_or_default() * (WIDEST_FORM + BREAK.len());
        let first = self.secrets.iter().flat_map(|secret| &secret.first);
        self.first = first.filter_map(|form| form.bytes().next()).collect();
        self.first.sort_unstable();
        self.first.dedup();
    }

    /// Maximum length of a secret in any form, in bytes.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The text without the secrets.
    pub fn redact(&self, text: &str) -> String {
        let mut clean = Vec::with_capacity(text.len());
        self.redact_bytes(text.as_bytes(), true, &mut clean);
        String::from_utf8_lossy(&clean).into_owned()
    }

    /// Appends the bytes without the secrets, and returns how many bytes it consumed. Unless the text ends here, it leaves the end of
    /// the bytes, because a secret may begin there and continue in the next bytes.
    pub fn redact_bytes(&self, bytes: &[u8], is_last: bool, clean: &mut Vec<u8>) -> usize {
        let end = match is_last {
            true => bytes.len(),
            false => bytes.len().saturating_sub(self.longest),
        };
        let (mut at, mut plain) = (0, 0);
        while at < end {
            let rest = bytes.get(at..).unwrap_or_default();
            match self.length_at(rest) {
                None => at += 1,
                Some(length) => {
                    clean.extend_from_slice(bytes.get(plain..at).unwrap_or_default());
                    clean.extend_from_slice(HIDDEN);
                    at += length;
                    plain = at;
                }
            }
        }
        clean.extend_from_slice(bytes.get(plain..at).unwrap_or_default());
        at
    }

    /// The length of the secret that the bytes begin with.
    fn length_at(&self, bytes: &[u8]) -> Option<usize> {
        let first = bytes.first()?;
        self.first.binary_search(first).ok()?;
        let mut secrets = self.secrets.iter();
        secrets.find_map(|secret| secret.length_in(bytes))
    }
}

impl Secret {
    /// The length of this secret at the start of the bytes, in any mix of forms. Two forms of a character may start alike, so every
    /// match is followed.
    fn length_in(&self, bytes: &[u8]) -> Option<usize> {
        let starts = self
            .first
            .iter()
            .filter(|form| bytes.starts_with(form.as_bytes()));
        let mut ends: Vec<usize> = starts.map(String::len).collect();
        for c in self.text.chars().skip(1) {
            if ends.is_empty() {
                return None;
            }
            ends = advance(&ends, &forms(c, self.is_plain), bytes);
        }
        ends.pop()
    }
}

/// Where a character that starts at one of these places may end.
fn advance(starts: &[usize], forms: &[String], bytes: &[u8]) -> Vec<usize> {
    let mut next = Vec::new();
    for end in starts {
        let rest = bytes.get(*end..).unwrap_or_default();
        let rest = rest.strip_prefix(BREAK).unwrap_or(rest);
        let begin = bytes.len() - rest.len();
        let found = forms
            .iter()
            .filter(|form| rest.starts_with(form.as_bytes()));
        next.extend(found.map(|form| begin + form.len()));
    }
    next.sort_unstable();
    next.dedup();
    next
}

/// The plain form of a character and, unless `is_plain`, all its escaped forms.
fn forms(c: char, is_plain: bool) -> Vec<String> {
    if is_plain {
        return vec![c.to_string()];
    }
    let code = u32::from(c);
    let mut forms = vec![
        c.to_string(),
        format!("&#{code};"),
        format!("&#0{code};"),
        format!("&#x{code:x};"),
        format!("&#x{code:X};"),
        format!("\\u{{{code:x}}}"),
        format!("\\U{code:08x}"),
    ];
    let units = |hex: fn(u16) -> String| {
        c.encode_utf16(&mut [0; 2])
            .iter()
            .copied()
            .map(hex)
            .collect()
    };
    forms.extend([
        units(|unit| format!("\\u{unit:04x}")),
        units(|unit| format!("\\u{unit:04X}")),
    ]);
    let bytes = |hex: fn(u8) -> String| c.encode_utf8(&mut [0; 4]).bytes().map(hex).collect();
    forms.extend([
        bytes(|byte| format!("%{byte:02X}")),
        bytes(|byte| format!("%{byte:02x}")),
    ]);
    let others: &[&str] = match c {
        '&' => &["&amp;"],
        '<' => &["&lt;"],
        '>' => &["&gt;"],
        '"' => &["&quot;", "\\\"", "\"\""],
        '\'' => &["&apos;", "\\'"],
        '\\' => &["\\\\"],
        '/' => &["\\/"],
        ' ' => &["+", "&nbsp;"],
        '\n' => &["\\n"],
        '\r' => &["\\r"],
        '\t' => &["\\t"],
        _ => &[],
    };
    forms.extend(others.iter().map(ToString::to_string));
    // A form that a server shows may be escaped again, in our JSON or CSV.
    let json = forms
        .iter()
        .map(|form| form.replace('\\', "\\\\").replace('"', "\\\""));
    let csv = forms.iter().map(|form| form.replace('"', "\"\""));
    let again: Vec<String> = json.chain(csv).collect();
    forms.extend(again);
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// The part of a base64 text that depends only on the secret: for each of its three possible alignments, in both alphabets.
fn base64_forms(secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for shift in 0..3 {
        let bytes = std::iter::repeat_n(0, shift).chain(secret.bytes());
        let bits = bytes.flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
        let bits: Vec<u8> = bits.collect();
        // These sextets also contain bits of the text before the secret.
        let foreign = (shift * 8).div_ceil(6);
        let sextets = bits.chunks_exact(6).skip(foreign);
        let digits = sextets.filter_map(|six| {
            let index = six
                .iter()
                .fold(0_usize, |index, bit| index << 1 | usize::from(*bit));
            BASE64.get(index).copied().map(char::from)
        });
        let standard: String = digits.collect();
        let for_urls = standard.replace('+', "-").replace('/', "_");
        if for_urls != standard {
            found.push(for_urls);
        }
        found.push(standard);
    }
    found
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "K9\"w\\T é/&";

    #[test]
    fn every_form_of_a_secret_is_found() {
        let redactor = Redactor::new([SECRET]);
        let encode = |text: &str| {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(text)
        };
        let texts = [
            SECRET.to_owned(),
            "K9%22w%5CT%20%C3%A9%2F%26".to_owned(),
            "K9%22w%5cT+%c3%a9%2f%26".to_owned(),
            "K9&quot;w\\T é/&amp;".to_owned(),
            "K9&#34;w&#92;T&#32;&#233;&#047;&#x26;".to_owned(),
            "K9\\\"w\\\\T é\\/&".to_owned(),
            "K9\\u0022w\\u005cT\\u0020\\u00e9\\u002f\\u0026".to_owned(),
            "K9&#34;<!-- -->w&#92;T é<!-- -->/&".to_owned(),
        ];
        for text in texts {
            assert_eq!(redactor.redact(&format!("a {text} b")), "a *** b", "{text}");
        }
        for before in ["", "6", "62", "627:"] {
            let encoded = encode(&format!("{before}{SECRET}"));
            let clean = redactor.redact(&encoded);
            assert!(
                clean.contains("***") && clean.len() < 12,
                "{encoded}: {clean}"
            );
        }
    }
}
