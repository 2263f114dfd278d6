//! Output files: none replaces an input of the run, another output, or a file of another kind.

use roomform::sandbox::Config;

use crate::support::{Api, Dir, Ran, Shows};

const MANIFEST: &str = "\
version: 1
widget: 627
rooms:
  - {pipe: team-a, title: Team A, members: [{roster: users.csv, user: id}]}
";

/// A widget, and a manifest with a roster, a ledger and a saved plan.
fn scene() -> (Api, Dir) {
    let api = Api::start(Config::default());
    let dir = Dir::with(MANIFEST).envs(&api.env());
    dir.write("users.csv", "id\n3\n");
    dir.run(&["apply", "--yes", "--ledger", "l.jsonl"]).ok();
    dir.write("users.csv", "id\n3\n4\n");
    let plan = ["plan", "--ledger", "l.jsonl", "--out", "plan.json"];
    dir.run(&plan).ok();
    (api, dir)
}

/// Runs what must be refused before anything is sent or written; gives back the error.
#[track_caller]
fn refused(api: &Api, dir: &Dir, args: &[&str]) -> String {
    let (files, calls) = (dir.files(), api.stats().calls());
    let Ran { code, out, err } = dir.run(args);
    assert_eq!(code, 64, "{args:?}: {out}{err}");
    err.shows("nothing was sent or written");
    assert_eq!(dir.files(), files, "{args:?}");
    assert_eq!(api.stats().calls(), calls, "{args:?}");
    err.lines().next().unwrap().to_owned()
}

#[test]
fn no_output_replaces_an_input() {
    let (api, dir) = scene();
    let ledger = ["--ledger", "l.jsonl"];
    let plan = |path| {
        refused(
            &api,
            &dir,
            &[&["plan", "--out", path], &ledger[..]].concat(),
        )
    };
    insta::assert_snapshot!(plan("rooms.yaml"), @"error: --out and the manifest are the same file: `rooms.yaml`");
    insta::assert_snapshot!(plan("users.csv"), @"error: --out and a roster are the same file: `users.csv`");
    insta::assert_snapshot!(plan("l.jsonl"), @"error: --out and the ledger are the same file: `l.jsonl`");
    plan("./rooms.yaml");
    plan("../../../../../../../../../../../../proc/self/cwd/rooms.yaml");
    for flag in ["--report", "--failed"] {
        for input in ["rooms.yaml", "users.csv", "l.jsonl"] {
            let args = [&["apply", "--yes", flag, input], &ledger[..]].concat();
            let told = refused(&api, &dir, &args);
            assert!(told.starts_with(&format!("error: {flag} and ")), "{told}");
            // --force is about files that are no input.
            refused(&api, &dir, &[&args[..], &["--force"]].concat());
        }
        for input in ["plan.json", "l.jsonl"] {
            let told = refused(
                &api,
                &dir,
                &[&["apply", "plan.json", flag, input], &ledger[..]].concat(),
            );
            assert!(told.ends_with(&format!("`{input}`")), "{told}");
        }
    }
}

#[test]
fn every_file_of_a_directory_is_an_input() {
    let (api, dir) = scene();
    dir.write("rooms/a/b.yaml", MANIFEST);
    dir.write("rooms/a/users.csv", "id\n3\n");
    let args = |out| ["plan", "-f", "rooms", "--out", out];
    for out in ["rooms/a/b.yaml", "rooms/a/../a/users.csv"] {
        refused(&api, &dir, &args(out));
    }
    // The default ledger, which is not there yet.
    let ledger = format!("rooms/.roomform/{}", ledger_name(&api));
    std::fs::create_dir_all(dir.path("rooms/.roomform")).unwrap();
    refused(&api, &dir, &args(&ledger));
    // No input of this run.
    dir.run(&["plan", "-f", "rooms", "--out", "rooms.yaml", "--force"])
        .ok();
}

fn ledger_name(api: &Api) -> String {
    let api = api.env();
    let (_, url) = api
        .iter()
        .find(|(name, _)| name == "IMBACHAT_API_URL")
        .unwrap();
    let host = url.trim_start_matches("http://").replace(':', "_");
    format!("{host}-627.jsonl")
}

#[cfg(unix)]
#[test]
fn links_are_the_files_they_lead_to() {
    let (api, dir) = scene();
    std::fs::create_dir(dir.path("parts")).unwrap();
    std::os::unix::fs::symlink("rooms.yaml", dir.path("link")).unwrap();
    std::os::unix::fs::symlink("../rooms.yaml", dir.path("parts/link")).unwrap();
    std::fs::hard_link(dir.path("users.csv"), dir.path("hard")).unwrap();
    for path in ["link", "parts/link", "parts/../link", "hard"] {
        refused(&api, &dir, &["plan", "--out", path]);
    }
    let ledger = ["apply", "--yes", "--ledger", "hard"];
    refused(&api, &dir, &ledger);
}

