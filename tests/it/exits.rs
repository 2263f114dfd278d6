//! The table of exit codes, one test per row. With `--format json`, every run prints exactly one document on stdout.

use std::process::Stdio;

use serde_json::Value;

use crate::support::{Args, Ran, Scene, Shows, ignoring_updates, live_room};

const MANIFEST: &str = "\
version: 1
rooms:
  - {pipe: team-a, title: Team A, members: [3, 4]}
";

/// One room to create.
fn new_room() -> Scene {
    Scene::new().manifest(MANIFEST).sandbox()
}

/// An applied manifest with nothing left to do.
fn settled() -> Scene {
    new_room().applied()
}

/// Runs twice, each time in a new scene: as text and with `--format json`. Both must end with this code. Returns the text
/// run, and the document of the JSON run.
#[track_caller]
fn ends(exit: u8, scene: impl Fn() -> Scene, args: impl Args) -> (Ran, Value) {
    let text = scene().run(&args);
    assert_eq!(text.code, i32::from(exit), "{text:#?}");
    let json = scene().run([&args.args()[..], &["--format", "json"]].concat());
    (text, document(exit, &json))
}

/// The single document on stdout, which contains the exit code.
#[track_caller]
fn document(exit: u8, ran: &Ran) -> Value {
    assert_eq!(ran.code, i32::from(exit), "{ran:#?}");
    let document = ran.json();
    assert_eq!(
        (&document["format"], &document["exit"]),
        (&1.into(), &exit.into()),
        "{ran:#?}"
    );
    document
}

/// Like [`ends`], for a failure: both formats must have the same message and first hint.
#[track_caller]
fn fails(exit: u8, reason: &str, scene: impl Fn() -> Scene, args: impl Args) -> String {
    let (text, document) = ends(exit, scene, args);
    assert_eq!(
        (&document["kind"], &document["reason"]),
        (&"error".into(), &reason.into())
    );
    let message = document["message"].as_str().unwrap();
    text.err.begins(format!("error: {message}\n"));
    for hint in document["hints"].as_array().unwrap() {
        let line = format!("\n  hint: {}\n", hint.as_str().unwrap());
        text.err.shows(&line);
    }
    assert_eq!(text.out, "");
    message.to_owned()
}

// exit code 0

#[test]
fn done_is_0() {
    let (text, report) = ends(0, new_room, "apply --yes");
    text.ends("now:  nothing to do; 1 unchanged, 1 unmanaged\n");
    assert_eq!(
        (&report["applied"], &report["converged"]),
        (&true.into(), &true.into())
    );
    let (_, plan) = ends(0, new_room, "plan");
    assert_eq!(
        plan["summary"]["create"], 1,
        "pending changes alone are no exit code"
    );
    let (_, check) = ends(0, new_room, "check");
    assert_eq!(check["valid"], true);
}

#[test]
fn nothing_to_do_is_0() {
    let (text, _) = ends(0, settled, "apply --yes");
    text.begins("plan: nothing to do; ");
    let (_, plan) = ends(0, settled, "plan --detailed-exitcode");
    assert_eq!(plan["changes"], Value::Array(Vec::new()));
    let unasked = settled().run(["apply"]).ok();
    unasked.begins("plan: nothing to do; ");
}

#[test]
fn open_manual_steps_alone_are_0() {
    let left = || settled().manifest(MANIFEST.replace("[3, 4]", "[3]"));
    let (text, plan) = ends(0, left, "plan --detailed-exitcode");
    text.shows("manual steps");
    assert_eq!(
        plan["manual_steps"][0]["newly_removed"],
        serde_json::json!([4])
    );
    ends(0, left, "apply --yes");
}

#[test]
fn help_and_version_are_0_and_on_stdout() {
    for args in ["--help", "--version", "plan --help"] {
        let ran = Scene::new().run(args);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        ran.shows("roomform");
    }
}

// exit code 1

#[test]
fn a_server_that_cannot_be_reached_is_1() {
    let nowhere = || new_room().env("IMBACHAT_API_URL", "https://something.invalid");
    let message = fails(1, "failed", nowhere, "plan");
    message.begins("no connection to https://something.invalid: ");
    fails(1, "failed", nowhere, "apply --yes");
}

