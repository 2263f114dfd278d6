//! `todo`: open manual steps, and marking them as done.

use insta::assert_snapshot;

use crate::support::{Scene, Shows};

const MANIFEST: &str = "version: 1
people: {tutor: 4}
rooms:
  - {pipe: team-platform, title: \"Platform, \\\"core\\\"\", members: [3, tutor, 5]}
  - {pipe: team-b, title: B, members: [3, 4]}
  - {pipe: team-c, title: C, members: [3, 9]}
";

/// Three removals in two rooms, recorded two weeks ago. User 4 is no longer declared in either
/// room, and user 5 is excluded from one of the rooms.
fn two_weeks_later() -> Scene {
    let scene = Scene::new().manifest(MANIFEST).applied();
    let left = MANIFEST.replace("[3, tutor, 5]}", "[3], exclude: [5]}");
    scene.declare(left.replace("[3, 4]", "[3]"));
    scene.apply().ok();
    scene.age_ledgers(14 * 24 * 60);
    scene
}

/// Replaces run ids and times, which differ in each run.
pub fn stable(text: &str) -> String {
    let is_run = |word: &str| word.len() == 16 && word.bytes().all(|it| it.is_ascii_hexdigit());
    let is_time = |word: &str| word.starts_with("20") && word.ends_with('Z');
    let words = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && !"-:.".contains(c));
    let words = words.map(|word| {
        let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        match bare {
            run if is_run(run) => word.replace(run, "RUN"),
            time if is_time(time) => word.replace(time, "TIME"),
            _ => word.to_owned(),
        }
    });
    words.collect()
}

