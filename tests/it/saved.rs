//! Saved plans: what was reviewed and is still asked for is applied, and nothing else.

use proptest::prelude::*;
use roomform::document::read_plan;
use roomform::manifest::{Options, load_text};
use roomform::model::{Observed, Recorded};
use roomform::plan::{Inputs, Switches, plan, select};
use roomform::sandbox::{Auth, Config};
use serde_json::Value;

use crate::support::{Api, Dir, Ran, Shows};

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
fn scene() -> (Api, Dir) {
    let api = Api::start(Config::default());
    let dir = Dir::with(BASE).envs(&api.env());
    dir.run(&["apply", "--yes"]).ok();
    dir.write("rooms.yaml", EDITED);
    dir.run(&["plan", "--out", "plan.json"]).ok();
    (api, dir)
}

/// Somebody renames a room behind our back.
fn rename(api: &Api, pipe: &str, title: &str) {
    let room = api.room(pipe);
    let fields = [
        ("imba_id", "627".to_owned()),
        ("login", "admin".to_owned()),
        ("password", "admin".to_owned()),
        ("room_id", room.id.to_string()),
        ("room_title", title.to_owned()),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    let answer =
        api.world(|world| world.call("/imbachat/v1/widget/imba_rooms", &Auth::none(), &fields, 9));
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn check_applied(api: &Api) {
    assert_eq!(api.room("team-a").name, "Team Alpha");
    assert_eq!(api.room("team-a").members, [3, 4, 17].into());
    assert_eq!(api.room("team-b").members, [3, 18].into());
    assert_eq!(api.room("team-c").members, [5].into());
}

#[test]
fn a_saved_plan_is_applied_once() {
    let (api, dir) = scene();
    let before = api.stats().writes();
    let out = dir.run(&["apply", "plan.json"]).ok();
    out.shows("1 to create, 1 to update, 1 gains members, 3 members to add");
    out.shows("apply: 3 verified");
    check_applied(&api);
    assert_eq!(api.stats().writes(), before + 3);
    let again = dir.run(&["apply", "plan.json"]);
    assert_eq!(
        (again.code, again.err.as_str()),
        (0, "3 rooms already up to date\n"),
        "{again:?}"
    );
    assert_eq!(api.stats().writes(), before + 3);
    dir.run(&["plan", "--detailed-exitcode"]).ok();
}

#[test]
fn one_room_changed_since_refuses_the_whole_plan_unless_the_others_were_asked_for() {
    let (api, dir) = scene();
    rename(&api, "team-a", "Somebody else's");
    let before = api.stats().writes();
    let ran = dir.run(&["apply", "plan.json"]);
    assert_eq!((ran.code, api.stats().writes()), (5, before));
    ran.err.shows(
        "error: `team-a` has changed since the plan was saved: the room has changed on the server",
    );
    let ran = dir.run(&["apply", "plan.json", "--apply-fresh"]);
    assert_eq!((ran.code, api.stats().writes()), (4, before + 2), "{ran:?}");
    assert_eq!(
        (
            api.room("team-a").name.as_str(),
            api.room("team-c").members.len()
        ),
        ("Somebody else's", 1)
    );
}

#[test]
fn other_ways_to_be_stale() {
    for (work, why) in [
        (
            "delete",
            "`team-a` has changed since the plan was saved: the ledger knows the room, but the list lacks it",
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
        let (api, dir) = scene();
        let insert = |pipe: &str| {
            let room = roomform::sandbox::RoomView {
                pipe: pipe.to_owned(),
                name: "X".to_owned(),
                ..Default::default()
            };
            api.world(|world| world.insert_room(627, room, 9));
        };
        match work {
            "delete" => {
                let id = api.room("team-a").id;
                api.world(|world| world.delete_room(627, id, 9));
            }
            "make" => insert("team-c"),
            _ => insert("team-b"),
        }
        let ran = dir.run(&["apply", "plan.json"]);
        assert!(ran.code == 5 && ran.err.contains(why), "{ran:?}");
    }
}

#[test]
fn a_plan_that_came_half_way_goes_on() {
    let (api, dir) = scene();
    dir.run(&["apply", "--yes", "--only", "team-[ac]"]).ok();
    let before = api.stats().writes();
    let ran = dir.run(&["apply", "plan.json"]);
    assert!(
        ran.err.starts_with("2 rooms already up to date\n"),
        "{ran:?}"
    );
    assert_eq!((ran.code, api.stats().writes()), (0, before + 1), "{ran:?}");
    check_applied(&api);
}

#[test]
fn a_file_that_is_damaged_or_something_else_is_refused() {
    let (api, dir) = scene();
    let before = (api.stats().writes(), dir.read("plan.json"));
    let refused = |dir: &Dir, text: &str| -> Ran {
        dir.write("other.json", text);
        let ran = dir.run(&["apply", "other.json"]);
        assert_eq!((ran.code, api.stats().writes()), (5, before.0), "{ran:?}");
        ran
    };
    let damaged = refused(&dir, &before.1.replace("live_digest", "digest"));
    damaged
        .err
        .shows("`other.json`: the plan is damaged: missing field `live_digest`");
    refused(&dir, EDITED).err.shows("not a saved plan");
    refused(&dir, &before.1[..before.1.len() / 2])
        .err
        .shows("not a saved plan");
    refused(
        &dir,
        &before.1.replacen("\"format\": 1", "\"format\": 2", 1),
    )
    .err
    .shows("the plan has format 2");
    let elsewhere = Api::start(Config::default());
    let dir = dir.envs(&elsewhere.env());
    let foreign = dir.run(&["apply", "plan.json"]);
    assert!(
        foreign.code == 5
            && foreign
                .err
                .contains("wrong target: the plan is for widget 627 on http://127.0.0.1:"),
        "{foreign:?}"
    );
    let dir = dir.env("IMBACHAT_WIDGET", "209");
    dir.run(&["apply", "plan.json"]).exits(5);
    assert_eq!(elsewhere.stats().writes(), 0);
    dir.run(&["apply", "missing.json"]).exits(1);
    let endless = dir.run(&["apply", "/dev/zero"]);
    assert!(
        endless.code == 5 && endless.err.contains("not a regular file"),
        "{endless:?}"
    );
}

#[test]
fn what_guards_against_a_plan_has_to_be_allowed_again() {
    let api = Api::start(Config::default());
    let dir = Dir::with(BASE).envs(&api.env());
    dir.run(&["apply", "--yes"]).ok();
    let id = api.room("team-b").id;
    api.world(|world| world.delete_room(627, id, 9));
    dir.write(
        "rooms.yaml",
        BASE.replace("Team A,", "Team A, public: true,")
            .replace("widget: 627", "widget: 627\nlimits: {create: 0}"),
    );
    let flags = ["--allow-publish", "--allow-recreate", "--ignore-limits"];
    let ran = dir.run(&[&["plan", "-o", "plan.json"], &flags[..]].concat());
    ran.exits(0);
    assert_eq!(
        ran.err,
        "what was allowed is not saved: an `apply` of this plan needs --allow-publish --allow-recreate --ignore-limits again\n"
    );
    let before = api.stats().writes();
    for left_out in 0..flags.len() {
        let given: Vec<&str> = flags
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != left_out)
            .map(|(_, flag)| *flag)
            .collect();
        let ran = dir.run(&[&["apply", "plan.json"], &given[..]].concat());
        assert_eq!((ran.code, api.stats().writes()), (5, before), "{ran:?}");
        let said = ran.out + &ran.err;
        said.shows(flags[left_out]);
    }
    dir.run(&[&["apply", "plan.json"], &flags[..]].concat())
        .ok();
    assert!(api.room("team-a").is_public && api.room("team-b").id != id);
}

#[test]
fn equal_input_gives_equal_bytes_anywhere_and_no_secret() {
    let (api, dir) = scene();
    dir.write("rooms.yaml", EDITED);
    dir.run(&["plan", "--out", "again.json"]).ok();
    assert_eq!(dir.read("plan.json"), dir.read("again.json"));
    dir.read("plan.json").lacks("secret_key").lacks("admin");
    // Another machine: the manifest, the plan, the ledger and the credentials are enough.
    let elsewhere = Dir::with(EDITED).envs(&api.env());
    elsewhere.write("plan.json", dir.read("plan.json"));
    let (name, ledger) = dir
        .files()
        .into_iter()
        .find(|(path, _)| path.extension().is_some_and(|end| end == "jsonl"))
        .unwrap();
    elsewhere.write(
        &format!(".roomform/{}", name.file_name().unwrap().to_str().unwrap()),
        ledger,
    );
    elsewhere.run(&["apply", "plan.json"]).ok();
    check_applied(&api);
}

#[test]
fn a_changed_file_sends_nothing_that_the_manifest_does_not_ask_for() {
    let (_api, dir) = scene();
    let text = dir.read("plan.json");
    let desired = load_text("rooms.yaml", EDITED, Options::default()).desired;
    let (observed, recorded) = (Observed::default(), Recorded::default());
    let target = read_plan(&text).unwrap().target;
    let switches = Switches::default();
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
                prop_assert_eq!((&change.send, &change.action), (&asked.send, &asked.action));
                prop_assert!(change.members.sent().all(|user| asked.members.sent().any(|it| it == user)));
            }
        }
    });
}

