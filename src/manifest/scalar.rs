//! Determines how YAML readers interpret an unquoted word, so that `pipe: 0123` is an error, not a
//! guess.
//!
//! Both YAML 1.1 and 1.2 are in use: a word is accepted as text only if both versions read it as
//! text.

use crate::tables::number::is_digits;

/// How YAML readers interpret an unquoted word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// All readers read text.
    Text,
    /// All readers read null: `~`, `null`, or an empty value.
    Null,
    /// Some readers read a boolean.
    Bool,
    /// Some readers read a number.
    Number,
    /// Some readers read a date.
    Date,
}

impl Reading {
    /// Returns the noun for a message.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Null => "null",
            Self::Bool => "a bool",
            Self::Number => "a number",
            Self::Date => "a date",
        }
    }
}

pub(super) fn reading(word: &str) -> Reading {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => Reading::Null,
        _ if is_bool(word) => Reading::Bool,
        // Nearly every text ends here.
        _ if !word.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => Reading::Text,
        _ if is_date(word) => Reading::Date,
        _ if is_number(word) => Reading::Number,
        _ => Reading::Text,
    }
}

fn is_bool(word: &str) -> bool {
    let truth = ["true", "false", "yes", "no", "on", "off"]
        .iter()
        .any(|truth| truth.eq_ignore_ascii_case(word));
    let upper = |word: &str| word.bytes().all(|byte| byte.is_ascii_uppercase());
    let lower = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase());
    truth && (word.get(1..).is_some_and(lower) || upper(word))
}

fn is_date(word: &str) -> bool {
    let date = word.split([' ', 't', 'T']).next().unwrap_or_default();
    let time = word.strip_prefix(date).unwrap_or_default();
    let time = time.trim_start_matches([' ', 't', 'T']);
    let mut parts = date.split('-');
    let mut has = |shortest, longest| {
        let part = parts.next().unwrap_or_default();
        is_digits(part) && (shortest..=longest).contains(&part.len())
    };
    has(4, 4)
        && has(1, 2)
        && has(1, 2)
        && parts.next().is_none()
        && (word == date || time.starts_with(|c: char| c.is_ascii_digit()))
}

fn is_number(word: &str) -> bool {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let special =
        matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(word, ".nan" | ".NaN" | ".NAN");
    let radix = |prefix: &str, allowed: fn(u8) -> bool| {
        unsigned
            .strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| allowed(b) || b == b'_'))
    };
    special
        || radix("0x", |byte| byte.is_ascii_hexdigit())
        || radix("0o", |byte| (b'0'..=b'7').contains(&byte))
        || radix("0b", |byte| byte == b'0' || byte == b'1')
        || is_decimal(unsigned)
        || is_sexagesimal(unsigned)
}

/// Whether a word is a number such as `12`, `1_000`, `1.5`, `.5`, `5.`, `1e3` or `1.5e-3`.
fn is_decimal(unsigned: &str) -> bool {
    let starts = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let exponent = unsigned
        .split_once(['e', 'E'])
        .map(|(_, exponent)| exponent);
    starts
        && !exponent.is_some_and(|exponent| exponent.contains('_'))
        && unsigned.replace('_', "").parse::<f64>().is_ok()
}

/// Whether a word is a base-60 number of YAML 1.1, such as `12:30` or `1:02:03.5`.
fn is_sexagesimal(unsigned: &str) -> bool {
    let whole = unsigned.split('.').next().unwrap_or_default();
    let mut parts = whole.split(':');
    let first = parts.next().is_some_and(is_digits);
    let rest: Vec<&str> = parts.collect();
    let sixty = |part: &&str| part.len() <= 2 && part.parse::<u8>().is_ok_and(|number| number < 60);
    first && !rest.is_empty() && rest.iter().all(sixty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_some_reader_turns_into_something_else() {
        let cases = [
            (Reading::Null, "~ null NULL"),
            (Reading::Bool, "true FALSE yes No on OFF"),
            (
                Reading::Number,
                "0 007 0123 1e3 1_000 0x1F 0o17 0b11 1.5 .5 5. -3 +4 .inf .NaN 12:30 1:02:03 1:02:03.5 6.02e23",
            ),
            (Reading::Date, "2024-01-01 2024-1-1 2024-01-01T10:00:00Z"),
            (
                Reading::Text,
                "c100 team-platform 5fde659f0ba18_1608410527 2024-autumn yEs nope 12a e3 . - 1.2.3 12:99 a:1 2024-01-01a é Éab日",
            ),
        ];
        for (expected, words) in cases {
            for word in words.split(' ') {
                assert_eq!(reading(word), expected, "{word}");
            }
        }
        assert_eq!(reading(""), Reading::Null);
        assert_eq!(reading("2024-01-01 10:00:00"), Reading::Date);
    }
}
