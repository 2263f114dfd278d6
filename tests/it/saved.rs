//! Saved plans: apply does what was reviewed and is still declared, and nothing else.

use proptest::prelude::*;
use roomform::document::read_plan;
use roomform::manifest::{Options, load_text};
use roomform::model::{Observed, Recorded};
use roomform::plan::{Inputs, PlanOptions, plan, select};
use roomform::sandbox::Auth;
use serde_json::Value;

use crate::support::{Ran, Scene, Shows};

const BASE: &str = "\
version: 1
widget: 627
rooms:
  - {pipe: team-a, title: Team A, members: [3, 4]}
  - {pipe: team-b, title: Team B, members: [3]}
";

const EDITED: &str = "\
version: 1
widget: 627
rooms:
  - {pipe: team-a, title: Team Alpha, members: [3, 4, 17]}
  - {pipe: team-b, title: Team B, members: [3, 18]}
  - {pipe: team-c, title: Team C, members: [5]}
";

/// A sandbox with the base applied, and a saved plan of the edited manifest.
fn planned() -> Scene {
    let scene = Scene::new().manifest(BASE).applied();
    scene.declare(EDITED);
    scene.run("plan --out plan.json").ok();
    scene
}

/// Renames a room on the server, as another person would.
fn rename(scene: &Scene, pipe: &str, title: &str) {
    let room = scene.room(pipe);
    let fields = [
        ("imba_id", "627".to_owned()),
        ("login", "admin".to_owned()),
        ("password", "admin".to_owned()),
        ("room_id", room.id.to_string()),
        ("room_title", title.to_owned()),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    let answer = scene
        .world(|world| world.call("/imbachat/v1/widget/imba_rooms", &Auth::none(), &fields, 9));
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn check_applied(scene: &Scene) {
    assert_eq!(scene.room("team-a").name, "Team Alpha");
    assert_eq!(scene.room("team-a").members, [3, 4, 17].into());
    assert_eq!(scene.room("team-b").members, [3, 18].into());
    assert_eq!(scene.room("team-c").members, [5].into());
}

#[test]
fn a_saved_plan_is_applied_once() {
    let scene = planned();
    let before = scene.writes();
    let out = scene.run("apply plan.json").ok();
    out.shows("1 to create, 1 to update, 1 gains members, 3 members to add");
    out.shows("apply: 3 verified");
    check_applied(&scene);
    assert_eq!(scene.writes(), before + 3);
    let again = scene.run("apply plan.json");
    assert_eq!(
        (again.code, again.err.as_str()),
        (0, "3 rooms already up to date\n"),
        "{again:?}"
    );
    again.shows("apply: 3 up to date; 0 members confirmed");
    again.lacks("up to date    ");
    assert_eq!(scene.writes(), before + 3);
    scene.run("plan --detailed-exitcode").ok();
}

#[test]
fn one_changed_room_makes_the_whole_plan_stale_unless_apply_fresh_is_set() {
    let scene = planned();
    rename(&scene, "team-a", "Another title");
    let before = scene.writes();
    let ran = scene.run("apply plan.json");
    assert_eq!((ran.code, scene.writes()), (5, before));
    ran.err.shows(
        "error: `team-a` has changed since the plan was saved: the room has changed on the server",
    );
    let ran = scene.run("apply plan.json --apply-fresh");
    assert_eq!((ran.code, scene.writes()), (4, before + 2), "{ran:?}");
    assert_eq!(
        (
            scene.room("team-a").name.as_str(),
            scene.room("team-c").members.len()
        ),
        ("Another title", 1)
    );
}

#[test]
fn every_way_a_room_can_be_stale_is_refused() {
    for (work, why) in [
        (
            "delete",
            "`team-a` has changed since the plan was saved: the ledger has the room, but the list does not",
        ),
        (
            "make",
            "`team-c` has changed since the plan was saved: a room with this pipe exists now",
        ),
        (
            "twin",
            "`team-b` has changed since the plan was saved: more than one live room has this pipe",
        ),
    ] {
        let scene = planned();
        let insert = |pipe: &str| {
            let room = roomform::sandbox::Room {
                pipe: pipe.to_owned(),
                name: "X".to_owned(),
                ..Default::default()
            };
            scene.insert(room);
        };
        match work {
            "delete" => {
                scene.delete("team-a");
            }
            "make" => insert("team-c"),
            _ => insert("team-b"),
        }
        let ran = scene.run("apply plan.json");
        assert!(ran.code == 5 && ran.err.contains(why), "{ran:?}");
    }
}

#[test]
fn a_partly_applied_plan_continues() {
    let scene = planned();
    scene.run("apply --yes --only team-[ac]").ok();
    let before = scene.writes();
    let ran = scene.run("apply plan.json");
    ran.err.begins("2 rooms already up to date\n");
    assert_eq!((ran.code, scene.writes()), (0, before + 1), "{ran:?}");
    check_applied(&scene);
}

#[test]
fn a_damaged_or_unrelated_file_is_refused() {
    let scene = planned();
    let before = (scene.writes(), scene.read("plan.json"));
    let refused = |scene: &Scene, text: &str| -> Ran {
        scene.write("other.json", text);
        let ran = scene.run("apply other.json");
        assert_eq!((ran.code, scene.writes()), (5, before.0), "{ran:?}");
        ran
    };
    let damaged = refused(&scene, &before.1.replace("live_digest", "digest"));
    damaged
        .err
        .shows("`other.json`: the plan is damaged: missing field `live_digest`");
    refused(&scene, EDITED).err.shows("not a saved plan");
    refused(&scene, &before.1[..before.1.len() / 2])
        .err
        .shows("not a saved plan");
    refused(
        &scene,
        &before.1.replacen("\"format\": 1", "\"format\": 2", 1),
    )
    .err
    .shows("the plan has format 2");
    let elsewhere = Scene::new().sandbox();
    let scene = scene.beside(&elsewhere);
    let foreign = scene.run("apply plan.json");
    assert!(
        foreign.code == 5
            && foreign
                .err
                .contains("wrong target: the plan is for widget 627 on http://127.0.0.1:"),
        "{foreign:?}"
    );
    let scene = scene.env("IMBACHAT_WIDGET", "209");
    scene.run("apply plan.json").exits(5);
    assert_eq!(elsewhere.writes(), 0);
    scene.run("apply missing.json").exits(1);
    let endless = scene.run("apply /dev/zero");
    assert!(
        endless.code == 5 && endless.err.contains("not a regular file"),
        "{endless:?}"
    );
}

#[test]
fn flags_that_lift_guards_must_be_passed_again() {
    let scene = Scene::new().manifest(BASE).applied();
    let id = scene.delete("team-b");
    scene.declare(
        BASE.replace("Team A,", "Team A, public: true,")
            .replace("widget: 627", "widget: 627\nlimits: {create: 0}"),
    );
    let flags = [
        "--allow-publish team-a",
        "--allow-recreate",
        "--ignore-limits",
    ];
    let ran = scene.run(format!("plan -o plan.json {}", flags.join(" ")));
    ran.exits(0);
    assert_eq!(
        ran.err,
        "the plan does not save flags that lift a guard; `apply` needs them again: --allow-publish team-a --allow-recreate --ignore-limits\n"
    );
    let before = scene.writes();
    for left_out in 0..flags.len() {
        let given: Vec<&str> = flags
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != left_out)
            .map(|(_, flag)| *flag)
            .collect();
        let ran = scene.run(format!("apply plan.json {}", given.join(" ")));
        assert_eq!((ran.code, scene.writes()), (5, before), "{ran:?}");
        let said = ran.out + &ran.err;
        said.shows(flags[left_out].split(' ').next().unwrap());
    }
    scene
        .run(format!("apply plan.json {}", flags.join(" ")))
        .ok();
    assert!(scene.room("team-a").is_public && scene.room("team-b").id != id);
}

#[test]
fn equal_input_gives_equal_files_on_any_machine_without_secrets() {
    let scene = planned();
    scene.declare(EDITED);
    scene.run("plan --out again.json").ok();
    assert_eq!(scene.read("plan.json"), scene.read("again.json"));
    scene.read("plan.json").lacks("secret_key").lacks("admin");
    // On another machine, the manifest, the plan, the ledger and the credentials are enough.
    let elsewhere = Scene::new().manifest(EDITED).beside(&scene);
    elsewhere.write("plan.json", scene.read("plan.json"));
    let (name, ledger) = scene
        .files()
        .into_iter()
        .find(|(path, _)| path.extension().is_some_and(|end| end == "jsonl"))
        .unwrap();
    elsewhere.write(
        &format!(".roomform/{}", name.file_name().unwrap().to_str().unwrap()),
        ledger,
    );
    elsewhere.run("apply plan.json").ok();
    check_applied(&scene);
}

#[test]
fn an_edited_plan_sends_nothing_that_the_manifest_does_not_declare() {
    let scene = planned();
    let text = scene.read("plan.json");
    let desired = load_text("rooms.yaml", EDITED, Options::default()).desired;
    let (observed, recorded) = (Observed::default(), Recorded::default());
    let target = read_plan(&text).unwrap().target;
    let switches = PlanOptions::default();
    let new = plan(&target, &desired, &observed, &recorded, &switches);
    let inputs = Inputs {
        desired: &desired,
        observed: &observed,
        recorded: &recorded,
    };
    proptest!(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() }, |(at in 0..text.len(), byte in 32_u8..127)| {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = byte;
        if let Ok(saved) = read_plan(&String::from_utf8(bytes).unwrap()) {
            let approved = select(saved, &new, inputs, &switches.allow);
            for change in &approved.plan.changes {
                let asked = new.changes.iter().find(|it| it.pipe == change.pipe).unwrap();
                prop_assert_eq!((&change.send, change.room_id, &change.fields), (&asked.send, asked.room_id, &asked.fields));
                prop_assert!(change.members.sent().all(|user| asked.members.sent().any(|it| it == user)));
            }
        }
    });
}

