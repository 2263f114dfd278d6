//! Verification after an apply: lists that lag, fields that the server ignores, and drift that
//! occurs after a lag or after an ignored field.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use roomform::sandbox::Quirks;
use serde_json::{Value, json};

use crate::support::{Fault, Proxy, Scene, Shows, live_room};

const TWO: &str = "version: 1\nwidget: 627\nrooms:\n  - {pipe: team-a, title: Team A}\n  - {pipe: team-b, title: Team B}\n";

const EMPTY: &str = r#"{"success":"true","data":[],"code":200}"#;

fn lag(seconds: f32) -> Quirks {
    Quirks {
        lag_time: Duration::from_secs_f32(seconds),
        ..Quirks::default()
    }
}

fn ignoring() -> Quirks {
    Quirks {
        ignore_updates: true,
        ..Quirks::default()
    }
}

/// The entries of the ledger that have this kind.
fn entries(scene: &Scene, kind: &str) -> Vec<Value> {
    let lines = scene.ledger();
    let lines = lines.lines().skip(1);
    let entries = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    entries.filter(|entry| entry["kind"] == kind).collect()
}

/// The status of each room after an apply with these flags.
fn statuses(scene: &Scene, flags: &str, exit: i32) -> Vec<Value> {
    let ran = scene.run(format!("apply --yes --format json {flags}"));
    ran.exits(exit);
    let report = ran.json();
    let rooms = report["rooms"].as_array().unwrap().iter();
    rooms.map(|room| room["status"].clone()).collect()
}

#[test]
fn a_list_that_lags_is_read_until_it_shows_what_was_sent() {
    let scene = Scene::new().manifest(TWO).sandbox_with_quirks(lag(1.2));
    scene.insert(live_room("team-a", "Old"));
    assert_eq!(statuses(&scene, "", 0), ["verified", "verified"]);
    assert_eq!(entries(&scene, "pending"), Vec::<Value>::new());
    scene.plan().ok().shows("nothing to do");
}

#[test]
fn a_field_that_is_not_shown_in_time_is_pending_and_not_called_ignored() {
    let scene = Scene::new().manifest(TWO).sandbox_with_quirks(lag(3600.0));
    for (pipe, title) in [("team-a", "Old"), ("team-b", "Team B")] {
        scene.insert(live_room(pipe, title));
    }
    assert_eq!(statuses(&scene, "--verify-timeout 100ms", 4), ["pending"]);
    let [pending] = &entries(&scene, "pending")[..] else {
        panic!("{}", scene.ledger());
    };
    assert_eq!(
        (&pending["field"], &pending["sent"], &pending["shown"]),
        (&json!("title"), &json!("Team A"), &json!("Old"))
    );
    assert!(pending["time"].is_string() && pending["updated_at"].is_string());
    let plan = scene.run("plan --detailed-exitcode");
    plan.exits(2);
    plan.shows("\"Old\" → \"Team A\"\n")
        .shows("team-a: title was sent as \"Team A\" before, but the list showed \"Old\" at ");
    let document = scene.run("plan --format json").json();
    scene.fits_schema("plan", &document);
    assert_eq!(document["notes"][0]["note"], "pending");
    // The list catches up: nothing is sent, and the field is no longer recorded as pending.
    scene.world(|world| world.set_quirks(Quirks::default()));
    let writes = scene.writes();
    scene.apply().ok();
    assert_eq!(scene.writes(), writes);
    scene.run("ledger show").ok().lacks("pending");
}

#[test]
fn a_field_is_ignored_if_the_list_shows_a_later_write() {
    // The rooms are written in order. The list shows the second write, and not the first.
    let scene = Scene::new().manifest(TWO).sandbox_with_quirks(ignoring());
    scene.insert(live_room("team-a", "Old"));
    let one_by_one = "--parallelism 1 --verify-timeout 10m";
    assert_eq!(
        statuses(&scene, one_by_one, 4),
        ["ignored_by_server", "verified"]
    );
    assert_eq!(entries(&scene, "shown").len(), 1);
    scene.plan().ok().shows("ignored by the server");
}

