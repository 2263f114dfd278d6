//! Interrupts, and flags that slow an apply down or end it early: calls in flight finish, and the report is complete.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use roomform::sandbox::{Config, Quirks, Room};
use serde_json::Value;

use crate::support::{Fault, Proxy, Running, Scene, Shows, live_room, manifest, until};

/// Every tenth room has enough members for two calls.
fn members(room: u64) -> BTreeSet<u64> {
    let count = if room.is_multiple_of(10) { 201 } else { 2 };
    (0..count).map(|member| room * 1000 + member).collect()
}

fn courses(rooms: u64) -> String {
    manifest((1..=rooms).map(|room| {
        let members = Vec::from_iter(members(room));
        format!("pipe: course-{room:02}, title: Course {room}, members: {members:?}")
    }))
}

const APPLY: [&str; 6] = [
    "apply", "--yes", "--ledger", "l.jsonl", "--report", "r.json",
];

fn begin(scene: &Scene, more: &[&str]) -> Running {
    scene.start([&APPLY[..], more].concat())
}

pub fn signal(child: &Running, name: &str) {
    let kill = format!("kill -{name} {}", child.id());
    let sent = Command::new("/bin/sh").args(["-c", &kill]).status();
    assert!(sent.unwrap().success());
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

/// Checks each room of the report against the server; returns the statuses with their counts, sorted.
#[track_caller]
fn report(scene: &Scene, exit: i32) -> (Value, Vec<(String, usize)>) {
    let mut report: Value = serde_json::from_str(&scene.read("r.json")).unwrap();
    report["plan"] = Value::Null;
    assert_eq!(report["exit"], exit, "{report:#}");
    let mut statuses: Vec<(String, usize)> = Vec::new();
    let mut writes = 0;
    for room in report["rooms"].as_array().unwrap() {
        let (pipe, status) = (
            room["pipe"].as_str().unwrap(),
            room["status"].as_str().unwrap(),
        );
        let number: u64 = pipe.trim_start_matches("course-").parse().unwrap();
        let live = scene.rooms().into_iter().find(|live| live.pipe == pipe);
        let there = live.as_ref().map_or(0, |live| live.members.len());
        let confirmed = room["members"].as_u64().unwrap() as usize;
        let requests = room["requests"].as_u64().unwrap();
        writes += requests;
        let all = members(number).len();
        let so = match status {
            "verified" | "applied" => (confirmed, there) == (all, all) && requests > 0,
            "unfinished" => confirmed == there && there < all && requests > 0,
            "not_started" => live.is_none() && confirmed == 0,
            "failed" => confirmed <= there && room["reason"].is_string(),
            _ => false,
        };
        assert!(so, "{there} of {all} members: {room:#}");
        match statuses.iter_mut().find(|(known, _)| known == status) {
            Some((_, count)) => *count += 1,
            None => statuses.push((status.to_owned(), 1)),
        }
    }
    assert_eq!(report["requests"]["write"], writes, "{report:#}");
    statuses.sort();
    (report, statuses)
}

#[track_caller]
fn assert_converges(scene: &Scene, rooms: u64) {
    // With short timeouts, the claims of the stopped run expire soon.
    let soon = ["--timeout", "2s", "--verify-timeout", "200ms"];
    let ran = scene.run([&APPLY[..], &soon].concat());
    ran.exits(0);
    assert_eq!(scene.rooms().len() as u64, rooms);
    for room in 1..=rooms {
        let live = scene.room(&format!("course-{room:02}"));
        assert_eq!(
            (live.name, live.members),
            (format!("Course {room}"), members(room))
        );
    }
    let writes = scene.writes();
    scene.run(APPLY).ok();
    assert_eq!(scene.writes(), writes);
}

#[test]
fn one_signal_lets_calls_in_progress_finish() {
    for (name, seen, parallelism) in [
        ("INT", 1, "1"),
        ("TERM", 7, "4"),
        ("INT", 9, "8"),
        ("TERM", 29, "3"),
    ] {
        let scene = Scene::new().manifest(courses(40)).sandbox_with(Config {
            latency: Duration::from_millis(40),
            ..Config::default()
        });
        let child = begin(&scene, &["--parallelism", parallelism, "--failed", "f.csv"]);
        until("some writes", || scene.writes() >= seen);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", text(&output));
        let writes = scene.writes();
        let (report, statuses) = report(&scene, 130);
        assert_eq!(report["stopped"], "interrupted");
        assert_eq!(
            report["requests"]["write"], writes,
            "no call was given up half way"
        );
        let done: usize = statuses
            .iter()
            .filter(|(status, _)| status != "not_started")
            .map(|(_, count)| count)
            .sum();
        assert!(done > 0 && done < 40, "{statuses:?}");
        text(&output).shows("interrupted: no other requests were sent");
        text(&output).shows("interrupted: finishing requests in flight; press Ctrl-C again");
        // The `--failed` file lists everything that is not done.
        let failed = scene.read("f.csv");
        let pipes: BTreeSet<&str> = failed
            .lines()
            .skip(1)
            .map(|line| line.split(',').next().unwrap())
            .collect();
        let applied: usize = statuses
            .iter()
            .filter(|(status, _)| status == "applied")
            .map(|(_, count)| count)
            .sum();
        assert_eq!(pipes.len() + applied, 40);
        // The ledger records everything that was confirmed.
        let shown = scene
            .run("ledger show --format json --ledger l.jsonl")
            .json();
        assert_eq!(
            shown["rooms"].as_array().unwrap().len(),
            scene.rooms().len()
        );
        assert_converges(&scene, 40);
    }
}

#[test]
fn a_signal_ends_a_wait() {
    // Three kinds of waits: for the rate limit, for a server that asks for a delay, and before a retry.
    let slow = ["--rate", "0.02/s"];
    let waits: [(&[&str], Option<Fault>); 3] = [
        (&slow, None),
        (
            &[],
            Some(Fault::Answer(
                "429 Too Many Requests",
                "Retry-After: 50\r\n",
                "{}",
            )),
        ),
        (
            &[],
            Some(Fault::Answer(
                "429 Too Many Requests",
                "Retry-After: 50\r\n",
                "{}",
            )),
        ),
    ];
    for (index, (more, fault)) in waits.into_iter().enumerate() {
        let scene = Scene::new().sandbox();
        let server = scene.url();
        let proxy = Proxy::start(&server, move |number, _| fault.filter(|_| number >= 2));
        let scene = scene.manifest(courses(9)).at(&proxy.url());
        let child = begin(&scene, more);
        let calls = if fault.is_some() { 3 } else { 2 };
        until("some calls", || proxy.seen().len() >= calls);
        let begun = Instant::now();
        signal(&child, ["INT", "INT", "TERM"][index]);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", text(&output));
        assert!(
            begun.elapsed() < Duration::from_secs(15),
            "{:?}: {more:?}",
            begun.elapsed()
        );
        let (_, statuses) = report(&scene, 130);
        assert!(statuses.iter().all(|(status, _)| status != "failed"));
        let scene = scene.at(&server);
        let ledger = scene.read("l.jsonl").replace(&proxy.url(), &server);
        scene.write("l.jsonl", ledger);
        assert_converges(&scene, 9);
    }
}

/// A 429 means that the server did not act. After a 503, the server may have acted.
#[test]
fn a_change_that_the_server_postponed_is_not_started() {
    const LATER: Fault = Fault::Answer("429 Too Many Requests", "Retry-After: 50\r\n", "{}");
    const BUSY: Fault = Fault::Answer("503 Busy", "Retry-After: 50\r\n", "{}");
    const REFUSED: Fault = Fault::Answer("422 Refused", "", r#"{"error":"no"}"#);
    const ONE: &str = "title: One, members: [3]";
    let many = format!("title: One, members: {:?}", Vec::from_iter(3..300));
    let welcome = format!("{ONE}, welcome: {{from: 3, text: Hello}}");
    for (before, after, fault, status) in [
        (ONE, "title: Two, members: [3]", LATER, "not_started"),
        (ONE, many.as_str(), LATER, "not_started"),
        (ONE, "title: Two, members: [3]", BUSY, "unfinished"),
        (&welcome, &welcome, LATER, "not_started"),
    ] {
        let declare = |room: &str| manifest([format!("pipe: team-a, {room}")]);
        let scene = Scene::new().manifest(declare(before)).sandbox();
        let strikes = Arc::new(AtomicBool::new(false));
        let is_on = Arc::clone(&strikes);
        let proxy = Proxy::start(&scene.url(), move |_, request| {
            let request = request?;
            match is_on.load(Ordering::SeqCst) {
                false => request.contains("/send_msg ").then_some(REFUSED),
                true => (!request.contains("/get_rooms")).then_some(fault),
            }
        });
        let scene = scene.at(&proxy.url());
        scene.run(APPLY);
        scene.declare(declare(after));
        strikes.store(true, Ordering::SeqCst);
        let calls = proxy.seen().len();
        let child = begin(&scene, &[]);
        until("a write", || {
            let mut seen = proxy.seen().into_iter().skip(calls);
            seen.any(|call| !call.request.contains("/get_rooms"))
        });
        signal(&child, "INT");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", text(&output));
        let report: Value = serde_json::from_str(&scene.read("r.json")).unwrap();
        let room = &report["rooms"][0];
        let ended = (&room["status"], &room["requests"]);
        assert_eq!(ended, (&status.into(), &1.into()), "{after}: {room:#}");
    }
}

#[test]
fn two_signals_end_the_run_at_once() {
    for (first, second) in [("INT", "INT"), ("TERM", "INT"), ("TERM", "TERM")] {
        let scene = Scene::new().sandbox();
        let server = scene.url();
        // The server executes the fourth call and all later ones, but never answers.
        let proxy = Proxy::start(&server, |number, _| {
            (number >= 3).then_some(Fault::SilenceAfter)
        });
        let scene = scene.manifest(courses(12)).at(&proxy.url());
        let mut child = begin(&scene, &["--timeout", "10m"]);
        until("calls without an answer", || proxy.seen().len() >= 6);
        signal(&child, first);
        // Signals do not queue, so the second one may be lost: send it until the run ends.
        until("the end", || {
            signal(&child, second);
            child.try_wait().unwrap().is_some()
        });
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", text(&output));
        let scene = scene.at(&server);
        let ledger = scene.read("l.jsonl").replace(&proxy.url(), &server);
        scene.write("l.jsonl", ledger);
        assert_converges(&scene, 12);
    }
}

#[test]
fn after_the_second_signal_the_report_is_complete() {
    let scene = Scene::new().sandbox();
    let server = scene.url();
    let proxy = Proxy::start(&server, |number, _| {
        (number >= 3).then_some(Fault::SilenceAfter)
    });
    let scene = scene.manifest(courses(12)).at(&proxy.url());
    let child = begin(&scene, &["--timeout", "10m", "--parallelism", "3"]);
    until("calls without an answer", || proxy.seen().len() >= 6);
    // Two different signals never merge into one.
    signal(&child, "INT");
    signal(&child, "TERM");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output));
    text(&output).lacks(" failed");
    let report: Value = serde_json::from_str(&scene.read("r.json")).unwrap();
    assert_eq!(report["stopped"], "interrupted");
    let rooms = report["rooms"].as_array().unwrap();
    let with = |status: &str| rooms.iter().filter(|room| room["status"] == status).count();
    assert_eq!(rooms.len(), 12);
    assert_eq!((with("uncertain"), with("applied")), (3, 2), "{report:#}");
    assert_eq!(with("not_started"), 7, "{report:#}");
    // Rooms whose create was not sent are not uncertain.
    let shown = scene.run("ledger show --format json --ledger l.jsonl");
    assert_eq!(shown.json()["uncertain"].as_array().unwrap().len(), 3);
}