/// What an attacker who can write the file, but not the manifest, tries.
#[test]
fn a_forged_plan_writes_nothing() {
    let (api, dir) = scene();
    let (writes, text) = (api.stats().writes(), dir.read("plan.json"));
    let forged = |edit: &dyn Fn(&mut Value)| {
        let mut plan: Value = serde_json::from_str(&text).unwrap();
        edit(&mut plan);
        dir.write("forged.json", plan.to_string());
        dir.run(&["apply", "forged.json"])
    };
    let title = forged(&|plan| plan["changes"][0]["send"]["title"] = "Team Omega".into());
    title.exits(5);
    title.err.shows(
        "`team-a` has changed since the plan was saved: the saved plan has a different title",
    );
    let public = forged(&|plan| plan["changes"][2]["send"]["public"] = true.into());
    public.exits(5);
    let ledger = forged(&|plan| plan["ledger"] = ".bash_profile".into());
    ledger.exits(5);
    ledger
        .err
        .shows("the plan was made with the ledger `.bash_profile`, this run uses `.roomform/");
    let bucket = forged(&|plan| plan["ledger"] = "s3://elsewhere/rooms.jsonl".into());
    bucket.exits(5);
    assert!(!dir.path(".bash_profile").exists());
    assert_eq!(api.stats().writes(), writes);
    // A room that the manifest does not declare refuses the plan; its name moves no cursor and starts no workflow command.
    let add_room = |plan: &mut Value| {
        let mut room = plan["changes"][2].clone();
        room["pipe"] = "\u{1b}[2J\n::error::x".into();
        plan["changes"].as_array_mut().unwrap().push(room);
    };
    let room = forged(&add_room);
    assert_eq!((room.code, api.stats().writes()), (5, writes), "{room:?}");
    assert!(
        room.err
            .starts_with("error: `\\u{1b}[2J\\u{a}::error::x` is not in the manifest\n"),
        "{room:?}"
    );
    // A member that it does not declare is left out.
    let member = forged(&|plan| plan["changes"][0]["members"]["new"] = vec![17, 666].into());
    member.exits(0);
    assert!(
        member
            .err
            .starts_with("`team-a`: 1 member no longer in the manifest, skipped: 666\n"),
        "{member:?}"
    );
    check_applied(&api);
}

