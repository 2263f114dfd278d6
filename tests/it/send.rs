//! `send`: one message to the right room, sent once, and reported correctly.

use std::io::{BufRead as _, BufReader, Read as _};

use insta::assert_snapshot;
use roomform::sandbox::{Config, Quirks, Room};
use serde_json::{Value, json};

use crate::support::{Args, Canned, Fault, Proxy, Ran, Scene, Shows, live_room, until};

/// A user of the site, who sends the message.
const USER: [&str; 2] = ["--user", "3"];
const MESSAGES_PAGE: &str = include_str!("pages/messages.txt");
/// Signed with the sandbox's key; valid until 2100.
const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDAsInVzZXJfaWQiOjF9.re5IXI3tOhBns9P4hcCY7qHoaMEb9ODtYQShIlZspPI";

fn room(id: u64, pipe: &str) -> Room {
    Room {
        id,
        members: [3].into(),
        ..live_room(pipe, "A room")
    }
}

fn start(config: Config) -> Scene {
    let scene = Scene::new().sandbox_with(config);
    scene.insert(room(7, "team-a"));
    scene
}

fn widget() -> Scene {
    start(Config::default())
}

fn send(scene: &Scene, args: impl Args) -> Ran {
    scene.run([&["send"], &USER[..], &args.args()].concat())
}

/// Room, sender and text of each message.
fn messages(scene: &Scene) -> Vec<(u64, u64, String)> {
    let messages = scene.world(|world| world.messages(627)).into_iter();
    messages
        .map(|message| (message.room_id, message.remote_user_id, message.text))
        .collect()
}

fn once(text: &str) -> Vec<(u64, u64, String)> {
    vec![(7, 3, text.to_owned())]
}

/// A sandbox behind a proxy that applies this fault to every message.
fn struck(scene: &Scene, fault: Fault) -> (Proxy, Scene) {
    let proxy = Proxy::start(&scene.url(), move |_, request| {
        let message = request.is_some_and(|request| request.contains("/send_msg "));
        message.then_some(fault)
    });
    let scene = Scene::new().beside(scene).at(&proxy.url());
    (proxy, scene)
}

/// How many messages the proxy saw.
fn tries(proxy: &Proxy) -> usize {
    let seen = proxy.seen().into_iter();
    seen.filter(|call| call.request.contains("/send_msg "))
        .count()
}

