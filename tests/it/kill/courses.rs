//! The manifest of these tests, and checks of the server and the ledger against it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::support::Scene;

pub const ROOMS: u64 = 300;

fn members(room: u64) -> BTreeSet<u64> {
    let count = if room.is_multiple_of(50) {
        230
    } else {
        3 + room % 4
    };
    (0..count).map(|member| room * 1000 + member).collect()
}

fn title(room: u64) -> String {
    format!("Курс {room} · 7б")
}

fn is_welcomed(room: u64) -> bool {
    room.is_multiple_of(3)
}

pub fn manifest() -> String {
    let mut text = "version: 1\nwidget: 627\nrooms:\n".to_owned();
    for room in 1..=ROOMS {
        let (title, members) = (title(room), members(room));
        let public = room % 7 == 0;
        // Even with `on_create`, the next run must send what a killed run did not: members of the new room, and its
        // welcome.
        let policy = if room % 4 < 2 { "on_create" } else { "ensure" };
        let welcome = match members.first().filter(|_| is_welcomed(room)) {
            Some(from) => {
                format!(", welcome: {{from: {from}, text: \"Welcome to {{{{ title }}}}\"}}")
            }
            None => String::new(),
        };
        let members = format!("{members:?}").replace(['{', '}'], "");
        writeln!(
            text,
            "  - {{pipe: course-{room:03}, title: \"{title}\", public: {public}, members_policy: {policy}, members: [{members}]{welcome}}}"
        )
        .unwrap();
    }
    text
}

/// Checks that each welcome was sent once, or is uncertain and was sent at most once.
/// Returns how many are uncertain, and how many of these arrived.
#[track_caller]
pub fn welcomed(scene: &Scene, context: &str) -> (u64, u64) {
    let document = scene
        .run("ledger show --format json --ledger l.jsonl")
        .json();
    let messages = scene.world(|world| world.messages(627));
    let (mut doubtful, mut arrived) = (0, 0);
    for room in 1..=ROOMS {
        let pipe = format!("course-{room:03}");
        let live = scene.room(&pipe);
        let said = messages.iter().filter(|said| said.room_id == live.id);
        let texts: Vec<&str> = said.map(|said| said.text.as_str()).collect();
        let text = format!("Welcome to {}", title(room));
        let mut known = document["rooms"].as_array().unwrap().iter();
        let known = known.find(|known| known["pipe"] == pipe.as_str()).unwrap();
        match known["welcome"].as_str() {
            Some("confirmed") => assert_eq!(texts, [text.as_str()], "{context}: {pipe}"),
            Some("uncertain") => {
                doubtful += 1;
                arrived += texts.len() as u64;
                assert!(texts.len() <= 1, "{context}: {pipe}: {texts:?}");
            }
            _ => assert!(
                texts.is_empty() && !is_welcomed(room),
                "{context}: {pipe}: {texts:?}"
            ),
        }
    }
    (doubtful, arrived)
}

#[track_caller]
pub fn assert_once(scene: &Scene, context: &str) {
    let pipes: Vec<String> = scene.rooms().into_iter().map(|room| room.pipe).collect();
    let unique: BTreeSet<&String> = pipes.iter().collect();
    assert_eq!(unique.len(), pipes.len(), "{context}: a room twice");
}

/// Checks the ledger's rooms against the server; returns how many there are, and whether the last line is torn.
#[track_caller]
pub fn recorded(scene: &Scene, context: &str) -> (usize, bool) {
    let ran = scene.run("ledger show --format json --ledger l.jsonl");
    assert_eq!(ran.code, 0, "{context}: {ran:#?}");
    let document = ran.json();
    let rooms = document["rooms"].as_array().unwrap();
    for room in rooms {
        let live = scene.room(room["pipe"].as_str().unwrap());
        assert_eq!(room["room_id"], live.id, "{context}");
        let known = room["members"].as_array().unwrap().iter();
        assert!(
            known
                .map(|user| user.as_u64().unwrap())
                .all(|user| live.members.contains(&user)),
            "{context}"
        );
    }
    (rooms.len(), ran.err.contains("cut short"))
}

/// Checks that every declared room exists exactly once, as declared.
#[track_caller]
pub fn assert_as_declared(scene: &Scene, context: &str) {
    assert_once(scene, context);
    assert_eq!(scene.rooms().len() as u64, ROOMS, "{context}");
    for room in 1..=ROOMS {
        let live = scene.room(&format!("course-{room:03}"));
        assert_eq!(
            (live.name, live.kind, live.is_public, live.members),
            (title(room), 1, room % 7 == 0, members(room)),
            "{context}"
        );
    }
}
