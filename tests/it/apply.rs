//! What an apply changes on the server and in the ledger, and that the next run has nothing to do.

use std::fs;

use insta::assert_snapshot;
use roomform::sandbox::Room;

use crate::support::{Fault, Proxy, Scene, Shows, form, live_room, manifest, until};

/// 25 rooms with 7 members each.
fn many() -> String {
    manifest((1..=25).map(|room| {
        let members: Vec<u64> = (0..7).map(|member| room * 10 + member).collect();
        format!("pipe: course-{room:02}, title: \"Курс {room}\", members: {members:?}")
    }))
}

#[test]
fn a_second_apply_of_25_rooms_writes_nothing() {
    let scene = Scene::new().manifest(many()).sandbox();
    let out = scene.apply().ok();
    out.shows("apply: 25 verified; 175 members confirmed; requests: 25 to write, 1 to verify");
    out.ends("now:  nothing to do; 25 unchanged, 1 unmanaged\n");
    assert_eq!((scene.writes(), scene.rooms().len()), (25, 25));
    for (index, room) in (1..=25).enumerate() {
        let live = &scene.room(&format!("course-{room:02}"));
        assert_eq!(
            (live.name.as_str(), live.kind, live.is_public),
            (format!("Курс {room}").as_str(), 1, false)
        );
        assert_eq!(
            live.members.iter().copied().collect::<Vec<_>>(),
            (0..7).map(|m| room * 10 + m).collect::<Vec<u64>>(),
            "{index}"
        );
    }
    scene.run("plan --detailed-exitcode").exits(0);
    let ledger = scene.files();
    scene.apply().ok();
    assert_eq!(scene.writes(), 25, "zero writes when nothing changed");
    assert_eq!(scene.files(), ledger, "and the ledger does not change");
}

#[test]
fn a_failing_room_does_not_stop_the_others() {
    let scene = Scene::new()
        .manifest(many())
        .sandbox()
        .after("apply --yes --only course-03 --ledger l.jsonl");
    scene.edit("Курс 3\"", "Another\"");
    // The proxy rejects only the writes to the room that has the id 2 in the ledger.
    let proxy = Proxy::start(&scene.url(), |_, request| {
        let is_third = form(request?).contains(&("room_id", "2"));
        let body = r#"{"code":403,"error":"not this one"}"#;
        is_third.then_some(Fault::Answer("403 Forbidden", "", body))
    });
    let ledger = scene.read("l.jsonl").replace(&scene.url(), &proxy.url());
    let scene = scene.file("l.jsonl", ledger).at(&proxy.url());
    let ran = scene.run("apply --yes --ledger l.jsonl");
    ran.exits(4);
    ran.shows("24 verified, 1 failed");
    ran.shows("not this one").shows("course-03");
    ran.shows("now:  1 to update; 24 unchanged");
    assert_eq!(scene.rooms().len(), 25);
}

#[test]
fn a_ledger_that_cannot_be_written_stops_before_the_first_call() {
    let scene = Scene::new().manifest(many()).sandbox();
    let blocked = scene.write("a-file", "").join("ledger.jsonl");
    let ran = scene.run(["apply", "--yes", "--ledger", blocked.to_str().unwrap()]);
    assert_eq!((ran.code, scene.writes()), (1, 0), "{ran:?}");
    ran.err
        .shows("error: ledger `")
        .shows("name another ledger with --ledger");
}

#[test]
fn a_ledger_of_another_target_is_refused() {
    let (rehearsal, production) = (Scene::new().sandbox(), Scene::new().sandbox());
    let scene = Scene::new()
        .manifest(many())
        .beside(&rehearsal)
        .after("apply --yes --ledger shared.jsonl");
    let scene = scene.beside(&production);
    for verb in ["plan", "apply --yes"] {
        let ran = scene.run(format!("{verb} --ledger shared.jsonl"));
        assert_eq!((ran.code, production.writes()), (1, 0), "{ran:?}");
        ran.err.shows("belongs to widget 627 on http://127.0.0.1:");
    }
}

