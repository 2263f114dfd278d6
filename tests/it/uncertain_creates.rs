//! Creates whose result is unknown, across runs: a room is found or created exactly once, no
//! matter what the list shows and when.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use jiff::SignedDuration;
use roomform::sandbox::{Config, Quirks};
use serde_json::{Value, json};

use crate::support::{Fault, Proxy, Scene, Shows, live_room, manifest};

const ONE: &str =
    "version: 1\nwidget: 627\nrooms: [{pipe: team-a, title: Team A, members: [3, 4]}]\n";
/// Flags that let a run take over an old claim after a short wait.
const SOON: &str = "--timeout 500ms --verify-timeout 300ms";

/// A server on which a second create makes a second room.
fn forgetful() -> Quirks {
    Quirks {
        duplicate_pipes: true,
        ..Quirks::default()
    }
}

/// A ledger with the intent of a run that was killed this long ago.
fn ledger_of_killed_run(scene: &Scene, ago: SignedDuration) {
    let time = jiff::Timestamp::now() - ago;
    let header = json!({"roomform_ledger": 1, "origin": scene.url(), "widget": 627});
    let intent = json!({
        "run": "00000000000000aa", "seq": 1, "time": format!("{time:.3}"),
        "kind": "intent", "pipe": "team-a", "members": [3, 4],
    });
    scene.write("l.jsonl", format!("{header}\n{intent}\n"));
}