/// Attacks by someone who can change the plan file, but not the manifest.
#[test]
fn a_forged_plan_writes_nothing() {
    let scene = planned();
    let (writes, text) = (scene.writes(), scene.read("plan.json"));
    let forged = |edit: &dyn Fn(&mut Value)| {
        let mut plan: Value = serde_json::from_str(&text).unwrap();
        edit(&mut plan);
        scene.write("forged.json", plan.to_string());
        scene.run("apply forged.json")
    };
    let title = forged(&|plan| plan["changes"][0]["send"]["title"] = "Team Omega".into());
    title.exits(5);
    title.err.shows(
        "`team-a` has changed since the plan was saved: the saved plan has another value for `title`",
    );
    let public = forged(&|plan| plan["changes"][2]["send"]["public"] = true.into());
    public.exits(5);
    let ledger = forged(&|plan| plan["ledger"] = ".bash_profile".into());
    ledger.exits(5);
    ledger.err.shows(
        "the plan was created with the ledger `.bash_profile`, but this run uses `.roomform/",
    );
    let bucket = forged(&|plan| plan["ledger"] = "s3://elsewhere/rooms.jsonl".into());
    bucket.exits(5);
    assert!(!scene.path(".bash_profile").exists());
    assert_eq!(scene.writes(), writes);
    // A plan with an undeclared room is refused. The name of the room cannot move the cursor or start a workflow
    // command.
    let add_room = |plan: &mut Value| {
        let mut room = plan["changes"][2].clone();
        room["pipe"] = "\u{1b}[2J\n::error::x".into();
        plan["changes"].as_array_mut().unwrap().push(room);
    };
    let room = forged(&add_room);
    assert_eq!((room.code, scene.writes()), (5, writes), "{room:?}");
    room.err
        .begins("error: `\\u{1b}[2J\\u{a}\\u{3a}:error::x` is not in the manifest\n");
    // An undeclared member is skipped.
    let member = forged(&|plan| plan["changes"][0]["members"]["new"] = vec![17, 666].into());
    member.exits(0);
    member
        .err
        .begins("`team-a`: skipped 1 member no longer in the manifest: 666\n");
    check_applied(&scene);
}

