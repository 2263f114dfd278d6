//! `plan` and `apply` with `--count-members`: they compare the number of members with what is
//! known.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use insta::assert_snapshot;
use roomform::sandbox::{Config, CountUsers, Quirks};

use crate::support::{Canned, Fault, Proxy, Ran, Scene, Shows, json, live_room, until};

const MANIFEST: &str = "\
version: 1
widget: 627
rooms:
  - {pipe: course, title: Course, members: [11, 12, 13]}
  - {pipe: lounge, title: Lounge, public: true, members: [11, 12]}
  - {pipe: room-1, title: Room, members: [2, 3, 4, 5]}
  - {pipe: room-2, title: Room, members: [2, 3, 4, 5]}
  - {pipe: room-3, title: Room, members: [2, 3, 4, 5]}
  - {pipe: room-4, title: Room, members: [2, 3, 4, 5]}
  - {pipe: team, title: Team, members: [21, 22, 23]}
";

fn quirks(count_users: CountUsers, count_admin: bool) -> Quirks {
    Quirks {
        count_users,
        count_admin,
        ..Quirks::default()
    }
}

fn applied(quirks: Quirks) -> Scene {
    Scene::new()
        .manifest(MANIFEST)
        .sandbox_with_quirks(quirks)
        .applied()
}

/// Changes the members of a room in ImbaChat.
fn set_members(scene: &Scene, pipe: &str, members: &[u64]) {
    let (id, members) = (scene.room(pipe).id, members.iter().copied().collect());
    assert!(scene.world(|world| world.set_members(627, id, members)));
}

/// The output of `plan --count-members`, without the line that names the target.
fn counted(scene: &Scene, args: &str) -> String {
    let out = scene.run(format!("plan --count-members {args}")).out;
    let lines = out.lines().filter(|line| !line.contains("target: "));
    let lines: Vec<&str> = lines.collect();
    lines.join("\n")
}

#[test]
fn equal_counts_are_reported_whatever_the_filter_means() {
    for count_users in [CountUsers::Exact, CountUsers::AtLeast] {
        for count_admin in [false, true] {
            let scene = applied(quirks(count_users, count_admin));
            let before = scene.stats().get_rooms;
            let plan = scene.run("plan --count-members --detailed-exitcode");
            plan.exits(0).shows("7 rooms counted: equal; ");
            let requests = scene.stats().get_rooms - before - 1;
            plan.shows(format!("; {requests} requests, "));
            // One request for each of the sizes 1 to 5 (and 6 if the server counts the writing
            // user), a second request for the first size, and one for a size that no room has.
            assert!((7..=8).contains(&requests), "{requests}");
            let counts_writer = "the server counts the writing user";
            assert_eq!(plan.out.contains(counts_writer), count_admin, "{plan:?}");
        }
    }
}

/// A filter that never finds a room proves nothing.
#[test]
fn nothing_is_counted_if_the_filter_finds_no_room() {
    let scene = applied(Quirks::default());
    let proxy = Proxy::start(&scene.url(), |_, request| {
        let nothing = r#"{"success":"true","data":[],"code":200}"#;
        let is_filtered = request?.contains("\"count_users\"");
        is_filtered.then_some(Fault::Answer("200 OK", "", nothing))
    });
    let ledger = scene.ledger().replace(&scene.url(), &proxy.url());
    scene.write("l.jsonl", ledger);
    let scene = scene.at(&proxy.url());
    let plan = scene.run("plan --count-members --detailed-exitcode --ledger l.jsonl");
    plan.exits(0)
        .shows("7 rooms cannot be counted: the filter `count_users` finds none of the rooms")
        .shows("0 of 7 rooms counted; ");
}

/// The last recorded count shows that the server counts the writing user. So a count that is
/// one too low means that the room has lost a member.
#[test]
fn a_room_that_lost_a_member_is_not_taken_for_one_without_the_writing_user() {
    let scene = applied(quirks(CountUsers::Exact, true));
    let only = "--only room-1";
    scene
        .run(format!("apply --yes --count-members {only}"))
        .ok()
        .shows("1 room counted: equal");
    set_members(&scene, "room-1", &[2, 3, 4]);
    let plan = scene.run(format!("plan --count-members --detailed-exitcode {only}"));
    plan.exits(2).shows("room-1: 4 known, 3 counted");
}

