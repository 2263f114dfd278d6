//! Runs the commands on each page of the documentation in order. `support/page.rs` explains
//! how.

use std::fs;

#[cfg(feature = "xlsx")]
use super::block;
use super::book::pages;
use super::{page, root};
#[cfg(feature = "xlsx")]
use crate::support::workbook::{Sheet, workbook};
use crate::support::{Scene, Shows, follow, manifest};

#[test]
fn the_first_manifest_is_applied_and_changed() {
    follow(&Scene::new(), &page("docs/first-manifest.md"));
}

#[test]
fn a_widget_with_thirty_rooms_is_adopted() {
    let scene = Scene::new().sandbox();
    // Use the sandbox of the scene instead of the one that the guide starts.
    let guide = page("docs/adoption.md");
    let (before, after) = guide
        .split_once("roomform sandbox serve --listen 127.0.0.1:8627 &\n")
        .unwrap();
    let after = after.replace("http://127.0.0.1:8627", &scene.url());
    follow(&scene, &format!("{before}{after}"));
    assert_eq!((scene.rooms().len(), scene.writes()), (30, 30));
}

#[test]
fn a_term_is_applied_from_csv() {
    follow(&Scene::new(), &page("docs/term.md"));
}

/// Sheets of one workbook replace the CSV files of the guide.
#[test]
#[cfg(feature = "xlsx")]
fn a_term_from_a_workbook_has_the_same_rooms() {
    let guide = page("docs/term.md");
    let (start, _) = guide.split_once("\n## Plan and apply").unwrap();
    let scene = Scene::new();
    follow(&scene, start);
    let expected = scene.run("render").ok();
    let sheets = [("Courses", "courses.csv"), ("People", "people.csv")].map(|(sheet, file)| {
        let rows = scene.read(file).replace(';', ",");
        fs::remove_file(scene.path(file)).unwrap();
        Sheet::from_csv(sheet, &rows)
    });
    scene.write("school.xlsx", workbook(&sheets));
    scene.edit(
        "each: courses.csv",
        "each: {roster: school.xlsx, sheet: Courses}",
    );
    scene.edit("roster: people.csv", "roster: school.xlsx, sheet: People");
    assert_eq!(scene.run("render").ok(), expected);
}

#[test]
#[cfg(feature = "xlsx")]
fn pupils_join_the_rooms_of_their_class() {
    let part = block(
        &page("docs/term.md"),
        "yaml",
        "people: {roster: school.xlsx",
    );
    let sheets = [
        (
            "Courses",
            "Code,Name,Class,Teacher,Status\nalgebra-7b,Algebra 7B,7B,T-1,active\nalgebra-7c,Algebra 7C,7C,T-1,active\nchess,Chess,7C,T-2,closed\n",
        ),
        (
            "Pupils",
            "Number,Last name,First name,Class,Site ID\nS-1,One,Pupil,7B,101\nS-2,Two,Pupil,7B,102\nS-3,Three,Pupil,7C,103\n",
        ),
        ("Teachers", "Number,Site ID\nT-1,201\nT-2,202\n"),
    ];
    let sheets = sheets.map(|(name, rows)| Sheet::from_csv(name, rows));
    let scene = Scene::new()
        .manifest(format!("version: 1\n{part}"))
        .file("school.xlsx", workbook(&sheets));
    let ran = scene.run("check");
    let valid = "valid: 2 rooms, 5 memberships\n";
    assert_eq!((ran.out.as_str(), ran.err.as_str()), (valid, ""));
    let explained = scene.run("explain S-3").ok();
    explained
        .shows("autumn-algebra-7c")
        .lacks("autumn-algebra-7b");
}

#[test]
fn a_change_is_reviewed_and_applied_from_a_repository() {
    let scene = ["AUTHOR", "COMMITTER"]
        .iter()
        .fold(Scene::new(), |scene, who| {
            let scene = scene.env(&format!("GIT_{who}_NAME"), "a");
            scene.env(&format!("GIT_{who}_EMAIL"), "a@localhost")
        });
    // Any checksum works here, because nothing is downloaded.
    follow(
        &scene,
        &page("docs/ci.md").replace("@SHA256", &format!("@{}", "0".repeat(64))),
    );
}

#[test]
fn the_groups_of_a_site_become_rooms() {
    let scene = Scene::new();
    for name in ["bp_groups.csv", "bp_groups_members.csv"] {
        scene.write(
            name,
            fs::read(root("examples/buddypress").join(name)).unwrap(),
        );
    }
    follow(&scene, &page("docs/wordpress.md"));
}

#[test]
fn two_runs_share_the_work() {
    let rooms =
        (1..=12).map(|number| format!("pipe: course-{number}, title: A, members: [{number}]"));
    let scene = Scene::new().manifest(manifest(rooms)).sandbox();
    follow(&scene, &page("docs/several-machines.md"));
    assert_eq!((scene.rooms().len(), scene.writes()), (12, 12));
}

#[test]
fn a_change_is_shown_to_a_reviewer() {
    let scene = Scene::new().manifest(manifest(["pipe: team-platform, title: A".to_owned()]));
    let prepare = "git init -q . && git add . && git -c user.name=a -c user.email=a@localhost commit -qm rooms \
                   && git update-ref refs/remotes/origin/main HEAD";
    assert!(scene.bash(prepare).status().unwrap().success());
    let scene = scene.sandbox();
    follow(&scene, &page("docs/review.md"));
    scene.read("comment.md").shows("<!-- roomform:plan target=");
}

#[test]
fn lists_are_read_and_messages_sent() {
    let room = "pipe: team-platform, title: A, members: [3]".to_owned();
    let scene = Scene::new().manifest(manifest([room])).applied();
    scene.write("notice.txt", "The demo is at four");
    follow(&scene, &page("docs/get.md"));
    assert_eq!(scene.stats().send_msg, 3);
}

#[test]
fn manual_steps_are_done_and_looked_up() {
    let rooms = |members| {
        let course = "pipe: course, title: B, members: [42]".to_owned();
        manifest([
            course,
            format!("pipe: team-platform, title: A, members: [3{members}]"),
        ])
    };
    let scene = Scene::new().manifest(rooms(", 42, 43")).applied();
    scene.declare(rooms("")).apply().ok();
    let printed = follow(&scene, &page("docs/operations.md"));
    printed[0]
        .shows("remove 42 from room")
        .shows("remove 43 from room");
    scene.run("todo").ok().begins("todo: no open steps");
}

#[test]
fn completions_and_man_pages_are_installed() {
    let scene = Scene::new();
    let home = scene.path(".").display().to_string();
    let scene = scene.env("HOME", &home);
    follow(&scene, &page("docs/install.md"));
    scene
        .read(".local/share/man/man1/roomform-plan.1")
        .shows("roomform");
}

/// Only `sh` blocks are followed. A `console` block has commands that a test cannot run.
#[test]
fn every_page_with_commands_is_followed() {
    let here = page("tests/it/docs/guides.rs") + "docs/diagnostics.md";
    for path in pages() {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(root("docs"));
        if let (Ok(name), true) = (name, text.contains("\n```sh\n")) {
            here.shows(format!("docs/{}", name.display()));
        }
    }
}
