//! `examples/school-term`: every command of its README runs, and the README shows the real output.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

#[cfg(feature = "xlsx")]
use crate::support::workbook::{Sheet, workbook};
use crate::support::{Ran, Scene};

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

/// The README's code blocks in this language, in order.
fn blocks(language: &str) -> Vec<String> {
    let readme = source("README.md");
    let open = format!("```{language}\n");
    let blocks = readme.split(&open).skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
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
    let commands: Vec<String> = blocks("sh")
        .iter()
        .flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| !line.starts_with("cd ") && !line.starts_with("rustc "))
        .collect();
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
    assert_eq!(commands.len(), 16, "{commands:#?}");
    // The README shows output in the order of the commands.
    let mut rest = said.as_str();
    for shown in blocks("text") {
        let at = rest.find(&shown);
        let at = at.unwrap_or_else(|| panic!("not printed after what comes before it:\n{shown}"));
        rest = &rest[at + shown.len()..];
    }
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