#[test]
fn a_torn_last_line_is_dropped_with_a_warning_and_a_damaged_one_is_an_error() {
    let scene = Scene::new()
        .manifest(many())
        .sandbox()
        .after("apply --yes --ledger l.jsonl");
    let whole = scene.read("l.jsonl");
    scene.write("l.jsonl", format!("{whole}{{\"run\":\"x\",\"seq\":1,\"ti"));
    let ran = scene.run("plan --detailed-exitcode --ledger l.jsonl");
    ran.exits(0);
    assert_snapshot!(ran.err, @"warning: ledger `l.jsonl`: the last line is incomplete, probably because a run was killed; roomform ignores that line");
    scene.declare(many().replace("Курс 7\"", "Seven\""));
    scene.run("apply --yes --ledger l.jsonl").ok();
    scene.read("l.jsonl").begins(&whole).shows("Seven");
    assert_eq!(
        scene.run("plan --detailed-exitcode --ledger l.jsonl").err,
        ""
    );
    scene.write(
        "l.jsonl",
        whole.replacen("\"kind\":\"intent\"", "\"kind\":\"dance\"", 1),
    );
    let ran = scene.run("plan --ledger l.jsonl");
    ran.exits(1);
    ran.err
        .shows("error: ledger `l.jsonl`, line 2: not an entry");
    scene.write(
        "l.jsonl",
        whole.replacen("\"roomform_ledger\":1", "\"roomform_ledger\":2", 1),
    );
    let ran = scene.run("plan --ledger l.jsonl");
    assert!(
        ran.code == 1
            && ran
                .err
                .contains("has format 2, this roomform reads up to 1"),
        "{ran:?}"
    );
}

#[test]
fn ledgers_concatenated_line_by_line_work_as_one() {
    let scene = Scene::new()
        .manifest(many())
        .sandbox()
        .after("apply --yes --only course-0* --ledger a.jsonl");
    scene
        .run("apply --yes --only course-[12]* --ledger b.jsonl")
        .ok();
    let (a, b) = (scene.read("a.jsonl"), scene.read("b.jsonl"));
    scene.write("ab.jsonl", format!("{a}{b}{a}"));
    let mut lines: Vec<&str> = b.lines().chain(a.lines().skip(1)).collect();
    lines[1..].reverse();
    scene.write("ba.jsonl", lines.join("\n") + "\n");
    for merged in ["ab.jsonl", "ba.jsonl"] {
        scene
            .run(["plan", "--detailed-exitcode", "--ledger", merged])
            .exits(0);
    }
}

#[test]
fn members_are_sent_in_chunks_and_again_to_a_recreated_room() {
    let members: Vec<String> = (1..=450).map(|user| user.to_string()).collect();
    let text = format!(
        "version: 1\nrooms:\n  - {{pipe: big, title: Big, members: [{}]}}\n",
        members.join(", ")
    );
    let scene = Scene::new().manifest(&text).sandbox();
    let out = scene.apply().ok();
    out.shows("1 verified; 450 members confirmed; requests: 3 to write, 1 to verify");
    assert_eq!(scene.room("big").members.len(), 450);
    let old = scene.delete("big");
    let new = scene.insert(live_room("big", "Big"));
    let out = scene.plan().ok();
    let note = format!(
        "big: the ledger has room {old}, but the server shows room {new}, which is not in the ledger"
    );
    out.shows(&note).shows("members unknown: 450 sent again");
    scene.apply().ok();
    assert_eq!(scene.room("big").members.len(), 450);
    scene.run("plan --detailed-exitcode").ok().lacks("warnings");
}

