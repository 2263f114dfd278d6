//! docs/api.md has a row for everything on the two published pages, and each row names its tests.

use std::collections::BTreeSet;
use std::fs;

use super::root;
use crate::pages::{MESSAGES_PAGE, ROOMS_PAGE, printed};

const NEW: &str = "imba_rooms, a new room";
const MORE: &str = "imba_rooms, more members";

/// The numbered lists of the pages, in page order: the call, the kind of item, and the names.
const ROOMS: [(&str, &str, &[&str]); 5] = [
    (
        NEW,
        "parameter",
        &[
            "imba_id",
            "login",
            "password",
            "room_title",
            "room_pipe",
            "room_is_public",
            "room_type",
            "users_ids",
        ],
    ),
    (
        MORE,
        "parameter",
        &[
            "imba_id",
            "login",
            "password",
            "room_title",
            "room_pipe",
            "room_is_public",
            "room_type",
            "users_ids",
            "room_id",
        ],
    ),
    ("get_users", "filter", &USER_FILTERS),
    ("get_rooms", "filter", &ROOM_FILTERS),
    (
        "get_messages",
        "filter",
        &["date", "id", "room_type", "user_name", "user_role"],
    ),
];
const MESSAGES: [(&str, &str, &[&str]); 3] = [
    (
        "send_msg",
        "parameter",
        &["imba_id", "user_id", "room_id", "password", "message"],
    ),
    ("get_users", "filter", &USER_FILTERS),
    ("get_rooms", "filter", &ROOM_FILTERS),
];
const USER_FILTERS: [&str; 6] = [
    "login",
    "id",
    "imba_id",
    "status",
    "last_message_date",
    "banned",
];
const ROOM_FILTERS: [&str; 6] = [
    "room_type",
    "status",
    "imba_id",
    "count_users",
    "last_message_date",
    "banned",
];
/// Items that are neither in a list nor in a sample.
const CALLS: [(&str, &[&str]); 6] = [
    (NEW, &["call"]),
    (MORE, &["call"]),
    ("get_users", &["call", "credentials Basic"]),
    (
        "get_rooms",
        &["call", "credentials Basic", "credentials JWT"],
    ),
    ("get_messages", &["call", "credentials JWT"]),
    ("send_msg", &["call", "credentials Basic"]),
];

struct Row {
    call: String,
    part: String,
    name: String,
    tests: Vec<String>,
}

/// The rows of the table; each has five non-empty cells.
fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root("docs/api.md")).unwrap();
    let lines = text.lines().filter(|line| line.starts_with('|')).skip(2);
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", call, part, name, says, tests, ""] = cells[..] else {
            panic!("five cells: {line}")
        };
        for cell in [call, part, name, says, tests] {
            assert!(cell.chars().any(char::is_alphanumeric), "empty: {line}");
        }
        let tests = tests.split(", ").map(|test| {
            let name = test
                .strip_prefix('`')
                .and_then(|test| test.strip_suffix('`'));
            name.unwrap_or_else(|| panic!("tests in back-ticks: {line}"))
                .to_owned()
        });
        Row {
            call: call.to_owned(),
            part: part.to_owned(),
            name: name.trim_matches('`').to_owned(),
            tests: tests.collect(),
        }
    };
    lines.map(row).collect()
}

/// The names in the numbered lists of a page: `  1. imba_id – …`.
fn listed(page: &str) -> Vec<&str> {
    let names = page.lines().filter_map(|line| {
        let (number, rest) = line.strip_prefix("  ")?.split_once(". ")?;
        number.parse::<u8>().ok()?;
        Some(rest.split([' ', '–', '-']).next().unwrap())
    });
    names.collect()
}

/// The samples of a page: the call of each curl command, the snippet next to it, and the answers below.
fn samples(page: &str, name: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut writes = [NEW, MORE].into_iter();
    for printed in printed(page) {
        let url = printed.command.split('\'').nth(1).unwrap();
        let call = match url.rsplit('/').next().unwrap() {
            "imba_rooms" => writes.next().unwrap(),
            call => call,
        };
        let mut add = |what: &str| found.push((call.to_owned(), format!("{what} ({name})")));
        add("curl");
        assert!(!printed.php.is_empty());
        add("PHP");
        match printed.answers.len() {
            1 => add("answer"),
            2 => ["first answer", "second answer"].into_iter().for_each(add),
            many => panic!("{many} answers"),
        }
    }
    found
}