fn kinds(scene: &Scene) -> Vec<String> {
    let text = scene.read("l.jsonl");
    let lines = text.lines().skip(1);
    let entries = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    entries
        .map(|entry| entry["kind"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_output_says_since_when_a_create_is_uncertain() {
    let scene = Scene::new().manifest(ONE).sandbox();
    ledger_of_killed_run(&scene, SignedDuration::from_hours(1));
    let document = scene.run("plan --ledger l.jsonl --format json").json();
    let since = document["changes"][0]["uncertain_since"].as_str().unwrap();
    scene.fits_schema("plan", &document);
    for format in ["text", "markdown", "github", "html"] {
        let page = scene.run(format!("plan --ledger l.jsonl --format {format}"));
        page.ok().shows(format!("create, uncertain since {since}"));
    }
    let shown = scene.run("ledger show --ledger l.jsonl").ok();
    shown.shows(format!(
        "\n  team-a  the create by run 00000000000000aa has been uncertain since {since}\n"
    ));
}

#[test]
fn a_room_that_a_killed_run_created_is_adopted_once_the_list_shows_it() {
    let scene = Scene::new().manifest(ONE).sandbox_with_quirks(forgetful());
    scene.world(|world| {
        world.set_quirks(Quirks {
            lag_time: Duration::from_millis(600),
            ..forgetful()
        });
    });
    // The killed run's create arrives; the list does not show the room yet.
    let other = Scene::new().manifest(ONE).beside(&scene);
    other.run("apply --yes --verify-timeout 100ms").exits(4);
    ledger_of_killed_run(&scene, SignedDuration::ZERO);
    let apply = "apply --yes --ledger l.jsonl --timeout 500ms --verify-timeout 2s";
    let ran = scene.run(apply);
    ran.exits(0);
    assert_eq!(scene.rooms().len(), 1, "{ran:#?}");
    let plan = scene.run("plan --detailed-exitcode --ledger l.jsonl").ok();
    plan.shows("nothing to do");
}

#[test]
fn a_room_that_a_killed_run_did_not_create_is_created_once_its_claim_is_old() {
    let scene = Scene::new().manifest(ONE).sandbox_with_quirks(forgetful());
    ledger_of_killed_run(&scene, SignedDuration::ZERO);
    let ran = scene.run(format!(
        "apply --yes --ledger l.jsonl --report r.json {SOON}"
    ));
    ran.exits(0);
    assert_eq!((scene.rooms().len(), scene.writes()), (1, 1), "{ran:#?}");
    let report: Value = serde_json::from_str(&scene.read("r.json")).unwrap();
    assert_eq!(report["rooms"][0]["was_uncertain"], true);
    let kinds = kinds(&scene);
    assert_eq!(kinds[..3], ["intent", "not_created", "intent"], "{kinds:?}");
    assert!(
        kinds.ends_with(&["confirmed".into(), "seen".into()]),
        "{kinds:?}"
    );
    scene.run("ledger compact --ledger l.jsonl").ok();
    let kept = self::kinds(&scene);
    assert!(!kept.contains(&"intent".into()), "settled: {kept:?}");
}

/// The list lags: it omits the room for longer than this run waits for a list.
#[test]
fn a_run_waits_for_a_claim_from_a_machine_whose_clock_is_behind() {
    let scene = Scene::new().manifest(ONE).sandbox_with_quirks(Quirks {
        lag_time: Duration::from_secs(1),
        ..forgetful()
    });
    let other = Scene::new().manifest(ONE).beside(&scene);
    other.run("apply --yes --verify-timeout 1ms").exits(4);
    ledger_of_killed_run(&scene, SignedDuration::from_mins(4));
    let ran = scene
        .run("apply --yes --ledger l.jsonl --report r.json --timeout 3s --verify-timeout 200ms");
    assert_eq!(scene.rooms().len(), 1, "{ran:#?}");
    let report: Value = serde_json::from_str(&scene.read("r.json")).unwrap();
    assert_eq!(report["rooms"][0]["was_uncertain"], true, "{ran:#?}");
}

/// A run judges a claim's age by how long the run has seen the claim, not by the claim's time.
#[test]
fn a_claim_from_a_machine_whose_clock_is_ahead_is_taken_over() {
    let scene = Scene::new().manifest(ONE).sandbox_with_quirks(forgetful());
    ledger_of_killed_run(&scene, SignedDuration::from_hours(-24));
    let ran = scene.run(format!("apply --yes --ledger l.jsonl {SOON}"));
    ran.exits(0);
    assert_eq!((scene.rooms().len(), scene.writes()), (1, 1), "{ran:#?}");
}

#[test]
fn a_create_that_succeeds_with_an_error_is_not_sent_again() {
    let scene = Scene::new().sandbox_with_quirks(Quirks {
        lag_time: Duration::from_secs(3600),
        ..forgetful()
    });
    let succeeded = Fault::AnswerAfter(
        "200 OK",
        "",
        r#"{"code":200,"data":[{"success":true,"error":"User 4 is unknown","room_id":2}]}"#,
    );
    let proxy = Proxy::start(&scene.url(), move |_, request| {
        request?.contains("/imba_rooms ").then_some(succeeded)
    });
    let scene = scene.manifest(ONE).at(&proxy.url());
    let apply = "apply --yes --ledger l.jsonl --verify-timeout 100ms";
    scene.run(apply).exits(4).shows("User 4 is unknown");
    assert_eq!(scene.room("team-a").id, 2);
    scene.run(apply).exits(4);
    assert_eq!((scene.rooms().len(), scene.writes()), (1, 1));
}

#[test]
fn a_list_that_repeats_rooms_makes_no_endless_conflict() {
    let row = |id: u32| format!(r#"{{"id":{id},"pipe":"team-a","name":"Team A","type":1}}"#);
    let list = |ids: &mut dyn Iterator<Item = u32>| {
        let rows: Vec<String> = ids.map(row).collect();
        let rows = rows.join(",");
        let list = format!(r#"{{"success":"true","data":[{rows}],"code":200}}"#);
        Fault::Answer("200 OK", "", Box::leak(list.into_boxed_str()))
    };
    let once = list(&mut [2, 2].into_iter());
    let many = list(&mut (1..5_000).flat_map(|id| [id, id]));
    for (shown, exit) in [(once, 0), (many, 4)] {
        let scene = Scene::new().sandbox();
        let [lists, writes] = [AtomicUsize::new(0), AtomicUsize::new(0)];
        let proxy = Proxy::start(&scene.url(), move |_, request| {
            let request = request?;
            let is_later = request.contains("/get_rooms ") && lists.fetch_add(1, SeqCst) > 0;
            let is_create = request.contains("/imba_rooms ") && writes.fetch_add(1, SeqCst) == 0;
            match is_later {
                true => Some(shown),
                false => is_create.then_some(Fault::CutAfter),
            }
        });
        let scene = scene.manifest(ONE).at(&proxy.url());
        let ran = scene.run("apply --yes --ledger l.jsonl --verify-timeout 100ms");
        ran.exits(exit);
        assert!(ran.all().len() < 2_000, "{}", ran.all().len());
    }
}

#[test]
fn a_create_that_certainly_failed_is_not_uncertain() {
    let scene = Scene::new().sandbox();
    let refused = Fault::Answer("422 Unprocessable Content", "", r#"{"error":"no"}"#);
    let proxy = Proxy::start(&scene.url(), move |number, _| {
        (number == 1).then_some(refused)
    });
    let scene = scene.manifest(ONE).at(&proxy.url());
    scene.run("apply --yes --ledger l.jsonl").exits(4);
    assert_eq!(kinds(&scene), ["intent", "not_created"]);
    let plan = scene.run("plan --ledger l.jsonl").ok();
    plan.lacks("uncertain");
}

#[test]
fn a_server_that_never_answers_gets_each_create_at_most_twice() {
    let scene = Scene::new().sandbox();
    let proxy = Proxy::start(&scene.url(), |_, request| {
        request?.contains("/imba_rooms ").then_some(Fault::Silence)
    });
    let scene = scene.manifest(ONE).at(&proxy.url());
    let ran = scene.run("apply --yes --timeout 300ms --verify-timeout 200ms");
    ran.exits(4);
    ran.out
        .shows("apply: 1 uncertain; 0 members confirmed; requests: 2 to write");
}

#[test]
fn of_two_runs_at_once_only_one_creates_each_room() {
    let courses = manifest((1..=40).map(|room| {
        format!("pipe: course-{room:02}, title: Course {room}, members: [{room}, 99]")
    }));
    let scene = Scene::new().manifest(courses).sandbox_with(Config {
        latency: Duration::from_millis(20),
        quirks: forgetful(),
        ..Config::default()
    });
    let children: Vec<_> = ["a.json", "b.json"]
        .map(|report| {
            let apply = ["apply", "--yes", "--ledger", "l.jsonl", "--report", report];
            scene.spawn(apply)
        })
        .into();
    for mut child in children {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    let mut pipes: Vec<String> = scene.rooms().into_iter().map(|room| room.pipe).collect();
    pipes.sort();
    pipes.dedup();
    assert_eq!((pipes.len(), scene.rooms().len()), (40, 40));
    let plan = scene.run("plan --detailed-exitcode --ledger l.jsonl").ok();
    plan.shows("nothing to do; 40 unchanged");
}

#[test]
fn an_uncertain_create_with_only_a_deleted_row_is_a_conflict() {
    let scene = Scene::new().manifest(ONE).sandbox_with_quirks(Quirks {
        show_deleted: true,
        ..Quirks::default()
    });
    scene.insert(live_room("team-a", "Team A"));
    ledger_of_killed_run(&scene, SignedDuration::from_hours(1));
    let id = scene.room("team-a").id;
    scene.world(|world| world.delete_room(627, id, 9));
    let plan = scene.run("plan --detailed-exitcode --ledger l.jsonl");
    plan.exits(2);
    plan.shows("only deleted rooms have this pipe");
}