/// After it has counted the members, the run reads the users, to name the members that the
/// widget does not know.
#[test]
fn a_signal_ends_a_read_of_the_users() {
    let scene = Scene::new().sandbox_with_quirks(Quirks {
        drop_unknown_users: true,
        ..Quirks::default()
    });
    // The widget knows the members of the second room.
    scene.insert(Room {
        members: members(2).into_iter().collect(),
        ..live_room("other", "Other")
    });
    let is_read = |request: &str| request.contains("/get_users ");
    let proxy = Proxy::start(&scene.url(), move |_, request| {
        is_read(request?).then_some(Fault::Silence)
    });
    let scene = scene.manifest(courses(2)).at(&proxy.url());
    let flags = "--count-members --verify-timeout 100ms --timeout 5s";
    let child = begin(&scene, &flags.split(' ').collect::<Vec<_>>());
    until("a read of the users", || {
        proxy.seen().iter().any(|call| is_read(&call.request))
    });
    signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output));
    let report: Value = serde_json::from_str(&scene.read("r.json")).unwrap();
    assert_eq!(report["stopped"], "interrupted");
    assert_eq!(report["exit"], 130);
}

/// The list never shows the new rooms, so a remaining plan would report them as conflicts by
/// mistake.
#[test]
fn an_interrupted_verification_shows_no_remaining_plan() {
    let scene = Scene::new().sandbox();
    let proxy = Proxy::start(&scene.url(), |_, request| {
        let nothing = r#"{"success":"true","data":[],"code":200}"#;
        let is_list = request?.contains("/get_rooms");
        is_list.then_some(Fault::Answer("200 OK", "", nothing))
    });
    let scene = scene.manifest(courses(9)).at(&proxy.url());
    let child = begin(&scene, &["--verify-timeout", "10m"]);
    let lists = || {
        let seen = proxy.seen();
        seen.iter()
            .filter(|call| call.request.contains("/get_rooms"))
            .count()
    };
    until("the second read that verifies", || lists() >= 3);
    signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output));
    text(&output)
        .shows("created as room 2, not verified")
        .lacks("now:")
        .lacks("conflict");
    let (_, statuses) = report(&scene, 130);
    assert_eq!(statuses, [("applied".to_owned(), 9)]);
}

