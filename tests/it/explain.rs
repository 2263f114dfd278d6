//! `render` prints the resolved manifest, and `explain` gives the reasons for what is in it.

use insta::assert_snapshot;

use crate::support::{Scene, Shows};

/// A manifest with every way to include and to exclude a member.
fn school() -> Scene {
    let manifest = "version: 1
widget: 627
scope: [\"course-*\"]
people: {head: 3, tutor: 4}
groups:
  heads: [head]
  staff: [\"@heads\", tutor, {roster: staff.txt}]
  gone: [{roster: gone.txt}]
rooms:
  - {pipe: lounge, title: Lounge, public: true, members: [4, \"@staff\", \"@heads\"], exclude: [\"@gone\", 99]}
  - {pipe: empty, title: \"No, \\\"one\\\"\", type: support, ignore: [title]}
generate:
  - each: courses.csv
    room:
      pipe: \"course-{{ code }}\"
      title: \"{{ name }}\"
      members: [\"{{ teacher }}\"]
      members_policy: on_create
      enrol: {roster: enrollments.csv, on: {course: code}, user: user}
limits: {create: 50, update: \"12.5%\", publish: [c]}
";
    let scene = Scene::new().manifest(manifest).file("staff.txt", "7\n21\n");
    scene.write("gone.txt", "# opted out\n21\n");
    scene.write(
        "courses.csv",
        "code,name,teacher\nrust,Rust · \u{43b}\u{435}\u{442}\u{43e},4\ngo,Go,8\n",
    );
    scene.write("enrollments.csv", "course,user\nrust,100\ngo,100\nrust,4\n");
    scene
}

#[test]
fn a_room_lists_the_source_of_each_member_and_the_exclusions() {
    let scene = school();
    assert_snapshot!(scene.run("explain lounge").ok(), @r#"
    lounge  "Lounge"
      conference, public; declared at rooms.yaml:10
      3 members:
        head (3)   rooms.yaml:6 through @heads
                   rooms.yaml:6 through @staff › @heads
        tutor (4)  rooms.yaml:10
                   rooms.yaml:7 through @staff
        7          staff.txt:1 through @staff
      2 users kept out:
        21  staff.txt:2 through @staff
            kept out by gone.txt:2 through @gone
        99  kept out by rooms.yaml:10
    "#);
    assert_snapshot!(scene.run("explain course-rust").ok(), @r#"
    course-rust  "Rust · лето"
      conference, closed, members are added only when the room is created; declared at courses.csv:2
      2 members:
        tutor (4)  courses.csv:2
                   enrollments.csv:4 (enrol)
        100        enrollments.csv:2 (enrol)
    "#);
    assert_snapshot!(scene.run("explain empty").ok(), @r#"
    empty  "No, \"one\""
      support, closed; declared at rooms.yaml:11
      0 members
    "#);
}

#[test]
fn a_user_is_found_by_id_or_name_with_all_rooms() {
    let scene = school();
    let by_name = scene.run("explain tutor").ok();
    assert_eq!(by_name, scene.run("explain 4").ok());
    assert_snapshot!(by_name, @r"
    user tutor (4)
      2 memberships:
        course-rust  courses.csv:2
                     enrollments.csv:4 (enrol)
        lounge       rooms.yaml:10
                     rooms.yaml:7 through @staff
    ");
    assert_snapshot!(scene.run("explain 21").ok(), @r"
    user 21
      0 memberships
      1 room kept out of:
        lounge  staff.txt:2 through @staff
                kept out by gone.txt:2 through @gone
    ");
    let document = scene.run("explain 100 --format json").json();
    assert_eq!(document["user"], 100);
    assert_eq!(document["memberships"][1]["pipe"], "course-rust");
    assert_eq!(
        document["memberships"][1]["ways"][0]["file"],
        "enrollments.csv"
    );
    assert_eq!(document["memberships"][1]["ways"][0]["line"], 2);
    let absent = scene.run("explain absent");
    absent.exits(64);
    assert_snapshot!(absent.err, @r"
    error: `absent` is neither a room's pipe nor a user in the manifest or the ledger
      hint: write a room's pipe, a name from `people`, or a user's id without a sign or leading zeros
    ");
}

/// Users of an excluded group are only listed if something includes them. `explain USER` still reports the exclusion.
#[test]
fn explain_names_the_exclusion_of_a_user() {
    let scene = school();
    scene.write("gone.txt", "21\n22\n");
    assert_snapshot!(scene.run("explain 99").ok(), @r"
    user 99
      0 memberships
      1 room kept out of:
        lounge  kept out by rooms.yaml:10
    ");
    assert_snapshot!(scene.run("explain 22").ok(), @r"
    user 22
      0 memberships
      1 room kept out of:
        lounge  kept out by gone.txt:2 through @gone
    ");
    scene.run("explain lounge").ok().lacks("22");
    let document = scene.run("explain 99 --format json").json();
    let membership = &document["memberships"][0];
    assert_eq!(membership["member"], false);
    assert_eq!(membership["ways"].as_array().unwrap().len(), 0);
    assert_eq!(membership["excluded_by"][0]["line"], 10);
}

#[test]
fn explain_names_the_directory_row_that_excludes_a_user() {
    let scene = Scene::new().manifest(
        "version: 1
people: {roster: people.csv, name: [name, login], id: id, where: {state: in}}
rooms: [{pipe: team, title: Team, members: [anna, bert, carl, 7]}]
",
    );
    scene.write(
        "people.csv",
        "name,login,id,state\nanna,a1,5,in\nbert,b1,6,out\ncarl,c1,,out\ndora,d1,7,out\nanna,a1,5,out\nanne,a9,5,out\n",
    );
    let bert = scene.run("explain bert").ok();
    assert_snapshot!(bert, @r"
    user bert (6)
      other names: b1
      left out by the `where` of `people`: people.csv:3
      0 memberships
    ");
    assert_eq!(bert, scene.run("explain 6").ok());
    assert_snapshot!(scene.run("explain carl").ok(), @r"
    user without a usable id
      names: carl
      left out by the `where` of `people`: people.csv:4
      0 memberships
    ");
    // A manifest may still add the user to a room by id.
    assert_snapshot!(scene.run("explain dora").ok(), @r"
    user dora (7)
      other names: d1
      left out by the `where` of `people`: people.csv:5
      1 membership:
        team  rooms.yaml:3
    ");
    // A user who is included by another row is not reported as left out.
    assert_snapshot!(scene.run("explain 5").ok(), @r"
    user anna (5)
      other names: a1
      1 membership:
        team  rooms.yaml:3
    ");
    let [five, anne] = ["5", "anne"].map(|asked| scene.run(["explain", asked]).ok());
    assert_eq!(five, anne, "whichever of their names is asked for");
    let document = scene.run("explain 6 --format json").json();
    assert_eq!(document["left_out"]["file"], "people.csv");
    assert_eq!(document["left_out"]["line"], 3);
    scene.run("explain 77").exits(64);
}

#[test]
fn explain_names_the_rows_of_a_user_that_do_not_count() {
    let scene = Scene::new().manifest(
        "version: 1
groups: {staff: [{roster: staff.csv, user: ids, where: {state: in}}]}
rooms: [{pipe: team, title: Team, members: [\"@staff\", {user: 7, until: 2026-01-01}]}]
generate:
  - each: courses.csv
    where: {state: in}
    room:
      pipe: \"course-{{ id }}\"
      title: C
      enrol:
        roster: enrol.csv
        on: {course: id}
        via: {roster: sections.csv, on: {section: section}, where: {state: in}}
        user: name
        from: from
        people: {roster: people.csv, name: name, id: id, where: {state: in}}
",
    );
    for (name, text) in [
        ("staff.csv", "ids,state\n8,in\n7,out\n"),
        ("courses.csv", "id,state\nc1,in\nc2,out\n"),
        ("sections.csv", "section,course,state\ns1,c1,out\n"),
        ("people.csv", "name,id,state\na,7,in\nb,7,out\nc,8,in\n"),
        (
            "enrol.csv",
            "course,section,name,from\nc1,,b,\nc2,,a,\n,s1,a,\nc1,,a,2027-01-01\nc1,,c,\n",
        ),
    ] {
        scene.write(name, text);
    }
    assert_snapshot!(scene.run("explain 7 --today 2026-11-30").ok(), @"
    user a (7)
      0 memberships
      6 places without effect:
        rooms.yaml:3   outside its dates
        staff.csv:3    left out by `where`
        courses.csv:3  left out by `where`
        enrol.csv:2    the person's row, people.csv:3, is left out
        enrol.csv:4    left out by `where`
        enrol.csv:5    outside its dates
    ");
    let document = scene
        .run("explain 7 --today 2026-11-30 --format json")
        .json();
    let people = document["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["reason"] == "people");
    let row = serde_json::json!({"file": "people.csv", "line": 3});
    assert_eq!(people.unwrap()["row"], row);
}

#[test]
fn a_row_that_counts_for_one_use_is_not_listed_as_left_out_by_another() {
    let scene = Scene::new().manifest(
        "version: 1
rooms:
  - {pipe: a, title: A, members: [{roster: all.csv, user: user, where: {class: a}}]}
  - {pipe: b, title: B, members: [{roster: all.csv, user: user, where: {class: b}}]}
generate:
  - {each: all.csv, where: {class: a}, room: {pipe: \"x-{{ id }}\", title: X, enrol: {roster: all.csv, on: {id: id}, user: user}}}
  - {each: all.csv, where: {class: b}, room: {pipe: \"x-{{ id }}\", title: X, enrol: {roster: all.csv, on: {id: id}, user: user}}}
",
    );
    scene.write("all.csv", "id,user,class\n1,7,a\n2,8,b\n3,7,c\n");
    assert_snapshot!(scene.run("explain 7").ok(), @"
    user 7
      2 memberships:
        a    all.csv:2
        x-1  all.csv:2 (enrol)
      1 place without effect:
        all.csv:4  left out by `where`
    ");
}

/// The same column name may refer to different cells in two uses of one file.
#[test]
fn a_row_that_only_one_use_splits_is_listed_as_left_out() {
    let scene = Scene::new().manifest(
        "version: 1
rooms:
  - {pipe: pupils-a, title: A, members: [{roster: all.csv, user: users, where: {class: a}}]}
  - {pipe: tutors-b, title: B, members: [{roster: all.csv, user: tutor, where: {class: b}, expand: {column: users, split: \";\"}}]}
  - {pipe: pupils-b, title: C, members: [{roster: all.csv, user: users, where: {class: b}, expand: {column: users, split: \";\"}}]}
",
    );
    let rows = "users,tutor,class\n1,9,a\n2;3,9,b\n4;7,9,c\n";
    scene.write("all.csv", rows);
    assert_snapshot!(scene.run("explain 7").ok(), @"
    user 7
      0 memberships
      1 place without effect:
        all.csv:4  left out by `where`
    ");
}

#[test]
fn explain_counts_each_error_once() {
    let names = (0..6_000).map(|n| format!("u{n}, "));
    let scene = Scene::new().manifest(format!(
        "version: 1\nrooms: [{{pipe: team, title: Team, members: [{}]}}]\n",
        names.collect::<String>()
    ));
    let ran = scene.run("explain team");
    assert_eq!(ran.err, scene.run("check").err);
    ran.err.shows("invalid: 6000 errors");
}

#[test]
fn a_user_id_must_be_written_as_in_a_manifest() {
    let scene =
        Scene::new().manifest("version: 1\nrooms: [{pipe: team, title: Team, members: [17]}]\n");
    scene.run("explain 17").ok().begins("user 17\n");
    for asked in ["+17", "017", "17.0", " 17"] {
        let ran = scene.run(["explain", asked]);
        ran.exits(64);
        ran.err.shows("a user's id without a sign or leading zeros");
    }
}

#[test]
fn a_pipe_that_looks_like_an_id_means_the_room() {
    let scene = Scene::new().manifest("version: 1\nrooms: [{pipe: \"100\", title: Hundred, members: [7]}, {pipe: other, title: Other, members: [100]}]\n");
    scene.run("explain 100").ok().begins("100  \"Hundred\"\n");
}

#[test]
fn a_room_that_left_is_found_by_a_pipe_that_looks_like_an_id() {
    let other = "version: 1\nrooms: [{pipe: other, title: Other, members: [7]}";
    let scene = Scene::new()
        .manifest(format!(
            "{other}, {{pipe: \"100\", title: Hundred, members: [8]}}]\n"
        ))
        .sandbox();
    scene.run("apply --yes").ok();
    let scene = scene.manifest(format!("{other}]\n"));
    scene.run("explain 100").ok().shows("8");
}

#[test]
fn rendered_rooms_are_a_manifest_with_the_same_plan() {
    let scene = school();
    let rendered = scene.run("render --format json").ok();
    assert_snapshot!(rendered, @r#"
    {
    "version": 1,
    "widget": 627,
    "scope": ["course-*"],
    "limits": {"create":50,"update":"12.5%","publish":["c"]},
    "rooms": [
    {"pipe":"course-go","title":"Go","type":"conference","public":false,"members_policy":"on_create","members":[8,100]},
    {"pipe":"course-rust","title":"Rust · лето","type":"conference","public":false,"members_policy":"on_create","members":[4,100]},
    {"pipe":"empty","title":"No, \"one\"","type":"support","public":false,"ignore":["title"],"members":[]},
    {"pipe":"lounge","title":"Lounge","type":"conference","public":true,"exclude":[21,99],"members":[3,4,7]}
    ]
    }
    "#);
    scene.write("rendered.json", &rendered);
    assert_eq!(scene.run("render -f rendered.json").ok(), rendered);
    let changes = |file: &str| {
        let plan = scene
            .run(["plan", "--sandbox", "-f", file, "--format", "json"])
            .json();
        let without_places = |mut change: serde_json::Value| {
            change["file"].take();
            change["line"].take();
            change
        };
        let changes: Vec<_> = plan["changes"]
            .as_array()
            .unwrap()
            .iter()
            .cloned()
            .map(without_places)
            .collect();
        assert_eq!(changes.len(), 4, "{plan:#}");
        (changes, plan["summary"].clone())
    };
    assert_eq!(changes("rooms.yaml"), changes("rendered.json"));
    scene.run("apply --sandbox --yes").exits(0);
    let after = scene.run("plan --sandbox -f rendered.json --detailed-exitcode");
    after.exits(0);
}

#[test]
fn rendered_members_are_one_line_each() {
    let scene = school();
    assert_snapshot!(scene.run("render --format csv --only [!c]*").ok(), @r#"
    pipe,title,type,public,user
    empty,"No, ""one""",support,false,
    lounge,Lounge,conference,true,3
    lounge,Lounge,conference,true,4
    lounge,Lounge,conference,true,7
    "#);
    let refused = scene.run("check --format csv");
    assert_eq!((refused.code, refused.out.as_str()), (64, ""));
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let scene = Scene::new().manifest("version: 1\ngenerate: [{each: rooms.csv, room: {pipe: \"room-{{ id }}\", title: \"Room {{ id }}\"}}]\n");
    // More than a pipe buffer holds, so that the program notices the closed pipe.
    let rows: String = (1..=20_000).map(|id| format!("{id}\n")).collect();
    scene.write("rooms.csv", format!("id\n{rows}"));
    for format in ["csv", "json"] {
        let mut child = scene.start(["render", "--format", format]);
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        let err = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(
            (ended.status.code(), err.as_str()),
            (Some(0), ""),
            "{format}"
        );
    }
}

#[test]
fn a_user_added_by_two_rosters_has_two_sources() {
    let scene = Scene::new()
        .manifest(
            "version: 1
generate:
  - each: rooms.csv
    room:
      pipe: \"{{ id }}\"
      title: \"{{ id }}\"
      enrol:
        - {roster: pupils.csv, on: {id: id}, user: user}
        - {roster: staff.csv, on: {id: id}, user: user}
",
        )
        .file("rooms.csv", "id,level\nclass-7b,7\n")
        .file("pupils.csv", "id,user\nclass-7b,9\nclass-7b,7\n")
        .file("staff.csv", "id,user\nclass-7b,7\n");
    for asked in ["class-7b", "7"] {
        let out = scene.run(format!("explain {asked}")).out;
        out.shows("pupils.csv:3").shows("staff.csv:2");
    }
}
