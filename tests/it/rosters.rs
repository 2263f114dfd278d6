//! Rosters and generated rooms, through the library and the program: real-world files, and which files a manifest may read.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use roomform::manifest::files::{Files, Kind};
use roomform::manifest::{FileMap, Loaded, Options, load, load_from};

use crate::support::{Scene, Shows};
use insta::assert_snapshot;

fn loaded(scene: &Scene) -> Loaded {
    load(&[scene.path("rooms.yaml")], Options::default())
}

/// The members of each pipe, each with the file and line of its row.
fn members(scene: &Scene) -> BTreeMap<String, Vec<String>> {
    let loaded = loaded(scene);
    assert_eq!(loaded.diagnostics, []);
    let desired = &loaded.desired;
    let rooms = desired.rooms.values().map(|room| {
        let members = room.members.iter().zip(&room.member_places);
        let members = members.map(|(user, place)| {
            let file = desired.file_name(*place);
            let name = file.rsplit('/').next().unwrap();
            format!("{user} {name}:{}", place.line)
        });
        (room.pipe.to_string(), members.collect())
    });
    rooms.collect()
}

/// A manifest with one room that has this list of members.
fn room(members: &str) -> Scene {
    Scene::new().manifest(format!(
        "version: 1\nrooms: [{{pipe: first-room, title: First, members: [{members}]}}]\n"
    ))
}

#[test]
fn files_are_read_as_spreadsheets_save_them() {
    let crlf = "\u{feff}User ;\"name; in full\"; status\r\n 7 ;\"one\r\ntwo\";active\r\n\r\n;;\r\n8;x;Active\r\n9;y;active \r\n";
    let scene = room("{roster: a.csv, user: user, where: {Status: active}}");
    scene.write("a.csv", crlf);
    assert_eq!(members(&scene)["first-room"], ["7 a.csv:2", "9 a.csv:7"]);

    let scene = room(
        "{roster: a.csv}, {roster: b.TXT}, {roster: c.csv, delimiter: \"|\", user: id}, {roster: d.csv}",
    );
    scene.write("a.csv", "sep=;\nid;user\n1;21\n");
    scene.write("b.TXT", "# opted in\r\n31\r\n\r\n  32  \n");
    scene.write("c.csv", "a,b|id\nx|41\n");
    scene.write("d.csv", "anything\n\"51\"\n");
    assert_eq!(
        members(&scene)["first-room"],
        [
            "21 a.csv:3",
            "31 b.TXT:2",
            "32 b.TXT:4",
            "41 c.csv:2",
            "51 d.csv:2"
        ]
    );
}

/// Spreadsheets add delimiters after the last cell.
#[test]
fn extra_cells_are_allowed_if_they_are_empty() {
    let scene = room("{roster: a.csv, user: user}");
    scene.write("a.csv", "user,name\n7,one,\n8,two,, \n");
    assert_eq!(members(&scene)["first-room"], ["7 a.csv:2", "8 a.csv:3"]);
    scene.write("a.csv", "user,name\n7,one,,x\n8\n9,three\n");
    let ran = scene.run("check");
    ran.exits(3);
    ran.err
        .shows("a.csv:2: the row has 4 cells, but the header has 2")
        .shows("a.csv:3: the row has 1 cell, but the header has 2")
        .ends("invalid: 2 errors\n");
}

#[test]
fn a_vertical_bar_is_detected_as_the_delimiter() {
    let scene = room("{roster: a.csv, user: person}");
    scene.write("a.csv", "course|person|role, in full\nmath|7|student\n");
    assert_eq!(members(&scene)["first-room"], ["7 a.csv:2"]);
    scene.run("check -v").err.shows("delimiter=|");
}

#[test]
fn a_text_file_with_a_delimiter_is_a_table() {
    let table = room("{roster: a.txt, delimiter: \"|\", user: person}");
    table.write("a.txt", "course|person\nmath|7\n#2|8\n");
    assert_eq!(members(&table)["first-room"], ["7 a.txt:2", "8 a.txt:3"]);
    table.write("a.txt", "7\n8\n");
    let hint = "help: add a header line, or remove `delimiter` if the file has one user per line";
    table.run("check").err.shows(hint);

    let plain = room("{roster: a.txt, user: person}");
    plain.write("a.txt", "course|person\nmath|7\n");
    let hint = "help: if the file is a table, set `delimiter`; without `delimiter`, a .txt file has one user per line";
    plain.run("check").err.shows(hint);
}

