//! Rosters that shrink sharply: a truncated export must not look like the end of a term.

use std::fs;

use insta::assert_snapshot;
use roomform::plan::{Baseline, Plan, Violation};

use crate::support::{Scene, Shows};

const MANIFEST: &str = "version: 1
widget: 627
generate:
  - each: courses.csv
    room: {pipe: \"course-{{ id }}\", title: \"Course {{ id }}\", members: [1], enrol: {roster: data/enrollments.csv, allow_empty: true, on: {course: id}, user: user}}
";

fn rows(count: u64) -> String {
    let rows = (1..=count).map(|row| format!("{},{}\n", row % 2 + 1, 100 + row));
    format!("course,user\n{}", rows.collect::<String>())
}

/// Two applied courses with ten enrolments.
fn applied() -> Scene {
    let scene = Scene::new()
        .manifest(MANIFEST)
        .sandbox()
        .file("courses.csv", "id\n1\n2\n");
    scene.write("data/enrollments.csv", rows(10));
    scene.apply().ok();
    scene
}

/// The figure that the ledger records for each file.
fn given(scene: &Scene) -> String {
    let shown = scene.run("ledger show --format json").json();
    let rosters = shown["rosters"].as_array().unwrap().iter();
    let rosters = rosters.map(|it| format!("{} {}", it["source"].as_str().unwrap(), it["given"]));
    rosters.collect::<Vec<_>>().join(", ")
}

#[test]
fn a_roster_that_lost_more_than_half_of_its_rows_is_refused() {
    let scene = applied();
    assert_eq!(given(&scene), "courses.csv 2, data/enrollments.csv 10");
    let shown = scene.run("ledger show").ok();
    shown.shows("\n  data/enrollments.csv  had a total of 10 rooms and memberships\n");
    let (before, writes) = (scene.ledger(), scene.writes());
    scene.write("data/enrollments.csv", rows(5));
    // A file with exactly half of its rows is accepted.
    scene.plan().exits(0);
    scene.write("data/enrollments.csv", rows(4));
    let ran = scene.plan();
    ran.exits(5);
    assert_snapshot!(ran.out.lines().last().unwrap(), @"refused: `data/enrollments.csv` has 4 rooms and memberships, but had 10 when last applied: is the file complete? if it is, allow the change with --ignore-limits");
    let json = scene.run("plan --format json").json();
    assert_snapshot!(json["refusals"].to_string(), @r#"[{"allowed":5,"count":4,"limit":"roster","message":"`data/enrollments.csv` has 4 rooms and memberships, but had 10 when last applied: is the file complete? if it is, allow the change with --ignore-limits","source":"data/enrollments.csv"}]"#);
    scene.apply().exits(5);
    scene.run("plan --only course-1").exits(5);
    scene
        .run("plan --allow-publish course-1 --allow-recreate")
        .exits(5);
    assert_eq!((scene.ledger(), scene.writes()), (before, writes));
}

#[test]
fn small_and_empty_rosters_are_checked_too() {
    let scene = applied();
    scene.write("data/enrollments.csv", rows(0));
    let ran = scene.plan();
    ran.shows("has 0 rooms and memberships, but had 10 when");
    scene.run("apply --yes --ignore-limits").ok();
    scene.write("data/enrollments.csv", rows(1));
    scene.apply().ok();
    assert_eq!(given(&scene), "courses.csv 2, data/enrollments.csv 1");
    scene.write("data/enrollments.csv", rows(0));
    scene.plan().exits(5);
}

#[test]
fn an_allowed_size_replaces_the_old_one_even_if_nothing_was_sent() {
    let scene = applied();
    let writes = scene.writes();
    scene.write("data/enrollments.csv", rows(3));
    scene.run("apply --yes --ignore-limits").ok();
    assert_eq!(scene.writes(), writes);
    assert_eq!(given(&scene), "courses.csv 2, data/enrollments.csv 3");
    // The same people from another source, so that no member is removed.
    let all = MANIFEST.replace("members: [1]", "members: [1, 101, 102, 103]");
    scene.declare(all);
    scene.write("data/enrollments.csv", rows(3).replace("\n2,101", ""));
    scene.plan().exits(5);
    scene.run("apply --yes --ignore-limits").ok();
    assert_eq!(given(&scene), "courses.csv 2, data/enrollments.csv 0");
}

#[test]
fn sizes_are_not_recorded_without_a_change_or_for_some_rooms() {
    let scene = Scene::new()
        .manifest(MANIFEST)
        .sandbox()
        .file("courses.csv", "id\n1\n2\n");
    scene.write("data/enrollments.csv", rows(10));
    scene.run("apply --yes --only course-1").ok();
    assert_eq!(given(&scene), "");
    scene.apply().ok();
    let (before, writes) = (scene.ledger(), scene.writes());
    scene.apply().ok();
    scene.run("apply --yes --ignore-limits").ok();
    assert_eq!((scene.ledger(), scene.writes()), (before, writes));
}

#[test]
fn a_saved_plan_is_checked_again_and_its_refusal_has_the_figures() {
    let scene = applied();
    scene.write("data/enrollments.csv", rows(4));
    scene.run("plan --out plan.json").exits(5);
    let ran = scene.run("apply plan.json");
    ran.exits(5);
    ran.shows(
        "refused: `data/enrollments.csv` has 4 rooms and memberships, but had 10 when last applied",
    );
    let writes = scene.writes();
    scene.run("apply plan.json --ignore-limits").ok();
    assert_eq!(given(&scene), "courses.csv 2, data/enrollments.csv 4");
    let before = scene.ledger();
    scene.run("apply plan.json --ignore-limits").ok();
    assert_eq!((scene.ledger(), scene.writes()), (before, writes));
}

/// A ledger may move between machines, so the name of a file in the ledger does not depend on
/// where the manifest is.
#[test]
fn a_file_has_the_same_name_on_every_machine() {
    let scene = Scene::new().sandbox();
    let apply = |args: &[&str]| {
        scene
            .run([&["apply", "--yes", "--ledger", "l.jsonl"], args].concat())
            .ok();
        let shown = scene.run("ledger show --format json --ledger l.jsonl");
        let rosters = shown.json()["rosters"].clone();
        fs::remove_file(scene.path("l.jsonl")).unwrap();
        let names = rosters.as_array().unwrap().iter();
        names
            .map(|it| it["source"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let room = |pipe: &str, roster: &str| {
        format!(
            "version: 1\nwidget: 627\nrooms: [{{pipe: {pipe}, title: A, members: [{{roster: {roster}}}]}}]\n"
        )
    };
    scene.write("a/rooms.yaml", room("room-a", "./data/../data/new.csv"));
    scene.write("a/data/2026-09-01.csv", "user\n7\n");
    std::os::unix::fs::symlink("2026-09-01.csv", scene.path("a/data/new.csv")).unwrap();
    let absolute = scene.path("a").to_str().unwrap().to_owned();
    for root in ["a", "./a", "a/rooms.yaml", "a/../a", &absolute] {
        assert_eq!(apply(&["-f", root]), ["data/new.csv"], "{root}");
    }
    // Two roots may have files with the same name.
    scene.write("b/rooms.yaml", room("room-b", "new.csv"));
    scene.write("b/new.csv", "user\n8\n");
    assert_eq!(apply(&["-f", "b"]), ["new.csv"]);
    assert_eq!(
        apply(&["-f", "b", "-f", "a/rooms.yaml"]),
        ["a/data/new.csv", "b/new.csv"]
    );
}

#[test]
fn a_diff_says_that_a_plan_would_be_refused() {
    let scene = Scene::new();
    for (side, count) in [("base", 9), ("head", 4)] {
        scene.write(&format!("{side}/rooms.yaml"), MANIFEST);
        scene.write(&format!("{side}/courses.csv"), "id\n1\n2\n");
        scene.write(&format!("{side}/data/enrollments.csv"), rows(count));
    }
    let out = scene.run("diff base head").ok();
    out.shows("unless allowed\n    `data/enrollments.csv` has 4 rooms and memberships, but had 9 before: is the file complete?");
}

#[test]
fn shards_of_different_counts_do_not_allow_a_smaller_size_together() {
    let scene = applied();
    scene.write("data/enrollments.csv", rows(4));
    for shard in ["0/2", "0/3"] {
        let run = format!("apply --yes --ignore-limits --shard {shard}");
        scene.run(run.as_str()).ok();
        assert!(given(&scene).contains(&format!("enrollments.csv (part {shard}) 4")));
    }
    scene.plan().exits(5);
}

/// `class.csv.bak` is another file than `class.csv`, although its name starts the same.
#[test]
fn only_sizes_of_the_shrunk_file_are_worth_recording() {
    let plan = |entry: &str| Plan {
        guards: vec![Violation::Shrunk {
            source: "class.csv".into(),
            now: 1,
            before: 9,
        }],
        baseline: Baseline {
            given: [(entry.into(), 1)].into(),
            ..Baseline::default()
        },
        ..Plan::default()
    };
    for (entry, expected) in [
        ("class.csv", true),
        ("class.csv (part 3/8)", true),
        ("class.csv.bak", false),
        ("class.csv.bak (part 3/8)", false),
    ] {
        assert_eq!(plan(entry).has_anything_to_record(), expected, "{entry}");
    }
}