#[test]
fn an_update_is_evidence_only_if_the_server_changed_the_room_since_the_plan() {
    for (changed_at, expected) in [(0, "ignored_by_server"), (4_000_000_000, "pending")] {
        let scene = Scene::new().manifest(TWO).sandbox();
        for pipe in ["team-a", "team-b"] {
            let room = live_room(pipe, "Old");
            scene.world(|world| world.insert_room(627, room, changed_at));
        }
        // The proxy replaces the first of the two titles, so the server gets a different value.
        let rewrite = |request: &str| request.replace("\r\nTeam A\r\n", "\r\nOther.\r\n");
        let proxy = Proxy::rewriting(&scene.url(), rewrite, |_, _| None);
        let scene = scene.at(&proxy.url());
        let one_by_one = "--parallelism 1 --verify-timeout 100ms";
        assert_eq!(statuses(&scene, one_by_one, 4), [expected, "verified"]);
    }
}

#[test]
fn an_earlier_write_is_no_evidence() {
    let scene = Scene::new().manifest(TWO).sandbox_with_quirks(ignoring());
    scene.insert(live_room("team-b", "Old"));
    let one_by_one = "--parallelism 1 --verify-timeout 100ms";
    assert_eq!(statuses(&scene, one_by_one, 4), ["verified", "pending"]);
    assert_eq!(entries(&scene, "shown"), Vec::<Value>::new());
}

#[test]
fn a_pending_field_is_ignored_if_a_later_run_sees_its_own_write() {
    let scene = Scene::new()
        .manifest(TWO)
        .sandbox_with_quirks(ignoring())
        .live(live_room("team-b", "Old"));
    assert_eq!(
        statuses(&scene, "--only team-b --verify-timeout 100ms", 4),
        ["pending"]
    );
    // The first run sent the ignored field. This run creates the new room, and reads the list
    // afterwards.
    let one_by_one = "--parallelism 1 --verify-timeout 10m";
    assert_eq!(
        statuses(&scene, one_by_one, 4),
        ["verified", "ignored_by_server"]
    );
}

#[test]
fn a_pending_field_is_ignored_after_an_hour_unless_the_room_has_changed_since() {
    let scene = Scene::new()
        .manifest(TWO.replace("Team A", "Team A, public: true"))
        .sandbox_with_quirks(ignoring())
        .live(live_room("team-a", "Team A"))
        .live(live_room("team-b", "Team B"));
    let flags = "--allow-publish team-a --verify-timeout 100ms";
    assert_eq!(statuses(&scene, flags, 4), ["pending"]);
    scene
        .run("plan --allow-publish team-a")
        .shows("1 to update");
    scene.age_ledgers(120);
    let plan = scene.plan().ok();
    plan.shows("needs attention: visibility ignored by the server")
        .shows("team-a: public was sent as public, the server shows closed")
        .shows("nothing to do");
    let moved = scene.ledger();
    let (before, after) = moved.split_once("\"updated_at\":\"").unwrap();
    let (_, after) = after.split_once('"').unwrap();
    let moved = format!("{before}\"updated_at\":\"2020-12-19 20:42:07\"{after}");
    scene.write("moved.txt", moved);
    let drift = scene
        .run("plan --allow-publish team-a --ledger moved.txt")
        .ok();
    drift
        .shows("1 to update")
        .lacks("ignored")
        .lacks("sent again");
    // Once an apply has recorded that the field is ignored, a change to something else in the
    // room does not matter.
    scene.apply().ok();
    assert_eq!(entries(&scene, "shown").len(), 1);
    scene.run("ledger show").ok().shows("ignored   public");
}

