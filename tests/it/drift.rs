//! Drift: changes that were made outside roomform are distinguished from changes in the manifest.

use insta::assert_snapshot;
use roomform::sandbox::{Config, Quirks};
use serde_json::{Value, json};

use crate::support::{Fault, Proxy, Scene, Shows};

/// Three rooms; the title and the visibility of the first one vary.
fn manifest(title: &str, public: bool) -> String {
    format!(
        "version: 1\nrooms:\n  - {{pipe: team-a, title: {title}, public: {public}}}\n  - {{pipe: team-b, title: Team B}}\n  - {{pipe: team-c, title: Team C}}\n"
    )
}

/// A server with three applied rooms, and the directory they were applied from.
fn applied(config: Config) -> Scene {
    Scene::new()
        .manifest(manifest("Team A", false))
        .sandbox_with(config)
        .applied()
}

/// Another user with a different ledger applies this manifest.
fn apply_as_another_user(scene: &Scene, manifest: &str) {
    let other = Scene::new().manifest(manifest).beside(scene);
    other.run("apply --yes --allow-publish team-a").ok();
}

/// For each field, the origin of the change according to the plan.
fn changed(scene: &Scene, more: &[&str]) -> Value {
    let plan = scene
        .run([&["plan", "--format", "json"][..], more].concat())
        .json();
    let changes = plan["changes"].as_array().unwrap().iter();
    let fields = changes.flat_map(|change| change["fields"].as_array().unwrap());
    let lines = fields.map(|field| json!([field["field"], field["changed"]]));
    lines.collect()
}

