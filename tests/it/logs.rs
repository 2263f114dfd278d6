//! Logs: the id of a run (it is also in the server's log), decisions with `-v`, and requests
//! with `-vv`.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Fault, Proxy, Scene, Shows};

const MANIFEST: &str = "version: 1\nrooms:\n  - {pipe: team-a, title: Team A, members: [3, 4]}\n";

/// The ids that directly follow `before`, wherever it occurs in `text`.
fn ids(text: &str, before: &str) -> BTreeSet<String> {
    let found = text.split(before).skip(1);
    found
        .map(|rest| rest.chars().take_while(char::is_ascii_hexdigit).collect())
        .collect()
}

#[test]
fn one_run_id_is_in_requests_ledger_report_and_log() {
    let scene = Scene::new().sandbox();
    let proxy = Proxy::start(&scene.url(), |_, _| None);
    let scene = scene.manifest(MANIFEST).at(&proxy.url());
    let report = scene.run("apply --yes --format json --ledger l.jsonl");
    let run = report.json()["run"].as_str().unwrap().to_owned();
    assert_eq!(run.len(), 16);
    let own = BTreeSet::from([run.clone()]);
    let sent: Vec<String> = proxy.seen().into_iter().map(|call| call.request).collect();
    assert_eq!(sent.len(), 3, "list, write, verify");
    for request in &sent {
        let agent = format!(
            "user-agent: roomform/{} (run {run})\r\n",
            env!("CARGO_PKG_VERSION")
        );
        request.shows(&agent);
    }
    assert_eq!(ids(&scene.read("l.jsonl"), "\"run\":\""), own);
    // Another run has another id, even if it applies nothing.
    let again = scene.run("apply --yes --format json --ledger l.jsonl");
    assert_ne!(again.json()["run"], *run);
    assert_eq!(again.json()["applied"], false);
}

// what is logged

