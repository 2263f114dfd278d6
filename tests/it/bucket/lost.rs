//! A ledger in a bucket whose objects disappear or are replaced while a run uses it.

use std::io::{BufRead as _, BufReader};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use roomform::ledger::{Loss, Record, compact};
use roomform::model::RunId;
use roomform::sandbox::Config;

use super::{Fault, LEDGER, S3, declared, place, run};
use crate::ledger_in_use::loss;
use crate::support::{Ran, Scene, Shows, manifest, target, until};

const BASE: &str = "rooms/ledger.jsonl";

/// The last piece in the bucket.
fn last_piece(s3: &S3) -> String {
    let mut pieces = s3.keys().into_iter();
    pieces.rfind(|key| key.contains(".d/")).unwrap()
}

fn remove_all(s3: &S3) {
    for key in s3.keys() {
        s3.remove(&key);
    }
}

fn older(s3: &S3) -> String {
    let text = s3.text(BASE).unwrap();
    let last = text.trim_end().rfind('\n').unwrap();
    text[..=last].to_owned()
}

/// A change to the objects while a run uses them: its name, the change itself, and the loss
/// that the run must report, if any.
type Change = (&'static str, fn(&S3), Option<Loss>);

const CHANGES: [Change; 9] = [
    ("nothing", |_| {}, None),
    ("our own merge", |s3| merge(s3), None),
    (
        "two merges with an entry between",
        |s3| {
            merge(s3);
            add(s3);
            merge(s3);
        },
        None,
    ),
    ("another run adds a piece", add, None),
    ("everything is removed", remove_all, Some(Loss::Gone)),
    (
        "the base is removed",
        |s3| s3.remove(BASE),
        Some(Loss::Gone),
    ),
    (
        "the last piece is removed",
        |s3| s3.remove(&last_piece(s3)),
        Some(Loss::Gone),
    ),
    (
        "the base is replaced by an older copy",
        |s3| {
            let older = older(s3);
            s3.put(BASE, &older);
        },
        Some(Loss::Replaced),
    ),
    (
        "the last piece is overwritten",
        |s3| {
            let piece = last_piece(s3);
            let text = s3.text(&piece).unwrap();
            s3.put(&piece, &text);
        },
        Some(Loss::Replaced),
    ),
];

/// Another process merges the pieces.
fn merge(s3: &S3) {
    let place = place(s3);
    let target = target();
    let merged = place.rewrite(&target, compact);
    run(merged).unwrap();
}

/// Another process adds an entry.
fn add(s3: &S3) {
    static RUNS: AtomicU64 = AtomicU64::new(100);
    let number = RUNS.fetch_add(1, Ordering::Relaxed);
    run(async {
        let opened = place(s3).open(&target(), &RunId::new(number)).await;
        let journal = opened.unwrap();
        journal
            .append(vec![declared("another".to_owned())])
            .await
            .unwrap();
    });
}

#[test]
fn nothing_is_written_to_a_bucket_that_lost_its_objects() {
    for (name, change, expected) in CHANGES {
        let s3 = std::sync::Arc::new(S3::start());
        add(&s3);
        merge(&s3);
        let changed = std::sync::Arc::clone(&s3);
        run(async move {
            let ledger = place(&s3);
            let journal = ledger.open(&target(), &RunId::new(1)).await.unwrap();
            for pipe in ["a", "b"] {
                journal
                    .append(vec![declared(pipe.to_owned())])
                    .await
                    .unwrap();
            }
            // The change starts its own tokio runtime, which needs a thread of its own.
            std::thread::spawn(move || change(&changed)).join().unwrap();
            let before = s3.keys();
            let appended = journal.append(vec![declared("c".to_owned())]).await;
            let Some(loss) = expected else {
                appended.unwrap();
                let entries = place(&s3).read(&target()).await.unwrap().entries;
                let pipes: Vec<_> = entries.values().filter_map(|fact| fact.pipe()).collect();
                for pipe in ["a", "b", "c", "another"] {
                    assert!(pipes.iter().any(|it| it.as_str() == pipe), "{name}: {pipe}");
                }
                return;
            };
            let error = appended.unwrap_err().to_string();
            error.shows(format!("ledger `{LEDGER}` {loss} while roomform used it"));
            assert_eq!(s3.keys(), before, "{name}");
        });
    }
}

#[test]
fn a_bucket_that_loses_objects_after_it_was_read_is_refused() {
    for (name, change, expected) in CHANGES {
        // If pieces disappear at this point, a merge may have moved them into the base: this is no
        // loss.
        if name.starts_with("the last piece") {
            continue;
        }
        let s3 = S3::start();
        add(&s3);
        merge(&s3);
        add(&s3);
        let ledger = place(&s3);
        run(ledger.read(&target())).unwrap();
        change(&s3);
        let before = s3.keys();
        for again in [true, false] {
            let error = match again {
                true => run(ledger.read(&target())).err(),
                false => run(async { ledger.open(&target(), &RunId::new(1)).await.err() }),
            };
            assert_eq!(error.as_ref().and_then(loss), expected, "{name}: {error:?}");
            assert_eq!(error.is_some(), expected.is_some(), "{name}: {error:?}");
        }
        assert_eq!(s3.keys(), before, "{name}");
    }
}

#[test]
fn lost_pieces_are_noticed_without_a_base() {
    let s3 = S3::start();
    add(&s3);
    let ledger = place(&s3);
    run(ledger.read(&target())).unwrap();
    s3.remove(&last_piece(&s3));
    let error = run(ledger.read(&target())).unwrap_err();
    assert_eq!(loss(&error), Some(Loss::Gone));
    let error = run(async { ledger.open(&target(), &RunId::new(1)).await.unwrap_err() });
    assert_eq!(loss(&error), Some(Loss::Gone));
    assert_eq!(s3.keys(), Vec::<String>::new());
}

#[test]
fn the_next_read_notices_a_lost_piece() {
    let s3 = S3::start();
    let ledger = place(&s3);
    run(async {
        let journal = ledger.open(&target(), &RunId::new(1)).await.unwrap();
        for pipe in ["a", "b", "c"] {
            let facts = vec![declared(pipe.to_owned())];
            journal.append(facts).await.unwrap();
        }
        let mut keys = s3.keys().into_iter();
        let middle = keys.find(|key| key.contains("-00000002")).unwrap();
        s3.remove(&middle);
        let error = ledger.read(&target()).await.unwrap_err();
        assert_eq!(loss(&error), Some(Loss::Gone));
    });
}

#[test]
fn an_apply_stops_when_its_bucket_is_emptied() {
    let s3 = S3::start();
    let rooms =
        (1..=150).map(|room| format!("pipe: room-{room}, title: Room {room}, members: [{room}]"));
    let scene = Scene::new()
        .manifest(manifest(rooms))
        .sandbox_with(Config {
            latency: Duration::from_millis(20),
            ..Config::default()
        })
        .envs(&s3.env());
    let args = ["apply", "--yes", "--parallelism", "2", "--ledger", LEDGER];
    let child = scene.start(args);
    until("some writes", || scene.writes() >= 6);
    remove_all(&s3);
    let ran: Ran = child.wait_with_output().unwrap().into();
    ran.exits(4);
    ran.all().shows(format!("ledger `{LEDGER}` disappeared"));
    assert!(scene.rooms().len() < 150);
    // A write that was in progress during the loss may have left a piece that names the lost
    // pieces. Remove that piece.
    remove_all(&s3);
    scene.run(args).ok();
    assert_eq!(scene.rooms().len(), 150);
}

fn one_room(s3: &S3) -> Scene {
    let rooms = ["pipe: team-a, title: Team A, members: [3]".to_owned()];
    let scene = Scene::new().manifest(manifest(rooms));
    scene.sandbox().envs(&s3.env())
}

fn puts(s3: &S3) -> usize {
    let asked = s3.asked().into_iter();
    asked.filter(|(method, ..)| method == "PUT").count()
}

/// After the last write, the ledger is read once more, to compute the remaining plan.
#[test]
fn a_bucket_that_is_lost_after_the_last_write_is_an_error() {
    const NOTHING: &str = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
    let apply = format!("apply --yes --ledger {LEDGER}");
    let s3 = S3::start();
    one_room(&s3).run(&apply).ok();
    let all = puts(&s3);
    let (mut puts, mut lists) = (0, 0);
    let s3 = S3::with(move |call| {
        puts += usize::from(call.method == "PUT");
        let is_list = puts == all && call.method == "GET" && lists < 2;
        lists += u32::from(is_list);
        is_list.then_some(Fault::Answer("200 OK", NOTHING))
    });
    let ran = one_room(&s3).run(&apply);
    ran.exits(4)
        .shows("disappeared while roomform used it; restore the ledger from a copy");
}

#[cfg(unix)]
#[test]
fn the_second_signal_does_not_wait_for_a_bucket() {
    use crate::interrupts::signal;
    let s3 = S3::with(|call| (call.method == "PUT").then_some(Fault::LostBefore));
    let scene = one_room(&s3);
    let apply = format!("apply --yes --ledger {LEDGER} --timeout 10s --report r.json");
    let child = scene.start(&apply);
    until("a claim", || puts(&s3) > 0);
    signal(&child, "INT");
    signal(&child, "TERM");
    let ran: Ran = child.wait_with_output().unwrap().into();
    ran.exits(130);
    let report: serde_json::Value = serde_json::from_str(&scene.read("r.json")).unwrap();
    assert_eq!(report["stopped"], "interrupted");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_every_verb_that_waits_for_a_bucket() {
    use crate::interrupts::interrupt_before_writes;
    use crate::support::{Fault as CallFault, Proxy};
    for verb in [
        "explain 3 --format json",
        "todo",
        "todo done team-a",
        "ledger show --format json",
        "ledger history",
        "ledger forget team-a",
        "ledger compact",
        "ledger merge l.jsonl",
        "doctor",
        "plan",
    ] {
        let s3 = S3::start();
        let proxy = Proxy::start(&s3.url(), |_, _| Some(CallFault::Silence));
        let scene = one_room(&s3).env("AWS_ENDPOINT_URL", &proxy.url());
        let mut command = scene.command(format!("{verb} --ledger {LEDGER}"));
        interrupt_before_writes(&mut command, |_| {
            until("a call", || !proxy.seen().is_empty());
        });
    }
}

/// The first signal arrives while the bucket has not answered the write.
#[cfg(unix)]
#[test]
fn a_signal_lets_a_write_to_the_ledger_finish() {
    use crate::interrupts::signal;
    let base = format!("{BASE}\n");
    let (copy, forget) = ("ledger merge l.jsonl", "ledger forget team-a");
    for (before, verb, effect) in [
        (copy, "todo done team-a", "\"kind\":\"done\""),
        (copy, forget, "\"kind\":\"forgotten\""),
        (
            forget,
            "ledger adopt --roster --yes",
            "\"kind\":\"adopted\"",
        ),
        ("todo", "ledger compact", &base),
        ("todo", copy, &base),
    ] {
        let s3 = S3::start();
        let apply = format!("apply --yes --ledger {LEDGER}");
        let scene = one_room(&s3).after(&apply);
        scene.edit("[3]", "[4]");
        let scene = scene.after(&apply);
        let scene = scene.after(format!("ledger merge {LEDGER} --ledger l.jsonl"));
        let scene = scene.after(format!("{before} --ledger {LEDGER}"));
        let (entered, enter) = mpsc::channel();
        let (leave, left) = mpsc::channel::<()>();
        s3.fail(move |call| {
            if call.method == "PUT" {
                // The test drops both channels when the calls need not wait any more, so errors
                // are ignored.
                let _ = entered.send(());
                let _ = left.recv();
            }
            None
        });
        let mut child = scene.start(format!("{verb} --ledger {LEDGER}"));
        enter.recv_timeout(Duration::from_secs(60)).unwrap();
        signal(&child, "INT");
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let words = "warning: finishing the write; press Ctrl-C again to stop at once";
        assert!(lines.any(|line| line.unwrap() == words), "{verb}");
        drop(leave);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{verb}");
        let lines = s3.keys().into_iter();
        let lines = lines.map(|key| format!("{key}\n{}", s3.text(&key).unwrap()));
        lines.collect::<String>().shows(effect);
        scene.run(format!("ledger show --ledger {LEDGER}")).ok();
    }
}

#[test]
fn an_object_that_is_lost_between_two_runs_is_named() {
    let s3 = S3::start();
    add(&s3);
    merge(&s3);
    for _ in 0..3 {
        add(&s3);
    }
    let read = || run(place(&s3).read(&target()));
    let keys = s3.keys();
    let [earlier @ .., _last] = keys.as_slice() else {
        panic!()
    };
    assert_eq!(earlier.len(), 3, "the base and two pieces");
    for key in earlier {
        let text = s3.text(key).unwrap();
        s3.remove(key);
        let error = read().unwrap_err().to_string();
        let lost = format!("ledger `{LEDGER}` is incomplete: `s3://bucket/{key}` is missing");
        assert_eq!(error, lost);
        s3.put(key, &text);
        assert_eq!(read().unwrap().entries.len(), 4);
    }
    s3.remove(&earlier[1]);
    let merged = run(place(&s3).rewrite(&target(), |entries| entries)).unwrap();
    merged.warnings.concat().shows("is incomplete");
    assert_eq!(read().unwrap().entries.len(), 3);
}

#[test]
fn nothing_is_sent_while_an_object_is_missing() {
    let s3 = S3::start();
    let scene = one_room(&s3);
    let apply = format!("apply --yes --ledger {LEDGER}");
    scene.run(&apply).ok();
    let first = s3
        .keys()
        .into_iter()
        .find(|key| key.ends_with("-00000001.jsonl"));
    let piece = first.unwrap();
    s3.remove(&piece);
    let writes = scene.writes();
    scene.edit("Team A", "Team B");
    let refused = scene.run(&apply);
    refused.exits(1);
    refused.err.shows("is incomplete");
    refused
        .err
        .shows("`roomform ledger compact` continues without it");
    assert_eq!(scene.writes(), writes);
    let compacted = scene.run(format!("ledger compact --ledger {LEDGER}"));
    compacted.exits(0);
    compacted.err.shows("is incomplete");
    let applied = scene.run(&apply);
    applied.exits(0);
    applied.err.lacks("is incomplete");
}
