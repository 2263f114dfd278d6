//! Output files: they never replace an input of the run, another output, or a file of another kind.

use crate::support::{Args, Ran, Scene, Shows};

const MANIFEST: &str = "\
version: 1
widget: 627
rooms:
  - {pipe: team-a, title: Team A, members: [{roster: users.csv, user: id}]}
";

/// A widget, and a manifest with a roster, a ledger and a saved plan.
fn planned() -> Scene {
    let scene = Scene::new()
        .manifest(MANIFEST)
        .sandbox()
        .file("users.csv", "id\n3\n");
    scene.run("apply --yes --ledger l.jsonl").ok();
    scene.write("users.csv", "id\n3\n4\n");
    let plan = "plan --ledger l.jsonl --out plan.json";
    scene.run(plan).ok();
    scene
}

/// Checks that a command is refused before it sends or writes anything; returns the error.
#[track_caller]
fn refused(scene: &Scene, args: impl Args) -> String {
    let args = args.args();
    let (files, calls) = (scene.files(), scene.stats().calls());
    let Ran { code, out, err } = scene.run(&args);
    assert_eq!(code, 64, "{args:?}: {out}{err}");
    err.shows("nothing was sent or written");
    assert_eq!(scene.files(), files, "{args:?}");
    assert_eq!(scene.stats().calls(), calls, "{args:?}");
    err.lines().next().unwrap().to_owned()
}

#[test]
fn no_output_replaces_an_input() {
    let scene = planned();
    let ledger = ["--ledger", "l.jsonl"];
    let plan = |path| refused(&scene, [&["plan", "--out", path], &ledger[..]].concat());
    insta::assert_snapshot!(plan("rooms.yaml"), @"error: --out and the manifest are the same file: `rooms.yaml`");
    insta::assert_snapshot!(plan("users.csv"), @"error: --out and a roster are the same file: `users.csv`");
    insta::assert_snapshot!(plan("l.jsonl"), @"error: --out and the ledger are the same file: `l.jsonl`");
    plan("./rooms.yaml");
    plan("../../../../../../../../../../../../proc/self/cwd/rooms.yaml");
    for flag in ["--report", "--failed"] {
        for input in ["rooms.yaml", "users.csv", "l.jsonl"] {
            let args = [&["apply", "--yes", flag, input], &ledger[..]].concat();
            let output = refused(&scene, &args);
            output.begins(format!("error: {flag} and "));
            // `--force` does not let a command overwrite one of its inputs.
            refused(&scene, [&args[..], &["--force"]].concat());
        }
        for input in ["plan.json", "l.jsonl"] {
            let output = refused(
                &scene,
                [&["apply", "plan.json", flag, input], &ledger[..]].concat(),
            );
            output.ends(format!("`{input}`"));
        }
    }
}

#[test]
fn every_file_of_a_directory_is_an_input() {
    let scene = planned();
    scene.write("rooms/a/b.yaml", MANIFEST);
    scene.write("rooms/a/users.csv", "id\n3\n");
    let args = |out| ["plan", "-f", "rooms", "--out", out];
    for out in ["rooms/a/b.yaml", "rooms/a/../a/users.csv"] {
        refused(&scene, args(out));
    }
    // The default ledger, which does not exist yet.
    let ledger = format!(".roomform/{}", ledger_name(&scene));
    refused(&scene, args(&ledger));
    // This file is not an input of this run.
    scene.run("plan -f rooms --out rooms.yaml --force").ok();
}

fn ledger_name(scene: &Scene) -> String {
    let url = scene.url();
    let host = url.trim_start_matches("http://").replace(':', "_");
    format!("{host}-627.jsonl")
}

#[cfg(unix)]
#[test]
fn a_link_counts_as_its_target() {
    let scene = planned();
    std::fs::create_dir(scene.path("parts")).unwrap();
    std::os::unix::fs::symlink("rooms.yaml", scene.path("link")).unwrap();
    std::os::unix::fs::symlink("../rooms.yaml", scene.path("parts/link")).unwrap();
    std::fs::hard_link(scene.path("users.csv"), scene.path("hard")).unwrap();
    for path in ["link", "parts/link", "parts/../link", "hard"] {
        refused(&scene, ["plan", "--out", path]);
    }
    let ledger = ["apply", "--yes", "--ledger", "hard"];
    refused(&scene, ledger);
}

#[test]
fn two_outputs_cannot_be_the_same_file() {
    let scene = planned();
    std::fs::create_dir(scene.path("out")).unwrap();
    let apply = |report, failed| ["apply", "--yes", "--report", report, "--failed", failed];
    insta::assert_snapshot!(refused(&scene, apply("new", "out/../new")), @"error: --report and --failed are the same file: `new`");
    let saved = ["apply", "plan.json", "--report", "new", "--failed", "new"];
    refused(&scene, saved);
    #[cfg(unix)]
    scene.run(apply("/dev/null", "/dev/null")).ok();
}