#[test]
fn a_message_is_sent_to_the_room_of_the_pipe_and_its_id_printed() {
    let scene = widget();
    let ran = send(&scene, ["team-a", "Hello, all"]);
    assert_eq!(ran.err, "");
    let output = ran.ok().replace(&scene.url(), "<api>");
    assert_snapshot!(output, @r#"
    sent: message 1 to team-a (room 7)
          from 3: "Hello, all"
          target: widget 627 on <api>
    "#);
    assert_eq!(messages(&scene), once("Hello, all"));
    let stats = scene.stats();
    assert_eq!((stats.get_rooms, stats.send_msg), (1, 1));
    let listed = "get messages --columns id,room_id,message --format csv";
    assert_eq!(
        scene.run(listed).ok(),
        "id,room_id,message\n1,7,\"Hello, all\"\n"
    );
    let json = send(&scene, "--room team-a Again --format json");
    assert_eq!(
        json.json(),
        json!({"format": 1, "kind": "sent", "exit": 0, "origin": scene.url(), "widget": 627, "room_id": 7, "pipe": "team-a",
            "user_id": 3, "message_id": 2, "message": "Again"})
    );
    assert_eq!((json.code, messages(&scene).len()), (0, 2));
    assert!(scene.files().is_empty(), "no ledger");
}

#[test]
fn with_a_room_id_the_list_is_not_read() {
    let scene = widget();
    let output = scene.run("send --from 3 --room-id 7 Hello").ok();
    output.begins("sent: message 1 to room 7\n");
    assert_eq!(
        (messages(&scene), scene.stats().get_rooms),
        (once("Hello"), 0)
    );
    // The server decides which rooms exist.
    let ran = send(&scene, "--room-id 99 Hello");
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert_snapshot!(ran.err, @"
    error: the message was not sent: the server does not know this address (HTTP 404): Room not found
      hint: check the room and the user; `roomform get rooms` and `roomform get users` list them (--user is the remote_user_id)
      hint: check --api-url
    ");
    assert_eq!(messages(&scene).len(), 1);
}

#[test]
fn a_text_comes_from_stdin_or_a_file_without_the_line_break_at_its_end() {
    let scene = widget();
    scene.write("notice.txt", "One\n\n  two – три\r\n\n");
    send(&scene, "team-a --text-file notice.txt").ok();
    let args = ["send", "--user", "3", "--room-id", "7", "-"];
    scene.run_with_input(args, "From a pipe\n").ok();
    let texts: Vec<String> = messages(&scene)
        .into_iter()
        .map(|(_, _, text)| text)
        .collect();
    assert_eq!(texts, ["One\n\n  two – три", "From a pipe"]);
    scene.write("long.txt", "x".repeat((1 << 20) + 1));
    scene.write("latin.txt", b"caf\xe9");
    let failed = ["none.txt", "long.txt", "latin.txt"].map(|file| {
        let ran = send(&scene, ["team-a", "--text-file", file]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""));
        ran.err
    });
    assert_snapshot!(failed.concat(), @"
    error: `none.txt` cannot be read: No such file or directory (os error 2)
    error: `long.txt` has more than 1048576 bytes; nothing was sent
      hint: send a shorter text
    error: `latin.txt` is not text in UTF-8; nothing was sent
      hint: save it as UTF-8
    ");
    assert_eq!(scene.stats().send_msg, 2);
}

#[test]
fn a_missing_room_or_text_is_a_usage_error_without_a_request() {
    let scene = widget();
    scene.write("empty.txt", " \n\n");
    scene.write("full.txt", "Hello");
    let mut output = String::new();
    for args in [
        &["team-a", ""][..],
        &["team-a", " \t\n "],
        &["team-a", "-"],
        &["team-a", "--text-file", "empty.txt"],
        &["team-a"],
        &[],
        &["", "Hello"],
        &["--room-id", "7", "Hello", "all"],
        &["team-a", "Hello", "--text-file", "full.txt"],
        &["team-a", "--text-file", "full.txt", "-f", "rooms.yaml"],
        &["team-a", "Hello", "--only", "team-*"],
    ] {
        let ran = send(&scene, args);
        assert_eq!((ran.code, ran.out.as_str()), (64, ""), "{args:?}");
        let first = ran.err.lines().next().unwrap();
        output.push_str(&format!("{args:?} {first}\n"));
    }
    assert_snapshot!(output, @r#"
    ["team-a", ""] error: the text is empty; nothing was sent
    ["team-a", " \t\n "] error: the text is empty; nothing was sent
    ["team-a", "-"] error: the text is empty; nothing was sent
    ["team-a", "--text-file", "empty.txt"] error: the text is empty; nothing was sent
    ["team-a"] error: no text was given
    [] error: no room was given
    ["", "Hello"] error: the pipe is empty
    ["--room-id", "7", "Hello", "all"] error: the room is given twice, or the text is not quoted
    ["team-a", "Hello", "--text-file", "full.txt"] error: two texts were given
    ["team-a", "--text-file", "full.txt", "-f", "rooms.yaml"] error: `send` has no flag `-f`
    ["team-a", "Hello", "--only", "team-*"] error: `send` has no flag `--only`
    "#);
    for args in [
        "send team-a Hello",
        "send --user 0 team-a Hello",
        "send --user 3 team-a Hello all",
        "send --user 3 --room team-a --room-id 7 Hello",
        "send --user 3 team-a Hello --format markdown",
    ] {
        scene.run(args).exits(64);
    }
    let stats = scene.stats();
    assert_eq!((stats.get_rooms, stats.send_msg), (0, 0));
}

#[test]
fn nothing_is_sent_unless_the_pipe_names_one_live_room() {
    let scene = start(Config {
        quirks: Quirks {
            show_deleted: true,
            ..Quirks::default()
        },
        ..Config::default()
    });
    let gone = |id, pipe| Room {
        deleted_at: Some("2026-01-01 00:00:00".to_owned()),
        ..room(id, pipe)
    };
    scene.world(|world| {
        world.insert_room(627, gone(5, "team-a"), 1);
        world.insert_room(627, gone(8, "gone"), 1);
        world.insert_room(627, room(9, "two"), 1);
        world.insert_room(627, room(10, "two"), 1);
    });
    let outputs = ["Team-A", "gone", "two", "x\u{1b}[2J\u{202e}"].map(|pipe| {
        let ran = send(&scene, [pipe, "Hello"]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""));
        ran.err
    });
    assert_snapshot!(outputs.concat(), @r"
    error: no room has the pipe `Team-A`; nothing was sent
      hint: pipes are compared byte for byte; `roomform get rooms` lists them
    error: the room with the pipe `gone` was deleted; nothing was sent
      hint: `roomform get rooms` lists the other rooms
    error: 2 live rooms have the pipe `two`: 9, 10; nothing was sent
      hint: name one with --room-id
    error: no room has the pipe `x\u{1b}[2J\u{202e}`; nothing was sent
      hint: pipes are compared byte for byte; `roomform get rooms` lists them
    ");
    assert_eq!(scene.stats().send_msg, 0);
    send(&scene, "team-a Hello").ok();
    assert_eq!(messages(&scene), once("Hello"), "beside a deleted one");
}

/// The user must learn that the message was sent, and not send it again.
#[cfg(target_os = "linux")]
#[test]
fn a_sent_message_is_reported_even_if_stdout_fails() {
    let scene = widget();
    for (number, format) in [(1, "text"), (2, "json")] {
        let args = ["send", "--user", "3", "team-a", "Hello", "--format", format];
        let full = std::fs::File::create("/dev/full").unwrap();
        let output = scene.command(args).stdout(full).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{err}");
        let expected = format!(
            "error: the message with the number {number} was sent to room 7, but the result could not be printed: "
        );
        err.begins(&expected);
        err.ends("  hint: do not send it again\n");
    }
    assert_eq!(messages(&scene).len(), 2);
}

/// The sandbox executes the request and cuts the connection.
#[test]
fn a_message_with_a_lost_answer_is_uncertain_and_never_resent() {
    let scene = start(Config {
        lost_answer_rate: 1.0,
        ..Config::default()
    });
    let ran = send(&scene, "--room-id 7 Hello");
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    let output = ran.err.split(": the connection was lost").next().unwrap();
    assert_eq!(
        output,
        "error: uncertain: the message may have been sent to room 7, so roomform does not send it again"
    );
    ran.err
        .ends("  hint: check room 7 before you send it again\n");
    let stats = scene.stats();
    assert_eq!(
        (messages(&scene), stats.send_msg, stats.lost),
        (once("Hello"), 1, 1)
    );
}

#[test]
fn an_unclear_answer_is_reported_as_uncertain_after_one_try() {
    for (fault, arrives) in [
        (Fault::Cut, false),
        (Fault::CutAfter, true),
        (Fault::HalfAfter, true),
        (Fault::Silence, false),
        (Fault::SilenceAfter, true),
        (Fault::Answer("500 Internal Server Error", "", "{}"), false),
        (
            Fault::AnswerAfter("503 Service Unavailable", "", "{}"),
            true,
        ),
        (Fault::AnswerAfter("200 OK", "", "<html>"), true),
        (Fault::AnswerAfter("200 OK", "", "{}"), true),
    ] {
        let scene = widget();
        let (proxy, scene) = struck(&scene, fault);
        let args = ["team-a", "Hello", "--timeout", "1s", "--format", "json"];
        let ran = send(&scene, args);
        let document = ran.json();
        assert_eq!((ran.code, &document["exit"]), (1, &1.into()), "{fault:?}");
        let message = document["message"].as_str().unwrap();
        assert!(message.starts_with("uncertain: "), "{fault:?}: {message}");
        assert_eq!(tries(&proxy), 1, "{fault:?}");
        let there = if arrives { once("Hello") } else { Vec::new() };
        assert_eq!(messages(&scene), there, "{fault:?}");
    }
}

#[test]
fn failures_without_effect_are_retried_as_in_the_table() {
    let scene = widget();
    let strikes = std::sync::atomic::AtomicUsize::new(0);
    let proxy = Proxy::start(&scene.url(), move |_, request| {
        let message = request.is_some_and(|request| request.contains("/send_msg "));
        let number = || strikes.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        (message && number() < 2).then_some(Fault::Answer("429 Too Many Requests", "", "{}"))
    });
    let scene = Scene::new().beside(&scene).at(&proxy.url());
    send(&scene, "team-a Hello").ok();
    assert_eq!((tries(&proxy), messages(&scene)), (3, once("Hello")));

    // The connection is refused four times: the message was certainly not sent.
    let refusing = Proxy::start(&scene.url(), |_, _| Some(Fault::Refused));
    let scene = scene.at(&refusing.url());
    let ran = send(&scene, "--room-id 7 Hello -v");
    ran.exits(1);
    let last = ran.err.lines().find(|line| line.starts_with("error: "));
    assert!(
        last.unwrap()
            .starts_with("error: the message was not sent: no connection to "),
        "{ran:?}"
    );
    assert_eq!(ran.err.matches("a call failed  call=Message").count(), 4);
    assert_eq!(messages(&scene).len(), 1);
}

#[test]
fn a_rejected_message_is_reported_and_not_retried() {
    let mut output = String::new();
    for fault in [
        Fault::Answer(
            "422 Unprocessable Content",
            "",
            r#"{"errors":{"message":["no"]}}"#,
        ),
        Fault::Answer("401 Unauthorized", "", "{}"),
        Fault::Answer("200 OK", "", r#"{"success":false,"error":"banned"}"#),
        Fault::Answer("200 OK", "", r#"{"code":403,"error":"no"}"#),
    ] {
        let scene = widget();
        let (proxy, scene) = struck(&scene, fault);
        let ran = send(&scene, "team-a Hello");
        assert_eq!((ran.code, ran.out.as_str()), (1, ""));
        assert_eq!((tries(&proxy), messages(&scene)), (1, Vec::new()));
        output.push_str(ran.err.lines().next().unwrap());
        output.push('\n');
    }
    assert_snapshot!(output, @"
    error: the message was not sent: the server rejects the request (HTTP 422): no
    error: the message was not sent: the server does not accept the widget's secret key (HTTP 401)
    error: the message was not sent: the server rejects the call (an error with HTTP 200): banned
    error: the message was not sent: the server does not accept the widget's secret key (code 403 with HTTP 200): no
    ");
    // An unknown user.
    let scene = widget();
    let ran = scene.run("send --user 99 team-a Hello");
    assert!(
        ran.code == 1 && ran.err.contains("User not found"),
        "{ran:?}"
    );
    assert_eq!(messages(&scene), Vec::new());
}

#[test]
fn a_hostile_text_arrives_unchanged_and_is_in_no_log() {
    let text = "Hi\u{1b}[2J\u{9b}31m\u{202e}exe\u{200b}\n##vso[x]\n=1\"'\r\nContent-Disposition: form-data; name=\"room_id\"\r\n\r\n8";
    let scene = widget();
    let ran = send(&scene, ["team-a", text]);
    let shown = ran.ok();
    let bad = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{200b}".contains(c);
    assert!(!shown.contains(bad), "{shown}");
    shown.lacks("##");
    assert_eq!(shown.lines().count(), 3, "{shown}");
    assert_eq!(
        messages(&scene),
        once(text),
        "to the letter, in the room meant"
    );
    let json = send(&scene, ["team-a", text, "--format", "json"]);
    assert_eq!(json.json()["message"], text);
    // Neither the text nor the credentials are in a log, even if the server echoes them.
    for fault in [
        None,
        Some(Fault::Echo("500 Oh")),
        Some(Fault::Echo("422 No")),
        Some(Fault::Echo("200 OK")),
        Some(Fault::EchoPage("200 OK")),
        Some(Fault::CutAfter),
    ] {
        let scene = widget();
        let (_proxy, scene) = match fault {
            Some(fault) => struck(&scene, fault),
            None => struck(
                &scene,
                Fault::AnswerAfter("200 OK", "", r#"{"success":true}"#),
            ),
        };
        for format in ["text", "json"] {
            let said = "whatever Zanzibar said";
            let ran = send(&scene, ["team-a", said, "-vv", "--log-format", format]);
            assert!(ran.err.contains("text_length"), "it does log: {ran:?}");
            for secret in ["Zanzibar", "secret_key", "NjI3OnNlY3JldF9rZXk"] {
                assert!(!ran.err.contains(secret), "{fault:?}, {secret}: {ran:?}");
            }
        }
    }
}

#[test]
fn the_message_id_comes_from_the_answer_and_may_be_missing() {
    let printed = MESSAGES_PAGE.split("Response example:\n").nth(1).unwrap();
    let printed = &printed[printed.find('{').unwrap()..];
    let mut documents = serde_json::Deserializer::from_str(printed).into_iter::<Value>();
    let printed = documents.next().unwrap().unwrap();
    assert_eq!(printed["relation"], 0, "the whole sample");
    for (answer, id) in [
        (printed, json!(4543)),
        (
            json!({"success": "true", "message": {"id": "4544"}}),
            json!(4544),
        ),
        (json!({"success": true, "message": "sent"}), Value::Null),
        (
            json!({"success": 1, "message": {"id": "abc"}, "code": 200}),
            Value::Null,
        ),
    ] {
        let server = Canned::answer("200 OK", "", &answer.to_string());
        // The API's documentation says that this call needs a password, but its sample request
        // has none. The secret key is enough.
        let scene = Scene::new()
            .at(&server.url())
            .env("IMBACHAT_WIDGET", "627")
            .env("IMBACHAT_SECRET_KEY", "secret_key");
        let args = ["--room-id", "1536", "api message", "--format", "json"];
        let ran = send(&scene, args);
        assert_eq!((ran.code, &ran.json()["message_id"]), (0, &id), "{ran:?}");
        let request = &server.requests()[0];
        request.begins("POST /imbachat/v2/627/send_msg ");
        request.lacks("name=\"password\"");
        if id.is_null() {
            let output = send(&scene, &args[..3]).ok();
            let first = "sent: message (the server gave no id) to room 1536\n";
            output.begins(first);
        }
    }
}

#[test]
fn send_needs_the_secret_key() {
    let scene = widget();
    let scene = scene.env("IMBACHAT_SECRET_KEY", "");
    let without = send(&scene, "team-a Hello");
    let scene = scene.env("IMBACHAT_JWT", TOKEN);
    let with_a_token = send(&scene, "team-a Hello");
    assert_eq!(without, with_a_token);
    assert_eq!((without.code, without.out.as_str()), (1, ""));
    assert_snapshot!(without.err, @"
    error: no credentials for messages: IMBACHAT_SECRET_KEY not set
      hint: set them in the environment, or name files with ..._FILE
      hint: or try --sandbox, which needs no credentials
      hint: set the widget's secret key: a JWT can only read
    ");
    let stats = scene.stats();
    assert_eq!((stats.get_rooms, stats.send_msg), (0, 0));
}

#[test]
fn send_works_on_the_built_in_sandbox() {
    let scene = Scene::new()
        .manifest("version: 1\nrooms:\n  - {pipe: team-a, title: Team A, members: [3]}\n")
        .after("apply --sandbox --yes");
    let output = send(&scene, "team-a Hello --sandbox").ok();
    assert_snapshot!(output, @r#"
    sent: message 1 to team-a (room 2)
          from 3: "Hello"
          target: widget 627 on the sandbox
    "#);
    let listed = scene.run("get messages --sandbox --columns message");
    assert_eq!(listed.ok(), "message\nHello\n");
}

/// Between two attempts no call is in flight: an interrupt ends the program at once, and nothing was sent.
#[cfg(unix)]
#[test]
fn an_interrupt_during_a_wait_ends_without_sending() {
    let scene = widget();
    let slow = Fault::Answer("429 Too Many Requests", "Retry-After: 60\r\n", "{}");
    let (proxy, dir) = struck(&scene, slow);
    let mut child = dir.start("send --user 3 team-a Hello");
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut err = String::new();
    // Once the program says that it waits, no call is in flight.
    stderr.read_line(&mut err).unwrap();
    assert_eq!(err, "waiting 60 s, as the server requested\n");
    let kill = format!("kill -INT {}", child.id());
    let sent = std::process::Command::new("/bin/sh")
        .args(["-c", &kill])
        .status();
    assert!(sent.unwrap().success());
    stderr.read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{err}");
    let expected = "waiting 60 s, as the server requested\nerror: the message was not sent: ";
    err.begins(expected);
    assert_eq!((tries(&proxy), messages(&scene)), (1, Vec::new()));
}

/// The call in flight finishes. The program warns that after a second interrupt the result is unknown.
#[cfg(unix)]
#[test]
fn an_interrupt_during_the_call_waits_for_the_answer_and_says_so() {
    let scene = widget();
    let (proxy, dir) = struck(&scene, Fault::SilenceAfter);
    let args = ["--timeout", "2s", "--user", "3", "team-a", "Hello"];
    let child = dir.start([&["send"], &args[..]].concat());
    until("the message", || tries(&proxy) == 1);
    let kill = format!("kill -INT {}", child.id());
    let sent = std::process::Command::new("/bin/sh")
        .args(["-c", &kill])
        .status();
    assert!(sent.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    let expected = "warning: the message is being sent; if you stop now, you will not know whether it was sent\nerror: uncertain: ";
    err.begins(expected);
    assert_eq!((tries(&proxy), messages(&scene)), (1, once("Hello")));
}