#[test]
fn two_outputs_are_two_files() {
    let (api, dir) = scene();
    std::fs::create_dir(dir.path("out")).unwrap();
    let apply = |report, failed| ["apply", "--yes", "--report", report, "--failed", failed];
    insta::assert_snapshot!(refused(&api, &dir, &apply("new", "out/../new")), @"error: --report and --failed are the same file: `new`");
    let saved = ["apply", "plan.json", "--report", "new", "--failed", "new"];
    refused(&api, &dir, &saved);
    #[cfg(unix)]
    dir.run(&apply("/dev/null", "/dev/null")).ok();
}

#[test]
fn the_ledger_and_the_state_of_the_sandbox_are_files_of_their_own() {
    let (api, dir) = scene();
    dir.write(
        "rooms.yaml",
        MANIFEST
            .replace("user: id", "allow_empty: true")
            .replace(".csv", ".txt"),
    );
    dir.write("users.txt", "");
    dir.write("state.json", "");
    for args in [
        &["apply", "--yes", "--ledger", "users.txt"][..],
        &["apply", "--yes", "--sandbox=users.txt"],
        &[
            "apply",
            "--yes",
            "--sandbox=state.json",
            "--ledger",
            "state.json",
        ],
        &[
            "apply",
            "--yes",
            "--sandbox=state.json",
            "--report",
            "state.json",
        ],
        &["plan", "--sandbox=state.json", "--out", "state.json"],
        &[
            "ledger",
            "adopt",
            "--roster",
            "--yes",
            "--ledger",
            "users.txt",
        ],
    ] {
        refused(&api, &dir, args);
    }
}

#[test]
fn an_export_replaces_no_input_either() {
    let (api, dir) = scene();
    for args in [
        &[
            "export", "--force", "--ledger", "l.jsonl", "--out", "l.jsonl",
        ][..],
        &[
            "export",
            "--force",
            "--sandbox=state.json",
            "--out",
            "./state.json",
        ],
    ] {
        refused(&api, &dir, args);
    }
    // The name of a file in a directory is known once the rooms are.
    dir.write("parts/team.yaml", dir.read("l.jsonl"));
    let split = [
        "export",
        "--force",
        "--split-by",
        "prefix",
        "--ledger",
        "parts/team.yaml",
        "--out",
        "parts",
    ];
    let before = dir.files();
    let ran = dir.run(&split);
    assert_eq!((ran.code, dir.files()), (64, before), "{}", ran.err);
}

#[test]
fn a_file_of_another_kind_needs_force() {
    let (api, dir) = scene();
    dir.write("notes.txt", "not to be lost\n");
    dir.write("empty", "");
    let plan = |path| ["plan", "--ledger", "l.jsonl", "--out", path];
    insta::assert_snapshot!(refused(&api, &dir, &plan("notes.txt")), @"error: --out: `notes.txt` exists and is not a plan");
    for path in ["empty", "empty", "new", "new", "plan.json"] {
        dir.run(&plan(path)).ok();
    }
    dir.write("printed.json", dir.run(&["plan", "--format", "json"]).ok());
    dir.run(&plan("printed.json")).ok();
    let apply = |report, failed| {
        let outputs = ["--report", report, "--failed", failed];
        [&["apply", "--yes", "--ledger", "l.jsonl"][..], &outputs].concat()
    };
    insta::assert_snapshot!(refused(&api, &dir, &apply("plan.json", "f.csv")), @"error: --report: `plan.json` exists and is not a report");
    insta::assert_snapshot!(refused(&api, &dir, &apply("r.json", "notes.txt")), @"error: --failed: `notes.txt` exists and is not a list of failed members");
    let saved = ["apply", "plan.json", "--report", "notes.txt"];
    refused(&api, &dir, &saved);
    for _ in 0..2 {
        dir.run(&apply("r.json", "f.csv")).ok();
    }
    let told = refused(&api, &dir, &plan("r.json"));
    told.shows("is not a plan");
    dir.run(&[&apply("notes.txt", "new")[..], &["--force"]].concat())
        .ok();
    dir.read("notes.txt").shows("\"kind\": \"report\"");
}

/// A pull request can commit links.
#[cfg(unix)]
#[test]
fn a_ledger_that_a_link_puts_outside_of_the_work_tree_is_refused() {
    use std::os::unix::fs::symlink;
    let api = Api::start(Config::default());
    let outside = Dir::new();
    outside.write("there.jsonl", "");
    let ledger = ".roomform/l.jsonl";
    for git in [false, true] {
        for target in ["there.jsonl", "new.jsonl"] {
            let dir = Dir::with("version: 1\nwidget: 627\nrooms: [{pipe: team-a, title: A}]\n")
                .envs(&api.env());
            if git {
                std::fs::create_dir(dir.path(".git")).unwrap();
            }
            std::fs::create_dir(dir.path(".roomform")).unwrap();
            symlink(outside.path(target), dir.path(ledger)).unwrap();
            for args in [
                &["apply", "--yes", "--ledger", ledger][..],
                &["apply", "--yes", "--sandbox=.roomform/l.jsonl"],
            ] {
                let ran = dir.run(args);
                ran.exits(5);
                ran.err
                    .shows("symbolic link that leads out of the work tree or nowhere");
            }
        }
    }
    assert_eq!(api.stats().writes(), 0);
    assert_eq!(outside.read("there.jsonl"), "");
    assert!(!outside.path("new.jsonl").exists());
}
