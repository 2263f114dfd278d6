//! `export` writes all live rooms to manifest files, leaves existing text unchanged, and the plan of the result is
//! empty.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use roomform::manifest::{
    FileMap, Options, append, entries, load, load_from, load_text, page, read_back,
};
use roomform::model::{LiveRoom, Pipe, Recorded, RoomId, RoomKind, RoomState, WidgetId};
use roomform::sandbox::Room;

use crate::support::{Canned, Scene, Shows};

const OLD: &[(&str, &str, u8)] = &[
    ("course-a", "Course A", 1),
    ("course-b", "Course B", 1),
    ("team_x", "Team X", 0),
    ("lounge", "Lounge", 1),
    ("odd-1", "Odd", 7),
    ("help", "Help", 3),
];

/// A widget with these rooms and a support room, and an empty directory.
fn widget(rooms: &[(&str, &str, u8)]) -> Scene {
    let scene = Scene::new().sandbox();
    rooms.iter().for_each(|room| add(&scene, room));
    // Without a support room, the server adds one with a time-dependent pipe.
    if rooms.iter().all(|(.., kind)| *kind != 3) {
        add(&scene, &("help", "Help", 3));
    }

    scene
}

fn add(scene: &Scene, (pipe, name, kind): &(&str, &str, u8)) {
    scene.insert(Room {
        pipe: (*pipe).to_owned(),
        name: (*name).to_owned(),
        kind: *kind,
        ..Room::default()
    });
}

/// A plan of the manifest finds nothing to do for this many rooms, and an apply writes nothing.
#[track_caller]
fn nothing_to_do(scene: &Scene, manifest: &str, rooms: usize) {
    let plan = scene
        .run(["plan", "--detailed-exitcode", "-f", manifest])
        .ok();
    let words = format!("nothing to do; {rooms} unchanged");
    plan.shows(&words);
    scene.run(["apply", "--yes", "-f", manifest]).ok();
    let stats = scene.stats();
    assert_eq!((stats.imba_rooms, stats.send_msg), (0, 0));
}

/// The names of the files below a directory, except those that an apply writes.
fn names(scene: &Scene, below: &str) -> Vec<String> {
    let root = scene.path(below);
    let files = scene.files().into_iter();
    let names = files.filter_map(|(path, _)| {
        let name = path.strip_prefix(&root).ok()?.to_str()?.to_owned();
        (!name.starts_with(".roomform")).then_some(name)
    });
    names.collect()
}

