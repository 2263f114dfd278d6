//! Adoption of a widget with existing rooms: declared members are recorded as present, and nothing is sent.

use insta::assert_snapshot;

use crate::support::{Scene, Shows, live_room};

const MANIFEST: &str = "\
version: 1
widget: 627
rooms:
  - {pipe: course, title: Course, members: [{roster: class.csv, user: user}]}
  - {pipe: lounge, title: Lounge}
  - {pipe: team, title: Team, members: [3, 4], welcome: {from: 3, text: Hello}}
  - {pipe: new, title: New, members: [5]}
";
const CLASS: &str = "user\n11\n12\n13\n";

/// A widget with existing rooms, and a manifest that declares them and one more.
fn old_widget() -> Scene {
    let scene = Scene::new().sandbox();
    for (pipe, name) in [("course", "Course"), ("lounge", "Lounge"), ("team", "Team")] {
        scene.insert(live_room(pipe, name));
    }
    let scene = scene.manifest(MANIFEST);
    scene.write("class.csv", CLASS);
    scene
}

fn writes(scene: &Scene) -> usize {
    let stats = scene.stats();
    (stats.imba_rooms + stats.send_msg) as usize
}

#[test]
fn long_pipes_do_not_break_the_columns() {
    let scene = old_widget();
    scene.run("export -o rooms.yaml --force").ok();
    let ran = scene.run("ledger adopt --roster");
    assert_eq!(ran.code, 5, "there is no terminal to ask on: {ran:?}");
    // The server generated the pipe of the support room; it has 24 characters.
    let rooms = ran.out.lines().take_while(|line| !line.is_empty());
    let columns = rooms.filter_map(|line| line.find(" room "));
    assert_eq!(columns.collect::<Vec<usize>>(), [26; 4], "{}", ran.out);
}

