//! A write goes wrong: what is repeated and what never is, and what the next run makes of it.

use std::sync::mpsc;

use insta::assert_snapshot;
use roomform::sandbox::{Config, Quirks};

use super::{BASIC, EMPTY_LIST, LISTED, LOGIN, MANIFEST, PASSWORD, SECRET_KEY, WRITTEN};
use super::{dir, dir_with, form, good, http, is_write, server, server_by, told, writes};
use crate::support::{Api, Canned, Dir, Ran};

/// What a run prints after its plan, without the rooms that went well; it must have ended with 4.
#[track_caller]
fn ending(ran: &Ran) -> String {
    let text = told(ran, &[]);
    assert_eq!(ran.code, 4, "{text}");
    let lines = ran.out.lines();
    let results = lines.skip_while(|line| !line.starts_with("  !! ") && !line.starts_with("  ok "));
    let lines: Vec<&str> = results
        .filter(|line| !line.is_empty() && !line.starts_with("  ok ") && !line.starts_with("now: "))
        .collect();
    lines.join("\n")
}

/// How a create ends to which the server answers so. It is sent once, and nothing is on record as confirmed.
#[track_caller]
fn created(answer: Vec<u8>) -> String {
    let server = server(EMPTY_LIST, EMPTY_LIST, move |_| answer.clone());
    let dir = dir(&server.url());
    let ran = dir.run(&["apply", "--yes"]);
    assert_eq!(writes(&server).len(), 1, "{ran:#?}");
    assert_eq!(ledger_kinds(&dir), ["intent"]);
    ending(&ran)
}

/// The kinds of the ledger's entries.
fn ledger_kinds(dir: &Dir) -> Vec<String> {
    let mut ledgers = dir.files();
    ledgers.retain(|(path, _)| path.extension().is_some_and(|ending| ending == "jsonl"));
    let (_, bytes) = ledgers.pop().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    for secret in [SECRET_KEY, BASIC, LOGIN, PASSWORD] {
        assert!(!text.contains(secret), "{text}");
    }
    let entries = text.lines().skip(1);
    entries
        .map(|line| {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            entry["kind"].as_str().unwrap().to_owned()
        })
        .collect()
}

// creates