#[test]
fn export_writes_a_file_and_replaces_it_only_with_force() {
    let scene = widget(OLD);
    let printed = scene.run("export").ok();
    let wrote = scene.run("export -o new/rooms.yaml").ok();
    assert_eq!(wrote, "wrote new/rooms.yaml: 6 rooms\n");
    assert_eq!(scene.read("new/rooms.yaml"), printed, "as it is printed");
    nothing_to_do(&scene, "new/rooms.yaml", 6);
    let again = scene.run("export -o new/rooms.yaml").ok();
    assert_eq!(again, "everything exists already\n");
    scene.declare("# mine\n");
    let before = scene.files();
    let ran = scene.run("export -o rooms.yaml");
    assert_snapshot!(ran.err, @"
    error: 1 file with other content would be overwritten: `rooms.yaml`
      hint: move them away, or use --force to replace them; nothing was written
      hint: use --add to keep the existing files and append the rooms that the files do not declare
    ");
    assert_eq!((ran.code, ran.out.as_str()), (5, ""));
    assert_eq!(scene.files(), before);
    scene.run("export -o rooms.yaml --force").ok();
    assert_eq!(scene.read("rooms.yaml"), printed);
    add(&scene, &("late-1", "Late", 1));
    for add in [&[][..], &["--add"]] {
        let split = ["export", "--split-by", "type", "-o", "rooms.yaml"];
        let before = scene.files();
        let ran = scene.run([&split, add].concat());
        ran.exits(5);
        let words = "in the way: `rooms.yaml`, which is a file, not a directory";
        ran.err.shows(words);
        assert_eq!(scene.files(), before);
    }
    let ran = scene.run("export -o new");
    ran.exits(64);
    ran.err.shows("--split-by prefix");
}

#[test]
fn export_writes_through_a_link_to_a_file_that_does_not_exist_yet() {
    let scene = widget(OLD);
    std::os::unix::fs::symlink("new.yaml", scene.path("rooms.yaml")).unwrap();
    scene.run("export -o rooms.yaml --force").ok();
    nothing_to_do(&scene, "rooms.yaml", 6);
}

#[test]
fn scope_selects_rooms_and_is_written_to_the_manifest() {
    let scene = widget(OLD);
    let args = ["export", "--scope", "course-*", "--scope", "team*"];
    let printed = scene.run(args).ok();
    assert_snapshot!(printed, @r#"
    # Written by `roomform export` from the server's list of rooms. `roomform plan` finds no changes for it.
    # The API does not list the members of a room. `members` below are those that the ledger records;
    # everyone else in a room stays in it.
    version: 1
    widget: 627
    scope: ["course-*", "team*"]

    rooms:
      - pipe: "course-a"
        title: "Course A"
        type: conference
        public: false
        members: [] # unknown: none on record, and the API does not list members
      - pipe: "course-b"
        title: "Course B"
        type: conference
        public: false
        members: [] # unknown: none on record, and the API does not list members
      - pipe: "team_x"
        title: "Team X"
        type: dialog
        public: false
        members: [] # unknown: none on record, and the API does not list members
    "#);
    scene.run([&args[..], &["-o", "rooms.yaml"]].concat()).ok();
    nothing_to_do(&scene, "rooms.yaml", 3);
    let plan = scene.plan().ok();
    plan.shows("0 unmanaged");
    add(&scene, &("course-z", "Not declared", 1));
    let plan = scene.plan().ok();
    plan.shows("1 unmanaged");
    let only = scene.run("export --only *-a");
    assert_eq!(
        (only.code, only.err.as_str()),
        (
            64,
            "error: `export` has no flag `--only`\n  hint: choose rooms with --scope\n"
        )
    );
    let long = "x".repeat(256);
    for glob in ["a[", &long] {
        let ran = scene.run(["export", "--scope", glob]);
        assert_eq!((ran.code, ran.out.as_str()), (64, ""), "{ran:?}");
        ran.err.shows("--scope 'course-*'");
    }
}

#[test]
fn rooms_are_split_by_prefix_or_type() {
    let scene = widget(OLD);
    let args = ["export", "--split-by", "prefix", "-o", "rooms"];
    let wrote = scene.run([&args[..], &["--scope", "*-*"]].concat()).ok();
    assert_eq!(
        wrote,
        "wrote rooms/course.yaml: 2 rooms\nwrote rooms/odd.yaml: 1 room\n"
    );
    let scopes = ["course", "odd"].map(|name| {
        let text = scene.read(&format!("rooms/{name}.yaml"));
        text.contains("scope: [\"*-*\"]")
    });
    assert_eq!(scopes, [true, false], "in one file");
    nothing_to_do(&scene, "rooms", 3);
    let before = scene.files();
    let ran = scene.run(args);
    ran.exits(5);
    ran.err
        .shows("1 file with other content would be overwritten: `rooms/course.yaml`");
    assert_eq!(scene.files(), before, "not one is written");
    let wrote = scene.run([&args[..], &["--force"]].concat()).ok();
    assert_snapshot!(wrote, @"
    wrote rooms/course.yaml: 2 rooms
    wrote rooms/other.yaml: 2 rooms
    wrote rooms/team.yaml: 1 room
    ");
    nothing_to_do(&scene, "rooms", 6);
    // A second split into the same directory would declare each room twice.
    let before = scene.files();
    let ran = scene.run("export --split-by type -o rooms");
    ran.exits(5);
    ran.err.shows("E012");
    ran.err.shows("another directory");
    assert_eq!(scene.files(), before);
    scene.run("export --split-by type -o types/of").ok();
    assert_eq!(
        names(&scene, "types/of"),
        [
            "conference.yaml",
            "dialog.yaml",
            "support.yaml",
            "type-7.yaml"
        ]
    );
    nothing_to_do(&scene, "types/of", 6);
}

#[test]
fn pipes_that_the_server_generated_share_a_file() {
    let rooms = [
        ("5fde1a2b3c4d5_1608410527", "a", 0),
        ("5fde1a2b3c4d6_1608410528", "b", 1),
        // One digit short, one character that is not a digit, and one that is not hexadecimal.
        ("5fde1a2b3c4d_1608410527", "c", 1),
        ("5fde1a2b3c4d8_160841052x", "d", 1),
        ("5fde1a2b3c4g9_1608410527", "e", 1),
    ];
    let scene = widget(&rooms);
    let wrote = scene.run("export --split-by prefix -o rooms");
    assert_snapshot!(wrote.ok(), @"
    wrote rooms/5fde1a2b3c4d.yaml: 1 room
    wrote rooms/5fde1a2b3c4d8.yaml: 1 room
    wrote rooms/5fde1a2b3c4g9.yaml: 1 room
    wrote rooms/other.yaml: 3 rooms
    ");
    nothing_to_do(&scene, "rooms", 6);
}

#[test]
fn an_ignored_directory_is_reported() {
    let scene = widget(OLD);
    let expected = "warning: using `rooms.yaml` and ignoring the directory `rooms`: name one or both with -f\n";
    scene.run("export -o rooms.yaml").ok();
    scene.write("rooms/roster.csv", "user\n3\n");
    assert_eq!(scene.plan().err, "", "no manifest is in there");
    scene.run("export --split-by prefix -o rooms").ok();
    assert_eq!(scene.plan().err, expected);
    assert_eq!(scene.run("check").err, expected);
    assert_eq!(
        scene.run("explain 3").err.lines().next(),
        Some(expected.trim_end())
    );
    assert_eq!(scene.run("plan -f rooms.yaml").err, "");
    assert_eq!(scene.run("check -f rooms.yaml").err, "");
    assert_eq!(scene.run("plan -f rooms").err, "");
}

#[test]
fn any_pipe_gives_a_safe_file_name() {
    let rooms = [
        ("../../etc/passwd-1", "a", 1),
        ("/abs-1", "b", 1),
        ("Course-1", "c", 1),
        ("course-2", "d", 1),
        ("CON-1", "e", 1),
        ("com1_x", "f", 1),
        ("-x", "g", 1),
        (".hidden-1", "h", 1),
        ("\u{202e}-1", "i", 1),
        ("курс-1", "j", 1),
        (" lead-1", "k", 1),
        ("a\nb-1", "l", 1),
    ];
    let scene = widget(&rooms);
    let long = format!("{}-1", "long".repeat(50));
    add(&scene, &(&long, "m", 1));
    let ran = scene.run("export --split-by prefix -o home/rooms");
    assert_snapshot!(ran.err, @r#"
    warning: left out: pipe " lead-1" (id 11): a pipe cannot start or end with white space
    warning: left out: pipe "a\U0000000ab-1" (id 12): a pipe cannot have control characters
    "#);
    ran.exits(0);
    assert_snapshot!(names(&scene, "").join("\n"), @"
    home/rooms/abs.yaml
    home/rooms/com1-rooms.yaml
    home/rooms/con-rooms.yaml
    home/rooms/course.yaml
    home/rooms/etc-passwd.yaml
    home/rooms/hidden.yaml
    home/rooms/kurs.yaml
    home/rooms/longlonglonglonglonglonglonglonglonglonglonglonglonglonglong.yaml
    home/rooms/other.yaml
    ");
    assert!(!Path::new("/abs.yaml").exists());
    // Two of the live rooms cannot be declared.
    nothing_to_do(&scene, "home/rooms", 12);
}

const KEPT: &str = "\
# The team's own file.
version: 1   # of the language
people: {head: 3}

rooms:
    # the first one
    - pipe: 'course-a'   # quoted in another way
      title: >-
        Course
        A
      members: [head,
                4]   # two of them
      # what belongs to it

# Guards below.
limits: {publish: [team-a]}
";

#[test]
fn adding_rooms_keeps_the_existing_text() {
    let scene = widget(OLD);
    let args = "export --add -o rooms.yaml";
    for (text, end) in [
        (KEPT.to_owned(), "\n"),
        (KEPT.replace('\n', "\r\n"), "\r\n"),
    ] {
        scene.declare(&text);
        let output = scene.run(args).ok();
        assert_eq!(output, "added 5 rooms to rooms.yaml\n");
        let after = scene.read("rooms.yaml");
        let at =
            text.find("# what belongs to it").unwrap() + "# what belongs to it".len() + end.len();
        let (head, tail) = text.split_at(at);
        after.begins(head).ends(tail);
        let added = &after[head.len()..after.len() - tail.len()];
        assert_eq!(added.matches(end).count(), added.matches('\n').count());
        if end == "\n" {
            assert_snapshot!(added, @r#"
            - pipe: "course-b"
              title: "Course B"
              type: conference
              public: false
              members: [] # unknown: none on record, and the API does not list members
            - pipe: "help"
              title: "Help"
              type: support
              public: false
              members: [] # unknown: none on record, and the API does not list members
            - pipe: "lounge"
              title: "Lounge"
              type: conference
              public: false
              members: [] # unknown: none on record, and the API does not list members
            - pipe: "odd-1"
              title: "Odd"
              type: conference # ignored: a manifest cannot name the live type, 7
              public: false
              ignore: [type]
              members: [] # unknown: none on record, and the API does not list members
            - pipe: "team_x"
              title: "Team X"
              type: dialog
              public: false
              members: [] # unknown: none on record, and the API does not list members
            "#);
        }
        let plan = scene.run("plan --format json").json();
        let changed = plan["changes"].as_array().unwrap();
        // The plan sends the members of the old room, which were never sent; the new rooms need no change.
        assert_eq!(changed.len(), 1, "{plan}");
        assert_eq!(changed[0]["pipe"], "course-a");
        assert_eq!(scene.run(args).ok(), "everything exists already\n");
        assert_eq!(scene.read("rooms.yaml"), after);
    }
}

#[test]
fn rooms_are_added_to_the_list_wherever_it_is() {
    let head = "version: 1\nwidget: 627\n";
    let room = "pipe: course-a\n";
    let texts = [
        // The list is at the end of the file, and its last line has no newline.
        format!("{head}rooms:\n- pipe: course-a\n  title: Course A"),
        format!("{head}rooms:\n- {room}  title: Course A\n# not of the list\ngroups: {{}}\n"),
        format!("rooms:\n  -   title: Course A\n      {room}\n\n\nversion: 1\n"),
        format!("{head}rooms:\n  - {{title: Course A, pipe: course-a}} # one\n"),
        format!("\u{feff}{head}rooms:\n  - {room}    title: |-\n      Course A\n\ngroups: {{}}\n"),
        format!("{head}rooms: &all\n  - {room}    title: \"Course A\"\n...\n"),
        format!(
            "{head}\"rooms\":\n  - {room}    title: Course A\n    welcome:\n      from: 3\n      text: |+\n        Hello\n\n\n"
        ),
        // No list yet: the rooms come from a file.
        format!(
            "{head}generate:\n  - {{each: c.csv, room: {{pipe: \"course-{{{{ id }}}}\", title: \"Course A\"}}}}"
        ),
    ];
    for text in texts {
        let scene = widget(&OLD[..4]);
        scene.write("c.csv", "id\na\n");
        scene.declare(&text);
        let ran = scene.run("export --add -o rooms.yaml");
        assert_eq!(ran.code, 0, "{text}: {ran:?}");
        assert_eq!(ran.out, "added 4 rooms to rooms.yaml\n", "{text}");
        let after = scene.read("rooms.yaml");
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let mut left = lines(&after).into_iter();
        let kept = lines(&text).iter().all(|line| left.any(|it| it == *line));
        assert!(kept, "{after}");
        nothing_to_do(&scene, "rooms.yaml", 5);
    }
}

#[test]
fn rooms_are_added_to_an_empty_list() {
    for (text, left) in [
        ("version: 1\nrooms: []\n", "version: 1\nrooms:\n"),
        (
            "version: 1\nrooms: [ ]  # none yet\nlimits: {create: 9}\n",
            "version: 1\nrooms:  # none yet\n",
        ),
        ("rooms: [\n]\nversion: 1", "rooms:\n"),
        (
            "version: 1\r\nrooms: []\r\n# the end\r\n",
            "version: 1\r\nrooms:\r\n",
        ),
    ] {
        let scene = widget(&OLD[..4]);
        scene.declare(text);
        let ran = scene.run("export --add -o rooms.yaml");
        assert_eq!(ran.code, 0, "{text}: {ran:?}");
        let after = scene.read("rooms.yaml");
        after.begins(format!("{left}  - pipe: "));
        let end = text
            .split("]")
            .nth(1)
            .unwrap()
            .trim_start_matches("  # none yet");
        assert!(after.ends_with(end.trim_start()), "{after}");
        nothing_to_do(&scene, "rooms.yaml", 5);
    }
}

#[test]
fn a_file_that_cannot_be_extended_is_not_changed() {
    let scene = widget(OLD);
    let cases = [
        "version: 1\nrooms: [{pipe: course-a, title: Course A}]\n",
        "version: 1\nrooms: [ # none\n  ]\n",
        "version: 1\nrooms:\n  [{pipe: course-a, title: Course A}]\n",
        "{version: 1, rooms: [{pipe: course-a, title: Course A}]}\n",
        "{\"version\": 1}\n",
    ];
    for text in cases {
        scene.declare(text);
        let ran = scene.run("export --add -o rooms.yaml");
        assert_eq!((ran.code, ran.out.as_str()), (5, ""), "{text}: {ran:?}");
        ran.err
            .shows("write `rooms:` and, below it, a line `- pipe:");
        assert_eq!(scene.read("rooms.yaml"), text);
    }
    // YAML ends at `...`, so text appended to the file would not be read.
    let text =
        "version: 1\ngenerate:\n  - {each: c.csv, room: {pipe: \"x-{{ id }}\", title: X}}\n...\n";
    scene.write("c.csv", "id\na\n");
    scene.declare(text);
    let ran = scene.run("export --add -o rooms.yaml");
    ran.exits(5);
    ran.err.shows("nothing was written");
    assert_eq!(scene.read("rooms.yaml"), text);
    // An invalid manifest, and one for another widget.
    for (text, code) in [
        ("version: 1\nroms: []\n", 3),
        ("version: 1\nwidget: 5\nrooms: []\n", 5),
    ] {
        scene.declare(text);
        let ran = scene.run("export --add -o rooms.yaml");
        ran.exits(code);
        assert_eq!(scene.read("rooms.yaml"), text);
    }
    for args in [
        "export --add",
        "export --split-by prefix",
        "export --force",
        "export --add --force -o x.yaml",
    ] {
        scene.run(args).exits(64);
    }
}

#[test]
fn adding_to_a_directory_considers_all_its_files() {
    let scene = widget(&OLD[..1]);
    let args = ["export", "--split-by", "prefix", "--add", "-o", "rooms"];
    let output = scene.run([&args[..], &["--scope", "*"]].concat()).ok();
    assert_eq!(
        output,
        "wrote rooms/course.yaml: 1 room\nwrote rooms/other.yaml: 1 room\n"
    );
    OLD[1..5].iter().for_each(|room| add(&scene, room));
    // The room is already declared, in a file where export would not write it.
    scene.write(
        "rooms/sub/mine.yml",
        "version: 1\nrooms:\n  - {pipe: lounge, title: Lounge}\n",
    );
    let output = scene.run(args).ok();
    assert_snapshot!(output, @"
    added 1 room to rooms/course.yaml
    wrote rooms/odd.yaml: 1 room
    wrote rooms/team.yaml: 1 room
    ");
    nothing_to_do(&scene, "rooms", 6);
    // A new file in the default directory is also part of this manifest.
    for pipe in ["late", "twin", "twin"] {
        add(&scene, &(pipe, "Late", 1));
    }
    let ran = scene.run("export --add -o rooms/late.yaml");
    assert_snapshot!(ran.all(), @r#"
    wrote rooms/late.yaml: 1 room
    warning: left out: pipe "twin" (id 8, 9): more than one live room has this pipe
    "#);
    nothing_to_do(&scene, "rooms", 7);
    let elsewhere = scene.run("export --add -o new.yaml -f rooms");
    elsewhere.begins("everything exists already");
    assert!(!scene.path("new.yaml").exists());
}

#[test]
fn adding_to_any_manifest_is_correct_or_refused() {
    let room = LiveRoom {
        updated_at: None,
        id: RoomId(1),
        pipe: Pipe::new("not-there-yet"),
        state: RoomState {
            title: "New: # \"room\"".to_owned(),
            kind: RoomKind::Conference,
            public: false,
        },
        deleted: false,
    };
    let new = entries(&[room], &Recorded::default());
    let new: Vec<_> = new.iter().collect();
    let options = Options {
        allow_empty: true,
        ..Options::default()
    };
    let meant = load_text("new", &page(WidgetId(627), &[], &new), options);
    let (mut added, mut refused) = (0, Vec::new());
    let directories = [
        "tests/manifests/valid",
        "tests/manifests/warned",
        "tests/manifests/invalid",
        "fuzz/corpus/manifest",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for directory in directories {
        for entry in fs::read_dir(root.join(directory)).unwrap() {
            let path = entry.unwrap().path();
            let Ok(text) = fs::read_to_string(&path) else {
                continue;
            };
            // For an invalid manifest, the only requirement is that `append` does not panic.
            let longer = append(&text, &new);
            let before = load(std::slice::from_ref(&path), options);
            if !before.is_valid() {
                continue;
            }
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let Some(longer) = longer else {
                refused.push(name);
                continue;
            };
            let mut at = 0;
            let parts = longer.match_indices("- pipe: \"not-there-yet\"");
            assert_eq!(parts.inspect(|(found, _)| at = *found).count(), 1, "{name}");
            let tail = text.len()
                - text[..]
                    .bytes()
                    .rev()
                    .zip(longer.bytes().rev())
                    .take_while(|(a, b)| a == b)
                    .count();
            let head = text
                .bytes()
                .zip(longer.bytes())
                .take_while(|(a, b)| a == b)
                .count();
            assert!(head >= tail && at >= tail, "{name}: {longer}");
            let overlay = FileMap::over_disk([(path.as_path(), longer.as_bytes())]);
            let after = load_from(&overlay, &[path], options);
            assert!(
                after.is_valid(),
                "{name}: {longer}: {:?}",
                after.diagnostics
            );
            let same = read_back(&after.desired, &meant.desired, Some(&before.desired));
            assert_eq!(same, Ok(()), "{name}: {longer}");
            added += 1;
        }
    }
    refused.sort();
    assert_snapshot!(format!("{added} added to; refused: {}", refused.join(" ")), @"35 added to; refused: compact.json escapes.json every-key.json flow-style.yaml limits-as-numbers.yaml limits-as-percentages.yaml tabs.json");
}

#[test]
fn the_new_text_is_read_back_and_compared() {
    let load =
        |text: &str| load_text("m", &format!("version: 1\n{text}"), Options::default()).desired;
    let rooms = |members: &str, more: &str| {
        load(&format!(
            "{more}rooms:\n  - {{pipe: old, title: Old, members: [{members}]}}\n"
        ))
    };
    let new = "  - {pipe: new, title: New, public: true}\n";
    let with = |more: &str, new: &str, head: &str| {
        load(&format!(
            "{head}rooms:\n  - {{pipe: old, title: Old, members: [1]{more}}}\n{new}"
        ))
    };
    let (before, meant) = (rooms("1", ""), load(&format!("rooms:\n{new}")));
    let judged = |after| {
        let judged = read_back(&after, &meant, Some(&before));
        judged.map_err(|unlike| unlike.to_string())
    };
    assert_eq!(judged(with("", new, "")), Ok(()));
    let policy = "defaults: {members_policy: on_create}\n";
    let cases = [
        (with("", "", ""), "the new room `new`"),
        (
            with("", &new.replace("true", "false"), ""),
            "the new room `new`",
        ),
        (
            with("", &new.replace("title: New", "title: Now"), ""),
            "the new room `new`",
        ),
        (
            with(", members_policy: on_create", new, ""),
            "the room `old` would be read differently than before",
        ),
        (
            with(", exclude: [1]", new, ""),
            "the room `old` would be read differently than before",
        ),
        (
            with(", welcome: {from: 1, text: Hello}", new, ""),
            "the room `old` would be read differently than before",
        ),
        (
            with("", new, policy),
            "the room `old` would be read differently than before",
        ),
        (
            meant.clone(),
            "the room `old` would be read differently than before",
        ),
        (
            with("", &format!("{new}  - {{pipe: more, title: More}}\n"), ""),
            "the room `more` would also be declared",
        ),
        (
            with("", new, "limits: {create: 1}\n"),
            "`widget`, `scope` or `limits`",
        ),
        (
            with("", new, "scope: [a]\n"),
            "`widget`, `scope` or `limits`",
        ),
    ];
    for (after, words) in cases {
        let judged = judged(after).unwrap_err();
        judged.begins(words);
    }
}

/// `plan` accepts a manifest without rooms only with an explicit flag. So an export without
/// rooms must not claim that a plan finds nothing to do.
#[test]
fn an_export_without_rooms_says_so() {
    let scene = widget(OLD);
    let ran = scene.run("export --scope zz*");
    let expected = "warning: no live room matches --scope\n";
    assert_eq!((ran.code, ran.err.as_str()), (0, expected));
    ran.lacks("finds no changes");
    let ran = scene.run("export --scope zz* --out zz.yaml");
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "wrote zz.yaml: 0 rooms\n")
    );
    assert_snapshot!(scene.read("zz.yaml"), @r#"
    # Written by `roomform export` from the server's list of rooms: none of the requested rooms can be declared.
    version: 1
    widget: 627
    scope: ["zz*"]

    rooms: [] # none; `apply` needs --allow-empty
    "#);
    scene.run("plan -f zz.yaml").exits(3);
    scene.run("plan -f zz.yaml --allow-empty").ok();
    let bare = Canned::answer("200 OK", "", r#"{"success":true,"code":200,"data":[]}"#);
    let scene = Scene::new().beside(&scene).at(&bare.url());
    assert_eq!(
        scene.run("export").err,
        "warning: the server lists no live rooms\n"
    );
}

/// Older CI runners obey `##[` anywhere in the output of a step.
#[test]
fn a_title_cannot_give_a_command_to_a_ci_runner() {
    let scene = widget(&[("team-a", "##[error]x ##vso[task.complete]", 1)]);
    let exported = scene.run("export").ok();
    exported.lacks("##[").lacks("##vso");
    scene.write("rooms.yaml", exported);
    nothing_to_do(&scene, "rooms.yaml", 2);
}
