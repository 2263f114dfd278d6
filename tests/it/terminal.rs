//! Runs with a terminal: the question before anything is written, colour, and the width of tables.
#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use roomform::sandbox::Room;

use crate::support::{Running, Scene, Shows};

const MANIFEST: &str = "version: 1\nrooms:\n  - {pipe: team-a, title: Team A, members: [3]}\n";

/// Runs the program on its own terminal (made by `script` of util-linux).
fn on_a_terminal(scene: &Scene, args: &[&str]) -> Running {
    after(scene, "true", args)
}

/// Like [`on_a_terminal`], but runs a shell command first.
fn after(scene: &Scene, before: &str, args: &[&str]) -> Running {
    let words: Vec<String> = args.iter().map(|arg| format!("'{arg}'")).collect();
    let program = scene.command([]);
    let mut command = Command::new("script");
    let line = format!(
        "{before}; {} {}",
        program.get_program().to_str().unwrap(),
        words.join(" ")
    );
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    command
        .current_dir(program.get_current_dir().unwrap())
        .env_clear()
        .env("TERM", "xterm")
        .env("SHELL", "/bin/sh");
    command.env("PATH", "/usr/bin:/bin");
    command.envs(
        program
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    Running::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()))
}

const QUESTION: &str = "Apply this plan to widget 627 on http://";

/// Waits for the prompt and answers it; returns all output and the exit code.
fn answered(scene: &Scene, answer: &str) -> (String, i32) {
    answered_to(scene, &["apply"], QUESTION, answer)
}

fn answered_to(scene: &Scene, args: &[&str], question: &str, answer: &str) -> (String, i32) {
    let child = on_a_terminal(scene, args);
    typed(child, question, &format!("{answer}\r"))
}

/// Waits for the prompt, then sends the keys.
fn typed(mut child: Running, question: &str, pressed: &str) -> (String, i32) {
    let (mut shown, mut piece) = (Vec::new(), [0; 1024]);
    let mut screen = child.stdout.take().unwrap();
    while !String::from_utf8_lossy(&shown).contains(question) {
        let count = screen.read(&mut piece).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&shown));
        shown.extend_from_slice(&piece[..count]);
    }
    let mut keys = child.stdin.take().unwrap();
    keys.write_all(pressed.as_bytes()).unwrap();
    screen.read_to_end(&mut shown).unwrap();
    drop(keys);
    (
        String::from_utf8_lossy(&shown).into_owned(),
        child.wait().unwrap().code().unwrap(),
    )
}

#[test]
fn answering_no_writes_nothing_and_exits_with_0() {
    let scene = Scene::new().manifest(MANIFEST).sandbox();
    let (shown, code) = answered(&scene, "n");
    assert_eq!((code, scene.writes()), (0, 0), "{shown}");
    assert!(!scene.path(".roomform").exists());
}

#[test]
fn only_the_whole_word_yes_means_yes() {
    let scene = Scene::new().manifest(MANIFEST).sandbox();
    // Ctrl-D on an empty line ends the input; after a word it sends the word without Enter.
    for keys in [
        "not yet\r",
        "maybe\r",
        "y\r",
        "Yes\r",
        "YES\r",
        "yess\r",
        "yes please\r",
        "\r",
        "\u{4}",
        "yes\u{4}\u{4}",
    ] {
        let (shown, code) = typed(on_a_terminal(&scene, &["apply"]), QUESTION, keys);
        assert_eq!((code, scene.writes()), (0, 0), "{keys:?}: {shown}");
        let expected = "nothing was applied: the answer was not `yes`";
        assert!(shown.contains(expected), "{keys:?}: {shown}");
    }
    let (shown, code) = answered(&scene, "yes");
    assert_eq!((code, scene.writes()), (0, 1), "{shown}");
    let line = shown.lines().find(|line| line.contains(QUESTION)).unwrap();
    assert!(line.ends_with("? yes"), "the answer is echoed: {line:?}");
}

#[test]
fn keys_typed_before_the_question_are_discarded() {
    let scene = Scene::new().manifest(MANIFEST).sandbox();
    // The shell reads the first line. The other lines are in the terminal's buffer before the program starts.
    let mut child = after(&scene, "read -r line", &["apply"]);
    let keys = child.stdin.as_mut().unwrap();
    keys.write_all(b"go\ryes\ryes").unwrap();
    let (shown, code) = typed(child, QUESTION, "\r");
    assert_eq!((code, scene.writes()), (0, 0), "{shown}");
    let typed_ahead = shown.split(QUESTION).next().unwrap();
    assert!(typed_ahead.contains("yes\r\nyes"), "{shown}");
}

