//! Failed writes: what is retried, what is never retried, and what the next run does.

use std::sync::mpsc;

use insta::assert_snapshot;
use roomform::sandbox::{Config, Quirks};

use super::{BASIC, EMPTY_LIST, LISTED, LOGIN, MANIFEST, PASSWORD, SECRET_KEY, WRITTEN};
use super::{is_write, redacted_output, scene_at, scene_with, server, writes};
use crate::support::{Canned, Ran, Scene, Shows, answer, form, json};

/// The output after the plan, without the rooms that succeeded; the exit code must be 4.
#[track_caller]
fn ending(ran: &Ran) -> String {
    let text = redacted_output(ran, &[]);
    assert_eq!(ran.code, 4, "{text}");
    let lines = ran.out.lines();
    let results = lines.skip_while(|line| !line.starts_with("  !! ") && !line.starts_with("  ok "));
    let lines: Vec<&str> = results
        .filter(|line| !line.is_empty() && !line.starts_with("  ok ") && !line.starts_with("now: "))
        .collect();
    lines.join("\n")
}

/// The output about a create that gets this answer. Checks that the create is sent once, and
/// that nothing is recorded as confirmed.
#[track_caller]
fn created(answer: Vec<u8>) -> String {
    created_in(1, answer)
}

/// Like [`created`], for a create that is sent this many times.
#[track_caller]
fn created_in(times: usize, answer: Vec<u8>) -> String {
    let server = server(EMPTY_LIST, EMPTY_LIST, move |_| answer.clone());
    let scene = scene_at(&server.url());
    let ran = scene.apply_without_patience();
    let requests = server.requests();
    let reads = requests.split(|request| is_write(request));
    let reads: Vec<usize> = reads.map(<[String]>::len).collect();
    assert_eq!(reads.len(), times + 1, "{ran:#?}");
    // Before a create is repeated, roomform searches for the room: it reads the list at the
    // start and at the end of the search.
    assert!(reads[1..times].iter().all(|count| *count >= 2), "{reads:?}");
    let verify: usize = reads[1..].iter().sum();
    ran.shows(format!("{times} to write, {verify} to verify"));
    let mut kinds = ledger_kinds(&scene);
    kinds.dedup();
    // If a create was sent several times, an earlier one may have succeeded.
    let ended = ["intent", "not_created"];
    assert_eq!(kinds, if times == 1 { &ended[..] } else { &ended[..1] });
    ending(&ran)
}

