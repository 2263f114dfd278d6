//! Malicious manifests in the real program: it must report a short error, use bounded memory, and exit.
//!
//! Where the system supports it (`ulimit -v`), each run has an address space limit, and a run over the limit fails the test.

use std::iter::repeat_n;
use std::process::{Command, Stdio};

use crate::support::{Ran, Scene, Shows};

/// Address space in megabytes for all but the largest files. The program itself uses about 30.
const LITTLE: usize = 512;
/// Maximum output for one error, in bytes.
const ONE: usize = 1500;
/// Maximum output for all errors that are shown, in bytes.
const ALL: usize = 100_000;

/// Runs `check` on `rooms.yaml` with this many megabytes of address space, and with half a minute of
/// CPU time.
#[expect(clippy::print_stderr, reason = "prints the limits that were not tried")]
#[track_caller]
fn check(scene: &Scene, megabytes: usize, more: &[&str]) -> Ran {
    let args = [&["check", "-f", "rooms.yaml"], more].concat();
    if !cfg!(target_os = "linux") {
        eprintln!("the limit of {megabytes} MB is not tried: this system has no `ulimit -v`");
        return scene.run(&args);
    }
    let output = Command::new("/bin/sh")
        .args([
            "-c",
            r#"ulimit -t 30 && ulimit -v "$1" && shift && exec "$@""#,
            "sh",
        ])
        .arg((megabytes * 1024).to_string())
        .arg(env!("CARGO_BIN_EXE_roomform"))
        .args(args)
        .current_dir(scene.path(""))
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let code = output.status.code();
    Ran {
        code: code.unwrap_or_else(|| panic!("{}: {}", output.status, text(&output.stderr))),
        out: text(&output.stdout),
        err: text(&output.stderr),
    }
}

