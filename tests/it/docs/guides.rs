//! Follows the guides, command by command. `support/page.rs` says how.

use std::fs;

use super::{page, root};
#[cfg(feature = "xlsx")]
use crate::support::workbook::{Sheet, workbook};
use crate::support::{Scene, follow, manifest};

#[test]
fn the_first_manifest_is_applied_and_changed() {
    follow(&Scene::new(), &page("docs/first-manifest.md"));
}

#[test]
fn a_widget_with_thirty_rooms_is_adopted() {
    let scene = Scene::new().sandbox();
    // The sandbox of the scene is the one that the guide starts.
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
fn a_change_is_reviewed_and_applied_from_a_repository() {
    let scene = ["AUTHOR", "COMMITTER"]
        .iter()
        .fold(Scene::new(), |scene, who| {
            let scene = scene.env(&format!("GIT_{who}_NAME"), "a");
            scene.env(&format!("GIT_{who}_EMAIL"), "a@localhost")
        });
    // Any sum: nothing is downloaded.
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
