//! The lists and their filters, and the quirks that affect them.

use std::collections::BTreeSet;
use std::time::Duration;

use roomform::sandbox::{Auth, Quirks, Room, User, World};

use super::calls::TOKEN;
use super::{NOW, WRITE, ask, id, json, listed, room, rows, write};

// lists

#[test]
fn rooms_are_filtered_by_every_documented_field() {
    let mut world = World::new();
    for (pipe, kind, member) in [("a", "0", "3"), ("b", "1", "3"), ("c", "1", "4")] {
        let pairs = [
            ("room_pipe", pipe),
            ("room_title", pipe),
            ("room_type", kind),
            ("users_ids[]", member),
        ];
        write(&mut world, &pairs);
    }
    world.insert_user(
        7,
        User {
            remote_user_id: 4,
            admin: true,
            banned: true,
            ..User::default()
        },
        NOW,
    );
    let b = world
        .rooms(7)
        .iter()
        .find(|room| room.pipe == "b")
        .unwrap()
        .id
        .to_string();
    ask(
        &mut world,
        "send_msg",
        &[("user_id", "3"), ("room_id", &b), ("message", "hi")],
    );
    let mut pipes = |name: &str, value: &str| {
        let rows = rows(&ask(&mut world, "get_rooms", &[(name, value)]));
        rows.iter()
            .map(|row| row["pipe"].as_str().unwrap().to_owned())
            .collect::<String>()
    };
    assert_eq!(pipes("room_type", "1"), "cb");
    assert_eq!(pipes("status", "user"), "ba");
    assert_eq!(pipes("status", "admin"), "c");
    assert_eq!(
        pipes("status", "administrator"),
        "c",
        "as the pages write it"
    );
    assert_eq!(pipes("banned", "1"), "c");
    assert_eq!(pipes("count_users", "1"), "cba");
    assert_eq!(pipes("last_message_date", "2020-12-19"), "b");
    assert_eq!(pipes("imba_id", "8"), "");
    assert_eq!(pipes("room_type", "conference"), "");
}

#[test]
fn users_are_listed_once_they_are_members() {
    let mut world = World::new();
    write(&mut world, &[("users_ids[]", "3")]);
    world.insert_user(
        7,
        User {
            remote_user_id: 4,
            login: Some("ann".into()),
            ..User::default()
        },
        NOW,
    );
    let mut remote = |name: &str, value: &str| {
        let rows = rows(&ask(&mut world, "get_users", &[(name, value)]));
        rows.iter()
            .map(|row| row["remote_user_id"].as_str().unwrap().to_owned())
            .collect::<String>()
    };
    assert_eq!(remote("status", "user"), "43");
    assert_eq!(remote("status", "admin"), "1", "the owner of the widget");
    assert_eq!(remote("login", "ann"), "4");
    assert_eq!(remote("login", "NULL"), "3");
    assert_eq!(remote("banned", "1"), "");
    assert_eq!(remote("last_message_date", "2020-12-19"), "");
    assert_eq!(remote("imba_id", "7"), "431");
    assert_eq!(remote("imba_id", "8"), "");
    assert_eq!(remote("id", "999999"), "");
    let all = rows(&ask(&mut world, "get_users", &[]));
    let ann = all.iter().find(|row| row["login"] == "ann").unwrap();
    let found = ask(
        &mut world,
        "get_users",
        &[("id", &ann["id"].as_u64().unwrap().to_string())],
    );
    assert_eq!(rows(&found), std::slice::from_ref(ann));
}

