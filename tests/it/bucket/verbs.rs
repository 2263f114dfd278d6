//! The commands with a ledger in a bucket: the results are the same as with a file, but some
//! errors occur only with a bucket.

use insta::assert_snapshot;
use serde_json::Value;

use super::{Fault, LEDGER, S3, SECRET};
use crate::support::{Args, Ran, Scene, Shows};

const MANIFEST: &str = "version: 1\nwidget: 627\nrooms:\n  - {pipe: team-a, title: Team A, members: [3, 4]}\n  - {pipe: team-b, title: Team B, members: [5], welcome: {from: 5, text: Hello}}\n";

fn with(scene: &Scene, args: impl Args, ledger: &str) -> Ran {
    scene.run([&args.args()[..], &["--ledger", ledger]].concat())
}

/// The output of `ledger show` as JSON, without the values that differ between runs.
fn record(scene: &Scene, ledger: &str) -> Value {
    let mut shown = with(scene, "ledger show --format json", ledger).json();
    shown.as_object_mut().unwrap().remove("origin");
    shown
}

#[test]
fn every_command_gives_the_same_results_with_a_bucket_as_with_a_file() {
    let s3 = S3::start();
    let file = Scene::new().sandbox();
    let bucket = Scene::new().sandbox();
    let dirs = [(&file, "l.jsonl"), (&bucket, LEDGER)];
    let dirs = dirs.map(|(server, ledger)| {
        let origin = server.url();
        let scene = Scene::new()
            .manifest(MANIFEST)
            .beside(server)
            .envs(&s3.env());
        (scene, ledger, origin)
    });
    let same = |args: &[&str]| {
        let [one, two] = dirs.each_ref().map(|(scene, ledger, origin)| {
            let ran = with(scene, args, ledger);
            let text = |text: &str| text.replace(ledger, "LEDGER").replace(origin, "ORIGIN");
            (ran.code, text(&ran.out), text(&ran.err))
        });
        assert_eq!(one, two, "{args:?}");
        assert_eq!(
            record(&dirs[0].0, "l.jsonl"),
            record(&dirs[1].0, LEDGER),
            "{args:?}"
        );
        one
    };
    same(&["ledger", "show"]);
    same(&["plan"]);
    // One room at a time, so that both servers assign the same ids.
    let apply = ["apply", "--yes", "--parallelism", "1"];
    assert_eq!(same(&apply).0, 0);
    assert_eq!(same(&["plan", "--detailed-exitcode"]).0, 0);
    same(&["ledger", "show"]);
    let doctor = with(&dirs[1].0, "doctor", LEDGER).ok();
    for expected in [
        "AWS_REGION in the environment",
        "ledger.jsonl`: 2 rooms on record",
    ] {
        doctor.shows(expected);
    }
    doctor.lacks(SECRET);
    same(&["ledger", "forget", "team-a"]);
    same(&["plan"]).1.shows("unknown");
    assert_eq!(same(&["ledger", "adopt", "--roster", "--yes"]).0, 0);
    assert_eq!(same(&["plan", "--detailed-exitcode"]).0, 0);
    assert_eq!(same(&["ledger", "forget", "no one"]).0, 1);
    // Change the title on the server. The plan must show that the change was not made in the
    // manifest.
    for server in [&file, &bucket] {
        let other = Scene::new()
            .manifest(MANIFEST.replace("Team B", "Party"))
            .beside(server);
        other.run("apply --yes").ok();
    }
    same(&["plan"]).1.shows("changed outside");
    assert_eq!(same(&apply).0, 0);
    // Claims that duplicate other entries are kept for one day.
    let compacted = dirs.each_ref().map(|(scene, ledger, _)| {
        with(scene, "ledger compact", ledger).ok();
        with(scene, "plan --detailed-exitcode", ledger).exits(0);
        record(scene, ledger)["rooms"].clone()
    });
    assert_eq!(compacted[0], compacted[1]);
}

