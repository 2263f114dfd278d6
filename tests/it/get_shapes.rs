//! Answers to `get messages`, whose format is not documented, and values of undocumented types.

use insta::assert_snapshot;

use crate::get::against;
use crate::support::{Canned, Ran, Shows};

/// Runs `get` against a server that returns this body.
fn get(body: &str, args: &[&str]) -> Ran {
    let server = Canned::answer("200 OK", "", body);
    against(&server).run([&["get"], args].concat())
}

const ROWS: &str = r#"[{"id":7,"message":"one ]}"},{"id":8,"message":"two"}]"#;

#[test]
fn messages_are_found_anywhere_in_an_answer() {
    let shapes = [
        format!(r#"{{"success":"true","data":{ROWS},"code":200}}"#),
        ROWS.to_owned(),
        format!(" \n{ROWS}\n"),
        format!("\u{feff}{ROWS}"),
        format!(r#"{{"data":{{"messages":{ROWS}}}}}"#),
        format!(r#"{{"code":200,"data":{{"total":2,"messages":{ROWS},}},"success":true}}"#),
        format!(r#"{{"messages":{ROWS}}}"#),
        format!(r#"{{"success":true,"history":{ROWS},"errors":[],"users":[]}}"#),
        // If there are several lists, `data` is used, or else `messages`.
        format!(r#"{{"users":[{{"id":1}}],"messages":{ROWS}}}"#),
        format!(r#"{{"messages":[{{"id":1}}],"data":{ROWS}}}"#),
        r#"{"data":{"0":{"id":7,"message":"one ]}"},"4":{"id":8,"message":"two"}}}"#.to_owned(),
        r#"{"messages":{"0":{"id":7,"message":"one ]}"},"4":{"id":8,"message":"two"}}}"#.to_owned(),
    ];
    for shape in shapes {
        let ran = get(&shape, &["messages", "--format", "csv"]);
        let expected = "id,message\n7,one ]}\n8,two\n";
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (0, expected),
            "{shape}: {ran:?}"
        );
    }
    for nothing in [
        "[]",
        r#"{"data":[]}"#,
        r#"{"data":{}}"#,
        r#"{"messages":[],"success":"true"}"#,
    ] {
        let ran = get(nothing, &["messages"]);
        assert_eq!(
            (ran.code, ran.err.as_str()),
            (0, "0 messages\n"),
            "{nothing}"
        );
    }
}

#[test]
fn an_ambiguous_answer_is_an_error_that_names_its_keys() {
    let error = |body: &str| {
        let ran = get(body, &["messages"]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
        assert!(
            !ran.err.contains("private"),
            "no value is reported: {ran:?}"
        );
        ran.err
    };
    assert_snapshot!(error(r#"{"success":true,"data":{"sent":[{"text":"private"}],"received":[{"text":"private"}]}}"#), @"
    error: the server's answer cannot be used: it contains several lists that may be the messages: `data.sent`, `data.received`
      hint: check --endpoint: the answer must be a list, or have a list under `data` or `messages`
    ");
    assert_snapshot!(error(r#"{"status":"private","x\u001b[2J":{"list":[{"text":"private"}]}}"#), @r"
    error: the server's answer cannot be used: it contains no list of messages; its keys are `status`, `x\u{1b}[2J`
      hint: check --endpoint: the answer must be a list, or have a list under `data` or `messages`
    ");
    assert_snapshot!(error("[\"private\"]"), @"
    error: the server's answer cannot be used: an element of the list is not an object
      hint: check --api-url; a proxy or a login page may have answered instead of the API
    ");
    assert_snapshot!(error("\"private\""), @"
    error: the server's answer cannot be used: the answer is JSON, but neither an object nor a list
      hint: check --api-url; a proxy or a login page may have answered instead of the API
    ");
    assert_snapshot!(error(r#"{"code":401,"error":"no access","messages":[]}"#), @"
    error: the server does not accept the widget's secret key (code 401 with HTTP 200): no access
      hint: check IMBACHAT_WIDGET and IMBACHAT_SECRET_KEY: both are shown in the widget's settings
    ");
    error("[{\"id\":1}").shows("the answer is cut off before its end");
    error("{\"messages\":[{\"id\":1}").shows("the answer is cut off before its end");
    // Rooms have a documented format; no other is accepted.
    let rooms = get(r#"[{"id":7}]"#, &["rooms"]);
    assert!(
        rooms.code == 1 && rooms.err.contains("JSON, but not an object"),
        "{rooms:?}"
    );
}

const DIGITS: &str = "123456789012345678901234567890";

#[test]
fn long_numbers_keep_all_digits() {
    let row = format!(
        r#"{{"id":7,"snowflake":{DIGITS},"ratio":0.10000000000000000001,"huge":1e400,"minus":-{DIGITS},"meta":{{"b":[{DIGITS}],"a":"\u0416"}},"said":"{{\"password\":1,\"n\":{DIGITS}}}"}}"#
    );
    let columns = "id,snowflake,ratio,huge,minus,meta,said";
    let answer = format!(r#"{{"data":[{row}]}}"#);
    let run = |list, format| {
        let args = [list, "--columns", columns, "--format", format];
        get(&answer, &args).ok()
    };
    assert_snapshot!(run("messages", "json"), @r#"
    {"format":1,"kind":"messages","exit":0,"rows":[
    {"id":7,"snowflake":123456789012345678901234567890,"ratio":0.10000000000000000001,"huge":1e400,"minus":-123456789012345678901234567890,"meta":{"b":[123456789012345678901234567890],"a":"Ж"},"said":"{\"n\":123456789012345678901234567890}"}
    ]}
    "#);
    assert_snapshot!(run("users", "csv"), @r#"
    id,snowflake,ratio,huge,minus,meta,said
    7,123456789012345678901234567890,0.10000000000000000001,1e400,-123456789012345678901234567890,"{""b"":[123456789012345678901234567890],""a"":""Ж""}","{""n"":123456789012345678901234567890}"
    "#);
    let table = run("messages", "table");
    assert_eq!(table.matches(DIGITS).count(), 4, "{table}");
    // Documented numbers keep their digits, too. A string that is not a number is kept unchanged.
    let ids = get(
        &format!(
            r#"{{"data":[{{"id":{DIGITS}}},{{"id":{}}},{{"id":{}}}]}}"#,
            u64::MAX,
            u64::MAX - 1
        ),
        &["messages", "--format", "csv", "--sort", "id"],
    );
    assert_eq!(
        ids.ok(),
        format!("id\n{}\n{}\n{DIGITS}\n", u64::MAX - 1, u64::MAX)
    );
}

#[test]
fn deep_nesting_is_an_error() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let answer = |depth| format!(r#"{{"data":[{{"id":7,"x":{}}}]}}"#, deep(depth));
    let args = ["messages", "--format", "csv", "--columns", "id"];
    assert_eq!(get(&answer(100), &args).ok(), "id\n7\n");
    let ran = get(&answer(100_000), &args);
    assert!(
        ran.code == 1 && ran.err.contains("nested too deep"),
        "{ran:?}"
    );
    // A string with deeply nested JSON is valid, but it is not shown, because it may contain a
    // secret at any depth.
    let text = format!(r#"{{"data":[{{"id":7,"x":"{}"}}]}}"#, deep(100_000));
    let ran = get(&text, &["messages", "--format", "csv"]);
    assert_eq!(ran.ok(), "id,x\n7,…\n");
}

#[test]
fn rows_with_too_many_fields_need_json() {
    let rows: Vec<String> = (0..1_200).map(|n| format!(r#"{{"f{n}":1}}"#)).collect();
    let answer = format!("[{}]", rows.join(","));
    for format in ["table", "csv"] {
        let ran = get(&answer, &["messages", "--format", format]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
        assert_eq!(
            ran.err,
            "error: the rows have 1200 different fields, too many for columns\n  hint: choose some with --columns, or use --format json\n"
        );
        let chosen = get(
            &answer,
            &["messages", "--format", format, "--columns", "f7"],
        );
        assert_eq!(chosen.ok().lines().count(), 1_201);
    }
    let json = get(&answer, &["messages", "--format", "json"]).json();
    assert_eq!(json["rows"].as_array().map(Vec::len), Some(1_200));
}