#[test]
fn messages_are_filtered_and_repetitions_kept() {
    let mut world = World::new();
    let dialog = id(&write(
        &mut world,
        &[("room_type", "0"), ("users_ids[]", "3")],
    ))
    .to_string();
    let conference = id(&write(&mut world, &[("room_type", "1")])).to_string();
    for (user, room) in [("3", &dialog), ("3", &dialog), ("1", &conference)] {
        let answer = ask(
            &mut world,
            "send_msg",
            &[("user_id", user), ("room_id", room), ("message", "hi")],
        );
        assert_eq!(answer.status, 200);
    }
    let mut ids = |name: &str, value: &str| {
        let rows = rows(&ask(&mut world, "get_messages", &[(name, value)]));
        rows.iter()
            .map(|row| row["id"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("", ""), [3, 2, 1]);
    assert_eq!(ids("room_type", "0"), [2, 1]);
    assert_eq!(ids("user_name", "user 3"), [2, 1]);
    assert_eq!(ids("user_role", "admin"), [3]);
    assert_eq!(ids("id", "2"), [2]);
    assert_eq!(ids("date", "2020-12-18"), [0; 0]);
}

#[test]
fn a_message_needs_an_existing_user_and_room() {
    let mut world = World::new();
    let room = id(&write(&mut world, &[])).to_string();
    let mut status = |user: &str, room: &str| {
        ask(
            &mut world,
            "send_msg",
            &[("user_id", user), ("room_id", room), ("message", "hi")],
        )
        .status
    };
    assert_eq!(
        (status("1", &room), status("99", &room), status("1", "99")),
        (200, 404, 404)
    );
    assert_eq!(world.messages(7).len(), 1);
}

// quirks

fn title_after_adding_a_member(quirks: Quirks) -> String {
    let mut world = World::with_quirks(quirks);
    let id = id(&write(
        &mut world,
        &[
            ("room_pipe", "p"),
            ("room_title", "Old"),
            ("room_is_public", "1"),
        ],
    ));
    write(&mut world, &[("room_pipe", "p"), ("users_ids[]", "3")]);
    let room = room(&world, id);
    assert!(
        room.is_public,
        "only an omitted title is documented to be reset"
    );
    assert_eq!(room.members, BTreeSet::from([3]));
    room.name
}

#[test]
fn an_omitted_title_is_reset_by_default() {
    assert_eq!(title_after_adding_a_member(Quirks::default()), "new room");
    let kept = Quirks {
        keep_title: true,
        ..Quirks::default()
    };
    assert_eq!(title_after_adding_a_member(kept), "Old");
}

#[test]
fn ignored_updates_get_a_success_answer() {
    let mut world = World::with_quirks(Quirks {
        ignore_updates: true,
        ..Quirks::default()
    });
    let id = id(&write(
        &mut world,
        &[("room_pipe", "p"), ("room_title", "Old")],
    ));
    let pairs = [
        ("room_pipe", "p"),
        ("room_title", "New"),
        ("room_is_public", "1"),
        ("users_ids[]", "3"),
    ];
    assert_eq!(write(&mut world, &pairs).status, 200);
    let room = room(&world, id);
    assert_eq!(
        (room.name.as_str(), room.is_public, room.members.len()),
        ("Old", false, 1)
    );
}

#[test]
fn a_list_may_lag_by_a_number_of_calls() {
    let mut world = World::with_quirks(Quirks {
        lag: 2,
        ..Quirks::default()
    });
    write(&mut world, &[("room_pipe", "p"), ("room_title", "One")]);
    assert!(listed(&mut world).is_empty());
    write(&mut world, &[("room_pipe", "p"), ("room_title", "Two")]);
    assert!(listed(&mut world).is_empty());
    assert_eq!(listed(&mut world), ["One"]);
    assert_eq!(listed(&mut world), ["Two"]);
    assert_eq!(
        world
            .rooms(7)
            .iter()
            .filter(|room| room.pipe == "p")
            .count(),
        1
    );
}

#[test]
fn a_list_may_lag_by_a_time() {
    let mut world = World::with_quirks(Quirks {
        lag_time: Duration::from_secs(2),
        ..Quirks::default()
    });
    write(&mut world, &[("room_pipe", "p"), ("room_title", "One")]);
    let mut names_after = |seconds| {
        let auth = Auth::basic("7", "secret_key");
        let answer = world.call("/imbachat/v2/7/get_rooms", &auth, &[], NOW + seconds);
        let rows = rows(&answer).into_iter();
        let declared = rows.filter(|row| row["type"] != 3);
        declared.map(|row| row["name"].clone()).collect::<Vec<_>>()
    };
    assert!(names_after(1).is_empty());
    assert_eq!(names_after(2), ["One"]);
}

#[test]
fn several_rooms_may_have_one_pipe() {
    let mut world = World::with_quirks(Quirks {
        duplicate_pipes: true,
        ..Quirks::default()
    });
    for title in ["One", "Two"] {
        write(&mut world, &[("room_pipe", "p"), ("room_title", title)]);
    }
    assert_eq!(listed(&mut world), ["Two", "One"]);
}

#[test]
fn errors_may_come_with_status_200() {
    let mut world = World::with_quirks(Quirks {
        errors_with_200: true,
        ..Quirks::default()
    });
    let codes = [
        (
            401,
            world.call("/imbachat/v2/7/get_rooms", &Auth::none(), &[], NOW),
        ),
        (422, world.call(WRITE, &Auth::none(), &[], NOW)),
        (404, write(&mut world, &[("room_id", "999")])),
    ];
    for (code, answer) in codes {
        assert_eq!(answer.status, 200);
        assert_eq!(json(&answer)["code"], code);
        assert!(!json(&answer)["error"].as_str().unwrap().is_empty());
    }
}

#[test]
fn a_token_may_list_only_the_rooms_of_its_user() {
    for (jwt_lists_own, listed) in [(false, 4), (true, 1)] {
        let mut world = World::with_quirks(Quirks {
            jwt_lists_own,
            ..Quirks::default()
        });
        for (pipe, user) in [("one", "1"), ("two", "2"), ("twelve", "12")] {
            write(&mut world, &[("room_pipe", pipe), ("users_ids[0]", user)]);
        }
        // The token is for user 1. A call with the widget's key lists all rooms, even if it
        // also has a token.
        let mut rooms = |auth: &Auth| rows(&world.call("/imbachat/v2/7/get_rooms", auth, &[], NOW));
        assert_eq!(rooms(&Auth::jwt(TOKEN)).len(), listed);
        let both = Auth {
            jwt: Some(TOKEN.to_owned()),
            ..Auth::basic("7", "secret_key")
        };
        assert_eq!(rooms(&both).len(), 4);
    }
}

#[test]
fn a_hundred_thousand_rooms_are_listed() {
    let mut world = World::new();
    for n in 0..100_000 {
        let pipe = format!("p{n}");
        world.insert_room(
            7,
            Room {
                pipe,
                ..Room::default()
            },
            NOW,
        );
    }
    let body = ask(&mut world, "get_rooms", &[]).body;
    assert_eq!(body.matches("\"pipe\":").count(), 100_001);
}
