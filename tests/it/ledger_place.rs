//! Where the ledger is if no flag names it: one manifest has one ledger.

use std::fs;

use crate::support::{Ran, Scene, Shows};

const MANIFEST: &str = "version: 1\nrooms: [{pipe: team-a, title: A, members: [3]}]\n";

/// A room that was applied with `-f rooms`.
fn applied() -> Scene {
    let scene = Scene::new().sandbox().file("rooms/rooms.yaml", MANIFEST);
    scene.run("apply --yes -f rooms").ok();
    scene
}

fn ledgers(scene: &Scene) -> Vec<String> {
    let files = scene.files().into_iter().map(|(path, _)| path);
    let mut ledgers: Vec<String> = files
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .map(|path| path.parent().unwrap().display().to_string())
        .collect();
    ledgers.sort();
    ledgers
}

fn run_in(scene: &Scene, directory: &str, args: &str) -> Ran {
    let mut command = scene.command(args);
    let ran = command.current_dir(scene.path(directory)).output();
    ran.unwrap().into()
}

#[test]
fn a_manifest_from_stdin_has_its_rosters_and_its_ledger_in_the_current_directory() {
    let scene = Scene::new().sandbox().file("a.csv", "user\n5\n");
    let run = |args: &str, members: &str| {
        let manifest =
            format!("version: 1\nrooms: [{{pipe: team-a, title: A, members: {members}}}]\n");
        scene.run_with_input(args, &manifest)
    };
    let unanswered = run("apply -f -", "[{roster: a.csv}]");
    unanswered.exits(5);
    unanswered.err.shows("--yes");
    run("apply --yes -f -", "[{roster: a.csv}]")
        .ok()
        .shows("1 member confirmed");
    assert_eq!(
        ledgers(&scene),
        [scene.path(".roomform").display().to_string()]
    );
    run("plan -f -", "[5]").ok().shows("nothing to do");
    let invalid = run("check -f -", "[0]");
    invalid.exits(3);
    invalid.err.shows("--> <stdin>:2:");
    run("check -f - -f -", "[5]").ok().shows("1 room");
}

#[test]
fn every_spelling_of_a_manifest_finds_its_ledger() {
    let scene = applied();
    let whole = scene.path("rooms");
    #[cfg(unix)]
    std::os::unix::fs::symlink("rooms", scene.path("link")).unwrap();
    let mut spellings = vec![
        (".", String::new()),
        (".", "-f rooms/".to_owned()),
        (".", "-f ./rooms".to_owned()),
        (".", "-f rooms/rooms.yaml".to_owned()),
        (".", "-f rooms/../rooms".to_owned()),
        (".", format!("-f {}", whole.display())),
        ("rooms", String::new()),
        ("rooms", "-f .".to_owned()),
        ("rooms", "-f rooms.yaml".to_owned()),
        ("rooms", "-f ../rooms".to_owned()),
        ("rooms", format!("-f {}/rooms.yaml", whole.display())),
    ];
    #[cfg(unix)]
    spellings.push((".", "-f link".to_owned()));
    for (directory, flags) in spellings {
        let args = format!("apply --yes {flags}");
        let ran = run_in(&scene, directory, args.trim());
        assert!(
            ran.out.contains("nothing to do"),
            "{directory}: {flags}: {ran:#?}"
        );
        assert_eq!(ledgers(&scene).len(), 1, "{directory}: {flags}");
    }
    assert!(scene.path(".roomform").is_dir());
    // The path of the manifest may also differ between a saved plan and its apply: both use the
    // same ledger.
    scene.write("rooms/rooms.yaml", MANIFEST.replace("[3]", "[3, 4]"));
    let saved = format!("plan --out plan.json -f {}", whole.display());
    scene.run(saved.as_str()).ok();
    scene.run("apply plan.json -f ./rooms/rooms.yaml").ok();
    assert_eq!(ledgers(&scene).len(), 1);
}

#[test]
fn a_ledger_stays_in_the_git_work_tree() {
    let scene = Scene::new().sandbox().file("rooms/rooms.yaml", MANIFEST);
    fs::create_dir(scene.path("rooms/.git")).unwrap();
    scene.run("apply --yes -f rooms").ok();
    assert!(scene.path("rooms/.roomform").is_dir() && !scene.path(".roomform").exists());
}

#[test]
fn a_ledger_at_its_older_place_is_used_and_two_are_refused() {
    let scene = applied();
    fs::rename(scene.path(".roomform"), scene.path("rooms/.roomform")).unwrap();
    let ran = scene.run("apply --yes -f rooms");
    assert!(ran.out.contains("nothing to do"), "{ran:#?}");
    ran.err
        .shows("is where an older version put it; move it to `.roomform/");
    assert_eq!(ledgers(&scene).len(), 1);

    fs::create_dir(scene.path(".roomform")).unwrap();
    for entry in fs::read_dir(scene.path("rooms/.roomform")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(
            &path,
            scene.path(".roomform").join(path.file_name().unwrap()),
        )
        .unwrap();
    }
    for verb in ["plan", "apply --yes", "ledger show", "todo"] {
        let ran = scene.run(format!("{verb} -f rooms").as_str());
        assert_eq!(ran.code, 5, "{verb}: {ran:#?}");
        ran.err.shows("there are two ledgers: `.roomform/");
        ran.err.shows("and `rooms/.roomform/");
    }
    // The hint works.
    let ran = scene.run("plan -f rooms");
    let (_, hint) = ran.err.split_once("`roomform ").unwrap();
    scene.run(hint.split_once('`').unwrap().0).ok();
    fs::remove_dir_all(scene.path("rooms/.roomform")).unwrap();
    assert!(scene.run("plan -f rooms").ok().contains("nothing to do"));
}
