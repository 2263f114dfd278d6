//! The text of plans: each test changes one thing and checks the text.

use insta::assert_snapshot;
use roomform::sandbox::{Quirks, Room};

use crate::support::{Scene, Shows, ignoring_updates, live_room};

const BASE: &str = "\
version: 1
widget: 627
rooms:
  - {pipe: team-a, title: Team A, members: [3, 4]}
  - {pipe: team-b, title: Team B, members: [3]}
";

#[test]
fn an_unchanged_manifest_has_nothing_to_do() {
    let scene = Scene::new().manifest(BASE).applied();
    assert_snapshot!(scene.run("plan --detailed-exitcode").ok().replace(&scene.url(), "URL"), @"
    plan: nothing to do; 2 unchanged, 1 unmanaged
          1 request: 1 to list
          target: widget 627 on URL
    ");
}

#[test]
fn a_new_room_is_created() {
    let scene = Scene::new().manifest(BASE).applied();
    let room =
        "rooms:\n  - {pipe: course-rust-101, title: \"Rust 101 · autumn\", members: [5, 4]}\n";
    let plan = scene.edit("rooms:\n", room).plan();
    assert_snapshot!(plan.out.replace(&scene.url(), "URL"), @r#"
      # rooms.yaml:4
      + course-rust-101      create  conference, closed, 2 members
          title   "Rust 101 · autumn"
          members 4, 5

    plan: 1 to create, 2 members to add; 2 unchanged, 1 unmanaged
          3 requests: 1 to list, 1 to write, 1 to verify
          target: widget 627 on URL
    "#);
    plan.exits(0);
    scene.run("plan --detailed-exitcode").exits(2);
}

#[test]
fn changes_of_title_type_and_members_are_shown() {
    let scene = Scene::new().manifest(BASE).applied();
    let changed = "title: Team Alpha, type: support, members: [3, 4, 17, 18]";
    let plan = scene.edit("title: Team A, members: [3, 4]", changed).plan();
    assert_snapshot!(plan.out.replace(&scene.url(), "URL"), @r#"
      # rooms.yaml:4
      ~ team-a               update
          title   "Team A" → "Team Alpha"
          type    conference → support
          members +2 (17, 18)   2 known

    plan: 1 to update, 2 members to add; 1 unchanged, 1 unmanaged
          3 requests: 1 to list, 1 to write, 1 to verify
          target: widget 627 on URL
          known: confirmed by the server in an earlier run; the API does not list members
    "#);
    plan.exits(0);
    scene.run("plan --detailed-exitcode").exits(2);
}

#[test]
fn a_room_that_only_gains_members_is_shown_briefly() {
    let scene = Scene::new().manifest(BASE).applied();
    let plan = scene.edit("[3]", "[3, 17]").plan();
    assert_snapshot!(plan.out.replace(&scene.url(), "URL"), @"
      # rooms.yaml:5
      ~ team-b               add members
          members +1 (17)   1 known

    plan: 1 gains members, 1 member to add; 1 unchanged, 1 unmanaged
          3 requests: 1 to list, 1 to write, 1 to verify
          target: widget 627 on URL
          known: confirmed by the server in an earlier run; the API does not list members
    ");
}

#[test]
fn a_room_that_would_become_public_is_refused_unless_allowed() {
    let scene = Scene::new().manifest(BASE).applied();
    let plan = scene
        .edit("title: Team B", "title: Team B, public: true")
        .plan();
    assert_snapshot!(plan.out.replace(&scene.url(), "URL"), @"
      # rooms.yaml:5
      ! team-b               publish: closed → public, 1 known member inside

    plan: 1 to update (1 becomes public); 1 unchanged, 1 unmanaged
          3 requests: 1 to list, 1 to write, 1 to verify
          target: widget 627 on URL
          known: confirmed by the server in an earlier run; the API does not list members
    refused: `team-b` would become public; allow it with --allow-publish PIPE or in `limits.publish`
    ");
    // The exit code for a refusal takes precedence over the one for pending changes.
    plan.exits(5);
    scene.run("plan --detailed-exitcode").exits(5);
    let writes = scene.writes();
    scene.apply().exits(5);
    // --ignore-limits does not allow a room to become public.
    scene.run("apply --yes --ignore-limits").exits(5);
    assert_eq!(
        (scene.writes(), scene.room("team-b").is_public),
        (writes, false)
    );
    let plan = scene
        .edit("version: 1", "version: 1\nlimits: {publish: [team-b]}")
        .plan();
    // `limits.publish` now lists the room.
    plan.exits(0);
    scene.run("plan --detailed-exitcode").exits(2);
    scene.apply().exits(0);
    assert!(scene.room("team-b").is_public);
    let plan = scene.edit("public: true", "public: false").plan();
    assert_snapshot!(plan.out.lines().nth(2).unwrap_or_default(), @"      public  public → closed");
}

/// A manifest with these limits and two rooms that would become public. The pipe of one room,
/// if read as a glob, would match the other pipe.
fn two_to_publish(limits: &str) -> Scene {
    let rooms = |public: &str| {
        let a = format!("  - {{pipe: team-a, title: A, public: {public}}}\n");
        format!("rooms:\n{a}  - {{pipe: 'team-[a]', title: B, public: {public}}}\n")
    };
    let scene = Scene::new()
        .manifest(format!("version: 1\n{}", rooms("false")))
        .applied();
    scene.declare(format!("version: 1\nlimits: {limits}\n{}", rooms("true")));
    scene
}

#[test]
fn a_room_that_becomes_public_names_the_entry_or_flag_that_allows_it() {
    // An entry that is a declared pipe is not treated as a glob.
    let scene = two_to_publish("{publish: ['team-[a]']}");
    let plan = scene.plan();
    plan.exits(5);
    assert_snapshot!(plan.out.replace(&scene.url(), "URL"), @"
      # rooms.yaml:5
      ! team-[a]             publish: closed → public, 0 known members inside
          allowed by `team-[a]` in limits.publish
      # rooms.yaml:4
      ! team-a               publish: closed → public, 0 known members inside

    plan: 2 to update (2 become public); 0 unchanged, 1 unmanaged
          4 requests: 1 to list, 2 to write, 1 to verify
          target: widget 627 on URL
    refused: `team-a` would become public; allow it with --allow-publish PIPE or in `limits.publish`
    ");
    let flag = "--allow-publish team-a";
    let plan = scene.run(format!("plan {flag} -o plan.json"));
    plan.exits(0);
    plan.shows("allowed by --allow-publish\n");
    plan.err
        .shows("`apply` needs them again: --allow-publish team-a\n");
    let json = scene.run(format!("plan {flag} --format json")).json();
    assert_eq!(
        json["changes"][1]["publish"],
        serde_json::json!({"known_members_inside": 0, "allowed_by": "--allow-publish"})
    );
    assert_eq!(
        json["changes"][0]["publish"],
        serde_json::json!({
            "known_members_inside": 0, "allowed_by": "limits.publish", "entry": "team-[a]"
        })
    );
    scene.fits_schema("plan", &json);
    scene.run("apply plan.json").exits(5);
    scene.run(format!("apply plan.json {flag}")).ok();
    assert!(scene.room("team-a").is_public && scene.room("team-[a]").is_public);
    // If an entry is the pipe itself, the plan names that entry, even if an earlier glob also
    // matches.
    two_to_publish("{publish: ['team-*', team-a]}")
        .plan()
        .shows("allowed by `team-a` in limits.publish\n")
        .shows("allowed by `team-*` in limits.publish\n");
}

#[test]
fn a_room_that_becomes_public_shows_its_known_members() {
    let scene = Scene::new().manifest(BASE).applied();
    // A member who left the manifest is still inside.
    let plan = scene
        .edit(
            "title: Team A, members: [3, 4]",
            "title: Team A, public: true, members: [3, 5]",
        )
        .plan();
    plan.shows("publish: closed → public, 2 known members inside, 1 of them to remove\n");
    let live = Room {
        kind: 1,
        ..live_room("unknown", "Unknown")
    };
    scene.insert(live);
    scene.declare("version: 1\nrooms: [{pipe: unknown, title: Unknown, public: true}]\n");
    scene
        .plan()
        .shows("closed → public, members inside unknown\n");
}

#[test]
fn allow_publish_needs_a_declared_pipe() {
    let scene = two_to_publish("{}");
    let refused = scene.run("plan --allow-publish team-b");
    refused.exits(64);
    assert_snapshot!(refused.err, @"
    warning[W101 unusual-pipe]: `team-[a]` should be 3 to 64 characters long, and use only A-Z, a-z, 0-9, _ and -
     --> rooms.yaml:5:12
      |
    5 |   - {pipe: 'team-[a]', title: B, public: true}
      |            ^^^^^^^^^^
      |
      = help: consider another pipe: the realtime layer may not accept this one as a channel name

    1 warning
    error: --allow-publish: `team-b` is not a declared pipe
      hint: did you mean `team-a`?
    ");
    scene.run("apply --yes --allow-publish team-*").exits(64);
    // In an earlier version, the flag took no value.
    let refused = scene.run("apply --allow-publish plan.json");
    refused.exits(64);
    assert_snapshot!(refused.err, @"
    warning[W101 unusual-pipe]: `team-[a]` should be 3 to 64 characters long, and use only A-Z, a-z, 0-9, _ and -
     --> rooms.yaml:5:12
      |
    5 |   - {pipe: 'team-[a]', title: B, public: true}
      |            ^^^^^^^^^^
      |
      = help: consider another pipe: the realtime layer may not accept this one as a channel name

    1 warning
    error: --allow-publish: `plan.json` is not a declared pipe
      hint: write the pipe of one room, and repeat the flag for others
    ");
    scene.run("plan --allow-publish --yes").exits(64);
    scene
        .run("apply --yes --allow-publish team-a --allow-publish team-[a]")
        .ok();
}

#[test]
fn a_publish_entry_whose_rooms_are_already_public_is_noted() {
    let scene = two_to_publish("{publish: ['team-*', team-a]}");
    scene.plan().lacks("public already");
    scene.apply().ok();
    let plan = scene.plan();
    plan.exits(0);
    assert_snapshot!(plan.out.replace(&scene.url(), "URL"), @"
      notes
        entries of `limits.publish` that are no longer needed, because the rooms are already public: `team-*`, `team-a`

    plan: nothing to do; 2 unchanged, 1 unmanaged
          1 request: 1 to list
          target: widget 627 on URL
    ");
    let json = scene.run("plan --format json").json();
    assert_eq!(
        json["notes"],
        serde_json::json!([{"note": "already_public", "entries": ["team-*", "team-a"]}])
    );
    // The entry is not noted if its room is about to be closed.
    scene.edit("title: A, public: true", "title: A, public: false");
    scene.plan().shows("already public: `team-*`\n");
}

#[test]
fn a_new_public_room_needs_attention_but_no_permission() {
    let scene = Scene::new().manifest(BASE).applied();
    let rooms =
        "rooms:\n  - {pipe: a-lounge, title: Lounge, public: true}\n  - {pipe: z-room, title: Z}\n";
    let plan = scene.edit("rooms:\n", rooms).plan();
    assert_snapshot!(plan.out.replace(&scene.url(), "URL"), @r#"
      # rooms.yaml:4
      ! a-lounge             create  conference, public, 0 members
          title   "Lounge"
      # rooms.yaml:5
      + z-room               create  conference, closed, 0 members
          title   "Z"

    plan: 2 to create (1 public); 2 unchanged, 1 unmanaged
          4 requests: 1 to list, 2 to write, 1 to verify
          target: widget 627 on URL
    "#);
    plan.exits(0);
}

#[test]
fn removed_members_are_manual_steps_and_sent_again_if_declared_again() {
    let scene = Scene::new().manifest(BASE).applied();
    let plan = scene.edit("[3, 4]", "[3]").plan();
    assert_snapshot!(plan.out.replace(&scene.url(), "URL"), @r#"
      manual steps: the API cannot remove members or rooms
        team-a "Team A": remove 4 from room 2

    plan: nothing to do; 2 unchanged, 1 unmanaged
          1 request: 1 to list
          target: widget 627 on URL
          known: confirmed by the server in an earlier run; the API does not list members
    "#);
    // A plan with only manual steps has nothing to apply.
    plan.exits(0);
    scene.run("plan --detailed-exitcode").exits(0);
    let writes = scene.writes();
    scene.apply().ok();
    assert_eq!(scene.writes(), writes);
    // The ledger now records that the member left; removing them is still a manual step.
    scene
        .plan()
        .ok()
        .shows("remove 4 from room 2: no longer in the manifest; open since today");
    scene
        .edit("Team A, members: [3]", "Team A, members: [3, 4]")
        .plan()
        .shows("members +1 (4)   1 known");
    scene.run("plan --detailed-exitcode").exits(2);
}

#[test]
fn an_excluded_member_is_never_sent_but_becomes_a_manual_step_if_recorded() {
    let scene = Scene::new().manifest(BASE).applied();
    let changed = "members: [3, 4, 17, 18], exclude: [4, 18]";
    let plan = scene.edit("members: [3, 4]", changed).plan();
    plan.shows("members +1 (17)   1 known");
    plan.shows("team-a \"Team A\": remove 4 from room 2");
    // The users are still in `members`: no format may say that they left the manifest.
    for format in ["text", "markdown", "github", "html"] {
        let output = scene.run(["plan", "--format", format]).ok();
        for wrong in ["not in the manifest", "no longer declared"] {
            assert!(!output.contains(wrong), "{format}: {output}");
        }
    }
    scene.apply().ok();
    assert_eq!(scene.room("team-a").members, [3, 4, 17].into());
}

#[test]
fn a_room_that_left_the_manifest_is_a_manual_step() {
    let scene = Scene::new().manifest(BASE).applied();
    let plan = scene
        .edit("  - {pipe: team-b, title: Team B, members: [3]}\n", "")
        .plan();
    assert_snapshot!(plan.out.replace(&scene.url(), "URL"), @"
      manual steps: the API cannot remove members or rooms
        1 room on record but no longer declared: `team-b`; delete or keep each in ImbaChat, then run `roomform ledger forget PIPE`

    plan: nothing to do; 1 unchanged, 2 unmanaged
          1 request: 1 to list
          target: widget 627 on URL
    ");
    plan.exits(0);
    scene.run("plan --detailed-exitcode").exits(0);
}

#[test]
fn without_a_ledger_members_are_sent_again_unless_assumed() {
    let scene = Scene::new().manifest(BASE).applied();
    std::fs::remove_dir_all(scene.path(".roomform")).unwrap();
    let ran = scene.run("plan --detailed-exitcode");
    assert_snapshot!(ran.out.replace(&scene.url(), "URL"), @"
      # rooms.yaml:4
      ~ team-a               send members again
          members unknown: 2 sent again (3, 4)   none known
      # rooms.yaml:5
      ~ team-b               send members again
          members unknown: 1 sent again (3)   none known

    plan: 3 members of 2 rooms to send again (membership unknown); 0 unchanged, 1 unmanaged
          4 requests: 1 to list, 2 to write, 1 to verify
          target: widget 627 on URL
          unknown: the ledger does not record these members; sending them also re-adds people who were removed in ImbaChat
    ");
    ran.exits(2);
    let assumed = scene.run("plan --detailed-exitcode --assume-members").ok();
    assert_snapshot!(assumed.replace(&scene.url(), "URL"), @"
      notes
        --assume-members: 3 memberships of 2 rooms assumed to be present, although the ledger does not record them; nothing is sent for them

    plan: nothing to do; 2 unchanged, 1 unmanaged
          1 request: 1 to list
          target: widget 627 on URL
    ");
    let writes = scene.writes();
    scene.run("apply --yes --assume-members").ok();
    assert_eq!(
        scene.writes(),
        writes,
        "nothing is sent for assumed members"
    );
    scene.apply().ok();
    assert_eq!(scene.writes(), writes + 2);
    scene.run("plan --detailed-exitcode").ok();
}

#[test]
fn two_live_rooms_with_one_pipe_are_a_conflict() {
    let scene = Scene::new().manifest(BASE).applied();
    scene.insert(live_room("team-a", "Twin"));
    let ran = scene.run("plan --detailed-exitcode");
    assert_snapshot!(ran.out.replace(&scene.url(), "URL"), @"
      conflicts: nothing is written to these rooms
        team-a (rooms.yaml:4): live rooms 2, 4 have this pipe; delete or rename all but one in ImbaChat

    plan: 1 conflict; 1 unchanged, 1 unmanaged
          1 request: 1 to list
          target: widget 627 on URL
    ");
    assert_eq!((ran.code, scene.plan().code, scene.apply().code), (2, 0, 4));
}

#[test]
fn a_recorded_room_missing_from_the_list_is_recreated_only_with_a_flag() {
    let scene = Scene::new().manifest(BASE).applied();
    scene.delete("team-a");
    let ran = scene.apply();
    ran.exits(4);
    assert_snapshot!(ran.out.replace(&scene.url(), "URL"), @"
      conflicts: nothing is written to these rooms
        team-a (rooms.yaml:4): the ledger records room 2, but the list does not show it: it was deleted, or the list is truncated; --allow-recreate creates a new room

    plan: 1 conflict; 1 unchanged, 1 unmanaged
          1 request: 1 to list
          target: widget 627 on URL
    ");
    assert_eq!(scene.rooms().len(), 1);
    scene.run("apply --yes --allow-recreate").ok();
    assert_eq!(
        scene.room("team-a").members,
        [3, 4].into(),
        "a recreated room gets all its members"
    );
    scene.run("plan --detailed-exitcode").ok();
}

/// A recreated room looks like a new one, but lacks the old room's members: the plan lists it with the dangerous changes.
#[test]
fn a_recreated_room_needs_attention_and_is_counted() {
    let scene = Scene::new().manifest(BASE).applied();
    scene.delete("team-a");
    let rooms = "rooms:\n  - {pipe: z-room, title: Z}\n";
    let plan = scene.edit("rooms:\n", rooms).run("plan --allow-recreate");
    assert_snapshot!(plan.out.replace(&scene.url(), "URL"), @r#"
      # rooms.yaml:5
      ! team-a               recreated  conference, closed, 2 members
          title   "Team A"
          members 3, 4
      # rooms.yaml:4
      + z-room               create  conference, closed, 0 members
          title   "Z"

    plan: 2 to create (1 recreated), 2 members to add; 1 unchanged, 1 unmanaged
          4 requests: 1 to list, 2 to write, 1 to verify
          target: widget 627 on URL
          recreated: the old room was deleted or is missing; people who were in it are not in the new one
    "#);
    plan.exits(0);
    let page = scene.run("plan --allow-recreate --format html").ok();
    page.shows("2 to create (1 recreated)");
    let ran = scene.run("apply --yes --allow-recreate --parallelism 1");
    ran.begins(&plan.out);
    let line = ran.out.lines().find(|line| line.contains("  ok team-a"));
    assert_snapshot!(line.unwrap_or_default(), @"  ok team-a               verified     recreated as room 4, 2 members confirmed");
}

#[test]
fn a_recreated_public_room_is_reported_as_both() {
    let scene = Scene::new().manifest(BASE).applied();
    scene.delete("team-b");
    let public = "title: Team B, public: true";
    let plan = scene
        .edit("title: Team B", public)
        .run("plan --allow-recreate");
    plan.shows("! team-b               recreated  conference, public, 1 member\n");
    plan.shows("plan: 1 to create (1 public, 1 recreated), ");
    let page = scene.run("plan --allow-recreate --format markdown").ok();
    page.shows("### Needs attention: 1\n\n- **recreated and public:** ");
}

#[test]
fn a_pipe_with_only_a_deleted_room_is_a_conflict() {
    let scene = Scene::new()
        .manifest(BASE)
        .sandbox_with_quirks(Quirks {
            show_deleted: true,
            ..Quirks::default()
        })
        .applied();
    scene.delete("team-b");
    let ran = scene.run("plan --detailed-exitcode");
    ran.exits(2);
    let line = ran.out.lines().nth(1).unwrap_or_default();
    assert_snapshot!(line, @"    team-b (rooms.yaml:5): only deleted rooms have this pipe (id 3); --allow-recreate creates a new room");
}

#[test]
fn an_ignored_field_is_only_a_note() {
    let scene = Scene::new()
        .manifest(BASE)
        .sandbox_with(ignoring_updates())
        .applied();
    scene.edit("Team A", "Team Alpha");
    let ran = scene.apply_without_patience();
    ran.exits(4);
    let line = ran
        .out
        .lines()
        .find(|line| line.contains("pending"))
        .unwrap_or_default();
    assert_snapshot!(line, @r#"  ?? team-a               pending      title sent as "Team Alpha", shown as "Team A""#);
    scene.age_ledgers(120);
    assert_snapshot!(scene.run("plan --detailed-exitcode").ok().replace(&scene.url(), "URL"), @r#"
      ignored by the server: sent again only with --resend-ignored
        team-a: title was sent as "Team Alpha", the server shows "Team A"

    plan: nothing to do; 2 unchanged, 1 unmanaged
          1 request: 1 to list
          target: widget 627 on URL
    "#);
    let writes = scene.writes();
    scene.apply().ok();
    assert_eq!(scene.writes(), writes, "it converges even then");
    scene
        .run("plan --detailed-exitcode --resend-ignored")
        .exits(2);
    scene.edit("Team Alpha", "Team Omega");
    // A value that differs from the ignored one is sent.
    scene.run("plan --detailed-exitcode").exits(2);
}

#[test]
fn a_refusal_shows_the_limit_the_figure_and_the_flag() {
    let limits = "\nlimits: {create: 1, add_members: \"50%\"}";
    let scene = Scene::new()
        .manifest(BASE.replace("widget: 627", &format!("widget: 627{limits}")))
        .sandbox();
    let ran = scene.apply();
    let refused: Vec<&str> = ran
        .out
        .lines()
        .filter(|line| line.starts_with("refused"))
        .collect();
    assert_snapshot!(refused.join("\n"), @r"
    refused: 2 to create, but `limits.create` allows 1; allow it with --ignore-limits or `limits.create: 2`
    refused: 3 members to send, but `limits.add_members` allows 1 (50%); allow it with --ignore-limits or `limits.add_members: 3`
    ");
    assert_eq!((ran.code, scene.writes()), (5, 0));
    scene.run("apply --yes --ignore-limits").ok();
    scene
        .edit("create: 1", "update: \"49.99%\"")
        .plan()
        .exits(0)
        .shows("nothing to do");
    let plan = scene.edit("Team A", "Team Alpha").plan();
    // Limits apply to manifests of any size.
    plan.exits(5)
        .shows("refused: 1 to update, but `limits.update` allows 0 (49.99%)");
    scene.edit("49.99%", "50%").plan().exits(0);
}

#[test]
fn only_selects_rooms_and_counts_the_others() {
    let scene = Scene::new().manifest(BASE).sandbox();
    let ran = scene.run("apply --yes --only *-a");
    ran.shows("--only leaves out 1 declared room");
    ran.exits(0);
    assert_eq!(scene.rooms().len(), 1);
    scene.run("plan --only team-a --detailed-exitcode").exits(0);
    for globs in ["--only team-[", "--only *-a --only nothing-*"] {
        let ran = scene.run(format!("plan --detailed-exitcode {globs}"));
        ran.exits(64);
    }
}

#[test]
fn except_excludes_rooms_and_counts_them() {
    let scene = Scene::new().manifest(BASE).sandbox();
    let ran = scene.run("apply --yes --except *-b");
    ran.shows("--except leaves out 1 declared room");
    assert_eq!((ran.code, scene.rooms().len()), (0, 1));
    let both = "plan --only team-* --except *-a";
    let plan = scene.run(both).ok();
    plan.shows("team-b")
        .shows("--only with --except leaves out 1 declared room");
    let rendered = scene.run("render --except *-b --except *-b*").ok();
    rendered.shows("team-a").lacks("team-b");
    let diff = ["diff", "rooms.yaml", "edited.yaml", "--except", "team-a"];
    scene.write("edited.yaml", BASE.replace("Team ", "Group "));
    let diff = scene.run(diff).ok();
    diff.shows("Group B").lacks("Group A");
    let listed = scene.run("get rooms --except team-*").ok();
    listed.lacks("team-a");
    for (args, message) in [
        (
            &["--except", "team-*"][..],
            "--except: no declared room is left",
        ),
        (
            &["--except", "*-b", "--except", "team-bb"],
            "--except: no declared room matches `team-bb`\n  hint: write a pipe or a glob of pipes, as in 'course-*'",
        ),
        (
            &["--only", "team-a", "--except", "*-a"],
            "--only with --except: no declared room is left",
        ),
        (&["--except", "team-["], "--except: error parsing glob"),
    ] {
        let ran = scene.run([&["plan"], args].concat());
        ran.exits(64);
        ran.err.begins(format!("error: {message}"));
    }
}

#[test]
fn check_and_explain_cover_only_selected_rooms() {
    let scene = Scene::new().manifest(BASE);
    let ran = scene.run("check --only *-a");
    assert_eq!(ran.out, "valid: 1 room, 2 memberships\n");
    assert_eq!(
        ran.err,
        "--only excludes 1 declared room, but all rooms were checked\n"
    );
    let json = scene.run("check --only *-a --format json").json();
    assert_eq!(
        (&json["rooms"], &json["memberships"]),
        (&1.into(), &2.into())
    );
    scene.run("check --only x").exits(64);
    let ran = scene.run("explain 3 --except *-b");
    ran.shows("team-a").lacks("team-b");
    assert_eq!(ran.err, "--except leaves out 1 membership\n");
    scene.run("explain 3 --only x").exits(64);
}

#[test]
fn scope_limits_which_rooms_count_as_unmanaged() {
    let scene = Scene::new().manifest(BASE).applied();
    for pipe in ["team-x", "other-y"] {
        scene.insert(Room {
            pipe: pipe.to_owned(),
            name: pipe.to_owned(),
            ..Room::default()
        });
    }
    scene.plan().ok().shows("3 unmanaged");
    scene
        .edit("widget: 627", "widget: 627\nscope: [\"team-*\"]")
        .plan()
        .shows("1 unmanaged");
}

#[test]
fn fields_in_ignore_are_resent_with_their_live_value() {
    let scene = Scene::new().manifest(BASE).applied();
    let id = scene.room("team-a").id;
    let odd = Room {
        id,
        pipe: "team-c".to_owned(),
        name: "Cafe\u{301}".to_owned(),
        kind: 7,
        is_public: true,
        ..Room::default()
    };
    scene.insert(odd);
    let room =
        "rooms:\n  - {pipe: team-c, title: Mine, ignore: [title, type, public], members: [5]}\n";
    let plan = scene.edit("rooms:\n", room).plan();
    plan.exits(0).shows("members unknown: 1 sent again (5)");
    scene.apply().ok();
    let room = scene.room("team-c");
    assert_eq!(
        (room.name.as_str(), room.kind, room.is_public),
        ("Cafe\u{301}", 7, true)
    );
    assert_eq!(room.members, [5].into());
}

#[test]
fn titles_in_different_normal_forms_are_equal() {
    let scene = Scene::new()
        .manifest(BASE.replace("Team A", "Caf\u{e9}"))
        .applied();
    let writes = scene.writes();
    scene
        .edit("Caf\u{e9}", "Cafe\u{301}")
        .plan()
        .shows("nothing to do");
    scene.run("plan --detailed-exitcode").exits(0);
    assert_eq!(scene.writes(), writes);
}

#[test]
fn text_from_the_server_is_escaped() {
    let scene = Scene::new().manifest(BASE).applied();
    let hostile = "\u{1b}[31mred\u{202e}\u{200b}\u{7}\nx";
    scene.delete("team-a");
    scene.insert(Room {
        id: 77,
        ..live_room("team-a", hostile)
    });
    for args in [
        vec!["plan"],
        vec!["export"],
        vec!["plan", "--format", "json"],
    ] {
        let ran = scene.run(&args);
        let raw = ['\u{1b}', '\u{202e}', '\u{200b}', '\u{7}']
            .iter()
            .any(|c| ran.all().contains(*c));
        assert!(!raw || args.contains(&"json"), "{ran:?}");
        assert!(!ran.all().contains('\u{1b}') && ran.code == 0, "{ran:?}");
    }
    scene
        .plan()
        .shows(r#"title   "\u{1b}[31mred\u{202e}\u{200b}\u{7}\u{a}x" → "Team A""#);
}

#[test]
fn json_has_a_version_and_matches_its_schema() {
    let scene = Scene::new().manifest(BASE).applied();
    let rooms = "rooms:\n  - {pipe: lounge, title: Lounge, public: true, members: [8]}\n";
    scene.edit("rooms:\n", rooms);
    scene.edit(
        "Team A, members: [3, 4]",
        "Team Alpha, public: true, members: [3, 9]",
    );
    let ran = scene.run("plan --format json");
    let plan = ran.json();
    assert_eq!(
        (
            plan["format"].as_u64(),
            plan["kind"].as_str(),
            plan["exit"].as_u64()
        ),
        (Some(1), Some("plan"), Some(5))
    );
    assert_eq!(plan["changes"][1]["fields"][0]["after"], "Team Alpha");
    assert_eq!(plan["changes"][1]["members"]["new"][0], 9);
    assert_eq!(plan["manual_steps"][0]["newly_removed"][0], 4);
    assert_eq!(plan["refusals"][0]["limit"], "publish");
    let report = scene.run("apply --format json --yes --allow-publish team-a");
    assert_eq!(
        (report.code, report.json()["converged"].as_bool()),
        (0, Some(true))
    );
    scene.fits_schema("plan", &plan);
    scene.fits_schema("report", &report.json());
}

#[test]
fn a_field_the_server_ignored_is_not_changed_by_other_writes() {
    let scene = Scene::new()
        .manifest(BASE)
        .sandbox_with(ignoring_updates())
        .applied();
    scene.edit("title: Team A", "title: Team A, public: true");
    // The server ignores the change.
    scene
        .run("apply --yes --allow-publish team-a --verify-timeout 100ms")
        .exits(4);
    scene.age_ledgers(120);
    // From here on the server accepts all fields, and only members are planned.
    scene.world(|world| world.set_quirks(Quirks::default()));
    scene
        .edit("[3, 4]", "[3, 4, 5]")
        .plan()
        .shows("sent again only with --resend-ignored")
        .shows("members +1 (5)");
    scene.apply().ok();
    let room = scene.room("team-a");
    assert_eq!(
        (room.is_public, room.members.len()),
        (false, 3),
        "publishing was not allowed"
    );
    // Sent again, the ignored value would make the room public, so the plan is refused like any
    // plan that makes a room public without permission.
    scene.run("plan --resend-ignored").exits(5);
}

#[test]
fn members_declared_again_are_sent_even_with_assume_members() {
    let scene = Scene::new().manifest(BASE).applied();
    scene
        .edit("[3, 4]", "[3, 4, 5]")
        .run("plan --assume-members")
        .shows("members +1 (5)   2 known");
    scene.run("apply --yes --assume-members").ok();
    assert_eq!(scene.room("team-a").members, [3, 4, 5].into());
}

/// The plan shows the part of a long title that changes, wherever it is, and cuts the unchanged
/// text around it.
#[test]
fn a_change_at_the_end_of_a_long_title_is_shown() {
    let title = |word: &str| format!("{}{word}{}", "ж".repeat(125), "ы".repeat(120));
    let manifest = |word: &str| {
        format!(
            "version: 1\nrooms: [{{pipe: team-a, title: {}}}]\n",
            title(word)
        )
    };
    let scene = Scene::new()
        .manifest(manifest("autumn"))
        .after("apply --sandbox --yes");
    scene.declare(manifest("spring"));
    let plan = scene.run("plan --sandbox").ok();
    let side = |word: &str| {
        format!(
            "\"(85 more) …{}{word}{}… (80 more)\"",
            "ж".repeat(40),
            "ы".repeat(40)
        )
    };
    let line = format!("      title   {} → {}\n", side("autumn"), side("spring"));
    plan.shows(&line);
    // Two titles with nothing in common are shown in full.
    let scene = Scene::new()
        .manifest(format!(
            "version: 1\nrooms: [{{pipe: team-a, title: {}}}]\n",
            "a".repeat(255)
        ))
        .after("apply --sandbox --yes");
    scene.declare("version: 1\nrooms: [{pipe: team-a, title: B}]\n");
    let plan = scene.run("plan --sandbox").ok();
    let line = format!("title   \"{}\" → \"B\"\n", "a".repeat(255));
    plan.shows(&line);
}