#[test]
fn credentials_that_are_missing_or_wrong_are_1() {
    let with = |name: &'static str, value: &'static str| move || new_room().env(name, value);
    let message = fails(1, "failed", with("IMBACHAT_SECRET_KEY", ""), "plan");
    assert_eq!(
        message,
        "no credentials for reading: IMBACHAT_SECRET_KEY (or IMBACHAT_JWT) not set"
    );
    let message = fails(1, "failed", with("IMBACHAT_LOGIN", ""), "apply --yes");
    assert_eq!(
        message,
        "no credentials for writing: IMBACHAT_LOGIN not set"
    );
    let message = fails(1, "failed", with("IMBACHAT_SECRET_KEY", "wrong"), "plan");
    message.begins("the server does not accept the widget's secret key (HTTP 401)");
}

#[test]
fn a_ledger_that_cannot_be_read_is_1() {
    let message = fails(1, "failed", new_room, "plan --ledger .");
    message.begins("ledger `.`: cannot be read: ");
    fails(1, "failed", new_room, "apply --yes --ledger rooms.yaml/x");
}

// exit code 2

#[test]
fn pending_changes_are_2_with_detailed_exitcode() {
    let (text, plan) = ends(2, new_room, "plan --detailed-exitcode");
    text.shows("plan: 1 to create, ");
    assert_eq!(plan["summary"]["create"], 1);
}

#[test]
fn conflicts_are_pending_too() {
    let (_, plan) = ends(2, two_of_a_pipe, "plan --detailed-exitcode");
    assert_eq!(plan["conflicts"][0]["kind"], "several");
    ends(0, two_of_a_pipe, "plan");
}

fn two_of_a_pipe() -> Scene {
    new_room()
        .live(live_room("team-a", "One"))
        .live(live_room("team-a", "Two"))
}

// exit code 3

/// Every command that reads a manifest exits with 3 if it is invalid. Returns the code of the first error.
#[track_caller]
fn invalid(scene: impl Fn() -> Scene, args: &str) -> String {
    let mut names = Vec::new();
    for verb in ["check", "plan", "apply --yes"] {
        let (text, document) = ends(3, &scene, format!("{verb} {args}"));
        let mistake = &document["diagnostics"][0];
        let code = mistake["code"].as_str().unwrap();
        assert!(text.err.contains(code) && text.out.is_empty(), "{text:#?}");
        names.push(mistake["name"].as_str().unwrap().to_owned());
    }
    names.dedup();
    assert_eq!(names.len(), 1, "{names:?}");
    names.remove(0)
}

#[test]
fn an_invalid_or_missing_manifest_is_3() {
    let unknown_key = || new_room().manifest("version: 1\nroms: []\n");
    assert_eq!(invalid(unknown_key, ""), "unknown-key");
    assert_eq!(invalid(new_room, "--file other.yaml"), "unreadable");
    let no_room = || new_room().manifest("version: 1\nrooms: []\n");
    assert_eq!(invalid(no_room, ""), "empty-manifest");
    let no_yaml = || {
        let scene = new_room();
        scene.write("empty/notes.txt", "no manifest");
        scene
    };
    assert_eq!(invalid(no_yaml, "--file empty"), "unreadable");
}

// exit code 4

#[test]
fn failed_rooms_are_4() {
    let wrong_login = || new_room().env("IMBACHAT_PASSWORD", "wrong");
    let (text, report) = ends(4, wrong_login, "apply --yes");
    text.shows("apply: 1 failed; ");
    assert_eq!(
        (
            &report["reason"],
            &report["rooms"][0]["status"],
            &report["converged"]
        ),
        (&"partial".into(), &"failed".into(), &false.into())
    );
}

#[test]
fn a_field_that_the_list_does_not_show_is_4() {
    let scene = || {
        Scene::new()
            .manifest(MANIFEST)
            .sandbox_with(ignoring_updates())
            .live(live_room("team-a", "Old"))
    };
    let (text, report) = ends(4, scene, "apply --yes --verify-timeout 100ms");
    text.shows("pending      title sent as \"Team A\", shown as \"Old\"");
    let room = &report["rooms"][0];
    assert_eq!(
        (&room["status"], &room["pending_fields"]),
        (&"pending".into(), &serde_json::json!(["title"]))
    );
}

