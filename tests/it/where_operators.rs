//! Conditions of `where` in each kind of file with rows.

use crate::support::{Scene, Shows};

/// The users of a room whose only member list is this roster of `a.csv`.
fn users(filter: &str, rows: &str) -> Vec<u64> {
    let scene = Scene::new().manifest(format!(
        "version: 1\nrooms: [{{pipe: first-room, title: First, members: [{{roster: a.csv, user: id, where: {filter}}}]}}]\n"
    ));
    scene.write("a.csv", rows);
    let rendered = scene.run("render").json();
    let members = rendered["rooms"][0]["members"].as_array().unwrap().iter();
    members.map(|id| id.as_u64().unwrap()).collect()
}

#[test]
fn conditions_select_rows() {
    let rows = "id;role;clubs;born;note
1;author;chess|drama;2010-03-04;x
2;guest;drama| go ;2011-01-01T08:30:00Z;
3;Guest;;;x
4;;chess;2012-12-31;
";
    for (filter, expected) in [
        ("{role: guest}", &[2][..]),
        ("{role: [guest, \"\"]}", &[2, 4]),
        ("{role: {not: guest}}", &[1, 3, 4]),
        ("{role: {not: [guest, \"\"]}}", &[1, 3]),
        ("{clubs: {has: chess, split: \"|\"}}", &[1, 4]),
        ("{clubs: {has: [go, chess], split: \"|\"}}", &[1, 2, 4]),
        ("{clubs: {has: drama, split: \"| \"}}", &[2]),
        ("{note: {present: true}}", &[1, 3]),
        ("{note: {present: false}}", &[2, 4]),
        ("{born: {before: 2011-01-01}}", &[1]),
        ("{born: {after: \"2011-01-01\"}}", &[4]),
        ("{born: {after: 2010-03-04, before: 2012-12-31}}", &[2]),
        // A row must match in all columns, and each column must match all of its operators.
        ("{role: {not: guest}, note: {present: true}}", &[1, 3]),
        ("{role: {present: true, not: author}}", &[2, 3]),
    ] {
        assert_eq!(users(filter, rows), expected, "{filter}");
    }
}

#[test]
fn conditions_work_in_people_each_enrol_and_via() {
    let scene = Scene::new().manifest(
        "version: 1
people: {roster: people.csv, name: login, id: id, where: {left: {present: false}}}
generate:
  - each: courses.csv
    where: {tags: {has: chat, split: \";\"}}
    room:
      pipe: \"course-{{ id }}\"
      title: \"{{ id }}\"
      enrol:
        roster: enrol.csv
        on: {course: id}
        via: {roster: sections.csv, on: {section: section}, where: {state: {not: closed}}}
        user: login
        where: {since: {before: 2026-09-01}}
",
    );
    scene.write(
        "people.csv",
        "login,id,left\nann,1,\nbob,2,2026-01-01\ncyd,3,\n",
    );
    scene.write("courses.csv", "id,tags\nrust,\"new;chat\"\ngo,new\n");
    scene.write(
        "sections.csv",
        "section,course,state\na,rust,open\nb,rust,closed\n",
    );
    scene.write(
        "enrol.csv",
        "section,login,since\na,ann,2026-08-31\na,bob,2026-08-31\na,cyd,2026-09-01\nb,cyd,2026-08-31\n",
    );
    let rendered = scene.run("render").json();
    let rooms = rendered["rooms"].as_array().unwrap();
    assert_eq!(rooms.len(), 1, "{rooms:#?}");
    assert_eq!(rooms[0]["pipe"], "course-rust");
    assert_eq!(rooms[0]["members"], serde_json::json!([1]));
}

/// If another condition already leaves out a row, the date in that row is not checked.
#[test]
fn a_cell_that_is_not_a_date_is_an_error() {
    let scene = Scene::new().manifest(
        "version: 1
rooms: [{pipe: first-room, title: First, members: [{roster: a.csv, user: id, where: {role: student, since: {after: 2026-01-01}}}]}]
",
    );
    scene.write(
        "a.csv",
        "id,role,since\n1,student,2026-02-01\n2,student,01.02.2026\n3,guest,soon\n4,student,2026-02-30\n5,student,\n",
    );
    let ran = scene.run("check");
    ran.exits(3);
    ran.err.shows("a.csv:3:since: `01.02.2026` is not a date");
    ran.err.shows("a.csv:5:since: `2026-02-30` is not a date");
    ran.err.ends("invalid: 2 errors\n");
}

#[test]
fn a_condition_on_whole_cells_warns_about_cells_with_several_values() {
    let check = |filter: &str, rows: &str| {
        let scene = Scene::new().manifest(format!(
            "version: 1\nrooms: [{{pipe: first-room, title: First, members: [{{roster: a.csv, user: id, where: {filter}}}]}}]\n"
        ));
        scene.write("a.csv", rows);
        let ran = scene.run("check");
        ran.exits(0);
        ran.err
    };
    for (filter, cells, line) in [
        ("{c: go}", ["go", "go|chess", "chess|go"], Some(3)),
        ("{c: [go]}", ["go", "drama", "chess;art"], Some(4)),
        ("{c: {not: go}}", ["art", "go,chess", "go"], Some(3)),
        ("{c: go}", ["go", "drama, go", "drama"], Some(3)),
        // There is no warning if the cells are not lists, or if the condition expects a list.
        ("{c: Paris}", ["Paris", "Washington, DC", "1,234"], None),
        ("{c: \"go|art\"}", ["go|art", "art|go", "go"], None),
        ("{c: go}", ["go", "go|", "|"], None),
        ("{c: {has: go, split: \"|\"}}", ["go", "go|art", ""], None),
    ] {
        let rows = cells.iter().zip(1..);
        let rows: String = rows
            .map(|(cell, id)| format!("{id},\"{cell}\"\n"))
            .collect();
        let output = check(filter, &format!("id,c\n{rows}"));
        let warnings = output.matches("W111").count();
        assert_eq!(warnings, usize::from(line.is_some()), "{filter}: {output}");
        if let Some(line) = line {
            output.shows(format!("a.csv:{line}:c: "));
        }
    }
}

/// A role that the preset does not know is an error even if the manifest has its own condition on the role.
#[test]
fn an_unknown_role_is_an_error_even_with_not() {
    let scene = Scene::new().manifest(
        "version: 1
generate: [{format: oneroster, id: sourcedId, room: {enrol: {where: {role: {not: aide}}}}}]
",
    );
    scene.write("classes.csv", "sourcedId,title\nk1,Physics\n");
    scene.write(
        "users.csv",
        "sourcedId,role\n101,student\n102,aide\n103,student\n",
    );
    let enrolments =
        "sourcedId,classSourcedId,userSourcedId,role\ne1,k1,101,student\ne2,k1,102,aide\n";
    scene.write("enrollments.csv", enrolments);
    assert_eq!(scene.run("check").ok(), "valid: 1 room, 1 membership\n");
    scene.write(
        "enrollments.csv",
        format!("{enrolments}e3,k1,103,studnet\n"),
    );
    let ran = scene.run("check");
    ran.exits(3);
    ran.err
        .shows("enrollments.csv:4:role: `studnet` is not a known value");
}
