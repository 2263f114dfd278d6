//! The API's two published pages: their commands, PHP snippets and sample answers, and a sandbox with the rooms and users they name.

use std::process::Command;

use roomform::sandbox::{Config, Room, Sandbox, User, start};
use serde_json::Value;

pub const ROOMS_PAGE: &str = include_str!("rooms.txt");
pub const MESSAGES_PAGE: &str = include_str!("messages.txt");
pub const HOSTS: [&str; 2] = ["https://api.imbachat.com", "http://api.imbachat.com"];
const NOW: u64 = 1_608_410_527;

/// A curl command as printed, the PHP snippet that does the same, and the sample answers.
#[derive(Clone)]
pub struct Printed {
    pub command: String,
    /// The PHP snippet, without `<?php`.
    pub php: String,
    pub answers: Vec<String>,
}

/// The examples of a page, one per call. A command continues if a line ends in a backslash and the next line is an option. Two
/// printed commands end in a stray backslash, which is dropped.
pub fn printed(page: &str) -> Vec<Printed> {
    let mut found: Vec<Printed> = Vec::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("curl ") {
            let mut words = line.trim_end_matches('\\').to_owned();
            while let Some(option) = lines.next_if(|next| next.starts_with("--")) {
                words.push_str(option.trim_end_matches('\\'));
            }
            found.push(Printed {
                command: words,
                php: String::new(),
                answers: Vec::new(),
            });
        }
        if line == "$curl = curl_init();" {
            let mut snippet = format!("{line}\n");
            for line in lines.by_ref() {
                snippet.push_str(line);
                snippet.push('\n');
                if line == "echo $response;" {
                    break;
                }
            }
            found.last_mut().unwrap().php = snippet;
        }
        if line == "{" {
            let mut answer = line.to_owned();
            for line in lines.by_ref() {
                answer.push_str(line.trim_end());
                if line == "}" {
                    break;
                }
            }
            found.last_mut().unwrap().answers.push(answer);
        }
    }
    found
}

/// The `n`th command of a page that calls this path.
pub fn command(page: &str, path: &str, n: usize) -> Printed {
    let url = format!("{path}'");
    let mut matching = printed(page)
        .into_iter()
        .filter(|printed| printed.command.contains(&url));
    matching.nth(n).unwrap()
}

/// A sandbox with both widgets of the pages, and the rooms and users that the printed commands
/// name.
pub async fn pages_sandbox() -> Sandbox {
    let sandbox = start(Config::default()).await.unwrap();
    let room = |id, pipe: &str, name: &str, kind, members: &[u64]| Room {
        id,
        pipe: pipe.to_owned(),
        name: name.to_owned(),
        kind,
        members: members.iter().copied().collect(),
        ..Room::default()
    };
    let user = |remote_user_id, login: &str, admin| User {
        remote_user_id,
        login: Some(login.to_owned()),
        admin,
        banned: false,
        ..User::default()
    };
    sandbox.with_world(|world| {
        for (widget, id, login, admin) in [
            (209, 1, "boss", true),
            (209, 3, "three", false),
            (209, 4, "four", false),
            (627, 1, "spray", true),
            (627, 2, "two", false),
        ] {
            world.insert_user(widget, user(id, login, admin), NOW);
        }
        world.insert_room(
            209,
            room(613, "5fbca000aaaaa_1606200000", "Before", 0, &[9]),
            NOW,
        );
        world.insert_room(
            627,
            room(
                1314,
                "5fbcaf6a4ba35_1606201194",
                "New conversation",
                0,
                &[1, 2],
            ),
            NOW,
        );
        world.insert_room(627, room(1536, "c1536", "Conference", 1, &[1]), NOW);
    });
    sandbox
}

/// The examples of both pages.
pub fn all_printed() -> Vec<Printed> {
    [printed(ROOMS_PAGE), printed(MESSAGES_PAGE)].concat()
}

/// A command or snippet with its host replaced by the address of a server.
pub fn aimed(text: &str, url: &str) -> String {
    let host = HOSTS.iter().find(|host| text.contains(**host)).unwrap();
    assert_eq!(text.matches(host).count(), 1, "{text}");
    text.replace(host, url)
}

pub fn with_credentials(text: &str) -> String {
    text.replace("imba_id:secret_key", "627:secret_key")
}

/// Runs a curl command without a proxy and without the user's .curlrc; returns its stdout.
pub fn curl(command: &str) -> String {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new("sh")
        .args(["-c", &format!("{command} --noproxy '*'")])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", home.path())
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Checks that the sandbox received every printed call.
pub fn assert_all_called(sandbox: &Sandbox) {
    let stats = sandbox.stats();
    let (users, rooms) = (stats.get_users, stats.get_rooms);
    assert_eq!(
        (stats.imba_rooms, users, rooms, stats.send_msg),
        (2, 2, 2, 1)
    );
}

pub fn room(sandbox: &Sandbox, widget: u64, id: u64) -> Room {
    let rooms = sandbox.with_world(|world| world.rooms(widget));
    rooms.into_iter().find(|room| room.id == id).unwrap()
}

pub fn without_space(text: &str) -> String {
    text.split_whitespace().collect()
}

/// The keys of a JSON text, in order of first appearance.
fn keys(text: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let quoted: Vec<_> = text.split('"').collect();
    for pair in quoted[1..].chunks(2) {
        if let [key, after] = pair
            && after.trim_start().starts_with(':')
            && !keys.contains(&(*key).to_owned())
        {
            keys.push((*key).to_owned());
        }
    }
    keys
}

/// The types of the values in a JSON text. For an array, only the first item is described.
fn shape(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "boolean".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "text".to_owned(),
        Value::Array(items) => format!("[{}]", items.first().map(shape).unwrap_or_default()),
        Value::Object(items) => {
            let items = items
                .iter()
                .map(|(key, value)| format!("{key}: {}", shape(value)));
            format!("{{{}}}", items.collect::<Vec<_>>().join(", "))
        }
    }
}

pub fn assert_like_printed(body: &str, printed: &Printed) -> Value {
    let [sample] = &printed.answers[..] else {
        panic!("one answer is printed for {}", printed.command)
    };
    assert_eq!(keys(body), keys(sample));
    let (answer, sample) = (
        serde_json::from_str(body).unwrap(),
        serde_json::from_str(sample).unwrap(),
    );
    assert_eq!(shape(&answer), shape(&sample));
    answer
}
