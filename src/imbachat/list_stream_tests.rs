//! Tests that elements are found no matter where the answer is split into pieces.

#![expect(clippy::indexing_slicing, reason = "a failing index fails the test")]

use std::iter::repeat;

use super::*;

fn split(text: &str, piece: usize) -> Result<(Vec<String>, String), BadAnswer> {
    let (mut rows, mut found) = (ListStream::default(), Vec::new());
    for piece in text.as_bytes().chunks(piece) {
        rows.feed(piece, |row| {
            found.push(String::from_utf8_lossy(row).into_owned());
            Ok(())
        })?;
    }
    assert_eq!(rows.count(), found.len());
    Ok((found, String::from_utf8_lossy(&rows.finish()?).into_owned()))
}

#[test]
fn elements_are_found_wherever_the_pieces_are_cut() {
    let text =
        r#"{"success":"true","data":[{"id":1,"name":"a\"],}"},{"meta":{"data":[1]}},],"code":200}"#;
    for piece in 1..text.len() {
        let (rows, envelope) = split(text, piece).unwrap_or_default();
        assert_eq!(
            rows,
            [r#"{"id":1,"name":"a\"],}"}"#, r#"{"meta":{"data":[1]}}"#]
        );
        assert_eq!(envelope, r#"{"success":"true","data":[],"code":200}"#);
    }
}

/// No order of brackets, quotes and keys causes a panic, and the result is the same for every
/// split.
#[test]
fn no_answer_makes_it_fall_over() {
    let words = [
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\\",
        ":",
        ",",
        "data",
        "7",
        " ",
        "\"data\":",
    ];
    let mut dice = 7_usize;
    for round in 0..4_000 {
        let mut next = || {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            words[(dice >> 33) % words.len()]
        };
        let text: String = (0..round % 24).map(|_| next()).collect();
        let whole = split(&text, text.len().max(1));
        assert_eq!(split(&text, 1), whole, "{text}");
    }
}

#[test]
fn data_may_be_an_object_with_gaps() {
    let (rows, envelope) =
        split(r#"{"data":{"0":{"id":1},"7":{"id":2}},"code":200}"#, 3).unwrap_or_default();
    assert_eq!(
        (rows.len(), envelope.as_str()),
        (2, r#"{"data":{},"code":200}"#)
    );
}

#[test]
fn other_shapes_are_left_to_the_envelope_or_refused() {
    assert_eq!(
        split(r#"{"code":401,"error":"data"}"#, 9).map(|(_, rest)| rest),
        Ok(r#"{"code":401,"error":"data"}"#.to_owned())
    );
    assert_eq!(
        split(r#"{"errors":["data",["data"]]}"#, 9).map(|(rows, _)| rows.len()),
        Ok(0)
    );
    let (not_an_object, cut) = (
        Err(shape("an element of the list is not an object")),
        Err(shape("the answer is cut off before its end")),
    );
    assert_eq!(split(r#"{"data":[null]}"#, 9), not_an_object);
    assert_eq!(split(r#"{"data":["x"]}"#, 9), not_an_object);
    assert_eq!(split(r#"{"data":{"0":"x"}}"#, 9), not_an_object);
    assert_eq!(split(r#"{"data":{"error":1}}"#, 9), not_an_object);
    assert_eq!(split(r#"{"data":[[1]]}"#, 9), not_an_object);
    let page = r#"<html><script>let x = {"data":[1]}</script>"#;
    assert_eq!(split(page, 9), Ok((Vec::new(), page.to_owned())));
    assert_eq!(split(r#"{"data":[{"id":1},{"id""#, 9), cut);
    assert_eq!(split(r#"{"data":[{"id":1}]"#, 9), cut);
    let marked = "\u{feff}{\"data\":[{\"id\":1}]";
    assert_eq!(split(marked, 9), cut);
}

#[test]
fn an_answer_without_end_is_too_large_wherever_it_goes_on() {
    let endless = |start: &str, piece: &str| {
        let mut rows = ListStream::default();
        let pieces = std::iter::once(start.to_owned()).chain(repeat(piece.repeat(1000)));
        let mut fed = pieces
            .take(20_000)
            .map(|text| rows.feed(text.as_bytes(), |_| Ok(())));
        fed.find_map(Result::err)
    };
    let rows = "{\"data\":[";
    assert_eq!(
        endless(rows, "{},"),
        Some(BadAnswer::TooLarge(
            "the server's list has more than 1000000 rows".to_owned()
        ))
    );
    for (start, piece, most) in [
        (rows, " ", 1),
        (rows, ",", 1),
        ("{\"data\":{\"", "7", 1),
        ("", " ", 1),
        ("{\"message\":\"", "text", 1),
        ("{\"data\":[{\"name\":\"", "text", 8),
        ("{\"data\":[{\"name\":", "[", 8),
    ] {
        let error = endless(start, piece);
        assert!(
            matches!(&error, Some(BadAnswer::TooLarge(text)) if text.ends_with(&format!(" is larger than {most} MiB"))),
            "{start} {piece}: {error:?}"
        );
    }
    // The limit applies to each gap between two rows, not to all gaps together.
    let spaced = format!("{rows}{}", format!("{{}}{}", " ".repeat(900_000)).repeat(3));
    assert_eq!(
        split(&format!("{spaced}]}}"), 50_000).map(|(rows, _)| rows.len()),
        Ok(3)
    );
}
