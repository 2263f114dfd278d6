//! `--failed`: lists exactly what is still missing, in a file that works as a roster.

use std::collections::BTreeSet;

use insta::assert_snapshot;

use crate::support::Scene;

/// The `--failed` file of a run with a wrong password, without the server's message.
fn failed(scene: &Scene, args: &str) -> String {
    let ran = scene.run(format!("{args} --failed failed.csv"));
    ran.exits(4);
    let text = scene.read("failed.csv");
    let mut table = csv::ReaderBuilder::new();
    let mut rows = table.has_headers(false).from_reader(text.as_bytes());
    let mut out = csv::Writer::from_writer(Vec::new());
    for (index, row) in rows.records().enumerate() {
        let row = row.unwrap();
        let cells = row.iter().enumerate().map(|(at, cell)| {
            let error = index > 0 && at == 2;
            assert!(!error || !cell.is_empty());
            if error { "ERROR" } else { cell }
        });
        out.write_record(cells).unwrap();
    }
    String::from_utf8(out.into_inner().unwrap()).unwrap()
}

/// Columns of several files become one table without duplicate names. Case is ignored, as in rosters.
#[test]
fn columns_of_several_rosters_are_not_duplicated() {
    let manifest = "version: 1
rooms:
  - {pipe: team-a, title: A, members: [{roster: a.csv, user: id}, {roster: b.csv, user: ID}, {roster: c.txt}]}
";
    let scene = Scene::new()
        .manifest(manifest)
        .sandbox()
        .env("IMBACHAT_PASSWORD", "wrong")
        .file("a.csv", "id;User;roster_user;Note;Note\n7;x;y;one;two\n");
    scene.write("b.csv", "note,ID,Line\nn,8,l\n");
    scene.write("c.txt", "9\n");
    assert_snapshot!(failed(&scene, "apply --yes"), @"
    pipe,user,error,source,line,id,roster_User,roster_roster_user,Note,roster_Note,roster_Line
    team-a,7,ERROR,a.csv,2,7,x,y,one,two,
    team-a,8,ERROR,b.csv,2,8,,,n,,l
    team-a,9,ERROR,c.txt,1,,9,,,,
    ");
    // A roster can select by each of these columns.
    for column in ["id", "note", "roster_user", "roster_line", "pipe", "source"] {
        scene.write("again.yaml", format!("version: 1\nrooms: [{{pipe: team-a, title: A, members: [{{roster: failed.csv, user: user, where: {{{column}: [\"7\", n, \"\", x, y, l, one, team-a, a.csv]}}}}]}}]\n"));
        scene.run("check -f again.yaml").ok();
    }
}

/// If the `--failed` file is used as a roster of enrolments, it adds exactly the members that
/// were missing in each room.
#[test]
fn the_file_works_as_a_roster_of_enrolments() {
    let manifest = "version: 1
generate:
  - each: courses.csv
    room: {pipe: \"course-{{ id }}\", title: \"Course {{ id }}\", members: [1], enrol: {roster: enrollments.csv, on: {course: id}, user: user, where: {status: active}}}
";
    let scene = Scene::new()
        .manifest(manifest)
        .sandbox()
        .file("courses.csv", "id\n1\n2\n");
    let rows: String = (1..=6)
        .map(|row| format!("{},{},active\n", row % 2 + 1, 100 + row))
        .collect();
    scene.write(
        "enrollments.csv",
        format!("course,user,status\n{rows}1,199,left\n"),
    );
    scene.run("apply --yes --only course-1").ok();
    let scene = scene.env("IMBACHAT_PASSWORD", "wrong");
    let list = failed(&scene, "apply --yes");
    assert_snapshot!(list, @"
    pipe,user,error,source,line,course,roster_user,status
    course-2,1,ERROR,rooms.yaml,4,,,
    course-2,101,ERROR,enrollments.csv,2,2,101,active
    course-2,103,ERROR,enrollments.csv,4,2,103,active
    course-2,105,ERROR,enrollments.csv,6,2,105,active
    ");
    scene.write(
        "again.yaml",
        "version: 1
generate:
  - each: {roster: failed.csv, distinct: pipe}
    room: {pipe: \"{{ pipe }}\", title: Again, ignore: [title], enrol: {roster: failed.csv, on: {pipe: pipe}, user: user}}
",
    );
    let csv = scene.run("render -f again.yaml --format csv").ok();
    let pairs = |text: &str, user: usize| -> BTreeSet<(String, String)> {
        let lines = text.lines().skip(1);
        let cells = lines.map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        cells.map(|it| (it[0].clone(), it[user].clone())).collect()
    };
    assert_eq!(pairs(&csv, 4), pairs(&list, 1));
    assert_eq!(pairs(&list, 1).len(), 4);
}

/// The file does not list members that an earlier run confirmed.
#[test]
fn a_resumed_saved_plan_lists_only_missing_members() {
    let room = |members: &str| {
        format!(
            "version: 1\nwidget: 627\nrooms: [{{pipe: team-a, title: A, members: [{members}]}}]\n"
        )
    };
    let scene = Scene::new().manifest(room("1")).applied();
    scene.declare(room("1, 2, 3, 4, 5"));
    scene.run("plan --out plan.json").ok();
    scene.declare(room("1, 2, 4"));
    scene.apply().ok();
    scene.declare(room("1, 2, 3, 4, 5"));
    let scene = scene.env("IMBACHAT_PASSWORD", "wrong");
    assert_snapshot!(failed(&scene, "apply plan.json"), @"
    pipe,user,error,source,line
    team-a,3,ERROR,rooms.yaml,3
    team-a,5,ERROR,rooms.yaml,3
    ");
}

/// Cells are copied exactly, but control characters must not reach a terminal.
#[cfg(unix)]
#[test]
fn file_names_are_escaped_and_cells_are_copied_exactly() {
    let manifest = "version: 1\nrooms: [{pipe: team-a, title: A, members: [{roster: \"a\\e[2J.csv\", user: user}]}]\n";
    let scene = Scene::new()
        .manifest(manifest)
        .sandbox()
        .env("IMBACHAT_PASSWORD", "wrong");
    scene.write(
        "a\u{1b}[2J.csv",
        "user,note,more\n7,=1+1,\"@x\"\"y\ntwo\"\n",
    );
    assert_snapshot!(failed(&scene, "apply --yes"), @r#"
    pipe,user,error,source,line,roster_user,note,more
    team-a,7,ERROR,a\u{1b}[2J.csv,2,7,=1+1,"@x""y
    two"
    "#);
}

/// A reader takes the closing of a pipe for the end of the data, so the pipe is opened only once, and only if there is
/// output.
#[cfg(unix)]
#[test]
fn a_named_pipe_is_opened_once() {
    let scene = Scene::new()
        .manifest("version: 1\nrooms:\n  - {pipe: team-a, title: A}\n")
        .sandbox();
    let fifo = scene.path("report.pipe");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    let reader = std::thread::spawn(move || {
        let mut read = Vec::new();
        while read.last().is_none_or(String::is_empty) {
            read.push(std::fs::read_to_string(&fifo).unwrap());
        }
        read
    });
    scene.run("apply --yes --report report.pipe").ok();
    let read = reader.join().unwrap();
    assert_eq!(read.len(), 1, "{read:?}");
    let report: serde_json::Value = serde_json::from_str(&read[0]).unwrap();
    assert_eq!(report["kind"], "report");
}