#[test]
fn a_conflict_during_apply_is_4() {
    let (text, report) = ends(4, two_of_a_pipe, "apply --yes");
    text.shows("plan: 1 conflict; ");
    assert_eq!(report["requests"]["write"], 0);
    let beside =
        || two_of_a_pipe().manifest(format!("{MANIFEST}  - {{pipe: team-b, title: Team B}}\n"));
    let (text, _) = ends(4, beside, "apply --yes");
    assert!(
        text.out.contains("apply: 1 verified; "),
        "the other room is done: {text:#?}"
    );
}

// exit code 5

/// Both plan and apply refuse the change; apply writes nothing at all.
#[track_caller]
fn refused(scene: impl Fn() -> Scene, why: &str) {
    for args in ["plan", "plan --detailed-exitcode", "apply --yes"] {
        let (text, document) = ends(5, &scene, args);
        text.shows(why);
        let plan = document.get("plan").unwrap_or(&document);
        assert_eq!(plan["refusals"].as_array().unwrap().len(), 1, "{document}");
    }
    let scene = scene();
    let before = (scene.rooms(), scene.files());
    scene.run(["apply", "--yes"]);
    assert_eq!(scene.writes(), 0);
    assert_eq!((scene.rooms(), scene.files()), before);
}

#[test]
fn a_room_that_would_become_public_is_5_which_outranks_2() {
    let open = MANIFEST.replace("title:", "public: true, title:");
    let scene = || {
        new_room()
            .manifest(&open)
            .live(live_room("team-a", "Team A"))
    };
    refused(
        scene,
        "refused: `team-a` would become public; allow it with --allow-publish PIPE or in `limits.publish`\n",
    );
    ends(2, scene, "plan --detailed-exitcode --allow-publish team-a");
    ends(0, scene, "apply --yes --allow-publish team-a");
}

#[test]
fn a_limit_is_5() {
    let limited = format!("limits: {{create: 0}}\n{MANIFEST}");
    refused(
        || new_room().manifest(&limited),
        "refused: 1 to create, but `limits.create` allows 0; ",
    );
}

#[test]
fn the_wrong_target_is_5() {
    let other = format!("widget: 209\n{MANIFEST}");
    let scene = || new_room().manifest(&other);
    let expected = "wrong target: the manifest is for widget 209, this run is for widget 627";
    for args in ["plan", "apply --yes", "plan --detailed-exitcode"] {
        assert_eq!(fails(5, "refused", scene, args), expected);
    }
}

#[test]
fn no_terminal_and_no_yes_is_5() {
    let scene = new_room();
    let ran = scene.run(["apply"]);
    ran.exits(5);
    assert!(
        ran.out.contains("plan: 1 to create, "),
        "the plan is shown all the same: {ran:#?}"
    );
    ran.err.shows("--yes was not given");
    let ran = scene.run(["apply", "--format", "json"]);
    let document = document(5, &ran);
    assert_eq!(
        document["message"],
        "cannot ask for confirmation with --format json, and --yes was not given"
    );
    assert_eq!((scene.writes(), scene.files().len()), (0, 1));
}

// exit code 64

#[test]
fn wrong_usage_is_64() {
    let cases: [&[&str]; 9] = [
        &["plan", "--no-such-flag"],
        &["no-such-verb"],
        &["plan", "--widget", "many"],
        &["plan", "--timeout", "soon"],
        &["apply", "--parallelism", "0"],
        &["plan", "--secret-key", "Zx81"],
        &["plan", "--color", "sometimes"],
        &["plan", "--only", "["],
        &["explain"],
    ];
    for args in cases {
        let text = Scene::new().manifest(MANIFEST).run(args);
        assert_eq!((text.code, text.out.as_str()), (64, ""), "{text:#?}");
        let json = Scene::new()
            .manifest(MANIFEST)
            .run([args, &["--format", "json"]].concat());
        let document = document(64, &json);
        assert_eq!(
            (&document["reason"], json.err.as_str()),
            (&"usage".into(), "")
        );
        let message = document["message"].as_str().unwrap();
        let words: Vec<&str> = text.err.split_whitespace().collect();
        assert!(
            words.join(" ").starts_with(&format!("error: {message} ")),
            "{text:#?} {document}"
        );
    }
}