#[test]
fn a_value_sent_repeatedly_is_ignored_an_hour_after_the_first_time() {
    let scene = Scene::new()
        .manifest(TWO)
        .sandbox_with_quirks(ignoring())
        .live(live_room("team-a", "Old"))
        .live(live_room("team-b", "Team B"));
    for _ in 0..2 {
        assert_eq!(statuses(&scene, "--verify-timeout 100ms", 4), ["pending"]);
        scene.age_ledgers(40);
    }
    scene.plan().ok().shows("ignored by the server");
    scene.run("ledger compact").ok();
    scene.plan().ok().shows("ignored by the server");
    // A new value counts as ignored only after another hour.
    scene.edit("Team A", "Team One");
    for _ in 0..2 {
        assert_eq!(statuses(&scene, "--verify-timeout 100ms", 4), ["pending"]);
        scene.age_ledgers(25);
    }
    scene.plan().ok().shows("1 to update").lacks("ignored");
}

/// The list that the plan was made from lacks both rooms, and the list read after the writes is older than the writes.
#[test]
fn a_room_missing_from_the_plans_list_is_no_evidence() {
    let blind = Arc::new(AtomicBool::new(false));
    let once = Arc::clone(&blind);
    let server = Scene::new().sandbox();
    let proxy = Proxy::start(&server.url(), move |_, request| {
        let is_hidden = request?.contains("/get_rooms ") && once.swap(false, Ordering::SeqCst);
        is_hidden.then_some(Fault::Answer("200 OK", "", EMPTY))
    });
    let scene = Scene::new().manifest(TWO).beside(&server).at(&proxy.url());
    scene.apply().ok();
    scene.age_ledgers(120);
    scene.edit("Team A", "Team One");
    server.world(|world| world.set_quirks(lag(3600.0)));
    blind.store(true, Ordering::SeqCst);
    let flags = "--allow-recreate --parallelism 1 --verify-timeout 100ms";
    assert_eq!(statuses(&scene, flags, 4), ["pending", "verified"]);
    assert_eq!(server.rooms().len(), 2);
}

#[test]
fn a_just_confirmed_room_is_a_conflict_only_after_a_wait() {
    let scene = Scene::new().manifest(TWO).sandbox_with_quirks(lag(1.5));
    assert_eq!(
        statuses(&scene, "--verify-timeout 100ms", 4),
        ["not_visible", "not_visible"]
    );
    let plan = scene.plan();
    plan.exits(0);
    plan.out.shows("nothing to do");
    plan.err
        .shows("waiting for the list to show rooms that were just written");
    // A room that is missing from the list two hours after its write is a conflict: the plan
    // does not wait for the list to show the room.
    scene.world(|world| world.set_quirks(Quirks::default()));
    scene.delete("team-a");
    scene.run("plan --detailed-exitcode").exits(2);
}

/// The verification is cut short by an interrupt; the ledger and the report are complete.
#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_verification() {
    let scene = Scene::new().sandbox();
    // The list after the writes is never answered.
    let proxy = Proxy::start(&scene.url(), |number, _| {
        (number == 3).then_some(Fault::Silence)
    });
    let scene = scene.manifest(TWO).at(&proxy.url());
    let mut child = scene.spawn("apply --yes --timeout 10m --report r.json");
    crate::support::until("the verification", || proxy.seen().len() > 3);
    let kill = format!("kill -INT {}", child.id());
    let sent = std::process::Command::new("/bin/sh")
        .args(["-c", &kill])
        .status();
    assert!(sent.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let report: Value = serde_json::from_str(&scene.read("r.json")).unwrap();
    assert_eq!(
        (&report["exit"], &report["stopped"]),
        (&json!(130), &json!("interrupted"))
    );
    let rooms = report["rooms"].as_array().unwrap();
    assert!(
        rooms.iter().all(|room| room["status"] == "applied"),
        "{report:#}"
    );
    assert_eq!(entries(&scene, "confirmed").len(), 2);
    assert_eq!(entries(&scene, "pending"), Vec::<Value>::new());
}