#[test]
fn limits_are_judged_anew_whatever_the_file_says() {
    let api = Api::start(Config::default());
    let dir = Dir::with(BASE).envs(&api.env());
    dir.run(&["plan", "--out", "plan.json"]).ok();
    dir.write("rooms.yaml", format!("{BASE}limits: {{create: 0}}\n"));
    let mut plan: Value = serde_json::from_str(&dir.read("plan.json")).unwrap();
    plan["refusals"] = Value::Array(Vec::new());
    dir.write("plan.json", plan.to_string());
    let ran = dir.run(&["apply", "plan.json", "--report", "r.json"]);
    assert_eq!((ran.code, api.stats().writes()), (5, 0), "{ran:?}");
    ran.shows("refused:");
    let page = dir.run(&["apply", "plan.json", "--format", "markdown"]);
    page.shows("## Nothing was applied to ");
}

#[test]
fn a_page_about_a_stale_plan_says_that_nothing_was_applied() {
    let (api, dir) = scene();
    rename(&api, "team-a", "Somebody else's");
    let page = dir.run(&[
        "apply",
        "plan.json",
        "--format",
        "markdown",
        "--report",
        "r.json",
    ]);
    page.exits(5);
    page.shows("## Nothing was applied to ");
    let report: Value = serde_json::from_str(&dir.read("r.json")).unwrap();
    assert_eq!(report["applied"], false);
}