/// Interrupts a run while it waits, before it has written anything.
#[track_caller]
pub fn interrupt_before_writes(command: &mut Command, wait: impl FnOnce(&mut Running)) -> Output {
    let piped = command.stdin(Stdio::piped());
    let piped = piped.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Running::start(piped);
    wait(&mut child);
    // Some commands get SIGINT, and the other commands get SIGTERM.
    signal(&child, ["INT", "TERM"][command.get_args().count() % 2]);
    // Closes stdin only after the run has ended.
    let stdin = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    assert_eq!(output.status.code(), Some(130), "{command:?}: {output:?}");
    let words = "interrupted: nothing was sent or written";
    let is_json = command.get_args().any(|arg| arg == "json");
    if is_json {
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let (kind, exit) = (&document["kind"], &document["exit"]);
        assert_eq!((kind, exit), (&"error".into(), &130.into()));
        assert_eq!(document["message"], words);
    } else {
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(err.lines().last(), Some(format!("error: {words}").as_str()));
    }
    output
}

/// The answer to the first call never comes.
#[test]
fn a_signal_ends_every_verb_that_waits_for_the_server() {
    for args in [
        "apply --yes --report r.json",
        "apply --yes --format json",
        "plan --format json",
        "plan",
        "get rooms --format json",
        "get users",
        "get messages",
        "export",
        "doctor",
        "doctor --format json",
        "send team-a Hello --user 3",
        "ledger adopt --roster --yes --format json",
    ] {
        let scene = Scene::new().sandbox();
        let proxy = Proxy::start(&scene.url(), |_, _| Some(Fault::SilenceAfter));
        let scene = scene.manifest(courses(2)).at(&proxy.url());
        interrupt_before_writes(&mut scene.command(args), |_| {
            until("the first call", || !proxy.seen().is_empty());
        });
        if args.contains("--report") {
            let report: Value = serde_json::from_str(&scene.read("r.json")).unwrap();
            let (kind, exit) = (&report["kind"], &report["exit"]);
            assert_eq!((kind, exit), (&"error".into(), &130.into()));
            // The next run is allowed to replace the report.
            let again = scene.run(args.replace("--yes", "--yes --timeout 1ms"));
            again.exits(1).err.lacks("is not a report");
        }
    }
}

