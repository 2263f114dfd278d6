//! The sandbox beyond the commands its pages print: form rules, refusals, identity of rooms, quirks, faults, the state
//! file. What needs no socket is tried on a `World`.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use roomform::sandbox::{
    Answer, Auth, Config, Quirks, RoomView, Sandbox, SandboxError, UserView, World, start,
};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const WRITE: &str = "/imbachat/v1/widget/imba_rooms";
const NOW: u64 = 1_608_410_527;

fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

/// A write to widget 7 with its credentials and these fields.
fn write(world: &mut World, pairs: &[(&str, &str)]) -> Answer {
    let mut form = fields(&[("imba_id", "7"), ("login", "admin"), ("password", "admin")]);
    form.extend(fields(pairs));
    world.call(WRITE, &Auth::none(), &form, NOW)
}

/// A v2 call of widget 7.
fn ask(world: &mut World, call: &str, pairs: &[(&str, &str)]) -> Answer {
    let path = format!("/imbachat/v2/7/{call}");
    world.call(&path, &Auth::basic("7", "secret_key"), &fields(pairs), NOW)
}

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap()
}

fn rows(answer: &Answer) -> Vec<Value> {
    json(answer)["data"].as_array().unwrap().clone()
}

/// The id in an answer to a write, of either shape.
fn id(answer: &Answer) -> u64 {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let (_, after) = answer.body.split_once("\"room_id\":").unwrap();
    let digits: String = after.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

fn room(world: &World, id: u64) -> RoomView {
    world
        .rooms(7)
        .into_iter()
        .find(|room| room.id == id)
        .unwrap()
}

/// The names in `get_rooms`, without the room nobody declared.
fn listed(world: &mut World) -> Vec<String> {
    let rows = rows(&ask(world, "get_rooms", &[]));
    let declared = rows.iter().filter(|row| row["type"] != 3);
    declared
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

// form rules

#[test]
fn members_after_the_thousandth_variable_are_lost_without_a_word() {
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
fn a_pipe_after_the_thousandth_variable_makes_another_room() {
    let mut world = World::new();
    let first = id(&write(&mut world, &[("room_pipe", "p")]));
    let mut pairs = vec![("users_ids[]", "1"); 997];
    pairs.push(("room_pipe", "p"));
    assert_ne!(id(&write(&mut world, &pairs)), first);
}

#[test]
fn members_are_taken_however_they_are_numbered() {
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
fn a_title_is_cut_at_255_characters() {
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
fn the_two_credentials_are_refused_in_two_texts() {
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
fn credentials_are_of_one_widget_and_tokens_only_list_rooms_and_messages() {
    let mut world = World::new();
    let mut status = |call: &str, auth: Auth| {
        world
            .call(&format!("/imbachat/v2/7/{call}"), &auth, &[], NOW)
            .status
    };
    assert_eq!(status("get_rooms", Auth::basic("8", "secret_key")), 401);
    assert_eq!(status("get_rooms", Auth::none()), 401);
    assert_eq!(status("get_rooms", Auth::jwt("two.parts")), 401);
    assert_eq!(status("get_rooms", Auth::jwt("h.p.s")), 200);
    assert_eq!(status("get_messages", Auth::jwt("h.p.s")), 200);
    assert_eq!(status("get_users", Auth::jwt("h.p.s")), 401);
    assert_eq!(status("send_msg", Auth::jwt("h.p.s")), 401);
    assert_eq!(status("get_members", Auth::basic("7", "secret_key")), 404);
}

// identity of rooms

#[test]
fn a_pipe_names_one_room_and_both_shapes_of_answer_occur() {
    let mut world = World::new();
    let made = write(&mut world, &[("room_pipe", "p"), ("users_ids[0]", "3")]);
    let again = write(&mut world, &[("room_pipe", "p"), ("users_ids[0]", "4")]);
    assert_eq!(id(&made), id(&again));
    assert_eq!(room(&world, id(&made)).members, BTreeSet::from([3, 4]));
    assert_eq!(json(&made)["data"][0]["roomId"], id(&made));
    assert!(
        again
            .body
            .contains(&format!("\"room_id\":\"{}\",}}", id(&made)))
    );
    assert!(
        serde_json::from_str::<Value>(&again.body).is_err(),
        "the comma is printed so"
    );
}

#[test]
fn a_room_id_must_be_a_live_room_of_the_widget() {
    let mut world = World::new();
    let other = world.insert_room(8, RoomView::default(), NOW);
    let deleted = world.insert_room(
        7,
        RoomView {
            deleted: true,
            ..RoomView::default()
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
fn a_deleted_room_is_hidden_and_its_pipe_makes_a_new_one() {
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
fn generated_pipes_and_titles_fill_the_gaps() {
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
fn every_widget_has_a_support_room_nobody_declared() {
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

// lists

#[test]
fn rooms_are_filtered_by_what_is_known_of_them() {
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
        UserView {
            remote_user_id: 4,
            admin: true,
            banned: true,
            ..UserView::default()
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
    assert_eq!(pipes("banned", "1"), "c");
    assert_eq!(pipes("count_users", "1"), "cba");
    assert_eq!(pipes("last_message_date", "2020-12-19"), "b");
    assert_eq!(pipes("imba_id", "8"), "");
    assert_eq!(pipes("room_type", "conference"), "");
}

#[test]
fn users_are_known_once_they_are_members() {
    let mut world = World::new();
    write(&mut world, &[("users_ids[]", "3")]);
    world.insert_user(
        7,
        UserView {
            remote_user_id: 4,
            login: Some("ann".into()),
            ..UserView::default()
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
}

#[test]
fn messages_are_filtered_and_never_merged() {
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
fn a_message_needs_a_user_and_a_room_that_exist() {
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
fn an_omitted_title_is_reset_unless_told_otherwise() {
    assert_eq!(title_after_adding_a_member(Quirks::default()), "new room");
    let kept = Quirks {
        reset_title: false,
        ..Quirks::default()
    };
    assert_eq!(title_after_adding_a_member(kept), "Old");
}

#[test]
fn ignored_updates_are_answered_as_good() {
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
fn a_list_may_lag_behind_writes() {
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
fn errors_may_hide_behind_status_200() {
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
fn a_hundred_thousand_rooms_are_listed() {
    let mut world = World::new();
    for n in 0..100_000 {
        let pipe = format!("p{n}");
        world.insert_room(
            7,
            RoomView {
                pipe,
                ..RoomView::default()
            },
            NOW,
        );
    }
    let body = ask(&mut world, "get_rooms", &[]).body;
    assert_eq!(body.matches("\"pipe\":").count(), 100_001);
}

// on a port

/// What came back on a connection of its own: the head and the body, or nothing if the connection was cut.
async fn exchange(sandbox: &Sandbox, request: &[u8]) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(sandbox.addr()).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // a cut connection may end with a reset
    stream.read_to_end(&mut answer).await.ok();
    let text = String::from_utf8(answer).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some((head.to_owned(), body.to_owned()))
}

fn request(line: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\nContent-Length: {length}\r\n"
    );
    format!("{head}{headers}\r\n{body}").into_bytes()
}

fn post(path: &str, form: &str) -> Vec<u8> {
    // 7:secret_key
    let headers = "Authorization: Basic NzpzZWNyZXRfa2V5\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    request(&format!("POST {path}"), headers, form)
}

fn creation(pipe: &str) -> Vec<u8> {
    post(
        WRITE,
        &format!("imba_id=7&login=admin&password=admin&room_pipe={pipe}"),
    )
}

fn with_state(path: &Path) -> Config {
    Config {
        state: Some(path.to_owned()),
        ..Config::default()
    }
}

fn pipes(sandbox: &Sandbox) -> Vec<String> {
    let rooms = sandbox.with_world(|world| world.rooms(7));
    rooms
        .into_iter()
        .filter(|room| room.kind != 3)
        .map(|room| room.pipe)
        .collect()
}

#[tokio::test]
async fn only_the_five_calls_are_served_and_only_to_post() {
    let sandbox = start(Config::default()).await.unwrap();
    let cases = [
        ("GET /imbachat/v2/7/get_rooms", "405"),
        ("POST /imbachat/v2/7/get_members", "404"),
        ("GET /", "404"),
    ];
    for (line, status) in cases {
        let (head, body) = exchange(&sandbox, &request(line, "", "")).await.unwrap();
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status}")),
            "{line}: {head}"
        );
        assert!(
            head.contains("content-type: application/json") && head.contains("date: "),
            "{head}"
        );
        assert!(serde_json::from_str::<Value>(&body).is_ok(), "{body}");
    }
    assert_eq!(sandbox.stats(), Default::default());
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn a_chunked_body_is_read_as_any_other() {
    let sandbox = start(Config::default()).await.unwrap();
    let form = "imba_id=7&login=admin&password=admin&room_pipe=chunked";
    let (one, two) = form.split_at(20);
    let head = format!(
        "POST {WRITE} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
    );
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n\r\n";
    let chunks = format!(
        "{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n",
        one.len(),
        two.len()
    );
    let (head, _) = exchange(&sandbox, format!("{head}{kind}{chunks}").as_bytes())
        .await
        .unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(pipes(&sandbox), ["chunked"]);
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn of_a_body_beyond_8_mb_nothing_is_seen() {
    let sandbox = start(Config::default()).await.unwrap();
    let padding = "x".repeat(8 * 1024 * 1024);
    let form = format!("imba_id=7&login=admin&password=admin&room_title={padding}");
    let (head, body) = exchange(&sandbox, &post(WRITE, &form)).await.unwrap();
    assert!(head.starts_with("HTTP/1.1 422"), "{head}");
    assert!(body.contains("imba_id"), "{body}");
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn http_2_is_spoken_and_multipart_taken() {
    // fails when another test was first
    let _ = rustls::crypto::ring::default_provider().install_default();
    let sandbox = start(Config::default()).await.unwrap();
    let client = reqwest::Client::builder()
        .no_proxy()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let form = [
        ("imba_id", "7"),
        ("login", "admin"),
        ("password", "admin"),
        ("room_pipe", "h2"),
    ];
    let form = form
        .iter()
        .fold(reqwest::multipart::Form::new(), |form, (name, value)| {
            form.text(*name, *value)
        });
    let url = format!("{}{WRITE}", sandbox.base_url());
    let answer = client.post(url).multipart(form).send().await.unwrap();
    assert_eq!(
        (answer.version(), answer.status().as_u16()),
        (reqwest::Version::HTTP_2, 200)
    );
    assert_eq!(pipes(&sandbox), ["h2"]);
    drop(client);
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn failed_requests_do_nothing_and_lost_ones_everything() {
    let failing = start(Config {
        error_rate: 1.0,
        ..Config::default()
    })
    .await
    .unwrap();
    let (head, _) = exchange(&failing, &creation("p")).await.unwrap();
    assert!(head.starts_with("HTTP/1.1 500"), "{head}");
    assert!(pipes(&failing).is_empty());
    assert_eq!((failing.stats().failed, failing.stats().writes()), (1, 1));
    failing.stop().await.unwrap();

    let losing = start(Config {
        lost_answer_rate: 1.0,
        ..Config::default()
    })
    .await
    .unwrap();
    assert_eq!(exchange(&losing, &creation("p")).await, None);
    assert_eq!(pipes(&losing), ["p"]);
    assert_eq!((losing.stats().lost, losing.stats().writes()), (1, 1));
    losing.stop().await.unwrap();
}

#[tokio::test]
async fn beyond_the_limit_comes_a_429_that_says_how_long() {
    let sandbox = start(Config {
        rate_limit: Some(0.001),
        ..Config::default()
    })
    .await
    .unwrap();
    let list = post("/imbachat/v2/7/get_rooms", "");
    assert!(
        exchange(&sandbox, &list)
            .await
            .unwrap()
            .0
            .starts_with("HTTP/1.1 200")
    );
    let (head, _) = exchange(&sandbox, &list).await.unwrap();
    assert!(head.starts_with("HTTP/1.1 429"), "{head}");
    let seconds = head
        .lines()
        .find_map(|line| line.strip_prefix("retry-after: "))
        .unwrap();
    assert!(
        (900..=1_000).contains(&seconds.parse::<u32>().unwrap()),
        "{seconds}"
    );
    assert_eq!(sandbox.stats().refused, 1);
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn waiting_requests_do_not_queue() {
    let latency = Duration::from_millis(300);
    let sandbox = start(Config {
        latency,
        ..Config::default()
    })
    .await
    .unwrap();
    let list = post("/imbachat/v2/7/get_rooms", "");
    let started = std::time::Instant::now();
    let answers = tokio::join!(
        exchange(&sandbox, &list),
        exchange(&sandbox, &list),
        exchange(&sandbox, &list),
        exchange(&sandbox, &list),
        exchange(&sandbox, &list),
    );
    assert!(answers.0.is_some() && answers.4.is_some());
    assert!(started.elapsed() >= latency);
    assert!(
        started.elapsed() < 4 * latency,
        "one after another it takes five times as long"
    );
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn settings_out_of_range_are_refused() {
    for config in [
        Config {
            error_rate: 1.5,
            ..Config::default()
        },
        Config {
            lost_answer_rate: f64::NAN,
            ..Config::default()
        },
        Config {
            rate_limit: Some(0.0),
            ..Config::default()
        },
    ] {
        let error = start(config).await.unwrap_err();
        assert!(
            matches!(error, SandboxError::Setting { .. }) && error.hint().is_some(),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let sandbox = start(Config::default()).await.unwrap();
    let error = start(Config {
        listen: sandbox.addr(),
        ..Config::default()
    })
    .await
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the sandbox cannot listen on `{}`", sandbox.addr())
    );
    sandbox.stop().await.unwrap();
}

// the state file

#[tokio::test]
async fn an_answered_write_is_in_the_file_already() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/er/state.json");
    let sandbox = start(with_state(&path)).await.unwrap();
    let requests: Vec<_> = (0..20).map(|n| creation(&format!("p{n}"))).collect();
    let mut pending = tokio::task::JoinSet::new();
    let addr = sandbox.addr();
    for request in requests {
        pending.spawn(async move {
            let mut stream = TcpStream::connect(addr).await.unwrap();
            stream.write_all(&request).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        });
    }
    for answer in pending.join_all().await {
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    // a copy, as a process killed by now would leave it
    let copy = dir.path().join("copy.json");
    std::fs::copy(&path, &copy).unwrap();
    sandbox.stop().await.unwrap();
    let again = start(with_state(&copy)).await.unwrap();
    assert_eq!(pipes(&again).len(), 20);
    let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary file stays");
    again.stop().await.unwrap();
}

#[tokio::test]
async fn after_a_restart_everything_goes_on_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    let sandbox = start(with_state(&path)).await.unwrap();
    exchange(&sandbox, &creation("one")).await.unwrap();
    sandbox.with_world(|world| {
        world.insert_user(
            7,
            UserView {
                remote_user_id: 5,
                ..UserView::default()
            },
            NOW,
        )
    });
    let before = sandbox.with_world(|world| (world.rooms(7), world.users(7)));
    sandbox.stop().await.unwrap();

    let sandbox = start(with_state(&path)).await.unwrap();
    assert_eq!(
        sandbox.with_world(|world| (world.rooms(7), world.users(7))),
        before
    );
    exchange(&sandbox, &creation("two")).await.unwrap();
    exchange(&sandbox, &creation("one")).await.unwrap();
    assert_eq!(pipes(&sandbox), ["one", "two"]);
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_state_is_refused_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    for (text, message) in [
        ("{\"format\":1,\"rooms\":[", "is damaged"),
        ("", "is damaged"),
        (
            "{\"format\":2}",
            "has format 2, which this version does not know",
        ),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = start(with_state(&path)).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the sandbox state `{}` {message}", path.display())
        );
        assert!(error.hint().unwrap().contains("move the file away"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}

#[tokio::test]
async fn a_write_that_cannot_be_saved_is_not_answered_as_good() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    let sandbox = start(with_state(&path)).await.unwrap();
    exchange(&sandbox, &creation("one")).await.unwrap();
    std::fs::write(&path, "somebody else's").unwrap();
    let (head, body) = exchange(&sandbox, &creation("two")).await.unwrap();
    assert!(head.starts_with("HTTP/1.1 500"), "{head}");
    assert!(body.contains("was changed by another process"), "{body}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "somebody else's");
    assert!(matches!(
        sandbox.stop().await,
        Err(SandboxError::Contended { .. })
    ));
}
