//! A new room's first message: planned, limited, sent once after the members are added, and never again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use insta::assert_snapshot;
use roomform::sandbox::Config;
use serde_json::Value;

use crate::support::{Fault, Proxy, Ran, Scene, Shows, live_room, until};

const MANIFEST: &str = r#"version: 1
widget: 627
people: {head: 3}
rooms:
  - pipe: team-a
    title: "Team A"
    members: [head, 4]
    welcome: {from: head, text: "Welcome to {{ title }}, all {{ members }} of you{% if public %}!{% endif %}"}
  - {pipe: team-b, title: "Team B", members: [head]}
"#;
/// A text that no log may contain.
const SAID: &str = "Welcome to Team A, all 2 of you";

/// Room, sender and text of each message.
fn messages(scene: &Scene) -> Vec<(String, u64, String)> {
    let (rooms, messages) = scene.world(|world| (world.rooms(627), world.messages(627)));
    let pipe = |id: u64| {
        let room = rooms.iter().find(|room| room.id == id);
        room.unwrap().pipe.clone()
    };
    let messages = messages.into_iter();
    messages
        .map(|message| (pipe(message.room_id), message.remote_user_id, message.text))
        .collect()
}

fn once() -> Vec<(String, u64, String)> {
    vec![("team-a".to_owned(), 3, SAID.to_owned())]
}

fn widget() -> Scene {
    Scene::new().manifest(MANIFEST).sandbox()
}

/// A proxy that applies a fault to messages while the flag is on.
fn proxied(scene: &Scene, fault: Fault) -> (Proxy, Scene, Arc<AtomicBool>) {
    let on = Arc::new(AtomicBool::new(true));
    let strikes = Arc::clone(&on);
    let proxy = Proxy::start(&scene.url(), move |_, request| {
        let message = request.is_some_and(|request| request.contains("/send_msg "));
        (message && strikes.load(Ordering::SeqCst)).then_some(fault)
    });
    let scene = Scene::new()
        .manifest(MANIFEST)
        .beside(scene)
        .at(&proxy.url());
    (proxy, scene, on)
}

/// The stage of each message entry in the ledger.
fn stages(scene: &Scene) -> Vec<String> {
    let entries = scene.read("l.jsonl");
    let entries = entries
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let entries = entries.filter(|entry| entry["kind"] == "message");
    entries
        .map(|entry| entry["stage"].as_str().unwrap().to_owned())
        .collect()
}

/// `public` renders as `true` or `false`, as in the manifest, and also works as a condition.
#[test]
fn public_renders_as_true_or_false() {
    let room = |public: bool| {
        format!(
            "  - {{pipe: open-{public}, title: A, public: {public}, welcome: {{from: 3, \
             text: \"{{{{ public }}}}{{% if public %}}, come in{{% endif %}}\"}}}}\n"
        )
    };
    let manifest = format!("version: 1\nrooms:\n{}{}", room(true), room(false));
    let resolved = Scene::new().manifest(&manifest).run("render --format json");
    let resolved: Value = serde_json::from_str(&resolved.ok()).unwrap();
    let text = |room: usize| resolved["rooms"][room]["welcome"]["text"].clone();
    assert_eq!((text(0), text(1)), ("false".into(), "true, come in".into()));
}

const APPLY: [&str; 10] = [
    "apply",
    "--yes",
    "--ledger",
    "l.jsonl",
    "--report",
    "r.json",
    "--failed",
    "f.csv",
    "--parallelism",
    "1",
];

fn apply(scene: &Scene) -> Ran {
    scene.run(APPLY)
}

fn plan(scene: &Scene) -> Ran {
    scene.run("plan --ledger l.jsonl --detailed-exitcode")
}

