//! Two plans: what moved since one of them was approved, in either form a plan has as a file.

use insta::assert_snapshot;
use roomform::sandbox::Config;

use crate::support::{Api, Dir};

const BASE: &str = "\
version: 1
widget: 627
rooms:
  - {pipe: team-a, title: Team A, members: [3, 4]}
  - {pipe: team-b, title: Team B, members: [3]}
  - {pipe: team-c, title: Team C, members: [3, 9]}
";

const APPROVED: &str = "\
version: 1
widget: 627
rooms:
  - {pipe: team-a, title: Team Alpha, members: [3, 4, 17, 18]}
  - {pipe: team-b, title: Team Bee, members: [3]}
  - {pipe: team-c, title: Team Sea, members: [3, 9]}
  - {pipe: new-d, title: New D, members: [5], welcome: {from: 5, text: \"Hello\\nto the new room\"}}
";

const NOW: &str = "\
version: 1
widget: 627
rooms:
  - {pipe: team-a, title: Team Alef, members: [3, 4, 18, 19]}
  - {pipe: team-b, title: Team Bee, public: true, members: [3]}
  - {pipe: team-c, title: Team C, members: [3]}
  - {pipe: new-d, title: New D, members: [5], welcome: {from: 5, text: \"Hello\\nto the new room\"}}
  - {pipe: new-e, title: New E, public: true, members: [6]}
";

/// The plans of both manifests against one sandbox, saved and as documents.
fn scene() -> (Api, Dir) {
    let api = Api::start(Config::default());
    let dir = Dir::with(BASE).envs(&api.env());
    dir.run(&["apply", "--yes"]).ok();
    for (name, manifest) in [("approved", APPROVED), ("now", NOW)] {
        dir.write("rooms.yaml", manifest);
        let saved = format!("{name}.plan");
        let document = dir.run(&["plan", "--format", "json", "--out", &saved]).out;
        dir.write(&format!("{name}.json"), document);
    }
    (api, dir)
}

#[test]
fn what_moved_dangerous_first() {
    let (_api, dir) = scene();
    let ran = dir.run(&["diff", "approved.plan", "now.plan"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_snapshot!(ran.out, @r#"
      ! new-e is new in the plan, new and public
          "New E", create conference, public, 1 member 6
      ! team-b changed, becomes public
          was title "Team B" → "Team Bee"
          now title "Team B" → "Team Bee", closed → public
      ~ team-a changed
          was title "Team A" → "Team Alpha", add 2 members 17, 18, 2 recorded
          now title "Team A" → "Team Alef", add 2 members 18, 19, 2 recorded
          members also 19
          members no longer 17
      - team-c is not in the plan any more
          was title "Team C" → "Team Sea"

      by hand
        team-c: take out also 9

    plans: 1 new, 2 changed, 1 gone, 2 of them dangerous; 1 as before
           approved.plan → now.plan
    "#);
    let detailed = dir.run(&["diff", "--detailed-exitcode", "approved.plan", "now.plan"]);
    assert_eq!(detailed.code, 2);
    let back = dir.run(&["diff", "now.plan", "approved.plan"]).ok();
    assert!(
        !back.contains("dangerous") && back.contains("- new-e is not in the plan any more"),
        "{back}"
    );
    let only = dir
        .run(&["diff", "--only", "team-a", "approved.plan", "now.plan"])
        .ok();
    assert!(only.contains("plans: 1 changed; 0 as before"), "{only}");
}

#[test]
fn both_forms_of_a_plan_say_the_same() {
    let (_api, dir) = scene();
    for name in ["approved", "now"] {
        let (saved, document) = (format!("{name}.plan"), format!("{name}.json"));
        for (old, new) in [
            (&saved, &document),
            (&document, &saved),
            (&document, &document),
        ] {
            let ran = dir.run(&["diff", "--detailed-exitcode", old, new]);
            assert_eq!(ran.code, 0, "{}", ran.all());
            assert!(ran.out.contains("nothing moved"), "{}", ran.out);
        }
    }
    let saved = dir.run(&["diff", "approved.plan", "now.plan"]).ok();
    let figures = |out: &str| out.split("       approved").next().unwrap().to_owned();
    for (old, new) in [("approved.json", "now.json"), ("approved.plan", "now.json")] {
        let mixed = dir.run(&["diff", old, new]).ok();
        assert_eq!(figures(&mixed), figures(&saved));
    }
}

#[test]
fn the_document_keeps_its_schema() {
    let (_api, dir) = scene();
    let ran = dir.run(&[
        "diff",
        "--format",
        "json",
        "--detailed-exitcode",
        "approved.json",
        "now.plan",
    ]);
    let document = ran.json();
    assert_eq!(
        (ran.code, document["kind"].as_str()),
        (2, Some("plan_diff"))
    );
    assert_eq!(document["rooms"][0]["pipe"], "new-e");
    assert_eq!(document["rooms"][0]["dangerous"], true);
    assert_eq!(document["by_hand"][0]["came"][0], 9);
    let path = format!(
        "{}/schema/plan-diff.schema.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let schema = std::fs::read_to_string(path).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    assert!(
        schema == dir.run(&["schema", "plan-diff"]).ok(),
        "bring schema/plan-diff.schema.json up to date: roomform schema plan-diff"
    );
}

#[test]
fn another_target_and_conflicts_are_told() {
    let (_api, dir) = scene();
    let document = dir.read("approved.json");
    let mut value: serde_json::Value = serde_json::from_str(&document).unwrap();
    value["target"]["widget"] = 628.into();
    value["conflicts"] = serde_json::json!([
        {"pipe": "twin", "file": "rooms.yaml", "line": 3, "kind": "several", "room_ids": [7, 8]}
    ]);
    value["a_field_of_a_later_version"] = true.into();
    dir.write("other.json", value.to_string());
    let out = dir.run(&["diff", "approved.json", "other.json"]).ok();
    assert!(
        out.contains("! the plans are for different targets: widget 627"),
        "{out}"
    );
    assert!(
        out.contains("twin: new: live rooms 7, 8 have this pipe"),
        "{out}"
    );
    let back = dir.run(&["diff", "other.json", "approved.json"]).ok();
    assert!(back.contains("twin: no longer: live rooms"), "{back}");
}

#[test]
fn what_is_no_pair_of_plans_is_refused() {
    let (_api, dir) = scene();
    let told = |old: &str, new: &str, more: &[&str]| {
        let ran = dir.run(&[&["diff", old, new], more].concat());
        assert_eq!(ran.out, "");
        (ran.code, ran.err)
    };
    let (code, mixed) = told("approved.plan", "rooms.yaml", &[]);
    assert_eq!(code, 64);
    assert!(
        mixed.contains("`approved.plan` is a plan and `rooms.yaml` is none"),
        "{mixed}"
    );
    assert_eq!(told("rooms.yaml", "now.json", &[]).0, 64);
    assert_eq!(told("/dev/null", "now.json", &[]).0, 64);
    assert_eq!(told("approved.plan", "now.plan", &["--unified"]).0, 64);
    let page = dir.run(&["diff", "approved.plan", "now.plan", "--format", "markdown"]);
    assert_eq!(page.code, 64);
    assert!(page.out.contains("as text or as JSON only"), "{}", page.out);
    dir.write("check.json", dir.run(&["check", "--format", "json"]).out);
    let (code, other) = told("check.json", "now.json", &[]);
    assert_eq!(code, 64);
    assert!(other.contains("no plan and no manifest"), "{other}");
    let changed = dir.read("now.plan").replace("Team Bee", "Team Bea");
    dir.write("changed.plan", changed);
    let (code, changed) = told("approved.plan", "changed.plan", &[]);
    assert_eq!(code, 1);
    assert!(
        changed.contains("it was changed after it was saved"),
        "{changed}"
    );
    for (from, to) in [
        ("\"format\": 1", "\"format\": 2"),
        ("\"action\": \"create\"", "\"action\": \"delete\""),
        ("\"type\": \"conference\"", "\"type\": \"party\""),
        ("\"changes\"", "\"changed\""),
    ] {
        let text = dir.read("now.json");
        assert!(text.contains(from));
        dir.write("odd.json", text.replace(from, to));
        assert_eq!(told("approved.json", "odd.json", &[]).0, 1, "{to}");
    }
}

#[test]
fn a_manifest_in_json_is_a_manifest() {
    let dir = Dir::new();
    dir.write(
        "a.json",
        r#"{"version": 1, "rooms": [{"pipe": "team-a", "title": "A"}]}"#,
    );
    dir.write("b.yaml", "{version: 1, rooms: [{pipe: team-a, title: B}]}");
    let out = dir.run(&["diff", "a.json", "b.yaml"]).ok();
    assert!(out.contains("diff: 1 to update"), "{out}");
}

#[test]
fn hostile_names_are_harmless() {
    let (_api, dir) = scene();
    let text = dir
        .read("now.json")
        .replace("New E", "\\u001b[31m\\u202eE")
        .replace("team-a", "team\\u001b\\u200b-a");
    dir.write("hostile.json", text);
    let all = dir.run(&["diff", "approved.json", "hostile.json"]).all();
    assert!(all.contains("is new in the plan"), "{all}");
    assert!(!all.contains(['\u{1b}', '\u{202e}', '\u{200b}']), "{all:?}");
}

#[test]
fn lines_that_moved_and_who_changed_a_field_are_no_move() {
    let (_api, dir) = scene();
    let mut plan: serde_json::Value = serde_json::from_str(&dir.read("now.json")).unwrap();
    let changes = plan["changes"].as_array_mut().unwrap();
    for change in changes {
        change["line"] = 99.into();
        for field in change["fields"].as_array_mut().unwrap() {
            field["changed"] = serde_json::json!(["outside"]);
        }
    }
    dir.write("other.json", plan.to_string());
    let ran = dir.run(&["diff", "--detailed-exitcode", "now.json", "other.json"]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    let without = dir
        .read("other.json")
        .replace("\"changed\":[\"outside\"],", "");
    assert!(!without.contains("outside\"]"));
    dir.write("older.json", without);
    dir.run(&["diff", "--detailed-exitcode", "now.json", "older.json"])
        .ok();
}