/// Two pull requests are merged; each has a plan of its own.
#[test]
fn plans_of_two_changes_apply_in_any_order() {
    let with = |rooms: &str| format!("{BASE}{rooms}");
    let (c, d) = (
        "  - {pipe: team-c, title: C, members: [5]}\n",
        "  - {pipe: team-d, title: D, members: [6]}\n",
    );
    for order in [["c.json", "d.json"], ["d.json", "c.json"]] {
        let api = Api::start(Config::default());
        let dir = Dir::with(BASE).envs(&api.env());
        dir.run(&["apply", "--yes"]).ok();
        for (file, rooms) in [("c.json", c), ("d.json", d)] {
            dir.write("rooms.yaml", with(rooms));
            dir.run(&["plan", "-o", file]).ok();
        }
        dir.write("rooms.yaml", with(&[c, d].concat()));
        let first = dir.run(&["apply", order[0]]);
        first.exits(0);
        assert!(
            first.err.starts_with(
                "not in the saved plan: 1 room, 1 member; make a new plan to apply them\n"
            ),
            "{first:?}"
        );
        dir.run(&["apply", order[1]]).ok();
        dir.run(&["plan", "--detailed-exitcode"]).ok();
    }
}

/// A saved plan for a few rooms must not record that all the others were looked at.
#[test]
fn a_saved_plan_of_a_part_does_not_lift_the_guard_against_mass_changes() {
    let rooms = |prefix: &str| -> String {
        (0..6)
            .map(|number| format!("  - {{pipe: {prefix}-{number}, title: T{number}}}\n"))
            .collect()
    };
    let api = Api::start(Config::default());
    let manifest = |prefix: &str| format!("version: 1\nwidget: 627\nrooms:\n{}", rooms(prefix));
    let dir = Dir::with(&manifest("old")).envs(&api.env());
    dir.run(&["apply", "--yes"]).ok();
    dir.write("rooms.yaml", manifest("new"));
    dir.run(&["plan", "--only", "new-0", "-o", "plan.json"])
        .ok();
    dir.run(&["apply", "plan.json"]).ok();
    let plan = dir.run(&["plan"]);
    plan.exits(5);
    plan.shows("left the manifest since the last apply");
}

#[test]
fn a_room_the_ledger_knows_is_not_made_again_by_the_same_plan() {
    let (api, dir) = scene();
    dir.run(&["apply", "plan.json"]).ok();
    let id = api.room("team-c").id;
    api.world(|world| world.delete_room(627, id, 9));
    let ran = dir.run(&["apply", "plan.json"]);
    assert!(
        ran.code == 5
            && ran.err.contains(
                "`team-c` has changed since the plan was saved: the ledger knows the room"
            ),
        "{ran:?}"
    );
    assert!(api.rooms().iter().all(|room| room.pipe != "team-c"));
}

