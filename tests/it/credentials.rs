//! Credentials: their sources, the errors when one is missing, and that none is ever printed.

use insta::assert_snapshot;
use roomform::cli::SharedFlags;
use roomform::config::Credentials;
use roomform::imbachat::{ReadAuth, WriteAuth};
use roomform::model::{Date, RunId};
use secrecy::SecretString;

use crate::support::{Args, Canned, Ran, Scene, Shows};

const MANIFEST: &str = "\
version: 1
rooms:
  - {pipe: team-a, title: Team A, members: [3, 4]}
";

/// A value that occurs nowhere else.
const SECRET: &str = "Zx81-Qw27";

/// The error of a run that fails before it sends a request. The run leaves no files and does not print [`SECRET`].
#[track_caller]
fn refused(scene: &Scene, args: impl Args) -> String {
    let before = scene.files();
    let ran = scene.run(&args);
    assert_eq!(scene.files(), before);
    ran.all().lacks(SECRET);
    format!("exit {}\n{}", ran.code, ran.all())
}

/// A directory with all credentials except these, and a server that must not get a request.
fn without(missing: &[&str]) -> (Scene, Canned) {
    let server = Canned::raw("");
    let names = ["IMBACHAT_SECRET_KEY", "IMBACHAT_LOGIN", "IMBACHAT_PASSWORD"];
    let scene = Scene::new()
        .manifest(MANIFEST)
        .at(&server.url())
        .env("IMBACHAT_WIDGET", "627");
    let given = names.iter().filter(|name| !missing.contains(name));
    let scene = given.fold(scene, |scene, name| scene.env(name, SECRET));
    let scene = missing
        .iter()
        .fold(scene, |scene, name| scene.env(name, ""));
    (scene, server)
}

// missing credentials