#[test]
fn limits_are_checked_again_whatever_the_file_says() {
    let scene = Scene::new().manifest(BASE).sandbox();
    scene.run("plan --out plan.json").ok();
    scene.declare(format!("{BASE}limits: {{create: 0}}\n"));
    let mut plan: Value = serde_json::from_str(&scene.read("plan.json")).unwrap();
    plan["refusals"] = Value::Array(Vec::new());
    scene.write("plan.json", plan.to_string());
    let ran = scene.run("apply plan.json --report r.json");
    assert_eq!((ran.code, scene.writes()), (5, 0), "{ran:?}");
    ran.shows("refused:");
    let page = scene.run("apply plan.json --format markdown");
    page.shows("## Nothing was applied to ");
}

#[test]
fn the_page_of_a_stale_plan_says_that_nothing_was_applied() {
    let scene = planned();
    rename(&scene, "team-a", "Another title");
    let page = scene.run("apply plan.json --format markdown --report r.json");
    page.exits(5);
    page.shows("## Nothing was applied to ");
    let report: Value = serde_json::from_str(&scene.read("r.json")).unwrap();
    assert_eq!(report["applied"], false);
}

/// Two pull requests are merged; each has its own plan.
#[test]
fn plans_of_two_changes_apply_in_any_order() {
    let with = |rooms: &str| format!("{BASE}{rooms}");
    let (c, d) = (
        "  - {pipe: team-c, title: C, members: [5]}\n",
        "  - {pipe: team-d, title: D, members: [6]}\n",
    );
    for order in [["c.json", "d.json"], ["d.json", "c.json"]] {
        let scene = Scene::new().manifest(BASE).applied();
        for (file, rooms) in [("c.json", c), ("d.json", d)] {
            scene.declare(with(rooms));
            scene.run(["plan", "-o", file]).ok();
        }
        scene.declare(with(&[c, d].concat()));
        let first = scene.run(["apply", order[0]]);
        first.exits(0);
        first
            .err
            .begins("not in the saved plan: 1 room, 1 member; make a new plan to apply them\n");
        scene.run(["apply", order[1]]).ok();
        scene.run("plan --detailed-exitcode").ok();
    }
}

