//! Tests every answer in the two pages of the API's documentation, and PHP's type conversions.

use super::*;
use crate::imbachat::Written;
use crate::imbachat::write::{self, sent};

/// Returns the room of an answer that must have no errors.
fn written(text: &[u8]) -> Result<RoomId, BadAnswer> {
    let Written { room, errors } = write::written(text, false)?;
    assert_eq!(errors, Vec::<String>::new());
    Ok(room)
}

fn shape<T>(text: &str) -> Result<T, BadAnswer> {
    Err(super::shape(text))
}

fn complaint_of(code: Option<i64>, text: &str) -> BadAnswer {
    BadAnswer::Complaint {
        code,
        text: text.to_owned(),
    }
}

#[test]
fn both_published_answers_to_a_write_are_good() {
    let first = br#"{ "code": 200, "message": "Success", "data": [ { "success": true, "roomId": 613, "room_id": 613 } ] }"#;
    let second = b"{\n \"code\": 200,\n \"message\": \"Success\",\n \"data\": [\n {\n \"error\": false,\n \"success\": true,\n \"room_id\": \"613\",\n }\n ]\n}";
    assert_eq!(written(first), Ok(RoomId(613)));
    assert_eq!(written(second), Ok(RoomId(613)));
}

#[test]
fn php_variants_of_a_good_write() {
    for text in [
        r#"{"data":{"0":{"success":"true","roomId":"7"}}}"#,
        r#"{"code":"200","success":1,"data":{"success":"1","room_id":7.0}}"#,
        "\u{feff}{\"data\":[{\"success\":true,\"error\":null,\"room_id\":7,},],}",
        r#"{"success":"true","error":"","errors":[],"data":[{"success":true,"error":"NULL","room_id":7}]}"#,
    ] {
        assert_eq!(written(text.as_bytes()), Ok(RoomId(7)), "{text}");
    }
}

