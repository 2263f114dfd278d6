//! `doctor --write-probe`: its prompt, its errors, and its results.

use insta::assert_snapshot;
use roomform::sandbox::{CountUsers, Quirks};

use super::*;
use crate::support::{Fault, Proxy, Shows, until};

fn sandbox(quirks: Quirks) -> Scene {
    Scene::new().manifest(MANIFEST).sandbox_with_quirks(quirks)
}

const PROBE: [&str; 3] = ["--write-probe", "probe-1", "--yes"];

/// The output of the probe.
fn probed(scene: &Scene) -> String {
    let text = doctor_output(scene, &scene.url(), &PROBE);
    let exit = text.lines().next().unwrap().to_owned();
    let end = text.find("write-probe").unwrap();
    let start = text[..end].rfind('\n').unwrap();
    format!("{exit}{}", &text[start..])
}

#[test]
fn a_server_that_applies_updates_is_recognized() {
    let scene = sandbox(Quirks::default());
    assert_snapshot!(probed(&scene), @"
    exit 0
    ok       write-probe     a room was created; 8 questions answered
                             remedy: remove the room in ImbaChat: the API cannot delete it

    write probe `probe-1`
      settled  does the list lag: not after the create
      settled  is the pipe kept: yes, byte for byte
      settled  does a create's title arrive: yes
      settled  does a create's type arrive: yes
      open     does a create's visibility arrive: `closed` was sent and is shown; `public` was not tried, because the probe never makes a room public
      settled  does a call by pipe and id return the same room id: yes
      settled  does a call by pipe and id update the room or duplicate it: it updates: there is one room with the pipe
      settled  does a repeated call update the title: yes
      settled  does a repeated call update the type: yes
      open     does a repeated call update the visibility: not tried: the probe never makes a room public
      open     does a call by pipe alone update the room or duplicate it: not tried: the call after the create also had the room's id
      room 2 exists now, and the API cannot delete it: remove it in ImbaChat

    doctor: 13 ok, 0 warnings, 0 failed, 4 skipped
    ");
    let room = scene.room("probe-1");
    assert_eq!(
        (room.name.as_str(), room.kind, room.is_public),
        ("roomform write probe: remove this room", 1, false)
    );
    assert_eq!(
        (scene.rooms().len(), scene.writes(), room.members.len()),
        (1, 2, 0)
    );
    // The room exists now, so the next probe is refused.
    assert_snapshot!(probed(&scene), @"
    exit 1
    failed   write-probe     nothing was written: `probe-1` is a live room
                             remedy: choose an unused pipe, such as roomform-probe-1

    doctor: 12 ok, 0 warnings, 1 failed, 4 skipped
    ");
    assert_eq!(scene.writes(), 2);
}

#[test]
fn a_server_that_ignores_updates_is_recognized() {
    let scene = sandbox(Quirks {
        ignore_updates: true,
        ..Quirks::default()
    });
    assert_snapshot!(probed(&scene), @"
    exit 0
    warning  write-probe     a room was created; 8 questions answered, with unexpected answers; see below
                             remedy: remove the room in ImbaChat: the API cannot delete it

    write probe `probe-1`
      settled  does the list lag: not after the create
      settled  is the pipe kept: yes, byte for byte
      settled  does a create's title arrive: yes
      settled  does a create's type arrive: yes
      open     does a create's visibility arrive: `closed` was sent and is shown; `public` was not tried, because the probe never makes a room public
      settled  does a call by pipe and id return the same room id: yes
      settled  does a call by pipe and id update the room or duplicate it: it updates: there is one room with the pipe
      settled  does a repeated call update the title: no, not within 3 reads of the list
      settled  does a repeated call update the type: no, not within 3 reads of the list
      open     does a repeated call update the visibility: not tried: the probe never makes a room public
      open     does a call by pipe alone update the room or duplicate it: not tried: the call after the create also had the room's id
      room 2 exists now, and the API cannot delete it: remove it in ImbaChat

    doctor: 12 ok, 1 warning, 0 failed, 4 skipped
    ");
}

#[test]
fn a_list_that_lags_is_recognized() {
    let scene = sandbox(Quirks {
        lag: 1,
        ..Quirks::default()
    });
    assert_snapshot!(probed(&scene), @"
    exit 0
    warning  write-probe     a room was created; 7 questions answered, with unexpected answers; see below
                             remedy: remove the room in ImbaChat: the API cannot delete it

    write probe `probe-1`
      settled  does the list lag: yes: the read after the create did not show the room
      open     does a create's title arrive: the list lacked the room before the update
      open     does a create's type arrive: the list lacked the room before the update
      open     does a create's visibility arrive: the list lacked the room before the update
      settled  does a call by pipe and id return the same room id: yes
      settled  does a call by pipe and id update the room or duplicate it: it updates: there is one room with the pipe
      settled  is the pipe kept: yes, byte for byte
      settled  does a repeated call update the title: yes
      settled  does a repeated call update the type: yes
      open     does a repeated call update the visibility: not tried: the probe never makes a room public
      settled  does the list lag after an update: yes: it took 2 reads until the list showed the update
      open     does a call by pipe alone update the room or duplicate it: not tried: the call after the create also had the room's id
      room 2 exists now, and the API cannot delete it: remove it in ImbaChat

    doctor: 12 ok, 1 warning, 0 failed, 4 skipped
    ");
}

#[test]
fn a_denied_write_creates_no_room() {
    let scene = sandbox(Quirks::default());
    let scene = scene.env("IMBACHAT_PASSWORD", "wrong");
    assert_snapshot!(probed(&scene), @"
    exit 1
    failed   write-probe     no room was created: the server does not accept the site user's login and password (HTTP 401): no user of the site has that login and password
                             remedy: check IMBACHAT_LOGIN and IMBACHAT_PASSWORD: they must belong to a user of the site that has the widget

    doctor: 12 ok, 0 warnings, 1 failed, 4 skipped
    ");
    let scene = scene.env("IMBACHAT_PASSWORD", "");
    assert_snapshot!(probed(&scene), @"
    exit 1
    failed   write-probe     no credentials for writing: IMBACHAT_PASSWORD not set
                             remedy: set them in the environment, or name files with ..._FILE; or try --sandbox, which needs no credentials

    doctor: 11 ok, 1 warning, 1 failed, 4 skipped
    ");
    assert_eq!(scene.rooms().len(), 0);
}

/// What the probe reports about members on a server with these quirks.
fn probed_users(quirks: Quirks) -> String {
    let scene = sandbox(quirks);
    scene.insert(roomform::sandbox::Room {
        pipe: "other".to_owned(),
        members: [4, 5].into(),
        ..roomform::sandbox::Room::default()
    });
    let args = [&PROBE[..], &["--probe-users", "3,4,5"]].concat();
    let text = doctor_output(&scene, &scene.url(), &args);
    text.shows("a room was created");
    let words = [
        "count_users",
        "users in the room",
        "writing user",
        "JWT list",
    ];
    let lines = text
        .lines()
        .filter(|line| words.iter().any(|word| line.contains(word)));
    lines.map(str::trim).collect::<Vec<&str>>().join("\n")
}

#[test]
fn probe_users_show_the_meaning_of_the_filter() {
    assert_snapshot!(probed_users(Quirks::default()), @"
    settled  which rooms does the filter count_users find: rooms with exactly this number of users
    settled  are the users in the room: yes, all were counted
    settled  does the writing user count as a member: no
    settled  does a JWT list only its user's rooms: no, it lists all rooms
    ");
    let at_least = Quirks {
        count_users: CountUsers::AtLeast,
        count_admin: true,
        jwt_lists_own: true,
        ..Quirks::default()
    };
    assert_snapshot!(probed_users(at_least), @"
    settled  which rooms does the filter count_users find: rooms with at least this number of users
    settled  are the users in the room: yes, all were counted
    settled  does the writing user count as a member: yes
    settled  does a JWT list only its user's rooms: yes, it lists 1 of 3 rooms
    ");
    let ignored = Quirks {
        count_users: CountUsers::Ignored,
        ..Quirks::default()
    };
    assert_snapshot!(probed_users(ignored), @"
    settled  which rooms does the filter count_users find: all rooms: the server ignores the filter, so members cannot be counted
    open     are the users in the room: they could not be counted
    settled  does a JWT list only its user's rooms: no, it lists all rooms
    ");
    let dropped = Quirks {
        drop_unknown_users: true,
        jwt_lists_own: true,
        ..Quirks::default()
    };
    assert_snapshot!(probed_users(dropped), @"
    open     which rooms does the filter count_users find: the answers fit more than one meaning, or contradict each other
    settled  are the users in the room: users sent: 3; users counted: 1 to 2
    open     does a JWT list only its user's rooms: the JWT of a user who was added to the probe's room does not list that room
    ");
    let scene = sandbox(Quirks::default());
    for users in ["3", "3,3", "x"] {
        let args = [
            "doctor",
            "--write-probe",
            "p",
            "--yes",
            "--probe-users",
            users,
        ];
        scene.run(args).exits(64);
    }
    scene.run("doctor --probe-users 3,4").exits(64);
    assert_eq!(scene.writes(), 0);
}

#[test]
fn a_pipe_that_is_declared_deleted_or_recorded_is_refused() {
    let scene = sandbox(Quirks {
        show_deleted: true,
        ..Quirks::default()
    });
    let refused = |pipe: &str| {
        let text = scene.run([
            "doctor",
            "--write-probe",
            pipe,
            "--yes",
            "--ledger",
            "l.jsonl",
        ]);
        text.exits(1);
        steps(&text.out, &["write-probe"])
    };
    assert_snapshot!(refused("team-a"), @"
    failed   write-probe     nothing was written: `team-a` is in the manifest
                             remedy: choose an unused pipe, such as roomform-probe-1
    ");
    scene.run("apply --yes --ledger l.jsonl").ok();
    let writes = scene.writes();
    assert_snapshot!(refused("team-a"), @"
    failed   write-probe     nothing was written: `team-a` is a live room
                             remedy: choose an unused pipe, such as roomform-probe-1
    ");
    let id = scene.room("team-a").id;
    scene.world(|world| world.delete_room(627, id, 1));
    assert_snapshot!(refused("team-a"), @"
    failed   write-probe     nothing was written: `team-a` belonged to a room that was deleted
                             remedy: choose an unused pipe, such as roomform-probe-1
    ");
    scene.declare("version: 2\n");
    assert_snapshot!(refused("other"), @"
    failed   write-probe     nothing was written: `other` may be in the manifest, which is invalid
                             remedy: fix the manifest first: run `roomform check` to see its errors
    ");
    assert_eq!(scene.writes(), writes);
}

#[test]
fn a_pipe_that_a_server_may_confuse_with_another_is_refused() {
    let scene = sandbox(Quirks::default());
    let room = roomform::sandbox::Room {
        pipe: "Probe-1".to_owned(),
        name: "A room in use".to_owned(),
        kind: 1,
        ..roomform::sandbox::Room::default()
    };
    scene.insert(room);
    assert_snapshot!(probed(&scene), @"
    exit 1
    failed   write-probe     nothing was written: `probe-1` looks like `Probe-1`, and a server may confuse the two
                             remedy: choose an unused pipe, such as roomform-probe-1

    doctor: 12 ok, 0 warnings, 1 failed, 4 skipped
    ");
    let declared = ["--write-probe", "TEAM-A", "--yes"];
    assert_snapshot!(steps(&doctor_output(&scene, &scene.url(), &declared), &["write-probe"]), @"
    failed   write-probe     nothing was written: `TEAM-A` looks like `team-a`, and a server may confuse the two
                             remedy: choose an unused pipe, such as roomform-probe-1
    ");
    assert_eq!(scene.writes(), 0);
}

/// The server maps the new pipe to an existing room. The first write cannot be avoided, but there must be no
/// second one.
#[test]
fn an_existing_room_is_not_written_to_again_or_called_the_probes_room() {
    let scene = sandbox(Quirks::default());
    let room = roomform::sandbox::Room {
        id: 7,
        pipe: "in-use".to_owned(),
        name: "In \u{1b}[2J use".to_owned(),
        kind: 1,
        is_public: true,
        ..roomform::sandbox::Room::default()
    };
    scene.insert(room);
    let named = r#"{"code":200,"data":[{"success":true,"room_id":7}]}"#;
    let proxy = Proxy::start(&scene.url(), move |_, request| {
        let write = request.is_some_and(|request| request.contains("/imba_rooms "));
        write.then_some(Fault::Answer("200 OK", "", named))
    });
    let scene = scene.at(&proxy.url());
    let text = doctor_output(&scene, &proxy.url(), &PROBE);
    text.begins("exit 1\n");
    assert_snapshot!(steps(&text, &["write-probe"]), @r"
    failed   write-probe     no room was created: the server answered with room 7, which already had the pipe `in-use`, and may have overwritten it
                             remedy: check room 7 in ImbaChat, and do not remove it: before the probe it was `In \u{1b}[2J use`, conference, public
    ");
    let writes = proxy.seen().into_iter();
    let writes = writes.filter(|call| call.request.contains("/imba_rooms "));
    assert_eq!(writes.count(), 1);
}

/// Without the report, the user would not know that the probe created a room.
#[cfg(target_os = "linux")]
#[test]
fn a_created_room_is_reported_even_if_stdout_fails() {
    let scene = sandbox(Quirks::default());
    let args = [&["doctor"], &PROBE[..]].concat();
    for format in ["text", "json"] {
        let api_pipe = format!("probe-{format}");
        let mut args = args.clone();
        args[2] = &api_pipe;
        args.extend(["--format", format]);
        let full = std::fs::File::create("/dev/full").unwrap();
        let output = scene.command(&args).stdout(full).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        let id = scene.room(&api_pipe).id;
        assert_eq!(output.status.code(), Some(1), "{err}");
        err.begins(format!(
            "error: room {id} was created, but the report could not be printed: "
        ));
    }
}

#[test]
fn without_a_terminal_the_probe_is_refused_before_any_check() {
    let scene = sandbox(Quirks::default());
    assert_snapshot!(doctor_output(&scene, &scene.url(), &["--write-probe", "probe-1"]), @"
    exit 5
    error: no room was created: there is no terminal to ask on, and --yes was not given
      hint: add --yes to create one room, which the API cannot delete
    ");
    let json = scene.run("doctor --write-probe probe-1 --format json");
    assert_eq!((json.code, json.json()["exit"].clone()), (5, 5.into()));
    for pipe in ["", " x", "a\u{202e}b", &"x".repeat(256)] {
        scene
            .run(["doctor", "--yes", "--write-probe", pipe])
            .exits(64);
    }
    scene.run("doctor --yes").exits(64);
    assert_eq!(scene.stats().get_rooms + scene.writes(), 0);
}

/// An interrupt does not hide the room that was created.
#[cfg(unix)]
#[test]
fn an_interrupted_probe_prints_its_report() {
    let scene = sandbox(Quirks::default());
    let is_write = |request: &str| request.contains("/imba_rooms ");
    let proxy = Proxy::start(&scene.url(), move |_, request| {
        request.is_some_and(is_write).then_some(Fault::SilenceAfter)
    });
    let scene = scene.at(&proxy.url());
    let args = [&["doctor", "--timeout", "2s"], &PROBE[..]].concat();
    let child = scene.start(&args);
    until("the create", || {
        proxy.seen().iter().any(|call| is_write(&call.request))
    });
    let kill = format!("kill -INT {}", child.id());
    let sent = std::process::Command::new("/bin/sh")
        .args(["-c", &kill])
        .status();
    assert!(sent.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let (out, err) = (output.stdout, output.stderr);
    let (out, err) = [out, err]
        .map(|text| String::from_utf8(text).unwrap())
        .into();
    assert_eq!(output.status.code(), Some(1), "{out}{err}");
    assert_eq!(
        err,
        "warning: the probe is running; if you stop now, you will not know which room it created\n"
    );
    out.shows("the room may have been created: ");
    assert_eq!(scene.rooms().len(), 1);
}

#[test]
fn a_success_that_carries_an_error_is_reported() {
    const CARRIES: &str =
        r#"{"code":200,"warnings":["old \u001b[1m client"],"data":[{"success":true,"room_id":2}]}"#;
    let scene = sandbox(Quirks::default());
    let proxy = Proxy::start(&scene.url(), |_, request| {
        let write = request.is_some_and(|request| request.contains("/imba_rooms "));
        write.then_some(Fault::AnswerAfter("200 OK", "", CARRIES))
    });
    let scene = scene.at(&proxy.url());
    let ran = scene.run([&["doctor"][..], &PROBE].concat());
    let line = r"  settled  can a success also report errors: yes: old \u{1b}[1m client";
    let lines = ran.out.lines().filter(|it| *it == line);
    assert_eq!((ran.code, lines.count()), (0, 1), "{ran:#?}");
}
