//! What the ledger knows of the past: `ledger history`, and the rooms that `explain USER` finds in it.

use insta::assert_snapshot;

use crate::support::{Scene, Shows};
use crate::todo::stable;

const MANIFEST: &str = "version: 1
people: {anna: 7}
rooms:
  - {pipe: class-7a, title: 7a, members: [3, anna]}
  - {pipe: class-7b, title: 7b, members: [3]}
";

/// A student changes class.
fn moved() -> Scene {
    let scene = Scene::new().manifest(MANIFEST).applied();
    scene
        .edit("[3, anna]", "[3]")
        .edit("7b, members: [3]", "7b, members: [3, anna]");
    scene.after("apply --yes --parallelism 1")
}

#[test]
fn the_history_of_a_room_or_a_user_has_date_run_action_and_source() {
    let scene = moved();
    let of_anna = scene.run("ledger history 7").ok();
    assert_snapshot!(stable(&of_anna), @r"
    TIME  RUN  create started     class-7a              anna (7)
    TIME  RUN  confirmed          class-7a              room 2: anna (7)  (rooms.yaml:4)
    TIME  RUN  left the manifest  class-7a              room 2: anna (7)
    TIME  RUN  confirmed          class-7b              room 3: anna (7)  (rooms.yaml:5)
    ");
    assert_eq!(scene.run("ledger history anna").ok(), of_anna);
    assert_snapshot!(stable(&scene.run("ledger history class-7b").ok()), @r"
    TIME  RUN  create started     class-7b              3
    TIME  RUN  confirmed          class-7b              room 3: 3  (rooms.yaml:5)
    TIME  RUN  list read          class-7b              room 3
    TIME  RUN  confirmed          class-7b              room 3: anna (7)  (rooms.yaml:5)
    TIME  RUN  list read          class-7b              room 3
    ");
    let document = scene.run("ledger history 7 --format json").json();
    assert_eq!(document["kind"], "history");
    assert_eq!(document["partial"], false);
    assert_snapshot!(stable(&document["entries"][1].to_string()), @r#"
    {"action":"confirmed","count":null,"members":[7],"pipe":"class-7a","room_id":2,"run":"RUN","source":"rooms.yaml:4","time":"TIME"}
    "#);
    let lines = scene.run("ledger history").ok().lines().count();
    assert_eq!(
        lines,
        scene.ledger().lines().count() - 1,
        "every line but the header"
    );
    let unknown = scene.run("ledger history 77");
    unknown.exits(1);
    unknown.err.shows("the ledger has no entries about `77`");
    scene.run("ledger history bert").exits(64);
}

#[test]
fn history_says_that_a_compaction_may_have_removed_entries() {
    let scene = moved();
    scene.run("ledger history").ok().lacks("partial");
    scene.run("ledger compact").ok();
    scene
        .run("ledger history")
        .ok()
        .shows("partial: the ledger was compacted or merged");
    let document = scene.run("ledger history --format json").json();
    assert_eq!(document["partial"], true);
}

#[test]
fn explain_lists_a_users_rooms_in_manifest_and_ledger() {
    let scene = moved();
    let explained = scene.run("explain anna").ok();
    assert_snapshot!(stable(&explained), @r"
    user anna (7)
      1 membership:
        class-7b  rooms.yaml:5
      2 rooms in the ledger:
        class-7a  room 2, to remove since TIME
        class-7b  room 3, known since TIME
    ");
    let document = scene.run("explain 7 --format json").json();
    assert_snapshot!(stable(&document["in_ledger"].to_string()), @r#"
    [{"pipe":"class-7a","room_id":2,"since":"TIME","state":"to_remove","user":7},{"pipe":"class-7b","room_id":3,"since":"TIME","state":"known","user":7}]
    "#);
    scene
        .run("explain 7 --only class-7b")
        .ok()
        .lacks("class-7a");
    // The user was removed in ImbaChat, and then left the manifest completely.
    scene.run("todo done class-7a 7").ok();
    scene.run("explain anna").ok().lacks("class-7a");
    scene.declare(
        MANIFEST
            .replace(", anna]", "]")
            .replace("people: {anna: 7}\n", ""),
    );
    scene
        .run("explain 7")
        .ok()
        .shows("0 memberships")
        .shows("room 3, known since 20");
    scene.run("ledger forget class-7b").ok();
    scene.run("explain 7").exits(64);
}

/// After `ledger forget`, `since` is the time when the member was sent again.
#[test]
fn explain_dates_a_member_who_was_sent_again_from_then() {
    let scene = Scene::new().manifest(MANIFEST).applied();
    scene.age_ledgers(24 * 60);
    let since = |scene: &Scene| {
        let document = scene.run("explain 7 --format json").json();
        document["in_ledger"][0]["since"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let before = since(&scene);
    scene.run("ledger forget class-7a").ok();
    scene.apply().ok();
    assert!(since(&scene) > before);
}

/// Without a widget there is no ledger to read, but `explain` still works.
#[test]
fn explain_needs_neither_a_widget_nor_a_ledger() {
    let scene = Scene::new().manifest(MANIFEST);
    scene
        .run("explain anna")
        .ok()
        .shows("1 membership")
        .lacks("ledger");
}