#[test]
fn ctrl_c_at_the_question_restores_the_terminal() {
    let scene = Scene::new().manifest(MANIFEST).sandbox();
    for (args, question) in [
        (&["apply"][..], QUESTION),
        (
            &["doctor", "--write-probe", "probe-1"],
            "Create the room `probe-1` in widget 627",
        ),
    ] {
        // The shell also gets Ctrl-C, and continues after it.
        let settings = "stty -g > before; trap : INT; trap 'stty -g > after' EXIT";
        let (shown, code) = typed(after(&scene, settings, args), question, "\u{3}");
        assert_eq!((code, scene.writes()), (130, 0), "{shown}");
        shown.shows("nothing was written");
        assert!(
            !shown.contains("\u{1b}[?25l"),
            "no hidden cursor: {shown:?}"
        );
        assert_eq!(scene.read("before"), scene.read("after"));
    }
}

#[test]
fn answering_yes_applies_and_only_terminals_get_colour() {
    let scene = Scene::new().manifest(MANIFEST).sandbox();
    let (shown, code) = answered(&scene, "yes");
    assert_eq!((code, scene.writes()), (0, 1), "{shown}");
    shown.shows("1 verified").shows("\u{1b}[");
    let scene = scene.env("NO_COLOR", "1");
    scene.declare(MANIFEST.replace("Team A", "Team B"));
    let (shown, _) = answered(&scene, "n");
    let plan = shown.split(QUESTION).next().unwrap();
    assert!(
        plan.contains("\"Team A\" → \"Team B\"") && !plan.contains("\u{1b}[3"),
        "{shown}"
    );
}

#[test]
fn lines_that_need_attention_are_repeated_before_the_question() {
    let manifest = "version: 1\nrooms:\n  - {pipe: a, title: A, members: [3]}\n  - {pipe: lobby, title: Lobby, public: true}\n";
    let scene = Scene::new().manifest(manifest).sandbox();
    let (shown, _) = answered(&scene.env("NO_COLOR", "1"), "n");
    let places: Vec<usize> = [
        "! lobby ",
        "+ a ",
        "plan: 2 to create",
        "needs attention:\r\n  ! new and public: `lobby` \"Lobby\": create conference, public",
        QUESTION,
    ]
    .map(|part| {
        shown
            .find(part)
            .unwrap_or_else(|| panic!("{part}: {shown}"))
    })
    .to_vec();
    assert!(places.is_sorted(), "{places:?}: {shown}");
    // If no line needs attention, nothing is repeated before the question.
    let scene = Scene::new().manifest(MANIFEST).sandbox();
    let (shown, _) = answered(&scene, "n");
    shown.as_str().lacks("needs attention");
}

#[test]
fn a_write_probe_asks_too() {
    let scene = Scene::new().manifest(MANIFEST).sandbox();
    let probe = ["doctor", "--write-probe", "probe-1"];
    let asked = |answer| {
        answered_to(
            &scene,
            &probe,
            "Create the room `probe-1` in widget 627",
            answer,
        )
    };
    let (shown, code) = asked("n");
    assert_eq!((code, scene.writes()), (0, 0), "{shown}");
    shown.shows("the answer was not `yes`");
    let (shown, code) = asked("yes");
    assert_eq!((code, scene.writes()), (0, 2), "{shown}");
}