#[test]
fn a_create_that_is_refused() {
    let body = r#"{"message":"Invalid.","errors":{"login":["The login field is required."]}}"#;
    assert_snapshot!(created(http("422 Unprocessable Entity", "", body)), @"
      !! team-a               failed       the server refuses what was sent (HTTP 422): The login field is required; Invalid, after 1 request
    apply: 1 failed; 0 members confirmed; 1 to write, 1 to verify
    reading the list again
    ");
    let denied = r#"{"code":401,"error":"who are you"}"#;
    assert_snapshot!(created(http("401 Unauthorized", "", denied)), @"
      !! team-a               failed       the server does not accept the site user's login and password (HTTP 401): who are you, after 1 request
    apply: 1 failed; 0 members confirmed; 1 to write, 1 to verify
      hint: check IMBACHAT_LOGIN and IMBACHAT_PASSWORD: they are those of a user of the site the widget is on
    reading the list again
    ");
    assert_snapshot!(created(good(denied)), @"
      !! team-a               failed       the server does not accept the site user's login and password (code 401 with HTTP 200): who are you, after 1 request
    apply: 1 failed; 0 members confirmed; 1 to write, 1 to verify
      hint: check IMBACHAT_LOGIN and IMBACHAT_PASSWORD: they are those of a user of the site the widget is on
    reading the list again
    ");
    assert_snapshot!(created(good(r#"{"errors":["the pipe is taken"]}"#)), @"
      !! team-a               failed       the server refuses the call (an error with HTTP 200): the pipe is taken, after 1 request
    apply: 1 failed; 0 members confirmed; 1 to write, 1 to verify
    reading the list again
    ");
    assert_snapshot!(created(good(r#"{"errorMsg":"the pipe is taken"}"#)), @"
      !! team-a               failed       the server refuses the call (an error with HTTP 200): the pipe is taken, after 1 request
    apply: 1 failed; 0 members confirmed; 1 to write, 1 to verify
    reading the list again
    ");
    let inside = r#"{"code":200,"data":[{"success":false,"error":"the pipe is taken"}]}"#;
    assert_snapshot!(created(good(inside)), @"
      !! team-a               failed       the server refuses the call (an error with HTTP 200): the pipe is taken, after 1 request
    apply: 1 failed; 0 members confirmed; 1 to write, 1 to verify
    reading the list again
    ");
}

#[test]
fn a_create_whose_answer_says_nothing_is_in_doubt_and_not_repeated() {
    assert_snapshot!(created(http("500 Internal Server Error", "", r#"{"message":"Server Error"}"#)), @"
      !! team-a               in doubt     the server failed (HTTP 500): Server Error; the next run looks whether it is there
    apply: 1 in doubt; 0 members confirmed; 1 to write, 1 to verify
    reading the list again
    ");
    assert_snapshot!(created(http("502 Bad Gateway", "", "<html>502</html>")), @"
      !! team-a               in doubt     the server failed (HTTP 502); the next run looks whether it is there
    apply: 1 in doubt; 0 members confirmed; 1 to write, 1 to verify
    reading the list again
    ");
    assert_snapshot!(created(good("<html>Please log in</html>")), @"
      !! team-a               in doubt     the server's answer cannot be used: the answer is HTML, not JSON; the next run looks whether it is there
    apply: 1 in doubt; 0 members confirmed; 1 to write, 1 to verify
    reading the list again
    ");
    assert_snapshot!(created(good("")), @"
      !! team-a               in doubt     the server's answer cannot be used: the answer is empty; the next run looks whether it is there
    apply: 1 in doubt; 0 members confirmed; 1 to write, 1 to verify
    reading the list again
    ");
    assert_snapshot!(created(good(&WRITTEN[..WRITTEN.len() - 9])), @"
      !! team-a               in doubt     the server's answer cannot be used: the answer ends in the middle; the next run looks whether it is there
    apply: 1 in doubt; 0 members confirmed; 1 to write, 1 to verify
    reading the list again
    ");
    assert_snapshot!(created(Vec::new()), @"
      !! team-a               in doubt     the connection broke off: error sending request: client error (SendRequest): connection closed before message completed; the next run looks whether it is there
    apply: 1 in doubt; 0 members confirmed; 1 to write, 1 to verify
    reading the list again
    ");
    let whole = good(WRITTEN);
    assert_snapshot!(created(whole[..whole.len() - 9].to_vec()), @"
      !! team-a               in doubt     the connection broke off: error decoding response body: request or response body error: error reading a body from connection: end of file before message length reached; the next run looks whether it is there
    apply: 1 in doubt; 0 members confirmed; 1 to write, 1 to verify
    reading the list again
    ");
}

#[test]
fn a_create_is_not_sent_to_where_the_server_redirects() {
    let elsewhere = Canned::raw(good(WRITTEN));
    let url = elsewhere.url();
    for status in [301, 302, 307, 308] {
        let location = format!("Location: {url}/imbachat?token=Uv94\r\n");
        let text = created(http(&format!("{status} Moved"), &location, ""));
        let text = text.replace(&url, "http://elsewhere");
        let expected = format!(
            "failed       the server redirects to `http://elsewhere/imbachat` (HTTP {status}); nothing was sent there, \
             after 1 request\n"
        );
        assert!(text.contains(&expected), "{text}");
    }
    assert_eq!(elsewhere.served(), 0);
}

#[test]
fn a_create_is_repeated_when_the_server_says_it_is_too_early() {
    let early = |before| match before {
        0 => http("429 Too Many Requests", "Retry-After: 0\r\n", ""),
        _ => good(WRITTEN),
    };
    let server = server(EMPTY_LIST, LISTED, early);
    let dir = dir(&server.url());
    let out = dir.run(&["apply", "--yes"]).ok();
    assert!(
        out.contains("apply: 1 verified; 2 members confirmed; 2 to write, 1 to verify"),
        "{out}"
    );
    assert_eq!(writes(&server).len(), 2);
    assert_eq!(ledger_kinds(&dir), ["intent", "confirmed"]);
}

#[test]
fn a_create_that_is_never_answered() {
    let (end, ended) = mpsc::channel::<()>();
    let server = Canned::by(move |request| {
        if is_write(request) {
            // Until the test lets go: the client is gone by then.
            ended.recv().unwrap_err();
            return Vec::new();
        }
        good(EMPTY_LIST)
    });
    let ran = dir(&server.url()).run(&["apply", "--yes", "--timeout", "200ms"]);
    drop(end);
    let text = ending(&ran);
    assert_snapshot!(text, @"
      !! team-a               in doubt     no answer within 0.2 s: error sending request: operation timed out; the next run looks whether it is there
    apply: 1 in doubt; 0 members confirmed; 1 to write, 1 to verify
    not verified: the list could not be read again: no answer within 0.2 s: error sending request: operation timed out
    reading the list again
    ");
}

#[test]
fn a_server_that_repeats_our_secrets_in_a_write_does_not_get_them_out() {
    let said = format!("{LOGIN} / {PASSWORD} / {SECRET_KEY} \u{1b}[1m");
    let body = serde_json::json!({"code": 401, "error": said}).to_string();
    assert_snapshot!(created(http("401 Unauthorized", "", &body)), @r"
      !! team-a               failed       the server does not accept the site user's login and password (HTTP 401): *** / *** / *** \u{1b}[1m, after 1 request
    apply: 1 failed; 0 members confirmed; 1 to write, 1 to verify
      hint: check IMBACHAT_LOGIN and IMBACHAT_PASSWORD: they are those of a user of the site the widget is on
    reading the list again
    ");
}

#[test]
fn the_report_holds_no_secret_either() {
    let body = serde_json::json!({"code": 401, "error": format!("no user {LOGIN}/{PASSWORD}")});
    let answer = http("401 Unauthorized", "", &body.to_string());
    let server = server(EMPTY_LIST, EMPTY_LIST, move |_| answer.clone());
    let ran = dir(&server.url()).run(&["apply", "--yes", "--format", "json"]);
    told(&ran, &[]);
    let room = &ran.json()["rooms"][0];
    assert_eq!(
        (ran.code, &room["status"], &room["requests"]),
        (4, &"failed".into(), &1.into())
    );
    assert_eq!(
        room["reason"],
        "the server does not accept the site user's login and password (HTTP 401): no user ***/***"
    );
}

#[test]
fn a_wrong_login_leaves_the_server_as_it_was_and_the_right_one_goes_on() {
    for errors_with_200 in [false, true] {
        let quirks = Quirks {
            errors_with_200,
            ..Quirks::default()
        };
        let api = Api::start(Config {
            quirks,
            ..Config::default()
        });
        let dir = Dir::with(MANIFEST)
            .envs(&api.env())
            .env("IMBACHAT_LOGIN", LOGIN);
        let text = ending(&dir.run(&["apply", "--yes"]));
        assert!(
            text.contains(
                "failed       the server does not accept the site user's login and password ("
            ),
            "{text}"
        );
        assert!(
            text.contains("\n  hint: check IMBACHAT_LOGIN and IMBACHAT_PASSWORD: they are those of a user of the site the widget is on"),
            "{text}"
        );
        assert!(api.rooms().is_empty());
        assert_eq!(api.stats().writes(), 1);
        let dir = dir.env("IMBACHAT_LOGIN", "admin");
        dir.run(&["apply", "--yes"]).ok();
        assert_eq!(api.room("team-a").members, [3, 4].into());
        dir.run(&["plan", "--detailed-exitcode"]).ok();
    }
}

// a create whose answer is lost

#[test]
fn a_create_whose_answer_is_lost_is_adopted_by_the_next_run() {
    let members: Vec<String> = (1..=201).map(|id| id.to_string()).collect();
    let manifest = format!(
        "version: 1\nrooms:\n  - {{pipe: team-a, title: Team A, members: [{}]}}\n",
        members.join(", ")
    );
    // Of this seed's requests only the second loses its answer: after the list, the create.
    let api = Api::start(Config {
        lost_answer_rate: 0.1,
        seed: 3,
        ..Config::default()
    });
    let dir = Dir::with(&manifest).envs(&api.env());
    let ran = dir.run(&["apply", "--yes"]);
    let text = ending(&ran);
    assert!(
        text.contains("in doubt     the connection broke off: "),
        "{text}"
    );
    assert!(
        text.contains("; the next run looks whether it is there\n"),
        "{text}"
    );
    assert!(
        text.contains("\napply: 1 in doubt; 0 members confirmed; 1 to write, 1 to verify"),
        "{text}"
    );
    assert_eq!((api.stats().lost, api.stats().writes()), (1, 1));
    assert_eq!(
        api.room("team-a").members.len(),
        200,
        "the server did it all the same"
    );
    let id = api.room("team-a").id;

    let planned = dir.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(planned.code, 2);
    assert!(
        planned
            .out
            .contains("plan: 1 to gain members only, 201 members to add; "),
        "{}",
        planned.out
    );
    dir.run(&["apply", "--yes"]).ok();
    let room = api.room("team-a");
    assert_eq!((room.id, room.members.len()), (id, 201));
    assert_eq!(api.stats().writes(), 3, "201 members take two calls");
    dir.run(&["plan", "--detailed-exitcode"]).ok();
    assert_eq!(ledger_kinds(&dir), ["intent", "confirmed", "confirmed"]);
}

// updates

/// How an update ends that gets these answers, and how often it was sent.
fn updated(answer: impl Fn(usize) -> Vec<u8> + Send + 'static) -> (Ran, usize) {
    let server = server(LISTED, LISTED, answer);
    let manifest = MANIFEST.replace("Team A", "Team B");
    let ran = dir_with(&manifest, &server.url()).run(&["apply", "--yes"]);
    let sent = writes(&server);
    assert!(sent.iter().all(|request| form(request) == form(&sent[0])));
    (ran, sent.len())
}

#[test]
fn an_update_that_fails_is_repeated_four_times_in_all() {
    let failing = |_| {
        http(
            "500 Internal Server Error",
            "",
            r#"{"message":"Server Error"}"#,
        )
    };
    let (ran, sent) = updated(failing);
    assert_eq!(sent, 4);
    assert_snapshot!(ending(&ran), @"
      !! team-a               failed       the server failed (HTTP 500): Server Error, after 4 requests
    apply: 1 failed; 0 members confirmed; 4 to write, 1 to verify
    reading the list again
    ");
}

#[test]
fn an_update_that_is_refused_is_not_repeated() {
    let (ran, sent) = updated(|_| http("404 Not Found", "", r#"{"message":"Room not found"}"#));
    assert_eq!(sent, 1);
    assert_snapshot!(ending(&ran), @"
      !! team-a               failed       the server knows no such thing (HTTP 404): Room not found, after 1 request
    apply: 1 failed; 0 members confirmed; 1 to write, 1 to verify
      hint: check --api-url
    reading the list again
    ");
}

#[test]
fn an_answer_for_another_room_stops_the_rooms_writes() {
    let other = good(r#"{"data":[{"success":true,"room_id":8}]}"#);
    let (ran, sent) = updated(move |_| other.clone());
    assert_eq!(sent, 1);
    assert_snapshot!(ending(&ran), @"
      !! team-a               conflict     room 7 was meant, the server answered for room 8
    apply: 1 conflict; 0 members confirmed; 1 to write, 1 to verify
    reading the list again
    ");
}

#[test]
fn one_failing_room_stops_no_other() {
    const TEAM_B: &str = r#"{"data":[{"id":7,"pipe":"team-b","name":"Team B","type":1,"is_public":0,"deleted_at":null}]}"#;
    let server = server_by(EMPTY_LIST, TEAM_B, |request, _| {
        if request.contains("team-a") {
            http("422 Unprocessable Entity", "", "")
        } else {
            good(WRITTEN)
        }
    });
    let manifest = format!("{MANIFEST}  - {{pipe: team-b, title: Team B, members: [5]}}\n");
    let dir = dir_with(&manifest, &server.url());
    let ran = dir.run(&["apply", "--yes"]);
    assert_snapshot!(ending(&ran), @"
      !! team-a               failed       the server refuses what was sent (HTTP 422), after 1 request
    apply: 1 verified, 1 failed; 1 member confirmed; 2 to write, 1 to verify
    reading the list again
    ");
    assert!(
        ran.out.contains(
            "  ok team-b               verified     created as room 7, 1 member confirmed\n"
        ),
        "{}",
        ran.out
    );
}