#[test]
fn the_report_lists_every_room_of_the_plan() {
    let (api, dir) = scene();
    rename(&api, "team-a", "Somebody else's");
    dir.run(&[
        "apply",
        "plan.json",
        "--report",
        "r.json",
        "--failed",
        "f.csv",
    ]);
    let statuses = |dir: &Dir| -> Vec<String> {
        let report: Value = serde_json::from_str(&dir.read("r.json")).unwrap();
        report["rooms"]
            .as_array()
            .unwrap()
            .iter()
            .map(|room| room["status"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(statuses(&dir), ["stale", "not_started", "not_started"]);
    dir.run(&[
        "apply",
        "plan.json",
        "--apply-fresh",
        "--report",
        "r.json",
        "--failed",
        "f.csv",
    ]);
    assert_eq!(statuses(&dir), ["stale", "verified", "verified"]);
    assert_eq!(
        dir.read("f.csv"),
        "pipe,user,error,source,line\nteam-a,17,the room has changed on the server,rooms.yaml,4\n"
    );
    dir.run(&["apply", "plan.json", "--apply-fresh", "--report", "r.json"]);
    assert_eq!(statuses(&dir), ["stale", "already", "already"]);
}

#[test]
fn a_plan_is_refused_with_another_ledger() {
    let api = Api::start(Config::default());
    let dir = Dir::new().envs(&api.env());
    dir.write("teams/rooms.yaml", BASE);
    let manifest = ["-f", "teams/rooms.yaml"];
    dir.run(&[&["plan", "-o", "plan.json"], &manifest[..]].concat())
        .ok();
    let apply = [&["apply", "plan.json"], &manifest[..]].concat();
    let ran = dir.run(&[&apply[..], &["--ledger", "other.jsonl"]].concat());
    assert_eq!((ran.code, api.stats().writes()), (5, 0), "{ran:?}");
    assert!(
        ran.err.contains("this run uses `other.jsonl`") && !dir.path("other.jsonl").exists(),
        "{ran:?}"
    );
    dir.run(&apply).ok();
    assert!(dir.path("teams/.roomform").is_dir() && !dir.path(".roomform").exists());
}

#[test]
fn files_asked_for_are_tried_before_anything_is_sent_and_devices_are_written_to() {
    let (api, dir) = scene();
    let before = api.stats().writes();
    let ran = dir.run(&["apply", "plan.json", "--report", "nowhere/r.json"]);
    assert_eq!((ran.code, api.stats().writes()), (1, before));
    ran.err.shows("`nowhere/r.json` cannot be written");
    dir.write("kept.json", "");
    #[cfg(unix)]
    std::os::unix::fs::symlink("kept.json", dir.path("link.json")).unwrap();
    let ran = dir.run(&[
        "apply",
        "plan.json",
        "--report",
        "link.json",
        "--failed",
        "/dev/null",
    ]);
    ran.exits(0);
    assert!(
        dir.read("kept.json").contains("\"kind\": \"report\"")
            && dir.path("link.json").is_symlink()
    );
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
}

/// What the plan is for is told before credentials are missed, which would be those of something else.
#[test]
fn a_plan_for_something_else_is_told_without_any_credentials() {
    let dir = Dir::with(BASE);
    dir.run(&["plan", "--sandbox", "--out", "plan.json"]).ok();
    let ran = dir.run(&["apply", "plan.json"]);
    ran.exits(5);
    assert_eq!(
        ran.err,
        "error: wrong target: the plan is for widget 627 on the sandbox, this run is for widget 627 on https://api.imbachat.com\n  hint: apply it with --sandbox, or plan again without\n"
    );
    let (_api, dir) = scene();
    let dir = dir.env("IMBACHAT_SECRET_KEY", "");
    let ran = dir.run(&["apply", "plan.json", "--sandbox"]);
    ran.exits(5);
    ran.err
        .shows("hint: leave --sandbox out, or plan again with it");
    let dir = dir.env("IMBACHAT_API_URL", "https://api.example");
    let ran = dir.run(&["apply", "plan.json"]);
    ran.exits(5);
    ran.err
        .shows("this run is for widget 627 on https://api.example");
    ran.err
        .shows("hint: check --widget, --api-url and the IMBACHAT_ variables");
}
