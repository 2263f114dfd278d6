//! Dates of memberships and rows: who is declared on which day, and what plans say about it.

use serde_json::Value;

use crate::support::{Scene, Shows};

/// The members of each room on a day, such as `course-a: 1 2`.
fn members(scene: &Scene, today: &str) -> Vec<String> {
    let rendered = scene
        .run(format!("render --today {today} --allow-empty"))
        .json();
    let rooms = rendered["rooms"].as_array().unwrap().iter();
    let rooms = rooms.map(|room| {
        let members = room["members"].as_array().into_iter().flatten();
        let members: Vec<String> = members.map(Value::to_string).collect();
        format!("{}: {}", room["pipe"].as_str().unwrap(), members.join(" "))
    });
    rooms.collect()
}

/// A room whose members and their dates come from the rows of `a.csv`.
fn class(rows: &str) -> Scene {
    let scene = Scene::new().manifest(
        "version: 1
rooms: [{pipe: class, title: Class, members: [{roster: a.csv, user: id, from: start, until: end}]}]
",
    );
    scene.file("a.csv", format!("id,start,end\n{rows}"))
}

#[test]
fn members_are_declared_from_the_first_to_the_last_day() {
    let scene = Scene::new().manifest(
        "version: 1
people: {tutor: 4}
groups: {staff: [{user: tutor, until: 2026-12-31}]}
rooms:
  - pipe: class
    title: Class
    members: [7, {user: 5, from: 2026-09-01, until: \"2027-06-30\"}, \"@staff\", {user: 7, until: 2026-01-01}]
    exclude: [{user: 5, from: 2027-06-30}]
generate:
  - each: courses.csv
    room: {pipe: \"{{ id }}\", title: \"{{ id }}\", members: [{user: \"{{ teacher }}\", from: 2026-10-01}]}
",
    );
    scene.write("courses.csv", "id,teacher\ncourse,tutor\n");
    for (today, class, course) in [
        ("2026-08-31", "class: 4 7", "course: "),
        ("2026-09-01", "class: 4 5 7", "course: "),
        ("2026-10-01", "class: 4 5 7", "course: 4"),
        ("2026-12-31", "class: 4 5 7", "course: 4"),
        ("2027-01-01", "class: 5 7", "course: 4"),
        ("2027-06-29", "class: 5 7", "course: 4"),
        ("2027-06-30", "class: 7", "course: 4"),
    ] {
        assert_eq!(members(&scene, today), [class, course], "{today}");
    }
}

#[test]
fn rows_have_dates_in_every_kind_of_file() {
    let scene = Scene::new().manifest(
        "version: 1
people: {roster: people.csv, name: login, id: id, until: left}
rooms: [{pipe: staff, title: Staff, members: [{roster: staff.csv, user: login, from: start, until: end}]}]
generate:
  - each: {roster: courses.csv, from: opens, until: closes}
    room:
      pipe: \"{{ id }}\"
      title: \"{{ id }}\"
      enrol:
        roster: enrol.csv
        on: {course: id}
        via: {roster: sections.csv, on: {section: section}, from: opens}
        user: login
        until: dropped
",
    );
    scene.write(
        "people.csv",
        "login,id,left\nanna,1,\nboris,2,2026-10-31\nvera,3,2025-01-01\nvera,3,2026-12-31\n",
    );
    scene.write(
        "staff.csv",
        "login;start;end\nanna;2026-09-01;2026-11-30\nboris;;2026-12-31T23:59:00Z\nvera;;\n",
    );
    scene.write(
        "courses.csv",
        "id,opens,closes\nmath,2026-09-01,2026-12-15\nmath,2027-01-10,\nart,2026-09-15,\n",
    );
    scene.write("sections.csv", "section,course,opens\ns1,math,2026-10-01\n");
    scene.write(
        "enrol.csv",
        "login,course,section,dropped\nanna,math,,2026-09-30\nboris,,s1,\nvera,art,,\n",
    );
    for (today, expected) in [
        ("2026-08-31", &["staff: 2 3"][..]),
        ("2026-09-01", &["math: 1", "staff: 1 2 3"]),
        ("2026-09-30", &["art: 3", "math: 1", "staff: 1 2 3"]),
        ("2026-10-01", &["art: 3", "math: 2", "staff: 1 2 3"]),
        ("2026-11-01", &["art: 3", "math: ", "staff: 1 3"]),
        ("2026-12-16", &["art: 3", "staff: 3"]),
        ("2027-01-10", &["art: ", "math: ", "staff: "]),
    ] {
        assert_eq!(members(&scene, today), expected, "{today}");
    }
}

/// A login passes to a new user after the old one left.
#[test]
fn a_name_may_move_to_another_user() {
    let scene = Scene::new().manifest(
        "version: 1
people: {roster: people.csv, name: login, id: id, from: came, until: left}
rooms: [{pipe: class, title: Class, members: [helper]}]
",
    );
    scene.write(
        "people.csv",
        "login,id,came,left\nhelper,1,,2026-06-30\nhelper,2,2026-09-01,\n",
    );
    assert_eq!(members(&scene, "2026-06-30"), ["class: 1"]);
    assert_eq!(members(&scene, "2026-07-01"), ["class: "]);
    assert_eq!(members(&scene, "2026-09-01"), ["class: 2"]);
    scene.write(
        "people.csv",
        "login,id,came,left\nhelper,1,,2026-06-30\nhelper,2,,\n",
    );
    let ran = scene.run("check --today 2026-06-30");
    ran.exits(3);
    ran.err
        .shows("people.csv:3:login: `helper` is user 2 here, and 1 elsewhere");
}

#[test]
fn conditions_can_use_today() {
    let scene = Scene::new().manifest(
        "version: 1
rooms: [{pipe: class, title: Class, members: [{roster: a.csv, user: id, where: {born: {before: today}}, allow_empty: true}]}]
",
    );
    scene.write("a.csv", "id,born\n1,2026-09-01\n2,2026-09-02\n");
    assert_eq!(members(&scene, "2026-09-01"), ["class: "]);
    assert_eq!(members(&scene, "2026-09-02"), ["class: 1"]);
}

#[test]
fn today_is_the_utc_date_or_the_date_of_the_flag() {
    let scene = class("1,,1999-12-31\n2,2999-01-01,\n3,1999-12-31,2999-01-01\n");
    let plan = scene.run("plan --sandbox --format json").json();
    assert_eq!(plan["changes"][0]["members"]["new"], serde_json::json!([3]));
    let today = jiff::Timestamp::now().to_string();
    assert!(
        today.starts_with(plan["today"].as_str().unwrap()),
        "{today}"
    );
    let plan = scene
        .run("plan --sandbox --format json --today 1999-12-31")
        .json();
    assert_eq!(plan["today"], "1999-12-31");
    for wrong in [
        "2026-9-1",
        "20260901",
        "2026-09-01T00:00",
        "today",
        "2026-02-30",
    ] {
        let ran = scene.run(["check", "--today", wrong]);
        ran.exits(64);
        ran.err.shows("write it as 2026-09-01");
    }
}

#[test]
fn invalid_dates_are_errors_only_in_matching_rows() {
    let scene = Scene::new().manifest(
        "version: 1
rooms: [{pipe: class, title: Class, members: [{roster: a.csv, user: id, where: {status: active}, from: start, until: end}]}]
",
    );
    scene.write(
        "a.csv",
        "id,status,start,end\n1,active,01.09.2026,\n2,left,soon,\n3,active,,2026-06-31\n",
    );
    let ran = scene.run("check");
    ran.exits(3);
    ran.err
        .shows("a.csv:2:start: `01.09.2026` is not a date")
        .shows("help: write it in the form 2026-09-01")
        .shows("a.csv:4:end: `2026-06-31` is not a date")
        .ends("invalid: 2 errors\n");
    scene.write("a.csv", "id,status,start\n1,active,\n");
    let ran = scene.run("check");
    ran.exits(3);
    ran.err.shows("`a.csv` has no column `end`");
}

/// At the end of a term, all memberships in a file end on the same day.
#[test]
fn the_end_of_a_term_is_not_refused() {
    let rows: String = (1..=9).map(|id| format!("{id},,2026-06-30\n")).collect();
    let scene = class(&rows).sandbox();
    scene.run("apply --yes --today 2026-06-30").ok();
    let plan = scene.run("plan --today 2026-07-01 --format json").json();
    assert_eq!(plan["refusals"], serde_json::json!([]));
    assert_eq!(
        plan["manual_steps"][0]["newly_removed"]
            .as_array()
            .unwrap()
            .len(),
        9
    );
    scene.run("apply --yes --today 2026-07-01").ok();
    // The rows are still counted, so that a truncated file is noticed.
    scene.write("a.csv", "id,start,end\n1,,2026-06-30\n");
    let ran = scene.run("plan --today 2026-07-02");
    ran.exits(5);
    ran.out
        .shows("`a.csv` has 1 room or membership, but had 9 when last applied");
    // A file without any row is an error, whatever the day.
    scene.write("a.csv", "id,start,end\n");
    scene.run("check --today 2026-07-02").exits(3);
}

#[test]
fn the_guard_counts_rooms_whose_dates_have_ended() {
    let scene = Scene::new().manifest(
        "version: 1
generate:
  - each: {roster: courses.csv, until: closes}
    room: {pipe: \"{{ id }}\", title: \"{{ id }}\", members: [7, 8]}
",
    );
    scene.write(
        "courses.csv",
        "id,closes\ncourse-a,2026-06-30\ncourse-b,2026-06-30\ncourse-c,\n",
    );
    let scene = scene.sandbox();
    scene.run("apply --yes --today 2026-06-30").ok();
    let plan = scene.run("plan --today 2026-07-01 --format json").json();
    assert_eq!(plan["refusals"], serde_json::json!([]));
    assert_eq!(
        plan["undeclared"],
        serde_json::json!(["course-a", "course-b"])
    );
}

#[test]
fn plans_say_how_many_memberships_end_soon() {
    let scene =
        class("1,,2026-09-14\n2,,2026-09-15\n3,,2026-09-16\n4,,\n2,2026-09-16,\n").sandbox();
    let plan = |today: &str| scene.run(format!("plan --today {today}")).ok();
    // User 2 stays in the room, because another row of this user starts on the next day.
    plan("2026-08-31").shows("1 membership of 1 room ends within 14 days");
    plan("2026-09-02").shows("2 memberships of 1 room end within 14 days");
    assert!(!plan("2026-08-30").contains("within 14 days"));
    let plan = scene.run("plan --today 2026-09-02 --format json").json();
    let note = serde_json::json!({"note": "ending_members", "rooms": 1, "members": 2});
    assert_eq!(plan["notes"], serde_json::json!([note]));
}

/// A plan file only selects which changes are applied. Dates are evaluated for the day of the
/// apply.
#[test]
fn a_saved_plan_uses_the_date_of_its_apply() {
    let scene = class("1,,2026-09-14\n2,,\n3,2026-09-15,\n").sandbox();
    scene.run("plan --today 2026-09-14 --out plan.json").ok();
    let ran = scene.run("apply plan.json --today 2026-09-15");
    ran.exits(0);
    ran.err
        .shows("`class`: skipped 1 member no longer in the manifest: 1")
        .shows("not in the saved plan: 1 member; make a new plan to apply them");
    let plan = scene.run("plan --today 2026-09-15 --format json").json();
    assert_eq!(plan["changes"][0]["members"]["new"], serde_json::json!([3]));
}