/// stdin never ends. The run cannot check for signals while it reads.
#[test]
fn a_signal_ends_every_verb_that_reads_stdin() {
    for args in [
        "check -f /dev/stdin --format json",
        "render -f /dev/stdin",
        "explain team-a -f /dev/stdin --format json",
        "plan -f /dev/stdin --sandbox",
        "apply -f /dev/stdin --yes --sandbox",
        "todo -f /dev/stdin --format json",
        "doctor -f /dev/stdin",
        "ledger show -f /dev/stdin",
        "diff /dev/stdin rooms.yaml --format markdown",
        "send team-a - --user 3",
    ] {
        let scene = Scene::new().sandbox();
        interrupt_before_writes(&mut scene.command(args), |child| {
            // This is more than a pipe holds, so the run has begun to read when the write
            // returns.
            let text = "# a comment\n".repeat(20_000);
            let stdin = child.stdin.as_mut().unwrap();
            stdin.write_all(text.as_bytes()).unwrap();
        });
    }
}

#[test]
fn fail_fast_starts_nothing_after_the_first_failure() {
    for parallelism in ["1", "4"] {
        let scene = Scene::new().sandbox();
        let server = scene.url();
        let refused = Fault::Answer(
            "422 Unprocessable Content",
            "",
            r#"{"error":"not this one"}"#,
        );
        let proxy = Proxy::start(&server, move |_, request| {
            request?
                .contains("\r\n\r\ncourse-05\r\n")
                .then_some(refused)
        });
        let scene = scene.manifest(courses(40)).at(&proxy.url());
        let ran = scene.run([&APPLY[..], &["--fail-fast", "--parallelism", parallelism]].concat());
        ran.exits(4);
        let (report, statuses) = report(&scene, 4);
        assert_eq!(report["stopped"], "fail_fast");
        let count = |name: &str| {
            statuses
                .iter()
                .find(|(status, _)| status == name)
                .map_or(0, |(_, count)| *count)
        };
        assert_eq!(count("failed"), 1, "{statuses:?}");
        let most = if parallelism == "1" { 4 } else { 12 };
        assert!((4..=most).contains(&count("verified")), "{statuses:?}");
        assert_eq!(scene.rooms().len(), count("verified") + count("unfinished"));
        // Without the flag, the run finishes every room that does not fail.
        let ran = scene.run(APPLY);
        assert_eq!((ran.code, scene.rooms().len()), (4, 39), "{ran:#?}");
    }
}