#[test]
fn without_credentials_the_widget_is_reported_first() {
    let scene = Scene::new().manifest(MANIFEST);
    let text = refused(&scene, "plan");
    assert_eq!(refused(&scene, "apply --yes"), text);
    assert_eq!(refused(&scene, "export"), text);
    assert_snapshot!(text, @"
    exit 1
    error: no widget: IMBACHAT_WIDGET is not set
      hint: set it to the widget's number (imba_id), use --widget, or add `widget:` to the manifest
      hint: or try --sandbox, which needs no widget
    ");
    let named = Scene::new().manifest(format!("widget: 627\n{MANIFEST}"));
    assert_snapshot!(refused(&named, "plan"), @"
    exit 1
    error: no credentials for reading: IMBACHAT_SECRET_KEY (or IMBACHAT_JWT) not set
      hint: set them in the environment, or name files with ..._FILE
      hint: or try --sandbox, which needs no credentials
    ");
    assert_eq!(
        refused(&scene, "plan --widget 627"),
        refused(&named, "plan")
    );
}

#[test]
fn each_missing_credential_is_named() {
    let said = |missing: &[&str], verb: &[&str]| {
        let (scene, server) = without(missing);
        let text = refused(&scene, verb);
        assert_eq!(server.served(), 0, "{text}");
        text
    };
    let apply = ["apply", "--yes"];
    assert_eq!(
        said(&["IMBACHAT_WIDGET"], &["plan"]),
        said(&["IMBACHAT_WIDGET"], &apply)
    );
    assert_eq!(
        said(&["IMBACHAT_SECRET_KEY"], &["plan"]),
        said(&["IMBACHAT_SECRET_KEY"], &apply)
    );
    assert_snapshot!(said(&["IMBACHAT_WIDGET"], &apply), @"
    exit 1
    error: no widget: IMBACHAT_WIDGET is not set
      hint: set it to the widget's number (imba_id), use --widget, or add `widget:` to the manifest
      hint: or try --sandbox, which needs no widget
    ");
    assert_snapshot!(said(&["IMBACHAT_SECRET_KEY"], &apply), @"
    exit 1
    error: no credentials for reading: IMBACHAT_SECRET_KEY (or IMBACHAT_JWT) not set
      hint: set them in the environment, or name files with ..._FILE
      hint: or try --sandbox, which needs no credentials
    ");
    assert_snapshot!(said(&["IMBACHAT_LOGIN"], &apply), @"
    exit 1
    error: no credentials for writing: IMBACHAT_LOGIN not set
      hint: set them in the environment, or name files with ..._FILE
      hint: or try --sandbox, which needs no credentials
    ");
    assert_snapshot!(said(&["IMBACHAT_PASSWORD"], &apply), @"
    exit 1
    error: no credentials for writing: IMBACHAT_PASSWORD not set
      hint: set them in the environment, or name files with ..._FILE
      hint: or try --sandbox, which needs no credentials
    ");
    assert_snapshot!(said(&["IMBACHAT_LOGIN", "IMBACHAT_PASSWORD"], &apply), @"
    exit 1
    error: no credentials for writing: IMBACHAT_LOGIN and IMBACHAT_PASSWORD not set
      hint: set them in the environment, or name files with ..._FILE
      hint: or try --sandbox, which needs no credentials
    ");
}

#[test]
fn plan_and_export_need_only_reading_credentials() {
    let scene = Scene::new()
        .manifest(MANIFEST)
        .sandbox()
        .env("IMBACHAT_LOGIN", "")
        .env("IMBACHAT_PASSWORD", "");
    let out = scene.plan().ok();
    out.shows("plan: 1 to create");
    let out = scene.run("export").ok();
    out.shows("Technical support");
    assert_eq!(scene.writes(), 0);
}

#[test]
fn check_reads_no_credentials() {
    let scene = Scene::new()
        .manifest(MANIFEST)
        .env("IMBACHAT_WIDGET", "no number")
        .env("IMBACHAT_SECRET_KEY", SECRET)
        .env("IMBACHAT_SECRET_KEY_FILE", "nowhere")
        .env("IMBACHAT_API_URL", "no address");
    assert_eq!(scene.run("check").ok(), "valid: 1 room, 2 memberships\n");
}

// sources

#[test]
fn each_credential_may_be_in_a_file_with_a_line_break_at_its_end() {
    for line_end in ["", "\n", "\r\n"] {
        let server = Scene::new().sandbox();
        let scene = Scene::new().manifest(MANIFEST);
        let scene = server.vars().iter().fold(scene, |scene, (name, value)| {
            let path = scene.write(&format!("run/{name}"), format!("{value}{line_end}"));
            scene.env(&format!("{name}_FILE"), path.to_str().unwrap())
        });
        scene.apply().ok();
        assert_eq!(server.room("team-a").members, [3, 4].into());
    }
}

#[test]
fn white_space_around_a_credential_is_trimmed() {
    for around in ["\n", "\r\n", " ", "\u{feff}", "\u{a0}\t"] {
        let scene = Scene::new().manifest(MANIFEST).sandbox();
        let names = [
            ("IMBACHAT_SECRET_KEY", "secret_key"),
            ("IMBACHAT_LOGIN", "admin"),
            ("IMBACHAT_PASSWORD", "admin"),
        ];
        // White space around a value from the environment causes a warning, once for each variable.
        let padded =
            |scene: Scene, (name, value)| scene.env(name, &format!("{around}{value}{around}"));
        let scene = names.into_iter().fold(scene, padded);
        let ran = scene.apply();
        ran.exits(0);
        let warnings = ran.err.lines().filter(|line| line.contains("white space"));
        let expected = names.map(|(name, _)| {
            format!("warning: {name} starts or ends with white space, which is ignored")
        });
        assert_eq!(warnings.collect::<Vec<_>>(), expected);
        assert!(scene.room("team-a").members.len() == 2);
        // In a file, white space around a value causes no warning.
        let in_file = |scene: Scene, (name, value): (&str, &str)| {
            let path = scene.write(name, format!("{around}{value}{around}"));
            scene
                .env(name, "")
                .env(&format!("{name}_FILE"), path.to_str().unwrap())
        };
        let scene = names.into_iter().fold(scene, in_file);
        let ran = scene.run("plan --detailed-exitcode");
        ran.exits(0);
        assert_eq!(ran.err, "");
    }
}

#[test]
fn a_widget_number_may_have_white_space_around_it() {
    let scene = Scene::new().manifest(MANIFEST).sandbox();
    let scene = scene.env("IMBACHAT_WIDGET", " 627\n");
    let ran = scene.plan();
    ran.exits(0);
    ran.err
        .shows("warning: IMBACHAT_WIDGET starts or ends with white space");
}

#[test]
fn a_token_may_be_in_a_file() {
    let scene = Scene::new().manifest(MANIFEST).sandbox();
    let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDAsInVzZXJfaWQiOjF9.re5IXI3tOhBns9P4hcCY7qHoaMEb9ODtYQShIlZspPI";
    scene.write("token", format!("{token}\n"));
    let scene = scene
        .env("IMBACHAT_SECRET_KEY", "")
        .env("IMBACHAT_JWT_FILE", "token");
    scene.plan().ok();
}

#[test]
fn the_error_about_an_unusable_file_names_its_variable() {
    let with = |name: &str, content: Option<&str>| {
        let (scene, server) = without(&[name]);
        if let Some(content) = content {
            scene.write(SECRET, content);
        }
        let scene = scene.env(&format!("{name}_FILE"), SECRET);
        let text = refused(&scene, "apply --yes");
        assert_eq!(server.served(), 0);
        text
    };
    assert_snapshot!(with("IMBACHAT_SECRET_KEY", None), @"
    exit 1
    error: the file that the variable IMBACHAT_SECRET_KEY_FILE points to cannot be read: No such file or directory (os error 2)
      hint: set IMBACHAT_SECRET_KEY_FILE to the path of a file, not to its content
    ");
    assert_snapshot!(with("IMBACHAT_SECRET_KEY", Some("")), @"
    exit 1
    error: the file that the variable IMBACHAT_SECRET_KEY_FILE points to is empty
      hint: put the value into it, or unset IMBACHAT_SECRET_KEY_FILE
    ");
    assert_snapshot!(with("IMBACHAT_PASSWORD", Some("\n")), @"
    exit 1
    error: the file that the variable IMBACHAT_PASSWORD_FILE points to is empty
      hint: put the value into it, or unset IMBACHAT_PASSWORD_FILE
    ");
    assert_snapshot!(with("IMBACHAT_WIDGET", Some("Zx81-Qw27\n")), @"
    exit 1
    error: IMBACHAT_WIDGET is not a number
      hint: set it to the widget's number (imba_id)
    ");
}

#[test]
fn a_credential_file_must_be_regular_and_small() {
    let (scene, server) = without(&["IMBACHAT_SECRET_KEY"]);
    let large = scene.write("large", "x".repeat((64 << 10) + 1));
    let named = |path: &str| {
        let (scene, _) = without(&["IMBACHAT_SECRET_KEY"]);
        refused(&scene.env("IMBACHAT_SECRET_KEY_FILE", path), "plan")
    };
    assert_snapshot!(named(large.to_str().unwrap()), @"
    exit 1
    error: the file that the variable IMBACHAT_SECRET_KEY_FILE points to cannot be read: it is larger than 64 KiB
      hint: set IMBACHAT_SECRET_KEY_FILE to the path of a file, not to its content
    ");
    let device = named("/dev/zero");
    assert_snapshot!(device, @"
    exit 1
    error: the file that the variable IMBACHAT_SECRET_KEY_FILE points to cannot be read: it is not a regular file
      hint: set IMBACHAT_SECRET_KEY_FILE to the path of a file, not to its content
    ");
    assert_eq!(named("/"), device);
    assert_eq!(server.served(), 0);
}

#[test]
fn setting_a_variable_and_its_file_is_an_error() {
    for name in ["IMBACHAT_SECRET_KEY", "IMBACHAT_LOGIN", "IMBACHAT_PASSWORD"] {
        let (scene, server) = without(&[]);
        scene.write("secret", SECRET);
        let text = refused(&scene.env(&format!("{name}_FILE"), "secret"), "apply --yes");
        let expected = format!(
            "exit 1\nerror: both {name} and {name}_FILE are set\n  hint: unset one of them\n"
        );
        assert_eq!(text, expected);
        assert_eq!(server.served(), 0);
    }
}

#[test]
fn plan_does_not_read_writing_credentials() {
    let scene = Scene::new().manifest(MANIFEST).sandbox();
    let scene = scene
        .env("IMBACHAT_PASSWORD_FILE", "nowhere")
        .env("IMBACHAT_LOGIN_FILE", "nowhere");
    scene.plan().ok();
    scene.run("export").ok();
    scene.run("ledger show").ok();
    refused(&scene, "apply --yes");
}

#[test]
fn empty_variables_count_as_not_set() {
    let scene = Scene::new()
        .manifest(MANIFEST)
        .sandbox()
        .file("secret", "secret_key");
    // For each credential, the variable or its `_FILE` variable is empty. An empty variable is
    // treated as unset.
    let scene = scene
        .env("IMBACHAT_LOGIN_FILE", "")
        .env("IMBACHAT_SECRET_KEY", "")
        .env("IMBACHAT_SECRET_KEY_FILE", "secret")
        .env("IMBACHAT_JWT", "");
    scene.apply().ok();
    let (scene, _) = without(&["IMBACHAT_SECRET_KEY", "IMBACHAT_JWT", "IMBACHAT_JWT_FILE"]);
    refused(&scene, "plan").shows("IMBACHAT_SECRET_KEY (or IMBACHAT_JWT) not set");
}

#[test]
fn an_invalid_widget_number_is_not_printed() {
    for value in [SECRET, "-1", "627.0", "6 27", "18446744073709551616"] {
        let (scene, server) = without(&[]);
        let text = refused(&scene.env("IMBACHAT_WIDGET", value), "plan");
        assert_eq!(
            text,
            "exit 1\nerror: IMBACHAT_WIDGET is not a number\n  hint: set it to the widget's number (imba_id)\n"
        );
        assert_eq!(server.served(), 0);
    }
}

#[test]
fn a_token_that_is_invalid_in_a_header_is_not_printed() {
    let (scene, server) = without(&["IMBACHAT_SECRET_KEY"]);
    let scene = scene.env("IMBACHAT_JWT", &format!("{SECRET}\nX-Other: 1"));
    assert_snapshot!(refused(&scene, "plan"), @"
    exit 1
    error: the JWT has characters that are not allowed in a header
      hint: check IMBACHAT_JWT
    ");
    assert_eq!(server.served(), 0);
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf_8_is_reported_by_name() {
    use std::os::unix::ffi::OsStrExt as _;

    let (dir, server) = without(&[]);
    let mut command = dir.command("apply --yes");
    command.env(
        "IMBACHAT_PASSWORD",
        std::ffi::OsStr::from_bytes(b"Zx81-Qw27\xff"),
    );
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "error: IMBACHAT_PASSWORD is not valid UTF-8\n"
    );
    assert_eq!((output.stdout.len(), server.served()), (0, 0));
}

// the right target

#[test]
fn a_manifest_for_another_widget_is_refused_before_any_request() {
    let manifest = format!("widget: 209\n{MANIFEST}");
    let (scene, server) = without(&[]);
    scene.declare(&manifest);
    let text = refused(&scene, "plan");
    assert_snapshot!(text, @"
    exit 5
    error: wrong target: the manifest is for widget 209, this run is for widget 627
      hint: check --widget, IMBACHAT_WIDGET and the manifest's `widget`
    ");
    assert_eq!(refused(&scene, "apply --yes"), text);
    let scene = scene.env("IMBACHAT_WIDGET", "209");
    assert_eq!(refused(&scene, "plan --widget 627"), text);
    assert_eq!(refused(&scene, "plan --widget 627 --sandbox"), text);
    assert_eq!(server.served(), 0);
}

#[test]
fn a_flag_overrides_its_variable() {
    let scene = Scene::new()
        .manifest(format!("widget: 209\n{MANIFEST}"))
        .sandbox()
        .after("apply --yes --widget 209");
    let pipes = |widget| {
        let rooms = scene.world(|world| world.rooms(widget));
        rooms
            .into_iter()
            .filter(|room| room.kind != 3)
            .map(|room| room.pipe)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (pipes(209), pipes(627)),
        (vec!["team-a".to_owned()], vec![])
    );
}

#[test]
fn the_built_in_sandbox_reads_no_credentials() {
    let server = Canned::raw("");
    let scene = Scene::new()
        .manifest(MANIFEST)
        .at(&server.url())
        .env("IMBACHAT_WIDGET", "no number")
        .env("IMBACHAT_SECRET_KEY", SECRET)
        .env("IMBACHAT_SECRET_KEY_FILE", "nowhere")
        .env("IMBACHAT_LOGIN", SECRET)
        .env("IMBACHAT_PASSWORD", SECRET);
    let planned = scene.run("plan --sandbox");
    planned.shows("plan: 1 to create");
    scene.run("apply --yes --sandbox").ok();
    scene.run("plan --detailed-exitcode --sandbox").ok();
    assert_eq!(server.served(), 0);
}

// output

#[test]
fn debug_shows_no_secret() {
    let secret = || SecretString::from(SECRET);
    let credentials = Credentials {
        secret_key: Some(secret()),
        jwt: Some(secret()),
        login: Some(secret()),
        password: Some(secret()),
        ..Credentials::default()
    };
    let flags = SharedFlags::default();
    let config = roomform::config::Config {
        files: flags.files.file,
        server: flags.server,
        credentials,
        run: RunId::new(1),
        today: Date::default(),
        hide_names: false,
    };
    let write = WriteAuth {
        secret_key: None,
        login: secret(),
        password: secret(),
    };
    let shown = [
        format!("{config:?}"),
        format!("{:?}", config.credentials),
        format!("{:?}", ReadAuth::Secret(secret())),
        format!("{:?}", ReadAuth::Jwt(secret())),
        format!("{write:?}"),
    ];
    for text in shown {
        text.shows("REDACTED").lacks(SECRET);
    }
}

#[test]
fn plan_ledger_and_report_contain_no_secret() {
    let scene = Scene::new().manifest(MANIFEST).sandbox();
    // The sandbox's login and password are `admin`, and its key is `secret_key`.
    let runs: Vec<Ran> = [
        &["plan"][..],
        &["plan", "--format", "json"],
        &["apply", "--yes", "--format", "json"],
        &["apply", "--yes"],
        &["export"],
    ]
    .map(|args| scene.run(args))
    .into();
    for ran in runs {
        ran.exits(0);
        for secret in ["secret_key", "admin", "NjI3OnNlY3JldF9rZXk"] {
            ran.all().lacks(secret);
        }
    }
    let files = scene.files();
    assert_eq!(files.len(), 2, "the manifest and the ledger");
    for (path, bytes) in files {
        let text = String::from_utf8(bytes).unwrap();
        assert!(
            !text.contains("secret_key") && !text.contains("admin"),
            "{}",
            path.display()
        );
    }
}
