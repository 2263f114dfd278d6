//! One test for each problem that a server, a widget or a machine can have.

use std::io::{Read, Write};

use insta::assert_snapshot;
use roomform::sandbox::{Quirks, Room};

use super::*;
use crate::support::{Shows, live_room};

#[test]
fn a_healthy_server_passes_every_check() {
    let scene = Scene::new().manifest(MANIFEST).applied();
    let writes = scene.writes();
    assert_snapshot!(doctor_output(&scene, &scene.url(), &[]), @"
    exit 0
    widget 627 on http://127.0.0.1:PORT

    ok       settings        5 settings found
                             IMBACHAT_WIDGET in the environment
                             IMBACHAT_API_URL in the environment
                             IMBACHAT_SECRET_KEY in the environment
                             IMBACHAT_LOGIN in the environment
                             IMBACHAT_PASSWORD in the environment
    ok       manifest        1 file: 1 room, 2 memberships
    ok       address         widget 627 on http://127.0.0.1:PORT
    ok       connection      the server answers HTTP 401 to a call without credentials
    skipped  tls             plain http, which is not encrypted
    ok       clock           this machine's clock is within a minute of the server's
    ok       credentials     the server accepts the widget's secret key
    skipped  token           no JWT is used
    ok       answers         2 rows; the answer is exactly as documented
    ok       ledger          `.roomform/127.0.0.1_PORT-627.jsonl`: 1 room on record
    ok       rooms           2 rooms: 1 conference, 1 support; 0 public
    ok       count           the number of rows is not round, so the list was probably not truncated
    ok       duplicates      no pipe has two live rooms
    ok       deleted         the list shows no deleted rooms
    ok       look-alikes     no two pipes look alike
    ok       on-record       the list has every recorded room

    doctor: 14 ok, 0 warnings, 0 failed, 2 skipped
    ");
    assert_eq!(scene.writes(), writes);
}

#[test]
fn missing_settings_and_manifest_are_reported() {
    let scene = Scene::new();
    assert_snapshot!(doctor_output(&scene, "x:none", &[]), @"
    exit 1
    ok       settings        nothing is set
    skipped  manifest        there is no rooms.yaml and no rooms/ here
    failed   address         no widget: IMBACHAT_WIDGET is not set
                             remedy: set it to the widget's number (imba_id), use --widget, or add `widget:` to the manifest; or try --sandbox, which needs no widget
    skipped  connection      needs `address`
    skipped  tls             needs `address`
    skipped  clock           needs `connection`
    failed   credentials     no credentials for reading: IMBACHAT_SECRET_KEY (or IMBACHAT_JWT) not set
                             remedy: set them in the environment, or name files with ..._FILE; or try --sandbox, which needs no credentials
    skipped  token           no JWT is used
    skipped  answers         needs `connection` and `credentials`
    skipped  ledger          needs `address`
    skipped  rooms           needs `answers`
    skipped  count           needs `answers`
    skipped  duplicates      needs `answers`
    skipped  deleted         needs `answers`
    skipped  look-alikes     needs `answers`
    skipped  on-record       needs `answers`

    doctor: 1 ok, 0 warnings, 2 failed, 13 skipped
    ");
}

#[test]
fn the_built_in_sandbox_passes_every_check() {
    let scene = Scene::new()
        .manifest(MANIFEST)
        .env("IMBACHAT_WIDGET", "no number");
    let text = scene.run("doctor --sandbox").ok();
    assert_snapshot!(text, @"
    widget 627 on the sandbox

    ok       settings        the sandbox's own settings; the environment is not used
    ok       manifest        1 file: 1 room, 2 memberships
    ok       address         widget 627 on the sandbox
    ok       connection      the server answers HTTP 401 to a call without credentials
    skipped  tls             plain http, which is not encrypted
    ok       clock           this machine's clock is within a minute of the server's
    ok       credentials     the server accepts the widget's secret key
    skipped  token           no JWT is used
    ok       answers         1 row; the answer is exactly as documented
    skipped  ledger          there is no ledger at `.roomform/sandbox-627.jsonl` yet
    ok       rooms           1 room: 1 support; 0 public
    ok       count           the number of rows is not round, so the list was probably not truncated
    ok       duplicates      no pipe has two live rooms
    ok       deleted         the list shows no deleted rooms
    ok       look-alikes     no two pipes look alike
    skipped  on-record       needs `ledger`

    doctor: 12 ok, 0 warnings, 0 failed, 4 skipped
    ");
}

#[test]
fn a_wrong_secret_key_is_reported() {
    let server = Scene::new().sandbox();
    let scene = at(&server.url()).env("IMBACHAT_SECRET_KEY", "no such key");
    let text = doctor_output(&scene, &server.url(), &[]);
    text.lacks("no such key");
    assert_snapshot!(text, @"
    exit 1
    widget 627 on http://127.0.0.1:PORT

    ok       settings        3 settings found; the credentials for writing are not set, but only `apply` needs them
                             IMBACHAT_WIDGET in the environment
                             IMBACHAT_API_URL in the environment
                             IMBACHAT_SECRET_KEY in the environment
    ok       manifest        1 file: 1 room, 2 memberships
    ok       address         widget 627 on http://127.0.0.1:PORT
    ok       connection      the server answers HTTP 401 to a call without credentials
    skipped  tls             plain http, which is not encrypted
    ok       clock           this machine's clock is within a minute of the server's
    failed   credentials     the server does not accept the widget's secret key (HTTP 401): the widget's number or its secret key is wrong
                             remedy: check IMBACHAT_WIDGET and IMBACHAT_SECRET_KEY: both are shown in the widget's settings
    skipped  token           no JWT is used
    skipped  answers         needs `credentials`
    skipped  ledger          there is no ledger at `.roomform/127.0.0.1_PORT-627.jsonl` yet
    skipped  rooms           needs `answers`
    skipped  count           needs `answers`
    skipped  duplicates      needs `answers`
    skipped  deleted         needs `answers`
    skipped  look-alikes     needs `answers`
    skipped  on-record       needs `answers`

    doctor: 5 ok, 0 warnings, 1 failed, 10 skipped
    ");
}

#[test]
fn an_unreachable_server_is_reported() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", port.local_addr().unwrap());
    drop(port);
    assert_snapshot!(doctor_output(&at(&address), &address, &[]), @"
    exit 1
    widget 627 on http://127.0.0.1:PORT

    ok       settings        3 settings found; the credentials for writing are not set, but only `apply` needs them
                             IMBACHAT_WIDGET in the environment
                             IMBACHAT_API_URL in the environment
                             IMBACHAT_SECRET_KEY in the environment
    ok       manifest        1 file: 1 room, 2 memberships
    ok       address         widget 627 on http://127.0.0.1:PORT
    failed   connection      no connection to http://127.0.0.1:PORT: error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)
                             remedy: check --api-url, the network and the proxy settings
    skipped  tls             plain http, which is not encrypted
    skipped  clock           needs `connection`
    skipped  credentials     needs `connection` and `tls`
    skipped  token           no JWT is used
    skipped  answers         needs `connection` and `credentials`
    skipped  ledger          there is no ledger at `.roomform/127.0.0.1_PORT-627.jsonl` yet
    skipped  rooms           needs `answers`
    skipped  count           needs `answers`
    skipped  duplicates      needs `answers`
    skipped  deleted         needs `answers`
    skipped  look-alikes     needs `answers`
    skipped  on-record       needs `answers`

    doctor: 3 ok, 0 warnings, 1 failed, 12 skipped
    ");
}

#[test]
fn a_redirect_is_reported() {
    let elsewhere = Canned::raw("");
    let to = format!("Location: {}/login?token=1\r\n", elsewhere.url());
    let server = Canned::answer("302 Found", &to, "");
    let text = doctor_output(&at(&server.url()), &server.url(), &[]);
    assert_snapshot!(text.replace(&elsewhere.url(), "http://ELSEWHERE"), @"
    exit 1
    widget 627 on http://127.0.0.1:PORT

    ok       settings        3 settings found; the credentials for writing are not set, but only `apply` needs them
                             IMBACHAT_WIDGET in the environment
                             IMBACHAT_API_URL in the environment
                             IMBACHAT_SECRET_KEY in the environment
    ok       manifest        1 file: 1 room, 2 memberships
    ok       address         widget 627 on http://127.0.0.1:PORT
    failed   connection      the server redirects to `http://ELSEWHERE/login` (HTTP 302); nothing was sent there
                             remedy: if you trust that address, give its origin with --api-url
    skipped  tls             plain http, which is not encrypted
    skipped  clock           the server's answer has no date
    skipped  credentials     needs `connection` and `tls`
    skipped  token           no JWT is used
    skipped  answers         needs `connection` and `credentials`
    skipped  ledger          there is no ledger at `.roomform/127.0.0.1_PORT-627.jsonl` yet
    skipped  rooms           needs `answers`
    skipped  count           needs `answers`
    skipped  duplicates      needs `answers`
    skipped  deleted         needs `answers`
    skipped  look-alikes     needs `answers`
    skipped  on-record       needs `answers`

    doctor: 3 ok, 0 warnings, 1 failed, 12 skipped
    ");
    assert_eq!((server.served(), elsewhere.served()), (1, 0));
    server.requests()[0].to_lowercase().lacks("authorization");
}

#[test]
fn an_html_answer_is_reported() {
    let server = Canned::answer(
        "200 OK",
        "Content-Type: text/html\r\n",
        "<html>Log in</html>",
    );
    assert_snapshot!(doctor_output(&at(&server.url()), &server.url(), &[]), @"
    exit 1
    widget 627 on http://127.0.0.1:PORT

    ok       settings        3 settings found; the credentials for writing are not set, but only `apply` needs them
                             IMBACHAT_WIDGET in the environment
                             IMBACHAT_API_URL in the environment
                             IMBACHAT_SECRET_KEY in the environment
    ok       manifest        1 file: 1 room, 2 memberships
    ok       address         widget 627 on http://127.0.0.1:PORT
    ok       connection      the server answers HTTP 200 to a call without credentials
    skipped  tls             plain http, which is not encrypted
    skipped  clock           the server's answer has no date
    skipped  credentials     the answer does not show whether the credentials are valid; see `answers`
    skipped  token           no JWT is used
    failed   answers         the server's answer cannot be used: the answer is HTML, not JSON
                             remedy: check --api-url; a proxy or a login page may have answered instead of the API
    skipped  ledger          there is no ledger at `.roomform/127.0.0.1_PORT-627.jsonl` yet
    skipped  rooms           needs `answers`
    skipped  count           needs `answers`
    skipped  duplicates      needs `answers`
    skipped  deleted         needs `answers`
    skipped  look-alikes     needs `answers`
    skipped  on-record       needs `answers`

    doctor: 4 ok, 0 warnings, 1 failed, 11 skipped
    ");
}

#[test]
fn a_server_error_is_reported() {
    let server = Canned::answer("404 Not Found", "", "{}");
    let text = doctor_output(&at(&server.url()), &server.url(), &[]);
    assert_snapshot!(steps(&text, &["connection", "credentials", "answers", "rooms"]), @"
    ok       connection      the server answers HTTP 404 to a call without credentials
    skipped  credentials     the answer does not show whether the credentials are valid; see `answers`
    failed   answers         the server does not know this address (HTTP 404)
                             remedy: check --api-url
    skipped  rooms           needs `answers`
    ");
}

#[test]
fn a_server_without_tls_is_reported() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}", server.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
    });
    let text = doctor_output(&at(&address), &address, &[]);
    serving.join().unwrap();
    assert_snapshot!(steps(&text, &["address", "connection", "tls", "clock", "credentials"]), @"
    ok       address         widget 627 on https://127.0.0.1:PORT
    ok       connection      the server answers; see `tls`
    failed   tls             no connection to https://127.0.0.1:PORT: the server does not speak TLS
                             remedy: check --api-url: the port may belong to plain http or to another program
    skipped  clock           needs `tls`
    skipped  credentials     needs `connection` and `tls`
    ");
}

#[test]
fn invalid_addresses_are_reported() {
    let scene = at("http://chat.example");
    let text = doctor_output(&scene, "x:none", &[]);
    assert_snapshot!(steps(&text, &["address", "connection", "ledger"]), @"
    failed   address         invalid API address: plain http would send the credentials unencrypted
                             remedy: use https, or pass --allow-insecure-http to send them anyway
    skipped  connection      needs `address`
    skipped  ledger          needs `address`
    ");
    let scene = at("http://127.0.0.1:1").env("IMBACHAT_WIDGET", "9");
    scene.declare(format!("widget: 627\n{MANIFEST}"));
    let text = doctor_output(&scene, "x:none", &[]);
    assert_snapshot!(steps(&text, &["manifest", "address"]), @"
    ok       manifest        1 file: 1 room, 2 memberships
    failed   address         wrong target: the manifest is for widget 627, this run is for widget 9
                             remedy: check --widget, IMBACHAT_WIDGET and the manifest's `widget`
    ");
}

#[test]
fn a_clock_difference_is_a_warning() {
    let days = |days: i64| {
        let date = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days + 1);
        let date = jiff::fmt::rfc2822::to_string(&date.to_zoned(jiff::tz::TimeZone::UTC)).unwrap();
        let server = guarded(&format!("Date: {date}\r\n"), &list(&[row(7, "team-a")]));
        doctor_output(&at(&server.url()), &server.url(), &[])
    };
    assert_snapshot!(days(3), @"
    exit 0
    widget 627 on http://127.0.0.1:PORT

    ok       settings        3 settings found; the credentials for writing are not set, but only `apply` needs them
                             IMBACHAT_WIDGET in the environment
                             IMBACHAT_API_URL in the environment
                             IMBACHAT_SECRET_KEY in the environment
    ok       manifest        1 file: 1 room, 2 memberships
    ok       address         widget 627 on http://127.0.0.1:PORT
    ok       connection      the server answers HTTP 401 to a call without credentials
    skipped  tls             plain http, which is not encrypted
    warning  clock           this machine's clock is about 3 days behind the server's
                             remedy: set it with NTP: tokens and ledger entries depend on it
    ok       credentials     the server accepts the widget's secret key
    skipped  token           no JWT is used
    ok       answers         1 row; the answer is exactly as documented
    skipped  ledger          there is no ledger at `.roomform/127.0.0.1_PORT-627.jsonl` yet
    ok       rooms           1 room: 1 conference; 0 public
    ok       count           the number of rows is not round, so the list was probably not truncated
    ok       duplicates      no pipe has two live rooms
    ok       deleted         the list shows no deleted rooms
    ok       look-alikes     no two pipes look alike
    skipped  on-record       needs `ledger`

    doctor: 11 ok, 1 warning, 0 failed, 4 skipped
    ");
    assert_snapshot!(steps(&days(-4), &["clock"]), @"
    warning  clock           this machine's clock is about 3 days ahead of the server's
                             remedy: set it with NTP: tokens and ledger entries depend on it
    ");
}

#[test]
fn rooms_that_a_plan_would_refuse_are_reported() {
    let server = Scene::new().sandbox_with_quirks(Quirks {
        show_deleted: true,
        ..Quirks::default()
    });
    let room = |pipe: &str, deleted: bool| Room {
        deleted_at: deleted.then(|| "2026-01-01 00:00:00".to_owned()),
        ..live_room(pipe, "N")
    };
    for (pipe, deleted) in [
        ("twice", false),
        ("twice", false),
        ("team-a", true),
        ("Admin", false),
        ("аdmin", false),
        ("\u{1b}[2J\u{202e}", false),
        ("\u{1b}[2J\u{202e}", false),
    ] {
        server.insert(room(pipe, deleted));
    }
    let long = "x".repeat(250);
    for _ in 0..2 {
        server.insert(room(&long, false));
    }
    let scene = at(&server.url());
    assert_snapshot!(doctor_output(&scene, &server.url(), &[]), @r"
    exit 0
    widget 627 on http://127.0.0.1:PORT

    ok       settings        3 settings found; the credentials for writing are not set, but only `apply` needs them
                             IMBACHAT_WIDGET in the environment
                             IMBACHAT_API_URL in the environment
                             IMBACHAT_SECRET_KEY in the environment
    ok       manifest        1 file: 1 room, 2 memberships
    ok       address         widget 627 on http://127.0.0.1:PORT
    ok       connection      the server answers HTTP 401 to a call without credentials
    skipped  tls             plain http, which is not encrypted
    ok       clock           this machine's clock is within a minute of the server's
    ok       credentials     the server accepts the widget's secret key
    skipped  token           no JWT is used
    ok       answers         10 rows; the answer is exactly as documented
    skipped  ledger          there is no ledger at `.roomform/127.0.0.1_PORT-627.jsonl` yet
    ok       rooms           9 rooms: 8 conferences, 1 support; 0 public
    ok       count           the number of rows is not round, so the list was probably not truncated
    warning  duplicates      3 pipes have more than one live room
                             `\u{1b}[2J\u{202e}`: rooms 7, 6
                             `twice`: rooms 2, 1
                             `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…`: rooms 9, 8
                             remedy: in ImbaChat, delete all but one room of each such pipe; until then, the pipe is a conflict, and nothing is written to its rooms
    warning  deleted         the list shows 1 deleted room; 1 declared pipe has only deleted rooms
                             `team-a`
                             remedy: remove each such pipe from the manifest, or recreate its room with --allow-recreate
    warning  look-alikes     1 pipe looks like another
                             `аdmin` looks like `Admin`: U+0430 for U+0041
                             remedy: check that each pipe is intended: people cannot tell such pipes apart, and the server may confuse them
    skipped  on-record       needs `ledger`

    doctor: 9 ok, 3 warnings, 0 failed, 4 skipped
    ");
}

#[test]
fn a_list_without_authentication_proves_no_credentials() {
    let server = Canned::answer("200 OK", "", &list(&[row(7, "team-a")]));
    let text = doctor_output(&at(&server.url()), &server.url(), &[]);
    assert_snapshot!(steps(&text, &["connection", "credentials"]), @"
    warning  connection      a call without credentials gets the list: anyone can read it
                             remedy: check --api-url; if it is right, tell the server's operator
    skipped  credentials     the server requires no credentials; see `connection`
    ");
    // A refusal may come with HTTP 200; it does not count as a list.
    let scene = Scene::new().sandbox_with_quirks(Quirks {
        errors_with_200: true,
        ..Quirks::default()
    });
    let text = doctor_output(&at(&scene.url()), &scene.url(), &[]);
    assert_snapshot!(steps(&text, &["connection", "credentials"]), @"
    ok       connection      the server answers HTTP 200 to a call without credentials
    ok       credentials     the server accepts the widget's secret key
    ");
}

#[test]
fn a_login_without_its_password_is_a_warning() {
    for (set, missing) in [
        ("IMBACHAT_LOGIN", "IMBACHAT_PASSWORD"),
        ("IMBACHAT_PASSWORD", "IMBACHAT_LOGIN"),
    ] {
        let scene = Scene::new().sandbox();
        let text = doctor_output(&at(&scene.url()).env(set, "admin"), &scene.url(), &[]);
        let expected = format!(
            "warning  settings        4 settings found; {set} is set and {missing} is not: `apply` needs both\n"
        );
        text.begins("exit 0\n").shows(&expected);
        text.shows(format!("remedy: set {missing} too\n"));
    }
}

#[test]
fn lists_that_look_truncated_are_a_warning() {
    for (rows, capped) in [(99, false), (100, true), (101, false), (1000, true)] {
        let rows: Vec<String> = (1..=rows)
            .map(|id| row(id, &format!("room-{id}")))
            .collect();
        let server = Canned::answer("200 OK", "", &list(&rows));
        let text = doctor_output(&at(&server.url()), &server.url(), &[]);
        let warned = format!("exactly {} rows", rows.len());
        assert_eq!(text.contains(&warned), capped, "{text}");
        if rows.len() == 100 {
            assert_snapshot!(steps(&text, &["rooms", "count"]), @"
            ok       rooms           100 rooms: 100 conferences; 0 public
            warning  count           exactly 100 rows: the server may have truncated the list
                                     remedy: compare the number of rows with the number of rooms in ImbaChat; if ImbaChat has more rooms, roomform treats those that are not in the list as missing
            ");
        }
    }
}

#[test]
fn unknown_or_missing_fields_are_a_warning() {
    let odd = row(7, "team-a").replace("\"tab\":0", "\"colour\\u001b[2J\":1");
    let foreign = row(8, "team-b").replace("\"imba_id\":627", "\"imba_id\":209");
    let body = list(&[odd, foreign]).replace("\"code\"", "\"page\":1,\"code\"");
    let server = Canned::answer("200 OK", "", &body);
    let text = doctor_output(&at(&server.url()), &server.url(), &[]);
    assert_snapshot!(steps(&text, &["answers"]), @r"
    warning  answers         2 rows; the answer is not exactly as documented
                             unknown field `colour\u{1b}[2J` in 1 row
                             unknown field `page` outside the rows
                             no field `tab` in 1 row
                             1 row of another widget
                             remedy: no action is needed if plans look right, but please report the difference
    ");
    let server = Canned::answer("200 OK", "", &list(&[]));
    let text = doctor_output(&at(&server.url()), &server.url(), &[]);
    assert_snapshot!(steps(&text, &["answers", "rooms"]), @"
    ok       answers         0 rows; the answer is exactly as documented
    warning  rooms           the list is empty, but every widget has at least a support room
                             remedy: check IMBACHAT_WIDGET: is it the right widget?
    ");
}

#[test]
fn unusable_ledgers_and_missing_recorded_rooms_are_reported() {
    let scene = Scene::new()
        .manifest(MANIFEST)
        .sandbox()
        .after("apply --yes --ledger l.jsonl");
    let names = ["ledger", "on-record"];
    let look = || doctor_output(&scene, &scene.url(), &["--ledger", "l.jsonl"]);
    let id = scene.room("team-a").id;
    scene.world(|world| world.delete_room(627, id, 1));
    assert_snapshot!(steps(&look(), &names), @"
    ok       ledger          `l.jsonl`: 1 room on record
    warning  on-record       1 room recorded, but not in the list
                             `team-a`: room 2
                             remedy: check in ImbaChat whether a missing room was deleted, or the list is truncated; recreate a deleted room with --allow-recreate, or forget it with `ledger forget`
    ");
    let whole = scene.read("l.jsonl");
    scene.write("l.jsonl", format!("{whole}{{\"torn"));
    assert_snapshot!(steps(&look(), &names), @"
    warning  ledger          `l.jsonl`: 1 room on record
                             ledger `l.jsonl`: the last line is incomplete, probably because a run was killed; roomform ignores that line
                             remedy: no action needed: the next write to the ledger repairs it
    warning  on-record       1 room recorded, but not in the list
                             `team-a`: room 2
                             remedy: check in ImbaChat whether a missing room was deleted, or the list is truncated; recreate a deleted room with --allow-recreate, or forget it with `ledger forget`
    ");
    scene.write("l.jsonl", format!("{whole}nonsense\n"));
    assert_snapshot!(steps(&look(), &names), @r#"
    failed   ledger          ledger `l.jsonl`, line 5: not an entry: expected ident at line 1 column 2
                             remedy: fix or remove that line; if you remove the whole ledger, the next apply sends all members again
    skipped  on-record       needs `ledger`
    "#);
    // Replace the whole field, because the port may contain the same digits.
    scene.write("l.jsonl", whole.replace("\"widget\":627", "\"widget\":9"));
    let text = look();
    assert_snapshot!(steps(&text, &names), @"
    failed   ledger          ledger `l.jsonl` belongs to widget 9 on http://127.0.0.1:PORT, not to widget 627 on http://127.0.0.1:PORT
                             remedy: name the ledger of this target with --ledger, or check --api-url and --widget
    skipped  on-record       needs `ledger`
    ");
    text.begins("exit 1\n");
}

#[test]
fn errors_and_warnings_of_the_manifest_are_reported() {
    let server = Scene::new().sandbox();
    let scene = at(&server.url());
    scene.declare("version: 1\nrooms:\n  - {pipe: ab, title: A}\n  - {pipe: team-b, title: no}\n");
    let text = doctor_output(&scene, &server.url(), &[]);
    text.shows("the manifest is invalid: 1 error\n");
    text.shows("W101");
    scene.declare(
        "version: 1\nrooms:\n  - {pipe: team-a, titel: A}\n  - {pipe: team-b, title: no}\n",
    );
    let text = doctor_output(&scene, &server.url(), &[]);
    assert_snapshot!(steps(&text, &["manifest", "answers"]), @"
    failed   manifest        the manifest is invalid: 2 errors
                             rooms.yaml:3: E009 unknown key `titel` in a room
                             rooms.yaml:4: E008 `title` must be text, but YAML reads `no` as a bool
                             remedy: run `roomform check`, which shows how to fix each one
    ok       answers         1 row; the answer is exactly as documented
    ");
    text.begins("exit 1\n");
    scene.declare("version: 1\nrooms:\n  - {pipe: ab, title: A}\n");
    let text = doctor_output(&scene, &server.url(), &[]);
    assert_snapshot!(steps(&text, &["manifest"]), @"
    warning  manifest        1 file: 1 room, 0 memberships; 1 warning
                             rooms.yaml:3: W101 `ab` should be 3 to 64 characters long, and use only A-Z, a-z, 0-9, _ and -
                             remedy: run `roomform check`
    ");
    text.begins("exit 0\n");
    // An error that belongs to no file is printed without a place.
    scene.declare(format!("version: 1\nrooms:\n{}", "  - {}\n".repeat(5_001)));
    let text = doctor_output(&scene, &server.url(), &[]);
    text.shows("\n                         E006 roomform reports only the first 10000 errors; it found 2 more\n");
    let text = doctor_output(&scene, &server.url(), &["-f", "nowhere.yaml"]);
    assert_snapshot!(steps(&text, &["manifest"]), @"
    failed   manifest        the manifest is invalid: 1 error
                             nowhere.yaml: E001 no such file or directory
                             remedy: run `roomform check`, which shows how to fix each one
    ");
}

#[test]
fn an_unusable_setting_skips_only_the_steps_that_need_it() {
    let server = Scene::new().sandbox();
    let scene = at(&server.url())
        .env("IMBACHAT_JWT_FILE", "nowhere")
        .env("IMBACHAT_LOGIN", "Zx81-Qw27");
    let text = doctor_output(&scene, &server.url(), &[]);
    text.lacks("Zx81-Qw27");
    assert_snapshot!(steps(&text, &["settings", "credentials", "answers"]), @"
    failed   settings        the file that the variable IMBACHAT_JWT_FILE points to cannot be read: No such file or directory (os error 2)
                             IMBACHAT_WIDGET in the environment
                             IMBACHAT_API_URL in the environment
                             IMBACHAT_SECRET_KEY in the environment
                             IMBACHAT_LOGIN in the environment
                             remedy: set IMBACHAT_JWT_FILE to the path of a file, not to its content
    ok       credentials     the server accepts the widget's secret key
    ok       answers         1 row; the answer is exactly as documented
    ");
    let scene = at(&server.url())
        .env("IMBACHAT_WIDGET", "627x")
        .env("IMBACHAT_SECRET_KEY", "");
    let text = doctor_output(&scene, &server.url(), &[]);
    assert_snapshot!(steps(&text, &["settings", "address", "connection", "credentials"]), @"
    failed   settings        IMBACHAT_WIDGET is not a number
                             IMBACHAT_WIDGET in the environment
                             IMBACHAT_API_URL in the environment
                             remedy: set it to the widget's number (imba_id)
    skipped  address         needs `settings`
    skipped  connection      needs `address`
    failed   credentials     no credentials for reading: IMBACHAT_SECRET_KEY (or IMBACHAT_JWT) not set
                             remedy: set them in the environment, or name files with ..._FILE; or try --sandbox, which needs no credentials
    ");
}

/// If `doctor` cannot read the address, it must not use the default, which is the public
/// address.
#[test]
fn an_unreadable_address_is_not_replaced_by_the_default() {
    let scene = at("").env("IMBACHAT_API_URL_FILE", "nowhere");
    let text = doctor_output(&scene, "x:none", &[]);
    assert_snapshot!(steps(&text, &["settings", "address", "connection", "credentials"]), @"
    failed   settings        the file that the variable IMBACHAT_API_URL_FILE points to cannot be read: No such file or directory (os error 2)
                             IMBACHAT_WIDGET in the environment
                             IMBACHAT_SECRET_KEY in the environment
                             remedy: set IMBACHAT_API_URL_FILE to the path of a file, not to its content
    skipped  address         needs `settings`
    skipped  connection      needs `address`
    skipped  credentials     needs `connection` and `tls`
    ");
    let scene = at("http://127.0.0.1:1")
        .env("IMBACHAT_SECRET_KEY", "")
        .env("IMBACHAT_SECRET_KEY_FILE", "nowhere");
    let text = doctor_output(&scene, "x:none", &[]);
    assert_snapshot!(steps(&text, &["settings", "credentials", "answers"]), @"
    failed   settings        the file that the variable IMBACHAT_SECRET_KEY_FILE points to cannot be read: No such file or directory (os error 2)
                             IMBACHAT_WIDGET in the environment
                             IMBACHAT_API_URL in the environment
                             remedy: set IMBACHAT_SECRET_KEY_FILE to the path of a file, not to its content
    skipped  credentials     needs `settings`
    skipped  answers         needs `connection` and `credentials`
    ");
}

#[test]
fn expired_and_expiring_tokens_are_reported() {
    let token = |exp: i64| {
        let claims = base64::Engine::encode(
            &base64::engine::general_purpose::URL_SAFE_NO_PAD,
            format!("{{\"exp\":{exp}}}"),
        );
        format!("head.{claims}.sign")
    };
    let now = jiff::Timestamp::now().as_second();
    let with = |jwt: &str, accepted: bool| {
        let server = if accepted {
            guarded("", &list(&[row(7, "team-a")]))
        } else {
            Canned::answer("401 No", "", "{}")
        };
        let scene = at(&server.url())
            .env("IMBACHAT_SECRET_KEY", "")
            .env("IMBACHAT_JWT", jwt);
        let text = doctor_output(&scene, &server.url(), &[]);
        text.lacks(jwt);
        steps(&text, &["token", "credentials"])
    };
    assert_snapshot!(with(&token(now + 91_800), true), @"
    ok       credentials     the server accepts the JWT
    ok       token           expires in about 25 hours
    ");
    assert_snapshot!(with(&token(now + 355), true), @"
    ok       credentials     the server accepts the JWT
    warning  token           expires in about 5 minutes
                             remedy: put a new JWT into IMBACHAT_JWT, or use the secret key with --read-as
    ");
    assert_snapshot!(with(&token(now - 90_000), true), @"
    ok       credentials     the server accepts the JWT
    warning  token           by this machine's clock, the JWT expired about 25 hours ago, but the server still accepts it
                             remedy: put a new JWT into IMBACHAT_JWT, or use the secret key with --read-as
    ");
    assert_snapshot!(with(&token(now - 90_000), false), @"
    failed   credentials     the server does not accept the JWT (HTTP 401)
                             remedy: check IMBACHAT_JWT: it may have expired, or be signed with another widget's key
    failed   token           expired about 25 hours ago
                             remedy: put a new JWT into IMBACHAT_JWT, or use the secret key with --read-as
    ");
    assert_snapshot!(with("Uv94Uv94", true), @"
    ok       credentials     the server accepts the JWT
    ok       token           the JWT has no expiry time
    ");
    let server = Scene::new().sandbox();
    let scene = at(&server.url()).env("IMBACHAT_JWT", "Uv94Uv94");
    assert_snapshot!(steps(&doctor_output(&scene, &server.url(), &[]), &["token"]), @"skipped  token           IMBACHAT_JWT is set, but the secret key is used");
    assert_snapshot!(steps(&doctor_output(&scene, &server.url(), &["--read-as", "7"]), &["token", "credentials"]), @"
    ok       credentials     for user 7, the server accepts a JWT signed with the secret key
    ok       token           a new JWT is signed for each request, and is valid for an hour
    ");
}

#[cfg(unix)]
#[test]
fn a_ledger_behind_a_broken_link_is_a_problem_of_the_ledger() {
    let scene = at("http://127.0.0.1:9");
    std::os::unix::fs::symlink("nowhere/l.jsonl", scene.path("l.jsonl")).unwrap();
    let ran = scene.run("doctor --ledger l.jsonl");
    assert_snapshot!(steps(&ran.out, &["address", "connection", "ledger"]), @"
    ok       address         widget 627 on http://127.0.0.1:9
    skipped  connection      needs `ledger`
    failed   ledger          `l.jsonl` is, or goes through, a symbolic link that is broken or leads outside the work tree
                             remedy: remove the link, or name the file with an absolute path
    ");
}