/// The error output for a manifest that must be rejected. The output has at most `most` bytes.
#[track_caller]
fn refused(manifest: impl AsRef<[u8]>, most: usize) -> String {
    let scene = Scene::new();
    scene.declare(manifest);
    let ran = check(&scene, LITTLE, &[]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:#?}");
    let length = ran.err.len();
    assert!(length <= most, "{length} bytes: {}", ran.err);
    assert_harmless(&ran.err);
    ran.err
}

#[test]
fn a_title_cannot_look_like_another_change() {
    let scene = Scene::new().manifest(r#"{"version": 1, "rooms": [{"pipe": "a", "title": "Old\" → \"New", "welcome": {"from": 3, "text": "\"hi\""}}]}"#);
    let plan = scene.run("plan --sandbox").ok();
    for line in [
        r#"      title   "Old\" → \"New""#,
        r#"      welcome from 3: "\"hi\"""#,
    ] {
        assert!(plan.lines().any(|it| it == line), "{line}: {plan}");
    }
}

/// The output for a manifest that must be accepted.
#[track_caller]
fn accepted(manifest: impl AsRef<[u8]>) -> String {
    let scene = Scene::new();
    scene.declare(manifest);
    let ran = check(&scene, LITTLE, &[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:#?}");
    ran.out
}

/// The text must not move the cursor, change colors, or reverse or hide text.
#[track_caller]
fn assert_harmless(text: &str) {
    let harmful = |c: &char| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let found: Vec<char> = text.chars().filter(harmful).collect();
    assert!(found.is_empty(), "{found:?} in {text:?}");
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    items.join(", ")
}

fn lines(items: impl IntoIterator<Item = String>) -> String {
    items.into_iter().map(|line| line + "\n").collect()
}

const ROOM: &str = "rooms: [{pipe: first-room, title: First}]\n";

#[test]
fn an_alias_bomb_is_refused() {
    let levels = (1..10).map(|level| {
        let inner = list(repeat_n(format!("*l{}", level - 1), 10));
        format!("  l{level}: &l{level} [{inner}]")
    });
    let head = "version: 1\ngroups:\n  l0: &l0 [3, 3, 3, 3, 3, 3, 3, 3, 3, 3]\n";
    let output = refused(format!("{head}{}{ROOM}", lines(levels)), ONE);
    output.begins("error[E005 alias-bomb]: ");
    output.shows("rooms.yaml:8:");
}

#[test]
fn many_aliases_of_one_long_list_are_refused() {
    let (long, many) = (list(repeat_n(3, 1000)), list(repeat_n("*a", 2000)));
    let bomb = format!("version: 1\ngroups:\n  a: &a [{long}]\n  b: [{many}]\n{ROOM}");
    refused(bomb, ONE).begins("error[E005 alias-bomb]: ");
    let rooms = (0..500).map(|n| format!("  - {{pipe: room-{n}, title: Room, members: *all}}"));
    let fine = format!(
        "version: 1\ngroups: {{all: &all [{}]}}\nrooms:\n{}",
        list(1..=1000),
        lines(rooms)
    );
    assert_eq!(accepted(fine), "valid: 500 rooms, 500000 memberships\n");
}

#[test]
fn a_chain_of_anchors_is_refused() {
    let chain = (1..1400).map(|n| format!("  g{n}: &a{n} [*a{}]", n - 1));
    let output = refused(
        format!("version: 1\ngroups:\n  g0: &a0 [3]\n{}{ROOM}", lines(chain)),
        ALL,
    );
    output.shows("a member must be an id, a name, a \"@group\" or a roster, not a list");
    output.ends("the manifest is invalid: 1399 errors; 1199 of them not shown\n");
}

#[test]
fn ten_thousand_levels_of_nesting_are_refused() {
    let deep = 10_000;
    let cases = [
        format!(
            "version: 1\ngroups: {}{}\n",
            "[".repeat(deep),
            "]".repeat(deep)
        ),
        format!(
            "version: 1\ngroups: {}1{}\n",
            "{a: ".repeat(deep),
            "}".repeat(deep)
        ),
        format!("version: 1\ngroups:\n  {}1\n", "- ".repeat(deep)),
        format!("version: 1\ngroups:\n  {}1\n", "? ".repeat(deep)),
        lines((0..1000).map(|level| " ".repeat(level) + "a:")),
        "[".repeat(200_000),
        "{".repeat(200_000),
        "- ".repeat(100_000),
    ];
    for case in cases {
        let output = refused(&case, ONE);
        output.begins("error[E004 too-deep]: nested more than 64 levels deep\n");
    }
}

#[test]
fn a_scalar_of_100_megabytes_is_refused() {
    let scene = Scene::new();
    let title = "t".repeat(100_000_000);
    scene.declare(format!(
        "version: 1\nrooms:\n  - pipe: big-room\n    title: {title}\n"
    ));
    drop(title);
    let ran = check(&scene, LITTLE, &[]);
    ran.exits(3);
    insta::assert_snapshot!(ran.err, @r#"
    error[E006 too-large]: rooms.yaml: the file is larger than 64 MiB
     |
     = help: split it into several files

    the manifest is invalid: 1 error
    "#);
}

#[test]
fn scalars_of_a_few_megabytes_are_refused() {
    let long = "t".repeat(4_000_000);
    let first = |text: String| text.lines().next().unwrap().to_owned();
    let first_error = |entry: String| first(refused(format!("version: 1\n{entry}\n"), 2 * ONE));
    let long_text =
        |key: &str, other: &str| first_error(format!("rooms: [{{{key}: \"{long}\", {other}}}]"));
    assert_eq!(
        long_text("title", "pipe: first-room"),
        "error[E014 bad-title]: a title has at most 4096 bytes"
    );
    assert_eq!(
        long_text("pipe", "title: First"),
        "error[E013 bad-pipe]: a pipe has at most 255 bytes"
    );
    assert_eq!(
        first_error(format!("scope: [\"{long}\"]\n{ROOM}")),
        "error[E015 bad-value]: a glob has at most 255 bytes"
    );
    let clipped = "t".repeat(60);
    assert_eq!(
        first_error(format!(
            "rooms: [{{pipe: first-room, title: First, members: [\"{long}\"]}}]"
        )),
        format!("error[E016 unknown-person]: `{clipped}…` is not in `people`")
    );
    assert_eq!(
        first_error(format!(
            "rooms: [{{pipe: first-room, title: First, type: {long}}}]"
        )),
        format!("error[E015 bad-value]: `type` cannot be `{clipped}…`")
    );
    let digits = "1".repeat(2_000_000);
    assert_eq!(
        first_error(format!("widget: {digits}\n{ROOM}")),
        format!(
            "error[E007 wrong-type]: `widget` must be a whole number above zero, not `{}…`",
            "1".repeat(60)
        )
    );
}

#[test]
fn an_unknown_key_of_two_megabytes_gets_a_short_error() {
    let key = "k".repeat(2_000_000);
    let output = refused(format!("version: 1\n{ROOM}{key}: 1\n"), ONE);
    output.begins("error[E003 syntax]: this is not YAML: simple key expected ':'");
    for quoted in [format!("? {key}\n: 1"), format!("? \"{key}\"\n: 1")] {
        let output = refused(format!("version: 1\n{ROOM}{quoted}\n"), ONE);
        output.begins("error[E009 unknown-key]: unknown key `");
    }
    let output = refused(
        format!("{{\"version\": 1, {}, \"{key}\": 1}}", ROOM.trim_end()),
        ONE,
    );
    output.begins("error[E009 unknown-key]: unknown key `\"kkk");
}

#[test]
fn bytes_that_are_not_text_are_refused() {
    let bytes: Vec<u8> = (0..100_000_u32).map(|n| (n * 7 % 256) as u8).collect();
    assert_eq!(
        refused(bytes, ONE).lines().next().unwrap(),
        "error[E002 not-utf8]: rooms.yaml: not valid UTF-8: byte 19 of the file, in line 1"
    );
    let overlong = b"version: 1\nwidget: \xc0\xaf\n";
    refused(overlong, ONE).shows("byte 19 of the file, in line 2");
    let surrogate = b"version: 1\n\nwidget: \xed\xa0\x80\n";
    refused(surrogate, ONE).shows("byte 20 of the file, in line 3");
}

#[test]
fn nul_bytes_are_refused() {
    insta::assert_snapshot!(refused("version: 1\nrooms:\n  - {pipe: first-room, title: \"a\0b\"}\n", ONE), @r#"
    error[E003 syntax]: this is not YAML: unexpected character `\u{0}`
     --> rooms.yaml:3:33
      |
    3 |   - {pipe: first-room, title: "a\u{0}b"}
      |                                 ^^^^^^^
      |
      = help: remove this invisible character

    the manifest is invalid: 1 error
    "#);
    let output = refused("\0".repeat(1_000_000), ONE);
    output.shows("this is not YAML: unexpected character `\\u{0}`\n --> rooms.yaml:1:1\n");
    let output = refused(format!("version: 1\n{ROOM}\0rooms: [{{broken"), ONE);
    assert!(
        output.contains("rooms.yaml:3:1\n"),
        "text after a NUL is still checked: {output}"
    );
    insta::assert_snapshot!(refused("version: 1\nrooms:\n  - {pipe: \"a\\0b\", title: \"c\\0d\"}\n", 2 * ONE), @r#"
    error[E013 bad-pipe]: a pipe cannot have control characters
     --> rooms.yaml:3:12
      |
    3 |   - {pipe: "a\0b", title: "c\0d"}
      |            ^^^^^^
      |
      = help: write it as plain text

    error[E014 bad-title]: a title cannot have control characters
     --> rooms.yaml:3:27
      |
    3 |   - {pipe: "a\0b", title: "c\0d"}
      |                           ^^^^^^
      |
      = help: write it on one line

    the manifest is invalid: 2 errors
    "#);
}

/// Escapes for red text, a new window title, a cleared screen, an erased line, a C1 escape,
/// right-to-left text and hidden text.
const ESCAPES: [&str; 7] = [
    "\\e[31m",
    "\\e]0;owned\\a",
    "\\e[2J",
    "\\r",
    "\\x9b31m",
    "\\u202e",
    "\\u200b",
];

#[test]
fn yaml_escapes_never_reach_the_terminal() {
    for escape in ESCAPES {
        let manifest = format!(
            r#"
version: 1
"key{escape}": 1
scope: ["[{escape}", "glob{escape}", "glob{escape}"]
people: {{"person{escape}": 0, "person{escape}": "{escape}"}}
groups: {{"group{escape}": ["@group{escape}", "@absent{escape}"], "group{escape}": 1}}
rooms:
  - {{"key{escape}": 1, pipe: "pipe{escape}", title: "title{escape}", type: "{escape}", members: ["who{escape}"]}}
  - {{pipe: "pipe{escape}", title: "title{escape}", public: "{escape}", ignore: ["{escape}"], "{escape}": 1, "{escape}": 1}}
limits: {{create: "{escape}"}}
"#
        );
        let output = refused(&manifest, ALL);
        assert!(
            output
                .lines()
                .filter(|line| line.starts_with("error["))
                .count()
                > 12,
            "{output}"
        );
        let scene = Scene::new().manifest(&manifest);
        let colour = scene.run("check --color always").err;
        let plain = anstream::adapter::strip_str(&colour).to_string();
        assert_eq!(plain, output, "colour is ours alone");
        let json = scene.run("check --format json").out;
        assert!(!json.contains('\u{1b}') && !json.contains('\r'), "{json}");
    }
}

#[test]
fn raw_escapes_in_a_file_or_its_name_never_reach_the_terminal() {
    for raw in [
        "\u{1b}[31m",
        "\u{7f}",
        "\u{9b}31m",
        "\u{202e}",
        "\u{200b}",
        "\u{2028}",
        "\u{feff}",
    ] {
        let manifest = format!(
            "version: 1\nrooms:\n  - {{pipe: first-room, title: First{raw}t, \"key{raw}\": [{raw}, 1]}}\n"
        );
        let output = refused(&manifest, ALL);
        output.shows("\n --> rooms.yaml:3:");
        let scene = Scene::new();
        scene.write(&format!("rooms/{raw}.yaml"), &manifest);
        let ran = scene.run("check -f rooms");
        ran.exits(3);
        assert_harmless(&ran.err);
        let missing = scene.run(["check", "-f", &format!("no{raw}.yaml")]);
        missing.exits(3);
        assert_harmless(&missing.err);
    }
}

#[test]
fn an_error_in_a_long_line_shows_only_a_part_of_it() {
    let room = |n: usize, member: &str| {
        format!("{{\"pipe\":\"room-{n:06}\",\"title\":\"Room {n:06}\",\"members\":[{member}]}}")
    };
    let rooms = (0..20_000).map(|n| room(n, if n == 10_000 { "\"absent\"" } else { "3" }));
    let rooms: Vec<String> = rooms.collect();
    let output = refused(
        format!("{{\"version\":1,\"rooms\":[{}]}}", rooms.join(",")),
        ONE,
    );
    insta::assert_snapshot!(output, @r#"
    error[E016 unknown-person]: `absent` is not in `people`
     --> rooms.yaml:1:590078
      |
    1 | ...:[3]},{"pipe":"room-010000","title":"Room 010000","members":["absent"]},{"pipe":"room-010001","title":"Room 010001","members":[3]}...
      |                                                                 ^^^^^^^^
      |
      = help: add it to `people`, as in absent: 17

    the manifest is invalid: 1 error
    "#);
}

#[test]
fn ten_thousand_errors_are_cut_to_a_readable_number() {
    let output = refused(
        format!("version: 1\nrooms:\n{}", "  - word\n".repeat(10_000)),
        ALL,
    );
    output.ends("the manifest is invalid: 10000 errors; 9800 of them not shown\n");
    assert_eq!(output.matches("error[").count(), 200);
    // The first errors are shown.
    output
        .shows(" --> rooms.yaml:3:5\n")
        .shows(" --> rooms.yaml:202:5\n");
    let output = refused(
        format!("version: 1\nrooms: [{}]\n", list(repeat_n("word", 10_000))),
        ALL,
    );
    output.ends("the manifest is invalid: 10000 errors; 9800 of them not shown\n");
}

#[test]
fn more_errors_than_are_kept_are_only_counted() {
    let manifest = format!("version: 1\nrooms: [{}]\n", list(repeat_n("word", 100_000)));
    let output = refused(&manifest, ALL);
    insta::assert_snapshot!(output.lines().take(4).collect::<Vec<_>>().join("\n"), @r#"
    error[E006 too-large]: roomform reports only the first 10000 errors; it found 90000 more
     |
     = help: fix the reported errors first, then run `check` again
    "#);
    let scene = Scene::new().manifest(&manifest);
    let document = check(&scene, LITTLE, &["--format", "json"]).json();
    let diagnostics = document["diagnostics"].as_array().unwrap();
    assert_eq!(diagnostics.len(), 10_001);
    assert_eq!(diagnostics[0]["code"], "E006");
}

#[test]
fn all_warnings_are_kept_in_bounded_memory() {
    let rooms = (0..11_000).map(|n| format!("  - {{pipe: {n}x!, title: Room}}"));
    let scene = Scene::new().manifest(format!("version: 1\nrooms:\n{}", lines(rooms)));
    let ran = check(&scene, LITTLE, &[]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "valid: 11000 rooms, 0 memberships\n")
    );
    ran.err.ends("11000 warnings; 10800 of them not shown\n");
    assert!(ran.err.len() <= ALL);
}

#[test]
fn ten_thousand_unknown_keys_are_reported_quickly() {
    let keys = (0..30_000).map(|n| format!("key-{n}: 1"));
    let output = refused(format!("version: 1\n{ROOM}{}", lines(keys)), ALL);
    output.shows(
        "error[E009 unknown-key]: unknown key `key-0` in the manifest\n --> rooms.yaml:3:1\n",
    );
}

#[test]
fn a_thousand_misspelled_names_are_reported_quickly() {
    let people = (0..20_000).map(|n| format!("  person-number-{n}: {}", n + 1));
    let members = (0..500).map(|n| format!("persom-nunber-{n}"));
    let output = refused(
        format!(
            "version: 1\npeople:\n{}rooms: [{{pipe: first-room, title: First, members: [{}]}}]\n",
            lines(people),
            list(members)
        ),
        ALL,
    );
    output.shows("did you mean `person-number-0`?");
    output.ends("the manifest is invalid: 500 errors; 300 of them not shown\n");
}

#[test]
fn ten_thousand_unknown_names_with_numbers_are_reported_quickly() {
    let scene = Scene::new();
    let people = (0..10_000).map(|n| format!("pupil{n:05},{}", n + 1));
    scene.write("people.csv", format!("name,id\n{}", lines(people)));
    let unknown: Vec<String> = (50_000..60_000).map(|n| format!("pupil{n}x")).collect();
    scene.write("list.csv", format!("user\n{}", lines(unknown.clone())));
    let known = "pupli00007";
    let manifest = |members: &str| {
        format!(
            "version: 1\npeople: {{roster: people.csv, name: name, id: id}}\nrooms: [{{pipe: first-room, title: First, members: [{known}, {members}]}}]\n"
        )
    };
    for members in ["{roster: list.csv}", &list(&unknown)] {
        scene.declare(manifest(members));
        let ran = check(&scene, LITTLE, &[]);
        ran.exits(3);
        ran.err.shows("did you mean `pupil00007`?");
    }
}

#[test]
fn different_unknown_names_in_every_room_are_reported_quickly() {
    let scene = Scene::new();
    let people = (1..=1000).map(|n| format!("{},{n}", letters(n)));
    scene.write("people.csv", format!("name,id\n{}", lines(people)));
    scene.write("list.txt", lines((1..=100).map(|n| letters(n) + "x")));
    let rooms = (0..300).map(|n| {
        format!("  - {{pipe: room-{n}, title: Room, members: [{{roster: list.txt, people: {{roster: people.csv, name: name, id: id}}}}]}}")
    });
    scene.declare(format!("version: 1\nrooms:\n{}", lines(rooms)));
    let ran = check(&scene, LITTLE, &[]);
    ran.exits(3);
    assert_eq!(ran.err.matches("did you mean").count(), 50, "{ran:#?}");
}

/// A number as letters.
fn letters(number: usize) -> String {
    let digits = format!("{number:08}");
    digits
        .bytes()
        .map(|digit| char::from(digit + 0x31))
        .collect()
}

/// Each room selects a different column of the same file.
#[test]
fn a_wide_file_that_every_room_uses_is_read_quickly() {
    let wide = 3000;
    let scene = Scene::new();
    let names = (0..wide).map(|n| format!("column-{n}"));
    scene.write("wide.csv", format!("{}\n{}\n", list(names), list(1..=wide)));
    let rooms = |column: &str| {
        let rooms = (0..wide).map(|n| {
            format!("  - {{pipe: room-{n}, title: Room, members: [{{roster: wide.csv, user: {column}-{n}}}]}}")
        });
        format!("version: 1\nrooms:\n{}", lines(rooms))
    };
    scene.declare(rooms("column"));
    let ran = check(&scene, 256, &[]);
    assert_eq!(ran.ok(), "valid: 3000 rooms, 3000 memberships\n");
    scene.declare(rooms("colum"));
    let ran = check(&scene, 256, &[]);
    ran.exits(3);
    ran.err.shows("did you mean `column-0`?");
}

/// All rows have the same cell in the first column of `on`. All rooms but one are left out.
#[test]
fn rows_with_an_equal_first_key_column_are_joined_quickly() {
    let count = 8000;
    let enrol = "{roster: enrol.csv, on: {school: school, course: id}, user: user}";
    let room = format!("{{pipe: \"{{{{ id }}}}\", title: C, enrol: {enrol}}}");
    let scene = Scene::new().manifest(format!(
        "version: 1\ngenerate:\n  - {{each: courses.csv, where: {{term: \"0\"}}, room: {room}}}\n"
    ));
    let courses = (0..count).map(|n| format!("north,course-{n},{n}"));
    scene.write("courses.csv", format!("school,id,term\n{}", lines(courses)));
    let users = (0..count).map(|n| format!("north,course-{n},{}", n + 1));
    scene.write("enrol.csv", format!("school,course,user\n{}", lines(users)));
    assert_eq!(
        check(&scene, 256, &[]).ok(),
        "valid: 1 room, 1 membership\n"
    );
}

/// Each room selects the users with a mark in its own column.
#[test]
fn a_condition_on_each_column_of_a_wide_file_is_read_quickly() {
    let (wide, users) = (1500, 500);
    let scene = Scene::new();
    let names = (0..wide).map(|n| format!("column-{n}"));
    let rows = (1..=users).map(|user| {
        let marks = (0..wide).map(|n| if (user + n) % users == 0 { "x" } else { "" });
        format!("{user}, {}", list(marks))
    });
    scene.write(
        "wide.csv",
        format!("user, {}\n{}", list(names), lines(rows)),
    );
    let rooms = (0..wide).map(|n| {
        format!("  - {{pipe: room-{n}, title: Room, members: [{{roster: wide.csv, user: user, where: {{column-{n}: x}}}}]}}")
    });
    scene.declare(format!("version: 1\nrooms:\n{}", lines(rooms)));
    let ran = check(&scene, 256, &[]);
    assert_eq!(ran.ok(), "valid: 1500 rooms, 1500 memberships\n");
}

#[test]
fn a_cell_with_twenty_thousand_values_is_read_quickly() {
    let scene = Scene::new();
    let users = (1..=20_000).map(|user| format!("{user};"));
    scene.write(
        "a.csv",
        format!("course,users\nx,{}\n", users.collect::<String>()),
    );
    scene.declare("version: 1\nrooms: [{pipe: room, title: Room, members: [{roster: a.csv, user: users, expand: {column: users, split: ;}}]}]\n");
    let ran = check(&scene, 256, &[]);
    assert_eq!(ran.ok(), "valid: 1 room, 20000 memberships\n");
}

#[test]
fn a_chain_of_fifty_thousand_groups_is_resolved() {
    let chain = |last: &str| {
        let links = (0..50_000).map(|n| format!("  g{n}: [\"@g{}\"]", n + 1));
        let room = "rooms: [{pipe: first-room, title: First, members: [\"@g0\"]}]\n";
        format!(
            "version: 1\ngroups:\n{}  g50000: [{last}]\n{room}",
            lines(links)
        )
    };
    assert_eq!(accepted(chain("3")), "valid: 1 room, 1 membership\n");
    let output = refused(chain("\"@g0\""), ONE);
    output.begins("error[E018 group-cycle]: groups contain each other: @g0 → @g1 → @g2 → ");
    output
        .lines()
        .next()
        .unwrap()
        .ends(" → … → @g49997 → @g49998 → @g49999 → @g50000 → @g0");
}

#[test]
fn ten_thousand_cycles_of_groups_are_reported() {
    let groups = (0..10_000).map(|n: usize| {
        format!(
            "  g{n:05}: [\"@g{:05}\", \"@g{:05}\", \"@g00000\"]",
            n + 1,
            n.saturating_sub(1)
        )
    });
    let output = refused(
        format!(
            "version: 1\ngroups:\n{}  g10000: [3]\n{ROOM}",
            lines(groups)
        ),
        2 * ALL,
    );
    output.shows("error[E018 group-cycle]: groups contain each other: @g");
    output.ends(" of them not shown\n");
}

#[test]
fn groups_with_a_billion_members_are_refused() {
    let first = |output: String| output.lines().next().unwrap().to_owned();
    let too_many = |whose: &str| {
        format!("error[E006 too-large]: {whose} have more than 10 million memberships up to here")
    };
    let room = "rooms: [{pipe: first-room, title: First, members: [\"@g0\"]}]\n";

    let growing = (0..50_000).map(|n| format!("  g{n}: [{}, \"@g{}\"]", n + 1, n + 1));
    let output = refused(
        format!(
            "version: 1\ngroups:\n{}  g50000: [3]\n{room}",
            lines(growing)
        ),
        ONE,
    );
    assert_eq!(first(output), too_many("the groups"));

    let (many, again) = (list(1..=10_000), list(repeat_n("\"@many\"", 100_000)));
    let output = refused(
        format!("version: 1\ngroups:\n  many: [{many}]\n  g0: [{again}]\n{room}"),
        ONE,
    );
    assert_eq!(first(output), too_many("the groups"));

    let repeated = format!("rooms: [{{pipe: first-room, title: First, members: [{again}]}}]\n");
    let output = refused(
        format!("version: 1\ngroups:\n  many: [{many}]\n{repeated}"),
        ONE,
    );
    assert_eq!(first(output), too_many("the rooms"));

    let rooms =
        (0..2000).map(|n| format!("  - {{pipe: room-{n}, title: Room, members: [\"@many\"]}}"));
    let output = refused(
        format!(
            "version: 1\ngroups:\n  many: [{many}]\nrooms:\n{}",
            lines(rooms)
        ),
        ONE,
    );
    assert_eq!(first(output), too_many("the rooms"));
}

#[test]
fn nested_groups_count_each_member_once() {
    let doubling = (0..64).map(|n| format!("  g{n}: [\"@g{0}\", \"@g{0}\"]", n + 1));
    let room = "rooms: [{pipe: first-room, title: First, members: [\"@g0\"]}]\n";
    let manifest = format!(
        "version: 1\ngroups:\n{}  g64: [3, 4]\n{room}",
        lines(doubling)
    );
    assert_eq!(accepted(manifest), "valid: 1 room, 2 memberships\n");
}

#[test]
fn deeply_nested_globs_are_refused() {
    let glob = |depth: usize| {
        format!(
            "version: 1\nscope: [\"{}a{}\"]\n{ROOM}",
            "{".repeat(depth),
            "}".repeat(depth)
        )
    };
    refused(glob(50_000), ONE).shows("a glob has at most 255 bytes");
    assert_eq!(accepted(glob(127)), "valid: 1 room, 0 memberships\n");
}

#[test]
fn a_large_valid_manifest_is_accepted() {
    let rooms = (0..2000).map(|n| {
        format!(
            "  - {{pipe: room-{n}, title: Room {n}, members: [{}]}}",
            list(n..n + 50)
        )
    });
    let manifest = format!("version: 1\nrooms:\n{}", lines(rooms)).replace("[0, ", "[");
    assert_eq!(accepted(manifest), "valid: 2000 rooms, 99999 memberships\n");
}

/// Threads are only an optimization: if the system allows no more threads, the manifest is still valid.
#[test]
fn a_large_manifest_is_read_if_no_thread_can_start() {
    // No system has enough memory for such a stack.
    let scene = Scene::new().env("RUST_MIN_STACK", &(1_u64 << 60).to_string());
    for name in ["a", "b", "c"] {
        let members = "1234567890, ".repeat(20_000);
        let room = format!("{{pipe: {name}, title: Room {name}, members: [{members}1]}}");
        scene.write(
            &format!("rooms/{name}.yaml"),
            format!("version: 1\nrooms: [{room}]\n"),
        );
    }
    let ran = scene.run("check");
    ran.exits(0);
}