#[test]
fn outside_changes_are_marked_in_text_json_and_markdown() {
    let scene = applied(Config::default());
    // Another user opened `team-a` and renamed `team-b`. `team-c` was renamed both by that user
    // and in the manifest.
    let theirs = manifest("Team A", true)
        .replace("Team B", "Party")
        .replace("Team C", "C");
    apply_as_another_user(&scene, &theirs);
    scene.declare(manifest("Team A", false).replace("Team C", "Team Sea"));
    let plan = scene.plan().ok();
    let plan = plan.replace(&scene.url(), "http://sandbox");
    assert_snapshot!(plan, @r#"
      # rooms.yaml:3
      ~ team-a               update
          public  public → closed (changed outside)
      # rooms.yaml:4
      ~ team-b               update
          title   "Party" → "Team B" (changed outside)
      # rooms.yaml:5
      ~ team-c               update
          title   "C" → "Team Sea" (changed outside, and also changed in the manifest)

    plan: 3 to update (3 changed outside); 0 unchanged, 1 unmanaged
          5 requests: 1 to list, 3 to write, 1 to verify
          target: widget 627 on http://sandbox
          changed outside: the room was changed after the last recorded write, and this ledger has no record of that change
    "#);
    assert_eq!(
        changed(&scene, &[]),
        json!([
            ["public", ["outside"]],
            ["title", ["outside"]],
            ["title", ["outside", "manifest"]]
        ])
    );
    let summary = &scene.run("plan --format json").json()["summary"];
    assert_eq!(summary["changed_outside"], 3);
    for format in ["markdown", "github"] {
        let page = scene.run(["plan", "--format", format]).ok();
        assert_eq!(page.matches("(changed outside)").count(), 2, "{page}");
        assert_eq!(
            page.matches("(changed outside, and also changed in the manifest)")
                .count(),
            1,
            "{page}"
        );
    }
    // Applying a saved plan reports the same. After that there is no drift.
    scene.run("plan --out p.json").ok();
    let out = scene.run("apply p.json").ok();
    out.shows("public → closed (changed outside)");
    assert_eq!(changed(&scene, &[]), json!([]));
}

#[test]
fn a_change_in_the_manifest_is_not_an_outside_change() {
    let scene = applied(Config::default());
    scene.declare(manifest("Team Renamed", true));
    assert_eq!(
        changed(&scene, &[]),
        json!([["title", ["manifest"]], ["public", ["manifest"]]])
    );
    scene.plan().lacks("outside");
}

#[test]
fn a_room_closed_outside_is_marked_when_it_becomes_public_again() {
    let scene = Scene::new().manifest(manifest("Team A", true)).applied();
    apply_as_another_user(&scene, &manifest("Team A", false));
    let ran = scene.plan();
    ran.exits(5);
    ran.shows("publish: closed → public (changed outside), ");
}

#[test]
fn without_a_record_no_change_is_called_outside() {
    let scene = applied(Config::default());
    apply_as_another_user(&scene, &manifest("Party", false));
    assert_eq!(changed(&scene, &[]), json!([["title", ["outside"]]]));
    assert_eq!(
        changed(&scene, &["--ledger", "none.jsonl"]),
        json!([["title", []]])
    );
    // If the last run could not verify its writes, the plan reports no drift either.
    let kept = scene.ledger();
    let blind: Vec<&str> = kept
        .lines()
        .filter(|line| !line.contains("\"seen\""))
        .collect();
    assert_eq!(kept.lines().count(), blind.len() + 3);
    scene.write("blind.jsonl", blind.join("\n") + "\n");
    assert_eq!(
        changed(&scene, &["--ledger", "blind.jsonl"]),
        json!([["title", []]])
    );
}

#[test]
fn an_ignored_field_is_not_an_outside_change() {
    let server = Scene::new().sandbox();
    apply_as_another_user(&server, &manifest("Old", false));
    server.world(|world| {
        world.set_quirks(Quirks {
            ignore_updates: true,
            ..Quirks::default()
        });
    });
    // The first run sees that its update was ignored. The second run cannot read the list afterwards, and knows only what it sent.
    for blind in [false, true] {
        let proxy = Proxy::start(&server.url(), move |number, _| {
            (blind && number > 1).then_some(Fault::Answer("404 No", "", "{}"))
        });
        let scene = Scene::new()
            .manifest(manifest("Team A", false))
            .beside(&server)
            .at(&proxy.url());
        scene.apply_without_patience().exits(4);
        drop(proxy);
        let scene = scene.beside(&server);
        let text = scene.ledger();
        let (_, lines) = text.split_once('\n').unwrap();
        let header = json!({"roomform_ledger": 1, "origin": server.url(), "widget": 627});
        scene.write("l.jsonl", format!("{header}\n{lines}"));
        let more = ["--ledger", "l.jsonl", "--resend-ignored"];
        assert_eq!(changed(&scene, &more), json!([["title", []]]), "{blind}");
    }
}

/// Makes the server's list lag: a write appears in it only after this many calls.
fn late(scene: &Scene, lag: u32) {
    let quirks = Quirks {
        lag,
        ..Quirks::default()
    };
    scene.world(|world| world.set_quirks(quirks));
}

/// A scene in which a run has closed a room. The server's list shows the room as closed only
/// `lag` calls later, which is too late for that run.
fn closed_late(lag: u32) -> Scene {
    let scene = Scene::new().sandbox();
    apply_as_another_user(&scene, &manifest("Team A", true));
    late(&scene, lag);
    let scene = scene.manifest(manifest("Team A", false));
    let ran = scene.apply_without_patience();
    ran.exits(4);
    ran.shows("pending      public");
    scene
}

#[test]
fn a_room_reopened_after_a_lagging_list_is_drift() {
    let scene = closed_late(3);
    late(&scene, 0);
    // The list shows what was sent: this apply sends nothing, and records that the write is verified.
    let before = scene.ledger();
    let writes = scene.writes();
    scene.apply().ok();
    let after = scene.ledger();
    assert_eq!(scene.writes(), writes);
    assert_eq!(after.lines().count(), before.lines().count() + 1, "{after}");
    scene.apply().ok();
    assert_eq!(scene.ledger(), after);
    // The room is made public again outside roomform. Its values match the old pending record,
    // but the plan must report drift.
    apply_as_another_user(&scene, &manifest("Team A", true));
    let plan = scene.run("plan --detailed-exitcode");
    plan.exits(2);
    plan.lacks("ignored");
    assert_eq!(changed(&scene, &[]), json!([["public", ["outside"]]]));
    // The same holds for a compacted ledger.
    scene.run("ledger compact").ok();
    assert_eq!(changed(&scene, &[]), json!([["public", ["outside"]]]));
    scene.apply().ok();
    assert!(!scene.room("team-a").is_public);
}

#[test]
fn a_pending_record_ends_when_the_list_after_other_writes_shows_the_value() {
    // To make its plan, this apply reads the fourth list, which still shows the room as public.
    // The list that the apply reads after its write is up to date.
    let scene = closed_late(4);
    let renamed = |public| manifest("Team A", public).replace("Team B", "Team Bee");
    scene.declare(renamed(false));
    let ran = scene.apply();
    ran.shows("the field is sent again");
    late(&scene, 0);
    apply_as_another_user(&scene, &renamed(true));
    let fields = changed(&scene, &[]);
    assert_eq!(fields, json!([["public", ["outside"]]]));
}
