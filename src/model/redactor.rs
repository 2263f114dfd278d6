//! Finds secrets in a text, in every form that a server, a page or a log may give them.
//!
//! Main type: [`Redactor`]. It unescapes the text instead of escaping the secrets, because a
//! text may be escaped several times, for example by the server and again by our output.

use std::cell::Cell;
use std::cmp::Reverse;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::escaped::{Rest, STARTS};

/// Secrets with fewer bytes are found only in their plain form, because their other forms would
/// match ordinary text.
const SHORTEST: usize = 6;
/// Secrets with fewer bytes are not hidden at all.
const SHORTEST_PLAIN: usize = 3;
/// The text that replaces a secret.
const HIDDEN: &[u8] = b"***";
/// How many times a text may be escaped: by the server, by our output, and by the log or page
/// around it.
const DEPTH: u8 = 3;
/// Our outputs replace the end of a long text with this character.
const CUT: char = '…';

/// Replaces secrets by `***`, whether plain, truncated, in any mix of escapes (URL, HTML, JSON,
/// CSV), or within base64. `Debug` shows nothing.
#[derive(Clone, Default)]
pub struct Redactor(Vec<Secret>);

#[derive(Clone)]
struct Secret {
    text: String,
    /// Whether the text is only the start of a token. If so, the rest of the token is hidden too.
    is_start: bool,
}

impl Redactor {
    /// Creates a redactor that hides these texts.
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Self {
        let mut redactor = Self::default();
        for secret in secrets {
            redactor.hide(secret);
        }
        redactor
    }

    /// Hides one more text.
    pub fn hide(&mut self, secret: &str) {
        // Hide only the core: punctuation around it may be markup in the output, such as the quotes of JSON.
        let core = secret.trim_matches(|c: char| c.is_ascii_punctuation());
        let core = if core.len() < SHORTEST { secret } else { core };
        match secret.len() {
            0..SHORTEST_PLAIN => {}
            SHORTEST_PLAIN..SHORTEST => self.add(Vec::new(), secret, false),
            _ => self.add(base64_forms(secret), core, false),
        }
    }

    /// Hides the whole of every token that starts with this text.
    pub fn hide_tokens(&mut self, start: &str) {
        self.add(base64_forms(start), start, true);
    }

    fn add(&mut self, mut texts: Vec<String>, text: &str, is_start: bool) {
        texts.push(text.to_owned());
        let texts = texts.into_iter();
        self.0.extend(texts.map(|text| Secret { text, is_start }));
        // Sort the longest first, because one secret may contain another.
        self.0.sort_by_key(|secret| Reverse(secret.text.len()));
    }

    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the text without the secrets.
    pub fn redact(&self, text: &str) -> String {
        let mut clean = Vec::with_capacity(text.len());
        self.redact_bytes(text.as_bytes(), true, &mut clean);
        String::from_utf8_lossy(&clean).into_owned()
    }

    /// Appends the bytes without the secrets to `clean`, and returns how many bytes were consumed.
    /// Unless `is_last` is set, a tail in which a secret may begin is not consumed.
    pub fn redact_bytes(&self, bytes: &[u8], is_last: bool, clean: &mut Vec<u8>) -> usize {
        let firsts = self.0.iter().filter_map(|it| it.text.bytes().next());
        let firsts: Vec<u8> = firsts.chain(*b"&\\%").collect();
        let is_cut = Cell::new(false);
        let mut rest = Rest {
            bytes,
            depth: DEPTH,
            is_cut: &is_cut,
        };
        while let Some((byte, after)) = rest.bytes.split_first() {
            let is_candidate = firsts.contains(byte);
            let end = is_candidate
                .then(|| self.end_of_secret(*byte, rest))
                .flatten();
            if is_cut.take() && !is_last {
                break;
            }
            let Some(end) = end else {
                clean.push(*byte);
                rest.bytes = after;
                continue;
            };
            clean.extend_from_slice(HIDDEN);
            // Keep the markup, so that the page stays valid.
            while rest.bytes.len() > end.bytes.len() {
                let markup = rest.markup();
                clean.extend_from_slice(markup);
                rest.advance(markup.len().max(1));
            }
        }
        bytes.len() - rest.bytes.len()
    }

    /// If the text begins with a secret, returns the text after it. `byte` is the first byte of the
    /// text.
    fn end_of_secret<'b>(&self, byte: u8, rest: Rest<'b>) -> Option<Rest<'b>> {
        let first = if STARTS.contains(&byte) {
            rest.readings()
        } else {
            Vec::new()
        };
        let mut secrets = self.0.iter().filter(|it| {
            it.text.as_bytes().first() == Some(&byte)
                || first.iter().any(|(c, _)| it.text.starts_with(*c))
        });
        secrets.find_map(|secret| secret.end_in(rest))
    }
}

