//! `-v` and the JSON document of `check` show how many rows of each file were used and skipped,
//! and the counts add up.

use serde_json::{Value, json};

use crate::support::{Scene, Shows};

/// The counts of each use of a file, without zeros, in the order of the manifest.
fn counts(scene: &Scene) -> Vec<Value> {
    let ran = scene.run("check --today 2026-09-01 --format json");
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let files = document["files"].as_array().unwrap().iter();
    let counts = files.map(|file| {
        let mut rows = file["rows"].as_object().unwrap().clone();
        let read = rows.remove("read").unwrap().as_u64().unwrap();
        let sum: u64 = rows.values().map(|count| count.as_u64().unwrap()).sum();
        assert_eq!(read, sum, "{file}");
        rows.retain(|_, count| count != 0);
        json!([file["file"], rows])
    });
    counts.collect()
}

/// The counts of `a.csv` with these rows, if it is used as a roster with these keys.
fn roster(keys: &str, rows: &str) -> Value {
    let scene = Scene::new().manifest(format!(
        "version: 1
people: {{roster: people.csv, name: login, id: id, where: {{state: active}}, allow_empty: true}}
rooms: [{{pipe: class, title: Class, members: [{{roster: a.csv, {keys}}}]}}]
"
    ));
    scene.write(
        "people.csv",
        "login,id,state\nanna,1,active\nboris,2,left\n",
    );
    scene.write("a.csv", rows);
    counts(&scene)[1][1].clone()
}

#[test]
fn every_row_of_a_roster_is_counted_once() {
    let conditions = "user: id, where: {status: active}, until: end";
    let rows =
        "id,status,end\n7,active,\n\n,,\n8,left,\n9,active,2026-08-31\n10,active,2026-09-01\n\n\n";
    assert_eq!(
        roster(conditions, rows),
        json!({"used": 2, "left_out": 1, "outside_dates": 1, "blank": 2})
    );
    // A person whom the `where` of `people` leaves out.
    assert_eq!(
        roster("user: login", "login\nanna\nboris\n"),
        json!({"used": 1, "left_out": 1})
    );
    // Rows without any user.
    assert_eq!(
        roster("user: [a, b]", "a,b,c\n7,,x\n,,x\n,8,x\n"),
        json!({"used": 2, "blank": 1})
    );
    assert_eq!(
        roster(
            "user: {column: ids, split: \"|\"}",
            "ids,c\n7|8,x\n|,x\n9,x\n"
        ),
        json!({"used": 2, "blank": 1})
    );
    // A row with a user counts as used, even if it also names a person who is left out.
    assert_eq!(
        roster("user: [a, b]", "a,b\nboris,anna\n"),
        json!({"used": 1})
    );
    // Each number in the column names makes a separate row.
    assert_eq!(
        roster(
            "user: id, numbered: [course], where: {course: math}",
            "id,course1,course2\n7,math,art\n8,math,\n9,,\n"
        ),
        json!({"used": 2, "left_out": 1, "blank": 1})
    );
    assert_eq!(
        roster("user: id", "id,name\n7,x\n8\nx,y\n9,\n"),
        json!({"used": 2, "invalid": 2})
    );
}

/// A later use reads only the rows that its `where` finds.
#[test]
fn a_later_use_of_a_file_counts_like_the_first() {
    let entry = |term: &str, number: &str| {
        let on =
            format!("on: {{course: id, section: section}}, user: user, where: {{part: {term}}}");
        let each =
            format!("{{roster: courses.csv, numbered: teacher}}, where: {{teacher: {number}}}");
        let room =
            format!("{{pipe: \"c-{{{{ id }}}}\", title: C, enrol: {{roster: enrol.csv, {on}}}}}");
        format!("  - {{each: {each}, room: {room}}}\n")
    };
    let entries = [entry("a", "x"), entry("b", "y")].concat();
    let scene = Scene::new().manifest(format!("version: 1\ngenerate:\n{entries}"));
    scene.write(
        "courses.csv",
        "id,section,teacher1,teacher2\nk1,1,x,\nk2,1,,y\nk3,1,,\n",
    );
    scene.write(
        "enrol.csv",
        "course,section,user,part\nk1,1,7,a\nk2,1,8,b\nk2,2,9,b\nk3,1,9,a\n",
    );
    let courses = json!(["courses.csv", {"used": 1, "left_out": 1, "blank": 1}]);
    let enrol = json!(["enrol.csv", {"used": 1, "left_out": 2, "unmatched": 1}]);
    assert_eq!(
        counts(&scene),
        [courses.clone(), enrol.clone(), courses, enrol]
    );
    let warnings = scene.run("check").err;
    assert_eq!(warnings.matches("W105").count(), 2, "{warnings}");
}

