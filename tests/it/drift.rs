//! Drift: what somebody else changed, told apart from what the manifest changed.

use insta::assert_snapshot;
use roomform::sandbox::{Config, Quirks};
use serde_json::{Value, json};

use crate::fault_matrix::{Fault, Proxy};
use crate::support::{Api, Dir, Shows};

/// Three rooms, with these titles of the first, and its publicity.
fn manifest(title: &str, public: bool) -> String {
    format!(
        "version: 1\nrooms:\n  - {{pipe: team-a, title: {title}, public: {public}}}\n  - {{pipe: team-b, title: Team B}}\n  - {{pipe: team-c, title: Team C}}\n"
    )
}

/// A server with three rooms that were applied, and the directory they were applied from.
fn applied(config: Config) -> (Api, Dir) {
    let api = Api::start(config);
    let dir = Dir::with(&manifest("Team A", false)).envs(&api.env());
    dir.run(&["apply", "--yes"]).ok();
    (api, dir)
}

/// Somebody else, who keeps another ledger, makes the rooms look like this.
fn somebody(api: &Api, manifest: &str) {
    let other = Dir::with(manifest).envs(&api.env());
    other.run(&["apply", "--yes", "--allow-publish"]).ok();
}

/// Field by field, what a plan says of who changed it.
fn changed(dir: &Dir, more: &[&str]) -> Value {
    let plan = dir
        .run(&[&["plan", "--format", "json"][..], more].concat())
        .json();
    let changes = plan["changes"].as_array().unwrap().iter();
    let fields = changes.flat_map(|change| change["fields"].as_array().unwrap());
    let lines = fields.map(|field| json!([field["field"], field["changed"]]));
    lines.collect()
}

