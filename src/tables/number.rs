//! Parses numbers in manifests and files with rows.

use crate::model::Date;

/// Whether a text has only ASCII digits, and at least one.
pub(crate) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Parses a number without a sign or leading zeros.
pub(crate) fn whole_number(text: &str) -> Option<u64> {
    let is_plain = is_digits(text) && !matches!(text.as_bytes(), [b'0', _, ..]);
    is_plain.then(|| text.parse().ok())?
}

/// The largest id. It is the maximum of a signed 64-bit database column.
pub(crate) const LARGEST_ID: u64 = i64::MAX as u64;

/// The hint for a number above [`LARGEST_ID`].
pub(crate) const TOO_LARGE: &str = "write an id of at most 9223372036854775807";

/// Whether a number without leading zeros is above [`LARGEST_ID`].
pub(crate) fn is_too_large(text: &str) -> bool {
    is_digits(text) && !text.starts_with('0') && positive_id(text).is_none()
}

/// Parses an id: a whole number from 1 to [`LARGEST_ID`].
pub(crate) fn positive_id(text: &str) -> Option<u64> {
    whole_number(text).filter(|id| (1..=LARGEST_ID).contains(id))
}

/// The hint for a value that [`is_altered`] detects.
pub(crate) const ALTERED: &str = "a spreadsheet has altered this value: format the column as text, then enter or export it again";

/// Whether a text looks like a number that a spreadsheet has altered: a number with separators
/// or an exponent (`1,003`, `12,0`, `1 234`, `1.23E+05`), or a date (`2026-04-03`), because
/// spreadsheets turn some numbers into dates.
pub(crate) fn is_altered(text: &str) -> bool {
    let (number, exponent) = text.split_once(['E', 'e']).unwrap_or((text, "0"));
    let is_separator = |c: char| matches!(c, ',' | '.' | '\'') || c.is_whitespace();
    let is_number = is_digits(exponent.trim_start_matches(['+', '-']))
        && number.split(is_separator).all(is_digits)
        && !is_digits(text);
    is_number || Date::parse(text).is_some()
}

/// Parses a percentage such as `12.5%` into hundredths of a percent.
pub(crate) fn share(text: &str) -> Option<u64> {
    let (whole, part) = text
        .strip_suffix('%')
        .map(|number| number.split_once('.').unwrap_or((number, "0")))?;
    let digits = |text: &str, most: usize| is_digits(text) && text.len() <= most;
    (digits(whole, 9) && digits(part, 2)).then_some(())?;
    let hundredths: u64 = format!("{part:0<2}").parse().ok()?;
    Some(whole.parse::<u64>().ok()? * 100 + hundredths)
}

#[cfg(test)]
mod tests {
    use super::{is_altered, whole_number};

    #[test]
    fn values_that_a_spreadsheet_has_altered() {
        let altered = [
            "1,003",
            "12,0",
            "1 234",
            "1\u{a0}234",
            "1.23E+05",
            "5e3",
            "1'000.00",
            "2026-04-03",
        ];
        assert!(altered.iter().all(|text| is_altered(text)));
        let others = ["", "1003", "7b", "1,", "e5", "1-2", "12.a", "2e", "anna"];
        assert!(!others.iter().any(|text| is_altered(text)));
    }

    #[test]
    fn whole_numbers_are_those_of_the_standard_library_without_zeros_and_signs() {
        let most = u64::MAX.to_string();
        let texts = [
            "0",
            "1",
            "42",
            "9999999999999999999",
            "10000000000000000000",
            &most,
        ];
        for text in texts {
            assert_eq!(whole_number(text), text.parse().ok(), "{text}");
        }
        let none = [
            "",
            "00",
            "01",
            "+1",
            "-1",
            "1 ",
            " 1",
            "1_0",
            "1.0",
            "1e3",
            "٣",
            "18446744073709551616",
            "99999999999999999999x",
        ];
        assert!(none.iter().all(|text| whole_number(text).is_none()));
    }
}
