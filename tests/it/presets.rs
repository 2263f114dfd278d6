//! What school systems export, through the presets: the example directories, and what a manifest may say over a preset.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;

use crate::support::Dir;

/// A copy of an example directory.
fn example(name: &str) -> Dir {
    let dir = Dir::new();
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples")
            .join(name),
        &dir,
        "",
    );
    dir
}

fn copy(from: &Path, dir: &Dir, below: &str) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{below}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            copy(&path, dir, &format!("{name}/"));
        } else {
            dir.write(&name, fs::read(&path).unwrap());
        }
    }
}

/// The rooms a manifest comes to, one a line.
fn rooms(dir: &Dir) -> String {
    let rendered = dir.run(&["render", "--format", "csv"]).ok();
    let lines = rendered.lines().skip(1).map(|line| {
        line.replace(",conference,false,", " ← ")
            .trim_end()
            .to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A preset with something said over it, in place of the example's own manifest.
fn over(name: &str, entry: &str) -> Dir {
    let dir = example(name);
    dir.write(
        "rooms.yaml",
        format!("version: 1\ngenerate:\n  - {entry}\n"),
    );
    dir
}

#[test]
fn canvas_takes_active_rows_and_follows_sections() {
    let dir = example("canvas");
    assert_snapshot!(rooms(&dir), @r"
    canvas-alg-7b,7Б · Алгебра ← 101
    canvas-alg-7b,7Б · Алгебра ← 201
    canvas-rust-1,R1 · Rust for beginners ← 102
    ");
    // Each member is traced to the row that put them there.
    assert_snapshot!(dir.run(&["explain", "canvas-alg-7b"]).ok(), @r#"
    canvas-alg-7b  "7Б · Алгебра"
      conference, closed; declared at sis/courses.csv:2
      2 members:
        101  sis/enrollments.csv:3 (enrol)
        201  sis/enrollments.csv:2 (enrol)
    "#);
}

#[test]
fn canvas_takes_every_row_when_told_and_other_roles() {
    let dir = over(
        "canvas",
        "{format: canvas, from: ./sis/, id: canvas_user_id, status: any, roles: ta}",
    );
    assert_snapshot!(rooms(&dir), @r"
    canvas-alg-7b,Алгебра ← 301
    canvas-old-1,Last year's course ←
    canvas-rust-1,Rust for beginners ←
    ");
    let dir = over(
        "canvas",
        "{format: canvas, from: sis, id: canvas_user_id, where: {course_id: ALG-7B}, room: {pipe: \"{{ term_id }}-{{ course_id | lower }}\", members: [7]}}",
    );
    assert_snapshot!(rooms(&dir), @r"
    autumn-alg-7b,Алгебра ← 7
    autumn-alg-7b,Алгебра ← 101
    autumn-alg-7b,Алгебра ← 201
    autumn-alg-7b,Алгебра ← 301
    ");
}

#[test]
fn oneroster_names_users_by_sourced_id() {
    assert_snapshot!(rooms(&example("oneroster")), @r"
    class-c-01,Geometry 8A ← 101
    class-c-01,Geometry 8A ← 201
    ");
    let dir = over(
        "oneroster",
        "{format: oneroster, status: any, roles: [administrator, student]}",
    );
    assert_snapshot!(rooms(&dir), @r"
    class-c-01,Geometry 8A ← 101
    class-c-01,Geometry 8A ← 102
    class-c-01,Geometry 8A ← 103
    class-c-01,Geometry 8A ← 301
    class-c-02,Closed class ← 101
    ");
}

#[test]
fn oneroster_of_version_1_2_has_no_role_or_enabled_user_columns() {
    let dir = example("oneroster");
    dir.write("users.csv", "sourcedId,username,identifier\nu-101,student-101,101\nu-102,student-102,102\nu-103,student-103,103\nu-201,teacher-201,201\n");
    assert_snapshot!(rooms(&dir), @r"
    class-c-01,Geometry 8A ← 101
    class-c-01,Geometry 8A ← 102
    class-c-01,Geometry 8A ← 103
    class-c-01,Geometry 8A ← 201
    ");
}

#[test]
fn moodle_makes_a_room_of_each_course_that_a_row_names() {
    assert_snapshot!(rooms(&example("moodle")), @r"
    course-chess-club,Chess club ← 101
    course-fizika-9a,Физика 9А ← 101
    course-fizika-9a,Физика 9А ← 102
    course-fizika-9a,Физика 9А ← 201
    course-staff-room,Staff room ← 201
    ");
    let dir = over(
        "moodle",
        "{format: moodle, id: idnumber, roles: [manager], status: any, room: {pipe: \"{{ course | slug }}\"}}",
    );
    assert_snapshot!(rooms(&dir), @r"
    chess-club,Chess club ← 201
    fizika-9a,Физика 9А ←
    staff-room,Staff room ←
    ");
}

#[test]
fn what_a_preset_cannot_use_is_told_where_it_is_named() {
    let dir = over("canvas", "{format: canvas, from: sis, id: sis_id}");
    let told = dir.run(&["check"]);
    assert_eq!(told.code, 3);
    assert_snapshot!(told.err, @r"
    error[E026 unknown-column]: there is no column `sis_id`
     --> rooms.yaml:3:37
      |
    3 |   - {format: canvas, from: sis, id: sis_id}
      |                                     ^^^^^^
      |
      = help: the columns are canvas_user_id, user_id, login_id, full_name, status

    the manifest is invalid: 1 error
    ");
    let dir = over("canvas", "{format: kanvas, from: sis}");
    assert!(dir.run(&["check"]).err.contains("did you mean `canvas`?"));
    let dir = over("canvas", "{format: canvas, roles: []}");
    let told = dir.run(&["check"]).err;
    for wanted in [
        "`roles` lets nobody in",
        "there is no file `courses.csv`",
        "there is no file `sections.csv`",
        "rooms.yaml:3:14",
    ] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    let dir = over(
        "canvas",
        "{each: sis/courses.csv, roles: [ta], room: {pipe: x-1, title: x}}",
    );
    assert!(
        dir.run(&["check"])
            .err
            .contains("`roles` goes with `format`")
    );
}

#[test]
fn the_examples_come_to_rooms_and_then_to_an_empty_plan() {
    for (name, count) in [("canvas", 2), ("oneroster", 1), ("moodle", 3)] {
        let dir = example(name);
        dir.run(&["apply", "--sandbox", "--yes"]).ok();
        let plan = dir.run(&["plan", "--sandbox", "--detailed-exitcode"]).ok();
        assert!(
            plan.contains(&format!("plan: nothing to do; {count} unchanged")),
            "{plan}"
        );
    }
}