#[test]
fn a_saved_plan_is_refused_with_another_ledger() {
    let s3 = S3::start();
    let scene = Scene::new().manifest(MANIFEST).sandbox().envs(&s3.env());
    with(&scene, "plan --out p.json", LEDGER).ok();
    scene.read("p.json").shows(LEDGER);
    scene.read("p.json").lacks(SECRET);
    let other = scene.run("apply p.json");
    assert_eq!((other.code, scene.writes()), (5, 0), "{other:#?}");
    assert!(!scene.path(".roomform").exists());
    with(&scene, "apply p.json", LEDGER).ok();
    let plan = with(&scene, "plan --detailed-exitcode", LEDGER);
    plan.exits(0);
}

#[test]
fn ledgers_move_between_files_and_buckets() {
    let s3 = S3::start();
    let scene = Scene::new().manifest(MANIFEST).sandbox().envs(&s3.env());
    let path = format!("file://{}", scene.path("l.jsonl").display());
    with(&scene, "apply --yes", &path).ok();
    assert_snapshot!(with(&scene, "ledger merge l.jsonl", LEDGER).ok(), @"s3://bucket/rooms/ledger.jsonl: 0 → 8 entries, 2 rooms recorded");
    assert_eq!(s3.text("rooms/ledger.jsonl"), Some(scene.read("l.jsonl")));
    assert_snapshot!(with(&scene, ["ledger", "merge", LEDGER], "back.jsonl").ok(), @"back.jsonl: 0 → 8 entries, 2 rooms recorded");
    assert_eq!(scene.read("back.jsonl"), scene.read("l.jsonl"));
    let none = with(&scene, "ledger merge s3://bucket/none.jsonl", LEDGER);
    none.exits(1);
    assert_snapshot!(none.err, @"error: ledger `s3://bucket/none.jsonl`: no such file");
    // The ledger names its target; a plan for another widget is rejected.
    let other = scene.run(["plan", "--widget", "7", "--ledger", LEDGER]);
    assert_ne!(other.code, 0);
}

#[test]
fn a_ledger_of_another_target_is_refused() {
    let (server, other, s3) = (Scene::new().sandbox(), Scene::new().sandbox(), S3::start());
    let scene = Scene::new()
        .manifest(MANIFEST)
        .beside(&server)
        .envs(&s3.env());
    with(&scene, "apply --yes", LEDGER).ok();
    let scene = scene.beside(&other);
    for verb in ["plan", "apply --yes"] {
        let ran = with(&scene, verb, LEDGER);
        assert_eq!((ran.code, other.writes()), (1, 0), "{ran:#?}");
        ran.err.shows("belongs to widget 627");
    }
}

