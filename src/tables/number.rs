//! Numbers as manifests and files with rows write them.

/// Digits without sign or leading zero.
pub(crate) fn whole_number(text: &str) -> Option<u64> {
    // One digit more may be too much.
    const SURELY_FIT: usize = 19;
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
    match text.as_bytes() {
        [b'0'] => Some(0),
        [b'1'..=b'9', ..] if text.len() > SURELY_FIT => {
            let plain = text.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| text.parse().ok()).flatten()
        }
        [b'1'..=b'9', ..] => {
            let mut digits = text.as_bytes().iter();
            digits.try_fold(0, |number, byte| Some(number * 10 + digit(byte)?))
        }
        _ => None,
    }
}

/// Hundredths of a percent out of `12.5%`.
pub(crate) fn share(text: &str) -> Option<u64> {
    let (whole, part) = text
        .strip_suffix('%')
        .map(|number| number.split_once('.').unwrap_or((number, "0")))?;
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
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
