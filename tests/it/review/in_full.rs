//! Shortened lists: the plan says which format has the complete list, and that format has it.

use crate::support::{Args, Scene, Shows};

const ALL: &str = "all members: --format json, or plan --format html";

/// A manifest with one room of this many members, from user 1001.
fn manifest(members: u64) -> String {
    let members: Vec<String> = (1001..=1000 + members)
        .map(|user| user.to_string())
        .collect();
    let members = members.join(", ");
    format!(
        "version: 1\nwidget: 627\nrooms:\n  - {{pipe: team-a, title: Team A, members: [{members}]}}\n"
    )
}

fn plan(scene: &Scene, args: impl Args) -> String {
    scene
        .run([&["plan", "--sandbox"], &args.args()[..]].concat())
        .ok()
}

#[test]
fn a_shortened_list_of_members_names_the_complete_formats_once() {
    let scene = Scene::new().manifest(manifest(12));
    // A list of 12 members is not shortened.
    plan(&scene, []).lacks("all members");
    let second =
        "  - {pipe: team-b, title: Team B, members: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]}\n";
    scene.declare(manifest(14) + second);
    let text = plan(&scene, []);
    text.shows("1012 … 2 more\n");
    text.ends(format!("\n      {ALL}\n"));
    assert_eq!(text.matches("all members").count(), 1);
    let page = plan(&scene, "--format markdown --max-bytes 4096");
    page.ends(format!("\nLists are cut; {ALL}.\n"));
    // These formats have the complete list.
    for format in ["html", "json"] {
        let whole = plan(&scene, ["--format", format]);
        for user in 1001..=1014 {
            assert!(whole.contains(&user.to_string()), "{format}: {user}");
        }
    }
    let diff = scene.run("diff /dev/null rooms.yaml").ok();
    diff.ends("\n      all members: --format json, or html\n");
}

#[test]
fn a_shortened_list_of_manual_steps_names_the_complete_formats_once() {
    let scene = Scene::new()
        .manifest(manifest(14))
        .after("apply --sandbox --yes");
    let text = plan(&scene, []);
    assert!(!text.contains("all members"), "nothing is listed: {text}");
    scene.declare(manifest(1));
    let text = plan(&scene, []);
    text.shows("remove 1002, ");
    text.ends(format!("\n      {ALL}\n"));
    let whole = plan(&scene, "--format json");
    whole.shows("1014");
    scene.declare(manifest(1).replace("Team A", "Team B"));
    let page = scene.run("apply --sandbox --yes --format markdown");
    page.shows("1013 … 1 more");
    page.ends("\nLists are cut; all members: --format json.\n");
}

#[test]
fn a_diff_lists_every_removed_room_and_where_all_excluded_users_are() {
    let room = |n: u32| format!("  - {{pipe: room-{n}, title: Room {n}}}\n");
    let rooms: String = (1..=15).map(room).collect();
    let scene = Scene::new().manifest(manifest(1));
    scene.write("before.yaml", manifest(1) + &rooms);
    for format in ["text", "markdown"] {
        let ran = scene.run(["diff", "before.yaml", "rooms.yaml", "--format", format]);
        let said = ran.ok();
        said.shows("room-15").lacks("--format");
    }
    let excluded: Vec<String> = (101..=114).map(|user| user.to_string()).collect();
    let excluded = format!("Team A, exclude: [{}],", excluded.join(", "));
    scene.write("after.yaml", manifest(1).replace("Team A,", &excluded));
    let ran = scene.run("diff rooms.yaml after.yaml");
    let said = ran.ok();
    said.shows("112 … 2 more\n")
        .ends("\n      all members: --format json\n");
}

#[test]
fn rooms_that_are_no_longer_declared_are_all_in_json() {
    let room = |n: u32| format!("  - {{pipe: room-{n}, title: Room {n}}}\n");
    let head = "version: 1\nwidget: 627\nrooms:\n".to_owned();
    let scene = Scene::new()
        .manifest(head.clone() + &(1..=16).map(room).collect::<String>())
        .after("apply --sandbox --yes");
    scene.declare(head + &(1..=3).map(room).collect::<String>());
    let text = plan(&scene, []);
    text.shows("room-8` … 1 more; delete or keep");
    text.ends("\n      all rooms: --format json\n");
    plan(&scene, "--format json").shows("\"room-9\"");
    let page = plan(&scene, "--format markdown");
    page.shows("room-8")
        .shows("Lists are cut; all rooms: --format json.");
}