#[test]
fn an_invalid_ledger_address_is_a_usage_error() {
    let scene = Scene::new().manifest(MANIFEST);
    let mut output = String::new();
    for ledger in [
        "s3://bucket",
        "s3://bucket/",
        "s3:///key",
        "s3://bucket/a//b",
        "s3://bucket/../b",
        "s3://bucket/a b",
        "s3://bucket/a?versionId=1",
        "s3://key:secret@bucket/a",
        "ftp://host/a",
        "https://key:secret@host/a",
        "file://host/a",
    ] {
        let ran = with(&scene, "plan --sandbox", ledger);
        assert_eq!((ran.code, ran.out.as_str()), (64, ""), "{ledger}: {ran:#?}");
        ran.err.lacks("secret");
        output += &format!("{ledger}\n{}", ran.err);
    }
    assert_snapshot!(output, @r#"
    s3://bucket
    error: --ledger: the address names no object: after the bucket, write names of letters, digits and punctuation, separated by `/`
      hint: write it as s3://bucket/rooms/ledger.jsonl
    s3://bucket/
    error: --ledger: the address names no object: after the bucket, write names of letters, digits and punctuation, separated by `/`
      hint: write it as s3://bucket/rooms/ledger.jsonl
    s3:///key
    error: --ledger: the address has no valid bucket or container name
      hint: write it as s3://bucket/rooms/ledger.jsonl
    s3://bucket/a//b
    error: --ledger: the address names no object: after the bucket, write names of letters, digits and punctuation, separated by `/`
      hint: write it as s3://bucket/rooms/ledger.jsonl
    s3://bucket/../b
    error: --ledger: the address names no object: after the bucket, write names of letters, digits and punctuation, separated by `/`
      hint: write it as s3://bucket/rooms/ledger.jsonl
    s3://bucket/a b
    error: --ledger: the address names no object: after the bucket, write names of letters, digits and punctuation, separated by `/`
      hint: write it as s3://bucket/rooms/ledger.jsonl
    s3://bucket/a?versionId=1
    error: --ledger: the address names no object: after the bucket, write names of letters, digits and punctuation, separated by `/`
      hint: write it as s3://bucket/rooms/ledger.jsonl
    s3://key:secret@bucket/a
    error: --ledger: remove the credentials from the address; they come from the environment
      hint: write it as s3://bucket/rooms/ledger.jsonl
    ftp://host/a
    error: --ledger: `ftp:` is not a ledger address
      hint: name a path, or s3://bucket/key, gs://bucket/key, az://container/key
    https://key:secret@host/a
    error: --ledger: `https:` is not a ledger address
      hint: name a path, or s3://bucket/key, gs://bucket/key, az://container/key
    file://host/a
    error: --ledger: a file: address has no host
      hint: write it as file:///path
    "#);
}

#[test]
fn the_error_about_an_unusable_bucket_has_address_reason_and_remedy() {
    let s3 = S3::start();
    let scene = Scene::new().manifest(MANIFEST).sandbox().envs(&s3.env());
    let mut output = String::new();
    let mut tell = |name: &str, scene: &Scene, ledger: &str, code: i32| {
        let ran = with(scene, "apply --yes --timeout 2s", ledger);
        assert_eq!((ran.code, scene.writes()), (code, 0), "{name}: {ran:#?}");
        output += &format!("{name}\n{}", ran.err.replace(&s3.url(), "URL"));
    };
    tell("no such bucket", &scene, "s3://other/a.jsonl", 1);
    for (status, body) in [
        (
            "403 Forbidden",
            "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
        ),
        ("401 Unauthorized", ""),
        (
            "400 Bad Request",
            "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'us-east-1' is wrong; expecting 'eu-west-1'</Message></Error>",
        ),
        ("301 Moved Permanently", ""),
        (
            "503 Slow Down",
            "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
        ),
        ("200 OK", "<html>a login page</html>"),
    ] {
        s3.fail(move |_| Some(Fault::Answer(status, body)));
        tell(status, &scene, LEDGER, 1);
    }
    s3.fail(|_| Some(Fault::LostBefore));
    tell("no answer", &scene, LEDGER, 1);
    s3.fail(|_| None);
    s3.put("rooms/ledger.jsonl.d/notes.jsonl", "my notes\n");
    tell("something else among the pieces", &scene, LEDGER, 1);
    let scene = scene.env("AWS_ACCESS_KEY_ID", "");
    tell("half of the keys", &scene, LEDGER, 1);
    let scene = scene.env("AWS_ENDPOINT_URL", "http://store.example");
    tell("in clear", &scene, LEDGER, 1);
    // In this URL, `localhost` is a user name, not the host.
    let scene = scene.env("AWS_ENDPOINT_URL", "http://localhost:x@store.example");
    let ran = with(&scene, "ledger show", LEDGER);
    ran.err
        .shows("AWS_ENDPOINT_URL is an http address of another machine");
    let scene = scene
        .env("AWS_ACCESS_KEY_ID_FILE", "none")
        .env("AWS_ENDPOINT_URL", &s3.url());
    tell("no such file", &scene, LEDGER, 1);
    assert_snapshot!(output, @r#"
    no such bucket
    error: ledger `s3://other/a.jsonl`: cannot be listed: it answered 404 Not Found: NoSuchBucket: said by the tests
      hint: check the bucket's name and region; roomform does not create buckets
    403 Forbidden
    error: ledger `s3://bucket/rooms/ledger.jsonl`: cannot be listed: it answered 403 Forbidden: AccessDenied: Access Denied
      hint: allow the credentials to list, get and put objects below the ledger's key, and to delete them for merging; docs/ledger-in-a-bucket.md has the policy
    401 Unauthorized
    error: ledger `s3://bucket/rooms/ledger.jsonl`: cannot be listed: it answered 401 Unauthorized
      hint: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the variables for Google or Azure; docs/ledger-in-a-bucket.md lists these variables
    400 Bad Request
    error: ledger `s3://bucket/rooms/ledger.jsonl`: cannot be listed: it answered 400 Bad Request: AuthorizationHeaderMalformed: the region 'us-east-1' is wrong; expecting 'eu-west-1'
      hint: check the address, the region, and the server in AWS_ENDPOINT_URL or its equivalent
    301 Moved Permanently
    error: ledger `s3://bucket/rooms/ledger.jsonl`: cannot be listed: Received redirect without LOCATION, this normally indicates an incorrectly configured region
      hint: check the bucket's name and region; roomform does not create buckets
    503 Slow Down
    error: ledger `s3://bucket/rooms/ledger.jsonl`: cannot be listed: it answered 503 Service Unavailable: SlowDown: Please reduce your request rate.
      hint: check the address, the network and, for your own server, AWS_ENDPOINT_URL or its equivalent; if you set no key, check that the machine's role provides one
    200 OK
    error: ledger `s3://bucket/rooms/ledger.jsonl`, line 1: the object ends within a line
      hint: fix or remove that line; if you remove the whole ledger, the next apply sends all members again
    no answer
    error: ledger `s3://bucket/rooms/ledger.jsonl`: cannot be listed: connection closed before message completed
      hint: check the address, the network and, for your own server, AWS_ENDPOINT_URL or its equivalent; if you set no key, check that the machine's role provides one
    something else among the pieces
    error: ledger `s3://bucket/rooms/ledger.jsonl.d/notes.jsonl`: the file does not start with a ledger's header
      hint: restore the first line of the file from a copy; if the file is not a ledger, move it away, or name another file with --ledger
    half of the keys
    error: ledger `s3://bucket/rooms/ledger.jsonl`: cannot be reached: Generic S3 error: Missing AccessKeyId
      hint: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the variables for Google or Azure; docs/ledger-in-a-bucket.md lists these variables
    in clear
    error: ledger `s3://bucket/rooms/ledger.jsonl`: cannot be reached: AWS_ENDPOINT_URL is an http address of another machine
      hint: use https; to send signed requests unencrypted, set AWS_ALLOW_HTTP=true (or AZURE_ALLOW_HTTP, GOOGLE_ALLOW_HTTP)
    no such file
    error: the file that the variable AWS_ACCESS_KEY_ID_FILE points to cannot be read: No such file or directory (os error 2)
      hint: set AWS_ACCESS_KEY_ID_FILE to the path of a file, not to its content
    "#);
}

#[test]
fn a_bucket_needs_valid_variables_for_proxies_and_certificates() {
    let s3 = S3::start();
    for (name, value, reason) in [
        (
            "HTTPS_PROXY",
            "socks5://proxy",
            "HTTPS_PROXY is not the address of an HTTP proxy",
        ),
        (
            "no_proxy",
            "a b",
            "no_proxy: `a b` is neither a host nor an address nor a network",
        ),
        (
            "SSL_CERT_FILE",
            "none.pem",
            "SSL_CERT_FILE: `none.pem` cannot be read",
        ),
    ] {
        let scene = Scene::new()
            .manifest(MANIFEST)
            .envs(&s3.env())
            .env(name, value);
        let ran = with(&scene, "plan --sandbox", LEDGER);
        ran.exits(1).err.shows(reason);
        assert_eq!(s3.asked().len(), 0);
    }
}

#[test]
fn credentials_of_a_store_may_be_in_files() {
    let s3 = S3::start();
    let scene = Scene::new().manifest(MANIFEST).sandbox().envs(&s3.env());
    scene.write("secret", format!("{SECRET}\n"));
    let scene = scene
        .env("AWS_SECRET_ACCESS_KEY", "")
        .env("AWS_SECRET_ACCESS_KEY_FILE", "secret");
    with(&scene, "apply --yes", LEDGER).ok();
}

#[test]
fn a_bucket_that_fails_midway_stops_the_run_and_the_next_run_converges() {
    let rooms: String = (1..=20)
        .map(|room| {
            format!("  - {{pipe: room-{room}, title: Room {room}, members: [1, {room}]}}\n")
        })
        .collect();
    let manifest = format!("version: 1\nwidget: 627\nrooms:\n{rooms}");
    for puts in [0, 1, 2, 3, 5] {
        let s3 = S3::start();
        let scene = Scene::new().manifest(&manifest).sandbox().envs(&s3.env());
        let mut seen = 0;
        s3.fail(move |call| {
            seen += u32::from(call.method == "PUT");
            (seen > puts).then_some(Fault::Answer("500 Oh", ""))
        });
        let args = [
            "apply",
            "--yes",
            "--timeout",
            "2s",
            "--report",
            "r.json",
            "--parallelism",
            "1",
        ];
        let ran = with(&scene, args, LEDGER);
        let (writes, live) = (scene.writes(), scene.rooms());
        let code = if writes == 0 { 1 } else { 4 };
        ran.exits(code);
        let report: Value = serde_json::from_str(&scene.read("r.json")).unwrap();
        assert_eq!(
            (&report["exit"], &report["stopped"]),
            (&code.into(), &"ledger".into())
        );
        // The bucket has an intent for everything that was sent.
        let kept: String = s3.keys().iter().filter_map(|key| s3.text(key)).collect();
        for room in &live {
            kept.shows(format!("\"{}\"", room.pipe));
        }
        s3.fail(|_| None);
        let soon = "apply --yes --timeout 2s --verify-timeout 300ms";
        with(&scene, soon, LEDGER).ok();
        assert_eq!(scene.rooms().len(), 20);
        let plan = with(&scene, "plan --detailed-exitcode", LEDGER);
        plan.exits(0);
    }
}

#[test]
fn no_key_is_printed_whatever_a_store_answers() {
    let s3 = S3::start();
    let scene = Scene::new()
        .manifest(MANIFEST)
        .sandbox()
        .envs(&s3.env())
        .env("AWS_SESSION_TOKEN", "t0ken/of+the=tests")
        .env("RUST_LOG", "trace");
    let body = "<Error><Code>SignatureDoesNotMatch</Code><Message>\u{1b}[31m key-of-the-tests s3cr3t/of+the=tests t0ken/of+the=tests</Message></Error>";
    for status in ["403 Forbidden", "400 Bad Request", "500 Oh"] {
        s3.fail(move |_| Some(Fault::Answer(status, body)));
        for format in ["text", "json", "markdown"] {
            let args = [
                "apply",
                "--yes",
                "-vv",
                "--timeout",
                "2s",
                "--format",
                format,
            ];
            let ran = with(&scene, args, LEDGER);
            ran.exits(1);
            let all = ran.all();
            for secret in ["key-of-the-tests", SECRET, "t0ken/of+the=tests", "\u{1b}"] {
                assert!(!all.contains(secret), "{secret}: {all}");
            }
            all.shows("SignatureDoesNotMatch: ");
        }
    }
}
