//! Every fault at every call of an apply: the same run or the next one converges, and the report is correct.
//!
//! A proxy sits between the program and a sandbox. With one room at a time the calls come in a fixed order, so that the
//! number of the connection selects the call that fails. Each fault occurs once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use insta::assert_snapshot;
use roomform::sandbox::Room;
use serde_json::Value;

use crate::support::{Fault, Proxy, Scene, Seen, live_room};

/// The calls of a run in order: it reads the list, creates a room (two calls), updates another one, reads the list again, and
/// sends the welcome.
const CALLS: [&str; 6] = ["list", "create", "chunk", "update", "verify", "message"];

/// A valid date in the past.
const PAST: &str = "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
const HTML: &str = "<html><body>Please sign in</body></html>";

/// Every failure that the retry table distinguishes.
const FAULTS: &[(&str, Fault)] = &[
    ("connection refused", Fault::Refused),
    ("cut before the request was read", Fault::CutUnread),
    ("cut before the commit", Fault::Cut),
    ("cut after the commit", Fault::CutAfter),
    ("cut in the middle of the answer", Fault::HalfAfter),
    ("no answer, not done", Fault::Silence),
    ("no answer, done", Fault::SilenceAfter),
    ("408", Fault::Answer("408 Request Timeout", "", "{}")),
    ("425", Fault::Answer("425 Too Early", "", "{}")),
    ("429", Fault::Answer("429 Too Many Requests", "", "{}")),
    (
        "429, Retry-After: 1",
        Fault::Answer("429 Too Many Requests", "Retry-After: 1\r\n", "{}"),
    ),
    (
        "429, Retry-After a date",
        Fault::Answer("429 Too Many Requests", PAST, "{}"),
    ),
    (
        "500 before the commit",
        Fault::Answer("500 Internal Server Error", "", "{}"),
    ),
    (
        "500 after the commit",
        Fault::AnswerAfter("500 Internal Server Error", "", "{}"),
    ),
    (
        "502 before the commit",
        Fault::Answer("502 Bad Gateway", "", HTML),
    ),
    (
        "502 after the commit",
        Fault::AnswerAfter("502 Bad Gateway", "", HTML),
    ),
    ("503", Fault::Answer("503 Service Unavailable", "", HTML)),
    (
        "503, Retry-After: 1",
        Fault::Answer("503 Service Unavailable", "Retry-After: 1\r\n", HTML),
    ),
    (
        "504 after the commit",
        Fault::AnswerAfter("504 Gateway Timeout", "", HTML),
    ),
    (
        "302",
        Fault::Answer("302 Found", "Location: /login\r\n", ""),
    ),
    ("400", Fault::Answer("400 Bad Request", "", "{}")),
    ("401", Fault::Answer("401 Unauthorized", "", "{}")),
    ("403", Fault::Answer("403 Forbidden", "", HTML)),
    ("404", Fault::Answer("404 Not Found", "", HTML)),
    ("413", Fault::Answer("413 Payload Too Large", "", HTML)),
    (
        "422",
        Fault::Answer(
            "422 Unprocessable Content",
            "",
            r#"{"errors":{"room_title":["bad"]}}"#,
        ),
    ),
    ("HTML with 200, not done", Fault::Answer("200 OK", "", HTML)),
    (
        "HTML with 200, done",
        Fault::AnswerAfter("200 OK", "", HTML),
    ),
    ("empty 200, done", Fault::AnswerAfter("200 OK", "", "")),
    (
        "half of a JSON text with 200, done",
        Fault::AnswerAfter("200 OK", "", r#"{"code":200,"success":"true","data":[{"#),
    ),
    (
        "code 401 with 200",
        Fault::Answer("200 OK", "", r#"{"code":401,"error":"no"}"#),
    ),
    (
        "code 403 with 200",
        Fault::Answer("200 OK", "", r#"{"code":403,"error":"no"}"#),
    ),
    (
        "code 422 with 200",
        Fault::Answer(
            "200 OK",
            "",
            r#"{"code":422,"errors":{"room_title":["bad"]}}"#,
        ),
    ),
    (
        "code 429 with 200",
        Fault::Answer("200 OK", "", r#"{"code":429,"error":"slow down"}"#),
    ),
    (
        "code 500 with 200, not done",
        Fault::Answer("200 OK", "", r#"{"code":500,"error":"oh"}"#),
    ),
    (
        "code 500 with 200, done",
        Fault::AnswerAfter("200 OK", "", r#"{"code":500,"error":"oh"}"#),
    ),
];

fn members() -> BTreeSet<u64> {
    (1..=203).collect()
}

fn manifest() -> String {
    let list = format!("{:?}", members()).replace(['{', '}'], "");
    format!(
        "version: 1\nwidget: 627\nrooms:\n  - {{pipe: big, title: Большая, members: [{list}], welcome: {{from: 7, text: Welcome}}}}\n  - {{pipe: old, title: After, members: [7, 8]}}\n"
    )
}

/// Injects one fault at one call. Returns the exit codes of all runs until nothing is left to do, and the outcome of the
/// first run.
fn meet(fault: Fault, call: usize) -> String {
    let scene = Scene::new().sandbox();
    let old = Room {
        members: BTreeSet::from([9]),
        ..live_room("old", "Before")
    };
    scene.insert(old);
    let server = scene.url();
    let proxy = Proxy::start(&server, move |number, _| (number == call).then_some(fault));
    let scene = scene.manifest(manifest()).at(&proxy.url());
    let silent = matches!(fault, Fault::Silence | Fault::SilenceAfter);
    let timeout = if silent { "5s" } else { "30s" };
    let args = [
        "apply",
        "--yes",
        "--parallelism",
        "1",
        "--timeout",
        timeout,
        "--verify-timeout",
        "500ms",
        "--ledger",
        "l.jsonl",
        "--report",
    ];
    let first = scene.run([&args[..], &["first.json"]].concat());
    let calls = proxy.seen();
    assert!(calls.len() >= call, "{first:#?}");
    proxy.reopen();
    let mut outcome = first.code.to_string();
    match scene.path("first.json").exists() {
        true => outcome.push_str(&assert_true(
            &scene,
            "first.json",
            first.code,
            &calls,
            Some((fault, call)),
        )),
        false => assert_eq!((first.code, scene.writes()), (1, 0), "{first:#?}"),
    }
    if first.code != 0 {
        let next = scene.run([&args[..], &["next.json"]].concat());
        let _ = write!(outcome, " → {}", next.code);
        let calls = proxy.seen().split_off(calls.len());
        outcome.push_str(&assert_true(&scene, "next.json", next.code, &calls, None));
        assert_eq!(next.code, 0, "{first:#?}\n{next:#?}");
    }
    // Only the welcome message may be missing, and only if its answer was lost and the server
    // did not execute the request.
    let lost = outcome.contains("uncertain") && !done(fault);
    assert_content(&scene, usize::from(!lost));
    let writes = scene.writes();
    let last = scene.run([&args[..], &["last.json"]].concat());
    assert_eq!((last.code, scene.writes()), (0, writes), "{last:#?}");
    outcome
}

/// Whether the server executes the request.
fn done(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::CutAfter | Fault::SilenceAfter | Fault::HalfAfter | Fault::AnswerAfter(..)
    )
}

/// Every declared room and member exists exactly once.
#[track_caller]
fn assert_content(scene: &Scene, messages: usize) {
    let said = scene.world(|world| world.messages(627));
    assert_eq!(said.len(), messages, "{said:?}");
    let big = scene.room("big").id;
    assert!(
        said.iter()
            .all(|said| said.room_id == big && said.text == "Welcome")
    );
    let rooms: Vec<(String, String, BTreeSet<u64>)> = scene
        .rooms()
        .into_iter()
        .map(|room| (room.pipe, room.name, room.members))
        .collect();
    let expected = [
        (
            "old".to_owned(),
            "After".to_owned(),
            BTreeSet::from([7, 8, 9]),
        ),
        ("big".to_owned(), "Большая".to_owned(), members()),
    ];
    assert_eq!(rooms, expected);
}

/// Compares a report with the proxy's calls and the server's state. Returns a short summary of the rooms in the report.
#[track_caller]
fn assert_true(
    scene: &Scene,
    name: &str,
    code: i32,
    calls: &[Seen],
    met: Option<(Fault, usize)>,
) -> String {
    let mut report: Value = serde_json::from_str(&scene.read(name)).unwrap();
    report["plan"] = Value::Null;
    assert_eq!(report["exit"], code, "{report:#}");
    // If the request was not read, the position of the call shows what it was.
    let is_list = |call: &&Seen| match call.request.as_str() {
        "" => matches!(met, Some((_, 0 | 4))),
        request => request.contains("get_rooms"),
    };
    let is_message = |call: &&Seen| match call.request.as_str() {
        "" => matches!(met, Some((_, 5))),
        request => request.contains("/send_msg "),
    };
    let counted = |what: &str| report["requests"][what].as_u64().unwrap() as usize;
    let (verify, write, send) = (counted("verify"), counted("write"), counted("send"));
    // The lists that are read before the first write belong to the plan. If only the welcome
    // message is left, there is no such write, and the last list is read to verify.
    let planned = calls.iter().take_while(is_list).count();
    let written = calls.iter().skip(planned).any(|call| !is_message(&call));
    let planned = if written {
        planned
    } else {
        planned - verify.min(1)
    };
    let (lists, others): (Vec<&Seen>, Vec<&Seen>) = calls.iter().skip(planned).partition(is_list);
    let (sends, writes): (Vec<&Seen>, Vec<&Seen>) = others.into_iter().partition(is_message);
    if matches!(met, Some((Fault::Refused, _))) {
        // The report also counts refused connections, so its numbers may be higher.
        let so = verify >= lists.len() && write >= writes.len() && send >= sends.len();
        assert!(so, "{report:#}");
    } else {
        let seen = (lists.len(), writes.len(), sends.len());
        assert_eq!((verify, write, send), seen, "{report:#}");
    }
    let mut statuses = BTreeMap::new();
    for room in report["rooms"].as_array().unwrap() {
        let pipe = room["pipe"].as_str().unwrap();
        let status = room["status"].as_str().unwrap();
        let own = |call: &&&Seen| call.request.contains(&format!("\r\n\r\n{pipe}\r\n"));
        let confirmed: usize = writes
            .iter()
            .filter(own)
            .filter(|call| call.answered)
            .map(|call| call.request.matches("users_ids[").count())
            .sum();
        assert_eq!(room["members"], confirmed, "{pipe}: {report:#}");
        let answered = sends.iter().filter(|call| call.answered).count();
        let messages = if pipe == "big" { answered } else { 0 };
        assert_eq!(room["messages"], messages, "{pipe}: {report:#}");
        let live = scene.rooms().into_iter().find(|live| live.pipe == pipe);
        if let (Some(id), Some(live)) = (room["room_id"].as_u64(), &live) {
            assert_eq!(id, live.id, "{report:#}");
        }
        if matches!(status, "verified" | "applied") {
            let live = live.unwrap();
            let title = if pipe == "old" {
                "After"
            } else {
                "Большая"
            };
            let declared = if pipe == "old" {
                BTreeSet::from([7, 8])
            } else {
                members()
            };
            assert!(
                live.name == title && live.members.is_superset(&declared),
                "{report:#}"
            );
        }
        assert_eq!(
            room["reason"].is_string(),
            matches!(status, "failed" | "uncertain" | "conflict"),
            "{report:#}"
        );
        *statuses.entry(status.to_owned()).or_insert(0) += 1;
    }
    let converged = report["converged"].as_bool();
    // An uncertain message cannot be resolved, and the plan contains nothing for it.
    let converges = code == 0 || statuses.contains_key("uncertain");
    assert_eq!(converged.unwrap_or(converges), converges, "{report:#}");
    statuses.remove("verified");
    let statuses: Vec<String> = statuses
        .into_iter()
        .map(|(status, count)| format!("{count} {status}"))
        .collect();
    if statuses.is_empty() {
        String::new()
    } else {
        format!(" ({})", statuses.join(", "))
    }
}

#[test]
fn every_failure_at_every_call_converges_with_a_correct_report() {
    let cases: Vec<(usize, usize)> = (0..FAULTS.len())
        .flat_map(|fault| (0..CALLS.len()).map(move |call| (fault, call)))
        .collect();
    let (next, met) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                while let Some((fault, call)) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let case = std::panic::AssertUnwindSafe(|| meet(FAULTS[*fault].1, *call));
                    // The panic message is already printed.
                    let outcome =
                        std::panic::catch_unwind(case).unwrap_or_else(|_| "FAILED".to_owned());
                    met.lock().unwrap().insert((*fault, *call), outcome);
                }
            });
        }
    });
    let met = met.into_inner().unwrap();
    let mut table = " ".repeat(36);
    for call in CALLS {
        let _ = write!(table, "{call:34}");
    }
    table.truncate(table.trim_end().len());
    table.push('\n');
    for (fault, (name, _)) in FAULTS.iter().enumerate() {
        let _ = write!(table, "{name:36}");
        for call in 0..CALLS.len() {
            let _ = write!(table, "{:34}", met[&(fault, call)]);
        }
        table.truncate(table.trim_end().len());
        table.push('\n');
    }
    assert_snapshot!(table, @"
                                        list                              create                            chunk                             update                            verify                            message
    connection refused                  1 → 0                             4 (2 failed) → 0                  4 (2 failed) → 0                  4 (1 failed, 1 unfinished) → 0    4 (1 applied, 1 unfinished) → 0   4 (1 failed) → 0
    cut before the request was read     0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    cut before the commit               0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    cut after the commit                0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    cut in the middle of the answer     0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    no answer, not done                 0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    no answer, done                     0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    408                                 0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    425                                 0                                 0                                 0                                 0                                 0                                 0
    429                                 0                                 0                                 0                                 0                                 0                                 0
    429, Retry-After: 1                 0                                 0                                 0                                 0                                 0                                 0
    429, Retry-After a date             0                                 0                                 0                                 0                                 0                                 0
    500 before the commit               0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    500 after the commit                0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    502 before the commit               0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    502 after the commit                0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    503                                 0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    503, Retry-After: 1                 0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    504 after the commit                0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    302                                 1 → 0                             4 (1 failed) → 0                  4 (1 failed) → 0                  4 (1 failed) → 0                  4 (1 applied, 1 unfinished) → 0   4 (1 failed) → 0
    400                                 1 → 0                             4 (1 failed) → 0                  4 (1 failed) → 0                  4 (1 failed) → 0                  4 (1 applied, 1 unfinished) → 0   4 (1 failed) → 0
    401                                 1 → 0                             4 (1 failed, 1 not_started) → 0   4 (1 failed, 1 not_started) → 0   4 (1 failed, 1 unfinished) → 0    4 (1 applied, 1 unfinished) → 0   4 (1 failed) → 0
    403                                 1 → 0                             4 (1 failed) → 0                  4 (1 failed) → 0                  4 (1 failed) → 0                  4 (1 applied, 1 unfinished) → 0   4 (1 failed) → 0
    404                                 1 → 0                             4 (1 failed) → 0                  4 (1 failed) → 0                  4 (1 failed) → 0                  4 (1 applied, 1 unfinished) → 0   4 (1 failed) → 0
    413                                 1 → 0                             4 (1 failed) → 0                  4 (1 failed) → 0                  4 (1 failed) → 0                  4 (1 applied, 1 unfinished) → 0   4 (1 failed) → 0
    422                                 1 → 0                             4 (1 failed) → 0                  4 (1 failed) → 0                  4 (1 failed) → 0                  4 (1 applied, 1 unfinished) → 0   4 (1 failed) → 0
    HTML with 200, not done             0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    HTML with 200, done                 0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    empty 200, done                     0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    half of a JSON text with 200, done  0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    code 401 with 200                   1 → 0                             4 (1 failed, 1 not_started) → 0   4 (1 failed, 1 not_started) → 0   4 (1 failed, 1 unfinished) → 0    4 (1 applied, 1 unfinished) → 0   4 (1 failed) → 0
    code 403 with 200                   1 → 0                             4 (1 failed) → 0                  4 (1 failed) → 0                  4 (1 failed) → 0                  4 (1 applied, 1 unfinished) → 0   4 (1 failed) → 0
    code 422 with 200                   1 → 0                             4 (1 failed) → 0                  4 (1 failed) → 0                  4 (1 failed) → 0                  4 (1 applied, 1 unfinished) → 0   4 (1 failed) → 0
    code 429 with 200                   0                                 0                                 0                                 0                                 0                                 0
    code 500 with 200, not done         0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    code 500 with 200, done             0                                 0                                 0                                 0                                 0                                 4 (1 uncertain) → 0
    ");
}
