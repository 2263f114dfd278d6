//! Decodes files as UTF-8, or in the encoding that the manifest names. If this fails, the hint
//! suggests the likely encoding.

use std::ops::RangeInclusive;

use encoding_rs::{
    Encoding, IBM866, KOI8_R, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1251, WINDOWS_1252,
};

use super::diagnostic::{Mistake, clip};
use super::dialect::line_ends;

/// Maximum number of bytes that are examined to guess an encoding.
const LOOKED_AT: usize = 64 << 10;

/// Decodes a file and removes its byte order mark. Also returns the name of the encoding.
pub(crate) fn decode(
    bytes: Vec<u8>,
    label: Option<&str>,
) -> Result<(String, &'static str), Mistake> {
    let Some(label) = label else {
        if looks_like_utf_16(&bytes) {
            let hint = "set `encoding: utf-16`, or save the file as UTF-8";
            return Err(Mistake::new("the file looks like UTF-16", hint));
        }
        return Ok((decode_utf_8(bytes)?, UTF_8.name()));
    };
    let encoding = Encoding::for_label(label.as_bytes()).ok_or_else(|| {
        let message = format!("`{}` is not an encoding that roomform knows", clip(label));
        let hint =
            "use an encoding that web browsers support: utf-8, utf-16, windows-1251, windows-1252, koi8-r, ibm866, …";
        Mistake::new(message, hint)
    })?;
    let (encoding, mark) = Encoding::for_bom(&bytes).unwrap_or((encoding, 0));
    let text = bytes.get(mark..).unwrap_or_default();
    let text = encoding.decode_without_bom_handling_and_without_replacement(text);
    let text = text.ok_or_else(|| {
        let message = format!("the file is not valid {} text", encoding.name());
        let hint = guess(&bytes);
        Mistake::new(
            message,
            hint.as_deref()
                .unwrap_or("check which encoding it was saved in"),
        )
    })?;
    Ok((text.into_owned(), encoding.name()))
}

/// Decodes a file as UTF-8 and removes its byte order mark.
pub(crate) fn decode_utf_8(bytes: Vec<u8>) -> Result<String, Mistake> {
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let (good, rest) = bytes.split_at_checked(offset).unwrap_or_default();
        let line = line_ends(good).count() + 1;
        let message = format!("not valid UTF-8: byte {offset} of the file, in line {line}");
        let hint = guess(rest);
        Mistake::new(message, hint.as_deref().unwrap_or("save the file as UTF-8"))
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// Whether the bytes have a UTF-16 byte order mark or contain a NUL byte. Texts in single-byte
/// encodings contain no NUL bytes.
fn looks_like_utf_16(bytes: &[u8]) -> bool {
    let marked = Encoding::for_bom(bytes)
        .is_some_and(|(encoding, _)| encoding == UTF_16LE || encoding == UTF_16BE);
    marked || bytes.iter().take(LOOKED_AT).any(|byte| *byte == 0)
}

/// Guesses the encoding of the bytes. Returns a hint that shows a sample of the text.
fn guess(bytes: &[u8]) -> Option<String> {
    let looked_at = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    let count = |range: RangeInclusive<u8>| {
        let bytes = looked_at.iter();
        bytes.filter(|byte| range.contains(*byte)).count()
    };
    let (dos, upper, lower) = (count(0x80..=0xaf), count(0xc0..=0xdf), count(0xe0..=0xff));
    let is_high = |pair: &&[u8]| pair.iter().all(|byte| *byte >= 0x80);
    let pairs = looked_at.windows(2).filter(is_high).count();
    let high = count(0x80..=0xff);
    let (encoding, label) = if pairs * 2 < high {
        (WINDOWS_1252, "windows-1252")
    } else if dos * 2 > high {
        (IBM866, "ibm866")
    } else if lower >= upper {
        (WINDOWS_1251, "windows-1251")
    } else {
        (KOI8_R, "koi8-r")
    };
    let start = looked_at.iter().position(|byte| *byte >= 0x80)?;
    let word = looked_at
        .get(start..)?
        .split(|byte| matches!(byte, b',' | b';' | b'\t' | b'\r' | b'\n' | b'"'))
        .next()?;
    let (sample, _) = encoding.decode_without_bom_handling(word.get(..40).unwrap_or(word));
    let sample = clip(&sample);
    Some(format!(
        "set `encoding: {label}` if the text should read `{sample}`, or save the file as UTF-8"
    ))
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        reason = "a test that cannot go on fails at once"
    )]

    use super::*;

    #[test]
    fn what_registrars_save_is_read_or_recognised() {
        let russian = "user_id;фио\n7;Ученик Первый\n";
        for (encoding, label) in [
            (WINDOWS_1251, "windows-1251"),
            (KOI8_R, "koi8-r"),
            (IBM866, "ibm866"),
        ] {
            let (bytes, _, _) = encoding.encode(russian);
            assert_eq!(
                decode(bytes.to_vec(), Some(label)).unwrap(),
                (russian.to_owned(), encoding.name())
            );
            let why = decode(bytes.to_vec(), None).unwrap_err();
            // The IBM866 bytes of `фио` are also valid UTF-8, so the error is in a later word.
            let (byte, line, word) = match label {
                "ibm866" => (14, 2, "Ученик Первый"),
                _ => (8, 1, "фио"),
            };
            assert_eq!(
                why.message,
                format!("not valid UTF-8: byte {byte} of the file, in line {line}")
            );
            let hint = format!(
                "set `encoding: {label}` if the text should read `{word}`, or save the file as UTF-8"
            );
            assert_eq!(why.hint, hint);
        }
        let (bytes, _, _) = WINDOWS_1252.encode("id,name\n7,Bjørk\n");
        assert!(
            decode(bytes.to_vec(), None)
                .unwrap_err()
                .hint
                .contains("windows-1252")
        );
        let wide: Vec<u8> = [0xfeff]
            .into_iter()
            .chain(russian.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(
            decode(wide.clone(), Some("utf-16")).unwrap(),
            (russian.to_owned(), "UTF-16LE")
        );
        assert!(
            decode(wide[2..].to_vec(), None)
                .unwrap_err()
                .hint
                .contains("utf-16")
        );
        let wide: Vec<u8> = [0xfeff]
            .into_iter()
            .chain(russian.encode_utf16())
            .flat_map(u16::to_be_bytes)
            .collect();
        assert_eq!(
            decode(wide.clone(), Some("utf-16")).unwrap(),
            (russian.to_owned(), "UTF-16BE")
        );
        assert_eq!(
            decode(wide, None).unwrap_err().message,
            "the file looks like UTF-16"
        );
        assert_eq!(
            decode("\u{feff}a".into(), None).unwrap(),
            ("a".to_owned(), "UTF-8")
        );
        assert_eq!(
            decode(b"a".to_vec(), Some("klingon")).unwrap_err().message,
            "`klingon` is not an encoding that roomform knows"
        );
        assert!(
            decode(vec![0xff, 0x41], Some("utf-8"))
                .unwrap_err()
                .message
                .contains("not valid UTF-8")
        );
    }
}
