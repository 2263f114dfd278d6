//! `diff` of two files: the differences, the messages, and the exit code.

use insta::assert_snapshot;

use super::diff;
use crate::support::{Ran, Scene, Shows};

const BASE: &str = "\
version: 1
rooms:
  - {pipe: team-a, title: Team A, members: [3, 4, 5]}
  - {pipe: team-b, title: Team B, members: [3]}
  - {pipe: old, title: Old room, members: [3, 9]}
";

/// Compares the base with a copy that has one edit.
fn edited(from: &str, to: &str, args: &[&str]) -> Ran {
    BASE.shows(from);
    diff(BASE, &BASE.replace(from, to), args)
}

#[test]
fn differences_of_rooms_fields_and_people_are_listed() {
    let head = "\
version: 1
rooms:
  - {pipe: team-a, title: Team Alpha, public: true, members: [3, 4, 17, 18]}
  - {pipe: team-b, title: Team B, members: [3, 17]}
  - {pipe: new, title: New room, members: [3, 17]}
";
    let ran = diff(BASE, head, &[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_snapshot!(ran.out, @r#"
      would be refused: a plan of the second manifest would be refused unless allowed
        `team-a` would become public; allow it with --allow-publish PIPE or in `limits.publish`

      # head.yaml:3
      ! team-a               publish: closed → public, 3 declared members inside, 1 of them to remove
          title   "Team A" → "Team Alpha"
          members +2 (17, 18)   2 as before
      # head.yaml:5
      + new                  create  conference, closed, 2 members
          title   "New room"
          members 3, 17
      # head.yaml:4
      ~ team-b               add members
          members +1 (17)   1 as before

      manual steps: the API cannot remove members or rooms
        team-a "Team Alpha": remove 5
        old: the room left the manifest and stays as it is: "Old room", 2 members

    diff: 1 to create, 1 to update (1 becomes public), 1 gains members, 5 members to add, 1 room to remove manually; 0 unchanged
          people: 3 people join 3 rooms; 1 to remove from 1 room (manual)
          base.yaml → head.yaml: two manifests were compared; no server was read
    "#);
    diff(BASE, head, &["--detailed-exitcode"]).exits(2);
}

#[test]
fn equal_manifests_in_different_notations_do_not_differ() {
    let head = "\
version: 1
people: {head: 3}
groups: {some: [5, 4]}
rooms:
  - {pipe: old, title: Old room, members: [9, head]}
  - {pipe: team-b, title: Team B, members: [head]}
  - {pipe: team-a, title: Team A, members: [head, '@some']}
";
    let ran = diff(BASE, head, &["--detailed-exitcode"]);
    ran.exits(0);
    assert_snapshot!(ran.out, @"
    diff: no difference; 3 unchanged
          base.yaml → head.yaml: two manifests were compared; no server was read
    ");
}

#[test]
fn changes_that_cause_no_request_are_reported() {
    let base = "\
version: 1
widget: 627
scope: ['team-*']
limits: {create: 10, update: '20%'}
rooms:
  - {pipe: team-a, title: Team A, members: [3], members_policy: on_create, exclude: [21]}
  - {pipe: team-b, title: Team B, ignore: [title, public]}
  - {pipe: team-c, title: Team C, members: [3]}
";
    let head = "\
version: 1
widget: 628
limits: {create: 10, update: '12.5%', publish: [team-b, 'team-*']}
rooms:
  - {pipe: team-a, title: Team A, members: [3, 4, 5], members_policy: on_create, exclude: [22]}
  - {pipe: team-b, title: Team Bee, ignore: [title, type]}
  - {pipe: team-c, title: Team C, members: [3], members_policy: on_create}
";
    let ran = diff(base, head, &["--detailed-exitcode"]);
    // The manifests differ, although an apply would send nothing.
    ran.exits(2);
    assert_snapshot!(ran.out, @r#"
      guards
        widget: 627 → 628; the two manifests describe different rooms
        scope: `team-*` → all rooms
        limits.update: 20% → 12.5%
        limits.publish: none → `team-b`, `team-*`

      also differs
        team-a: 2 members not sent, because the room exists and its policy is `on_create`: 4, 5
        team-a: now excluded: 22
        team-a: no longer excluded: 21
        team-b: title "Team B" → "Team Bee" is not sent, because the field is in `ignore`
        team-b: type is now in `ignore`
        team-b: public is no longer in `ignore`: it is set to closed
        team-c: members_policy: ensure → on_create; members are sent only with a new room

    diff: nothing to send; 0 unchanged
          base.yaml → head.yaml: two manifests were compared; no server was read
    "#);
    let back = diff(head, base, &[]);
    assert_snapshot!(back.out, @r#"
      guards
        widget: 628 → 627; the two manifests describe different rooms
        scope: all rooms → `team-*`
        limits.update: 12.5% → 20%
        limits.publish: `team-b`, `team-*` → none

      manual steps: the API cannot remove members or rooms
        team-a "Team A": remove 4, 5

      also differs
        team-a: now excluded: 21
        team-a: no longer excluded: 22
        team-b: title "Team Bee" → "Team B" is not sent, because the field is in `ignore`
        team-b: type is no longer in `ignore`: it is set to conference
        team-b: public is now in `ignore`
        team-c: members_policy: on_create → ensure; members not on record are sent

    diff: nothing to send; 0 unchanged
          people: 2 people to remove from 1 room (manual)
          base.yaml → head.yaml: two manifests were compared; no server was read
    "#);
}

#[test]
fn limits_only_cause_warnings_in_a_diff() {
    let limits = "version: 1\nlimits: {create: 0, add_members: 1}";
    let head = "  - {pipe: new, title: New room, public: true, members: [3, 4]}\n";
    let ran = diff(
        BASE,
        &format!("{}{head}", BASE.replace("version: 1", limits)),
        &[],
    );
    ran.exits(0);
    let heading =
        "  would be refused: a plan of the second manifest would be refused unless allowed\n";
    let (_, guards) = ran.out.split_once(heading).unwrap();
    assert_snapshot!(guards, @r#"
        1 to create, but `limits.create` allows 0; allow it with --ignore-limits or `limits.create: 1`
        2 members to send, but `limits.add_members` allows 1; allow it with --ignore-limits or `limits.add_members: 2`

      guards
        limits.create: not set → 0
        limits.add_members: not set → 1

      # head.yaml:7
      ! new                  create  conference, public, 2 members
          title   "New room"
          members 3, 4

    diff: 1 to create (1 public), 2 members to add; 3 unchanged
          people: 2 people join 1 room
          base.yaml → head.yaml: two manifests were compared; no server was read
    "#);
    let published = edited("title: Team A", "title: Team A, public: true", &[]);
    published.shows("unless allowed\n    `team-a` would become public");
}

#[test]
fn a_room_that_becomes_public_says_whether_its_limit_is_new() {
    let limits = |entry: &str| format!("version: 1\nlimits: {{publish: [{entry}]}}");
    let publish = |base: &str, head: &str| {
        let base = BASE.replace("version: 1", &limits(base));
        let head = BASE
            .replace("version: 1", &limits(head))
            .replace("title: Team A", "title: Team A, public: true");
        let ran = diff(&base, &head, &[]);
        ran.exits(0);
        ran.lacks("would be refused");
        ran.out
    };
    assert_snapshot!(publish("team-b", "'team-*'"), @"
      guards
        limits.publish: `team-b` → `team-*`

      # head.yaml:4
      ! team-a               publish: closed → public, 3 declared members inside
          allowed by `team-*` in limits.publish, added in this change

    diff: 1 to update (1 becomes public); 2 unchanged
          base.yaml → head.yaml: two manifests were compared; no server was read
    ");
    // A permission that is only written differently is not new.
    publish("team-a", "'team-*'").shows("allowed by `team-*` in limits.publish\n");
}

#[test]
fn a_changed_pipe_looks_like_a_rename_and_a_changed_prefix_like_a_mass_change() {
    let ran = diff(BASE, &BASE.replace("pipe: ", "pipe: neu-"), &[]);
    let (_, guards) = ran.out.split_once("unless allowed\n").unwrap();
    assert_snapshot!(guards, @r#"
        3 of 3 rooms left the manifest while 3 would be created: was a prefix changed? if a new term replaces the old one, allow the change once with --ignore-limits

      # head.yaml:5
      + neu-old              create  conference, closed, 2 members
          title   "Old room"
          members 3, 9
      # head.yaml:3
      + neu-team-a           create  conference, closed, 3 members
          title   "Team A"
          members 3, 4, 5
      # head.yaml:4
      + neu-team-b           create  conference, closed, 1 member
          title   "Team B"
          members 3

      manual steps: the API cannot remove members or rooms
        old: the room left the manifest and stays as it is: "Old room", 2 members
        team-a: the room left the manifest and stays as it is: "Team A", 3 members
        team-b: the room left the manifest and stays as it is: "Team B", 1 member

      notes
        3 likely renames: `neu-old` has the title of `old`, `neu-team-a` has the title of `team-a`, `neu-team-b` has the title of `team-b`; a pipe is an identity, so new rooms are created and the old ones stay as they are

    diff: 3 to create, 6 members to add, 3 rooms to remove manually; 0 unchanged
          people: 4 people join 3 rooms
          base.yaml → head.yaml: two manifests were compared; no server was read
    "#);
}

#[test]
fn only_limits_the_diff_to_some_rooms() {
    let head = BASE
        .replace("pipe: old", "pipe: new")
        .replace("Team", "Room");
    let ran = diff(BASE, &head, &["--only", "team-a"]);
    assert_snapshot!(ran.out, @r#"
      # head.yaml:3
      ~ team-a               update
          title   "Team A" → "Room A"

      notes
        --only leaves out 2 declared rooms

    diff: 1 to update; 0 unchanged
          base.yaml → head.yaml: two manifests were compared; no server was read
    "#);
    let gone = diff(BASE, &head, &["--only", "old"]).ok();
    gone.shows("old: the room left the manifest");
    let none = diff(BASE, &head, &["--only", "nothing-*"]);
    none.exits(64);
    none.err
        .shows("no room of either manifest matches `nothing-*`");
}

#[test]
fn errors_of_both_manifests_are_reported_at_once() {
    let (base, head) = (BASE.replace("title", "titel"), BASE.replace("pipe", "pip"));
    let ran = diff(&base, &head, &[]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""));
    ran.err.shows("base.yaml:3").shows("head.yaml:3");
    let json = diff(&base, &head, &["--format", "json"]);
    let files: Vec<String> = json.json()["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mistake| mistake["file"].as_str().unwrap().to_owned())
        .collect();
    json.exits(3);
    assert!(
        files.contains(&"base.yaml".to_owned()) && files.contains(&"head.yaml".to_owned()),
        "{files:?}"
    );
}

#[test]
fn an_empty_base_is_allowed_and_an_empty_head_needs_a_flag() {
    let empty = "version: 1\nrooms: []\n";
    let first = diff(empty, BASE, &[]).ok();
    first.shows("diff: 3 to create, 6 members to add; 0 unchanged");
    diff(BASE, empty, &[]).exits(3);
    let last = diff(BASE, empty, &["--allow-empty"]).ok();
    last.shows("diff: 3 rooms to remove manually; 0 unchanged");
}

#[test]
fn wrong_arguments_are_usage_errors() {
    let scene = Scene::new().manifest(BASE);
    let file = scene.run("diff -f rooms.yaml rooms.yaml rooms.yaml");
    file.exits(64);
    let missing = scene.run("diff rooms.yaml nosuch.yaml");
    missing.exits(3);
    missing.err.shows("`nosuch.yaml`: no such file");
}

#[test]
fn diff_reads_no_credentials() {
    let scene = Scene::new()
        .manifest(BASE)
        .env("IMBACHAT_SECRET_KEY_FILE", "/nosuch")
        .env("IMBACHAT_WIDGET", "no number");
    let before = scene.files();
    scene.run("diff rooms.yaml rooms.yaml").ok();
    assert_eq!(scene.files(), before, "nothing is written");
}

#[test]
fn the_document_matches_its_schema_and_has_no_placeholder_ids() {
    let head = BASE
        .replace("3, 4, 5]", "3, 4, 17], exclude: [5]")
        .replace("pipe: old", "pipe: new")
        .replace(
            "version: 1",
            "version: 1\nlimits: {publish: [team-a], create: '10%'}",
        );
    let ran = diff(BASE, &head, &["--format", "json", "--detailed-exitcode"]);
    let document = ran.json();
    assert_eq!((ran.code, document["exit"].as_u64()), (2, Some(2)));
    assert_eq!(document["people"]["join"], 3);
    assert_eq!(document["manual_steps"][0]["members"][0], 5);
    assert_eq!(document["removed"][0]["pipe"], "old");
    assert_eq!(document["differences"][0]["after"], "10%");
    ran.lacks("room_id");
    Scene::new().fits_schema("diff", &document);
}

#[test]
fn hostile_names_are_harmless() {
    let head = BASE.replace("title: Team A", "title: \"\\e[31m\\u202e\\u200bx\"");
    let scene = Scene::new();
    scene.write("base.yaml", BASE);
    scene.write("h\u{1b}[31m.yaml", head);
    let ran = scene.run(["diff", "base.yaml", "h\u{1b}[31m.yaml"]);
    let all = ran.all();
    assert_eq!(
        ran.code, 3,
        "a title with control characters is a mistake: {all}"
    );
    assert!(
        !all.contains('\u{1b}') && !all.contains('\u{202e}'),
        "{all:?}"
    );
    scene.write("h\u{1b}[31m.yaml", BASE.replace("Team A", "Team \u{202e}B"));
    let ran = scene.run(["diff", "base.yaml", "h\u{1b}[31m.yaml"]);
    let all = ran.all();
    assert_eq!(ran.code, 0, "{all}");
    assert!(
        !all.contains('\u{1b}') && !all.contains('\u{202e}'),
        "{all:?}"
    );
}