#[test]
fn members_are_not_sent_to_an_existing_room_with_on_create() {
    let text = "version: 1\nrooms:\n  - {pipe: once, title: Once, members: [1, 2], members_policy: on_create}\n";
    let scene = Scene::new().manifest(text).applied();
    assert_eq!(scene.room("once").members, [1, 2].into());
    scene.declare(text.replace("[1, 2]", "[1, 2, 3, 4]"));
    let plan = scene.run("plan --detailed-exitcode").ok();
    plan.shows(
        "2 memberships of 1 room not sent: `members_policy: on_create` adds members only to a new room",
    );
    let plan = scene.run("plan --format json").json();
    let note = serde_json::json!({"note": "members_not_sent", "rooms": 1, "members": 2});
    assert_eq!(plan["notes"], serde_json::json!([note]));
}

#[test]
fn the_plan_of_an_export_is_empty_with_and_without_the_ledger() {
    let scene = Scene::new().manifest(many()).applied();
    for (pipe, name, kind) in [
        ("1e3", "yes", 0),
        ("a: b # c", "- \"quoted\" \\ 'title'", 3),
        ("odd", "two\nlines\u{1b}", 1),
        ("unknown-type", "Type 7", 7),
        ("bidi", "x\u{202e}y\u{200b}", 1),
        (" lead", "left out", 1),
        ("twin", "one", 1),
        ("twin", "two", 1),
    ] {
        scene.insert(Room {
            pipe: pipe.to_owned(),
            name: name.to_owned(),
            kind,
            is_public: kind == 3,
            ..Room::default()
        });
    }
    let exported = scene.run("export").ok();
    assert_eq!(exported, scene.run("export").ok(), "stable");
    exported.shows("# left out: pipe \" lead\" (id ");
    exported
        .shows("# left out: pipe \"twin\" (id ")
        .shows("more than one live room");
    exported.shows("members: [10, 11, 12, 13, 14, 15, 16] # these members are known");
    scene.declare(&exported);
    let plan = scene.run("plan --detailed-exitcode").ok();
    plan.shows("nothing to do; 31 unchanged");
    fs::remove_dir_all(scene.path(".roomform")).unwrap();
    let exported = scene.run("export --scope course-1?").ok();
    exported.shows("members: [] # unknown").lacks("course-01");
    scene.declare(&exported);
    scene
        .run("plan --detailed-exitcode")
        .ok()
        .shows("nothing to do; 10 unchanged");
}

#[test]
fn the_built_in_sandbox_keeps_its_state_and_its_own_ledger() {
    let scene = Scene::new().manifest(many());
    let ran = scene.run("apply --yes --sandbox").ok();
    ran.shows("25 verified");
    assert!(
        scene.path(".roomform/sandbox.json").is_file()
            && scene.path(".roomform/sandbox-627.jsonl").is_file()
    );
    scene
        .run("plan --sandbox --detailed-exitcode")
        .ok()
        .shows("25 unchanged");
    scene
        .run("plan --sandbox=other.json --detailed-exitcode")
        .exits(2);
    fs::write(scene.path(".roomform/sandbox.json"), "{").unwrap();
    let ran = scene.run("plan --sandbox");
    ran.exits(1);
    assert!(
        ran.err.contains("sandbox.json") && scene.read(".roomform/sandbox.json") == "{",
        "{ran:?}"
    );
}

#[test]
fn apply_without_a_terminal_needs_yes() {
    let scene = Scene::new().manifest(many()).sandbox();
    let before = scene.files();
    let ran = scene.run_with_input("apply", "y\n");
    assert_eq!((ran.code, scene.writes()), (5, 0));
    ran.shows("25 to create");
    ran.err.shows("--yes was not given");
    assert_eq!(scene.files(), before);
}

#[test]
fn a_rejected_login_is_not_tried_for_every_room() {
    let scene = Scene::new()
        .manifest(many())
        .sandbox()
        .env("IMBACHAT_PASSWORD", "wrong-one");
    let ran = scene.run("apply --yes --parallelism 2");
    assert_eq!((ran.code, scene.rooms().len()), (4, 0));
    assert!(scene.writes() <= 2, "{:?}", scene.stats());
    // The second request may not have been sent when the first answer arrives.
    assert!(
        ["23 not started", "24 not started"]
            .iter()
            .any(|words| ran.out.contains(words))
            && ran
                .out
                .contains("stopped: the server rejects the credentials; writes to other rooms were not started"),
        "{}",
        ran.out
    );
}