#[test]
fn an_id_above_64_bits_is_reported_with_the_limit() {
    let scene = Scene::new().manifest(
        "version: 1
rooms: [{pipe: first-room, title: First, members: [{roster: a.csv}]}]
generate:
  - each: b.csv
    room: {pipe: \"{{ id }}\", title: \"{{ id }}\", members: [\"{{ user }}\"]}
",
    );
    scene.write(
        "a.csv",
        "user\n9223372036854775807\n104857600000000000001\n",
    );
    scene.write("b.csv", "id,user\ncourse-1,9223372036854775808\n");
    let output = scene.run("check").err;
    output.shows(
        "a.csv:3:user: `104857600000000000001` is too large for a user id: the largest is 9223372036854775807",
    );
    output.shows(
        "help: fix the cell; if the number is a name, write `by: name` and list it in `people`",
    );
    output.shows("b.csv:2:user: a member becomes `9223372036854775808` in this row\n");
    output.shows("help: write an id of at most 9223372036854775807\n");
    output.ends("invalid: 2 errors\n");
}

/// Errors in quoting are tested in the corpus: see `quotes-in-files-with-rows`.
#[test]
fn quoted_cells_that_span_lines_are_read() {
    let scene = room("{roster: a.csv, user: user}");
    scene.write(
        "a.csv",
        "user;\"remark, in full\nor short\"\n\"7\";\"one\n\"\"two\"\"\" \n8;5\" flute\n9;\"flute\" (5\")\n10;\"\r\n\"",
    );
    assert_eq!(
        members(&scene)["first-room"],
        ["7 a.csv:3", "8 a.csv:5", "9 a.csv:6", "10 a.csv:7"]
    );
}

#[test]
fn a_quote_does_not_hide_people_who_opted_out() {
    let scene = Scene::new().manifest(
        "version: 1
rooms:
  - pipe: first-room
    title: First
    members: [17, 18, 19]
    exclude: [{roster: opted-out.csv, user: user}]
",
    );
    for (text, expected) in [
        (
            "user,reason\n17,\"moved\n18,asked\n",
            "opted-out.csv:2: a quoted cell starts here and is never closed",
        ),
        (
            "17\n18\n",
            "opted-out.csv:1: the first line looks like data",
        ),
    ] {
        scene.write("opted-out.csv", text);
        let ran = scene.run("check");
        ran.exits(3);
        ran.err.shows(expected);
        ran.err.ends("invalid: 1 error\n");
    }
}

#[test]
fn other_encodings_are_read_if_named_and_suggested_otherwise() {
    let text = "логин\tкод\r\nученик\t7\r\n";
    let wide: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let (code_page, _, _) = encoding_rs::WINDOWS_1251.encode(text);
    for (label, bytes) in [("utf-16", wide), ("windows-1251", code_page.to_vec())] {
        let scene = room(&format!("{{roster: a.csv, user: КОД, encoding: {label}}}"));
        scene.write("a.csv", &bytes);
        assert_eq!(members(&scene)["first-room"], ["7 a.csv:2"]);
        let scene = room("{roster: a.csv, user: код}");
        scene.write("a.csv", &bytes);
        let ran = scene.run("check");
        ran.exits(3);
        ran.err.shows(format!("`encoding: {label}`"));
    }
}

#[test]
fn leading_zeros_are_errors_and_all_errors_are_reported() {
    let scene = room("{roster: a.csv}");
    scene.write("a.csv", "user\n007\n8\n8\n9x\n10\n");
    let ran = scene.run("check");
    ran.exits(3);
    for expected in [
        "a.csv:2:user: `007` has leading zeros",
        "a.csv:5:user: `9x` is not in `people`",
    ] {
        ran.err.shows(expected);
    }
    assert!(
        ran.err.contains("2 errors"),
        "one duplicate inside a file is no mistake: {}",
        ran.err
    );
}

#[test]
fn an_empty_roster_is_refused_unless_allowed() {
    let scene = room("{roster: a.csv, where: {user: \"8\"}}");
    scene.write("a.csv", "user\n7\n");
    scene.run("check").exits(3);
    let scene = room("{roster: a.csv, where: {user: \"8\"}, allow_empty: true}");
    scene.write("a.csv", "user\n7\n");
    assert_eq!(scene.run("check").ok(), "valid: 1 room, 0 memberships\n");
}

#[test]
fn several_columns_and_numbered_columns_give_several_users() {
    let scene = room(
        "{roster: wide.csv, user: [teacher, assistant]}, {roster: moodle.csv, numbered: [course, role], user: id, where: {course: rust, role: [teacher, \"\"]}}",
    );
    scene.write("wide.csv", "teacher,assistant\n3,4\n5,\n");
    scene.write("moodle.csv", "id,course1,role1,course2,role2\n7,go,teacher,rust,student\n8,rust,teacher,,\n9,go,,rust,\n");
    assert_eq!(
        members(&scene)["first-room"],
        [
            "3 wide.csv:2",
            "4 wide.csv:2",
            "5 wide.csv:3",
            "8 moodle.csv:3",
            "9 moodle.csv:4"
        ]
    );
}

#[test]
fn a_cell_can_have_several_users() {
    let scene = Scene::new().manifest(
        "version: 1
people: {head: 3}
rooms: [{pipe: first-room, title: First, members: [{roster: a.csv, user: {column: ids, split: \";\"}}]}]
generate:
  - each: a.csv
    room:
      pipe: \"course-{{ id }}\"
      title: \"{{ id }}\"
      enrol: {roster: a.csv, on: {id: id}, user: {column: [ids, more], split: \";\"}}
",
    );
    scene.write("a.csv", "id,ids,more\n1,7; head ;8;,\n2,,9\n");
    let rooms = members(&scene);
    assert_eq!(rooms["first-room"], ["3 a.csv:2", "7 a.csv:2", "8 a.csv:2"]);
    assert_eq!(rooms["course-1"], ["3 a.csv:2", "7 a.csv:2", "8 a.csv:2"]);
    assert_eq!(rooms["course-2"], ["9 a.csv:3"]);
    scene.write("a.csv", "id,ids,more\n1,7;007;1.23E+05,\n");
    let output = scene.run("check").err;
    output.shows("a.csv:2:ids: `007` has leading zeros");
    output.shows("a.csv:2:ids: `1.23E+05` is not in `people`");
    output.shows("help: a spreadsheet has altered this value");
    output.ends("invalid: 2 errors\n");
}

#[test]
fn a_person_may_have_several_rows() {
    let scene = Scene::new().manifest(
        "version: 1
people: {roster: users.csv, name: [login, mail], id: id, where: {active: 1}}
rooms: [{pipe: team, title: Team, members: [anna, bert]}]
",
    );
    scene.write(
        "users.csv",
        "login,mail,id,active\nanna,a@x,7,1\nanna,b@x,7,1\n,b@x,7,1\nbert,,8,1\ncarl,,8,0\n,,8,1\n",
    );
    scene.run("check").err.lacks("W113");
}

#[test]
fn ids_that_a_spreadsheet_altered_are_named_in_directories_too() {
    let scene = Scene::new().manifest(
        "version: 1
people: {roster: users.csv, name: login, id: id}
rooms: [{pipe: team, title: Team, members: [anna]}]
",
    );
    for id in ["\"1,003\"", "10058.0", "1.23E+05", "1927-07-15"] {
        scene.write("users.csv", format!("login,id\nanna,{id}\n"));
        let ran = scene.run("check");
        ran.exits(3);
        ran.err
            .shows("users.csv:2:id: ")
            .shows("help: a spreadsheet has altered this value");
    }
}

#[test]
fn a_directory_finds_people_by_any_name_column() {
    let manifest = "version: 1
people: {roster: users.csv, name: [login, mail], id: id, where: {active: 1}}
groups: {all: [{roster: mails.txt}], exact: [head]}
rooms:
  - pipe: first-room
    title: First
    members: [\"@all\", \"@exact\", {roster: numbers.csv, user: number, by: name, people: {roster: users.csv, name: number, id: id}}]
    exclude: [{roster: gone.txt}]
";
    let scene = Scene::new().manifest(manifest).file("users.csv", "id,number,login,mail,active\n3,0100,head,head@example.org,1\n4,0101,tutor,tutor@example.org,1\n5,0102,left,left@example.org,0\n6,0103,left,again@example.org,1\n");
    scene.write(
        "mails.txt",
        "tutor@example.org\nleft@example.org\nagain@example.org\n",
    );
    scene.write("numbers.csv", "number\n0102\n0101\n");
    scene.write("gone.txt", "6\n");
    assert_eq!(
        members(&scene)["first-room"],
        ["3 rooms.yaml:3", "4 mails.txt:1", "5 numbers.csv:2"]
    );
}

#[test]
fn generated_rooms_have_the_members_of_their_rows() {
    let manifest = "version: 1
defaults: {type: support}
groups: {staff: [3]}
generate:
  - each: {roster: courses.csv, delimiter: \";\"}
    where: {status: active}
    room:
      pipe: \"{{ term }}-{{ code | slug }}\"
      title: \"{{ course_name }} · {{ term | upper }}\"
      members: [\"@staff\", \"{{ teacher }}\", \"{% if assistant %}{{ assistant }}{% endif %}\"]
      exclude: [\"{{ row['Left'] }}\"]
      enrol:
        - {roster: enrollments.csv, on: {course: id, term: term}, user: user}
        - {roster: enrollments.csv, on: {course: id, term: term}, user: mentor, where: {mentor: [\"70\", \"71\"]}}
";
    let scene = Scene::new().manifest(manifest);
    scene.write(
        "courses.csv",
        "id;term;code;Course name;teacher;assistant;Left;status\n1;a;Алгебра 7б;Алгебра;4;5;101;active\n1;b;Rust;Rust;6;;102;active\n2;b;Old;Old;6;;1;closed\n",
    );
    scene.write(
        "enrollments.csv",
        "course,term,user,mentor\n1,a,100,70\n1,a,101,\n1,b,102,\n1,b,103,71\n2,b,104,\n",
    );
    let expected = BTreeMap::from([
        (
            "a-algebra-7b".to_owned(),
            [
                "3 rooms.yaml:3",
                "4 courses.csv:2",
                "5 courses.csv:2",
                "70 enrollments.csv:2",
                "100 enrollments.csv:2",
            ]
            .map(str::to_owned)
            .to_vec(),
        ),
        (
            "b-rust".to_owned(),
            [
                "3 rooms.yaml:3",
                "6 courses.csv:3",
                "71 enrollments.csv:5",
                "103 enrollments.csv:5",
            ]
            .map(str::to_owned)
            .to_vec(),
        ),
    ]);
    assert_eq!(members(&scene), expected);
    let desired = loaded(&scene).desired;
    let room = &desired.rooms["a-algebra-7b"];
    assert_eq!(
        (room.state.title.as_str(), room.place.line),
        ("Алгебра · A", 2)
    );
    assert_eq!(room.state.kind.to_string(), "support");
}

#[test]
fn distinct_uses_the_first_matching_row_of_a_room() {
    let manifest = "version: 1
generate:
  - each: {roster: lessons.csv, distinct: course}
    where: {year: 2026}
    room: {pipe: \"course-{{ course }}\", title: \"{{ title }}\"}
";
    let scene = Scene::new().manifest(manifest);
    scene.write(
        "lessons.csv",
        "course,title,year\nrust,Old,2025\nrust,New,2026\nrust,Newer,2026\ngo,Go,2025\n",
    );
    let desired = loaded(&scene).desired;
    let rooms: Vec<(&str, &str)> = desired
        .rooms
        .values()
        .map(|room| (room.pipe.as_str(), room.state.title.as_str()))
        .collect();
    assert_eq!(rooms, [("course-rust", "New")]);
}

#[test]
fn numbered_columns_with_gaps_work_in_every_kind_of_file() {
    let manifest = "version: 1
people: {roster: people.csv, name: login, id: id, numbered: [login, id]}
rooms: [{pipe: first-room, title: First, members: [head, {roster: gaps.csv, numbered: [course, role], optional: [role], user: id, where: {course: rust, role: [\"\", lead]}}]}]
";
    let scene = Scene::new()
        .manifest(manifest)
        .file("people.csv", "login1,id1,login2,id2\ntutor,4,head,3\n");
    scene.write(
        "gaps.csv",
        "id,course1,role1,course3,course4,role4\n7,rust,guest,,rust,lead\n8,go,lead,rust,,\n9,rust,guest,,,\n",
    );
    assert_eq!(
        members(&scene)["first-room"],
        ["3 rooms.yaml:3", "7 gaps.csv:2", "8 gaps.csv:3"]
    );
    scene.write("gaps.csv", "id,course1,Course1\n7,rust,go\n");
    let output = scene.run("check").err;
    output.shows("the column `Course1` occurs 2 times in the header of `gaps.csv`");
}

#[test]
fn an_error_is_reported_once_at_its_cause() {
    // Each of the three files has a truncated row; errors that follow from it in other rows are not reported.
    let manifest = "version: 1
people: {roster: people.csv, name: number, id: id}
generate:
  - each: courses.csv
    room: {pipe: \"course-{{ id }}\", title: \"{{ title }}\", enrol: {roster: enrollments.csv, on: {course: id}, via: {roster: sections.csv, on: {section: section}}, user: user}}
";
    let scene = Scene::new()
        .manifest(manifest)
        .file("people.csv", "number,id,class\nS-1,1,7\nS-2,2\n");
    scene.write("courses.csv", "id,title\n1,One\n2\n");
    scene.write("sections.csv", "section,course\na,1\nb\n");
    scene.write(
        "enrollments.csv",
        "section,course,user\na,,S-1\nb,,S-1\n,1,S-2\n,2,S-1\n",
    );
    let output = scene.run("check").err;
    assert_eq!(output.matches("[E025 ragged-row]").count(), 3, "{output}");
    output.ends("invalid: 3 errors\n");
}

#[test]
fn an_empty_cell_in_a_pipe_is_an_error() {
    let manifest = |pipe: &str| {
        format!(
            "version: 1\ngenerate: [{{each: courses.csv, room: {{pipe: \"{pipe}\", title: \"{{{{ title }}}}\"}}}}]\n"
        )
    };
    let scene = Scene::new()
        .manifest(manifest("course-{{ code | slug }}-{{ group }}"))
        .file("courses.csv", "code,group,title\nrust,,Rust\n,a,Other\n");
    let output = scene.run("check").err;
    for place in ["courses.csv:2:group:", "courses.csv:3:code:"] {
        let wanted = format!("{place} the cell is empty, but the pipe needs it");
        assert!(output.contains(&wanted), "{wanted}: {output}");
    }
    for pipe in [
        "course-{{ code or group }}",
        "course-{% if code %}{{ code }}{% else %}none{% endif %}",
    ] {
        scene.declare(manifest(pipe));
        assert_eq!(
            scene.run("check").ok(),
            "valid: 2 rooms, 0 memberships\n",
            "{pipe}"
        );
    }
}

#[test]
fn a_number_is_never_guessed() {
    let manifest = "version: 1
people: {roster: people.csv, name: number, id: id}
rooms: [{pipe: first-room, title: First, members: [{roster: list.txt}]}]
";
    let scene = Scene::new()
        .manifest(manifest)
        .file("people.csv", "number,id\nS-0101,1\nS-0210,2\n");
    scene.write("list.txt", "S-0102\nS-O1O1\ns-0210\n");
    let output = scene.run("check").err;
    let hints: Vec<&str> = output
        .lines()
        .filter_map(|line| line.split_once("help: "))
        .map(|(_, hint)| hint)
        .collect();
    assert_eq!(
        hints,
        [
            "fix the cell, or add the user to `people.csv`",
            "did you mean `S-0101`?",
            "did you mean `S-0210`?"
        ]
    );
}

#[test]
fn files_outside_the_manifests_directory_are_refused() {
    let scene = Scene::new().file("secret.csv", "user\n7\n");
    for (path, link) in [
        ("../secret.csv", false),
        ("link.csv", true),
        ("sub/../../secret.csv", false),
    ] {
        scene.write("rooms/sub/x", "");
        scene.write("rooms/rooms.yaml", format!("version: 1\nrooms: [{{pipe: first-room, title: First, members: [{{roster: {path}}}]}}]\n"));
        if link && !scene.path("rooms/link.csv").exists() {
            std::os::unix::fs::symlink(scene.path("secret.csv"), scene.path("rooms/link.csv"))
                .unwrap();
        }
        for manifest in ["rooms", "rooms/rooms.yaml"] {
            let ran = scene.run(["check", "-f", manifest]);
            assert_eq!(ran.code, 3, "{path}: {ran:#?}");
            assert!(ran.err.contains("E023 outside-root"), "{path}: {ran:#?}");
        }
    }
    // `..` is allowed if the path stays in the manifest's directory.
    scene.write("rooms/shared.csv", "user\n7\n");
    scene.write("rooms/rooms.yaml", "version: 1\nrooms: []\n");
    scene.write("rooms/sub/more.yaml", "version: 1\nrooms: [{pipe: first-room, title: First, members: [{roster: ../shared.csv}]}]\n");
    assert_eq!(
        scene.run("check -f rooms").ok(),
        "valid: 1 room, 1 membership\n"
    );
    scene.run("check -f rooms/sub/more.yaml").exits(3);
}

#[test]
fn a_manifest_given_as_text_cannot_read_files() {
    let text =
        "version: 1\nrooms: [{pipe: first-room, title: First, members: [{roster: Cargo.toml}]}]\n";
    let loaded = roomform::manifest::load_text("rooms.yaml", text, Options::default());
    assert_eq!(loaded.diagnostics.len(), 1);
    assert_eq!(
        loaded.diagnostics[0].message,
        "there is no file `Cargo.toml`"
    );
}

#[test]
fn many_rows_are_joined_in_one_pass() {
    let manifest = "version: 1
generate:
  - each: courses.csv
    room: {pipe: \"course-{{ id }}\", title: \"{{ id }}\", enrol: {roster: enrollments.csv, on: {course: id}, user: user}}
";
    let scene = Scene::new().manifest(manifest);
    let courses: String = (1..=2000).map(|id| format!("{id}\n")).collect();
    let enrollments: String = (0..200_000)
        .map(|row| format!("{},{}\n", row % 2000 + 1, row + 1))
        .collect();
    scene.write("courses.csv", format!("id\n{courses}"));
    scene.write("enrollments.csv", format!("course,user\n{enrollments}"));
    assert_eq!(
        scene.run("check").ok(),
        "valid: 2000 rooms, 200000 memberships\n"
    );
}

#[test]
fn failed_members_come_with_their_rows_and_work_as_a_roster() {
    let manifest = "version: 1
rooms: [{pipe: first-room, title: First, members: [7, {roster: a.csv, user: who}, {roster: b.csv}]}]
";
    let scene = Scene::new().manifest(manifest).sandbox();
    scene.write(
        "a.csv",
        "who;line;full name\n8;x;\"Eight; the 8th\"\n9;y;Nine\n",
    );
    scene.write("b.csv", "user,mark\n10,=1+1\n");
    let scene = scene.env("IMBACHAT_PASSWORD", "wrong");
    let ran = scene.run("apply --yes --failed failed.csv");
    ran.exits(4);
    let failed = scene.read("failed.csv");
    let error = failed
        .lines()
        .nth(1)
        .unwrap()
        .split(',')
        .nth(2)
        .unwrap()
        .to_owned();
    let output = failed.replace(&error, "<error>");
    assert_snapshot!(output, @r"
    pipe,user,error,source,line,who,roster_line,full name,roster_user,mark
    first-room,7,<error>,rooms.yaml,2,,,,,
    first-room,8,<error>,a.csv,2,8,x,Eight; the 8th,,
    first-room,9,<error>,a.csv,3,9,y,Nine,,
    first-room,10,<error>,b.csv,2,,,,10,=1+1
    ");
    // Once the errors are fixed, using `failed.csv` as a roster adds only the missing members.
    scene.write("again.yaml", "version: 1\nrooms: [{pipe: first-room, title: First, members: [{roster: failed.csv, user: user}]}]\n");
    let scene = scene.env("IMBACHAT_PASSWORD", "admin");
    scene.run("apply --yes -f again.yaml").ok();
    assert_eq!(scene.room("first-room").members, [7, 8, 9, 10].into());
    scene.run("plan --detailed-exitcode").exits(0);
}

#[test]
fn unknown_users_cause_warnings_at_their_rows() {
    let scene = room("7, {roster: a.csv}").sandbox();
    scene.write("a.csv", "user\n8\n9\n8\n");
    let first = scene.run("plan --check-users");
    for expected in [
        "rooms.yaml:2: the widget does not know user 7",
        "a.csv:2: the widget does not know user 8",
        "a.csv:3: the widget does not know user 9",
    ] {
        assert!(first.err.contains(expected), "{expected}: {first:#?}");
    }
    assert_eq!(
        (first.code, first.err.matches("W109").count()),
        (0, 3),
        "{first:#?}"
    );
    let (rooms, users) = (scene.stats().get_rooms, scene.stats().get_users);
    let document = scene.run("plan --check-users --format json").json();
    assert_eq!(
        document["diagnostics"].as_array().unwrap().len(),
        3,
        "{document:#}"
    );
    let asked = (
        scene.stats().get_rooms - rooms,
        scene.stats().get_users - users,
    );
    assert_eq!(asked, (1, 2));
    // After the apply, the widget knows the members.
    scene.apply().ok();
    let after = scene.run("plan --check-users");
    assert_eq!((after.code, after.err.as_str()), (0, ""), "{after:#?}");
    let with_jwt = scene
        .env("IMBACHAT_SECRET_KEY", "")
        .env("IMBACHAT_JWT", "token");
    let refused = with_jwt.run("plan --check-users");
    refused.exits(1);
}

/// Some spreadsheets still end lines with CR alone.
#[test]
fn a_lone_carriage_return_ends_a_line() {
    let scene = room("{roster: a.csv}, {roster: b.txt}, {roster: c.csv}");
    scene.write("a.csv", "user,name\r7,one\r\r8,\"two\rlines\"\r9,three\r");
    scene.write("b.txt", "# these\r31\r\r32");
    scene.write("c.csv", "sep=;\rid;user\r1;21\r");
    assert_eq!(
        members(&scene)["first-room"],
        [
            "7 a.csv:2",
            "8 a.csv:4",
            "9 a.csv:6",
            "21 c.csv:3",
            "31 b.txt:2",
            "32 b.txt:4"
        ]
    );
    let scene = room("{roster: a.csv, user: user}");
    scene.write("a.csv", "name,user\rone,7\rtwo,x\rthree,8,9\r");
    let ran = scene.run("check");
    ran.exits(3);
    for expected in ["a.csv:3:5", "a.csv:4", "3 | two,x", "4 | three,8,9"] {
        ran.err.shows(expected);
    }
    let scene = room("{roster: a.csv}");
    scene.write("a.csv", b"user\r7\r\xff\r");
    let output = scene.run("check").err;
    output.shows("byte 7 of the file, in line 3");
}

/// Only the room is skipped: its enrolments must still name a known user, as docs/rosters.md says.
#[test]
fn enrolments_of_excluded_rooms_are_still_checked() {
    let manifest = "version: 1\npeople: {head: 3}\ngenerate:\n  - each: courses.csv\n    where: {state: open}\n    room:\n      \
         pipe: \"{{ id }}\"\n      title: \"{{ id }}\"\n      enrol: {roster: enrol.csv, on: {course: id}, user: student}\n";
    let scene = Scene::new()
        .manifest(manifest)
        .file("courses.csv", "id,state\nrust-1,open\nrust-2,closed\n");
    scene.write("enrol.csv", "course,student\nrust-1,head\nrust-2,head\n");
    assert_eq!(
        members(&scene),
        [("rust-1".to_owned(), vec!["3 enrol.csv:2".to_owned()])].into()
    );
    scene.write("enrol.csv", "course,student\nrust-1,head\nrust-2,S9\n");
    let ran = scene.run("check");
    ran.exits(3);
    ran.err
        .shows("enrol.csv:3:student: `S9` is not in `people`");
}

/// The row is an error, but its name is not reported as a duplicate if another file defines it.
#[test]
fn a_name_in_a_ragged_row_can_be_defined_in_another_file() {
    let scene = Scene::new()
        .file("rooms/users.csv", "name,id\nann,3,x\nbob,4\n")
        .file(
            "rooms/a.yaml",
            "version: 1\npeople: {roster: users.csv, name: name, id: id}\nrooms: []\n",
        )
        .file(
            "rooms/b.yaml",
            "version: 1\npeople: {ann: 5}\nrooms:\n  - {pipe: team-a, title: A, members: [ann, bob]}\n",
        );
    let ran = scene.run("check");
    ran.exits(3);
    ran.err.shows("E025 ragged-row");
    ran.err.lacks("defined twice");
}

/// Files without links. Counts how often a whole path is resolved, which takes a step for each directory above it.
struct CountedFiles {
    files: FileMap,
    lookups: Cell<usize>,
}

impl CountedFiles {
    fn new(contents: &[(String, String)]) -> Self {
        let contents = contents.iter();
        let contents = contents.map(|(path, text)| (Path::new(path), text.as_bytes()));
        Self {
            files: FileMap::new(contents),
            lookups: Cell::new(0),
        }
    }
}

impl Files for CountedFiles {
    fn kind(&self, path: &Path) -> io::Result<Kind> {
        self.files.kind(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        self.files.list(directory)
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
        self.files.read(path, limit)
    }

    fn real_path(&self, path: &Path) -> io::Result<PathBuf> {
        self.lookups.set(self.lookups.get() + 1);
        self.files.real_path(path)
    }

    fn may_be_link(&self, _: &Path) -> io::Result<bool> {
        Ok(false)
    }
}

#[test]
fn a_file_that_many_rooms_use_is_looked_up_once() {
    let lookups = |rooms: usize| {
        let rooms = (0..rooms).map(|room| {
            format!("  - {{pipe: room-{room}, title: Room, members: [{{roster: class.csv}}]}}\n")
        });
        let manifest = format!("version: 1\nrooms:\n{}", rooms.collect::<String>());
        let files = CountedFiles::new(&[
            ("rooms.yaml".to_owned(), manifest),
            ("class.csv".to_owned(), "user\n7\n".to_owned()),
        ]);
        let loaded = load_from(&files, &["rooms.yaml".into()], Options::default());
        assert!(loaded.is_valid(), "{:?}", loaded.diagnostics);
        files.lookups.get()
    };
    assert_eq!(lookups(200), lookups(2));
}

/// The readable names of users are used only in output.
#[test]
fn the_readable_names_of_users_are_kept() {
    let scene = Scene::new().manifest(
        "version: 1
rooms:
  - pipe: class
    title: Class
    members:
      - {roster: a.csv, user: login, show: [last, first], where: {status: active}, people: {roster: people.csv, name: [login, mail], id: id}}
      - {roster: wide.csv, user: [teacher, helper], show: name}
generate:
  - each: courses.csv
    room: {pipe: \"{{ id }}\", title: \"{{ id }}\", enrol: {roster: a.csv, on: {course: id}, user: id, show: first}}
",
    );
    scene.write("other.yaml", "version: 1\npeople: {head: 1, helper: 9}\n");
    scene.write("courses.csv", "id\nmath\n");
    scene.write(
        "people.csv",
        "login,mail,id\nann,a@example.com,1\n,b@example.com,2\nvera,,3\n",
    );
    scene.write(
        "a.csv",
        "id,login,course,status,last,first\n1,ann,math,active,Ivanova,Anna\n3,vera,math,left,,Vera\n",
    );
    scene.write("wide.csv", "teacher,helper,name\n7,8,Both\n9,,Helper\n");
    let paths = ["rooms.yaml", "other.yaml"].map(|name| scene.path(name));
    let loaded = load(&paths, Options::default());
    assert_eq!(loaded.diagnostics, []);
    let names = loaded.desired.names.iter();
    let names: Vec<String> = names
        .map(|(user, name)| format!("{name} ({user})"))
        .collect();
    assert_eq!(
        names,
        [
            "Ivanova Anna (1)",
            "b@example.com (2)",
            "Vera (3)",
            "Helper (9)"
        ]
    );
}

#[test]
fn paths_in_a_deep_tree_are_resolved_step_by_step() {
    let lookups = |depth: usize| {
        let contents = (0..depth).flat_map(|level| {
            let directory = format!("rooms/{}", "d/".repeat(level));
            let manifest = format!("version: 1\nrooms: [{{pipe: room-{level}, title: Room, members: [{{roster: class.csv}}]}}]\n");
            [
                (format!("{directory}rooms.yaml"), manifest),
                (format!("{directory}class.csv"), "user\n7\n".to_owned()),
            ]
        });
        let files = CountedFiles::new(&contents.collect::<Vec<_>>());
        let loaded = load_from(&files, &["rooms".into()], Options::default());
        assert!(loaded.is_valid(), "{:?}", loaded.diagnostics);
        assert_eq!(loaded.desired.rooms.len(), depth);
        files.lookups.get()
    };
    assert_eq!(lookups(60), lookups(3));
}

/// The first use of a file reads all its rows. Each later use reads only the rows that it
/// needs.
#[test]
fn each_of_many_uses_accounts_for_every_row() {
    let rooms = (1..=4).map(|n| {
        let class = format!("{{roster: enrol.csv, user: user, where: {{course: course-{n}}}}}");
        format!("  - {{pipe: room-{n}, title: Room, members: [{class}]}}\n")
    });
    let entries = (1..=4).map(|n| {
        let room = "{pipe: \"{{ id }}\", title: Course}";
        format!("  - {{each: courses.csv, where: {{id: course-{n}}}, room: {room}}}\n")
    });
    let (rooms, entries) = (rooms.collect::<String>(), entries.collect::<String>());
    let scene = Scene::new().manifest(format!("version: 1\nrooms:\n{rooms}generate:\n{entries}"));
    scene.write(
        "courses.csv",
        "id\ncourse-1\ncourse-2\n\ncourse-3\ncourse-4\n",
    );
    scene.write(
        "enrol.csv",
        "course,user\ncourse-1,11\ncourse-2,12\n,\ncourse-3,13\ncourse-4,14\ncourse-9,15\n",
    );
    let loaded = loaded(&scene);
    assert_eq!(loaded.diagnostics, []);
    assert_eq!(loaded.desired.memberships(), 4);
    let mut uses: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for note in loaded.notes() {
        let counts = note.rows.named().filter(|(_, rows)| *rows > 0);
        let counts: Vec<_> = counts
            .map(|(name, rows)| format!("{name} {rows}"))
            .collect();
        let file = note.file.rsplit('/').next().unwrap().to_owned();
        uses.entry(file).or_default().push(counts.join(", "));
    }
    assert_eq!(uses["courses.csv"], vec!["blank 1, left_out 3, used 1"; 4]);
    assert_eq!(uses["enrol.csv"], vec!["blank 1, left_out 4, used 1"; 4]);
}

/// Every mistake is also reported by later uses of the file, which do not read all rows.
#[test]
fn later_uses_of_a_file_report_and_name_what_the_first_one_does() {
    let class =
        |n| format!("{{roster: enrol.csv, user: user, show: name, where: {{course: {n}}}}}");
    let scene = Scene::new().manifest(format!(
        "version: 1\nrooms:\n  - {{pipe: room-1, title: Room, members: [{}, {}, 17]}}\n",
        class("a"),
        class("b")
    ));
    scene.write(
        "enrol.csv",
        "course,user,name\na,1,One\nb,x,Two\na|b,3,Three\nc,17,Tutor\nragged\n",
    );
    let loaded = loaded(&scene);
    let mut codes: Vec<_> = loaded.diagnostics.iter().map(|it| it.code.name()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["list-in-cell", "ragged-row", "unknown-person"]);
    let names: Vec<_> = loaded.desired.names.values().collect();
    assert_eq!(names, ["One", "Three", "Tutor"]);
}

#[test]
fn every_use_of_an_empty_roster_reports_it() {
    let scene = Scene::new().manifest(
        "version: 1\nrooms:\n\
         \x20 - {pipe: team-a, title: A, members: [{roster: a.csv}]}\n\
         \x20 - {pipe: team-b, title: B, members: [{roster: a.csv}]}\n",
    );
    scene.write("a.csv", "user\n");
    let ran = scene.run("check");
    ran.exits(3);
    assert_eq!(ran.err.matches("error[E024").count(), 2, "{}", ran.err);
}
