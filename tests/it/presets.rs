//! Exports of school systems, read with presets: the example directories, and manifests that override a preset.

use std::fs;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;

use crate::support::{Scene, Shows, validator};

fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A copy of an example directory.
fn example(name: &str) -> Scene {
    let scene = Scene::new();
    copy(&root("examples").join(name), &scene, "");
    scene
}

fn copy(from: &Path, scene: &Scene, below: &str) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{below}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            copy(&path, scene, &format!("{name}/"));
        } else {
            scene.write(&name, fs::read(&path).unwrap());
        }
    }
}

/// The rooms of a manifest, one per line.
fn rooms(scene: &Scene) -> String {
    let rendered = scene.run("render --format csv").ok();
    let lines = rendered.lines().skip(1).map(|line| {
        line.replace(",conference,false,", " ← ")
            .trim_end()
            .to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The files of an example, with this `generate` entry as the manifest.
fn over(name: &str, entry: &str) -> Scene {
    let scene = example(name);
    scene.declare(format!("version: 1\ngenerate:\n  - {entry}\n"));
    scene
}

#[test]
fn canvas_uses_active_rows_and_sections() {
    let scene = example("canvas");
    assert_snapshot!(rooms(&scene), @r"
    canvas-alg-7b,7Б · Алгебра ← 101
    canvas-alg-7b,7Б · Алгебра ← 201
    canvas-rust-1,R1 · Rust for beginners ← 102
    ");
    // Each member is traced to its row.
    assert_snapshot!(scene.run("explain canvas-alg-7b").ok(), @r#"
    canvas-alg-7b  "7Б · Алгебра"
      conference, closed; declared at sis/courses.csv:2
      2 members:
        S-0101 (101)  sis/enrollments.csv:3 (enrol)
        T-0201 (201)  sis/enrollments.csv:2 (enrol)
    "#);
}

#[test]
fn canvas_can_include_every_row_and_other_roles() {
    let scene = over(
        "canvas",
        "{format: canvas, from: ./sis/, id: canvas_user_id, status: any, roles: ta}",
    );
    assert_snapshot!(rooms(&scene), @r"
    canvas-alg-7b,Алгебра ← 301
    canvas-old-1,Last year's course ←
    canvas-rust-1,Rust for beginners ←
    ");
    let scene = over(
        "canvas",
        "{format: canvas, from: sis, id: canvas_user_id, where: {course_id: ALG-7B}, room: {pipe: \"{{ term_id }}-{{ course_id | lower }}\", members: [7]}}",
    );
    assert_snapshot!(rooms(&scene), @r"
    autumn-alg-7b,Алгебра ← 7
    autumn-alg-7b,Алгебра ← 101
    autumn-alg-7b,Алгебра ← 201
    autumn-alg-7b,Алгебра ← 301
    ");
}

#[test]
fn canvas_moves_the_members_of_a_cross_listed_section() {
    let scene = over("canvas", "{format: canvas}");
    scene.write(
        "courses.csv",
        "course_id,long_name,status\nC1,Bio A,active\nC2,Bio B,active\nX1,Bio joint,active\n",
    );
    scene.write(
        "sections.csv",
        "section_id,course_id,status\nS1,C1,active\nS2,C2,active\nS3,C2,active\n",
    );
    scene.write(
        "users.csv",
        "user_id,status\n1,active\n2,active\n3,active\n4,active\n",
    );
    // A row may also name the course to which its section originally belongs.
    scene.write("enrollments.csv", "course_id,section_id,user_id,role,status\n,S1,1,student,active\nC2,S2,2,student,active\n,S3,3,student,active\nC1,,4,student,active\n");
    scene.write(
        "xlists.csv",
        "xlist_course_id,section_id,status\nX1,S1,active\nX1,S2,active\nX1,S3,deleted\n",
    );
    assert_snapshot!(rooms(&scene), @r"
    canvas-c1,Bio A ← 4
    canvas-c2,Bio B ← 3
    canvas-x1,Bio joint ← 1
    canvas-x1,Bio joint ← 2
    ");
    // Without cross-listings, the file may have only a header.
    scene.write("xlists.csv", "xlist_course_id,section_id,status\n");
    assert_snapshot!(rooms(&scene), @r"
    canvas-c1,Bio A ← 1
    canvas-c1,Bio A ← 4
    canvas-c2,Bio B ← 2
    canvas-c2,Bio B ← 3
    canvas-x1,Bio joint ←
    ");
    scene.write(
        "xlists.csv",
        "xlist_course_id,section_id,status\nX1,S1,actve\n",
    );
    scene
        .run("check")
        .err
        .shows("xlists.csv:2:status: `actve` is not a known value");
    // A section can be in one course only; the same row twice does no harm.
    let twice = "xlist_course_id,section_id,status\nX1,S1,active\nX1,S1,active\n";
    scene.write("xlists.csv", twice);
    scene.run("check").exits(0);
    scene.write("xlists.csv", format!("{twice}C2,S1,active\n"));
    let ran = scene.run("check");
    ran.exits(3);
    ran.err
        .shows("xlists.csv:4:section_id: an earlier row also has `S1`, but different values in other columns");
}

#[test]
fn canvas_finds_users_by_their_integration_id() {
    let scene = over("canvas", "{format: canvas, id: site_id}");
    scene.write("courses.csv", "course_id,long_name\nC1,Bio\n");
    scene.write(
        "users.csv",
        "user_id,integration_id,site_id,status\nu1,i1,11,active\nu2,i2,12,active\nu3,,13,active\nu4,i4,14,deleted\n",
    );
    scene.write(
        "enrollments.csv",
        "course_id,user_id,user_integration_id,role\nC1,,i1,student\nC1,u2,i2,student\nC1,u3,,student\nC1,,i4,student\n",
    );
    assert_eq!(
        rooms(&scene),
        "canvas-c1,Bio ← 11\ncanvas-c1,Bio ← 12\ncanvas-c1,Bio ← 13"
    );
    scene.write(
        "enrollments.csv",
        "course_id,user_integration_id,role\nC1,i2,student\n",
    );
    assert_eq!(rooms(&scene), "canvas-c1,Bio ← 12");
    scene.write(
        "enrollments.csv",
        "course_id,user_id,user_integration_id,role\nC1,,,student\n",
    );
    let output = scene.run("check").err;
    output.shows("enrollments.csv:2:user_id: the cell is empty");
    scene.write("enrollments.csv", "course_id,role\nC1,student\n");
    let output = scene.run("check").err;
    output.shows("`enrollments.csv` has no column `user_id`");
}

/// The users in the rooms on a day.
fn rooms_on(scene: &Scene, day: &str) -> Vec<String> {
    let rendered = scene.run(format!("render --format csv --today {day}")).ok();
    let users = rendered.lines().skip(1).map(|line| {
        let user = line.rsplit(',').next();
        user.unwrap().to_owned()
    });
    users.filter(|user| !user.is_empty()).collect()
}

#[test]
fn enrolments_have_dates() {
    let scene = over("canvas", "{format: canvas}");
    scene.write("courses.csv", "course_id,long_name\nC1,Bio\n");
    scene.write("users.csv", "user_id\n1\n2\n3\n");
    scene.write("enrollments.csv", "course_id,user_id,role,start_date,end_date\nC1,1,student,2026-09-01T00:00:00Z,2027-01-31T23:59:59Z\nC1,2,student,2027-02-01,\nC1,3,student,,\n");
    let oneroster = over("oneroster", "{format: oneroster}");
    oneroster.write("classes.csv", "sourcedId,title\nC1,Bio\n");
    oneroster.write("users.csv", "sourcedId,identifier\n1,1\n2,2\n3,3\n");
    oneroster.write("enrollments.csv", "classSourcedId,userSourcedId,role,beginDate,endDate\nC1,1,student,2026-09-01,2027-01-31\nC1,2,student,2027-02-01,\nC1,3,student,,\n");
    let moodle = over("moodle", "{format: moodle}");
    moodle.write("users.csv", "id,course1,enroltimestart1,enrolperiod1,course2,enrolperiod2\n1,C1,2026-09-01,153,,\n2,C1,2027-02-01,0,,\n3,,,,C1,7\n");
    for scene in [&scene, &oneroster, &moodle] {
        for (day, users) in [
            ("2026-08-31", ["3"].as_slice()),
            ("2026-09-01", &["1", "3"]),
            ("2027-01-31", &["1", "3"]),
            ("2027-02-01", &["2", "3"]),
        ] {
            assert_eq!(rooms_on(scene, day), users, "{day}");
        }
    }
    // With `status: any`, the dates of enrolments are ignored.
    let text = scene.read("rooms.yaml");
    scene.declare(text.replace("format: canvas", "format: canvas, status: any"));
    assert_eq!(rooms_on(&scene, "2026-08-31"), ["1", "2", "3"]);
    moodle.write(
        "users.csv",
        "id,course1,enroltimestart1,enrolperiod1\n1,C1,2026-09-01,one week\n",
    );
    let output = moodle.run("check").err;
    output.shows("users.csv:2:enrolperiod1: `one week` is not a number of days");
}

#[test]
fn oneroster_names_users_by_sourced_id() {
    assert_snapshot!(rooms(&example("oneroster")), @r"
    class-c-01,Geometry 8A ← 101
    class-c-01,Geometry 8A ← 201
    ");
    let scene = over(
        "oneroster",
        "{format: oneroster, status: any, roles: [administrator, student]}",
    );
    assert_snapshot!(rooms(&scene), @r"
    class-c-01,Geometry 8A ← 101
    class-c-01,Geometry 8A ← 102
    class-c-01,Geometry 8A ← 103
    class-c-01,Geometry 8A ← 301
    class-c-02,Closed class ← 101
    ");
}

#[test]
fn oneroster_of_version_1_2_has_no_role_or_enabled_user_columns() {
    let scene = example("oneroster");
    scene.write("users.csv", "sourcedId,username,identifier\nu-101,student-101,101\nu-102,student-102,102\nu-103,student-103,103\nu-201,teacher-201,201\n");
    assert_snapshot!(rooms(&scene), @r"
    class-c-01,Geometry 8A ← 101
    class-c-01,Geometry 8A ← 102
    class-c-01,Geometry 8A ← 103
    class-c-01,Geometry 8A ← 201
    ");
}

#[test]
fn moodle_creates_a_room_for_each_course_in_its_rows() {
    assert_snapshot!(rooms(&example("moodle")), @r"
    course-chess-club,Chess club ← 101
    course-fizika-9a,Физика 9А ← 101
    course-fizika-9a,Физика 9А ← 102
    course-fizika-9a,Физика 9А ← 201
    course-staff-room,Staff room ← 201
    ");
    let scene = over(
        "moodle",
        "{format: moodle, id: idnumber, roles: [manager], status: any, room: {pipe: \"{{ course | slug }}\"}}",
    );
    assert_snapshot!(rooms(&scene), @r"
    chess-club,Chess club ← 201
    fizika-9a,Физика 9А ←
    staff-room,Staff room ←
    ");
}

#[test]
fn buddypress_uses_the_plugins_pipes_and_only_confirmed_members() {
    let scene = example("buddypress");
    assert_snapshot!(scene.run("render --format csv").ok(), @r"
    pipe,title,type,public,user
    hidden_12,Книжный клуб,conference,false,102
    hidden_12,Книжный клуб,conference,false,105
    private_7,Teachers & tutors,conference,false,101
    public_3,Road cycling,conference,true,101
    public_3,Road cycling,conference,true,102
    ");
    // First everyone, with another column for the pipe; then only the moderators.
    let scene = over(
        "buddypress",
        "{format: buddypress, status: any, room: {pipe: \"group-{{ slug }}\", enrol: {where: {is_mod: \"1\"}}}}",
    );
    assert_snapshot!(scene.run("render --format csv").ok(), @r"
    pipe,title,type,public,user
    group-book-club,Книжный клуб,conference,false,
    group-road-cycling,Road cycling,conference,true,
    group-teachers,Teachers & tutors,conference,false,101
    ");
    scene.write("bp_groups.csv", "id,name,status\n3,Cycling,secret\n");
    scene.write(
        "bp_groups_members.csv",
        "group_id,user_id,is_confirmed,is_banned\n3,101,yes,0\n",
    );
    scene.declare("version: 1\ngenerate: [{format: buddypress, roles: [admin]}]\n");
    assert_snapshot!(scene.run("check").err, @r#"
    error[E024 empty-roster]: `bp_groups.csv` has no matching rows
     --> rooms.yaml:2:21
      |
    2 | generate: [{format: buddypress, roles: [admin]}]
      |                     ^^^^^^^^^^
      |
      = help: check the file and `where`, or set `allow_empty: true`

    error[E024 empty-roster]: `bp_groups_members.csv` has no matching rows
     --> rooms.yaml:2:21
      |
    2 | generate: [{format: buddypress, roles: [admin]}]
      |                     ^^^^^^^^^^
      |
      = help: check the file and `where`, or set `allow_empty: true`

    error[E015 bad-value]: the files of this format have no roles
     --> rooms.yaml:2:40
      |
    2 | generate: [{format: buddypress, roles: [admin]}]
      |                                        ^
      |
      = help: select members with a condition, as in room: {enrol: {where: {is_admin: "1"}}}

    error[E028 bad-cell]: bp_groups.csv:2:status: `secret` is not a known value; expected one of public, private, hidden
     --> bp_groups.csv:2:11
      |
    2 | 3,Cycling,secret
      |           ^^^^^^
      |
      = help: fix the cell, or select rows with `where` and `status: any`

    error[E028 bad-cell]: bp_groups_members.csv:2:is_confirmed: `yes` is not a known value; expected one of 1, 0
     --> bp_groups_members.csv:2:7
      |
    2 | 3,101,yes,0
      |       ^^^
      |
      = help: fix the cell, or select rows with `where` and `status: any`

    the manifest is invalid: 5 errors
    "#);
}

#[test]
fn wordpress_has_a_room_for_each_role() {
    assert_snapshot!(rooms(&example("wordpress")), @r"
    role-administrator,Administrator ← 1
    role-author,Author ← 2
    role-author,Author ← 3
    role-editor,Editor ← 2
    role-shop-manager,Shop Manager ← 1
    ");
    // The site's own roles are errors until `roles` names them.
    let scene = over("wordpress", "{format: wordpress}");
    assert_snapshot!(scene.run("check").err, @r#"
    error[E028 bad-cell]: users.csv:2:roles: `shop_manager` is not a known value; expected one of administrator, editor, author, contributor, subscriber
     --> users.csv:2:58
      |
    2 | 1,admin,"Ann Site",ann@example.org,"2024-01-15 09:12:44","administrator,shop_manager"
      |                                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: fix the cell, add the role to `roles`, or select rows with `where` and `roles: any`

    the manifest is invalid: 1 error
    "#);
    let scene = over("wordpress", "{format: wordpress, roles: any}");
    assert_snapshot!(rooms(&scene), @r"
    role-administrator,Administrator ← 1
    role-author,Author ← 2
    role-author,Author ← 3
    role-editor,Editor ← 2
    role-shop-manager,Shop Manager ← 1
    role-subscriber,Subscriber ← 4
    ");
}

#[test]
fn keys_beside_a_preset_override_it_at_every_level() {
    // The manifest's conditions are merged with the preset's. Upper and lower case in column
    // names do not matter.
    let scene = over(
        "canvas",
        "{format: canvas, from: sis, id: canvas_user_id, room: {enrol: {where: {STATUS: deleted, section_id: \"\"}, people: {where: {status: [active, suspended]}}}}}",
    );
    assert_snapshot!(rooms(&scene), @"
    canvas-alg-7b,Алгебра ←
    canvas-rust-1,Rust for beginners ← 101
    ");
    // The files have other names and directories, and are joined in another way.
    let scene = over(
        "oneroster",
        "{format: oneroster, each: groups.csv, room: {enrol: {roster: sub/e.csv, on: {class: classCode}, user: [teacher, pupil], people: {roster: p.csv, name: login}, where: {role: \"\"}, optional: [status, role]}}}",
    );
    scene.write("groups.csv", "SourcedID;Title;ClassCode\nc-9;;9A\n");
    scene.write("sub/e.csv", "class,teacher,pupil\n9A,u1,u2\n9A,,u3\n");
    scene.write("p.csv", "login,identifier\nu1,11\nu2,12\nu3,13\n");
    assert_snapshot!(rooms(&scene), @"
    class-c-9,9A ← 11
    class-c-9,9A ← 12
    class-c-9,9A ← 13
    ");
    // The file of Moodle may have any name.
    let scene = example("moodle");
    let file = scene.read("users.csv");
    scene.write(
        "upload/term 2.CSV",
        format!("\u{feff}{}", file.to_uppercase()),
    );
    scene.declare("version: 1\ngenerate: [{format: moodle, from: \"upload/term 2.CSV\", id: idnumber, roles: any, where: {suspended: \"0\"}}]\n");
    assert_snapshot!(rooms(&scene), @"
    moodle-chess-club,CHESS CLUB ← 101
    moodle-chess-club,CHESS CLUB ← 201
    moodle-fizika-9a,ФИЗИКА 9А ← 101
    moodle-fizika-9a,ФИЗИКА 9А ← 102
    moodle-fizika-9a,ФИЗИКА 9А ← 201
    moodle-staff-room,STAFF ROOM ← 201
    ");
}

#[test]
fn preset_values_ignore_case_and_unknown_values_are_errors() {
    let scene = over("canvas", "{format: canvas, from: sis, id: canvas_user_id}");
    scene.write("sis/enrollments.csv", "Course_ID,USER_ID,Role,Status\nALG-7B,S-0101,Student,ACTIVE\nALG-7B,S-0102,tutor,active\nALG-7B,S-0102,student,actve\nALG-7B,S-0102,tutor,deleted\nALG-7B,S-0102,observer,active\n");
    let ran = scene.run("check");
    assert_snapshot!(ran.err, @"
    error[E028 bad-cell]: sis/enrollments.csv:3:Role: `tutor` is not a known value; expected one of student, StudentEnrollment, teacher, TeacherEnrollment, ta, TaEnrollment, designer, DesignerEnrollment, …
     --> sis/enrollments.csv:3:15
      |
    3 | ALG-7B,S-0102,tutor,active
      |               ^^^^^
      |
      = help: fix the cell, add the role to `roles`, or select rows with `where` and `roles: any`

    error[E028 bad-cell]: sis/enrollments.csv:4:Status: `actve` is not a known value; expected one of active, inactive, completed, deleted, deleted_last_completed, invited, creation_pending, rejected
     --> sis/enrollments.csv:4:23
      |
    4 | ALG-7B,S-0102,student,actve
      |                       ^^^^^
      |
      = help: did you mean `active`?

    the manifest is invalid: 2 errors
    ");
    // A role that the format does not know becomes known once `roles` names it, and the format's own roles stay known.
    scene.declare("version: 1\ngenerate: [{format: canvas, from: sis, id: canvas_user_id, roles: [TUTOR], room: {enrol: {where: {status: active}}}}]\n");
    assert_snapshot!(rooms(&scene), @"
    canvas-alg-7b,Алгебра ← 102
    canvas-rust-1,Rust for beginners ←
    ");
}

/// Canvas files with two unknown roles and an empty one.
fn with_unknown_roles(entry: &str) -> Scene {
    let scene = over("canvas", entry);
    scene.write("sis/enrollments.csv", "course_id,user_id,role,status\nALG-7B,S-0101,student,active\nALG-7B,S-0102,studnet,active\nALG-7B,S-0102,tutor,active\nALG-7B,S-0102,,active\nALG-7B,T-0201,teacher,active\n");
    scene
}

#[test]
fn an_unnamed_role_is_an_error_whatever_selects_the_rows() {
    for choice in [
        "",
        "roles: [student, teacher], ",
        "roles: [student, teacher, ta, designer, observer], ",
        "roles: student, status: any, ",
        "room: {enrol: {where: {role: student}}}, ",
        "room: {enrol: {where: {Role: [student, StudentEnrollment]}, user: user_id, allow_empty: true}}, ",
    ] {
        let scene = with_unknown_roles(&format!(
            "{{{choice}format: canvas, from: sis, id: canvas_user_id}}"
        ));
        let output = scene.run("check").err;
        for place in [
            "3:role: `studnet`",
            "4:role: `tutor`",
            "5:role: the cell is empty",
        ] {
            assert!(output.contains(place), "{choice}{place}: {output}");
        }
        assert!(output.ends_with("invalid: 3 errors\n"), "{choice}{output}");
    }
    // Roles named in `roles` are accepted. With `roles: any`, every role is accepted, and
    // `where` selects the rows.
    for (choice, users) in [
        ("roles: [studnet, tutor, \"\"]", "102"),
        ("roles: any, room: {enrol: {where: {role: [tutor]}}}", "102"),
        ("roles: any, room: {enrol: {where: {role: student}}}", "101"),
    ] {
        let scene = with_unknown_roles(&format!(
            "{{{choice}, format: canvas, from: sis, id: canvas_user_id}}"
        ));
        let expected =
            format!("canvas-alg-7b,Алгебра ← {users}\ncanvas-rust-1,Rust for beginners ←");
        assert_eq!(rooms(&scene), expected, "{choice}");
    }
}

/// OneRoster files whose users have other ids in a separate file. One user is disabled.
fn with_own_ids(entry: &str) -> Scene {
    let scene = over("oneroster", entry);
    scene.write("classes.csv", "sourcedId,title\nk1,Physics\n");
    scene.write(
        "users.csv",
        "sourcedId,status,enabledUser,username\na-1,,true,first\na-2,,false,second\na-3,,true,third\na-4,tobedeleted,true,fourth\na-4,,true,fourth\n",
    );
    scene.write(
        "enrollments.csv",
        "sourcedId,classSourcedId,userSourcedId,role\ne1,k1,a-1,student\ne2,k1,a-2,student\ne3,k1,a-3,teacher\ne4,k1,a-4,student\n",
    );
    scene.write(
        "ids.csv",
        "sourcedId,username,site_id\na-1,first,11\na-2,second,12\na-3,third,13\na-4,fourth,14\n",
    );
    scene
}

#[test]
fn a_file_of_ids_is_joined_to_the_users_of_the_preset() {
    let own = |more: &str, enrol: &str| {
        with_own_ids(&format!(
            "{{format: oneroster, {more}room: {{pipe: physics, title: P, enrol: {{{enrol}people: {{roster: ids.csv, name: sourcedId, id: site_id}}}}}}}}"
        ))
    };
    // A user who left and returned has a deleted row and an active row; the active row decides.
    let active = "physics,P ← 11\nphysics,P ← 13\nphysics,P ← 14";
    assert_eq!(rooms(&own("", "")), active);
    assert_eq!(
        rooms(&own("status: any, ", "")),
        "physics,P ← 11\nphysics,P ← 12\nphysics,P ← 13\nphysics,P ← 14"
    );
    // The preset's column for a user may have another name than in the manifest's file.
    let scene = with_own_ids(
        "{format: oneroster, room: {pipe: physics, title: P, enrol: {user: login, people: {roster: ids.csv, name: username, id: site_id}}}}",
    );
    scene.write(
        "enrollments.csv",
        "sourcedId,classSourcedId,login,role\ne1,k1,first,student\ne2,k1,second,student\n",
    );
    assert_eq!(rooms(&scene), "physics,P ← 11");
    // A user whom the manifest's file lists under two names is excluded under both.
    let scene = with_own_ids(
        "{format: oneroster, room: {pipe: physics, title: P, enrol: {user: login, people: {roster: ids.csv, name: [sourcedId, login], id: site_id}}}}",
    );
    scene.write(
        "ids.csv",
        "sourcedId,login,site_id\na-1,first,11\na-2,second,12\n",
    );
    scene.write(
        "enrollments.csv",
        "sourcedId,classSourcedId,login,role\ne1,k1,first,student\ne2,k1,second,student\n",
    );
    assert_eq!(rooms(&scene), "physics,P ← 11");
    // `users.csv` also excludes users if the manifest's file has ids instead of names.
    let scene = over(
        "canvas",
        "{format: canvas, from: sis, where: {course_id: ALG-7B}, room: {enrol: {by: id}}}",
    );
    scene.write(
        "sis/users.csv",
        "user_id,status\n101,active\n102,suspended\n",
    );
    scene.write(
        "sis/enrollments.csv",
        "course_id,user_id,role\nALG-7B,101,student\nALG-7B,102,student\n",
    );
    assert_eq!(rooms(&scene), "canvas-alg-7b,Алгебра ← 101");
}

#[test]
fn without_the_presets_users_the_file_of_ids_has_their_status() {
    let scene = with_own_ids(
        "{format: oneroster, room: {pipe: physics, title: P, enrol: {people: {roster: ids.csv, id: site_id}}}}",
    );
    fs::remove_file(scene.path("users.csv")).unwrap();
    assert_snapshot!(scene.run("check").err, @"
    error[E001 unreadable]: the file `users.csv` does not exist, so the status of the users is unknown
     --> rooms.yaml:3:82
      |
    3 |   - {format: oneroster, room: {pipe: physics, title: P, enrol: {people: {roster: ids.csv, id: site_id}}}}
      |                                                                                  ^^^^^^^
      |
      = help: add `users.csv`, add a status column to `ids.csv`, or write `status: any`

    the manifest is invalid: 1 error
    ");
    scene.write(
        "ids.csv",
        "sourcedId,enabledUser,site_id\na-1,true,11\na-2,false,12\na-3,true,13\na-4,true,14\n",
    );
    assert_eq!(
        rooms(&scene),
        "physics,P ← 11\nphysics,P ← 13\nphysics,P ← 14"
    );
    // A file that exists but cannot be read is a separate error.
    scene.write("users.csv", "sourcedId,status\na-1,\"active\na-2,active\n");
    let output = scene.run("check").err;
    output.shows("users.csv:2: a quoted cell");
    output.ends("invalid: 1 error\n");
    scene.write("users.csv", "sourcedId,enabledUser\na-1,yes\n");
    let output = scene.run("check").err;
    output.shows("users.csv:2:enabledUser: `yes` is not a known value");
}

#[test]
fn optional_files_and_columns_of_a_format_may_be_missing() {
    let scene = example("canvas");
    scene.write("sis/courses.csv", "course_id\nALG-7B\nRUST-1\n");
    scene.write("sis/users.csv", "user_id,canvas_user_id\nS-0101,101\n");
    scene.write(
        "sis/enrollments.csv",
        "course_id,user_id,role\nALG-7B,S-0101,student\n",
    );
    scene.declare("version: 1\ngenerate: [{format: canvas, from: sis, id: canvas_user_id}]\n");
    fs::remove_file(scene.path("sis/sections.csv")).unwrap();
    assert_snapshot!(rooms(&scene), @"
    canvas-alg-7b,ALG-7B ← 101
    canvas-rust-1,RUST-1 ←
    ");
    // Enrolments with only a section, and one with neither section nor course.
    scene.write("sis/sections.csv", "section_id,course_id\nS1,ALG-7B\n");
    scene.write(
        "sis/enrollments.csv",
        "section_id,user_id,role\nS1,S-0101,student\n",
    );
    assert_snapshot!(rooms(&scene), @"
    canvas-alg-7b,ALG-7B ← 101
    canvas-rust-1,RUST-1 ←
    ");
    scene.write(
        "sis/enrollments.csv",
        "section_id,user_id,role\nS1,S-0101,student\n,S-0101,student\nS2,S-0101,student\n",
    );
    assert_snapshot!(scene.run("check").err, @"
    error[E028 bad-cell]: sis/enrollments.csv:3: the row belongs to no room
     --> sis/enrollments.csv:3:1
      |
    3 | ,S-0101,student
      | ^
      |
      = help: fill in the cell, or leave the row out with `where`

    error[E028 bad-cell]: sis/enrollments.csv:4:section_id: `S2` is not in `sis/sections.csv`
     --> sis/enrollments.csv:4:1
      |
    4 | S2,S-0101,student
      | ^^
      |
      = help: add it there, or leave the row out with `where`

    the manifest is invalid: 2 errors
    ");
}

#[test]
fn an_invalid_id_is_an_error_only_if_it_is_used() {
    let scene = example("oneroster");
    let users = scene.read("users.csv");
    scene.write(
        "users.csv",
        format!("{users}\"u-401\",\"\",\"true\",\"o-1\",\"parent\",\"parent-401\",\"\"\n"),
    );
    assert_eq!(scene.run("check").ok(), "valid: 1 room, 2 memberships\n");
    let enrollments = scene.read("enrollments.csv");
    let row = "\"e-7\",\"\",\"\",\"c-01\",\"o-1\",\"u-401\",\"student\",\"false\"\n";
    scene.write("enrollments.csv", format!("{enrollments}{row}{row}"));
    assert_snapshot!(scene.run("check").err, @r#"
    error[E028 bad-cell]: users.csv:7:identifier: the cell is empty
     --> users.csv:7:47
      |
    7 | "u-401","","true","o-1","parent","parent-401",""
      |                                               ^^
      |
      = help: fix the cell, or leave the person out with `where`; the `id` column holds the site's user ids, without leading zeros

    the manifest is invalid: 1 error
    "#);
}

#[test]
fn invalid_keys_of_a_preset_are_reported_at_their_place() {
    let scene = over("canvas", "{format: canvas, from: sis, id: sis_id}");
    let ran = scene.run("check");
    ran.exits(3);
    assert_snapshot!(ran.err, @"
    error[E026 unknown-column]: `sis/users.csv` has no column `sis_id`
     --> rooms.yaml:3:37
      |
    3 |   - {format: canvas, from: sis, id: sis_id}
      |                                     ^^^^^^
      |
      = help: the columns are canvas_user_id, user_id, login_id, full_name, status

    the manifest is invalid: 1 error
    ");
    let scene = over("moodle", "{format: moodle}");
    let output = scene.run("check").err;
    output.shows("`users.csv` has no column `id`").shows("idnumber, course1, role1, course2, role2, enrolstatus2, course3, suspended; to use another column, name it in `id`, `each` or `room`");
    let scene = over("canvas", "{format: kanvas, from: sis}");
    scene.run("check").err.shows("did you mean `canvas`?");
    let scene = over("canvas", "{format: canvas, roles: []}");
    let output = scene.run("check").err;
    for wanted in [
        "`roles` selects no one",
        "there is no file `courses.csv`",
        "there is no file `users.csv`",
        "rooms.yaml:3:14",
    ] {
        assert!(output.contains(wanted), "{wanted}: {output}");
    }
    let scene = over(
        "canvas",
        "{each: sis/courses.csv, roles: [ta], room: {pipe: x-1, title: x}}",
    );
    scene.run("check").err.shows("`roles` needs `format`");
}

#[test]
fn applying_each_example_leads_to_an_empty_plan() {
    for (name, count) in [
        ("canvas", 2),
        ("oneroster", 1),
        ("moodle", 3),
        ("buddypress", 3),
        ("wordpress", 4),
    ] {
        let scene = example(name);
        scene.run("apply --sandbox --yes").ok();
        let plan = scene.run("plan --sandbox --detailed-exitcode").ok();
        plan.shows(format!("plan: nothing to do; {count} unchanged"));
    }
}

#[test]
fn keys_beside_a_preset_are_in_the_schema() {
    let schema = validator("manifest");
    let is_valid = |text: &str| {
        let instance: serde_json::Value = serde_yaml::from_str(text).unwrap();
        schema.is_valid(&instance)
    };
    for name in ["canvas", "oneroster", "moodle", "buddypress", "wordpress"] {
        let manifest = fs::read_to_string(root(&format!("examples/{name}/rooms.yaml"))).unwrap();
        assert!(is_valid(&manifest), "{name}");
    }
    for (entry, expected) in [
        ("{format: canvas}", true),
        (
            "{format: canvas, each: {delimiter: \";\"}, room: {title: x, enrol: {where: {a: b}, people: {id: x}, via: {roster: s.csv}}}}",
            true,
        ),
        ("{format: kanvas}", false),
        ("{each: a.csv, room: {title: x}}", false),
        (
            "{each: a.csv, room: {pipe: x, title: x, enrol: {roster: e.csv}}}",
            false,
        ),
        (
            "{each: a.csv, room: {pipe: x, title: x, enrol: [{roster: e.csv, on: {a: b}, via: {roster: s.csv}}]}}",
            false,
        ),
        (
            "{each: a.csv, room: {pipe: x, title: x, enrol: [{roster: e.csv, on: {a: b}}]}}",
            true,
        ),
        (
            "{each: a.csv, room: {pipe: x, title: x}, roles: any}",
            false,
        ),
    ] {
        assert_eq!(
            is_valid(&format!("version: 1\ngenerate: [{entry}]\n")),
            expected,
            "{entry}"
        );
    }
}