#[test]
fn ledger_and_sandbox_state_cannot_be_outputs() {
    let scene = planned();
    scene.declare(
        MANIFEST
            .replace("user: id", "allow_empty: true")
            .replace(".csv", ".txt"),
    );
    scene.write("users.txt", "");
    scene.write("state.json", "");
    for args in [
        "apply --yes --ledger users.txt",
        "apply --yes --sandbox=users.txt",
        "apply --yes --sandbox=state.json --ledger state.json",
        "apply --yes --sandbox=state.json --report state.json",
        "plan --sandbox=state.json --out state.json",
        "ledger adopt --roster --yes --ledger users.txt",
    ] {
        refused(&scene, args);
    }
}

#[test]
fn an_export_replaces_no_input() {
    let scene = planned();
    for args in [
        "export --force --ledger l.jsonl --out l.jsonl",
        "export --force --sandbox=state.json --out ./state.json",
    ] {
        refused(&scene, args);
    }
    // `--split-by` chooses the names of its files only after it has read the rooms.
    scene.write("parts/team.yaml", scene.read("l.jsonl"));
    let split = "export --force --split-by prefix --ledger parts/team.yaml --out parts";
    let before = scene.files();
    let ran = scene.run(split);
    assert_eq!((ran.code, scene.files()), (64, before), "{}", ran.err);
}

#[test]
fn a_file_of_another_kind_needs_force() {
    let scene = planned();
    scene.write("notes.txt", "not to be lost\n");
    scene.write("empty", "");
    let plan = |path| ["plan", "--ledger", "l.jsonl", "--out", path];
    insta::assert_snapshot!(refused(&scene, plan("notes.txt")), @"error: --out: `notes.txt` exists and is not a plan");
    for path in ["empty", "empty", "new", "new", "plan.json"] {
        scene.run(plan(path)).ok();
    }
    scene.write("printed.json", scene.run("plan --format json").ok());
    scene.run(plan("printed.json")).ok();
    let apply = |report, failed| {
        let outputs = ["--report", report, "--failed", failed];
        [&["apply", "--yes", "--ledger", "l.jsonl"][..], &outputs].concat()
    };
    insta::assert_snapshot!(refused(&scene, apply("plan.json", "f.csv")), @"error: --report: `plan.json` exists and is not a report");
    insta::assert_snapshot!(refused(&scene, apply("r.json", "notes.txt")), @"error: --failed: `notes.txt` exists and is not a list of failed members");
    let saved = ["apply", "plan.json", "--report", "notes.txt"];
    refused(&scene, saved);
    for _ in 0..2 {
        scene.run(apply("r.json", "f.csv")).ok();
    }
    let output = refused(&scene, plan("r.json"));
    output.shows("is not a plan");
    scene
        .run([&apply("notes.txt", "new")[..], &["--force"]].concat())
        .ok();
    scene.read("notes.txt").shows("\"kind\": \"report\"");
}

/// A pull request can add a symbolic link in place of the ledger.
#[cfg(unix)]
#[test]
fn a_ledger_link_out_of_the_work_tree_is_refused() {
    use std::os::unix::fs::symlink;
    let server = Scene::new().sandbox();
    let outside = Scene::new();
    outside.write("there.jsonl", "");
    let ledger = ".roomform/l.jsonl";
    for git in [false, true] {
        for target in ["there.jsonl", "new.jsonl"] {
            let scene = Scene::new()
                .manifest("version: 1\nwidget: 627\nrooms: [{pipe: team-a, title: A}]\n")
                .beside(&server);
            if git {
                std::fs::create_dir(scene.path(".git")).unwrap();
            }
            std::fs::create_dir(scene.path(".roomform")).unwrap();
            symlink(outside.path(target), scene.path(ledger)).unwrap();
            for args in [
                &["apply", "--yes", "--ledger", ledger][..],
                &["apply", "--yes", "--sandbox=.roomform/l.jsonl"],
            ] {
                let ran = scene.run(args);
                ran.exits(5);
                ran.err
                    .shows("symbolic link that is broken or leads outside the work tree");
            }
        }
    }
    // Even if the target is a valid ledger, the link is refused.
    let scene = Scene::new()
        .manifest("version: 1\nwidget: 627\nrooms: [{pipe: team-a, title: A}]\n")
        .applied();
    let text = scene.ledger();
    outside.write("real.jsonl", &text);
    symlink(outside.path("real.jsonl"), scene.path("link.jsonl")).unwrap();
    for verb in ["compact", "forget team-a", "merge link.jsonl"] {
        let ran = scene.run(format!("ledger {verb} --ledger link.jsonl").as_str());
        ran.exits(5);
        ran.err
            .shows("symbolic link that is broken or leads outside the work tree");
    }
    assert_eq!(outside.read("real.jsonl"), text);
    assert_eq!(server.writes(), 0);
    assert_eq!(outside.read("there.jsonl"), "");
    assert!(!outside.path("new.jsonl").exists());
}