/// After a typical mistake, roomform prints a hint and runs nothing. Above all, `-out=x` is not
/// parsed as `-o ut=x`.
#[test]
fn mistakes_of_new_users_get_a_hint() {
    let empty = Scene::new();
    let hint =
        "create a manifest with `roomform init`, or from the live rooms with `roomform export`";
    empty.run("check").exits(3).err.shows(hint);
    let scene = Scene::new().manifest(MANIFEST);
    let ran = scene.run("plan rooms.yaml");
    ran.exits(64)
        .err
        .shows("error: unexpected argument `rooms.yaml`");
    ran.err
        .shows("hint: name the manifest with -f: -f rooms.yaml");
    scene.run("plan rooms/").exits(64).err.shows("-f rooms/");
    scene
        .run("plan")
        .exits(1)
        .err
        .shows("hint: or try --sandbox");
}

#[test]
fn flags_and_commands_of_terraform_get_a_hint() {
    for (args, message, hint) in [
        (
            &["plan", "-out=x"][..],
            "there is no flag `-out`",
            "write it as --out FILE",
        ),
        (
            &["plan", "-out", "x"],
            "there is no flag `-out`",
            "write it as --out FILE",
        ),
        (
            &["apply", "-auto-approve"],
            "there is no flag `-auto-approve`",
            "write it as --yes",
        ),
        (
            &["apply", "--auto-approve"],
            "there is no flag `--auto-approve`",
            "write it as --yes",
        ),
        (
            &["plan", "-target=team-a"],
            "there is no flag `-target`",
            "write it as --only GLOB",
        ),
        (
            &["validate", "-f", "rooms.yaml"],
            "there is no verb `validate`",
            "use `roomform check`, which validates",
        ),
        (
            &["destroy"],
            "there is no verb `destroy`",
            "remove the rooms from the manifest and delete them",
        ),
    ] {
        let scene = new_room();
        let ran = scene.run(args);
        assert_eq!((ran.code, ran.out.as_str()), (64, ""), "{ran:#?}");
        let expected = format!("error: {message}\n  hint: {hint}");
        ran.err.begins(&expected);
        assert_eq!((scene.files().len(), scene.writes()), (1, 0), "{args:?}");
        let json = scene.run([args, &["--format", "json"]].concat());
        assert_eq!(document(64, &json)["message"], message);
    }
    // roomform's own spellings are accepted without such a hint.
    let scene = new_room();
    scene.run(["plan", "-oout"]).ok();
    assert!(scene.path("out").exists());
    scene.run(["apply", "--yes", "--parallelism", "2"]).ok();
}

#[test]
fn a_missing_command_is_64() {
    let ran = Scene::new().run([]);
    assert_eq!((ran.code, ran.out.as_str()), (64, ""));
    ran.err.shows("Usage: roomform");
    document(64, &Scene::new().run(["--format", "json"]));
}

#[test]
fn a_format_that_a_command_does_not_have_is_64() {
    let ran = new_room().run(["export", "--format", "json"]);
    assert_eq!(
        document(64, &ran)["message"],
        "`export` has no flag `--format`"
    );
    // An unknown format is reported as text, since the intended format is unclear.
    let ran = Scene::new().run(["plan", "--format", "xml"]);
    assert_eq!((ran.code, ran.out.as_str()), (64, ""));
}

// flag positions

#[test]
fn global_flags_work_before_and_after_the_command_and_others_only_after_it() {
    let scene = settled();
    scene.write("other.yaml", MANIFEST.replace("Team A", "Team B"));
    let global = ["--color", "never", "--quiet"];
    let own = [
        "--file",
        "other.yaml",
        "--format",
        "json",
        "--timeout",
        "5s",
    ];
    let after = scene.run([&["plan"], &own[..], &global].concat());
    let before = scene.run([&global[..], &["plan"], &own].concat());
    assert_eq!(document(0, &after)["summary"]["update"], 1);
    assert_eq!(after, before);
    let wrong = scene.run([&own[..], &["plan"]].concat());
    let document = document(64, &wrong);
    assert_eq!(document["message"], "`--file` must come after the verb");
    assert_eq!(document["hints"][0], "write roomform plan --file");
}

