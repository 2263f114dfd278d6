//! Names beside the ids of users, in every output that lists users.

use serde_json::{Value, json};

use crate::support::{Scene, Shows};

const MANIFEST: &str = "version: 1
widget: 627
people: {tutor: 5, head: 3, \"old (boss\": 8}
rooms:
  - {pipe: team-a, title: A, members: [head, tutor, 7], welcome: {from: tutor, text: Hello}}
";

/// A room with members who left the manifest.
fn scene() -> Scene {
    let scene = Scene::new()
        .manifest(MANIFEST.replace("tutor, 7]", "tutor, 7, 8]"))
        .sandbox();
    scene.run("apply --yes").ok();
    scene.manifest(MANIFEST.replace("A, members: [head, tutor, 7]", "A, members: [head, 4]"))
}

#[test]
fn plans_name_users_in_every_format() {
    let scene = Scene::new().manifest(MANIFEST).sandbox();
    let text = scene.run("plan").ok();
    text.shows("members head (3), tutor (5), 7")
        .shows("welcome from tutor (5): \"Hello\"");
    let page = scene.run("plan --format markdown").ok();
    page.shows("`head (3), tutor (5), 7`");
    let annotations = scene.run("plan --format github").ok();
    annotations
        .shows("`head (3), tutor (5), 7`")
        .shows("from `tutor (5)`");
    let html = scene.run("plan --format html").ok();
    html.shows("(head (3), tutor (5), 7)").shows(
        "Members to add (rooms.yaml:5): head (3), tutor (5), 7\nWelcome from tutor (5): Hello",
    );
    let document = scene.run("plan --format json").json();
    assert_eq!(document["names"], json!({"3": "head", "5": "tutor"}));
    assert_eq!(document["changes"][0]["members"]["new"], json!([3, 5, 7]));
}

#[test]
fn no_names_leaves_only_ids() {
    let scene = Scene::new().manifest(MANIFEST).sandbox();
    let other = MANIFEST.replace("[head, tutor, 7]", "[head]");
    scene.write("other.yaml", other);
    for args in [
        "plan --format text",
        "plan --format markdown",
        "plan --format github",
        "plan --format html",
        "plan --format json",
        "diff other.yaml rooms.yaml",
        "diff other.yaml rooms.yaml --format json",
        "explain team-a",
        "explain 5",
        "explain 5 --format json",
    ] {
        scene.run(args).ok().shows("tutor");
        scene
            .run(format!("{args} --no-names"))
            .ok()
            .lacks("tutor")
            .shows("5");
    }
}

#[test]
fn members_to_remove_are_shown_with_their_names() {
    let scene = scene();
    // Parentheses in a name cannot be read as another id.
    let plan = scene.run("plan").ok();
    plan.shows("remove tutor (5), 7, old [boss (8) from room 2");
    let report = scene.run("apply --yes --report report.json").ok();
    report.shows("tutor (5)");
    let report: Value = serde_json::from_str(&scene.read("report.json")).unwrap();
    assert_eq!(
        report["plan"]["names"],
        json!({"5": "tutor", "8": "old (boss"})
    );
    let todo = scene.run("todo").ok();
    todo.shows("remove tutor (5) from room")
        .shows("remove 7 from room");
    scene
        .run("todo --format markdown")
        .ok()
        .shows("`tutor (5)`");
    let csv = scene.run("todo --format csv").ok();
    csv.shows("title,user,name,reason")
        .shows(",A,5,tutor,no longer in the manifest,");
    let document = scene.run("todo --format json").json();
    assert_eq!(document["steps"][0]["name"], "tutor");
    scene.run("todo --no-names").ok().lacks("tutor");
}

#[test]
fn a_diff_uses_the_names_of_both_manifests() {
    let scene = Scene::new().manifest(MANIFEST.replace("tutor", "mentor"));
    scene.write(
        "other.yaml",
        MANIFEST
            .replace("{tutor: 5, head: 3", "{head: 3, boss: 5")
            .replace(
                "[head, tutor, 7], welcome: {from: tutor, text: Hello}",
                "[3]",
            ),
    );
    let diff = scene.run("diff rooms.yaml other.yaml").ok();
    diff.shows("remove boss (5), 7");
    let diff = scene.run("diff other.yaml rooms.yaml --format json").json();
    assert_eq!(diff["names"], json!({"5": "mentor"}));
}

#[test]
fn a_saved_plan_names_the_members_that_it_skips() {
    let scene = Scene::new().manifest(MANIFEST).sandbox();
    scene.run("plan --out plan.json").ok();
    scene.write(
        "rooms.yaml",
        MANIFEST.replace("[head, tutor, 7]", "[head, 7]"),
    );
    let ran = scene.run("apply plan.json");
    ran.err
        .shows("`team-a`: skipped 1 member no longer in the manifest: tutor (5)");
}

/// The name that an output shows for a user is accepted as input, even after the person is no
/// longer in the files.
#[test]
fn names_from_show_columns_are_accepted_as_shown() {
    let manifest = "version: 1
people: {roster: people.csv, name: login, id: user, show: [last, first]}
rooms:
  - {pipe: class, title: Class, members: [s-1, s-2, s-3]}
";
    let scene = Scene::new().manifest(manifest);
    let people = "login,user,last,first\ns-1,101,One,Pupil\ns-2,102,Two,Pupil\ns-3,103,Two,Pupil\n";
    scene.write("people.csv", people);
    let scene = scene.after("apply --sandbox --yes");
    for user in ["One Pupil", "One Pupil (101)", "s-1", "101"] {
        let explained = scene.run(["explain", "--sandbox", user]).ok();
        explained
            .shows("user One Pupil (101)")
            .shows("1 membership");
        scene
            .run(["ledger", "history", "--sandbox", user])
            .ok()
            .shows("One Pupil (101)");
    }
    // Two people have this name.
    scene.run(["explain", "--sandbox", "Two Pupil"]).exits(64);
    scene
        .run("ledger show --sandbox")
        .ok()
        .shows("members   3: One Pupil (101), ");
    let shown = scene.run("ledger show --sandbox --format json").json();
    assert_eq!(shown["names"]["103"], "Two Pupil");
    scene.edit(", s-3]", "]");
    scene.write("people.csv", people.replace("s-3,103,Two,Pupil\n", ""));
    scene.run("apply --sandbox --yes").ok();
    let left = scene
        .run(["todo", "--sandbox", "--user", "Two Pupil (103)"])
        .ok();
    left.shows("remove 103 from room")
        .shows("todo: 1 open step");
    scene.run("explain --sandbox 103").ok().shows("class");
    // `explain` for a room lists the people who are still in the room.
    let room = scene.run("explain --sandbox class").ok();
    room.shows("2 members:")
        .shows("1 other user in the ledger:\n    103  room 2, to remove since 20");
    scene.edit("pipe: class", "pipe: course");
    let left = scene.run("explain --sandbox class").ok();
    left.begins("class  not in the manifest")
        .shows("3 other users in the ledger:")
        .shows("One Pupil (101)  room 2, known\n");
    let document = scene.run("explain --sandbox class --format json").json();
    assert_eq!(document["in_ledger"][0]["user"], 103);
}
