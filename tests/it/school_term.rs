//! `examples/school-term`: every command of its README runs, and the README shows the real output.

use std::fs;
use std::path::{Path, PathBuf};

#[cfg(feature = "xlsx")]
use crate::support::workbook::{Sheet, workbook};
use crate::support::{Scene, Shows, follow};

#[path = "../../examples/school-term/generate.rs"]
#[expect(
    dead_code,
    clippy::print_stderr,
    reason = "the program around the files is for people without Cargo"
)]
mod generate;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/school-term")
}

fn source(name: &str) -> String {
    fs::read_to_string(example().join(name)).unwrap()
}

#[test]
fn the_files_have_the_documented_size() {
    for term in [1, 2] {
        let files = generate::files(term, false);
        assert_eq!(files, generate::files(term, false));
        let count = |name: &str, word: &str| {
            let (_, text) = files.iter().find(|(other, _)| *other == name).unwrap();
            text.lines().filter(|line| line.contains(word)).count()
        };
        assert_eq!(count("courses.csv", ";active;"), 400);
        assert_eq!(count("enrollments.csv", ",active"), 9_000);
    }
    assert_eq!(source("rooms.yaml").lines().count(), 29);
}

#[test]
fn every_command_of_the_readme_prints_what_it_shows() {
    let scene = Scene::new().manifest(source("rooms.yaml"));
    for (directory, term, has_mistakes) in [
        ("--mistakes", 1, true),
        ("", 1, false),
        ("--term", 2, false),
    ] {
        for (name, text) in generate::files(term, has_mistakes) {
            scene.write(&format!("exports{directory}/{name}"), text);
        }
    }
    // Copies what the program of the example would write.
    scene.write("generate", "cp \"exports${1:-}/\"* .\n");
    let page = source("README.md").replace("./generate", "sh ./generate");
    let printed = follow(&scene, &page);
    // Each mistake has a hint.
    assert_eq!(printed[0].matches("= help: ").count(), 12, "{}", printed[0]);
    assert_eq!(printed.len(), 5);
}

/// The page about the next term: a pupil changes class, the old term leaves the manifest, the new one comes, and members move.
#[test]
fn a_class_change_and_the_next_term_go_as_the_page_shows() {
    let scene = Scene::new().manifest(source("roll-over/rooms.yaml"));
    for directory in ["term-1", "class-change", "term-2"] {
        let entries = fs::read_dir(example().join("roll-over").join(directory)).unwrap();
        for path in entries.map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_str().unwrap();
            scene.write(&format!("{directory}/{name}"), fs::read(&path).unwrap());
        }
    }
    let printed = follow(&scene, &source("roll-over/README.md"));
    let steps = &printed[2];
    assert_eq!(
        steps.matches("remove pupil-03 (103) from room").count(),
        2,
        "{steps}"
    );
    steps.shows("todo: no open steps");
    assert_eq!(printed.join("").matches("\nrefused: ").count(), 1);
    // The new rooms have the new classes; the old ones still have everyone.
    let state = scene.read(".roomform/sandbox.json");
    let members = |pipe: &str| {
        let lines = state.lines().rev();
        let mut lines = lines.filter(|line| line.contains(&format!("\"pipe\":\"{pipe}\"")));
        let (_, members) = lines.next().unwrap().split_once("\"members\":[").unwrap();
        members.split(']').next().unwrap().to_owned()
    };
    assert_eq!(members("2026-2-5a-algebra"), "3,21,101,102");
    assert_eq!(members("2026-2-5b-algebra"), "3,21,103,104,105,106");
    assert_eq!(members("2026-1-5a-algebra"), "3,21,101,102,103");
}

/// All courses of a class have the same pupils, so members do not show which new room continues
/// which old room.
#[test]
fn a_new_term_is_not_a_list_of_renames() {
    let scene = Scene::new().manifest(source("rooms.yaml"));
    let export = |term| {
        for (name, text) in generate::files(term, false) {
            scene.write(name, text);
        }
    };
    export(1);
    scene.run("apply --sandbox --yes").ok();
    export(2);
    let plan = scene.run("plan --sandbox");
    plan.exits(5);
    plan.out
        .shows("400 rooms on record but no longer declared")
        .lacks("likely rename");
}

/// The school may export the enrolments as a workbook.
#[test]
#[cfg(feature = "xlsx")]
fn a_workbook_in_place_of_a_csv_file_gives_the_same_rooms() {
    let scene = Scene::new().manifest(source("rooms.yaml"));
    for (name, text) in generate::files(1, false) {
        scene.write(name, text);
    }
    let expected = scene.run("render").ok();
    let sheet = Sheet::from_csv("Export", &scene.read("enrollments.csv"));
    scene.write("enrollments.xlsx", workbook(&[sheet]));
    fs::remove_file(scene.path("enrollments.csv")).unwrap();
    scene.edit("enrollments.csv", "enrollments.xlsx");
    assert_eq!(scene.run("render").ok(), expected);
}