#[test]
fn answers_that_say_no_with_http_200() {
    let cases = [
        (
            r#"{"code":401,"error":"bad login"}"#,
            complaint_of(Some(401), "bad login"),
        ),
        (r#"{"errors":["a","b"]}"#, complaint_of(None, "a; b")),
        (r#"{"errorMsg":"no"}"#, complaint_of(None, "no")),
        (
            r#"{"success":false}"#,
            complaint_of(None, "the server gave no reason"),
        ),
        (
            r#"{"success":"false","message":"no"}"#,
            complaint_of(None, "no"),
        ),
        (
            r#"{"code":200,"data":[{"error":"taken","room_id":1}]}"#,
            complaint_of(None, "taken"),
        ),
        (
            r#"{"code":200,"data":[{"success":false,"room_id":1}]}"#,
            complaint_of(None, "the server gave no reason"),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(written(text.as_bytes()), Err(expected), "{text}");
    }
    for error in ["true", "{\"a\":1}", "[\"x\"]", "\"taken\"", "1"] {
        let text = format!(
            "{{\"code\":200,\"data\":[{{\"error\":{error},\"success\":false,\"room_id\":5}}]}}"
        );
        assert!(
            matches!(written(text.as_bytes()), Err(BadAnswer::Complaint { .. })),
            "{text}"
        );
    }
    assert!(matches!(
        written(br#"{"data":[{"success":true,"room_id":1e300}]}"#),
        Err(BadAnswer::Shape(_))
    ));
    let laravel = br#"{"message":"The given data was invalid.","errors":{"imba_id":["required"],"login":["required"]}}"#;
    assert_eq!(
        complaint(laravel).as_deref(),
        Some("required; The given data was invalid")
    );
}

#[test]
fn a_success_that_carries_an_error_names_it() {
    let good = r#""data":[{"success":true,"room_id":7}]"#;
    let top = |more: &str| format!(r#"{{"code":200,"message":"Success",{more},{good}}}"#);
    let second =
        |row: &str| format!(r#"{{"code":200,"data":[{{"success":true,"room_id":7}},{row}]}}"#);
    let accepted = "the call was accepted but not confirmed (202)";
    let cases = [
        (
            r#"{"code":200,"data":[{"success":true,"error":"taken","room_id":7}]}"#.to_owned(),
            "taken",
        ),
        (
            top(r#""errors":["User 9 is unknown."]"#),
            "User 9 is unknown",
        ),
        (top(r#""errors":{"users_ids":["9","8"]}"#), "9; 8"),
        (top(r#""error":true"#), NO_REASON),
        (top(r#""errorMsg":"one is missing""#), "one is missing"),
        (top(r#""warnings":["too many"]"#), "too many"),
        (top(r#""warning":"too many","warnings":[]"#), "too many"),
        (
            r#"{"data":[{"success":true,"room_id":7,"errors":["user 9"],"warnings":["old"]}]}"#
                .to_owned(),
            "user 9; old",
        ),
        (
            second(r#"{"success":false,"message":"no user 9"}"#),
            "no user 9",
        ),
        (
            second(r#"{"success":true,"error":"no user 9"}"#),
            "no user 9",
        ),
        (second(r#"{"success":false}"#), NO_REASON),
        (second(r#"{"code":422,"message":"no user 2"}"#), "no user 2"),
        (second(r#""user 2 is unknown""#), "user 2 is unknown"),
        (
            second(r#"{"status":"error","message":"no user 2"}"#),
            "no user 2",
        ),
        (
            r#"{"data":{"0":{"success":1,"room_id":7},"2":{"success":0,"error":"x"}}}"#.to_owned(),
            "x",
        ),
        (
            second(r#"{"success":true,"room_id":8}"#),
            "the answer names more than one room: 7, 8",
        ),
        (
            r#"{"data":[{"success":true,"room_id":7,"roomId":"8"}]}"#.to_owned(),
            "the answer names more than one room: 7, 8",
        ),
        (format!(r#"{{"code":202,{good}}}"#), accepted),
    ];
    for (text, expected) in cases {
        let answer = write::written(text.as_bytes(), false);
        let shown = answer.map(|Written { room, errors }| (room, errors.join("; ")));
        assert_eq!(shown, Ok((RoomId(7), expected.to_owned())), "{text}");
    }
    let text = format!(r#"{{"code":200,{good}}}"#);
    let answer = write::written(text.as_bytes(), true);
    assert_eq!(
        answer.map(|answer| answer.errors),
        Ok(vec![accepted.to_owned()])
    );
    // A server that accepted a call (202) may still act on it, so the call is uncertain and not
    // refused.
    assert_eq!(
        write::written(br#"{"code":202,"message":"queued"}"#, false),
        Err(BadAnswer::Shape("the answer names no room".to_owned()))
    );
}

#[test]
fn answers_of_no_known_shape() {
    assert_eq!(written(b""), shape("the answer is empty"));
    assert_eq!(
        written(b"<html>502</html>"),
        shape("the answer is HTML, not JSON")
    );
    assert_eq!(
        written(br#"{"code":200,"da"#),
        shape("the answer is cut off before its end")
    );
    assert_eq!(
        written(b"nope"),
        shape("the answer is not JSON (line 1, column 2)")
    );
    assert_eq!(
        written(b"[1]"),
        shape("the answer is JSON, but not an object")
    );
    assert_eq!(
        written(br#"{"code":200}"#),
        shape("the answer names no room")
    );
    assert_eq!(
        written(br#"{"code":200,"data":[{"room_id":1}]}"#),
        shape("the answer does not say whether the call succeeded")
    );
    assert_eq!(
        written(br#"{"data":[{"success":true,"room_id":"x"}]}"#),
        shape("the answer has no numeric room_id")
    );
    assert_eq!(
        written(br#"{"data":[{"success":true,"room_id":0}]}"#),
        shape("the answer has no numeric room_id")
    );
    assert_eq!(
        envelope(br#"{"success":"true","code":200}"#),
        shape("the answer has no list under `data`")
    );
}

#[test]
fn published_rows_and_their_php_variants() {
    let published = br#"{"id":1853,"pipe":"5fde659f0ba18_1608410527","name":"Technical support","admin_id":2157,"type":3,"tab":0,
        "is_public":0,"created_at":"2020-12-19 20:42:07","updated_at":"2020-12-19 20:42:07","deleted_at":null,"status":0,"imba_id":627}"#;
    let room = row(published);
    let state = RoomState::new("Technical support", RoomKind::Support, false);
    let pipe = Pipe::new("5fde659f0ba18_1608410527");
    assert_eq!(
        room,
        Ok(LiveRoom {
            id: RoomId(1853),
            pipe,
            state,
            deleted: false,
            updated_at: Some("2020-12-19 20:42:07".into()),
        })
    );
    let odd = row(br#"{"id":"7","pipe":null,"name":"NULL","type":"1","is_public":"true","deleted_at":"2020-12-19 20:42:07",}"#);
    let state = RoomState::new("NULL", RoomKind::Conference, true);
    assert_eq!(
        odd,
        Ok(LiveRoom {
            id: RoomId(7),
            pipe: Pipe::new(""),
            state,
            deleted: true,
            updated_at: None,
        })
    );
    assert!(row(br#"{"id":null,"type":1,"is_public":0}"#).is_err());
    assert!(row(br#"{"id":1,"is_public":0}"#).is_err());
    assert!(envelope(br#"{"success":"true","data":[],"code":200}"#).is_ok());
}

#[test]
fn commas_inside_of_texts_stay() {
    let answer = br#"{"data":[{"success":true,"room_id":7,"note":",]\",}",},]}"#;
    assert_eq!(written(answer), Ok(RoomId(7)));
    assert_eq!(
        without_stray_commas(br#"{"a":",]\",}",}"#),
        br#"{"a":",]\",}"}"#
    );
}

/// If roomform treated the message as refused, the next run would send it again.
#[test]
fn a_message_that_succeeds_with_an_error_is_uncertain() {
    let answer = br#"{"success":true,"errors":["stored late"],"message":{"id":5}}"#;
    assert_eq!(
        sent(answer),
        shape("it reports success and an error: stored late")
    );
    let refused = br#"{"success":false,"errors":["no such room"]}"#;
    assert_eq!(sent(refused), Err(complaint_of(None, "no such room")));
}

#[test]
fn an_answer_with_many_errors_reports_the_first_ones() -> Result<(), BadAnswer> {
    let errors: Vec<String> = (0..5000).map(|number| format!("error {number}")).collect();
    let answer = serde_json::json!({"errors": errors, "data": [{"success": true, "room_id": 7}]});
    let written = write::written(answer.to_string().as_bytes(), false)?;
    assert_eq!(written.errors.len(), 21);
    assert_eq!(
        written.errors.last().map(String::as_str),
        Some("and 4980 more errors")
    );
    Ok(())
}