#[test]
fn adopting_existing_rooms_sends_nothing() {
    let scene = old_widget();
    let manifest = MANIFEST.replace("  - {pipe: new, title: New, members: [5]}\n", "");
    scene.declare(&manifest);
    let plan = scene.plan().ok();
    plan.shows("5 members of 2 rooms to send again (membership unknown)");
    let adopted = scene.run("ledger adopt --roster --yes");
    assert_snapshot!(adopted.out.replace(&scene.url(), "URL"), @r"
      course               room 1: 3 members (11, 12, 13)
      lounge               room 2: the room itself
      team                 room 3: 2 members (3, 4)

    adopt: 5 memberships of 3 rooms to record as present
           target: widget 627 on URL
           nothing is sent to the server, and it confirms nothing: `apply` will not add a recorded user who is not in the room
    ");
    let plan = scene.run("plan --detailed-exitcode");
    assert_snapshot!(plan.out.replace(&scene.url(), "URL"), @r"
      notes
        5 memberships of 2 rooms adopted: declared as present, never confirmed by the server

    plan: nothing to do; 3 unchanged, 1 unmanaged
          1 request: 1 to list
          target: widget 627 on URL
    ");
    plan.exits(0);
    scene.apply().ok();
    assert_eq!(writes(&scene), 0);
    let before = scene.files();
    let again = scene.run("ledger adopt --roster --yes").ok();
    again.begins("adopt: nothing new to record\n");
    assert_eq!(scene.files(), before, "adopting twice writes once");
    let show = scene.run("ledger show").ok();
    show.shows("adopted   3: 11, 12, 13");
    show.ends("; adopted: declared as present, never confirmed\n");
}

#[test]
fn members_declared_after_an_adoption_are_sent_and_confirmed() {
    let scene = old_widget();
    scene.run("ledger adopt --roster --yes").ok();
    scene.write("class.csv", format!("{CLASS}14\n"));
    let applied = scene.run("apply --yes --format json").json();
    // Only the new room and the new member are sent. Existing rooms get no welcome message.
    assert_eq!(applied["exit"], 0, "{applied}");
    assert_eq!(writes(&scene), 2);
    assert_eq!(scene.room("course").members, [14].into());
    let plan = scene.run("plan --format json").json();
    let notes = plan["notes"].as_array().unwrap();
    let note = notes
        .iter()
        .find(|note| note["note"] == "adopted_members")
        .unwrap();
    assert_eq!((&note["rooms"], &note["members"]), (&2.into(), &5.into()));
    // Adopted members are known, but not confirmed.
    scene.write("class.csv", format!("{CLASS}14\n15\n"));
    let known = "4 known (1 confirmed, 3 adopted)";
    scene.plan().shows(format!("members +1 (15)   {known}\n"));
    scene.run("plan --format markdown").shows(known);
    let members = scene.run("plan --format json").json()["changes"][0]["members"].clone();
    assert_eq!(
        (&members["known"], &members["adopted"]),
        (&4.into(), &3.into())
    );
    // Removing a member is a manual step, as for any recorded member.
    scene.write("class.csv", "user\n11\n12\n14\n");
    scene.plan().shows(": remove 13 from room ");
    // `ledger forget` removes the record of the room, so the members are sent again and the
    // server confirms them.
    scene.run("ledger forget course").ok();
    scene.apply().ok();
    let ledger = scene.run("ledger show --format json").json();
    let rooms = ledger["rooms"].as_array().unwrap();
    let course = rooms.iter().find(|room| room["pipe"] == "course").unwrap();
    assert_eq!(course["members"], serde_json::json!([11, 12, 14]));
    assert_eq!(course["adopted"], serde_json::json!([]));
}

#[test]
fn only_selected_and_unambiguous_rooms_are_adopted() {
    let scene = old_widget();
    scene.insert(live_room("team", "Team"));
    let adopted = scene.run("ledger adopt --roster --yes").ok();
    adopted.shows("team                 left out: more than one live room");
    adopted.shows("3 memberships of 2 rooms");
    adopted.shows("1 declared room to create with `apply`");
    let scene = old_widget();
    let adopted = scene.run("ledger adopt --roster --yes --only team").ok();
    adopted.shows("2 memberships of 1 room");
    let plan = scene.plan().ok();
    plan.shows("3 members of 1 room to send again (membership unknown)");
}

/// Members that roomform knows to be missing are not recorded as present.
#[test]
fn members_that_apply_must_send_are_not_adopted() {
    let manifest = |members: &str| {
        format!("version: 1\nrooms:\n  - {{pipe: team, title: Team, members: [{members}]}}\n")
    };
    let scene = Scene::new().manifest(manifest("3, 4")).sandbox();
    let adopt = [
        "ledger", "adopt", "--roster", "--yes", "--ledger", "l.jsonl",
    ];
    let apply = ["apply", "--yes", "--ledger", "l.jsonl"];
    let output = || scene.run(adopt).out.replace(&scene.url(), "URL");
    scene.run(apply).ok();
    // As if the run was killed between the create and its answer.
    let whole = scene.read("l.jsonl");
    let begun = whole
        .lines()
        .take_while(|line| !line.contains("\"confirmed\""));
    let begun: Vec<&str> = begun.collect();
    assert!(begun.last().unwrap().contains("\"intent\""), "{whole}");
    scene.write("l.jsonl", begun.join("\n") + "\n");
    assert_snapshot!(output(), @"
      team                 room 2: the room itself

    adopt: 0 memberships of 1 room to record as present
           2 memberships left for `apply` to send: each is declared again, new in a room that roomform wrote to, or not yet sent after a create
           target: widget 627 on URL
           nothing is sent to the server, and it confirms nothing: `apply` will not add a recorded user who is not in the room
    ");
    let plan = "plan --ledger l.jsonl --format json";
    assert_eq!(scene.run(plan).json()["summary"]["members_to_add"], 2);
    scene.run(apply).ok();
    // A user who was removed from the manifest may already have been removed from the room
    // manually.
    scene.declare(manifest("3"));
    scene.run(apply).ok();
    scene.declare(manifest("3, 4, 5"));
    assert_snapshot!(output(), @"
    adopt: nothing new to record
           2 memberships left for `apply` to send: each is declared again, new in a room that roomform wrote to, or not yet sent after a create
           target: widget 627 on URL
           nothing is sent to the server, and it confirms nothing: `apply` will not add a recorded user who is not in the room
    ");
    assert_eq!(scene.run(plan).json()["summary"]["members_to_add"], 2);
    // With `on_create`, members are never sent after the room is created.
    let on_create = manifest("3, 4, 5").replace("]}", "], members_policy: on_create}");
    scene.declare(on_create);
    assert!(
        output().contains("1 member (5)"),
        "{}",
        scene.read("l.jsonl")
    );
}

#[test]
fn adopt_needs_a_confirmation_and_a_source() {
    let scene = old_widget();
    let before = scene.files();
    let ran = scene.run("ledger adopt --roster");
    ran.exits(5);
    ran.err.shows("there is no terminal to ask on");
    let ran = scene.run("ledger adopt --roster --format json");
    assert_eq!((ran.code, ran.json()["exit"].clone()), (5, 5.into()));
    let ran = scene.run("ledger adopt --yes");
    ran.exits(64);
    ran.err.shows("--roster");
    let ran = scene.run("ledger adopt --roster --yes --only no-such");
    ran.exits(64);
    let ran = scene.run("ledger adopt --roster --yes --widget 628");
    ran.exits(5);
    assert_eq!(scene.files(), before);
    assert_eq!(writes(&scene), 0);
    let document = scene
        .run("ledger adopt --roster --yes --format json")
        .json();
    assert_eq!(
        (&document["kind"], &document["rooms"][0]["adopted"]),
        (&"ledger".into(), &serde_json::json!([11, 12, 13]))
    );
}
