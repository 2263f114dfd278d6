//! Rosters that give much less than they did: an export that broke off must not look like a term's end.

use std::fs;

use insta::assert_snapshot;
use roomform::sandbox::Config;

use crate::support::{Api, Dir, Shows};

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

/// Two courses with ten enrolments, applied.
fn applied() -> (Api, Dir) {
    let api = Api::start(Config::default());
    let dir = Dir::with(MANIFEST).envs(&api.env());
    dir.write("courses.csv", "id\n1\n2\n");
    dir.write("data/enrollments.csv", rows(10));
    dir.run(&["apply", "--yes"]).ok();
    (api, dir)
}

fn ledger(dir: &Dir) -> String {
    let mut entries = fs::read_dir(dir.path(".roomform")).unwrap();
    fs::read_to_string(entries.next().unwrap().unwrap().path()).unwrap()
}

/// What is on record of rosters.
fn given(dir: &Dir) -> String {
    let shown = dir.run(&["ledger", "show", "--format", "json"]).json();
    let rosters = shown["rosters"].as_array().unwrap().iter();
    let rosters = rosters.map(|it| format!("{} {}", it["source"].as_str().unwrap(), it["given"]));
    rosters.collect::<Vec<_>>().join(", ")
}

#[test]
fn a_roster_that_lost_more_than_half_is_refused_with_the_figures() {
    let (api, dir) = applied();
    assert_eq!(given(&dir), "courses.csv 2, data/enrollments.csv 10");
    let shown = dir.run(&["ledger", "show"]).ok();
    shown.shows("\n  data/enrollments.csv  gave 10 rooms and memberships\n");
    let (before, writes) = (ledger(&dir), api.stats().writes());
    dir.write("data/enrollments.csv", rows(5));
    assert_eq!(
        dir.run(&["plan"]).code,
        0,
        "half of it is no more than half"
    );
    dir.write("data/enrollments.csv", rows(4));
    let ran = dir.run(&["plan"]);
    ran.exits(5);
    assert_snapshot!(ran.out.lines().last().unwrap(), @"refused: `data/enrollments.csv` gives 4 rooms and memberships, 10 when last applied: is the file whole? allow it with --ignore-limits");
    let json = dir.run(&["plan", "--format", "json"]).json();
    assert_snapshot!(json["refusals"].to_string(), @r#"[{"allowed":5,"count":4,"limit":"roster","message":"`data/enrollments.csv` gives 4 rooms and memberships, 10 when last applied: is the file whole? allow it with --ignore-limits","source":"data/enrollments.csv"}]"#);
    dir.run(&["apply", "--yes"]).exits(5);
    dir.run(&["plan", "--only", "course-1"]).exits(5);
    dir.run(&["plan", "--allow-publish", "--allow-recreate"])
        .exits(5);
    assert_eq!((ledger(&dir), api.stats().writes()), (before, writes));
}

#[test]
fn an_empty_roster_counts_as_nothing_and_there_is_no_size_below_which_nothing_is_checked() {
    let (_api, dir) = applied();
    dir.write("data/enrollments.csv", rows(0));
    let ran = dir.run(&["plan"]);
    ran.shows("gives 0 rooms and memberships, 10 when");
    dir.run(&["apply", "--yes", "--ignore-limits"]).ok();
    dir.write("data/enrollments.csv", rows(1));
    dir.run(&["apply", "--yes"]).ok();
    assert_eq!(given(&dir), "courses.csv 2, data/enrollments.csv 1");
    dir.write("data/enrollments.csv", rows(0));
    dir.run(&["plan"]).exits(5);
}

#[test]
fn what_was_allowed_is_the_new_measure_even_if_nothing_was_sent() {
    let (api, dir) = applied();
    let writes = api.stats().writes();
    dir.write("data/enrollments.csv", rows(3));
    dir.run(&["apply", "--yes", "--ignore-limits"]).ok();
    assert_eq!(api.stats().writes(), writes);
    assert_eq!(given(&dir), "courses.csv 2, data/enrollments.csv 3");
    // The same people by another way, so that nobody leaves either.
    let all = MANIFEST.replace("members: [1]", "members: [1, 101, 102, 103]");
    dir.write("rooms.yaml", all);
    dir.write("data/enrollments.csv", rows(3).replace("\n2,101", ""));
    dir.run(&["plan"]).exits(5);
    dir.run(&["apply", "--yes", "--ignore-limits"]).ok();
    assert_eq!(given(&dir), "courses.csv 2, data/enrollments.csv 0");
}

#[test]
fn nothing_is_written_down_when_nothing_changed_nor_for_a_part() {
    let api = Api::start(Config::default());
    let dir = Dir::with(MANIFEST).envs(&api.env());
    dir.write("courses.csv", "id\n1\n2\n");
    dir.write("data/enrollments.csv", rows(10));
    dir.run(&["apply", "--yes", "--only", "course-1"]).ok();
    assert_eq!(given(&dir), "");
    dir.run(&["apply", "--yes"]).ok();
    let (before, writes) = (ledger(&dir), api.stats().writes());
    dir.run(&["apply", "--yes"]).ok();
    dir.run(&["apply", "--yes", "--ignore-limits"]).ok();
    assert_eq!((ledger(&dir), api.stats().writes()), (before, writes));
}

#[test]
fn a_saved_plan_is_refused_again_and_says_what_it_gave() {
    let (api, dir) = applied();
    dir.write("data/enrollments.csv", rows(4));
    dir.run(&["plan", "--out", "plan.json"]).exits(5);
    let ran = dir.run(&["apply", "plan.json"]);
    ran.exits(5);
    ran.shows(
        "refused: `data/enrollments.csv` gives 4 rooms and memberships, 10 when last applied",
    );
    let writes = api.stats().writes();
    dir.run(&["apply", "plan.json", "--ignore-limits"]).ok();
    assert_eq!(given(&dir), "courses.csv 2, data/enrollments.csv 4");
    let before = ledger(&dir);
    dir.run(&["apply", "plan.json", "--ignore-limits"]).ok();
    assert_eq!((ledger(&dir), api.stats().writes()), (before, writes));
}

/// The ledger is kept from machine to machine: a file is called the same wherever the manifest lies.
#[test]
fn a_file_is_called_the_same_on_every_machine() {
    let api = Api::start(Config::default());
    let dir = Dir::new().envs(&api.env());
    let apply = |args: &[&str]| {
        dir.run(&[&["apply", "--yes", "--ledger", "l.jsonl"], args].concat())
            .ok();
        let shown = dir.run(&["ledger", "show", "--format", "json", "--ledger", "l.jsonl"]);
        let rosters = shown.json()["rosters"].clone();
        fs::remove_file(dir.path("l.jsonl")).unwrap();
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
    dir.write("a/rooms.yaml", room("room-a", "./data/../data/new.csv"));
    dir.write("a/data/2026-09-01.csv", "user\n7\n");
    std::os::unix::fs::symlink("2026-09-01.csv", dir.path("a/data/new.csv")).unwrap();
    let absolute = dir.path("a").to_str().unwrap().to_owned();
    for root in ["a", "./a", "a/rooms.yaml", "a/../a", &absolute] {
        assert_eq!(apply(&["-f", root]), ["data/new.csv"], "{root}");
    }
    // Two roots may have files of one name.
    dir.write("b/rooms.yaml", room("room-b", "new.csv"));
    dir.write("b/new.csv", "user\n8\n");
    assert_eq!(apply(&["-f", "b"]), ["new.csv"]);
    assert_eq!(
        apply(&["-f", "b", "-f", "a/rooms.yaml"]),
        ["a/data/new.csv", "b/new.csv"]
    );
}

#[test]
fn a_diff_tells_what_a_plan_would_be_refused_for() {
    let dir = Dir::new();
    for (side, count) in [("base", 9), ("head", 4)] {
        dir.write(&format!("{side}/rooms.yaml"), MANIFEST);
        dir.write(&format!("{side}/courses.csv"), "id\n1\n2\n");
        dir.write(&format!("{side}/data/enrollments.csv"), rows(count));
    }
    let out = dir.run(&["diff", "base", "head"]).ok();
    out.shows("unless allowed\n    `data/enrollments.csv` gives 4 rooms and memberships, 9 before: is the file whole?");
}
