//! `plan --check-users`: ids that the widget does not know cause only a warning.

use roomform::sandbox::User;

use crate::support::{Canned, Scene, Shows, json};

const MANIFEST: &str = "version: 1
widget: 627
rooms:
  - {pipe: team-a, title: A, members: [12, {roster: a.csv}]}
  - {pipe: team-b, title: B, members: [{roster: a.csv}, 11]}
";

fn unknown(scene: &Scene, args: &str) -> Vec<String> {
    let ran = scene.run(format!("plan --check-users {args}"));
    ran.exits(0);
    let lines = ran.err.lines().filter(|line| line.contains("[W109 "));
    let words = lines.map(|line| line.split_once(": ").unwrap().1.to_owned());
    words.collect()
}

/// A JWT is not enough. The error comes before any request or file access, even if the manifest is missing.
#[test]
fn check_users_needs_the_secret_key() {
    let scene = Scene::new()
        .sandbox()
        .env("IMBACHAT_SECRET_KEY", "")
        .env("IMBACHAT_JWT", "token");
    let ran = scene.run("plan --check-users");
    ran.exits(1);
    ran.err
        .shows("--check-users")
        .shows("set IMBACHAT_SECRET_KEY");
    assert_eq!((scene.stats().get_rooms, scene.stats().get_users), (0, 0));
}

#[test]
fn only_selected_rooms_are_checked_and_every_membership_is_counted() {
    let scene = Scene::new()
        .manifest(MANIFEST)
        .sandbox()
        .file("a.csv", "user\n7\n");
    assert_eq!(
        unknown(&scene, "--only team-b"),
        [
            "rooms.yaml:5: the widget does not know user 11",
            "a.csv:2: the widget does not know user 7"
        ]
    );
    assert_eq!(
        unknown(&scene, ""),
        [
            "rooms.yaml:4: the widget does not know user 12",
            "rooms.yaml:5: the widget does not know user 11",
            "a.csv:2: the widget does not know user 7, in 2 rooms"
        ]
    );
}

/// A pipe or a title before the member may contain the same number. A member may also be
/// declared by a name, without a number.
#[test]
fn the_warning_points_to_the_id() {
    let manifest = r#"version: 1
widget: 627
people: {tutor: 21}
rooms:
  - {pipe: team-7, title: "Group 7", members: [17, 7]}
  - pipe: team-b
    title: B
    members:
      - tutor
      - {roster: a.csv}
"#;
    let scene = Scene::new().manifest(manifest).sandbox();
    scene.write("a.csv", "name,user\nPupil 9,9\n");
    let ran = scene.run("plan --check-users");
    for (place, mark) in [
        ("rooms.yaml:5:48", "^^"),
        ("rooms.yaml:5:52", "^"),
        ("rooms.yaml:9:9", "^^^^^"),
        ("a.csv:2:9", "^"),
    ] {
        let (_, after) = ran.err.split_once(&format!(" --> {place}\n")).unwrap();
        let (_, column) = place.rsplit_once(':').unwrap();
        let column: usize = column.parse().unwrap();
        let line = after.lines().nth(2).unwrap().split_once("| ").unwrap().1;
        assert_eq!(line, format!("{}{mark}", " ".repeat(column - 1)), "{place}");
    }
}

/// Ids are compared as text: a site may have the users `007` and `7`.
#[test]
fn ids_are_compared_as_text() {
    let server = Canned::by(|request| {
        let users = r#"{"remote_user_id":"007"},{"remote_user_id":true},{"remote_user_id":12.0},{"remote_user_id":11.5},{"remote_user_id":" 7"},{"remote_user_id":null},{"remote_user_id":"NULL"},{},{"remote_user_id":8},{"remote_user_id":"9"},"#;
        let rows = if request.contains("get_users") {
            users
        } else {
            ""
        };
        let body = format!("{{\"success\":\"true\",\"data\":[{rows}],\"code\":200}}");
        json(&body)
    });
    let scene = Scene::new()
        .manifest(MANIFEST)
        .at(&server.url())
        .env("IMBACHAT_SECRET_KEY", "key")
        .file("a.csv", "user\n7\n8\n9\n");
    let output = unknown(&scene, "").join("\n");
    for user in ["12", "7", "11"] {
        output.shows(format!("not know user {user}"));
    }
    assert_eq!(output.lines().count(), 3, "{output}");
}

/// An unreadable answer fails the run, with an error about users.
#[test]
fn an_answer_that_is_not_a_list_is_an_error() {
    let server = Canned::by(|request| {
        let rows = if request.contains("get_users") {
            ""
        } else {
            "\"data\":[],"
        };
        let body = format!("{{\"success\":\"true\",{rows}\"code\":200}}");
        json(&body)
    });
    let scene = Scene::new()
        .manifest("version: 1\nwidget: 627\nrooms: [{pipe: team-a, title: A, members: [7]}]\n")
        .at(&server.url())
        .env("IMBACHAT_SECRET_KEY", "key");
    let ran = scene.run("plan --check-users -v");
    ran.exits(1);
    ran.err.shows("the answer has no list under `data`");
    ran.err.shows("imbachat: a call failed  call=List");
}

#[test]
fn banned_members_are_named() {
    let scene = Scene::new()
        .manifest(MANIFEST)
        .sandbox()
        .file("a.csv", "user\n7\n");
    scene.world(|world| {
        for (user, banned) in [(7, true), (8, true), (11, false), (12, false)] {
            let user = User {
                remote_user_id: user,
                banned,
                ..User::default()
            };
            world.insert_user(627, user, 0);
        }
    });
    let ran = scene.run("plan --check-users");
    ran.exits(0);
    ran.err
        .shows("warning[W112 banned-user]: a.csv:2: the widget has banned user 7, in 2 rooms")
        .lacks("user 8")
        .lacks("W109");
}

/// A server that ignores the filter returns all users, so every user seems to be banned.
#[test]
fn a_server_that_ignores_the_filter_for_banned_users_causes_no_warning() {
    let server = Canned::by(|request| {
        let rows = match request.contains("get_users") {
            true => r#"{"remote_user_id":"7"},{"remote_user_id":"11"},{"remote_user_id":"12"}"#,
            false => "",
        };
        json(&format!(
            r#"{{"success":"true","data":[{rows}],"code":200}}"#
        ))
    });
    let scene = Scene::new()
        .manifest(MANIFEST)
        .at(&server.url())
        .env("IMBACHAT_SECRET_KEY", "key")
        .file("a.csv", "user\n7\n");
    let ran = scene.run("plan --check-users");
    ran.exits(0);
    ran.err.lacks("W112").lacks("W109");
}