#[test]
fn counting_stops_if_the_server_ignores_the_filter() {
    let scene = applied(quirks(CountUsers::Ignored, false));
    let before = scene.stats().get_rooms;
    let plan = scene.run("plan --count-members --detailed-exitcode");
    plan.exits(0);
    plan.shows("7 rooms cannot be counted: the server ignores the filter `count_users`");
    assert_eq!(scene.stats().get_rooms - before, 2);
}

/// One member was removed, one was added, and one room is empty.
#[test]
fn fewer_members_are_pending_and_more_are_not() {
    let scene = applied(Quirks::default());
    set_members(&scene, "course", &[11, 13]);
    set_members(&scene, "lounge", &[11, 12, 99]);
    set_members(&scene, "team", &[]);
    assert_snapshot!(counted(&scene, ""), @r#"
      fewer members than known: to find users whom the widget does not know, run `plan --check-users`; to add all declared members again, including people whom you removed, run `roomform ledger forget PIPE`, then `apply`
        course: 3 known, 2 counted
        team: 3 known, not 1 to 5 counted

      notes
        lounge: 2 known, 3 counted

    plan: 2 rooms with fewer members than known; 7 unchanged, 1 unmanaged
          1 request: 1 to list
          7 rooms counted: 4 equal, 2 fewer, 1 more; 7 requests, 2 KiB; assumed: the writing user is not a member of the rooms that roomform created
    "#);
    scene
        .run("plan --count-members --detailed-exitcode")
        .exits(2);
    scene.plan().exits(0).shows("nothing to do");
    let scene = applied(quirks(CountUsers::AtLeast, true));
    set_members(&scene, "course", &[11, 13]);
    set_members(&scene, "lounge", &[11, 12, 99]);
    set_members(&scene, "team", &[]);
    assert_snapshot!(counted(&scene, ""), @r#"
      fewer members than known: to find users whom the widget does not know, run `plan --check-users`; to add all declared members again, including people whom you removed, run `roomform ledger forget PIPE`, then `apply`
        course: 3 known, 2 counted
        team: 3 known, 0 counted

      notes
        lounge: 2 known, 3 counted

    plan: 2 rooms with fewer members than known; 7 unchanged, 1 unmanaged
          1 request: 1 to list
          7 rooms counted: 4 equal, 2 fewer, 1 more; 8 requests, 7 KiB; the server counts the writing user in rooms that roomform created
    "#);
    let document = scene.run("plan --count-members --format json").json();
    scene.fits_schema("plan", &document);
    assert_snapshot!(serde_json::to_string_pretty(&document["counts"]).unwrap(), @r#"
    {
      "bytes": 6675,
      "counts_writing_user": true,
      "equal": 4,
      "meaning": "at_least",
      "requests": 8,
      "rooms": [
        {
          "expected": 3,
          "least": 2,
          "most": 2,
          "pipe": "course",
          "recorded": true,
          "result": "fewer",
          "room_id": 2
        },
        {
          "expected": 2,
          "least": 3,
          "most": 3,
          "pipe": "lounge",
          "recorded": true,
          "result": "more",
          "room_id": 3
        },
        {
          "expected": 3,
          "least": 0,
          "most": 0,
          "pipe": "team",
          "recorded": true,
          "result": "fewer",
          "room_id": 8
        }
      ]
    }
    "#);
    scene
        .run("plan --count-members --format markdown")
        .shows("**2 rooms with fewer members");
    scene
        .run("plan --count-members --format github")
        .shows("::warning title=fewer members than known::`course`: 3 known, 2 counted");
    scene
        .run("plan --count-members --format html")
        .shows("3 known, 2 counted");
}

#[test]
fn a_public_room_that_is_empty_or_grew_is_not_confused() {
    let scene = applied(Quirks::default());
    set_members(&scene, "lounge", &[]);
    let plan = scene.run("plan --count-members --detailed-exitcode");
    plan.exits(2).shows("lounge: 2 known, not 1 to 52 counted");
    set_members(&scene, "lounge", &(11..51).collect::<Vec<u64>>());
    let plan = scene.run("plan --count-members --detailed-exitcode");
    plan.exits(0).shows("lounge: 2 known, 40 counted");
}

/// The plan prints a remedy, and this test runs it: the removed member is added again.
#[test]
fn forget_and_apply_add_a_removed_member_again() {
    let scene = applied(Quirks::default());
    set_members(&scene, "course", &[11, 13]);
    counted(&scene, "").shows("`roomform ledger forget PIPE`, then `apply`");
    // Without `ledger forget`, apply has nothing to send.
    let applied = scene.run("apply --yes --count-members");
    applied
        .exits(0)
        .shows("1 room with fewer members than known");
    assert_eq!(scene.room("course").members, [11, 13].into());
    scene.run("ledger forget course").ok();
    scene.run("apply --yes --count-members").ok();
    assert_eq!(scene.room("course").members, [11, 12, 13].into());
    counted(&scene, "").shows("7 rooms counted: equal");
}

/// A member who is no longer declared still belongs to the expected count until the manual step
/// is done.
#[test]
fn a_member_who_left_the_manifest_counts_until_the_step_is_done() {
    let scene = applied(Quirks::default());
    scene.edit("[21, 22, 23]", "[21, 22]").apply().ok();
    counted(&scene, "").shows("7 rooms counted: equal");
    set_members(&scene, "team", &[21, 22]);
    let plan = scene.run("plan --count-members --detailed-exitcode");
    plan.exits(0)
        .shows("team: 3 known, 2 counted; 1 open removal; if already done in ImbaChat, run `roomform todo done PIPE`")
        .shows("7 rooms counted: 6 equal, 1 fewer (open removals); ")
        .lacks("ledger forget");
    let document = scene.run("plan --count-members --format json").json();
    scene.fits_schema("plan", &document);
    assert_eq!(document["counts"]["rooms"][0]["open_removals"], 1);
    assert_eq!(document["summary"]["fewer_members"], 0);
    // One more member was removed.
    set_members(&scene, "team", &[21]);
    let plan = scene.run("plan --count-members --detailed-exitcode");
    plan.exits(2).shows("team: 3 known, 1 counted\n");
    let document = scene.run("plan --count-members --format json").json();
    assert_eq!(document["summary"]["fewer_members"], 1);
    set_members(&scene, "team", &[21, 22]);
    scene.run("todo done team").ok();
    counted(&scene, "").shows("7 rooms counted: equal");
}

/// With only one room, roomform cannot tell whether the server counts the writing user.
#[test]
fn an_open_removal_explains_the_count_of_a_single_room() {
    let room =
        "version: 1\nwidget: 627\nrooms:\n  - {pipe: team, title: Team, members: [21, 22, 23]}\n";
    let scene = Scene::new().manifest(room).sandbox().applied();
    scene.edit("[21, 22, 23]", "[21, 22]").apply().ok();
    set_members(&scene, "team", &[21, 22]);
    let plan = scene.run("plan --count-members --detailed-exitcode");
    plan.exits(0)
        .shows("1 open removal; if already done in ImbaChat, run")
        .lacks("ledger forget");
}

#[test]
fn a_dropped_unknown_user_makes_the_room_partial() {
    let scene = Scene::new()
        .manifest(MANIFEST.replace("[21, 22, 23]", "[11, 22]"))
        .sandbox_with_quirks(Quirks {
            drop_unknown_users: true,
            ..Quirks::default()
        });
    scene.insert(roomform::sandbox::Room {
        members: [2, 3, 4, 5, 11, 12, 13].into(),
        ..live_room("other", "Other")
    });
    let applied = scene.run([
        "apply",
        "--yes",
        "--count-members",
        "--verify-timeout",
        "100ms",
        "--report",
        "r.json",
        "--failed",
        "failed.csv",
    ]);
    applied.exits(4);
    applied.shows("2 members confirmed; 2 known, 1 counted");
    applied.err.shows("the widget does not know user 22");
    applied.err.lacks("user 12");
    let report: serde_json::Value = serde_json::from_str(&scene.read("r.json")).unwrap();
    scene.fits_schema("report", &report);
    assert_eq!(report["rooms"][6]["status"], "partial");
    assert_eq!(report["rooms"][6]["reason"], "2 known, 1 counted");
    assert_eq!(report["counts"]["rooms"][0]["result"], "fewer");
    assert_eq!(report["converged"], false);
    report["plan"]["diagnostics"].to_string().shows("user 22");
    scene
        .read("failed.csv")
        .shows("team,,\"partial; 2 known, 1 counted\"");
    // Without counting, roomform can only rely on the server's answer.
    let scene = Scene::new().manifest(MANIFEST).beside(&scene);
    scene.run("apply --yes --only team").exits(0);
}

#[test]
fn the_budget_holds_for_all_counts_after_an_apply() {
    let scene = Scene::new().manifest(MANIFEST).sandbox_with_quirks(Quirks {
        drop_unknown_users: true,
        ..Quirks::default()
    });
    scene.insert(roomform::sandbox::Room {
        members: [2, 3, 4, 5].into(),
        ..live_room("other", "Other")
    });
    scene
        .run("apply --yes --count-members --count-requests 10 --verify-timeout 2s")
        .exits(4);
    // Besides the counts, apply reads one list to plan and one to verify. Before the apply,
    // there is no room to count.
    let counts = scene.stats().get_rooms - 2;
    assert!((7..=10).contains(&counts), "{counts}");
}

/// The server adds the members a little later.
#[test]
fn apply_counts_again_until_late_members_appear() {
    let scene = Scene::new().manifest(MANIFEST).sandbox_with_quirks(Quirks {
        drop_unknown_users: true,
        ..Quirks::default()
    });
    std::thread::scope(|scope| {
        let run = scope.spawn(|| scene.run("apply --yes --count-members"));
        // One request for the plan, one for the verification, and seven for the first count.
        until("the first count", || scene.stats().get_rooms > 9);
        let rooms = ["room-1", "room-2", "room-3", "room-4"].map(|pipe| (pipe, 2..6));
        let others = [("course", 11..14), ("lounge", 11..13), ("team", 21..24)];
        for (pipe, members) in rooms.into_iter().chain(others) {
            set_members(&scene, pipe, &members.collect::<Vec<u64>>());
        }
        let ran = run.join().unwrap();
        ran.exits(0).shows("7 rooms counted: equal");
    });
}

#[test]
fn apply_records_a_count_only_if_it_changed() {
    let scene = applied(Quirks::default());
    let lines = || {
        let ledger = scene.ledger();
        let lines = ledger
            .lines()
            .filter(|line| line.contains("\"kind\":\"counted\""));
        lines.count()
    };
    counted(&scene, "");
    assert_eq!(lines(), 0, "a plan records nothing");
    scene.run("apply --yes --count-members").ok();
    assert_eq!(lines(), 7);
    scene.run("apply --yes --count-members").ok();
    assert_eq!(lines(), 7);
    set_members(&scene, "lounge", &[11, 12, 99]);
    scene.run("apply --yes --count-members").ok();
    assert_eq!(lines(), 8);
    scene
        .run("ledger history lounge")
        .shows("room 3: 3 members\n");
    scene.run("ledger compact").ok();
    assert_eq!(lines(), 7);
    counted(&scene, "").shows("1 more");
}

/// Without a ledger, a room whose count equals the number of its declared members is assumed to
/// have these members. No members are assumed in other rooms.
#[test]
fn members_are_assumed_only_if_the_count_agrees() {
    let rooms = MANIFEST.lines().filter(|line| !line.contains("room-"));
    let manifest = rooms.collect::<Vec<&str>>().join("\n");
    let scene = Scene::new().manifest(manifest).sandbox();
    for (pipe, title, members) in [
        ("course", "Course", vec![11, 12, 13]),
        ("lounge", "Lounge", vec![11, 12, 99]),
        ("team", "Team", vec![21, 22]),
    ] {
        scene.insert(roomform::sandbox::Room {
            is_public: pipe == "lounge",
            members: members.into_iter().collect(),
            ..live_room(pipe, title)
        });
    }
    assert_snapshot!(counted(&scene, ""), @r#"
      # rooms.yaml:4
      ~ course               send members again
          members unknown: 3 sent again (11, 12, 13)   none known
      # rooms.yaml:5
      ~ lounge               send members again
          members unknown: 2 sent again (11, 12)   none known
      # rooms.yaml:6
      ~ team                 send members again
          members unknown: 3 sent again (21, 22, 23)   none known

      notes
        lounge: 2 declared, 3 counted
        team: 3 declared, 2 counted

    plan: 8 members of 3 rooms to send again (membership unknown); 0 unchanged, 1 unmanaged
          5 requests: 1 to list, 3 to write, 1 to verify
          3 rooms counted: 1 as declared, 1 more, 1 different; 6 requests, 1 KiB
          unknown: the ledger does not record these members; sending them also re-adds people who were removed in ImbaChat
    "#);
    assert_snapshot!(counted(&scene, "--assume-members"), @r#"
      # rooms.yaml:5
      ~ lounge               send members again
          members unknown: 2 sent again (11, 12)   none known
      # rooms.yaml:6
      ~ team                 send members again
          members unknown: 3 sent again (21, 22, 23)   none known

      notes
        lounge: 2 declared, 3 counted
        team: 3 declared, 2 counted
        --assume-members: 3 memberships of 1 room assumed to be present, although the ledger does not record them; nothing is sent for them

    plan: 5 members of 2 rooms to send again (membership unknown); 1 unchanged, 1 unmanaged
          4 requests: 1 to list, 2 to write, 1 to verify
          3 rooms counted: 1 as declared, 1 more, 1 different; 6 requests, 1 KiB
          unknown: the ledger does not record these members; sending them also re-adds people who were removed in ImbaChat
    "#);
}

#[test]
fn a_budget_that_runs_out_leaves_rooms_uncounted() {
    let scene = applied(Quirks::default());
    let plan = scene.run("plan --count-members --count-requests 5 --detailed-exitcode");
    plan.exits(0).shows("; 5 requests, ");
    plan.shows(
        "1 room cannot be counted: the limit of --count-requests or --count-bytes is reached",
    );
    let plan = scene.run("plan --count-members --count-bytes 100 --detailed-exitcode");
    plan.exits(0);
    plan.shows(
        "7 rooms cannot be counted: the limit of --count-requests or --count-bytes is reached",
    );
    scene
        .run("plan --count-members --count-requests 4")
        .exits(64);
    scene.run("plan --count-requests 9").exits(64);
}

#[test]
fn a_budget_that_runs_out_is_never_called_a_contradiction() {
    let scene = applied(quirks(CountUsers::AtLeast, false));
    let mut counted_some = false;
    for bytes in (200..4_000).step_by(200) {
        let plan = scene.run(format!("plan --count-members --count-bytes {bytes}"));
        plan.exits(0).lacks("contradict");
        counted_some |=
            plan.out.contains("4 of 7 rooms counted: equal") && plan.out.contains("is reached");
    }
    assert!(counted_some);
}

/// The last request asks for the first size again.
#[test]
fn a_last_request_that_fails_is_named() {
    let scene = applied(Quirks::default());
    let proxy = Proxy::start(&scene.url(), {
        let asked = AtomicUsize::new(0);
        move |_, request| {
            let is_first = request?.contains("\"count_users\"\r\n\r\n4\r\n");
            let is_again = is_first && asked.fetch_add(1, Ordering::SeqCst) > 0;
            is_again.then_some(Fault::Answer("403 Forbidden", "", "{}"))
        }
    });
    let ledger = scene.ledger().replace(&scene.url(), &proxy.url());
    scene.write("l.jsonl", ledger);
    let scene = scene.at(&proxy.url());
    let plan = scene.run("plan --count-members --ledger l.jsonl");
    plan.exits(0)
        .shows("7 rooms cannot be counted: ")
        .shows("403")
        .lacks("contradict");
}

/// A failed count does not affect the rest of the plan.
#[test]
fn a_server_that_rejects_the_filter_does_not_stop_a_plan() {
    let server = Canned::by(|request| {
        let row = r#"{"id":1,"pipe":"course","name":"Course","type":1,"is_public":0}"#;
        match request.contains("count_users") {
            true => json(r#"{"code":422,"error":"count_users is broken"}"#),
            false => json(&format!(
                r#"{{"success":"true","data":[{row}],"code":200}}"#
            )),
        }
    });
    let scene = Scene::new()
        .manifest(MANIFEST)
        .at(&server.url())
        .env("IMBACHAT_SECRET_KEY", "key");
    let plan = scene.run("plan --count-members --only course");
    plan.exits(0);
    plan.shows("1 room cannot be counted: the server rejects the request (code 422 with HTTP 200): count_users is broken");
}

#[test]
fn the_report_is_written_even_if_the_counts_cannot_be_recorded() {
    let scene = Scene::new().manifest(MANIFEST).sandbox_with(Config {
        latency: Duration::from_millis(100),
        ..Config::default()
    });
    let child = scene.start("apply --yes --count-members --ledger l.jsonl --report r.json");
    // One list for the plan, one to verify the writes, and the first two answers of the count.
    until("the count", || scene.stats().get_rooms >= 4);
    fs::rename(scene.path("l.jsonl"), scene.path("aside.jsonl")).unwrap();
    let ran: Ran = child.wait_with_output().unwrap().into();
    ran.exits(4);
    ran.err.shows("`l.jsonl` disappeared");
    let report: serde_json::Value = serde_json::from_str(&scene.read("r.json")).unwrap();
    assert_eq!(report["exit"], 4);
    assert_eq!(report["rooms"].as_array().unwrap().len(), 7);
}