#[test]
fn a_table_fits_its_terminal() {
    let scene = Scene::new().sandbox();
    scene.insert(Room {
        pipe: "course-rust-101".to_owned(),
        name: "漢字かな交じり文 · a title that is too long for any terminal".to_owned(),
        ..Room::default()
    });

    let shown = |columns: &str| {
        let args = [
            "get", "rooms", "--type", "dialog", "--quiet", "--color", "never",
        ];
        let child = after(&scene, &format!("stty cols {columns}"), &args);
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    };
    insta::assert_snapshot!(shown("64"), @"
    id  pipe             name         type    is_public  updated_at
    1   course-rust-101  漢字かな交…  dialog  closed     1970-01-01…
    ");
    insta::assert_snapshot!(shown("40"), @"
    row 1
    id          1
    pipe        course-rust-101
    name        漢字かな交じり文 · a title …
    type        dialog
    is_public   closed
    updated_at  1970-01-01 00:00:00
    ");
    assert_eq!(shown("200").lines().count(), 2);
    for columns in [200, 100, 64, 50, 40, 30] {
        let shown = shown(&columns.to_string());
        let widest = shown
            .lines()
            .map(unicode_width::UnicodeWidthStr::width)
            .max();
        assert!(widest.unwrap() <= columns, "{columns}: {shown}");
    }
}

/// Users copy pipes and ids from tables into other commands (`send`, `--only`,
/// `ledger forget`), so pipes and ids are never cut. Instead, the other columns shrink, or each
/// field gets its own line, which the terminal wraps if needed.
#[test]
fn pipes_and_ids_are_never_cut() {
    const PIPE: &str = "6b0a21b800000_1764291600";
    const LONG: &str = "course-rust-101-autumn-2026-group-of-the-evening";
    let scene = |pipes: &[&str]| {
        let server = Scene::new().sandbox();
        for pipe in pipes {
            server.insert(Room {
                pipe: (*pipe).to_owned(),
                name: "Technical support of the whole school".to_owned(),
                ..Room::default()
            });
        }
        server
    };
    let shown = |server: &Scene, columns: &str| {
        let scene = Scene::new().beside(server);
        let args = [
            "get", "rooms", "--type", "dialog", "--quiet", "--color", "never",
        ];
        let child = after(&scene, &format!("stty cols {columns}"), &args);
        let shown = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        shown.replace("\r\n", "\n")
    };
    let usual = scene(&[PIPE, "team-a"]);
    insta::assert_snapshot!(shown(&usual, "80"), @"
    id  pipe                      name             type    is_public  updated_at
    2   team-a                    Technical supp…  dialog  closed     1970-01-01 00…
    1   6b0a21b800000_1764291600  Technical supp…  dialog  closed     1970-01-01 00…
    ");
    insta::assert_snapshot!(shown(&usual, "60"), @"
    id  pipe                      name    type    is_pu…  updat…
    2   team-a                    Techn…  dialog  closed  1970-…
    1   6b0a21b800000_1764291600  Techn…  dialog  closed  1970-…
    ");
    insta::assert_snapshot!(shown(&usual, "40"), @"
    row 1
    id          2
    pipe        team-a
    name        Technical support of the wh…
    type        dialog
    is_public   closed
    updated_at  1970-01-01 00:00:00

    row 2
    id          1
    pipe        6b0a21b800000_1764291600
    name        Technical support of the wh…
    type        dialog
    is_public   closed
    updated_at  1970-01-01 00:00:00
    ");
    let long = scene(&[LONG]);
    insta::assert_snapshot!(shown(&long, "40"), @"
    row 1
    id          1
    pipe        course-rust-101-autumn-2026-group-of-the-evening
    name        Technical support of the wh…
    type        dialog
    is_public   closed
    updated_at  1970-01-01 00:00:00
    ");
    for (server, pipe) in [(usual, PIPE), (long, LONG)] {
        for columns in [200, 100, 80, 70, 60, 50, 40, 30, 20, 10] {
            let shown = shown(&server, &columns.to_string());
            assert!(shown.contains(pipe), "{columns}: {shown}");
        }
    }
}

/// A table with more columns than fit is not shown as a table: each field gets its own line.
#[test]
fn a_table_that_is_too_wide_is_printed_field_by_field() {
    let scene = Scene::new().sandbox();
    for (pipe, name) in [
        (
            "course-rust-101",
            "漢字かな交じり文 · too long for any terminal",
        ),
        ("b", "B"),
    ] {
        scene.insert(Room {
            pipe: pipe.to_owned(),
            name: name.to_owned(),
            ..Room::default()
        });
    }

    let shown = |columns: &str, named: &str| {
        let args = [
            "get",
            "rooms",
            "--type",
            "dialog",
            "--quiet",
            "--color",
            "never",
            "--columns",
            named,
        ];
        let child = after(&scene, &format!("stty cols {columns}"), &args);
        String::from_utf8(child.wait_with_output().unwrap().stdout)
            .unwrap()
            .replace("\r\n", "\n")
    };
    let all =
        "id,pipe,name,admin_id,type,tab,is_public,created_at,updated_at,deleted_at,status,imba_id";
    insta::assert_snapshot!(shown("40", all), @"
    row 1
    id          2
    pipe        b
    name        B
    admin_id    1
    type        dialog
    tab         0
    is_public   closed
    created_at  1970-01-01 00:00:00
    updated_at  1970-01-01 00:00:00
    deleted_at  -
    status      0
    imba_id     627

    row 2
    id          1
    pipe        course-rust-101
    name        漢字かな交じり文 · too long…
    admin_id    1
    type        dialog
    tab         0
    is_public   closed
    created_at  1970-01-01 00:00:00
    updated_at  1970-01-01 00:00:00
    deleted_at  -
    status      0
    imba_id     627
    ");
    insta::assert_snapshot!(shown("100", all), @"
    id  pipe             name     admin_id  type    tab  is_pu…  creat…  updat…  delet…  status  imba_id
    2   b                B        1         dialog  0    closed  1970-…  1970-…  -       0       627
    1   course-rust-101  漢字か…  1         dialog  0    closed  1970-…  1970-…  -       0       627
    ");
    let more = format!("{all},{all}");
    insta::assert_snapshot!(shown("80", &more).lines().take(4).collect::<Vec<_>>().join("\n"), @"
    row 1
    id          2
    pipe        b
    name        B
    ");
    for columns in [120, 100, 80, 60, 40, 20, 10] {
        for named in [all, &more, "created_at,updated_at,deleted_at,is_public"] {
            let shown = shown(&columns.to_string(), named);
            let cut = shown.lines().filter(|line| !line.contains("rust-101"));
            let widest = cut.map(unicode_width::UnicodeWidthStr::width).max();
            assert!(widest.unwrap() <= columns, "{columns}: {shown}");
        }
    }
    // Without a terminal there is no width limit.
    let piped = scene.run(["get", "rooms", "--columns", &more]).ok();
    assert_eq!(piped.lines().count(), 4);
}
