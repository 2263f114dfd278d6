//! Rooms with look-alike names: two declared rooms in `check`, `plan` and `diff`, and a
//! declared room together with a live room that is not declared.

use insta::assert_snapshot;

use super::rendered::Rendered;
use crate::support::{Scene, Shows, live_room};

const MANIFEST: &str = "\
version: 1
rooms:
  - {pipe: team-a, title: Support}
  - {pipe: Team-A, title: Supp\u{43e}rt}
";

#[test]
fn every_command_warns_about_declared_look_alikes_with_code_points() {
    let scene = Scene::new()
        .manifest(MANIFEST)
        .file("base.yaml", "version: 1\nrooms: []\n");
    let expected = [
        "`Team-A` looks like `team-a`: U+0054 for U+0074, U+0041 for U+0061",
        "`Supp\u{43e}rt` looks like `Support`: U+043E for U+006F",
    ];
    let verbs: [&[&str]; 3] = [
        &["check"],
        &["plan", "--sandbox"],
        &["diff", "base.yaml", "rooms.yaml"],
    ];
    for verb in verbs {
        let text = scene.run(verb);
        text.exits(0);
        for words in expected {
            assert!(text.err.contains(words), "{verb:?}: {}", text.err);
        }
        let json = scene.run([verb, &["--format", "json"]].concat()).json();
        let codes: Vec<&str> = json["diagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["code"].as_str().unwrap())
            .collect();
        assert_eq!(codes, ["W102", "W107"], "{verb:?}");
        let github = scene.run([verb, &["--format", "github"]].concat());
        let lines = github
            .out
            .lines()
            .filter(|line| line.contains("look-alike"));
        assert_eq!(lines.count(), 2, "{verb:?}: {}", github.out);
        let page = scene.run([verb, &["--format", "markdown"]].concat());
        let read = Rendered::new(&page.out);
        assert!(
            read.headings.contains(&"Look-alikes: 2".to_owned()),
            "{read:#?}"
        );
        read.words.shows("U+043E for U+006F");
    }
}

#[test]
fn an_undeclared_live_room_that_looks_like_a_declared_one_is_reported() {
    let scene = Scene::new().sandbox();
    for pipe in ["team-A", "te\u{430}m-a", "team-b", "", "other"] {
        scene.insert(live_room(pipe, "Live"));
    }
    let text =
        "version: 1\nrooms:\n  - {pipe: team-a, title: A}\n  - {pipe: team-b, title: Live}\n";
    let scene = scene.manifest(text);
    let plan = scene.plan().ok();
    let warnings = plan
        .split("  look-alikes: people cannot tell these apart\n")
        .nth(1)
        .unwrap();
    assert_snapshot!(warnings.split("\n\n").next().unwrap(), @"
    team-a: looks like the live room `team-A` (U+0061 for U+0041), which is not declared; a server that ignores case would confuse the two rooms
    team-a: looks like the live room `teаm-a` (U+0061 for U+0430), which is not declared; a server that ignores case would confuse the two rooms
    ");
    let page = scene.run("plan --format markdown").ok();
    page.shows("### Look-alikes: 2\n");
    let lines = scene.run("plan --format github").ok();
    assert_eq!(
        lines.matches("::warning title=look-alikes::").count(),
        2,
        "{lines}"
    );
    let notes = scene.run("plan --format json").json()["notes"].to_string();
    assert_eq!(notes.matches("\"looks_like\"").count(), 2, "{notes}");
    // If the live room is declared too, the warning is about two rooms of the manifest.
    scene.declare(format!("{text}  - {{pipe: team-A, title: Live}}\n"));
    let ran = scene.run("plan --only team-A");
    ran.begins("  notes\n    --only leaves out");
    ran.err.shows("`team-A` looks like `team-a`");
    // A deleted room causes no warning.
    scene.declare(text);
    for room in scene.rooms() {
        if room.pipe.starts_with("te") && room.pipe != "team-b" {
            assert!(scene.world(|world| world.delete_room(627, room.id, 1)));
        }
    }
    let plan = scene.plan().ok();
    plan.lacks("looks like");
}