/// A user who sees only the error must know whether anything was sent. A requested report is still written.
#[cfg(target_os = "linux")]
#[test]
fn a_stdout_error_says_whether_anything_was_applied() {
    let scene = Scene::new().manifest(many()).sandbox();
    let run = |args: &[&str]| {
        let full = fs::OpenOptions::new().write(true).open("/dev/full");
        let ran = scene.command(args).stdout(full.unwrap()).output().unwrap();
        let err = String::from_utf8(ran.stderr).unwrap();
        (ran.status.code(), err)
    };
    let (code, err) = run(&["apply", "--yes", "--format", "text"]);
    assert_eq!((code, scene.writes()), (Some(1), 0));
    assert_eq!(
        err,
        "error: nothing was applied: cannot write to stdout: No space left on device (os error 28)\n"
    );
    let (code, err) = run(&[
        "apply", "--yes", "-q", "--format", "json", "--report", "r.json",
    ]);
    assert_eq!((code, scene.rooms().len()), (Some(1), 25));
    assert_snapshot!(err, @"
    error: apply ended with 25 verified; 175 members confirmed; requests: 25 to write, 1 to verify; the result could not be printed: cannot write to stdout: No space left on device (os error 28)
      hint: run `roomform plan` to see the remaining changes
    ");
    scene.read("r.json").shows("course-25");
    // Nothing is left to send. Neither stdout nor the report can be written, and both errors
    // are shown.
    let (code, err) = run(&[
        "apply",
        "--yes",
        "-q",
        "--format",
        "json",
        "--report",
        "/dev/full",
    ]);
    assert_eq!((code, scene.rooms().len()), (Some(1), 25));
    assert_snapshot!(err, @r"
    error: `/dev/full` cannot be written: No space left on device (os error 28)
    error: nothing was applied, and the result could not be printed: cannot write to stdout: No space left on device (os error 28)
    ");
    // If a room has also failed, the error has the hint for that failure.
    let fixed = many().replace(
        "pipe: course-01,",
        "pipe: course-01, welcome: {from: 99999, text: hello},",
    );
    let scene = Scene::new()
        .manifest(fixed.replace("course-", "class-"))
        .beside(&scene);
    let full = || {
        fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    let ran = scene
        .command("apply --yes -q --format json")
        .stdout(full())
        .output()
        .unwrap();
    let err = String::from_utf8(ran.stderr).unwrap();
    assert_snapshot!(err, @r"
    error: apply ended with 24 verified, 1 failed; 175 members confirmed; requests: 25 to write, 1 to verify, 1 to send; the result could not be printed: cannot write to stdout: No space left on device (os error 28)
      hint: check the sender with `roomform get users` (`from` is the remote_user_id) and the room with `roomform get rooms`; also check --api-url
      hint: run `roomform plan` to see the remaining changes
    ");
}

#[test]
fn a_sandbox_that_cannot_be_saved_is_reported_as_an_error() {
    let scene = Scene::new().manifest("version: 1\nrooms: [{pipe: team-a, title: A}]\n");
    let state = scene.path(".roomform/sandbox.json");
    let mut child = scene.start("apply --sandbox --yes");
    until("a first save", || state.exists());
    // Repeat the write, because it is lost if the sandbox replaces the file at the same moment.
    until("its end", || {
        fs::write(&state, "someone else's").unwrap();
        child.try_wait().unwrap().is_some()
    });
    let ended = child.wait_with_output().unwrap();
    let [out, err] = [ended.stdout, ended.stderr].map(|it| String::from_utf8(it).unwrap());
    err.shows("was changed by another process");
    assert!(
        out.contains("failed") && !out.contains("now: "),
        "{out}\n{err}"
    );
}