/// The part of an apply's output that follows the plan.
fn result(ran: &Ran) -> String {
    let lines = ran.out.lines().skip_while(|line| !line.contains("target:"));
    lines.skip(2).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_new_room_gets_its_welcome_after_its_members() {
    let scene = widget();
    let planned = plan(&scene);
    planned.exits(2);
    let text = planned.out.replace(&scene.url(), "<api>");
    assert_snapshot!(text, @r#"
      # rooms.yaml:5
      + team-a               create  conference, closed, 2 members
          title   "Team A"
          members head (3), 4
          welcome from head (3): "Welcome to Team A, all 2 of you"
      # rooms.yaml:9
      + team-b               create  conference, closed, 1 member
          title   "Team B"
          members head (3)

    plan: 2 to create, 3 members to add, 1 message to send; 0 unchanged, 1 unmanaged
          5 requests: 1 to list, 2 to write, 1 to verify, 1 to send
          target: widget 627 on <api>
    "#);
    let ran = apply(&scene);
    assert_snapshot!(result(&ran), @r"
      ok team-a               verified     created as room 2, 2 members confirmed, 1 message confirmed
      ok team-b               verified     created as room 3, 1 member confirmed

    apply: 2 verified; 3 members, 1 message confirmed; requests: 2 to write, 1 to verify, 1 to send
    now:  nothing to do; 2 unchanged, 1 unmanaged
    ");
    assert_eq!((ran.code, messages(&scene)), (0, once()));
    let stats = scene.stats();
    assert_eq!(
        (stats.imba_rooms, stats.send_msg, stats.get_rooms),
        (2, 1, 3)
    );
    assert_eq!(stages(&scene), ["intended", "confirmed"]);
    let report: Value = serde_json::from_str(&scene.read("r.json")).unwrap();
    assert_eq!(report["rooms"][0]["messages"], 1);
    assert_eq!(report["requests"]["send"], 1);
    // Nothing is left to do, even if the text changes.
    assert_eq!((plan(&scene).code, apply(&scene).code), (0, 0));
    scene.declare(MANIFEST.replace("Welcome to", "Hello in"));
    assert_eq!((plan(&scene).code, apply(&scene).code), (0, 0));
    assert_eq!(messages(&scene), once());
    // The ledger records the message without its text.
    scene.read("l.jsonl").lacks("Welcome");
    let shown = scene.run("ledger show --ledger l.jsonl").ok();
    shown.shows("    welcome   confirmed\n");
}

#[test]
fn an_existing_room_gets_no_welcome() {
    let scene = widget();
    scene.insert(live_room("team-a", "Another title"));
    let ran = apply(&scene);
    ran.lacks("welcome");
    assert_eq!((ran.code, messages(&scene)), (0, Vec::new()));
    // Adding a `welcome` to an existing room sends nothing either.
    let welcome = "team-b, welcome: {from: 3, text: hello}";
    scene.declare(MANIFEST.replace("team-b", welcome));
    assert_eq!((plan(&scene).code, messages(&scene)), (0, Vec::new()));
}

#[test]
fn a_recreated_room_gets_another_welcome() {
    let scene = widget();
    apply(&scene).exits(0);
    let old = scene.delete("team-a");
    let ran = scene.run([&APPLY[..], &["--allow-recreate"]].concat());
    ran.exits(0);
    assert_eq!(messages(&scene).len(), 2);
    assert_ne!(scene.room("team-a").id, old);
    plan(&scene).exits(0);
}

#[test]
fn messages_have_a_limit() {
    let scene = widget();
    scene.declare(format!("{MANIFEST}limits: {{messages: 0}}\n"));
    let ran = apply(&scene);
    assert_eq!((ran.code, scene.writes()), (5, 0));
    let last = ran.out.lines().last().unwrap_or_default();
    assert_snapshot!(last, @"refused: 1 message to send, but `limits.messages` allows 0; allow it with --ignore-limits or `limits.messages: 1`");
    scene.declare(format!("{MANIFEST}limits: {{messages: \"50%\"}}\n"));
    assert_eq!((apply(&scene).code, messages(&scene)), (0, once()));
}

#[test]
fn a_plan_with_messages_needs_the_secret_key() {
    let server = Scene::new().sandbox();
    let no = Fault::Answer("422 No", "", "{}");
    // A token cannot create rooms. So an apply with the secret key creates the room first. Its
    // welcome fails, and is still to be sent.
    let (_proxy, scene, on) = proxied(&server, no);
    apply(&scene).exits(4);
    on.store(false, Ordering::SeqCst);
    let before = server.writes();
    let scene = scene
        .env("IMBACHAT_SECRET_KEY", "")
        .env("IMBACHAT_JWT", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDAsInVzZXJfaWQiOjF9.re5IXI3tOhBns9P4hcCY7qHoaMEb9ODtYQShIlZspPI");
    // Planning needs only a token.
    plan(&scene).exits(2);
    let saved = scene.run("plan --out p.json --ledger l.jsonl");
    saved.exits(0);
    let outputs = ["--yes", "p.json"].map(|arg| {
        let ran = scene.run(["apply", arg, "--ledger", "l.jsonl"]);
        assert_eq!((ran.code, server.writes()), (1, before), "{ran:#?}");
        ran.err
    });
    assert_eq!(outputs[0], outputs[1]);
    assert_snapshot!(outputs[0].trim_end(), @r"
    error: no credentials for messages: IMBACHAT_SECRET_KEY not set, and the plan has 1 message to send; nothing was applied
      hint: set the widget's secret key: a JWT can only read
      hint: or remove `welcome` from the manifest
    ");
    let renamed = MANIFEST.replace("Team B", "Team C");
    scene.declare(renamed.replace("    welcome:", "    #"));
    apply(&scene).exits(0);
    assert_eq!(server.room("team-b").name, "Team C");
}

#[test]
fn a_message_whose_answer_is_lost_is_reported_and_never_sent_again() {
    for (fault, arrives) in [
        (Fault::Cut, false),
        (Fault::CutAfter, true),
        (Fault::Answer("500 Internal Server Error", "", "{}"), false),
        (Fault::AnswerAfter("200 OK", "", "<html>"), true),
    ] {
        let scene = Scene::new().sandbox();
        let (_proxy, scene, on) = proxied(&scene, fault);
        let ran = apply(&scene);
        assert_eq!(ran.code, 4, "{fault:?}: {ran:#?}");
        let there = if arrives { once() } else { Vec::new() };
        assert_eq!(
            (messages(&scene), scene.room("team-a").members.len()),
            (there.clone(), 2)
        );
        let line = ran
            .out
            .lines()
            .find(|line| line.contains("!! team-a"))
            .unwrap();
        line.shows("uncertain    the welcome may have been sent: ");
        line.ends("; check the room; the welcome is not sent again");
        let report: Value = serde_json::from_str(&scene.read("r.json")).unwrap();
        let room = &report["rooms"][0];
        assert_eq!(
            (&room["status"], &room["messages"]),
            (&"uncertain".into(), &0.into())
        );
        room["reason"].as_str().unwrap().shows("welcome");
        assert_eq!(report["requests"]["send"], 1);
        let failed = scene.read("f.csv");
        assert!(
            failed.contains("team-a,,\"the welcome may have been sent: ")
                || failed.contains("team-a,,the welcome may have been sent: "),
            "{failed}"
        );
        assert_eq!(stages(&scene), ["intended"]);
        // Messages work again: the welcome is reported as uncertain, and not sent.
        on.store(false, Ordering::SeqCst);
        let next = plan(&scene);
        next.exits(0);
        next.shows("    team-a: the welcome may have been sent, so it is not sent again; look for it in room 2, then remove `welcome` from the manifest\n");
        assert_eq!((apply(&scene).code, messages(&scene)), (0, there.clone()));
        scene.declare(MANIFEST.replace("    welcome:", "    #"));
        let settled = plan(&scene);
        settled.lacks("welcome");
        assert_eq!(messages(&scene), there);
    }
}

#[test]
fn a_message_that_the_server_rejected_is_sent_later() {
    let mut outputs = Vec::new();
    for fault in [
        Fault::Answer(
            "422 Unprocessable Content",
            "",
            r#"{"errors":{"message":["no"]}}"#,
        ),
        Fault::Answer(
            "404 Not Found",
            "",
            r#"{"code":404,"message":"User not found"}"#,
        ),
        Fault::Answer("401 Unauthorized", "", "{}"),
        Fault::Answer("200 OK", "", r#"{"success":false}"#),
    ] {
        let scene = Scene::new().sandbox();
        let (_proxy, scene, on) = proxied(&scene, fault);
        let ran = apply(&scene);
        assert_eq!(
            (ran.code, messages(&scene)),
            (4, Vec::new()),
            "{fault:?}: {ran:#?}"
        );
        ran.shows("failed       the welcome was not sent: ");
        assert_eq!(stages(&scene), ["intended", "failed"]);
        let hint = "check the sender with `roomform get users`";
        let unknown = matches!(fault, Fault::Answer("404 Not Found", ..));
        assert_eq!(ran.out.contains(hint), unknown, "{}", ran.out);
        let shown = scene.run("ledger show --ledger l.jsonl").ok();
        shown.shows("  team-a  still to send after its create: its welcome\n");
        on.store(false, Ordering::SeqCst);
        let next = plan(&scene);
        next.exits(2);
        let text = next.out.split("      target").next().unwrap_or_default();
        let again = apply(&scene);
        outputs.push(format!("{text}\n{}", result(&again)));
        assert_eq!((again.code, messages(&scene)), (0, once()));
        plan(&scene).exits(0);
    }
    outputs.dedup();
    assert_eq!(outputs.len(), 1, "{outputs:#?}");
    assert_snapshot!(outputs[0], @r#"
      # rooms.yaml:5
      ~ team-a               send the welcome
          welcome from head (3): "Welcome to Team A, all 2 of you"

    plan: 1 message to send; 1 unchanged, 1 unmanaged
          3 requests: 1 to list, 1 to verify, 1 to send

      ok team-a               verified     welcomed, 1 message confirmed

    apply: 1 verified; 0 members, 1 message confirmed; requests: 0 to write, 1 to verify, 1 to send
    now:  nothing to do; 2 unchanged, 1 unmanaged
    "#);
}

#[test]
fn a_message_without_effect_is_sent_again_in_the_same_run() {
    let scene = Scene::new().sandbox();
    let (proxy, scene, on) = proxied(&scene, Fault::Answer("429 Too Many Requests", "", "{}"));
    let watch = std::thread::spawn(move || {
        let sent = || {
            let seen = proxy.seen();
            seen.iter()
                .filter(|call| call.request.contains("/send_msg "))
                .count()
        };
        until("two messages", || sent() >= 2);
        on.store(false, Ordering::SeqCst);
        proxy
    });
    let ran = apply(&scene);
    drop(watch.join().unwrap());
    assert_eq!((ran.code, messages(&scene)), (0, once()), "{ran:#?}");
    assert_eq!(stages(&scene), ["intended", "confirmed"]);
    let report: Value = serde_json::from_str(&scene.read("r.json")).unwrap();
    let retries = report["rooms"][0]["retries"].as_u64().unwrap();
    assert_eq!(report["requests"]["send"].as_u64().unwrap(), retries + 1);
    assert!(retries >= 2);
}

#[test]
fn a_saved_plan_sends_the_reviewed_message_once() {
    let scene = widget();
    let out = "plan --out p.json --ledger l.jsonl";
    scene.run(out).exits(0);
    scene.declare(MANIFEST.replace("Welcome to", "Hello in"));
    let args = "apply p.json --ledger l.jsonl";
    let ran = scene.run(args);
    assert_eq!((ran.code, messages(&scene).len()), (5, 0), "{ran:#?}");
    ran.err.shows("the saved plan has a different welcome");
    scene.declare(MANIFEST);
    assert_eq!((scene.run(args).code, messages(&scene)), (0, once()));
    let again = scene.run(args);
    assert_eq!((again.code, messages(&scene)), (0, once()), "{again:#?}");
    again.err.shows("2 rooms already up to date");
}

#[test]
fn a_saved_plan_skips_a_message_that_another_run_sent() {
    let scene = Scene::new().sandbox();
    let (_proxy, scene, on) = proxied(&scene, Fault::Answer("422 No", "", "{}"));
    apply(&scene).exits(4);
    on.store(false, Ordering::SeqCst);
    // The room still needs its welcome, and also a rename.
    scene.declare(MANIFEST.replace("\"Team A\"", "\"Team One\""));
    let out = scene.run("plan --out p.json --ledger l.jsonl");
    out.shows("1 to update, 1 message to send");
    scene.declare(MANIFEST);
    assert_eq!((apply(&scene).code, messages(&scene)), (0, once()));
    scene.declare(MANIFEST.replace("\"Team A\"", "\"Team One\""));
    let ran = scene.run("apply p.json --ledger l.jsonl");
    assert_eq!((ran.code, messages(&scene)), (0, once()), "{ran:#?}");
    assert_eq!(scene.room("team-a").name, "Team One");
}

#[test]
fn two_applies_at_once_send_no_message_twice() {
    let rooms: String = (0..30)
        .map(|number| {
            format!("  - {{pipe: room-{number:02}, title: Room, members: [3], welcome: {{from: 3, text: \"{{{{ pipe }}}}\"}}}}\n")
        })
        .collect();
    let scene = Scene::new()
        .manifest(format!("version: 1\nrooms:\n{rooms}"))
        .sandbox_with(Config {
            latency: std::time::Duration::from_millis(4),
            ..Config::default()
        });
    let apply = || scene.spawn("apply --yes --ledger l.jsonl");
    let (mut first, mut second) = (apply(), apply());
    assert!(first.wait().unwrap().success() && second.wait().unwrap().success());
    let mut texts: Vec<String> = messages(&scene)
        .into_iter()
        .map(|(_, _, text)| text)
        .collect();
    texts.sort();
    let all: Vec<String> = (0..30).map(|number| format!("room-{number:02}")).collect();
    assert_eq!(texts, all, "each room once");
    plan(&scene).exits(0);
}

#[test]
fn messages_appear_in_no_log_and_no_error() {
    let scene = Scene::new().sandbox();
    for fault in [
        Fault::Echo("422 No"),
        Fault::Echo("200 OK"),
        Fault::EchoPage("500 Oh"),
        Fault::EchoPage("200 OK"),
    ] {
        let (_proxy, scene, _) = proxied(&scene, fault);
        let pipe = format!("{fault:?}").replace(|c: char| !c.is_alphanumeric(), "-");
        scene.declare(MANIFEST.replace("team-a", &pipe));
        let ran = scene.run([&APPLY[..], &["-vv"]].concat());
        ran.exits(4);
        for (what, text) in [
            ("stderr", ran.err.clone()),
            ("the result", result(&ran)),
            ("the list of what failed", scene.read("f.csv")),
            ("the ledger", scene.read("l.jsonl")),
        ] {
            assert!(!text.contains(SAID), "{fault:?}, {what}: {text}");
        }
        let report: Value = serde_json::from_str(&scene.read("r.json")).unwrap();
        report["rooms"].to_string().lacks(SAID);
    }
}

#[test]
fn hostile_and_long_texts_are_escaped_in_plans_and_sent_unchanged() {
    let scene = widget();
    let long = format!("\\e[2J\\u202e{}", "long ".repeat(200));
    let manifest = "version: 1\nrooms:\n  - {pipe: team-a, title: A, members: [3], welcome: {from: 3, text: \"TEXT\"}}\n";
    scene.declare(manifest.replace("TEXT", &long));
    // Control characters are invalid.
    plan(&scene).exits(3);
    let long = long
        .replace("\\e", "")
        .replace("[2J", "first line\\nsecond ");
    scene.declare(manifest.replace("TEXT", &long));
    let planned = plan(&scene);
    planned.exits(2);
    let line = planned
        .out
        .lines()
        .find(|line| line.contains("welcome"))
        .unwrap();
    line.shows("first line\\u{a}second \\u{202e}long");
    assert!(line.ends_with("more)\"") && line.len() < 400, "{line}");
    let json = scene.run("plan --format json");
    assert!(!json.out.contains('\u{202e}'), "{}", json.out);
    let shown = json.json()["changes"][0]["welcome"]["text"].clone();
    apply(&scene).exits(0);
    let text = messages(&scene).pop().unwrap().2;
    assert_eq!(shown, text);
    assert_eq!(
        text.trim_end(),
        format!("first line\nsecond \u{202e}{}", "long ".repeat(200)).trim_end()
    );
}

#[test]
fn welcomes_of_generated_rooms_can_use_the_cells_of_the_row() {
    let scene = widget();
    scene.write(
        "courses.csv",
        "code,name,teacher,place\nr101,Rust,7,north\ng2,Go,8,\nc3,C,,south\n",
    );
    scene.declare(r#"version: 1
people: {mentor: 8}
generate:
  - each: courses.csv
    room:
      pipe: "course-{{ code }}"
      title: "{{ name }}"
      members: [3, "{% if teacher %}{{ teacher }}{% endif %}"]
      welcome:
        from: "{% if teacher %}{{ teacher }}{% endif %}"
        text: "{{ title }} ({{ code | upper }}), {{ members }} members{% if place %}, {{ place }}{% endif %}"
"#);
    let ran = apply(&scene);
    ran.exits(0);
    let mut said = messages(&scene);
    said.sort();
    let expected = [
        ("course-g2", 8, "Go (G2), 2 members"),
        ("course-r101", 7, "Rust (R101), 2 members, north"),
    ];
    let expected = expected.map(|(pipe, user, text)| (pipe.to_owned(), user, text.to_owned()));
    assert_eq!(said, expected);
    plan(&scene).exits(0);
    // An unknown name is an error at its place in the template.
    scene.edit("{{ place }}", "{{ palce }}");
    let wrong = scene.run("check");
    wrong.exits(3);
    wrong.err.shows("`palce`").shows("did you mean `place`?");
}

#[test]
fn a_rendered_manifest_has_the_same_welcomes() {
    let scene = widget();
    let title = "title: \"{{ not }} a {% template %}\"";
    scene.declare(MANIFEST.replace("title: \"Team A\"", title));
    let text =
        |scene: &Scene| scene.run("plan --format json").json()["changes"][0]["welcome"].clone();
    let before = text(&scene);
    before["text"]
        .as_str()
        .unwrap()
        .shows("{{ not }} a {% template %}");
    scene.declare(scene.run("render --format json").ok());
    assert_eq!(text(&scene), before);
    let output = scene.run("explain team-a").ok();
    output.shows("  welcome from 3: \"Welcome to {{ not }}");
}