/// Entries that join the same rows are one use: a row is used if any of them uses it.
#[test]
fn equal_uses_of_a_roster_are_counted_once() {
    let entry = |term: &str| {
        let people = "people: {roster: people.csv, name: login, id: id}";
        let via = "via: {roster: sections.csv, on: {section: section}}";
        let enrol =
            format!("{{roster: enrol.csv, on: {{course: id}}, {via}, user: login, {people}}}");
        let room = format!("{{pipe: \"c-{{{{ id }}}}\", title: C, enrol: {enrol}}}");
        format!("  - {{each: courses.csv, where: {{term: {term}}}, room: {room}}}\n")
    };
    let entries = ["a", "b"].map(entry).concat();
    let scene = Scene::new().manifest(format!("version: 1\ngenerate:\n{entries}"));
    scene.write("courses.csv", "id,term\nk1,a\nk2,b\nk3,c\n");
    scene.write("sections.csv", "section,course\ns1,k1\ns2,k2\ns3,k3\n");
    scene.write("people.csv", "login,id\nanna,7\nboris,8\n");
    scene.write(
        "enrol.csv",
        "login,course,section\nanna,k1,\nboris,,s2\nanna,,s3\nboris,k9,\n",
    );
    let courses = json!(["courses.csv", {"used": 1, "left_out": 2}]);
    assert_eq!(
        counts(&scene),
        [
            courses.clone(),
            json!(["enrol.csv", {"used": 2, "left_out": 1, "unmatched": 1}]),
            json!(["sections.csv", {"used": 3}]),
            json!(["people.csv", {"used": 2}]),
            courses,
        ]
    );
    let warnings = scene.run("check").err;
    assert_eq!(warnings.matches("W105").count(), 1, "{warnings}");
    scene
        .run("render --format csv")
        .ok()
        .shows("c-k1,C,conference,false,7\nc-k2,C,conference,false,8\n");
}

#[test]
fn lines_of_a_text_file_are_counted() {
    let scene = Scene::new()
        .manifest("version: 1\nrooms: [{pipe: class, title: Class, members: [{roster: a.txt}]}]\n");
    scene.write("a.txt", "# class\n7\n\n 8\n\n");
    assert_eq!(counts(&scene), [json!(["a.txt", {"used": 2, "blank": 2}])]);
}

#[test]
fn every_row_of_generated_rooms_is_counted_once() {
    let scene = Scene::new().manifest(
        "version: 1
people: {roster: people.csv, name: [login, mail], id: id, until: left}
generate:
  - each: {roster: courses.csv, distinct: id, until: closes}
    where: {state: open}
    room:
      pipe: \"course-{{ id }}\"
      title: \"{{ id }}\"
      enrol:
        roster: enrol.csv
        on: {course: id}
        via: {roster: sections.csv, on: {section: section}, where: {state: open}, until: closes}
        user: login
",
    );
    scene.write(
        "people.csv",
        "login,mail,id,left\nanna,,1,\n,boris@example.com,2,2026-08-31\n,,3,\n",
    );
    scene.write(
        "courses.csv",
        "id,state,closes\n1,open,\n1,open,\n2,shut,\n3,open,2026-08-31\n3,open,2026-08-31\n",
    );
    scene.write(
        "sections.csv",
        "section,course,state,closes\na,1,open,\nb,1,shut,\nc,1,open,2026-08-31\n",
    );
    scene.write(
        "enrol.csv",
        "login,course,section
anna,1,
anna,2,
anna,3,
anna,4,
anna,,a
anna,,b
anna,,c
boris@example.com,1,
",
    );
    assert_eq!(
        counts(&scene),
        [
            json!(["people.csv", {"used": 1, "outside_dates": 1, "blank": 1}]),
            json!(["courses.csv", {"used": 1, "repeated": 1, "left_out": 1, "outside_dates": 2}]),
            // Each unused row has a different reason: course left out, course outside its
            // dates, unknown course, section left out, section outside its dates, person
            // outside their dates.
            json!(["enrol.csv", {"used": 2, "left_out": 2, "outside_dates": 3, "unmatched": 1}]),
            json!(["sections.csv", {"used": 1, "left_out": 1, "outside_dates": 1}]),
        ]
    );
}

#[test]
fn each_use_of_a_file_is_counted_separately() {
    let scene = Scene::new().manifest(
        "version: 1
rooms:
  - {pipe: class-a, title: A, members: [{roster: a.csv, user: id, where: {class: a}}]}
  - {pipe: class-b, title: B, members: [{roster: a.csv, user: id, where: {class: b}}]}
",
    );
    scene.write("a.csv", "id,class\n1,a\n2,b\n\n3,b\n");
    let ran = scene.run("check -v");
    ran.err
        .shows("file=a.csv by=rooms.yaml:3 encoding=UTF-8 delimiter=, rows=\"4 read: 1 blank, 2 left_out, 1 used\"")
        .shows("file=a.csv by=rooms.yaml:4 encoding=UTF-8 delimiter=, rows=\"4 read: 1 blank, 1 left_out, 2 used\"");
}