#[test]
fn parallelism_limits_the_calls_in_progress() {
    for most in [1, 3] {
        let scene = Scene::new().sandbox_with(Config {
            latency: Duration::from_millis(10),
            ..Config::default()
        });
        let server = scene.url();
        let proxy = Proxy::start(&server, |_, _| None);
        let scene = scene.manifest(courses(20)).at(&proxy.url());
        scene
            .run([&APPLY[..], &["--parallelism", &most.to_string()]].concat())
            .ok();
        assert_eq!(proxy.max_concurrent(), most);
    }
}

#[test]
fn a_rate_stays_below_the_limit_of_the_server() {
    let scene = Scene::new().manifest(courses(60)).sandbox_with(Config {
        rate_limit: Some(30.0),
        ..Config::default()
    });
    let begun = Instant::now();
    scene.run([&APPLY[..], &["--rate", "20/s"]].concat()).ok();
    let took = begun.elapsed();
    report(&scene, 0);
    assert_eq!((scene.stats().refused, scene.writes()), (0, 66));
    // The pause between two writes is 50 ms.
    assert!(took >= Duration::from_millis(65 * 50), "{took:?}");
}

/// A room that waits for an answer does not block the other rooms, and its own calls stay in
/// order.
#[test]
fn a_slow_room_does_not_block_the_others() {
    let scene = Scene::new().sandbox();
    let server = scene.url();
    let (open, opened) = mpsc::channel::<()>();
    let (opened, held) = (
        std::sync::Mutex::new(opened),
        Arc::new(AtomicBool::new(false)),
    );
    let holding = Arc::clone(&held);
    let proxy = Proxy::start(&server, move |_, request| {
        let first =
            request?.contains("\r\n\r\ncourse-10\r\n") && !holding.swap(true, Ordering::SeqCst);
        if first {
            // Wait until all other rooms are done.
            let _ = opened.lock().unwrap().recv();
        }
        None
    });
    let scene = scene.manifest(courses(30)).at(&proxy.url());
    let child = begin(&scene, &["--parallelism", "2"]);
    until("all other rooms", || scene.rooms().len() == 29);
    assert!(held.load(Ordering::SeqCst));
    open.send(()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let calls: Vec<usize> = proxy
        .seen()
        .iter()
        .filter(|call| call.request.contains("\r\n\r\ncourse-10\r\n"))
        .map(|call| call.request.matches("users_ids[").count())
        .collect();
    assert_eq!(calls, [200, 1]);
    report(&scene, 0);
}

/// Once the server has printed its address, another program can stop it, even if the server is
/// a shell's background job. Such a job ignores Ctrl-C.
#[test]
fn a_sandbox_that_has_printed_its_address_can_be_stopped() {
    let scene = Scene::new();
    for _ in 0..20 {
        let serve = scene.command("sandbox serve --listen 127.0.0.1:0");
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", "trap '' INT; exec \"$@\"", "sh"])
            .arg(serve.get_program())
            .args(serve.get_args())
            .current_dir(scene.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut server = Running::start(&mut shell);
        let mut said = BufReader::new(server.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        line.begins("listening on ");
        signal(&server, "INT");
        until("the server ends", || server.try_wait().unwrap().is_some());
        assert!(server.wait().unwrap().success());
    }
}