#[test]
fn each_open_step_is_listed_with_room_user_reason_age_and_run() {
    let scene = two_weeks_later();
    let (ledger, calls) = (scene.ledger(), scene.stats());
    let text = scene.run("todo").ok().replace(&scene.url(), "URL");
    assert_snapshot!(stable(&text), @r#"
      manual steps still open: remove these members in ImbaChat, then run `roomform todo done PIPE`
        team-b "B" (rooms.yaml:5): remove tutor (4) from room 2: no longer in the manifest; open for 14 days, recorded by run `RUN`
        team-platform "Platform, \"core\"" (rooms.yaml:4): remove tutor (4) from room 4: no longer in the manifest; open for 14 days, recorded by run `RUN`
        team-platform "Platform, \"core\"" (rooms.yaml:4): remove 5 from room 4: excluded; open for 14 days, recorded by run `RUN`

    todo: 3 open steps in 2 rooms, the oldest for 14 days
          target: widget 627 on URL
    "#);
    assert_snapshot!(stable(&scene.run("todo --format csv").ok()), @r#"
    room_id,pipe,title,user,name,reason,since,age_days,run
    2,team-b,B,4,tutor,no longer in the manifest,TIME,14,RUN
    4,team-platform,"Platform, ""core""",4,tutor,no longer in the manifest,TIME,14,RUN
    4,team-platform,"Platform, ""core""",5,,excluded,TIME,14,RUN
    "#);
    let page = scene.run("todo list --format markdown").ok();
    let (_, steps) = page.split_once("\n\n**").unwrap();
    assert_snapshot!(stable(steps), @r#"
    3 open steps in 2 rooms, the oldest for 14 days**

    ### Manual steps still open: 3

    Remove these members in ImbaChat, then run `roomform todo done PIPE`.

    - [ ] `team-b` `B`: remove `tutor (4)` from room `2`: no longer in the manifest; open for 14 days, recorded by run `RUN` (`rooms.yaml:5`)
    - [ ] `team-platform` `Platform, "core"`: remove `tutor (4)` from room `4`: no longer in the manifest; open for 14 days, recorded by run `RUN` (`rooms.yaml:4`)
    - [ ] `team-platform` `Platform, "core"`: remove `5` from room `4`: excluded; open for 14 days, recorded by run `RUN` (`rooms.yaml:4`)
    "#);
    let document = scene.run("todo --format json").json();
    scene.fits_schema("todo", &document);
    assert_snapshot!(stable(&document["steps"].to_string()), @r#"
    [{"age_days":14,"name":"tutor","pipe":"team-b","reason":"left","room_id":2,"run":"RUN","since":"TIME","title":"B","user":4},{"age_days":14,"name":"tutor","pipe":"team-platform","reason":"left","room_id":4,"run":"RUN","since":"TIME","title":"Platform, \"core\"","user":4},{"age_days":14,"pipe":"team-platform","reason":"excluded","room_id":4,"run":"RUN","since":"TIME","title":"Platform, \"core\"","user":5}]
    "#);
    assert_eq!(scene.run("todo list").ok(), scene.run("todo").ok());
    assert_eq!(scene.ledger(), ledger);
    assert_eq!(scene.stats(), calls, "no server was asked");
}

#[test]
fn all_rooms_that_a_person_must_be_removed_from_are_listed_by_id_or_name() {
    let scene = two_weeks_later();
    let by_id = scene.run("todo --user 4").ok();
    by_id
        .shows("team-b")
        .shows("team-platform")
        .lacks("remove 5");
    by_id.shows("todo: 2 open steps in 2 rooms, the oldest for 14 days");
    for user in ["tutor", "tutor (4)", "no longer in people (4)"] {
        assert_eq!(scene.run(["todo", "--user", user]).ok(), by_id, "{user}");
    }
    scene.run("todo --user 9").ok().shows("todo: no open steps");
    let unknown = scene.run("todo --user anna");
    unknown.exits(64);
    assert_snapshot!(unknown.err, @r"
    error: `anna` is neither a user's id nor a user's name in the manifest
      hint: for a person who left the manifest, write the id without a sign or leading zeros
    ");
}

/// Follows docs/operations.md after members were removed in ImbaChat, and checks the results.
#[test]
fn steps_are_marked_as_done_as_documented() {
    let document = include_str!("../../docs/operations.md");
    document
        .shows("roomform todo done team-platform ")
        .shows("todo done 'course-*' 42");
    let scene = Scene::new().manifest(MANIFEST).applied();
    let without = MANIFEST.replace(", tutor, 5", "").replace(", 4", "");
    scene.declare(&without);
    let plan = ["plan", "--detailed-exitcode"];
    let line = "team-platform \"Platform, \\\"core\\\"\": remove tutor (4), 5 from room 4";
    scene.run(plan).ok().shows(line);
    let too_early = scene.run("todo done team-platform");
    too_early.exits(64);
    assert_snapshot!(too_early.err, @r"
    error: no manual steps are open for `team-platform`
      hint: run `roomform todo` to list the open steps; a step opens when `apply` records that a member is no longer in the manifest
    ");
    let writes = scene.writes();
    scene.apply().ok();
    for _ in 1..=2 {
        // The manual step remains.
        scene
            .run(plan)
            .ok()
            .shows("remove tutor (4), 5 from room 4: no longer in the manifest; open since today");
    }
    let one = scene.run("todo done team-platform tutor");
    one.exits(0);
    assert_eq!(one.err, "1 member of 1 room marked as removed\n");
    one.out
        .shows("todo: 2 open steps in 2 rooms")
        .lacks("remove tutor (4) from room 4:");
    scene.run(plan).ok().shows("remove 5 from room 4:");
    scene.run("todo done team-platform").ok();
    let after = scene.run(plan).ok();
    after
        .lacks("team-platform")
        .shows("remove tutor (4) from room 2:");
    let done = scene.run("todo done team-* --format json");
    assert_eq!(done.json()["steps"].as_array().unwrap().len(), 0);
    let clear = scene.run(plan).ok();
    clear.shows("plan: nothing to do").lacks("manual steps");
    assert!(
        !clear.contains("unknown"),
        "everybody else is still on record: {clear}"
    );
    scene.run("ledger compact").ok();
    assert_eq!(scene.run(plan).ok(), clear);
    assert_eq!(scene.writes(), writes, "nothing was sent for it");
    // If a member is declared again after the removal, the plan adds the member again.
    scene.declare(MANIFEST);
    scene.plan().ok().shows("members +2 (tutor (4), 5)");
}

#[test]
fn only_open_steps_can_be_marked_as_done() {
    let scene = two_weeks_later();
    let ledger = scene.ledger();
    for args in [
        "todo done team-c",
        "todo done other-*",
        "todo done team-b 3",
        "todo done team-b 4 5",
        "todo done team-* 77",
    ] {
        scene.run(args).exits(64);
    }
    assert_snapshot!(scene.run("todo done team-b 4 5").err, @r"
    error: there is no open step to remove `5` from `team-b`
      hint: run `roomform todo` to list the open steps
    ");
    assert_eq!(scene.ledger(), ledger, "nothing was recorded");
    let done = scene.run("todo done team-* 4");
    assert_eq!(
        done.err,
        "  team-b\n  team-platform\n2 members of 2 rooms marked as removed\n"
    );
    done.out.shows("todo: 1 open step in 1 room");
}

#[test]
fn a_member_who_is_declared_again_has_no_open_step() {
    let scene = two_weeks_later();
    scene.declare(MANIFEST);
    scene.run("todo").ok().shows("todo: no open steps");
    // If the manifest is invalid, `todo` cannot tell who belongs in a room, so it lists all
    // recorded steps.
    scene.declare("version: 2");
    let listed = scene.run("todo").ok();
    listed
        .shows("todo: 3 open steps in 2 rooms")
        .lacks("excluded");
}

#[test]
fn steps_outlive_a_compaction_with_their_age_and_run() {
    let scene = two_weeks_later();
    let before = scene.run("todo --format json").json();
    scene.run("ledger compact").ok();
    assert_eq!(scene.run("todo --format json").json(), before);
}

#[test]
fn fail_on_overdue_exits_with_2_if_a_step_is_old() {
    let scene = two_weeks_later();
    for (age, code) in [("0d", 2), ("14d", 2), ("15d", 0)] {
        let ran = scene.run(["plan", "--fail-on-overdue", age]);
        ran.exits(code);
        assert_eq!(ran.out.contains("  overdue\n"), code == 2, "{}", ran.out);
    }
    scene.plan().exits(0);
    let later = "plan --fail-on-overdue 15d --today 2999-01-01";
    scene.run(later).exits(2);
    scene
        .run("todo --today 2999-01-01")
        .ok()
        .lacks("for 14 days");
    scene.run("plan --fail-on-overdue 14").exits(64);
    // With `--only`, overdue steps of other rooms do not matter. If a plan is refused, the exit
    // code is that of a refusal, even if a step is overdue.
    scene
        .run("plan --fail-on-overdue 0d --only team-c")
        .exits(0);
    scene.edit("{pipe: team-c, ", "{pipe: team-c, public: true, ");
    scene.run("plan --fail-on-overdue 0d").exits(5);
    scene.run("todo done team-*").ok();
    scene.edit("public: true, ", "");
    scene.run("plan --fail-on-overdue 0d").exits(0);
}

/// A plan lists the steps that this change causes separately from the steps that were already
/// open. The result of an apply does the same.
#[test]
fn a_plan_lists_the_steps_of_this_change_before_those_still_open() {
    let scene = two_weeks_later();
    scene
        .edit("[3, 9]", "[3]")
        .edit("{pipe: team-b", "{pipe: team-d");
    let plan = scene.run("plan --ignore-limits").ok();
    let (_, steps) = plan.split_once("\n\n  manual steps").unwrap();
    let (steps, _) = steps.split_once("\n\nplan:").unwrap();
    assert_snapshot!(stable(steps), @r#"
    : the API cannot remove members or rooms
        team-c "C": remove 9 from room 3
        1 room on record but no longer declared: `team-b`; delete or keep each in ImbaChat, then run `roomform ledger forget PIPE`

      notes
        1 likely rename: `team-d` has the title of `team-b`; a pipe is an identity, so new rooms are created and the old ones stay as they are

      manual steps still open: remove these members in ImbaChat, then run `roomform todo done PIPE`
        team-platform (rooms.yaml:4): remove tutor (4) from room 4: no longer in the manifest; open for 14 days, recorded by run `RUN`
        team-platform (rooms.yaml:4): remove 5 from room 4: excluded; open for 14 days, recorded by run `RUN`
    "#);
    let page = scene.run("plan --ignore-limits --format markdown").ok();
    let applied = scene
        .run("apply --yes --ignore-limits --format markdown")
        .ok();
    for page in [page, applied] {
        let (_, steps) = page.split_once("### Manual steps: ").unwrap();
        let (new, open) = steps.split_once("### Manual steps still open: ").unwrap();
        new.shows("team-c").shows("no longer declared: `team-b");
        new.lacks("team-platform");
        open.begins("2\n").lacks("team-c").lacks("Rooms that left");
    }
    // The next plan lists the steps of this change as open steps, and `todo` lists the room
    // that is no longer in the manifest.
    let todo = scene.run("todo").ok();
    todo.shows(
        "team-c \"C\" (rooms.yaml:6): remove 9 from room 3: no longer in the manifest; open since today",
    );
    todo.shows("team-b \"B\": room 2, 1 known member, no longer in the manifest since today");
    scene
        .plan()
        .ok()
        .shows("still open")
        .lacks("manual steps: the API");
}

/// Every format contains the whole sentence about overdue steps, because a page or a document
/// may be all that people see.
#[test]
fn overdue_steps_and_the_count_of_open_steps_are_in_every_format() {
    let scene = two_weeks_later();
    let reason = "3 manual steps open for 14 days or longer, in ";
    let open =
        "nothing to do; 3 unchanged, 1 unmanaged; 3 open steps in 2 rooms, the oldest for 14 days";
    for format in ["text", "markdown", "html", "github"] {
        let ran = scene.run(["plan", "--fail-on-overdue", "14d", "--format", format]);
        ran.exits(2);
        ran.out.shows(reason).shows("team-platform").shows(open);
        let plan = scene.run(["plan", "--format", format]).ok();
        plan.shows(open).lacks(reason);
    }
    let document = scene.run("plan --fail-on-overdue 14d --format json").json();
    assert_eq!(document["overdue_steps"], 3);
    scene.fits_schema("plan", &document);
    let page = |flag: &str| scene.run(format!("plan --format html{flag}")).out;
    page("").shows("<strong>Steps open</strong>");
    page(" --fail-on-overdue 9d").shows("<strong>Overdue</strong>");
}

/// Two rooms were removed from the manifest a day ago. Two weeks before that, some members of
/// these rooms were removed from the manifest.
fn after_a_term() -> Scene {
    let scene = two_weeks_later();
    let kept =
        "version: 1\npeople: {tutor: 4}\nrooms:\n  - {pipe: team-c, title: C, members: [3, 9]}\n";
    scene.declare(kept);
    scene.run("apply --yes --ignore-limits").ok();
    scene.age_ledgers(24 * 60);
    scene
}

#[test]
fn rooms_that_left_the_manifest_are_steps_until_they_are_forgotten() {
    let scene = after_a_term();
    let text = scene.run("todo").ok();
    assert_snapshot!(stable(&text).replace(&scene.url(), "URL"), @r#"
      manual steps still open: remove these members in ImbaChat, then run `roomform todo done PIPE`
        team-b "B": remove tutor (4) from room 2: no longer in the manifest; open for 15 days, recorded by run `RUN`
        team-platform "Platform, \"core\"": remove tutor (4) from room 4: no longer in the manifest; open for 15 days, recorded by run `RUN`
        team-platform "Platform, \"core\"": remove 5 from room 4: no longer in the manifest; open for 15 days, recorded by run `RUN`

      rooms that left the manifest: delete or keep each room in ImbaChat, then run `roomform ledger forget PIPE`; for many rooms, use a glob: `roomform ledger forget 'term-1-*'`
        team-b "B": room 2, 1 known member, no longer in the manifest for 1 day, recorded by run `RUN`
        team-platform "Platform, \"core\"": room 4, 1 known member, no longer in the manifest for 1 day, recorded by run `RUN`

    todo: 5 open steps in 2 rooms, the oldest for 15 days
          target: widget 627 on URL
    "#);
    let csv = scene.run("todo --format csv").ok();
    assert_snapshot!(stable(&csv), @r#"
    room_id,pipe,title,user,name,reason,since,age_days,run
    2,team-b,B,4,tutor,no longer in the manifest,TIME,15,RUN
    4,team-platform,"Platform, ""core""",4,tutor,no longer in the manifest,TIME,15,RUN
    4,team-platform,"Platform, ""core""",5,,no longer in the manifest,TIME,15,RUN
    2,team-b,B,,,the room is no longer in the manifest,TIME,1,RUN
    4,team-platform,"Platform, ""core""",,,the room is no longer in the manifest,TIME,1,RUN
    "#);
    let page = scene.run("todo --format markdown").ok();
    page.shows("### Rooms that left the manifest: 2\n")
        .shows("- [ ] `team-b` `B`: room `2`, 1 known member, no longer in the manifest for 1 day");
    let document = scene.run("todo --format json").json();
    scene.fits_schema("todo", &document);
    assert_snapshot!(stable(&document["left_rooms"].to_string()), @r#"
    [{"age_days":1,"members":[3],"pipe":"team-b","room_id":2,"run":"RUN","since":"TIME","title":"B"},{"age_days":1,"members":[3],"pipe":"team-platform","room_id":4,"run":"RUN","since":"TIME","title":"Platform, \"core\""}]
    "#);
    // Rooms that left the manifest can be overdue too, and the plan lists them.
    scene.run("todo done *").ok();
    let plan = scene.run("plan --fail-on-overdue 1d");
    plan.exits(2);
    plan.out
        .shows("2 manual steps open for 1 day or longer, in `team-b`, `team-platform`");
    scene.run("plan --fail-on-overdue 2d").exits(0);
    let cannot = scene.run("todo done team-b");
    cannot.exits(64);
    assert_snapshot!(cannot.err, @r"
    error: no manual steps are open for `team-b`
      hint: after you delete the room in ImbaChat, or if you decide to keep it there, run `roomform ledger forget team-b`
    ");
    scene.run("ledger forget team-*").ok();
    scene.run("todo").ok().shows("todo: no open steps");
    scene.run("plan --fail-on-overdue 0d").exits(0);
}

/// The steps for a person include rooms that are no longer in the manifest, because the person
/// is still a member of these rooms on the server.
#[test]
fn a_persons_steps_include_rooms_that_left_the_manifest() {
    let scene = after_a_term();
    let todo = scene.run("todo --user 3").ok();
    todo.shows(
        "team-b \"B\": remove 3 from room 2: the room is no longer in the manifest; open for 1 day",
    )
    .shows("team-platform")
    .shows("todo: 2 open steps in 2 rooms");
    let tutor = scene.run("todo --user tutor --format csv").ok();
    assert_eq!(tutor.lines().count(), 3, "{tutor}");
    scene.run("todo --user 9").ok().shows("todo: no open steps");
    scene.run("todo done team-* 3").ok();
    scene.run("todo --user 3").ok().shows("todo: no open steps");
    scene.run("explain 3").ok().lacks("team-b").shows("team-c");
}
