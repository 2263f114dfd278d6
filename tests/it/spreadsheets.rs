//! CSV for programs, and `--spreadsheet`, which writes CSV so that a spreadsheet program does
//! not run its cells as formulas.

use insta::assert_snapshot;

use crate::support::{Scene, Shows, live_room};

const MANIFEST: &str = "version: 1
rooms:
  - {pipe: team-a, title: \"=1+1; a\", members: [3]}
  - {pipe: -team-b, title: \"＝1, b\"}
  - {pipe: team-c, title: Команда}
";

#[test]
fn render_writes_for_programs_or_for_a_spreadsheet() {
    let scene = Scene::new().manifest(MANIFEST);
    assert_snapshot!(scene.run("render --format csv").ok(), @r#"
    pipe,title,type,public,user
    -team-b,"＝1, b",conference,false,
    team-a,=1+1; a,conference,false,3
    team-c,Команда,conference,false,
    "#);
    let sheet = scene.run("render --format csv --spreadsheet").ok();
    assert_snapshot!(sheet.strip_prefix('\u{feff}').unwrap(), @r#"
    pipe;title;type;public;user
    '-team-b;'＝1, b;conference;false;
    team-a;"'=1+1; a";conference;false;3
    team-c;Команда;conference;false;
    "#);
}

#[test]
fn get_writes_for_programs_or_for_a_spreadsheet() {
    let scene = Scene::new().sandbox();
    let scene = scene.live(live_room("team-a", "@SUM(1;2)"));
    let get = "get rooms --type conference --columns pipe,name,type --format csv";
    assert_eq!(scene.run(get).ok(), "pipe,name,type\nteam-a,@SUM(1;2),1\n");
    let sheet = scene.run(format!("{get} --spreadsheet").as_str()).ok();
    assert_eq!(sheet, "\u{feff}pipe;name;type\nteam-a;\"'@SUM(1;2)\";1\n");
}

#[test]
fn todo_writes_for_programs_or_for_a_spreadsheet() {
    let scene = Scene::new().manifest(MANIFEST).applied();
    scene.declare(MANIFEST.replace("[3]", "[]"));
    scene.apply().ok();
    scene
        .run("todo --format csv")
        .ok()
        .shows(",team-a,=1+1; a,3,");
    let sheet = scene.run("todo --format csv --spreadsheet").ok();
    sheet.shows("\u{feff}room_id;pipe;");
    sheet.shows(";team-a;\"'=1+1; a\";3;");
}

#[test]
fn spreadsheet_needs_the_csv_format() {
    let scene = Scene::new().manifest(MANIFEST).sandbox();
    for verb in ["render", "render --format json", "get rooms", "todo"] {
        let ran = scene.run(format!("{verb} --spreadsheet").as_str());
        ran.exits(64);
        // With `--format json`, the error is on stdout.
        ran.all().shows("--spreadsheet is for CSV");
        ran.all().shows("add --format csv");
    }
}