/// The kinds of the ledger's entries.
fn ledger_kinds(scene: &Scene) -> Vec<String> {
    let mut ledgers = scene.files();
    ledgers.retain(|(path, _)| path.extension().is_some_and(|ending| ending == "jsonl"));
    let (_, bytes) = ledgers.pop().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    for secret in [SECRET_KEY, BASIC, LOGIN, PASSWORD] {
        text.lacks(secret);
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
fn a_refused_create_fails_and_is_not_retried() {
    let body = r#"{"message":"Invalid.","errors":{"login":["The login field is required."]}}"#;
    assert_snapshot!(created(answer("422 Unprocessable Entity", "", body)), @"
      !! team-a               failed       the server rejects the request (HTTP 422): The login field is required; Invalid, after 1 request
    apply: 1 failed; 0 members confirmed; requests: 1 to write, 1 to verify
    ");
    let denied = r#"{"code":401,"error":"who are you"}"#;
    assert_snapshot!(created(answer("401 Unauthorized", "", denied)), @"
      !! team-a               failed       the server does not accept the site user's login and password (HTTP 401): who are you, after 1 request
    apply: 1 failed; 0 members confirmed; requests: 1 to write, 1 to verify
      hint: check IMBACHAT_LOGIN and IMBACHAT_PASSWORD: they must belong to a user of the site that has the widget
    stopped: the server rejects the credentials; writes to other rooms were not started
    ");
    assert_snapshot!(created(json(denied)), @"
      !! team-a               failed       the server does not accept the site user's login and password (code 401 with HTTP 200): who are you, after 1 request
    apply: 1 failed; 0 members confirmed; requests: 1 to write, 1 to verify
      hint: check IMBACHAT_LOGIN and IMBACHAT_PASSWORD: they must belong to a user of the site that has the widget
    stopped: the server rejects the credentials; writes to other rooms were not started
    ");
    assert_snapshot!(created(json(r#"{"errors":["the pipe is taken"]}"#)), @"
      !! team-a               failed       the server rejects the call (an error with HTTP 200): the pipe is taken, after 1 request
    apply: 1 failed; 0 members confirmed; requests: 1 to write, 1 to verify
    ");
    assert_snapshot!(created(json(r#"{"errorMsg":"the pipe is taken"}"#)), @"
      !! team-a               failed       the server rejects the call (an error with HTTP 200): the pipe is taken, after 1 request
    apply: 1 failed; 0 members confirmed; requests: 1 to write, 1 to verify
    ");
    let inside = r#"{"code":200,"data":[{"success":false,"error":"the pipe is taken"}]}"#;
    assert_snapshot!(created(json(inside)), @"
      !! team-a               failed       the server rejects the call (an error with HTTP 200): the pipe is taken, after 1 request
    apply: 1 failed; 0 members confirmed; requests: 1 to write, 1 to verify
    ");
}

/// roomform looks for the room until `--verify-timeout`, creates it once more, and looks again. The cases run in parallel to
/// save time.
#[test]
fn a_create_with_an_unclear_answer_is_looked_up_before_it_is_repeated() {
    let whole = json(WRITTEN);
    let cases = [
        (
            answer(
                "500 Internal Server Error",
                "",
                r#"{"message":"Server Error"}"#,
            ),
            "the server failed (HTTP 500): Server Error",
        ),
        (
            answer("502 Bad Gateway", "", "<html>502</html>"),
            "the server failed (HTTP 502)",
        ),
        (
            json("<html>Please log in</html>"),
            "the server's answer cannot be used: the answer is HTML, not JSON",
        ),
        (
            json(""),
            "the server's answer cannot be used: the answer is empty",
        ),
        (
            json(&WRITTEN[..WRITTEN.len() - 9]),
            "the server's answer cannot be used: the answer is cut off before its end",
        ),
        (
            Vec::new(),
            "the connection was lost: error sending request: client error (SendRequest): connection closed before message completed",
        ),
        (
            whole[..whole.len() - 9].to_vec(),
            "the connection was lost: error decoding response body: request or response body error: error reading a body from connection: end of file before message length reached",
        ),
    ];
    std::thread::scope(|scope| {
        for (answer, reason) in cases {
            scope.spawn(move || {
                let expected = format!(
                    "  !! team-a               uncertain    {reason}; the next run checks whether the room exists\n\
                     apply: 1 uncertain; 0 members confirmed; requests: 2 to write, "
                );
                // `created_in` checks when the list is read. The number of reads depends on the
                // machine.
                let ended = created_in(2, answer);
                let reads = ended.strip_prefix(&expected).unwrap_or_default();
                assert!(["4 to verify", "5 to verify", "6 to verify"].contains(&reads), "{ended}");
            });
        }
    });
}

#[test]
fn a_create_does_not_follow_a_redirect() {
    let elsewhere = Canned::raw(json(WRITTEN));
    let url = elsewhere.url();
    for status in [301, 302, 307, 308] {
        let location = format!("Location: {url}/imbachat?token=Uv94\r\n");
        let text = created(answer(&format!("{status} Moved"), &location, ""));
        let text = text.replace(&url, "http://elsewhere");
        let expected = format!(
            "failed       the server redirects to `http://elsewhere/imbachat` (HTTP {status}); nothing was sent there, \
             after 1 request\n"
        );
        text.shows(&expected);
    }
    assert_eq!(elsewhere.served(), 0);
}

#[test]
fn a_create_is_repeated_after_425() {
    let early = |before| match before {
        0 => answer("429 Too Many Requests", "Retry-After: 0\r\n", ""),
        _ => json(WRITTEN),
    };
    let server = server(EMPTY_LIST, LISTED, early);
    let scene = scene_at(&server.url());
    let out = scene.apply().ok();
    out.shows("apply: 1 verified; 2 members confirmed; requests: 2 to write, 1 to verify");
    assert_eq!(writes(&server).len(), 2);
    assert_eq!(ledger_kinds(&scene), ["intent", "confirmed", "seen"]);
}

#[test]
fn a_create_without_an_answer_is_uncertain() {
    let (end, ended) = mpsc::channel::<()>();
    let server = Canned::by(move |request| {
        if is_write(request) {
            // Do not answer before the client has exited.
            ended.recv().unwrap_err();
            return Vec::new();
        }
        json(EMPTY_LIST)
    });
    let ran = scene_at(&server.url()).run("apply --yes --timeout 200ms --verify-timeout 100ms");
    drop(end);
    let text = ending(&ran);
    assert_snapshot!(text, @"
      !! team-a               uncertain    no answer within 0.2 s: error sending request: operation timed out; the next run checks whether the room exists
    apply: 1 uncertain; 0 members confirmed; requests: 1 to write, 8 to verify
    not verified: the list could not be read again: no answer within 0.2 s: error sending request: operation timed out
    ");
}

#[test]
fn secrets_are_hidden_if_the_answer_to_a_write_repeats_them() {
    let said = format!("{LOGIN} / {PASSWORD} / {SECRET_KEY} \u{1b}[1m");
    let body = serde_json::json!({"code": 401, "error": said}).to_string();
    assert_snapshot!(created(answer("401 Unauthorized", "", &body)), @r"
      !! team-a               failed       the server does not accept the site user's login and password (HTTP 401): *** / *** / *** \u{1b}[1m, after 1 request
    apply: 1 failed; 0 members confirmed; requests: 1 to write, 1 to verify
      hint: check IMBACHAT_LOGIN and IMBACHAT_PASSWORD: they must belong to a user of the site that has the widget
    stopped: the server rejects the credentials; writes to other rooms were not started
    ");
}

#[test]
fn the_report_contains_no_secret() {
    let body = serde_json::json!({"code": 401, "error": format!("no user {LOGIN}/{PASSWORD}")});
    let answer = answer("401 Unauthorized", "", &body.to_string());
    let server = server(EMPTY_LIST, EMPTY_LIST, move |_| answer.clone());
    let ran = scene_at(&server.url()).run("apply --yes --format json");
    redacted_output(&ran, &[]);
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
fn a_wrong_login_changes_nothing_and_the_right_one_continues() {
    for errors_with_200 in [false, true] {
        let scene = Scene::new()
            .manifest(MANIFEST)
            .sandbox_with_quirks(Quirks {
                errors_with_200,
                ..Quirks::default()
            })
            .env("IMBACHAT_LOGIN", LOGIN);
        let text = ending(&scene.apply());
        text.shows("failed       the server does not accept the site user's login and password (");
        text.shows("\n  hint: check IMBACHAT_LOGIN and IMBACHAT_PASSWORD: they must belong to a user of the site that has the widget");
        assert!(scene.rooms().is_empty());
        assert_eq!(scene.writes(), 1);
        let scene = scene.env("IMBACHAT_LOGIN", "admin");
        scene.apply().ok();
        assert_eq!(scene.room("team-a").members, [3, 4].into());
        scene.run("plan --detailed-exitcode").ok();
    }
}

// a create with a lost answer

#[test]
fn a_create_with_a_lost_answer_is_found_and_finished_in_the_same_run() {
    let members: Vec<String> = (1..=201).map(|id| id.to_string()).collect();
    let manifest = format!(
        "version: 1\nrooms:\n  - {{pipe: team-a, title: Team A, members: [{}]}}\n",
        members.join(", ")
    );
    // The first request reads the list, and the second one creates the room. With this seed,
    // only the second request loses its answer.
    let scene = Scene::new().manifest(&manifest).sandbox_with(Config {
        lost_answer_rate: 0.1,
        seed: 3,
        ..Config::default()
    });
    let report = scene.path("report.json");
    let out = scene
        .run(["apply", "--yes", "--report", report.to_str().unwrap()])
        .ok();
    out.shows("apply: 1 verified; 201 members confirmed; requests: 3 to write, 2 to verify");
    assert_eq!(
        (scene.stats().lost, scene.writes(), scene.rooms().len()),
        (1, 3, 1)
    );
    assert_eq!(scene.room("team-a").members.len(), 201);
    let report: serde_json::Value = serde_json::from_str(&scene.read("report.json")).unwrap();
    let room = &report["rooms"][0];
    assert_eq!(
        (room["was_uncertain"].as_bool(), room["requests"].as_u64()),
        (Some(true), Some(3)),
        "{room}"
    );
    scene.run("plan --detailed-exitcode").ok();
    assert_eq!(
        ledger_kinds(&scene),
        ["intent", "confirmed", "confirmed", "seen"]
    );
}

// updates

/// The outcome of an update with these answers, and how often it was sent.
fn updated(answer: impl Fn(usize) -> Vec<u8> + Send + 'static) -> (Ran, usize) {
    let server = server(LISTED, LISTED, answer);
    let manifest = MANIFEST.replace("Team A", "Team B");
    let ran = scene_with(&manifest, &server.url()).run("apply --yes");
    let sent = writes(&server);
    assert!(sent.iter().all(|request| form(request) == form(&sent[0])));
    (ran, sent.len())
}

#[test]
fn a_failing_update_is_tried_four_times() {
    let failing = |_| {
        answer(
            "500 Internal Server Error",
            "",
            r#"{"message":"Server Error"}"#,
        )
    };
    let (ran, sent) = updated(failing);
    assert_eq!(sent, 4);
    assert_snapshot!(ending(&ran), @"
      !! team-a               failed       the server failed (HTTP 500): Server Error, after 4 requests
    apply: 1 failed; 0 members confirmed; requests: 4 to write, 1 to verify
    ");
}

#[test]
fn a_refused_update_is_not_repeated() {
    let (ran, sent) = updated(|_| answer("404 Not Found", "", r#"{"message":"Room not found"}"#));
    assert_eq!(sent, 1);
    assert_snapshot!(ending(&ran), @"
      !! team-a               failed       the server does not know this address (HTTP 404): Room not found, after 1 request
    apply: 1 failed; 0 members confirmed; requests: 1 to write, 1 to verify
      hint: check --api-url
    ");
}

#[test]
fn an_answer_for_another_room_stops_the_writes_of_the_room() {
    let other = json(r#"{"data":[{"success":true,"room_id":8}]}"#);
    let (ran, sent) = updated(move |_| other.clone());
    assert_eq!(sent, 1);
    assert_snapshot!(ending(&ran), @"
      !! team-a               conflict     the call was for room 7, but the server answered for room 8
    apply: 1 conflict; 0 members confirmed; requests: 1 to write, 1 to verify
    ");
}

#[test]
fn an_error_in_an_answer_for_another_room_is_shown() {
    let other = json(r#"{"data":[{"success":true,"room_id":8}],"errors":["user 4 is unknown"]}"#);
    let (ran, sent) = updated(move |_| other.clone());
    assert_eq!(sent, 1);
    assert_snapshot!(ending(&ran), @"
      !! team-a               conflict     the call was for room 7, but the server answered for room 8; the server answered: user 4 is unknown
    apply: 1 conflict; 0 members confirmed; requests: 1 to write, 1 to verify
    ");
}

// success answers with an error inside

/// Successful answers that contain an error, each with the message to show.
fn carrying() -> Vec<(Vec<u8>, &'static str)> {
    let row = r#"{"success":true,"room_id":7}"#;
    let whole = |more: &str| json(&format!(r#"{{"code":200,{more},"data":[{row}]}}"#));
    let rows = |second: &str| json(&format!(r#"{{"code":200,"data":[{row},{second}]}}"#));
    let accepted = "the call was accepted but not confirmed (202)";
    vec![
        (
            whole(r#""errors":["user 4 is unknown"]"#),
            "user 4 is unknown",
        ),
        (
            whole(r#""warnings":["user 4 is unknown"]"#),
            "user 4 is unknown",
        ),
        (
            rows(r#"{"success":false,"error":"user 4 is unknown"}"#),
            "user 4 is unknown",
        ),
        (
            rows(r#"{"success":true,"room_id":8}"#),
            "the answer names more than one room: 7, 8",
        ),
        (answer("202 Accepted", "", WRITTEN), accepted),
    ]
}

#[test]
fn a_success_with_an_error_records_the_room_without_members() {
    for (answer, words) in carrying() {
        let server = server(EMPTY_LIST, LISTED, move |before| match before {
            0 => answer.clone(),
            _ => json(WRITTEN),
        });
        let scene = scene_at(&server.url());
        let ran = scene.run("apply --yes --failed failed.csv");
        let text = ending(&ran);
        let expected = format!(
            "  !! team-a               partial      created as room 7, 0 members confirmed; the server answered: {words}\n\
             apply: 1 partial; 0 members confirmed; requests: 1 to write, 1 to verify"
        );
        assert_eq!(text, expected);
        ran.shows("now:  1 gains members, 2 members to add");
        let failed = scene.read("failed.csv");
        for user in ["3", "4"] {
            let line = format!("team-a,{user},partial; the server answered: ");
            failed.replace('"', "").shows(&line);
        }
        assert_eq!(ledger_kinds(&scene), ["intent", "confirmed", "seen"]);
        // The members are sent once more, to the recorded room: there is no second create.
        scene.apply().ok();
        let writes = writes(&server);
        assert_eq!(writes.len(), 2, "{words}");
        let again = form(&writes[1]);
        for field in [
            ("room_id", "7"),
            ("users_ids[0]", "3"),
            ("users_ids[1]", "4"),
        ] {
            assert!(again.contains(&field), "{words}: {again:?}");
        }
        scene.run("plan --detailed-exitcode").ok();
    }
}

#[test]
fn only_the_members_of_the_call_with_the_error_are_sent_again() {
    let members: Vec<String> = (1..=401).map(|id| id.to_string()).collect();
    let manifest = format!(
        "version: 1\nrooms:\n  - {{pipe: team-a, title: Team A, members: [{}]}}\n",
        members.join(", ")
    );
    let error = WRITTEN.replace("\"data\"", r#""errors":["one is unknown"],"data""#);
    let server = server(EMPTY_LIST, LISTED, move |before| match before {
        1 => json(&error),
        _ => json(WRITTEN),
    });
    let scene = scene_with(&manifest, &server.url());
    let ran = scene.run("apply --yes --failed failed.csv");
    assert_snapshot!(ending(&ran), @"
      !! team-a               partial      created as room 7, 201 members confirmed; the server answered: one is unknown
    apply: 1 partial; 201 members confirmed; requests: 3 to write, 1 to verify
    ");
    let failed = scene.read("failed.csv");
    let users: Vec<&str> = failed
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').nth(1))
        .collect();
    let expected: Vec<String> = (201..=400).map(|id| id.to_string()).collect();
    assert_eq!(users, expected);
    scene.apply().ok();
    let writes = writes(&server);
    let last = form(writes.last().unwrap());
    let sent = last
        .iter()
        .filter(|(name, _)| name.starts_with("users_ids"));
    assert_eq!((writes.len(), sent.count()), (4, 200));
    assert!(last.contains(&("users_ids[0]", "201")));
}

#[test]
fn after_a_success_with_an_error_the_list_decides_about_fields() {
    const RENAMED: &str = r#"{"success":"true","data":[{"id":7,"pipe":"team-a","name":"Team B","type":1,"is_public":0,"deleted_at":null}],"code":200}"#;
    let manifest =
        "version: 1\nrooms:\n  - {pipe: team-a, title: Team B, members_policy: on_create}\n";
    let error = json(&WRITTEN.replace("\"data\"", r#""warnings":["no such title"],"data""#));
    let run = |after| {
        let error = error.clone();
        let server = server(LISTED, after, move |_| error.clone());
        let scene = scene_with(manifest, &server.url());
        let ran = scene.apply_without_patience();
        let shown = ran
            .out
            .lines()
            .filter(|line| line.contains("the server answered"));
        let shown: Vec<&str> = shown.collect();
        ran.exits(4);
        let next = scene.run("plan --detailed-exitcode").code;
        (shown.join("\n").trim().to_owned(), next)
    };
    let (text, next) = run(RENAMED);
    assert_snapshot!(text, @"!! team-a               partial      updated, 0 members confirmed; the server answered: no such title");
    assert_eq!(next, 0);
    let (text, next) = run(LISTED);
    assert_snapshot!(text, @r#"?? team-a               pending      title sent as "Team B", shown as "Team A"; the server answered: no such title"#);
    assert_eq!(next, 2);
}

#[test]
fn an_error_in_a_success_is_escaped_in_every_output() {
    let said = format!("\u{1b}[1m {LOGIN} | <b> @all\n::error::x");
    let said = serde_json::to_string(&said).unwrap();
    let answer = WRITTEN.replace("\"data\"", &format!("\"errors\":[{said}],\"data\""));
    for format in ["text", "json", "markdown", "github"] {
        let answer = json(&answer);
        let server = server(EMPTY_LIST, LISTED, move |_| answer.clone());
        let ran = scene_at(&server.url()).run(["apply", "--yes", "--format", format]);
        let text = redacted_output(&ran, &[]);
        assert_eq!(ran.code, 4, "{text}");
        assert!(
            !text.contains('\u{1b}') && text.contains("partial"),
            "{text}"
        );
        text.lacks("\n::error::x");
        match format {
            "json" => {
                let room = &ran.json()["rooms"][0];
                assert_eq!(
                    (&room["status"], &room["members"]),
                    (&"partial".into(), &0.into())
                );
                assert_eq!(
                    room["reason"],
                    "the server answered: \u{1b}[1m *** | <b> @all\n::error::x"
                );
            }
            "markdown" => {
                text.shows(r"`\u{1b}[1m *** | <b> @all\u{a}::error::x`");
            }
            _ => assert!(text.contains("***"), "{text}"),
        }
    }
}
