//! The lines of a ledger: writing and reading.

use std::path::Path;

use roomform::ledger::{Entries, bytes, parse};

use crate::support::target;

const HEADER: &str = r#"{"roomform_ledger":1,"origin":"https://chat.example","widget":627}
"#;

const LINES: &str = r#"{"run":"r","seq":1,"time":"t","kind":"intent","pipe":"p","members":[]}
{"run":"r","seq":2,"time":"t","kind":"intent","pipe":"p\n","members":[0,9999999999999999999],"welcome":true}
{"run":"r","seq":3,"time":"t","kind":"confirmed","pipe":"p","room_id":7,"members":[3,1,3],"title":"Курс","type":12,"public":true}
{"run":"r","seq":4,"time":"t","kind":"confirmed","pipe":"p","room_id":7,"members":[],"title":"\"Курс\"\\ \n\u0001😀\\","type":-7,"public":false,"kept":["title","type","public"],"source":"rooms/α.yaml:3"}
{"run":"r","seq":5,"time":"t","kind":"adopted","pipe":"p","room_id":7,"members":[3]}
{"run":"r","seq":6,"time":"t","kind":"released","pipe":"p","room_id":7,"members":[3]}
{"run":"r","seq":7,"time":"t","kind":"done","pipe":"p","room_id":7,"members":[3]}
{"run":"r","seq":8,"time":"t","kind":"shown","pipe":"p","room_id":7,"field":"title","sent":"A","shown":"B\""}
{"run":"r","seq":9,"time":"t","kind":"shown","pipe":"p","room_id":7,"field":"type","sent":-1,"shown":9223372036854775807}
{"run":"r","seq":10,"time":"t","kind":"shown","pipe":"p","room_id":7,"field":"public","sent":true,"shown":false}
{"run":"r","seq":11,"time":"t","kind":"message","pipe":"p","room_id":7,"from":9,"stage":"intended"}
{"run":"r","seq":12,"time":"t","kind":"message","pipe":"p","room_id":7,"from":9,"stage":"confirmed"}
{"run":"r","seq":13,"time":"t","kind":"message","pipe":"p","room_id":7,"from":9,"stage":"failed"}
{"run":"r","seq":14,"time":"t","kind":"seen","pipe":"p","room_id":18446744073709551615}
{"run":"r","seq":15,"time":"t","kind":"declared","pipe":"p","declared":false}
{"run":"r","seq":16,"time":"t","kind":"roster","source":"a.csv","given":5}
{"run":"r","seq":17,"time":"t","kind":"forgotten","pipe":"p"}
"#;

#[test]
fn lines_are_written_back_byte_for_byte() {
    let text = format!("{HEADER}{LINES}");
    let snapshot = parse(Path::new("l.jsonl"), text.as_bytes(), &target()).unwrap();
    let written = bytes(&target(), &snapshot.entries).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), text);
}

fn parse_line(line: &str) -> Result<Entries, String> {
    let text = format!("{HEADER}{line}\n");
    let parsed = parse(Path::new("l.jsonl"), text.as_bytes(), &target());
    parsed
        .map(|snapshot| snapshot.entries)
        .map_err(|error| error.to_string())
}

fn parse_keys(keys: &str) -> Result<Entries, String> {
    parse_line(&format!(r#" {{"run":"r","seq":1,"time":"t",{keys}}}"#))
}

#[test]
fn a_release_marked_as_done_by_an_earlier_version_is_done() {
    let entry = |kind: &str| {
        parse_keys(&format!(
            r#""kind":{kind},"pipe":"p","room_id":7,"members":[3]"#
        ))
    };
    assert_eq!(entry(r#""released","taken_out":true"#), entry(r#""done""#));
    assert_ne!(entry(r#""released""#), entry(r#""done""#));
}

#[test]
fn unknown_keys_spaces_and_key_order_do_not_matter() {
    let seen = parse_keys(r#""kind":"seen","pipe":"p","room_id":5"#);
    for same in [
        r#""room_id": 5 ,"pipe":"\u0070","kind":"se\u0065n""#,
        r#""kind":"seen","pipe":"p","room_id":5,"more":{"kind":[1,"x"]},"":0"#,
        r#""kind":"seen","pipe":"p","room_id":5,"title":"T","members":[1],"type":null"#,
    ] {
        assert_eq!(parse_keys(same), seen, "{same}");
    }
    assert!(seen.is_ok());
}

#[test]
fn the_error_about_an_invalid_line_says_why() {
    for (line, reason) in [
        (r#""kind":"seen","room_id":5"#, "missing field `pipe`"),
        (r#""kind":"seen","pipe":"p""#, "missing field `room_id`"),
        (r#""pipe":"p","room_id":5"#, "missing field `kind`"),
        (r#""kind":"intent","pipe":"p""#, "missing field `members`"),
        (
            r#""kind":"intent","pipe":"p","members":null"#,
            "missing field `members`",
        ),
        (r#""kind":"other","pipe":"p""#, "unknown kind `other`"),
        (r#""kind":1,"pipe":"p""#, "invalid type: integer"),
        (
            r#""kind":"seen","pipe":"p","pipe":"p","room_id":5"#,
            "duplicate field `pipe`",
        ),
        (r#""kind":"seen","pipe":"p","room_id":5.0"#, "expected u64"),
        (
            r#""kind":"seen","pipe":"p","room_id":18446744073709551616"#,
            "expected u64",
        ),
        (r#""kind":"seen","pipe":"p","room_id":05"#, "invalid number"),
        (
            r#""kind":"seen","pipe":"\ud800","room_id":5"#,
            "unexpected end of hex escape",
        ),
        (
            r#""kind":"message","pipe":"p","room_id":5,"from":1,"stage":"x""#,
            "unknown stage `x`",
        ),
        (
            r#""kind":"shown","pipe":"p","room_id":5,"field":"x","sent":1,"shown":1"#,
            "unknown field `x`",
        ),
        (
            r#""kind":"shown","pipe":"p","room_id":5,"field":"type","sent":1,"shown":"A""#,
            "`\"A\"` is not a value of `type`",
        ),
        (
            r#""kind":"shown","pipe":"p","room_id":5,"field":"type","sent":1.5,"shown":1"#,
            "`1.5` is not a value of `type`",
        ),
    ] {
        let error = parse_keys(line).unwrap_err();
        assert!(error.contains(reason), "{line}: {error}");
    }
    let array = r#"["r",1,"t","confirmed","p",5,[1],"T",1,true,[]]"#;
    assert!(parse_line(array).is_err());
}