#[test]
fn what_somebody_else_changed_is_told_apart_in_text_json_and_markdown() {
    let (api, dir) = applied(Config::default());
    // One closed room was opened, one renamed; a third is renamed in the manifest, and was renamed outside as well.
    let theirs = manifest("Team A", true)
        .replace("Team B", "Party")
        .replace("Team C", "C");
    somebody(&api, &theirs);
    dir.write(
        "rooms.yaml",
        manifest("Team A", false).replace("Team C", "Team Sea"),
    );
    let plan = dir.run(&["plan"]).ok();
    let plan = plan.replace(&api.env().swap_remove(0).1, "http://sandbox");
    assert_snapshot!(plan, @r#"
      # rooms.yaml:3
      ~ team-a               update
          public  public → closed (changed outside)
      # rooms.yaml:4
      ~ team-b               update
          title   "Party" → "Team B" (changed outside)
      # rooms.yaml:5
      ~ team-c               update
          title   "C" → "Team Sea" (changed outside, and in the manifest)

    plan: 3 to update (3 changed outside); 0 unchanged, 1 unmanaged
          5 requests: 1 to list, 3 to write, 1 to verify
          target: widget 627 on http://sandbox
          changed outside: since the last write on record, and by nobody this ledger knows of
    "#);
    assert_eq!(
        changed(&dir, &[]),
        json!([
            ["public", ["outside"]],
            ["title", ["outside"]],
            ["title", ["outside", "manifest"]]
        ])
    );
    let summary = &dir.run(&["plan", "--format", "json"]).json()["summary"];
    assert_eq!(summary["changed_outside"], 3);
    for format in ["markdown", "github"] {
        let page = dir.run(&["plan", "--format", format]).ok();
        assert_eq!(page.matches("(changed outside)").count(), 2, "{page}");
        assert_eq!(
            page.matches("(changed outside, and in the manifest)")
                .count(),
            1,
            "{page}"
        );
    }
    // A saved plan says the same when it is applied, and then nobody changed anything.
    dir.run(&["plan", "--out", "p.json"]).ok();
    let out = dir.run(&["apply", "p.json"]).ok();
    out.shows("public → closed (changed outside)");
    assert_eq!(changed(&dir, &[]), json!([]));
}

#[test]
fn what_the_manifest_changed_is_not_called_anybody_elses() {
    let (_api, dir) = applied(Config::default());
    dir.write("rooms.yaml", manifest("Team Anew", true));
    assert_eq!(
        changed(&dir, &[]),
        json!([["title", ["manifest"]], ["public", ["manifest"]]])
    );
    dir.run(&["plan"]).lacks("outside");
}

#[test]
fn a_room_that_becomes_public_again_says_who_closed_it() {
    let api = Api::start(Config::default());
    let dir = Dir::with(&manifest("Team A", true)).envs(&api.env());
    dir.run(&["apply", "--yes"]).ok();
    somebody(&api, &manifest("Team A", false));
    let ran = dir.run(&["plan"]);
    ran.exits(5);
    ran.shows("publish: closed → public (changed outside)\n");
}

#[test]
fn without_a_record_nothing_is_claimed() {
    let (api, dir) = applied(Config::default());
    somebody(&api, &manifest("Party", false));
    assert_eq!(changed(&dir, &[]), json!([["title", ["outside"]]]));
    assert_eq!(
        changed(&dir, &["--ledger", "none.jsonl"]),
        json!([["title", []]])
    );
    // Nor where the last run could not look at what it had sent.
    let kept: String = dir
        .files()
        .into_iter()
        .find(|(path, _)| path.extension().is_some_and(|end| end == "jsonl"))
        .map(|(_, bytes)| String::from_utf8(bytes).unwrap())
        .unwrap();
    let blind: Vec<&str> = kept
        .lines()
        .filter(|line| !line.contains("\"seen\""))
        .collect();
    assert_eq!(kept.lines().count(), blind.len() + 3);
    dir.write("blind.jsonl", blind.join("\n") + "\n");
    assert_eq!(
        changed(&dir, &["--ledger", "blind.jsonl"]),
        json!([["title", []]])
    );
}

#[test]
fn a_field_the_server_ignores_was_not_changed_outside() {
    let api = Api::start(Config::default());
    somebody(&api, &manifest("Old", false));
    api.world(|world| {
        world.set_quirks(Quirks {
            ignore_updates: true,
            ..Quirks::default()
        });
    });
    // The first run is told that it was ignored; the second cannot look, and knows no more than what it sent.
    for blind in [false, true] {
        let dir = Dir::with(&manifest("Team A", false)).envs(&api.env());
        let proxy = Proxy::start(&api.env().swap_remove(0).1, move |number, _| {
            (blind && number > 1).then_some(Fault::Answer("404 No", "", "{}"))
        });
        let dir = dir.env("IMBACHAT_API_URL", &proxy.url());
        let ran = dir.run(&["apply", "--yes"]);
        ran.exits(4);
        drop(proxy);
        let dir = dir.envs(&api.env());
        let ledger = dir.files().into_iter().map(|(path, _)| path);
        let ledger = ledger
            .into_iter()
            .find(|path| path.extension().is_some_and(|it| it == "jsonl"));
        let text = std::fs::read_to_string(ledger.unwrap()).unwrap();
        let origin = api.env().swap_remove(0).1;
        let (_, lines) = text.split_once('\n').unwrap();
        let header = json!({"roomform_ledger": 1, "origin": origin, "widget": 627});
        dir.write("l.jsonl", format!("{header}\n{lines}"));
        let more = ["--ledger", "l.jsonl", "--resend"];
        assert_eq!(changed(&dir, &more), json!([["title", []]]), "{blind}");
    }
}

/// A server whose list shows writes so many calls late.
fn late(api: &Api, lag: u32) {
    let quirks = Quirks {
        lag,
        ..Quirks::default()
    };
    api.world(|world| world.set_quirks(quirks));
}

/// A room that was closed, which the list shows so many calls late: too late for the run that closed it.
fn closed_late(lag: u32) -> (Api, Dir) {
    let api = Api::start(Config::default());
    somebody(&api, &manifest("Team A", true));
    late(&api, lag);
    let dir = Dir::with(&manifest("Team A", false)).envs(&api.env());
    let ran = dir.run(&["apply", "--yes"]);
    ran.exits(4);
    ran.shows("ignored by server: public");
    (api, dir)
}

/// The ledger's text.
fn ledger(dir: &Dir) -> String {
    let mut ledgers = dir.files();
    ledgers.retain(|(path, _)| path.extension().is_some_and(|end| end == "jsonl"));
    String::from_utf8(ledgers.pop().unwrap().1).unwrap()
}

#[test]
fn a_room_opened_again_after_a_list_that_lagged_is_drift() {
    let (api, dir) = closed_late(3);
    late(&api, 0);
    // The list shows what was sent: this apply sends nothing, and writes down that the record ended.
    let before = ledger(&dir);
    let writes = api.stats().writes();
    dir.run(&["apply", "--yes"]).ok();
    let after = ledger(&dir);
    assert_eq!(api.stats().writes(), writes);
    assert_eq!(after.lines().count(), before.lines().count() + 1, "{after}");
    dir.run(&["apply", "--yes"]).ok();
    assert_eq!(ledger(&dir), after);
    // Somebody opens the room again: the same values as on record, and drift all the same.
    somebody(&api, &manifest("Team A", true));
    let plan = dir.run(&["plan", "--detailed-exitcode"]);
    plan.exits(2);
    plan.lacks("ignored");
    assert_eq!(changed(&dir, &[]), json!([["public", ["outside"]]]));
    // Also when the ledger was compacted.
    dir.run(&["ledger", "compact"]).ok();
    assert_eq!(changed(&dir, &[]), json!([["public", ["outside"]]]));
    dir.run(&["apply", "--yes"]).ok();
    assert!(!api.room("team-a").is_public);
}

#[test]
fn the_list_read_after_other_writes_ends_the_record_as_well() {
    // The list of the second plan is the fourth, and still late; the one that is read after the write is not.
    let (api, dir) = closed_late(4);
    let renamed = |public| manifest("Team A", public).replace("Team B", "Team Bee");
    dir.write("rooms.yaml", renamed(false));
    let ran = dir.run(&["apply", "--yes"]);
    ran.shows("ignored by the server: sent again only");
    late(&api, 0);
    somebody(&api, &renamed(true));
    let fields = changed(&dir, &[]);
    assert_eq!(fields, json!([["public", ["outside"]]]));
}
