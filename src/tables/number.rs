//! Parses numbers in manifests and files with rows.

/// Whether a text consists only of digits.
pub(crate) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Parses a number without sign or leading zero.
pub(crate) fn whole_number(text: &str) -> Option<u64> {
    let is_plain = is_digits(text) && (text == "0" || !text.starts_with('0'));
    is_plain.then(|| text.parse().ok())?
}

/// The largest id: the maximum of a signed 64-bit column.
pub(crate) const LARGEST_ID: u64 = i64::MAX as u64;

/// Parses an id.
pub(crate) fn positive_id(text: &str) -> Option<u64> {
    whole_number(text).filter(|id| (1..=LARGEST_ID).contains(id))
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
    use super::whole_number;

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