/// The source of a test, given its path below `tests/it`, such as `sandbox::lists::rooms_are_filtered`; `None` if it does
/// not exist.
fn body(test: &str) -> Option<String> {
    let (module, function) = test.rsplit_once("::")?;
    let path = module.replace("::", "/");
    let text = [format!("{path}.rs"), format!("{path}/mod.rs")]
        .iter()
        .find_map(|path| fs::read_to_string(root("tests/it").join(path)).ok())?;
    let (before, after) = text.split_once(&format!("fn {function}("))?;
    // The function has a test attribute, possibly with other attributes in between.
    let (_, marks) = before.rsplit_once("\n}\n").unwrap_or(("", before));
    let marked = ["#[test]", "#[tokio::test]"];
    if !marked.iter().any(|mark| marks.contains(mark)) {
        return None;
    }
    Some(after.split("\n}\n").next().unwrap_or_default().to_owned())
}

#[test]
fn the_lists_in_this_test_match_the_pages() {
    for (page, lists) in [(ROOMS_PAGE, &ROOMS[..]), (MESSAGES_PAGE, &MESSAGES[..])] {
        let here: Vec<&str> = lists
            .iter()
            .flat_map(|(_, _, names)| *names)
            .copied()
            .collect();
        assert_eq!(listed(page), here);
    }
}

#[test]
fn the_table_has_every_item_of_the_pages_once() {
    let lists = ROOMS.iter().chain(&MESSAGES);
    let named = lists.flat_map(|(call, part, names)| {
        let row = |name: &&str| (String::from(*call), format!("{part} {name}"));
        names.iter().map(row).collect::<Vec<_>>()
    });
    let calls = CALLS.iter().flat_map(|(call, parts)| {
        let parts = parts.iter();
        parts.map(|part| (String::from(*call), String::from(*part)))
    });
    let pages = [(ROOMS_PAGE, "rooms"), (MESSAGES_PAGE, "messages")];
    let samples = pages
        .iter()
        .flat_map(|(page, name)| samples(page, name))
        .map(|(call, sample)| (call, format!("sample {sample}")));
    let wanted: BTreeSet<(String, String)> = named.chain(calls).chain(samples).collect();
    let rows: Vec<(String, String)> = rows()
        .into_iter()
        .map(|row| {
            let what = match row.part.as_str() {
                "call" => row.part,
                part => format!("{part} {}", row.name),
            };
            (row.call, what)
        })
        .collect();
    let found: BTreeSet<(String, String)> = rows.iter().cloned().collect();
    assert_eq!(found, wanted);
    assert_eq!(rows.len(), found.len(), "no row is duplicated");
}

/// For a parameter or filter, one of the tests contains its name, followed by a quote or a bracket.
#[test]
fn every_named_test_exists_and_mentions_its_item() {
    for row in rows() {
        let bodies: Vec<String> = row
            .tests
            .iter()
            .map(|test| body(test).unwrap_or_else(|| panic!("there is no test {test}")))
            .collect();
        if ["parameter", "filter"].contains(&row.part.as_str()) {
            let named = [format!("\"{}\"", row.name), format!("\"{}[", row.name)];
            assert!(
                bodies
                    .iter()
                    .any(|body| named.iter().any(|name| body.contains(name))),
                "{}, {}: none of {:?} names it",
                row.call,
                row.name,
                row.tests
            );
        }
    }
    assert_eq!(body("docs::api::rows"), None, "no test");
    assert_eq!(body("docs::api::no_such_test"), None);
    assert_eq!(body("no_such_module::rows"), None);
}

/// Every filter except `imba_id` also has a command-line flag. `imba_id` is the widget, which
/// is a setting.
#[test]
fn every_filter_has_a_flag_and_a_test_that_uses_it() {
    for row in rows() {
        if row.part == "filter" && row.name != "imba_id" {
            let flag = match row.name.as_str() {
                "room_type" => "--type".to_owned(),
                name => format!("--{}", name.replace('_', "-")),
            };
            let given = format!("\"{flag}\"");
            let tests = row.tests.iter().filter(|test| test.starts_with("get::"));
            let given = tests
                .flat_map(|test| body(test))
                .any(|body| body.contains(&given));
            assert!(
                given,
                "{}, {}: no test of get gives {flag}",
                row.call, row.name
            );
        }
    }
}