/// The log without what differs between runs: run id, times, the server's port, lengths of answers.
fn log(scene: &Scene, args: &str) -> String {
    let ran = scene.run(args);
    let same = |word: &str| {
        let value = |name: &str| word.starts_with(&format!("{name}="));
        match word {
            _ if value("version") => "version=VERSION".to_owned(),
            _ if value("run") => "run=RUN".to_owned(),
            _ if value("milliseconds") => "milliseconds=N".to_owned(),
            _ if value("origin") => "origin=ORIGIN".to_owned(),
            _ if value("bytes") => "bytes=N".to_owned(),
            _ if value("ledger") || value("path") && word.ends_with(".jsonl") => {
                "ledger=LEDGER".to_owned()
            }
            word => word.to_owned(),
        }
    };
    let lines = ran.err.lines().map(|line| {
        let words: Vec<String> = line.split(' ').map(same).collect();
        words.join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn v_logs_decisions() {
    let scene = Scene::new().manifest(MANIFEST).sandbox();
    assert_snapshot!(log(&scene, "apply --yes -v"), @r#"
    info: commands: run  run=RUN verb=apply version=VERSION
    info: config: variable found  name=IMBACHAT_WIDGET in_file=false
    info: config: variable found  name=IMBACHAT_API_URL in_file=false
    info: config: variable found  name=IMBACHAT_SECRET_KEY in_file=false
    info: config: variable found  name=IMBACHAT_LOGIN in_file=false
    info: config: variable found  name=IMBACHAT_PASSWORD in_file=false
    info: commands: manifest read  files=1 rooms=1 members=2
    info: commands: target  origin=ORIGIN widget=627 read_by="secret key" ledger=LEDGER
    info: ledger: there is no ledger yet  ledger=LEDGER
    info: plan: to write  pipe=team-a action=create fields="" new=2 unknown=0 known=0 welcome=false recreate=false
    info: plan: plan computed  writes=1 messages=0 unchanged=0 unmanaged=1 undeclared=0 guards=0 refusals=0
    info: apply: room settled  pipe=team-a room=2 status=applied members=2 requests=1
    1 of 1 room: reading the list again
    info: apply: verified the writes  is_settled=true
    info: ledger: ledger read  ledger=LEDGER entries=3
    "#);
    scene.declare(MANIFEST.replace("Team A", "Team B"));
    assert_snapshot!(log(&scene, "-v plan"), @r#"
    info: commands: run  run=RUN verb=plan version=VERSION
    info: config: variable found  name=IMBACHAT_WIDGET in_file=false
    info: config: variable found  name=IMBACHAT_API_URL in_file=false
    info: config: variable found  name=IMBACHAT_SECRET_KEY in_file=false
    info: commands: manifest read  files=1 rooms=1 members=2
    info: commands: target  origin=ORIGIN widget=627 read_by="secret key" ledger=LEDGER
    info: ledger: ledger read  ledger=LEDGER entries=3
    info: plan: to write  pipe=team-a action=update room=2 fields=title new=0 unknown=0 known=2 welcome=false recreate=false
    info: plan: plan computed  writes=1 messages=0 unchanged=0 unmanaged=1 undeclared=0 guards=0 refusals=0
    "#);
    // Conflicting flags.
    scene.run("plan -v -q").exits(64);
}

#[test]
fn vv_also_logs_requests() {
    let scene = Scene::new().manifest(MANIFEST).sandbox();
    assert_snapshot!(log(&scene, "apply --yes -vv"), @r#"
    info: commands: run  run=RUN verb=apply version=VERSION
    info: config: variable found  name=IMBACHAT_WIDGET in_file=false
    info: config: variable found  name=IMBACHAT_API_URL in_file=false
    info: config: variable found  name=IMBACHAT_SECRET_KEY in_file=false
    info: config: variable found  name=IMBACHAT_LOGIN in_file=false
    info: config: variable found  name=IMBACHAT_PASSWORD in_file=false
    info: commands: manifest read  files=1 rooms=1 members=2
    info: commands: target  origin=ORIGIN widget=627 read_by="secret key" ledger=LEDGER
    info: ledger: there is no ledger yet  ledger=LEDGER
    debug: imbachat: request  number=1 method=POST path=/imbachat/v2/627/get_rooms
    debug: imbachat: answer  number=1 status=200 kind=application/json milliseconds=N
    debug: imbachat: body  number=1 rows=1 bytes=N shape="{code:200 data:[] success:\"true\"}"
    info: plan: to write  pipe=team-a action=create fields="" new=2 unknown=0 known=0 welcome=false recreate=false
    info: plan: plan computed  writes=1 messages=0 unchanged=0 unmanaged=1 undeclared=0 guards=0 refusals=0
    debug: apply: claimed the create  pipe=team-a owed=2 claimed=Ours
    debug: imbachat: write  pipe=team-a title_length=6 kind=conference public=false members=2
    debug: imbachat: request  number=2 method=POST path=/imbachat/v1/widget/imba_rooms
    debug: imbachat: answer  number=2 status=200 kind=application/json milliseconds=N
    debug: imbachat: body  number=2 bytes=N shape="{code:200 data:[{roomId:2 room_id:2 success:true}] message:text(7)}"
    info: apply: room settled  pipe=team-a room=2 status=applied members=2 requests=1
    1 of 1 room: reading the list again
    debug: imbachat: request  number=3 method=POST path=/imbachat/v2/627/get_rooms
    debug: imbachat: answer  number=3 status=200 kind=application/json milliseconds=N
    debug: imbachat: body  number=3 rows=2 bytes=N shape="{code:200 data:[] success:\"true\"}"
    info: apply: verified the writes  is_settled=true
    info: ledger: ledger read  ledger=LEDGER entries=3
    "#);
}

#[test]
fn failed_calls_and_their_outcome_are_logged() {
    let scene = Scene::new().sandbox();
    // The create succeeds, but its answer is lost. The server then answers the request for the
    // list with 429.
    let faults = |number, _: Option<&str>| match number {
        1 => Some(Fault::HalfAfter),
        2 => Some(Fault::Answer("429 Slow", "Retry-After: 0\r\n", "{}")),
        _ => None,
    };
    let proxy = Proxy::start(&scene.url(), faults);
    let scene = scene.manifest(MANIFEST).at(&proxy.url());
    let output = log(&scene, "apply --yes -v");
    let output: Vec<&str> = output
        .lines()
        .filter(|line| line.starts_with("info: apply") || line.starts_with("info: imbachat"))
        .collect();
    assert_snapshot!(output.join("\n"), @"
    info: apply: the server is slow: writing fewer rooms at a time  width=4
    info: apply: a call failed  pipe=team-a call=Create attempt=1 cause=Cut verdict=Uncertain
    info: apply: room settled  pipe=team-a status=uncertain members=0 requests=1
    info: imbachat: a call failed  call=List attempt=1 cause=Status(429) verdict=Again(AtLeast(0ns))
    info: apply: looked for uncertain rooms  wanted=1 found=1
    info: apply: room settled  pipe=team-a room=2 status=applied members=2 requests=2
    info: apply: verified the writes  is_settled=true
    ");
}

#[test]
fn the_json_log_has_one_object_per_line() {
    let warned = "version: 1\nrooms:\n  - {pipe: a, title: Team A, members: [3, 4]}\n";
    let scene = Scene::new().manifest(warned).sandbox();
    scene.write(
        "wrong.yaml",
        "version: 1\nrooms:\n  - {pipe: a}\n  - {title: b}\n",
    );
    let flags = ["--log-format", "json", "--color", "always"];
    let runs: [(&[&str], i32); 6] = [
        (&["plan"], 0),
        (&["apply", "--yes", "-vv"], 0),
        (&["apply"], 0),
        (&["plan", "-f", "wrong.yaml"], 3),
        (&["plan", "--api-url", "http://127.0.0.1:1", "-v"], 1),
        (&["ledger", "forget", "nothing"], 1),
    ];
    for (args, code) in runs {
        let ran = scene.run([args, &flags].concat());
        ran.exits(code);
        let mut levels = BTreeSet::new();
        let mut run = BTreeSet::new();
        for line in ran.err.lines() {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{ran:#?}"));
            let time: jiff::Timestamp = line["time"].as_str().unwrap().parse().unwrap();
            assert!(time.as_second() > 1_500_000_000);
            let message = line["message"].as_str().unwrap();
            assert!(!message.is_empty() && !message.contains('\u{1b}'), "{line}");
            levels.insert(line["level"].as_str().unwrap().to_owned());
            run.insert(line["run"].as_str().unwrap().to_owned());
        }
        assert_eq!(levels.contains("error"), code != 0, "{args:?}: {levels:?}");
        assert!(run.len() <= 1, "{run:?}");
    }
    let warning = scene.run("check --log-format json");
    let line: Value = serde_json::from_str(&warning.err).unwrap();
    assert_eq!(line["level"], "warn");
    line["message"].as_str().unwrap().shows("rooms.yaml:3");
}

#[test]
fn logging_does_not_change_the_output() {
    let scene = Scene::new().manifest(MANIFEST).sandbox();
    for format in ["text", "json"] {
        let plan = ["plan", "--format", format];
        let quiet = scene.run(plan);
        let verbose = scene.run([&plan[..], &["-vv", "--log-format", "json"]].concat());
        assert_eq!((quiet.code, &quiet.out), (verbose.code, &verbose.out));
        assert!(
            quiet.err.is_empty() && verbose.err.contains("/get_rooms"),
            "{verbose:#?}"
        );
    }
}

#[test]
fn titles_are_not_logged() {
    let manifest = "version: 1\nrooms:\n  - {pipe: team-a, title: Quarrel of two, members: [3]}\n";
    let scene = Scene::new().manifest(manifest).sandbox();
    let retitled = manifest.replace("Quarrel of two", "Peace of two");
    for (manifest, format) in [(manifest, "text"), (retitled.as_str(), "json")] {
        scene.declare(manifest);
        let ran = scene.run(["apply", "--yes", "-vv", "--log-format", format]);
        ran.exits(0);
        for text in ["Quarrel", "Peace", "two"] {
            ran.err.lacks(text);
        }
        ran.err.shows("title_length");
    }
}

#[test]
fn a_hostile_pipe_is_escaped_in_the_log() {
    const HOSTILE: &str = "a\u{202e}b ##[x] \u{200b}c";
    let manifest = format!("version: 1\nrooms:\n  - {{pipe: \"{HOSTILE}\", title: T}}\n");
    let scene = Scene::new().manifest(&manifest);
    for format in ["text", "json"] {
        let state = format!("--sandbox={format}.json");
        let ran = scene.run(["apply", "--yes", &state, "-vv", "--log-format", format]);
        ran.exits(0);
        let bad = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{200b}');
        assert_eq!(ran.err.chars().find(|c| bad(*c)), None, "{}", ran.err);
        ran.err.lacks("##[").shows("202e");
    }
}

/// A file's detected format may be wrong, so the log names it.
#[test]
fn verbose_logs_the_detected_format_of_each_table_file() {
    let scene = Scene::new().manifest("version: 1
rooms:
  - {pipe: team-a, title: A, members: [{roster: a.csv, user: id}, {roster: b.txt}]}
  - {pipe: team-b, title: B, members: [{roster: a.csv, user: id}, {roster: c.csv, user: код, encoding: windows-1251}]}
  - {pipe: team-c, title: C, members: [{roster: a.csv, user: id, where: {name: x;y}}]}
");
    scene.write("a.csv", "id;name\n7;\"x;y\"\n\n8;\u{1b}[2J\n");
    scene.write("b.txt", "# who\n9\n");
    let (text, _, _) = encoding_rs::WINDOWS_1251.encode("код\tимя\n10\tx\n");
    scene.write("c.csv", &text);
    let output = |args: &[&str]| {
        let ran = scene.run(args);
        let lines = ran.err.lines().filter(|line| line.contains("rows read"));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(output(&["check", "-v"]), @r#"
    info: manifest: rows read  file=a.csv by=rooms.yaml:3 encoding=UTF-8 delimiter=; rows="3 read: 1 blank, 2 used" columns=id,name
    info: manifest: rows read  file=b.txt by=rooms.yaml:3 encoding=UTF-8 delimiter="none: one value per line" rows="2 read: 1 blank, 1 used" columns=""
    info: manifest: rows read  file=c.csv by=rooms.yaml:4 encoding=windows-1251 delimiter=tab rows="1 read: 1 used" columns=код,имя
    info: manifest: rows read  file=a.csv by=rooms.yaml:5 encoding=UTF-8 delimiter=; rows="3 read: 1 blank, 1 left_out, 1 used"
    "#);
    assert_eq!(output(&["check"]), "");
    assert_eq!(
        output(&["plan", "-v", "--sandbox"]),
        output(&["check", "-v"])
    );
    assert_eq!(
        output(&["apply", "--yes", "-v", "--sandbox"]),
        output(&["check", "-v"])
    );
    let json = output(&["check", "-v", "--log-format", "json"]);
    let first: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(first["fields"]["columns"], "id,name");
}
