//! `examples/school-term`: every command of its README runs, and the README shows the real output.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

#[cfg(feature = "xlsx")]
use crate::support::workbook::{Sheet, workbook};
use crate::support::{Ran, Scene, Shows};

#[path = "../../examples/school-term/generate.rs"]
#[expect(
    dead_code,
    clippy::print_stderr,
    reason = "the program around the files is for people without Cargo"
)]
mod generate;

fn source(name: &str) -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/school-term");
    fs::read_to_string(directory.join(name)).unwrap()
}

/// The code blocks of a page in a language, in order.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let page = source(page);
    let open = format!("```{language}\n");
    let blocks = page.split(&open).skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

/// The commands of a page, without those that only prepare the directory.
fn commands(page: &str) -> Vec<String> {
    let blocks = blocks(page, "sh").join("");
    let lines = blocks.lines().map(str::to_owned);
    lines
        .filter(|line| !line.starts_with("cd ") && !line.starts_with("rustc "))
        .collect()
}

/// Checks that a page shows output in the order of its commands.
#[track_caller]
fn shows_in_order(page: &str, said: &str) {
    let mut rest = said;
    for shown in blocks(page, "text") {
        let at = rest.find(&shown);
        let at = at.unwrap_or_else(|| panic!("not printed after what comes before it:\n{shown}"));
        rest = &rest[at + shown.len()..];
    }
}

/// Runs a line of the README in a shell, with the tested program on the PATH.
fn shell(scene: &Scene, line: &str) -> Ran {
    if let Some(arguments) = line.strip_prefix("./generate") {
        let term = if arguments.contains("--term 2") { 2 } else { 1 };
        for (name, text) in generate::files(term, arguments.contains("--mistakes")) {
            scene.write(name, text);
        }
        return Ran {
            code: 0,
            out: String::new(),
            err: String::new(),
        };
    }
    let program = PathBuf::from(env!("CARGO_BIN_EXE_roomform"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let ended = Command::new("sh")
        .args(["-c", line])
        .current_dir(scene.path("."))
        .env_clear()
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran {
        code: ended.status.code().unwrap(),
        out: String::from_utf8(ended.stdout).unwrap(),
        err: String::from_utf8(ended.stderr).unwrap(),
    }
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
    let scene = Scene::new();
    scene.declare(source("rooms.yaml"));
    let commands = commands("README.md");
    let mut said = String::new();
    let mut codes = Vec::new();
    for line in &commands {
        let ran = shell(&scene, line);
        if line == "roomform check" && ran.code == 3 {
            let is_diagnostic =
                |line: &&str| line.starts_with("error[") || line.starts_with("warning[");
            let mistakes: Vec<&str> = ran.err.lines().filter(is_diagnostic).collect();
            assert_eq!(mistakes.len(), 12, "{}", ran.err);
            // Each error has a location, a mark under the cell, and a hint.
            assert_eq!(ran.err.matches("= help: ").count(), 12, "{}", ran.err);
            said.push_str(&format!("{}\n", mistakes.join("\n")));
        } else {
            assert!(!ran.err.contains("error"), "{line}: {}", ran.err);
            said.push_str(&ran.out);
        }
        codes.push((line.as_str(), ran.code));
    }
    let failed: Vec<&(&str, i32)> = codes.iter().filter(|(_, code)| *code != 0).collect();
    assert_eq!(
        failed,
        [&("roomform check", 3), &("roomform plan --sandbox", 5)]
    );
    assert_eq!(commands.len(), 14, "{commands:#?}");
    shows_in_order("README.md", &said);
}

/// The page about the next term: a pupil changes class, the old term leaves the manifest, the new one comes, and members move.
#[test]
fn a_class_change_and_the_next_term_go_as_the_page_shows() {
    let page = "roll-over/README.md";
    let scene = Scene::new();
    scene.declare(source("roll-over/rooms.yaml"));
    for file in [
        "term-1/courses.csv",
        "term-1/enrollments.csv",
        "term-1/people.csv",
        "class-change/enrollments.csv",
        "term-2/courses.csv",
        "term-2/enrollments.csv",
    ] {
        scene.write(file, source(&format!("roll-over/{file}")));
    }
    let mut said = String::new();
    for line in commands(page) {
        let ran = shell(&scene, &line);
        let is_refused = ran.out.contains("\nrefused: ");
        assert_eq!(ran.code, if is_refused { 5 } else { 0 }, "{line}: {ran:?}");
        match line.as_str() {
            line if line.starts_with("roomform todo --sandbox --user") => {
                assert_eq!(
                    ran.out.matches("remove pupil-03 (103) from room").count(),
                    2
                );
            }
            line if line.starts_with("roomform todo done") => {
                ran.begins("todo: no open steps");
            }
            line if line.starts_with("roomform ledger history") => {
                assert_eq!(
                    ran.out.matches("pupil-03 (103)").count(),
                    ran.out.lines().count()
                );
            }
            _ => {}
        }
        said.push_str(&ran.out);
    }
    assert_eq!(said.matches("\nrefused: ").count(), 1);
    shows_in_order(page, &said);
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

/// Each of the 400 new rooms has most members of an old one. One line counts them and shows three.
#[test]
fn four_hundred_likely_renames_are_one_line() {
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
    let notes = plan
        .out
        .lines()
        .filter(|line| line.contains("likely rename"));
    let notes: Vec<&str> = notes.collect();
    assert_eq!(notes.len(), 1, "{notes:#?}");
    notes[0]
        .begins("    400 likely renames: `2026-2-")
        .shows(" … 397 more; ");
    assert_eq!(notes[0].matches(" has most members of ").count(), 3);
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