/// A saved plan for a few rooms must not record that the other rooms were checked.
#[test]
fn a_saved_plan_of_some_rooms_keeps_the_guard_against_mass_changes() {
    let rooms = |prefix: &str| -> String {
        (0..6)
            .map(|number| format!("  - {{pipe: {prefix}-{number}, title: T{number}}}\n"))
            .collect()
    };
    let manifest = |prefix: &str| format!("version: 1\nwidget: 627\nrooms:\n{}", rooms(prefix));
    let scene = Scene::new().manifest(manifest("old")).applied();
    scene.declare(manifest("new"));
    scene.run("plan --only new-0 -o plan.json").ok();
    scene.run("apply plan.json").ok();
    let plan = scene.plan();
    plan.exits(5);
    plan.shows("left the manifest since the last apply");
}

#[test]
fn applying_a_plan_twice_does_not_recreate_a_recorded_room() {
    let scene = planned();
    scene.run("apply plan.json").ok();
    scene.delete("team-c");
    let ran = scene.run("apply plan.json");
    assert!(
        ran.code == 5
            && ran
                .err
                .contains("`team-c` has changed since the plan was saved: the ledger has the room"),
        "{ran:?}"
    );
    assert!(scene.rooms().iter().all(|room| room.pipe != "team-c"));
}

