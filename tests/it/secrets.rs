//! What must never be printed: credentials, in any command and after any failure; and untrusted text that controls
//! a terminal.

use std::collections::BTreeSet;
use std::fs;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use roomform::sandbox::Room;

use crate::support::{
    Canned, Fault, Proxy, Ran, Scene, Shows, answer, header, ignoring_updates, live_room,
};

/// A key that occurs nowhere by chance. A proxy replaces it by the sandbox's own key, which has the same length.
const KEY: &str = "K9\"w\\T é}";
const LOGIN: &str = "qZ%7W";
const PASSWORD: &str = "V&3k<";
/// A token that is valid until 2100. It is signed with the sandbox's key, because the sandbox
/// checks the signature.
const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDAsInVzZXJfaWQiOjF9.re5IXI3tOhBns9P4hcCY7qHoaMEb9ODtYQShIlZspPI";

/// Base64 of RFC 4648, as in the `Authorization` header.
fn base64(text: &str) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits = three
            .iter()
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            encoded.push(char::from(digits[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    encoded
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// Every secret in every encoding in which it could appear.
fn forms() -> BTreeSet<String> {
    let pairs = [format!("627:{KEY}"), format!("{LOGIN}:{PASSWORD}")];
    let secrets = [KEY, LOGIN, PASSWORD, TOKEN].map(str::to_owned);
    let all = secrets.iter().chain(&pairs);
    all.flat_map(|secret| {
        let json = serde_json::to_string(secret).unwrap();
        let debug = format!("{secret:?}");
        [
            secret.clone(),
            json.trim_matches('"').to_owned(),
            debug.trim_matches('"').to_owned(),
            base64(secret),
            percent(secret),
            percent(&base64(secret)),
        ]
    })
    .collect()
}

/// Searches both streams and all files, which may contain text that is not UTF-8.
#[track_caller]
fn assert_clean(scene: &Scene, ran: &Ran, context: &str) {
    let forms = forms();
    let find = |text: &str, place: &str| {
        let found = forms.iter().find(|form| text.contains(form.as_str()));
        assert_eq!(found, None, "in {place}, {context}: {text}");
    };
    find(&ran.out, "stdout");
    find(&ran.err, "stderr");
    for (path, bytes) in scene.files() {
        find(
            &String::from_utf8_lossy(&bytes),
            &path.display().to_string(),
        );
    }
}

const MANIFEST: &str = "version: 1\nwidget: 627\nrooms:\n  - {pipe: team-a, title: Team A, members: [3, 4]}\n  - {pipe: team-b, title: Team B, members: [5]}\n";

fn translate(request: &str) -> String {
    request
        .replace(&base64(&format!("627:{KEY}")), &base64("627:secret_key"))
        .replace(&format!("\r\n\r\n{LOGIN}\r\n"), "\r\n\r\nadmin\r\n")
        .replace(&format!("\r\n\r\n{PASSWORD}\r\n"), "\r\n\r\nadmin\r\n")
}

const FILES: [&str; 6] = [
    "--ledger", "l.jsonl", "--report", "r.json", "--failed", "f.csv",
];

const SEND: [&str; 5] = ["send", "--user", "3", "team-a", "Hello"];

fn runs() -> Vec<Vec<&'static str>> {
    let ledger = ["--ledger", "l.jsonl"];
    let mut runs = vec![
        [&["plan", "--out", "p.json"][..], &ledger].concat(),
        [&["apply", "--yes", "--format", "json"][..], &FILES].concat(),
        vec!["check"],
        [&["export", "--color", "always"][..], &ledger].concat(),
    ];
    for format in ["text", "json"] {
        let formatted = ["--format", format, "--color", "always"];
        runs.push([&["plan"][..], &formatted, &ledger].concat());
        runs.push([&["apply", "--yes"][..], &formatted, &FILES].concat());
        runs.push([&["ledger", "show"][..], &formatted, &ledger].concat());
        runs.push([&["ledger", "forget", "team-a"][..], &formatted, &ledger].concat());
        runs.push([&["apply", "p.json", "--yes"][..], &formatted, &FILES].concat());
    }
    runs.push([&["ledger", "compact"][..], &ledger].concat());
    for format in ["text", "json"] {
        runs.push([&SEND[..], &["--format", format]].concat());
    }
    for format in ["table", "json", "csv"] {
        for list in ["rooms", "users", "messages"] {
            runs.push(vec!["get", list, "--format", format]);
        }
    }
    runs
}

#[test]
fn no_run_prints_a_secret() {
    assert_eq!(base64("627:secret_key"), "NjI3OnNlY3JldF9rZXk");
    for (form, length) in [(KEY, "secret_key".len()), (LOGIN, 5), (PASSWORD, 5)] {
        assert_eq!(form.len(), length);
    }
    let faults = [
        None,
        Some(Fault::Echo("500 Oh")),
        Some(Fault::Echo("401 No")),
        Some(Fault::Echo("422 No")),
        Some(Fault::Echo("404 No")),
        Some(Fault::Echo("302 There")),
        Some(Fault::Echo("200 OK")),
        Some(Fault::EchoPage("200 OK")),
        Some(Fault::EchoPage("403 No")),
        Some(Fault::Cut),
        Some(Fault::HalfAfter),
    ];
    std::thread::scope(|scope| {
        for (number, fault) in faults.into_iter().enumerate() {
            for struck in ["", "imba_rooms", "send_msg"] {
                // Sending messages needs the key, not a token.
                let token = number % 2 == 0 && struck != "send_msg";
                scope.spawn(move || meet(fault, struck, token));
            }
        }
    });
}

/// All runs against a server that fails this way, at the calls whose name contains `struck`.
fn meet(fault: Option<Fault>, struck: &'static str, token: bool) {
    let scene = Scene::new().sandbox();
    let server = scene.url();
    let proxy = Proxy::rewriting(&server, translate, move |_, request| {
        let head = request.and_then(|request| request.lines().next());
        fault.filter(|_| head.is_some_and(|head| head.contains(struck)))
    });
    let manifest = if token {
        MANIFEST.to_owned()
    } else {
        MANIFEST.replace("[3, 4]}", "[3, 4], welcome: {from: 3, text: Hello}}")
    };
    if token {
        // A token cannot create rooms.
        for pipe in ["team-a", "team-b"] {
            scene.insert(Room {
                pipe: pipe.to_owned(),
                ..Room::default()
            });
        }
    }
    let mut scene = scene
        .manifest(&manifest)
        .at(&proxy.url())
        .env("IMBACHAT_SECRET_KEY", "")
        .env("IMBACHAT_LOGIN", LOGIN)
        .env("IMBACHAT_PASSWORD", PASSWORD)
        .env("RUST_BACKTRACE", "full")
        .env("RUST_LOG", "trace");
    scene = if token {
        scene.env("IMBACHAT_JWT", TOKEN)
    } else {
        scene.env("IMBACHAT_SECRET_KEY", KEY)
    };
    // If all reads or all writes fail, the later runs print the same as the first, so they are
    // omitted.
    let all = match fault {
        None => usize::MAX,
        Some(_) if struck.is_empty() => 3,
        Some(_) => 7,
    };
    let (format, first) = if struck.is_empty() {
        ("text", "info: commands: run ")
    } else {
        ("json", "\"message\":\"run\"")
    };
    for args in runs().into_iter().take(all) {
        let mut args = args.clone();
        if args.starts_with(&["apply"]) {
            args.extend(["--timeout", "5s", "--verify-timeout", "100ms"]);
        }
        let ran = scene.run([&args[..], &["-vv", "--log-format", format]].concat());
        ran.err.shows(first);
        ran.err.lacks("panicked");
        assert_clean(&scene, &ran, &format!("{fault:?}, {args:?}"));
    }
    if fault.is_none() {
        assert_eq!(scene.rooms().len(), 2);
        assert_eq!(
            scene.room("team-a").name,
            "Team A",
            "the credentials were taken"
        );
        let said = scene.world(|world| world.messages(627));
        // The welcome, and the messages of two `send` runs.
        assert_eq!(said.len(), if token { 0 } else { 3 }, "{said:?}");
    }
    let sent: String = proxy.seen().into_iter().map(|call| call.request).collect();
    let read = if token {
        TOKEN.to_owned()
    } else {
        base64(&format!("627:{KEY}"))
    };
    // The credentials were sent.
    sent.shows(&read);
}

#[test]
fn no_secret_is_printed_if_it_cannot_be_sent() {
    // Refused connections, wrong addresses, missing files, values in the wrong variable.
    let envs: [&[(&str, &str)]; 7] = [
        &[("IMBACHAT_API_URL", "http://127.0.0.1:1")],
        &[("IMBACHAT_API_URL", "http://no-such-host.invalid")],
        &[("IMBACHAT_API_URL", "not an address")],
        &[("IMBACHAT_API_URL", KEY)],
        &[("IMBACHAT_WIDGET", TOKEN)],
        &[
            ("IMBACHAT_SECRET_KEY", ""),
            ("IMBACHAT_SECRET_KEY_FILE", KEY),
        ],
        &[
            ("IMBACHAT_SECRET_KEY", ""),
            (
                "IMBACHAT_JWT",
                concat!(
                    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDAsInVzZXJfaWQiOjF9.re5IXI3tOhBns9P4hcCY7qHoaMEb9ODtYQShIlZspPI",
                    "\u{1}"
                ),
            ),
        ],
    ];
    for env in envs {
        let scene = Scene::new()
            .manifest(MANIFEST)
            .env("IMBACHAT_WIDGET", "627")
            .env("IMBACHAT_SECRET_KEY", KEY)
            .env("IMBACHAT_LOGIN", LOGIN)
            .env("IMBACHAT_PASSWORD", PASSWORD);
        let scene = env
            .iter()
            .fold(scene, |scene, (name, value)| scene.env(name, value));
        for args in ["plan", "apply --yes", "plan --format json"] {
            let ran = scene.run(format!("{args} --timeout 5s"));
            ran.exits(1);
            assert_clean(&scene, &ran, &format!("{env:?}, {args:?}"));
        }
    }
}

/// A key that is longer than six bytes. Each form in [`echoes`] escapes some of its characters.
const LONG_KEY: &str = "K9\"w\\T é/&<+'8x";

/// The forms in which a server may repeat the key.
fn echoes() -> Vec<String> {
    let html = LONG_KEY
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('\'', "&#039;");
    let php: String = LONG_KEY
        .chars()
        .map(|c| match c {
            '/' | '"' | '\\' => format!("\\{c}"),
            'é' => "\\u00e9".to_owned(),
            c => c.to_string(),
        })
        .collect();
    let mut all = vec![LONG_KEY.to_owned(), html, php, percent(LONG_KEY)];
    let php_form: String = LONG_KEY
        .bytes()
        .map(|byte| match byte {
            b' ' => "+".to_owned(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02x}"),
        })
        .collect();
    all.push(php_form);
    all.extend(["", "6", "627:", "admin:"].map(|before| base64(&format!("{before}{LONG_KEY}"))));
    all.push(
        base64(&format!("627:{LONG_KEY}"))
            .replace('+', "-")
            .replace('/', "_"),
    );
    all
}

/// Checks that a text does not contain the key in any form. No form changes `K9`, and no other text contains it.
#[track_caller]
fn assert_no_key(text: &str, context: &str) {
    for form in echoes() {
        let json = serde_json::to_string(&form).unwrap();
        assert!(!text.contains(&form), "{context}: {form} in {text}");
        assert!(
            !text.contains(json.trim_matches('"')),
            "{context}: {form} in {text}"
        );
    }
    assert!(!text.contains("K9"), "{context}: {text}");
}

#[test]
fn a_secret_repeated_by_the_server_is_hidden_in_every_form() {
    let runs = [
        "plan",
        "plan --format json --out p.json",
        "plan --format markdown",
        "plan --format html",
        "plan --format github",
        "get rooms",
        "get rooms --format json",
        "get rooms --format csv",
        "get messages",
        "export",
        "export --out e.yaml",
        "doctor",
        "doctor --format json",
        "apply --yes --report r.json --failed f.csv",
        "apply --yes --format json",
    ];
    for echo in echoes() {
        let text = serde_json::to_string(&echo).unwrap();
        let row = format!(
            r#"{{"id":1,"pipe":{text},"name":{text},"type":1,"is_public":0,"imba_id":627,{text}:1}}"#
        );
        let list = format!(r#"{{"code":200,"success":"true",{text}:{text},"data":[{row}]}}"#);
        let complaint = format!(r#"{{"code":422,"error":{text},{text}:{{{text}:[1]}}}}"#);
        for (write, read) in [(&complaint, &list), (&complaint, &complaint)] {
            let (write, read) = (write.clone(), read.clone());
            let server = Canned::by(move |request| {
                let is_write = request.lines().next().unwrap().contains("imba_rooms");
                let body = if is_write { &write } else { &read };
                answer("200 OK", "Content-Type: application/json\r\n", body)
            });
            let scene = Scene::new()
                .manifest(MANIFEST)
                .at(&server.url())
                .env("IMBACHAT_WIDGET", "627")
                .env("IMBACHAT_SECRET_KEY", LONG_KEY)
                .env("IMBACHAT_LOGIN", "admin")
                .env("IMBACHAT_PASSWORD", LONG_KEY);
            for args in runs {
                let ran = scene.run(format!("{args} -vv"));
                assert_no_key(&ran.all(), args);
            }
            for (path, bytes) in scene.files() {
                let text = String::from_utf8_lossy(&bytes);
                assert_no_key(&text, &path.display().to_string());
            }
        }
    }
}

/// Random words. No part of them occurs in other output.
const WORD: &str = "[b-df-hj-np-tv-xzBCDFGHKMNPQVWXZ]{7}[2-9]";

/// Words with signs between and around them.
fn any_secret() -> impl Strategy<Value = (String, String, String)> {
    let signs = |most| {
        let signs = vec![
            '"', '\\', '\'', '&', '<', '>', '/', '+', '%', '{', '}', '|', '`', ';', ',', ':', '#',
            'Ж', 'é', '🙂', '\u{200d}',
        ];
        vec(select(signs), 0..most).prop_map(String::from_iter)
    };
    let inside = (signs(5), "[ ]?", signs(5)).prop_map(|(one, space, other)| one + &space + &other);
    (signs(3), WORD, inside, WORD, signs(3)).prop_map(|(before, one, inside, other, after)| {
        (format!("{before}{one}{inside}{other}{after}"), one, other)
    })
}

/// A secret in the ways in which a server may encode it, including some double encodings.
fn repeat(secret: &str) -> Vec<String> {
    let html = |text: &str| {
        text.replace('&', "&amp;")
            .replace('"', "&quot;")
            .replace('<', "&lt;")
            .replace('\'', "&#039;")
    };
    let json = |text: &str| {
        let text = serde_json::to_string(text).unwrap().replace('/', "\\/");
        let units = text.chars().map(|c| match c.is_ascii() {
            true => c.to_string(),
            false => {
                let units = c.encode_utf16(&mut [0; 2]).to_vec();
                units.iter().map(|unit| format!("\\u{unit:04x}")).collect()
            }
        });
        let text: String = units.collect();
        text[1..text.len() - 1].to_owned()
    };
    let mut all = vec![
        secret.to_owned(),
        html(secret),
        json(secret),
        percent(secret),
    ];
    all.extend([
        html(&html(secret)),
        html(&json(secret)),
        json(&html(secret)),
    ]);
    all.extend([
        percent(&percent(secret)),
        base64(secret),
        base64(&format!("627:{secret}")),
    ]);
    all
}

/// Checks that redaction kept the syntax of a file: a secret may end with a character that is also markup.
#[track_caller]
fn assert_whole(text: &str, format: &str) {
    match format {
        "json" => drop(serde_json::from_str::<serde_json::Value>(text).unwrap()),
        "csv" => {
            let mut rows = csv::Reader::from_reader(text.as_bytes());
            assert!(rows.records().all(|row| row.is_ok()), "{text}");
        }
        "html" => {
            for element in ["del", "script"] {
                let [open, close] = ["<", "</"].map(|start| format!("{start}{element}>"));
                assert_eq!(text.matches(&open).count(), text.matches(&close).count());
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(12) })]

    #[test]
    fn any_secret_in_any_form_is_hidden_in_every_output((secret, one, other) in any_secret()) {
        let titles = repeat(&secret);
        let rows = titles.iter().enumerate().map(|(number, title)| serde_json::json!({
            "id": number + 1, "pipe": format!("r{number}"), "name": title, "type": 1, "is_public": 0, "imba_id": 627,
        }));
        let list = serde_json::json!({"code": 200, "success": "true", "data": rows.collect::<Vec<_>>()});
        let server = Canned::by(move |request| {
            let is_write = request.lines().next().unwrap().contains("imba_rooms");
            let complaint = r#"{"code":422,"error":"no"}"#.to_owned();
            let body = if is_write { complaint } else { list.to_string() };
            answer("200 OK", "Content-Type: application/json\r\n", &body)
        });
        let rooms = (0..titles.len()).map(|number| {
            format!("  - {{pipe: r{number}, title: A \"fine\" & new / room, members: [3]}}\n")
        });
        let manifest = format!("version: 1\nwidget: 627\nrooms:\n{}", rooms.collect::<String>());
        let scene = Scene::new()
            .manifest(&manifest)
            .at(&server.url())
            .env("IMBACHAT_WIDGET", "627")
            .env("IMBACHAT_SECRET_KEY", &secret)
            .env("IMBACHAT_LOGIN", "admin")
            .env("IMBACHAT_PASSWORD", &secret);
        let encoded = [base64(&secret), base64(&format!("627:{secret}"))];
        let encoded = encoded.iter().map(|text| &text[8..text.len() - 3]);
        let hidden: Vec<&str> = [&*one, &*other].into_iter().chain(encoded).collect();
        let assert_hidden = |text: &str, place: &str| {
            let found = hidden.iter().find(|part| text.contains(**part));
            assert_eq!(found, None, "in {place}: {text}");
        };
        for (args, format) in [
            ("plan -vv", "text"),
            ("plan -vv --log-format json --color always", "text"),
            ("plan --format json --out p.json", "json"),
            ("plan --format markdown", "markdown"),
            ("plan --format html", "html"),
            ("plan --format github", "github"),
            ("get rooms", "table"),
            ("get rooms --format json", "json"),
            ("get rooms --format csv", "csv"),
            ("apply --yes --format json --report r.json --failed f.csv", "json"),
        ] {
            let ran = scene.run(args);
            assert_whole(&ran.out, format);
            assert_hidden(&ran.all(), args);
            ran.all().shows("***");
        }
        assert_whole(&scene.read("p.json"), "json");
        assert_whole(&scene.read("r.json"), "json");
        for (path, bytes) in scene.files() {
            assert_hidden(&String::from_utf8_lossy(&bytes), &path.display().to_string());
        }
    }
}

#[test]
fn a_signed_token_is_hidden_if_the_server_repeats_it() {
    let server = Canned::by(|request| {
        let token = header(request, "jwt").unwrap();
        let body = format!(
            r#"{{"code":200,"data":[{{"id":1,"pipe":"team-a","type":1,"is_public":0,"name":"{token}"}}]}}"#
        );
        answer("200 OK", "Content-Type: application/json\r\n", &body)
    });
    let scene = Scene::new()
        .manifest(MANIFEST)
        .at(&server.url())
        .env("IMBACHAT_WIDGET", "627")
        .env("IMBACHAT_SECRET_KEY", KEY);
    for args in [
        "plan",
        "plan --format html",
        "plan --format json",
        "get rooms --format csv",
    ] {
        let ran = scene.run(format!("{args} --read-as 7"));
        ran.shows("***").lacks("eyJ");
    }
}

#[test]
fn a_login_is_hidden_in_errors_but_not_in_titles() {
    let scene = Scene::new().sandbox();
    scene.insert(live_room("help", "Technical support"));
    let scene = scene.env("IMBACHAT_LOGIN", "support");
    scene
        .run("export --scope help")
        .ok()
        .shows("Technical support");
    let server = Canned::answer("401 No", "", r#"{"code":401,"error":"no user support"}"#);
    let scene = scene.manifest(MANIFEST).at(&server.url());
    scene.run("apply --yes").err.shows("no user ***");
}

#[test]
fn the_fixed_credentials_of_the_sandbox_are_not_hidden() {
    let manifest = MANIFEST.replace("Team A", "About secret_key");
    let scene = Scene::new().manifest(manifest);
    scene.run("apply --sandbox --yes").ok();
    scene.run("export --sandbox").ok().shows("About secret_key");
    // The key of a real server is a secret, even if it is the same text as the sandbox's key.
    let scene = scene.sandbox();
    scene.insert(live_room("team-a", "About secret_key"));
    let refused = scene.run("export");
    refused.exits(1);
    refused.err.shows("contains a credential of this run");
    refused.lacks("secret_key");
    scene.run("get rooms").ok().shows("About ***");
}

/// Whether CI would execute a line of a job's log as a command.
fn is_ci_command(line: &str) -> bool {
    let words = ["::error", "##[", "##vso[", "section_start:", "section_end:"];
    let begins = |text: &str| words.iter().any(|word| text.starts_with(word));
    line.split_whitespace().any(begins) || line.contains("##[") || line.contains("##vso[")
}

#[test]
fn no_title_can_command_the_log_of_a_ci_job() {
    let titles = [
        "::error file=x::owned",
        "a ::error::owned",
        "a\u{a0}::error::owned",
        "##[error]owned",
        "a ##vso[task.setvariable variable=x]owned",
        "section_start:1:x",
        "a section_end:1:x",
        "### a plain title ::",
    ];
    let scene = Scene::new().sandbox();
    for title in titles {
        scene.insert(live_room(title, title));
        // In the export, two rooms with the same pipe become a comment, and so does a room
        // whose title is too long for a manifest.
        scene.insert(live_room(&format!("twice {title}"), title));
        scene.insert(live_room(&format!("twice {title}"), title));
        scene.insert(live_room(
            &format!("long {title}"),
            &format!("{title}{}", "x".repeat(5_000)),
        ));
    }
    let exported = scene.run("export").ok();
    scene.declare(&exported);
    let rendered = scene.run("render").ok();
    let runs = [
        "plan",
        "diff rooms.yaml empty.yaml",
        "diff empty.yaml rooms.yaml --unified",
        "ledger show",
    ];
    scene.write(
        "empty.yaml",
        "version: 1\nrooms: [{pipe: other, title: Other}]\n",
    );
    let others = runs.map(|args| scene.run(args).out);
    for text in [&exported, &rendered].into_iter().chain(&others) {
        let found = text.lines().find(|line| is_ci_command(line));
        assert_eq!(found, None);
    }
    // The titles in the export are those on the server.
    scene.plan().shows("nothing to do");
    scene.write("again.yaml", &rendered);
    scene
        .run("diff rooms.yaml again.yaml")
        .shows("no difference");
    // CSV cannot escape a command, so `render --format csv` fails.
    let csv = scene.run("render --format csv");
    csv.exits(1);
    assert_eq!(csv.out, "");
    csv.err.shows("CSV cannot escape it");
    scene
        .run("render --format csv --only 'twice ###*'")
        .exits(64);
}

// untrusted text

const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}txt.exe\u{200b}\u{2066}x\u{feff}\r\nfake: line\n\u{8}\u{2028}\u{7f}";

fn long() -> String {
    format!("{HOSTILE}{}", "long ".repeat(2_000))
}

/// Checks that the text cannot move the cursor, change colours, reverse or hide text, or add a line.
#[track_caller]
fn assert_harmless(text: &str, context: &str) {
    let bad = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    assert_eq!(text.chars().find(|c| bad(*c)), None, "{context}: {text:?}");
    assert!(
        !text
            .lines()
            .any(|line| line.trim_start().starts_with("fake: line")),
        "{context}: {text}"
    );
}

fn hostile_room(pipe: &str) -> Room {
    Room {
        pipe: pipe.to_owned(),
        name: long(),
        kind: 1,
        ..Room::default()
    }
}

#[test]
fn every_command_escapes_hostile_titles() {
    let scene = Scene::new().sandbox_with(ignoring_updates());
    // One room whose rename fails, two with the same pipe, and some that are not declared.
    for pipe in ["team-a", "team-b", "team-b", "other", HOSTILE, &long()] {
        scene.insert(hostile_room(pipe));
    }
    let scene = scene.manifest(MANIFEST);
    let runs: [&[&str]; 11] = [
        &["plan"],
        &["plan", "--out", "p.json"],
        &["apply", "--yes", "--report", "r.json", "--failed", "f.csv"],
        &["apply", "p.json", "--yes"],
        &["apply", "p.json", "--yes", "--apply-fresh"],
        &["plan"],
        &["plan", "--resend-ignored"],
        &[
            "apply",
            "--yes",
            "--resend-ignored",
            "--report",
            "r.json",
            "--failed",
            "f.csv",
        ],
        &["export"],
        &["ledger", "show"],
        &["ledger", "compact"],
    ];
    for args in runs {
        let mut args = [args, &["--ledger", "l.jsonl"]].concat();
        if args.starts_with(&["apply"]) {
            args.extend(["--verify-timeout", "100ms"]);
        }
        let ran = scene.run(&args);
        let context = format!("{args:?}");
        assert_harmless(&ran.all(), &context);
        if scene.path("f.csv").exists() {
            assert_harmless(&scene.read("f.csv"), "failed");
        }
        // An export contains complete titles, so that it can be used as a manifest. Other
        // output shortens long titles.
        let most = if args.starts_with(&["export"]) {
            200_000
        } else {
            3_000
        };
        assert!(ran.all().len() < most, "{context}: {}", ran.all());
        let json = scene.run([&args[..], &["--format", "json"]].concat());
        if json.out.starts_with('{') {
            json.json();
            let controls = json
                .out
                .chars()
                .find(|c| c.is_control() && *c != '\n' && !('\u{7f}'..='\u{9f}').contains(c));
            assert_eq!(controls, None, "{context}");
        }
    }
    // The export matches the server.
    let exported = scene.run("export --ledger l.jsonl").ok();
    fs::write(scene.path("rooms.yaml"), exported).unwrap();
    let plan = scene.run("plan --ledger l.jsonl --only other");
    plan.shows("nothing to do");
}

#[test]
fn hostile_errors_of_the_server_are_escaped() {
    const COMPLAINT: &str =
        r#"{"code":422,"error":"\u001b[2Jno\u009b31m\u202e\r\nfake: line\u200b"}"#;
    let said = Fault::Answer("422 No", "Location: /\u{9b}x\r\n", COMPLAINT);
    let elsewhere = Fault::Answer("302 There", "Location: http://x/\u{9b}31m\u{202e}\r\n", "");
    for (fault, call) in [
        (said, 0),
        (said, 1),
        (said, 3),
        (elsewhere, 0),
        (elsewhere, 1),
    ] {
        let scene = Scene::new().sandbox();
        let server = scene.url();
        let proxy = Proxy::start(&server, move |number, _| (number == call).then_some(fault));
        let scene = scene.manifest(MANIFEST).at(&proxy.url());
        let ran = scene.run([&["apply", "--yes", "--parallelism", "1"][..], &FILES].concat());
        assert!([1, 4].contains(&ran.code), "{ran:#?}");
        assert_harmless(&ran.all(), "apply");
        if scene.path("f.csv").exists() {
            assert_harmless(&scene.read("f.csv"), "failed");
        }
    }
}