impl Secret {
    /// If the text begins with this secret, returns the text after it. An escape can be read in
    /// several ways, so each way is tried.
    fn end_in<'b>(&self, mut rest: Rest<'b>) -> Option<Rest<'b>> {
        let text = &self.text;
        // Return early if the text clearly differs from the secret, which is the usual case.
        let mut pairs = text.bytes().zip(rest.bytes);
        let special = pairs.find(|(own, byte)| own != *byte || STARTS.contains(byte));
        if special.is_some_and(|(_, byte)| byte.is_ascii() && !STARTS.contains(byte)) {
            return None;
        }
        if text.len() < SHORTEST {
            rest.depth = 0;
        }
        let mut ways = vec![rest];
        for (count, c) in text.chars().enumerate() {
            let mut next = Vec::new();
            for way in ways {
                for (found, rest) in way.readings() {
                    if found == CUT && count >= SHORTEST {
                        return Some(way);
                    }
                    next.extend((found == c).then_some(rest));
                }
            }
            if next.is_empty() {
                return None;
            }
            next.sort_by_key(|way| way.bytes.len());
            next.dedup_by_key(|way| way.bytes.len());
            ways = next;
        }
        let mut end = *ways.first()?;
        let is_token = |c: &char| c.is_ascii_alphanumeric() || "-_.+/=%".contains(*c);
        while self.is_start
            && let Some((_, rest)) = end.readings().first().filter(|(c, _)| is_token(c))
        {
            end = *rest;
        }
        Some(end)
    }
}

/// Returns the base64 digits that depend only on the secret, for each of the three possible
/// alignments and in both alphabets.
fn base64_forms(secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for shift in 0..3 {
        let encoded = STANDARD_NO_PAD.encode([&vec![0; shift], secret.as_bytes()].concat());
        // The first digits also depend on the text before the secret. The last digit may depend on
        // the text after it.
        let foreign = (shift * 8).div_ceil(6);
        let own = (shift + secret.len()) * 8 / 6 - foreign;
        let standard: String = encoded.chars().skip(foreign).take(own).collect();
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

    const SECRET: &str = "K9\"w\\T é/&8x";

    #[test]
    fn every_form_of_a_secret_is_found() {
        let redactor = Redactor::new([SECRET]);
        let encode = |text: &str| {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(text)
        };
        let texts = [
            SECRET.to_owned(),
            "K9%22w%5CT%20%C3%A9%2F%268x".to_owned(),
            "K9%22w%5cT+%c3%a9%2f%268x".to_owned(),
            "K9&quot;w\\T é/&amp;8x".to_owned(),
            "K9&#34;w&#92;T&#32;&#233;&#047;&#x26;8x".to_owned(),
            "K9\\\"w\\\\T é\\/&8x".to_owned(),
            "K9\\u0022w\\u005cT\\u0020\\u00e9\\u002f\\u00268x".to_owned(),
            "K9&#34;<!-- -->w&#92;T é<!-- -->/&8x".to_owned(),
            // Texts that the server escaped, and that our HTML, JSON, GitHub annotations and CSV
            // escaped again.
            "K9&amp;quot;w\\T é/&amp;amp;8x".to_owned(),
            "K9\\\\\\\"w\\\\\\\\T é\\\\/&8x".to_owned(),
            "K9%2522w%255CT+%25c3%25a9%252f%25268x".to_owned(),
            "K9\\\"\"w\\\\T é/&8x".to_owned(),
            // A text whose end our output replaced by `…`.
            "K9\"w\\T…".to_owned(),
        ];
        for text in texts {
            let shown = redactor.redact(&format!("a {text} b"));
            let shown = shown.replace("<!-- -->", "").replace('…', "");
            assert_eq!(shown, "a *** b", "{text}");
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

    #[test]
    fn the_text_around_a_secret_stays_whole() {
        let hide = |secret: &str, text: &str| Redactor::new([secret]).redact(text);
        assert_eq!(
            hide("abc123\"", r#"{"title":"abc123\""}"#),
            r#"{"title":"***\""}"#
        );
        assert_eq!(
            hide("\"abc123", r#"{"title":"abc123"}"#),
            r#"{"title":"***"}"#
        );
        assert_eq!(
            hide("abc123\\", r#"{"title":"abc123\""}"#),
            r#"{"title":"***\""}"#
        );
        assert_eq!(hide("abc123<", "<td>abc123</td>"), "<td>***</td>");
        let page = "<del>abc</del> <del>123&amp;amp;4</del>";
        assert_eq!(hide("abc 123&4", page), "<del>***</del><del></del>");
        let line = "\x1b[31mabc\x1b[0m \x1b[31m123\x1b[0m";
        assert_eq!(hide("abc 123", line), "\x1b[31m***\x1b[0m\x1b[31m\x1b[0m");
    }

    #[test]
    fn a_token_is_hidden_to_its_end() {
        let mut redactor = Redactor::default();
        redactor.hide_tokens("eyJhbGci.");
        assert_eq!(redactor.redact("a eyJhbGci.eyJl-x_y.z0 b"), "a *** b");
    }

    #[test]
    fn a_secret_is_found_across_pieces_and_only_its_start_is_kept_back() {
        let secret = "K9\"w".repeat(1 << 14);
        let redactor = Redactor::new([secret.as_str(), SECRET]);
        let text = format!(
            "a &amp; {} & K9&quot;w\\T é/&amp;8x b &",
            "K9\"w".repeat(75)
        );
        let whole = redactor.redact(&text);
        assert!(whole.ends_with("& *** b &"));
        for size in [1, 7, 4096] {
            let (mut pending, mut clean) = (Vec::new(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                pending.extend_from_slice(piece);
                let used = redactor.redact_bytes(&pending, false, &mut clean);
                pending.drain(..used);
            }
            redactor.redact_bytes(&pending, true, &mut clean);
            assert_eq!(String::from_utf8_lossy(&clean), whole);
        }
        let mut clean = Vec::new();
        let plain = "x".repeat(1 << 20);
        assert_eq!(
            redactor.redact_bytes(plain.as_bytes(), false, &mut clean),
            plain.len()
        );
    }
}