#[test]
fn the_report_lists_every_room_of_the_plan() {
    let scene = planned();
    rename(&scene, "team-a", "Another title");
    scene.run("apply plan.json --report r.json --failed f.csv");
    let statuses = |scene: &Scene| -> Vec<String> {
        let report: Value = serde_json::from_str(&scene.read("r.json")).unwrap();
        report["rooms"]
            .as_array()
            .unwrap()
            .iter()
            .map(|room| room["status"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(statuses(&scene), ["stale", "not_started", "not_started"]);
    scene.run("apply plan.json --apply-fresh --report r.json --failed f.csv");
    assert_eq!(statuses(&scene), ["stale", "verified", "verified"]);
    assert_eq!(
        scene.read("f.csv"),
        "pipe,user,error,source,line\nteam-a,17,the room has changed on the server,rooms.yaml,4\n"
    );
    scene.run("apply plan.json --apply-fresh --report r.json");
    assert_eq!(statuses(&scene), ["stale", "up_to_date", "up_to_date"]);
}

#[test]
fn a_plan_is_refused_with_another_ledger() {
    let scene = Scene::new().sandbox();
    scene.write("teams/rooms.yaml", BASE);
    let manifest = ["-f", "teams/rooms.yaml"];
    scene
        .run([&["plan", "-o", "plan.json"], &manifest[..]].concat())
        .ok();
    let apply = [&["apply", "plan.json"], &manifest[..]].concat();
    let ran = scene.run([&apply[..], &["--ledger", "other.jsonl"]].concat());
    assert_eq!((ran.code, scene.writes()), (5, 0), "{ran:?}");
    assert!(
        ran.err.contains("this run uses `other.jsonl`") && !scene.path("other.jsonl").exists(),
        "{ran:?}"
    );
    scene.run(&apply).ok();
    assert!(scene.path("teams/.roomform").is_dir() && !scene.path(".roomform").exists());
}

#[test]
fn output_files_are_opened_before_anything_is_sent() {
    let scene = planned();
    let before = scene.writes();
    let ran = scene.run("apply plan.json --report nowhere/r.json");
    assert_eq!((ran.code, scene.writes()), (1, before));
    ran.err.shows("`nowhere/r.json` cannot be written");
    scene.write("kept.json", "");
    #[cfg(unix)]
    std::os::unix::fs::symlink("kept.json", scene.path("link.json")).unwrap();
    let ran = scene.run("apply plan.json --report link.json --failed /dev/null");
    ran.exits(0);
    assert!(
        scene.read("kept.json").contains("\"kind\": \"report\"")
            && scene.path("link.json").is_symlink()
    );
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
}

/// The error is about the plan's target. It does not mention the missing credentials, because
/// they are for a different target.
#[test]
fn a_plan_for_another_target_is_refused_without_credentials() {
    let scene = Scene::new().manifest(BASE);
    scene.run("plan --sandbox --out plan.json").ok();
    let ran = scene.run("apply plan.json");
    ran.exits(5);
    assert_eq!(
        ran.err,
        "error: wrong target: the plan is for widget 627 on the sandbox, this run is for widget 627 on https://api.imbachat.com\n  hint: apply the plan with --sandbox, or plan again without --sandbox\n"
    );
    let scene = planned();
    let scene = scene.env("IMBACHAT_SECRET_KEY", "");
    let ran = scene.run("apply plan.json --sandbox");
    ran.exits(5);
    ran.err
        .shows("hint: leave --sandbox out, or plan again with it");
    let scene = scene.env("IMBACHAT_API_URL", "https://api.example");
    let ran = scene.run("apply plan.json");
    ran.exits(5);
    ran.err
        .shows("this run is for widget 627 on https://api.example");
    ran.err
        .shows("hint: check --widget, --api-url and the IMBACHAT_ variables");
}