#[test]
fn a_flag_of_another_command_is_64_with_a_tip() {
    for (args, message, hint) in [
        (
            &["check", "--rate", "1/s"][..],
            "`check` has no flag `--rate`",
            "`--rate` is a flag of `apply`",
        ),
        (
            &["plan", "--fail-fast"],
            "`plan` has no flag `--fail-fast`",
            "`--fail-fast` is a flag of `apply`",
        ),
        (
            &["render", "--shard=0/2"],
            "`render` has no flag `--shard`",
            "`--shard` is a flag of `plan`, `apply`",
        ),
        (
            &["ledger", "show", "--read-as", "3"],
            "`ledger show` has no flag `--read-as`",
            "`--read-as` is a flag of `plan`, `apply`, `export`, `get rooms`, `get messages`, `doctor`, `ledger adopt`",
        ),
        (
            &["todo", "done", "team-a", "--user", "5"],
            "`todo done` has no flag `--user`",
            "`--user` is a flag of `send`, `todo`, `todo list`",
        ),
        (
            &["get", "users", "--read-as", "3"],
            "`get users` has no flag `--read-as`",
            "`--read-as` is a flag of",
        ),
        (
            &["diff", "-f", "a.yaml", "b.yaml", "c.yaml"],
            "`diff` has no flag `-f`",
            "write roomform diff BASE HEAD",
        ),
        (
            &["--sandbox"],
            "`--sandbox` must come after the verb",
            "`--sandbox` is a flag of `plan`, `apply`",
        ),
    ] {
        let ran = Scene::new().run(args);
        assert_eq!((ran.code, ran.out.as_str()), (64, ""), "{ran:#?}");
        let expected = format!("error: {message}\n  hint: {hint}");
        ran.err.begins(&expected);
    }
    let ran = Scene::new().run(["check", "--rate", "1/s", "--format", "json"]);
    assert_eq!(
        document(64, &ran)["message"],
        "`check` has no flag `--rate`"
    );
}

// streams

/// The exit code and stderr of a run with stdout closed.
fn unread(scene: &Scene, args: impl Args) -> (i32, String) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = scene.command(args);
    let output = command
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let scene = new_room();
    let cases: [&[&str]; 7] = [
        &["plan"],
        &["plan", "--format", "json"],
        &["check"],
        &["export"],
        &["schema", "manifest"],
        &["completions", "bash"],
        &["--help"],
    ];
    for args in cases {
        assert_eq!(unread(&scene, args), (0, String::new()), "{args:?}");
    }
    assert_eq!(
        unread(&scene, "plan --detailed-exitcode").0,
        2,
        "what was found still counts"
    );
    let (code, _) = unread(&scene, "apply --yes");
    assert_eq!(
        (code, scene.room("team-a").members.len()),
        (0, 2),
        "what was begun is finished"
    );
}

#[test]
fn colour_needs_a_terminal_or_a_flag() {
    let scene = new_room();
    let coloured = |scene: &Scene, args: &[&str]| {
        scene
            .run([&["plan"], args].concat())
            .all()
            .contains('\u{1b}')
    };
    assert!(!coloured(&scene, &[]), "stdout is no terminal here");
    assert!(coloured(&scene, &["--color", "always"]));
    assert!(!coloured(
        &scene,
        &["--color", "always", "--format", "json"]
    ));
    let scene = scene.env("CLICOLOR_FORCE", "1");
    assert!(coloured(&scene, &[]));
    assert!(!coloured(&scene, &["--color", "never"]));
    let scene = scene.env("NO_COLOR", "1");
    assert!(!coloured(&scene, &[]));
    assert!(
        coloured(&scene, &["--color", "always"]),
        "the flag is more than the variable"
    );
}

#[test]
fn colour_does_not_change_the_text() {
    let scene = new_room().live(live_room("team-b", "Old"));
    let manifest = format!("{MANIFEST}  - {{pipe: team-b, title: New, public: true}}\n");
    let scene = scene.manifest(&manifest);
    let coloured = scene.run(["plan", "--color", "always"]);
    let plain = scene.run(["plan", "--color", "never"]);
    assert_ne!(coloured.out, plain.out);
    assert_eq!(without_colour(&coloured.out), plain.out);
}

/// The text without `ESC [ … m`.
fn without_colour(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let first = pieces.next().unwrap().to_owned();
    pieces.fold(first, |text, piece| text + piece.split_once('m').unwrap().1)
}

#[test]
fn quiet_still_prints_errors() {
    let scene = new_room();
    let ran = scene.run(["apply", "--yes", "--quiet"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:#?}");
    let ran = scene.run(["plan", "--quiet", "--ledger", "."]);
    ran.exits(1);
    ran.err.begins("error: ledger `.`: cannot be read");
}
