//! A ledger that disappears or is replaced while a run uses it.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use roomform::ledger::{
    Claim, Claimed, Fact, Journal, LedgerError, LedgerFile, Loss, PipeFact, Record, compact,
};
use roomform::model::{Pipe, RunId};
use roomform::sandbox::Config;
use serde_json::Value;

use crate::support::{Canned, Ran, Scene, Shows, answer, manifest, runtime, target, until};

fn declared(pipe: &str) -> Vec<Fact> {
    vec![Fact::Pipe(Pipe::new(pipe), PipeFact::Declared(true))]
}

/// A ledger with two entries.
fn ledger(scene: &Scene) -> LedgerFile {
    let file = LedgerFile::new(scene.path("l.jsonl"));
    let journal = Journal::open(&file, &target(), &RunId::new(1)).unwrap();
    for pipe in ["a", "b"] {
        runtime().block_on(journal.append(declared(pipe))).unwrap();
    }
    file
}

pub fn loss(error: &LedgerError) -> Option<Loss> {
    match error {
        LedgerError::Lost { loss, .. } => Some(*loss),
        _ => None,
    }
}

type Interference = fn(&Path);

type Use = fn(&LedgerFile) -> Result<(), LedgerError>;

/// The name of a test case, a change to a ledger file while a run uses it, and the loss that
/// the run must report, if any.
type Change = (&'static str, Interference, Option<Loss>);

fn rewrite(path: &Path) {
    // Like another process, `other` does not have the file's state in memory.
    let other = LedgerFile::new(path);
    other.rewrite(&target(), compact).unwrap();
}

/// Another process adds an entry.
fn append(path: &Path, pipe: &str) {
    let journal = Journal::open(&LedgerFile::new(path), &target(), &RunId::new(2)).unwrap();
    runtime().block_on(journal.append(declared(pipe))).unwrap();
}

fn put_beside(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(&new, path).unwrap();
}

fn text_without_last_line(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let last = text.trim_end().rfind('\n').unwrap();
    text[..=last].to_owned()
}

const CHANGES: [Change; 12] = [
    ("nothing", |_| {}, None),
    ("another run adds an entry", |path| append(path, "c"), None),
    (
        "our own compaction",
        |path| {
            append(path, "a");
            rewrite(path);
        },
        None,
    ),
    (
        "our own compaction, twice, with an entry between",
        |path| {
            append(path, "a");
            rewrite(path);
            append(path, "a");
            rewrite(path);
        },
        None,
    ),
    (
        "a partial line of a killed run",
        |path| {
            let text = fs::read_to_string(path).unwrap();
            fs::write(path, text + "{\"run\":").unwrap();
        },
        None,
    ),
    (
        "removed",
        |path| fs::remove_file(path).unwrap(),
        Some(Loss::Gone),
    ),
    (
        "its directory is removed",
        |path| {
            fs::remove_dir_all(path.parent().unwrap()).unwrap();
        },
        Some(Loss::Gone),
    ),
    (
        "replaced by an older copy",
        |path| {
            put_beside(path, &text_without_last_line(path));
        },
        Some(Loss::Replaced),
    ),
    (
        "replaced by a copy",
        |path| {
            put_beside(path, &fs::read_to_string(path).unwrap());
        },
        Some(Loss::Replaced),
    ),
    (
        "overwritten in place by an older copy",
        |path| {
            fs::write(path, text_without_last_line(path)).unwrap();
        },
        Some(Loss::Replaced),
    ),
    (
        "overwritten in place by a longer text",
        |path| {
            let text = fs::read_to_string(path).unwrap();
            let other = text.replace("\"b\"", "\"c\"");
            fs::write(path, other.clone() + &other).unwrap();
        },
        Some(Loss::Replaced),
    ),
    (
        "emptied",
        |path| fs::write(path, "").unwrap(),
        Some(Loss::Replaced),
    ),
];

#[cfg(unix)]
#[test]
fn every_use_of_a_lost_ledger_is_refused_and_it_is_not_created_again() {
    for (name, change, expected) in CHANGES {
        let uses: [Use; 3] = [
            |file| file.read(&target()).map(drop),
            |file| Journal::open(file, &target(), &RunId::new(3)).map(drop),
            |file| file.rewrite(&target(), |all| all).map(drop),
        ];
        for access in uses {
            let scene = Scene::new().file("dir/none", "");
            let path = scene.path("dir/l.jsonl");
            fs::rename(ledger(&scene).path(), &path).unwrap();
            let file = LedgerFile::new(&path);
            file.read(&target()).unwrap();
            change(&path);
            let exists = path.exists();
            let error = access(&file).err();
            assert_eq!(error.as_ref().and_then(loss), expected, "{name}: {error:?}");
            assert_eq!(error.is_some(), expected.is_some(), "{name}: {error:?}");
            assert_eq!(path.exists(), exists, "{name}");
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_is_written_to_a_ledger_that_was_lost() {
    for (name, change, expected) in CHANGES {
        let scene = Scene::new().file("dir/none", "");
        let path = scene.path("dir/l.jsonl");
        let file = LedgerFile::new(&path);
        let journal = Journal::open(&file, &target(), &RunId::new(1)).unwrap();
        for pipe in ["a", "b"] {
            journal.append(declared(pipe)).await.unwrap();
        }
        let changed = path.clone();
        // The change starts its own tokio runtime, which needs a thread of its own.
        std::thread::spawn(move || change(&changed)).join().unwrap();
        let before = fs::read_to_string(&path).ok();
        let appended = journal.append(declared("d")).await;
        let Some(loss) = expected else {
            assert!(appended.is_ok(), "{name}: {appended:?}");
            let entries = file.read(&target()).unwrap().entries;
            let has = |pipe: &str| {
                entries
                    .values()
                    .any(|fact| fact.pipe() == Some(&Pipe::new(pipe)))
            };
            assert!(has("a") && has("b") && has("d"), "{name}");
            continue;
        };
        let error = appended.unwrap_err().to_string();
        error.shows(format!("{loss} while roomform used it"));
        error.shows("restore the ledger from a copy");
        assert_eq!(fs::read_to_string(&path).ok(), before, "{name}");
        // The journal stays closed even if the file is back.
        assert!(journal.append(declared("e")).await.is_err(), "{name}");
    }
}

#[test]
fn a_rewrite_that_changes_nothing_leaves_the_file_alone() {
    let scene = Scene::new();
    let file = ledger(&scene);
    for _ in 0..2 {
        let before = fs::metadata(file.path()).unwrap().modified().unwrap();
        file.rewrite(&target(), |all| all).unwrap();
        let after = fs::metadata(file.path()).unwrap().modified().unwrap();
        assert_eq!(before, after);
    }
    let text = scene.read("l.jsonl");
    text.lacks("replaces");
}

/// A header names a limited number of predecessors.
#[cfg(unix)]
#[test]
fn a_hundred_rewrites_are_recognized_and_many_more_are_a_loss() {
    for (rewrites, expected) in [(128, None), (129, Some(Loss::Replaced))] {
        let scene = Scene::new();
        let file = ledger(&scene);
        for _ in 0..rewrites {
            append(file.path(), "a");
            rewrite(file.path());
        }
        let error = file.read(&target()).err();
        assert_eq!(error.as_ref().and_then(loss), expected, "{error:?}");
    }
}

// during an apply

const ARGS: &str = "apply --yes --parallelism 2 --ledger dir/l.jsonl --report r.json";

/// Applies 150 rooms, and changes the ledger after some of them. Returns the finished run.
fn interfere(scene: &Scene, change: impl Fn(&Path)) -> Ran {
    let child = scene.start(ARGS);
    until("some writes", || scene.writes() >= 6);
    change(&scene.path("dir/l.jsonl"));
    child.wait_with_output().unwrap().into()
}

fn aside(path: &Path) {
    fs::rename(path, path.with_extension("aside")).unwrap();
}

fn rooms() -> Scene {
    let rooms =
        (1..=150).map(|room| format!("pipe: room-{room}, title: Room {room}, members: [{room}]"));
    Scene::new().manifest(manifest(rooms)).sandbox_with(Config {
        latency: Duration::from_millis(20),
        ..Config::default()
    })
}

#[test]
fn an_apply_stops_if_its_ledger_is_lost_and_the_next_one_continues() {
    let changes: [(&str, Interference); 3] = [
        ("disappeared", aside),
        ("was replaced", |path| {
            let text = fs::read_to_string(path).unwrap();
            // Link the file instead of moving it, so that the ledger's path is never without a
            // file.
            fs::hard_link(path, path.with_extension("aside")).unwrap();
            let older = text.split_inclusive('\n').take(3).collect::<String>();
            put_beside(path, &older);
        }),
        ("was replaced", |path| {
            // Take the lock, so that no entry is written to the emptied file: the ledger would
            // have entries without a header.
            let file = fs::File::open(path).unwrap();
            file.lock().unwrap();
            fs::copy(path, path.with_extension("aside")).unwrap();
            fs::write(path, "").unwrap();
        }),
    ];
    for (what, change) in changes {
        let scene = rooms();
        let ran = interfere(&scene, change);
        ran.exits(4);
        ran.all().shows(format!("`dir/l.jsonl` {what}"));
        ran.all().shows("ledger merge COPY");
        let report: Value = serde_json::from_str(&scene.read("r.json")).unwrap();
        assert_eq!(
            (&report["exit"], &report["stopped"]),
            (&4.into(), &"ledger".into())
        );
        let live = scene.rooms().len();
        assert!(live < 150, "{live} rooms");
        let ledger = scene.path("dir/l.jsonl");
        if ledger.exists() {
            scene
                .run("ledger merge dir/l.aside --ledger dir/l.jsonl")
                .ok();
        } else {
            fs::rename(ledger.with_extension("aside"), &ledger).unwrap();
        }
        // With the default timeouts, the run would wait a minute for the creates that the stopped run had claimed.
        let short = "--timeout 2s --verify-timeout 1s";
        scene
            .run(format!("apply --yes --ledger dir/l.jsonl {short}"))
            .ok();
        let pipes: std::collections::BTreeSet<_> =
            scene.rooms().into_iter().map(|room| room.pipe).collect();
        assert_eq!((pipes.len(), scene.rooms().len()), (150, 150));
        let plan = scene.run("plan --detailed-exitcode --ledger dir/l.jsonl");
        plan.exits(0);
    }
}

/// The ledger disappears while the list is read, before or after the run opens the ledger.
#[test]
fn losing_the_ledger_before_anything_was_sent_exits_with_4() {
    for lists in [1, 2] {
        let scene = Scene::new();
        let (path, read) = (scene.path("l.jsonl"), AtomicUsize::new(0));
        let server = Canned::by(move |request| {
            let is_list = request.lines().next().unwrap().contains("get_rooms");
            assert!(is_list, "{request}");
            if read.fetch_add(1, Ordering::Relaxed) + 1 == lists {
                fs::remove_file(&path).unwrap();
            }
            answer("200 OK", "", r#"{"code":200,"success":"true","data":[]}"#)
        });
        let header =
            serde_json::json!({"roomform_ledger": 1, "origin": server.url(), "widget": 627});
        let intent = r#"{"run":"a","seq":1,"time":"2020-01-01T00:00:00.000Z","kind":"intent","pipe":"team-a","members":[3]}"#;
        let scene = scene
            .file("l.jsonl", format!("{header}\n{intent}\n"))
            .manifest(manifest([
                "pipe: team-a, title: Team A, members: [3]".to_owned()
            ]))
            .at(&server.url())
            .env("IMBACHAT_WIDGET", "627")
            .env("IMBACHAT_SECRET_KEY", "secret_key")
            .env("IMBACHAT_LOGIN", "admin")
            .env("IMBACHAT_PASSWORD", "admin");
        let ran = scene.run("apply --yes --ledger l.jsonl --verify-timeout 100ms");
        ran.exits(4);
        ran.all()
            .shows("ledger `l.jsonl` disappeared while roomform used it");
        ran.all().shows("ledger merge COPY");
        assert!(!scene.path("l.jsonl").exists());
    }
}

/// A link that is switched to another ledger during a run.
#[cfg(unix)]
#[test]
fn a_link_switched_to_another_file_replaces_the_ledger() {
    use std::os::unix::fs::symlink;
    let scene = Scene::new();
    let real = ledger(&scene);
    fs::copy(real.path(), scene.path("copy.jsonl")).unwrap();
    let link = scene.path("link.jsonl");
    symlink("l.jsonl", &link).unwrap();
    let file = LedgerFile::new(&link);
    file.read(&target()).unwrap();
    rewrite(&link);
    file.read(&target()).unwrap();
    fs::remove_file(&link).unwrap();
    symlink("copy.jsonl", &link).unwrap();
    let error = file.read(&target()).unwrap_err();
    assert_eq!(loss(&error), Some(Loss::Replaced));
    // A broken link counts as a missing file.
    fs::remove_file(&link).unwrap();
    symlink("none.jsonl", &link).unwrap();
    let error = file.read(&target()).unwrap_err();
    assert_eq!(loss(&error), Some(Loss::Gone));
}

/// A run can take over and end another run's claim, even if the other run's clock is ahead and
/// the claim was written after this run opened the ledger.
#[test]
fn a_claim_of_a_run_whose_clock_is_ahead_can_be_ended() {
    let scene = Scene::new();
    let file = ledger(&scene);
    let journal = Journal::open(&file, &target(), &RunId::new(1)).unwrap();
    let intent = r#"{"run":"other","seq":1,"time":"2999-01-01T00:00:00.000Z","kind":"intent","pipe":"a","members":[]}"#;
    scene.write("l.jsonl", scene.read("l.jsonl") + intent + "\n");
    let pipe = Pipe::new("a");
    let claim = |takes_over| {
        let claim = Claim::Create {
            pipe: pipe.clone(),
            replaces: None,
            takes_over,
        };
        let intent = PipeFact::Intent {
            members: Vec::new(),
            welcome: false,
        };
        let intent = Fact::Pipe(pipe.clone(), intent);
        runtime().block_on(journal.claim(claim, intent)).unwrap()
    };
    let Claimed::Held { run, .. } = claim(None) else {
        panic!("the other run holds the claim");
    };
    assert_eq!(claim(Some(run)), Claimed::Ours);
    let recorded = file.read(&target()).unwrap().into_recorded();
    let open = recorded.open[&pipe].iter().map(|open| open.run.as_str());
    assert_eq!(open.collect::<Vec<_>>(), [RunId::new(1).to_string()]);
}