/// The permission bits of a file.
#[cfg(unix)]
fn mode(scene: &Scene, name: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(scene.path(name)).unwrap();
    metadata.permissions().mode() & 0o777
}

#[cfg(unix)]
fn set_mode(scene: &Scene, name: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    let permissions = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(scene.path(name), permissions).unwrap();
}

#[cfg(unix)]
fn run_with_umask(scene: &Scene, umask: &str, args: &str) -> Ran {
    let plain = scene.command(args);
    let mut shell = std::process::Command::new("/bin/sh");
    shell
        .args(["-c", "umask \"$0\"; exec \"$@\"", umask])
        .arg(plain.get_program())
        .args(plain.get_args())
        .current_dir(scene.path(""))
        .env_clear()
        .stdin(std::process::Stdio::null());
    for (name, value) in plain.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    shell.output().unwrap().into()
}

/// Only the owner may read files that name people. For exports and the files of `init`, the umask decides.
#[cfg(unix)]
#[test]
fn a_new_file_is_private_if_it_names_people_and_follows_the_umask_otherwise() {
    let commands = [
        "apply --yes --ledger dir/l.jsonl --report r.json --failed f.csv",
        "plan --ledger dir/l.jsonl --out p.json",
        "plan --sandbox=s.json",
        "apply --yes --sandbox=s.json",
        "export --ledger dir/l.jsonl --out live.yaml",
        "export --ledger dir/l.jsonl --out parts --split-by prefix",
        "init new --ci github",
    ];
    let private = [
        "dir/l.jsonl",
        "r.json",
        "f.csv",
        "p.json",
        "s.json",
        "s-627.jsonl",
    ];
    let shared = [
        "live.yaml",
        "parts/team.yaml",
        "new/rooms.yaml",
        "new/.gitignore",
        "new/.github/workflows/roomform.yaml",
    ];
    for (umask, other) in [
        ("000", 0o666),
        ("022", 0o644),
        ("027", 0o640),
        ("077", 0o600),
    ] {
        let scene = Scene::new()
            .manifest(MANIFEST)
            .sandbox()
            .file("users.csv", "id\n3\n");
        for command in commands {
            run_with_umask(&scene, umask, command).exits(0);
        }
        for name in private {
            assert_eq!(mode(&scene, name), 0o600, "{umask}: {name}");
        }
        for name in shared {
            assert_eq!(mode(&scene, name), other, "{umask}: {name}");
        }
    }
}

#[cfg(unix)]
#[test]
fn an_existing_file_keeps_its_mode() {
    let scene = planned();
    scene.run("apply --yes --sandbox=s.json").ok();
    scene
        .run("apply --yes --ledger l.jsonl --report r.json --failed f.csv")
        .ok();
    scene.run("export --ledger l.jsonl --out live.yaml").ok();
    let names = [
        "l.jsonl",
        "plan.json",
        "r.json",
        "f.csv",
        "live.yaml",
        "s.json",
        "s-627.jsonl",
    ];
    for expected in [0o644, 0o640, 0o660] {
        for name in names {
            set_mode(&scene, name, expected);
        }
        scene.edit("title: ", "title: More ");
        for command in [
            "apply --yes --sandbox=s.json",
            "ledger compact --sandbox=s.json",
            "plan --ledger l.jsonl --out plan.json",
            "apply --yes --ledger l.jsonl --report r.json --failed f.csv",
            "ledger compact --ledger l.jsonl",
            "export --ledger l.jsonl --out live.yaml --force",
        ] {
            scene.run(command).ok();
        }
        for name in names {
            assert_eq!(mode(&scene, name), expected, "{name}");
        }
    }
}

/// The state is written to the target of the link.
#[cfg(unix)]
#[test]
fn a_link_to_the_sandbox_state_stays_a_link() {
    let scene = Scene::new()
        .manifest("version: 1\nwidget: 627\nrooms: [{pipe: team-a, title: A}]\n")
        .after("plan --sandbox=real.json");
    std::os::unix::fs::symlink("real.json", scene.path("link.json")).unwrap();
    scene.run("apply --yes --sandbox=link.json").ok();
    assert!(scene.path("link.json").is_symlink());
    scene.read("real.json").shows("team-a");
}
