//! `imba_rooms` and the other writes: PHP's form rules, refusals, and which room a call addresses.

use std::collections::BTreeSet;

use roomform::sandbox::{Auth, Quirks, Room, World};
use serde_json::Value;

use super::{NOW, WRITE, ask, fields, id, json, listed, room, rows, write};
use crate::support::Shows;

// form rules

/// Signed with `secret_key`; valid until 2100.
pub(super) const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDAsInVzZXJfaWQiOjF9.re5IXI3tOhBns9P4hcCY7qHoaMEb9ODtYQShIlZspPI";

#[test]
fn members_after_the_thousandth_variable_are_silently_dropped() {
    let mut world = World::new();
    let members: Vec<_> = (0..1_500)
        .map(|n| (format!("users_ids[{n}]"), (n + 10).to_string()))
        .collect();
    let mut pairs = vec![("room_title", "Big")];
    pairs.extend(
        members
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    let id = id(&write(&mut world, &pairs));
    assert_eq!(room(&world, id).members.len(), 996);
}

#[test]
fn a_pipe_after_the_thousandth_variable_creates_another_room() {
    let mut world = World::new();
    let first = id(&write(&mut world, &[("room_pipe", "p")]));
    let mut pairs = vec![("users_ids[]", "1"); 997];
    pairs.push(("room_pipe", "p"));
    assert_ne!(id(&write(&mut world, &pairs)), first);
}

#[test]
fn members_are_accepted_with_any_numbering() {
    let mut world = World::new();
    let pairs = [
        ("users_ids[5]", "3"),
        ("users_ids[]", "4"),
        ("users_ids[x]", "5"),
        ("users_ids[]", "bob"),
    ];
    let id = id(&write(&mut world, &pairs));
    assert_eq!(room(&world, id).members, BTreeSet::from([3, 4, 5]));
}

#[test]
fn titles_are_cut_at_255_characters() {
    let mut world = World::new();
    let id = id(&write(&mut world, &[("room_title", &"я".repeat(300))]));
    assert_eq!(room(&world, id).name, "я".repeat(255));
}

// refusals

#[test]
fn each_missing_field_of_a_write_is_named() {
    let mut world = World::new();
    let missing = |world: &mut World, pairs: &[(&str, &str)]| {
        let answer = world.call(WRITE, &Auth::none(), &fields(pairs), NOW);
        assert_eq!(answer.status, 422);
        let answer = json(&answer);
        assert!(answer["message"].is_string());
        let errors = answer["errors"].as_object().unwrap();
        assert!(errors.values().all(|reasons| reasons[0].is_string()));
        errors.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(missing(&mut world, &[]), ["imba_id", "login", "password"]);
    assert_eq!(
        missing(&mut world, &[("imba_id", "7"), ("login", "")]),
        ["login", "password"]
    );
    let word = [
        ("imba_id", "seven"),
        ("login", "admin"),
        ("password", "admin"),
    ];
    assert_eq!(missing(&mut world, &word), ["imba_id"]);
    assert!(world.rooms(7).is_empty());
}

#[test]
fn each_missing_field_of_a_message_is_named() {
    let answer = ask(&mut World::new(), "send_msg", &[("user_id", "1")]);
    assert_eq!(answer.status, 422);
    let errors = json(&answer)["errors"].as_object().unwrap().clone();
    assert_eq!(errors.keys().collect::<Vec<_>>(), ["message", "room_id"]);
}

#[test]
fn each_kind_of_credentials_has_its_own_error_text() {
    let mut world = World::new();
    let form = fields(&[("imba_id", "7"), ("login", "admin"), ("password", "wrong")]);
    let login = world.call(WRITE, &Auth::none(), &form, NOW);
    let secret = world.call(
        "/imbachat/v2/7/get_rooms",
        &Auth::basic("7", "wrong"),
        &[],
        NOW,
    );
    assert_eq!((login.status, secret.status), (401, 401));
    assert_eq!(
        (&json(&login)["code"], &json(&secret)["code"]),
        (&401.into(), &401.into())
    );
    assert_ne!(json(&login)["error"], json(&secret)["error"]);
    assert!(
        world.rooms(7).is_empty(),
        "who may not call changes nothing"
    );
}

#[test]
fn credentials_work_for_one_widget_and_tokens_only_for_rooms_and_messages() {
    let mut world = World::new();
    let mut status = |call: &str, auth: Auth| {
        world
            .call(&format!("/imbachat/v2/7/{call}"), &auth, &[], NOW)
            .status
    };
    assert_eq!(status("get_rooms", Auth::basic("8", "secret_key")), 401);
    assert_eq!(status("get_rooms", Auth::none()), 401);
    assert_eq!(status("get_rooms", Auth::jwt("two.parts")), 401);
    assert_eq!(status("get_rooms", Auth::jwt(TOKEN)), 200);
    assert_eq!(status("get_messages", Auth::jwt(TOKEN)), 200);
    assert_eq!(status("get_users", Auth::jwt(TOKEN)), 401);
    assert_eq!(status("send_msg", Auth::jwt(TOKEN)), 401);
    assert_eq!(status("get_members", Auth::basic("7", "secret_key")), 404);
}

// identity of rooms

#[test]
fn a_pipe_identifies_one_room_and_answers_have_both_shapes() {
    let mut world = World::new();
    let made = write(&mut world, &[("room_pipe", "p"), ("users_ids[0]", "3")]);
    let again = write(&mut world, &[("room_pipe", "p"), ("users_ids[0]", "4")]);
    assert_eq!(id(&made), id(&again));
    assert_eq!(room(&world, id(&made)).members, BTreeSet::from([3, 4]));
    assert_eq!(json(&made)["data"][0]["roomId"], id(&made));
    again
        .body
        .shows(format!("\"room_id\":\"{}\",}}", id(&made)));
    assert!(
        serde_json::from_str::<Value>(&again.body).is_err(),
        "the comma is printed so"
    );
}

#[test]
fn a_room_id_must_be_a_live_room_of_the_widget() {
    let mut world = World::new();
    let other = world.insert_room(8, Room::default(), NOW);
    let deleted = world.insert_room(
        7,
        Room {
            deleted_at: Some("2026-01-01 00:00:00".to_owned()),
            ..Room::default()
        },
        NOW,
    );
    for id in [other, deleted, 999] {
        let answer = write(
            &mut world,
            &[("room_id", &id.to_string()), ("room_pipe", "p")],
        );
        assert_eq!(answer.status, 404);
        assert_eq!(answer.body, r#"{"code":404,"message":"Room not found"}"#);
    }
    assert!(world.rooms(7).iter().all(|room| room.pipe != "p"));
}

#[test]
fn a_deleted_room_is_hidden_and_its_pipe_creates_a_new_one() {
    let mut world = World::with_quirks(Quirks {
        show_deleted: true,
        ..Quirks::default()
    });
    let first = id(&write(
        &mut world,
        &[("room_pipe", "p"), ("room_title", "One")],
    ));
    assert!(world.delete_room(7, first, NOW));
    assert!(!world.delete_room(7, first, NOW));
    let second = id(&write(
        &mut world,
        &[("room_pipe", "p"), ("room_title", "Two")],
    ));
    assert_ne!(first, second);
    assert_eq!(
        listed(&mut world),
        ["Two", "One"],
        "this server shows deleted rooms too"
    );

    let mut plain = World::new();
    let id = id(&write(&mut plain, &[("room_title", "Gone")]));
    assert!(plain.delete_room(7, id, NOW));
    assert!(listed(&mut plain).is_empty());
}

#[test]
fn ids_grow_across_widgets() {
    let mut world = World::new();
    let mut create = |widget: &str| {
        let form = fields(&[
            ("imba_id", widget),
            ("login", "admin"),
            ("password", "admin"),
        ]);
        id(&world.call(WRITE, &Auth::none(), &form, NOW))
    };
    let ids = [create("7"), create("8"), create("7"), create("8")];
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
}

#[test]
fn missing_pipes_and_titles_are_generated() {
    let mut world = World::new();
    for _ in 0..100 {
        write(&mut world, &[("room_pipe", ""), ("room_title", "")]);
    }
    let rooms = world.rooms(7);
    let pipes: BTreeSet<_> = rooms.iter().map(|room| &room.pipe).collect();
    assert_eq!(pipes.len(), 101, "with the support room's");
    assert!(
        pipes
            .iter()
            .all(|pipe| pipe.len() == 24 && pipe.ends_with("_1608410527"))
    );
    assert_eq!(
        rooms.iter().filter(|room| room.name == "new room").count(),
        100
    );
}

#[test]
fn every_widget_has_an_undeclared_support_room() {
    let mut world = World::new();
    let answer = ask(&mut world, "get_rooms", &[]);
    assert_eq!(json(&answer)["success"], "true");
    let rows = rows(&answer);
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (&rows[0]["name"], &rows[0]["type"]),
        (&"Technical support".into(), &3.into())
    );
    assert_eq!(ask(&mut world, "get_rooms", &[]), answer, "it is made once");
}
