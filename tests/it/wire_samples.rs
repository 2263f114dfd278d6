//! The client can read every sample answer on the two pages of the API's documentation, exactly
//! as printed there.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::support::{Canned, Ran, Scene, Shows, json};

const PAGES: [&str; 2] = [
    include_str!("pages/rooms.txt"),
    include_str!("pages/messages.txt"),
];

/// The sample answers of the pages, each with the call of the curl command above it.
fn samples() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for page in PAGES {
        let (mut call, mut lines) = (String::new(), page.lines());
        while let Some(line) = lines.next() {
            if line.starts_with("curl ") {
                let (_, path) = line
                    .trim_end_matches(['\\', ' ', '\''])
                    .rsplit_once('/')
                    .unwrap();
                call = path.to_owned();
            }
            if line == "{" {
                let mut text = vec![line];
                while text.last() != Some(&"}") {
                    text.push(lines.next().unwrap());
                }
                found.push((call.clone(), text.join("\n")));
            }
        }
    }
    found
}

fn samples_of(call: &str) -> Vec<String> {
    let samples = samples().into_iter();
    samples
        .filter(|(of, _)| of == call)
        .map(|(_, text)| text)
        .collect()
}

/// Runs roomform with this manifest against a server that lists `before` until the first write,
/// answers writes with `written`, and then lists `after`.
fn run(manifest: &str, before: &str, written: &str, after: &str, args: &str) -> Ran {
    let (before, written, after) = (json(before), json(written), json(after));
    let any = AtomicBool::new(false);
    let server = Canned::by(move |request| {
        if request.starts_with("POST /imbachat/v1/widget/imba_rooms ") {
            any.store(true, Ordering::SeqCst);
            return written.clone();
        }
        if any.load(Ordering::SeqCst) {
            after.clone()
        } else {
            before.clone()
        }
    });
    let scene = Scene::new()
        .manifest(manifest)
        .at(&server.url())
        .env("IMBACHAT_WIDGET", "627")
        .env("IMBACHAT_SECRET_KEY", "k")
        .env("IMBACHAT_LOGIN", "l")
        .env("IMBACHAT_PASSWORD", "p");
    scene.run(args)
}

const MANIFEST: &str = "\
version: 1
rooms:
  - {pipe: c613, title: Group 9, members: [3, 4]}
";

/// The sample list of the API's pages, with one more room, whose id is the one in the pages'
/// sample answers to a write.
fn list_with_613(title: &str) -> String {
    let mut list: Value = serde_json::from_str(&samples_of("get_rooms")[0]).unwrap();
    let rows = list["data"].as_array_mut().unwrap();
    let mut row = rows[0].clone();
    for (key, value) in [
        ("id", json!(613)),
        ("pipe", json!("c613")),
        ("name", json!(title)),
        ("type", json!(1)),
    ] {
        row[key] = value;
    }
    rows.push(row);
    list.to_string()
}

#[test]
fn all_sample_answers_of_the_pages_are_found() {
    let calls: Vec<String> = samples().into_iter().map(|(call, _)| call).collect();
    let rooms = [
        "imba_rooms",
        "imba_rooms",
        "imba_rooms",
        "get_users",
        "get_rooms",
    ];
    let messages = ["send_msg", "get_users", "get_rooms"];
    assert_eq!(calls, [&rooms[..], &messages[..]].concat());
    let stray = samples_of("imba_rooms")
        .iter()
        .filter(|text| serde_json::from_str::<Value>(text).is_err())
        .count();
    assert_eq!(stray, 1, "the one with a comma too many");
}

#[test]
fn the_printed_lists_are_read() {
    let both = "\
version: 1
rooms:
  - {pipe: 5fbcaf6a4ba35_1606201194, title: New conversation, type: dialog}
  - {pipe: 5fde659f0ba18_1608410527, title: Support, type: support}
";
    let lists = samples_of("get_rooms");
    assert_eq!(lists.len(), 2);
    for list in lists {
        let out = run(MANIFEST, &list, "", "", "plan").ok();
        out.shows("plan: 1 to create, 2 members to add; 0 unchanged, 2 unmanaged\n");
        let out = run(both, &list, "", "", "plan").ok();
        out.shows("title   \"Technical support\" → \"Support\"\n");
        out.shows("plan: 1 to update; 1 unchanged, 0 unmanaged\n");
    }
}

#[test]
fn the_printed_answers_confirm_a_create() {
    let answers = samples_of("imba_rooms");
    assert_eq!(answers.len(), 3);
    for answer in answers {
        let before = &samples_of("get_rooms")[0];
        let out = run(
            MANIFEST,
            before,
            &answer,
            &list_with_613("Group 9"),
            "apply --yes",
        )
        .ok();
        out.shows(
            "  ok c613                 verified     created as room 613, 2 members confirmed\n",
        );
    }
}

#[test]
fn the_printed_answers_confirm_an_update() {
    for answer in samples_of("imba_rooms") {
        let (before, after) = (list_with_613("Old"), list_with_613("Group 9"));
        let out = run(MANIFEST, &before, &answer, &after, "apply --yes").ok();
        out.shows("  ok c613                 verified     updated, 2 members confirmed\n");
    }
}

#[test]
fn answers_of_other_calls_are_not_read_as_rooms() {
    let read = |answer: &str| run(MANIFEST, answer, "", "", "plan");
    let mut lines: Vec<String> = Vec::new();
    for answer in [
        samples_of("send_msg"),
        samples_of("get_users"),
        samples_of("imba_rooms"),
    ]
    .concat()
    {
        let ran = read(&answer);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:#?}");
        lines.push(ran.err.lines().next().unwrap().to_owned());
    }
    lines.dedup();
    insta::assert_snapshot!(lines.join("\n"), @"
    error: the server's answer cannot be used: the answer has no list under `data`
    error: the server's answer cannot be used: a room in the list has no numeric type
    error: the server's answer cannot be used: a room in the list has no numeric id
    ");
}

#[test]
fn answers_of_other_calls_confirm_no_write() {
    let list = &samples_of("get_rooms")[0];
    let mut lines: Vec<String> = Vec::new();
    for answer in [
        samples_of("send_msg"),
        samples_of("get_users"),
        samples_of("get_rooms"),
    ]
    .concat()
    {
        let apply = "apply --yes --verify-timeout 100ms";
        let ran = run(MANIFEST, list, &answer, list, apply);
        ran.exits(4);
        lines.push(
            ran.out
                .lines()
                .find(|line| line.starts_with("  !! "))
                .unwrap()
                .to_owned(),
        );
    }
    lines.dedup();
    insta::assert_snapshot!(lines.join("\n"), @"
    !! c613                 uncertain    the server's answer cannot be used: the answer names no room; the next run checks whether the room exists
    !! c613                 uncertain    the server's answer cannot be used: the answer does not say whether the call succeeded; the next run checks whether the room exists
    ");
}
