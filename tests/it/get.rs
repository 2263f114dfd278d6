//! `get`: the requests it sends, the rows it prints, and that no row does harm in a terminal.

use insta::assert_snapshot;
use roomform::sandbox::{Room, User};
use serde_json::{Value, json};

use crate::support::{Args, Canned, Ran, Scene, Shows, answer};

const NOW: u64 = 1_608_410_527;
/// Signed with the sandbox's key, valid until 2100.
const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDAsInVzZXJfaWQiOjF9.re5IXI3tOhBns9P4hcCY7qHoaMEb9ODtYQShIlZspPI";
const ROOMS_PAGE: &str = include_str!("pages/rooms.txt");

/// A widget with three rooms, two users and a message.
fn widget() -> Scene {
    let scene = Scene::new().sandbox();
    let room = |id, pipe: &str, name: &str, kind, is_public| Room {
        id,
        pipe: pipe.to_owned(),
        name: name.to_owned(),
        kind,
        is_public,
        members: [3].into(),
        ..Room::default()
    };
    scene.world(|world| {
        world.insert_room(627, room(11, "team-a", "Team A", 1, false), NOW);
        world.insert_room(
            627,
            room(12, "course-7b", "Алгебра 7б · 漢字", 1, true),
            NOW,
        );
        world.insert_room(627, room(13, "two", "Ann and Bo", 0, false), NOW);
        let user = |remote_user_id, login: Option<&str>, admin| User {
            remote_user_id,
            login: login.map(str::to_owned),
            admin,
            banned: false,
            ..User::default()
        };
        world.insert_user(627, user(3, Some("ann"), false), NOW);
        world.insert_user(627, user(10, None, true), NOW);
    });

    scene
}

/// A directory with an environment for this server.
pub(crate) fn against(server: &Canned) -> Scene {
    Scene::new()
        .at(&server.url())
        .env("IMBACHAT_WIDGET", "627")
        .env("IMBACHAT_SECRET_KEY", "key-Zx81")
}

fn list(rows: &Value) -> Canned {
    let body = json!({"success": "true", "data": rows, "code": 200});
    Canned::answer("200 OK", "", &body.to_string())
}

/// The form fields of a request, except `imba_id`, which every request has.
fn form(request: &str) -> Vec<(String, String)> {
    let parts = request.split("form-data; name=\"").skip(1).map(|part| {
        let (name, rest) = part.split_once("\"\r\n").unwrap();
        let value = rest
            .trim_start_matches("\r\n")
            .split("\r\n")
            .next()
            .unwrap();
        (name.to_owned(), value.to_owned())
    });
    let (widget, rest): (Vec<_>, Vec<_>) = parts.partition(|(name, _)| name == "imba_id");
    assert_eq!(widget, [("imba_id".to_owned(), "627".to_owned())]);
    rest
}

/// The request of a run with these flags: its path and filters.
#[track_caller]
fn asked(args: impl Args) -> String {
    let server = list(&json!([]));
    against(&server)
        .run([&["get"], &args.args()[..]].concat())
        .ok();
    let requests = server.requests();
    let [request] = &requests[..] else {
        panic!("one request: {requests:?}")
    };
    let path = request.split(' ').nth(1).unwrap();
    let filters = form(request);
    let filters = filters
        .iter()
        .map(|(name, value)| format!(" {name}={value}"));
    format!("{path}{}", filters.collect::<String>())
}

#[test]
fn the_default_is_a_readable_table() {
    let scene = widget();
    let ran = scene.run("get rooms --type conference");
    assert_eq!(ran.err, "2 rooms\n");
    assert_snapshot!(ran.ok(), @"
    id  pipe       name               type        is_public  updated_at
    12  course-7b  Алгебра 7б · 漢字  conference  public     2020-12-19 20:42:07
    11  team-a     Team A             conference  closed     2020-12-19 20:42:07
    ");
    let table = scene.run("get rooms --format table --type 1");
    assert_eq!(table, scene.run("get rooms --type conference"));
    assert_snapshot!(scene.run("get users --sort remote_user_id").ok(), @"
    id  remote_user_id  login  status
    2   1               admin  admin
    1   3               ann    user
    3   10              -      admin
    ");
}

#[test]
fn json_and_csv_have_the_fields_of_the_api() {
    let scene = widget();
    let rooms = [
        "get", "rooms", "--only", "c*", "--only", "two", "--sort", "id",
    ];
    let run = |format| scene.run([&rooms[..], &["--format", format]].concat()).ok();
    assert_snapshot!(run("json"), @r#"
    {"format":1,"kind":"rooms","exit":0,"rows":[
    {"id":12,"pipe":"course-7b","name":"Алгебра 7б · 漢字","admin_id":2,"type":1,"tab":0,"is_public":1,"created_at":"2020-12-19 20:42:07","updated_at":"2020-12-19 20:42:07","deleted_at":null,"status":0,"imba_id":627},
    {"id":13,"pipe":"two","name":"Ann and Bo","admin_id":2,"type":0,"tab":0,"is_public":0,"created_at":"2020-12-19 20:42:07","updated_at":"2020-12-19 20:42:07","deleted_at":null,"status":0,"imba_id":627}
    ]}
    "#);
    assert_snapshot!(run("csv"), @"
    id,pipe,name,admin_id,type,tab,is_public,created_at,updated_at,deleted_at,status,imba_id
    12,course-7b,Алгебра 7б · 漢字,2,1,0,1,2020-12-19 20:42:07,2020-12-19 20:42:07,,0,627
    13,two,Ann and Bo,2,0,0,0,2020-12-19 20:42:07,2020-12-19 20:42:07,,0,627
    ");
    let none = |format| {
        let args = ["get", "rooms", "--only", "none", "--format", format];
        scene.run(args).ok()
    };
    let nothing: Value = serde_json::from_str(&none("json")).unwrap();
    assert_eq!(nothing["rows"], json!([]));
    assert_eq!(none("csv").lines().count(), 1, "the header");
}

#[test]
fn columns_and_order_can_be_selected() {
    let scene = widget();
    let run = |args: &[&str]| scene.run([&["get", "rooms", "--format", "csv"], args].concat());
    let rooms = ["--type", "1", "--columns", "pipe,id"];
    let sorted = |by: &str| run(&[&rooms[..], &["--sort", by]].concat()).ok();
    assert_eq!(sorted("pipe"), "pipe,id\ncourse-7b,12\nteam-a,11\n");
    assert_eq!(sorted("-pipe"), "pipe,id\nteam-a,11\ncourse-7b,12\n");
    assert_eq!(sorted("type,-id"), "pipe,id\ncourse-7b,12\nteam-a,11\n");
    let users = |by| {
        scene
            .run(["get", "users", "--columns", "remote_user_id", "--sort", by])
            .ok()
    };
    assert_eq!(
        users("remote_user_id").replace(' ', ""),
        "remote_user_id\n1\n3\n10\n",
        "numbers"
    );
    assert_eq!(
        users("login,-id").replace(' ', ""),
        "remote_user_id\n10\n1\n3\n",
        "nothing first"
    );
    let json = [
        "get",
        "rooms",
        "--only",
        "two",
        "--columns",
        "name,id",
        "--format",
        "json",
    ];
    let json = scene.run(json).ok();
    json.shows("\n{\"name\":\"Ann and Bo\",\"id\":13}\n");
    for wrong in [["--columns", "pip"], ["--sort", "-pip"]] {
        let ran = run(&wrong);
        assert_eq!((ran.code, ran.out.as_str()), (64, ""));
        ran.err.shows("no room has a field `pip`");
    }
}

#[test]
fn every_filter_is_sent_under_its_own_name() {
    let rooms = [
        "rooms",
        "--type",
        "dialog",
        "--status",
        "user",
        "--count-users",
        "2",
        "--last-message-date",
        "2020-12-19",
        "--banned",
        "true",
    ];
    assert_snapshot!(asked(rooms), @"/imbachat/v2/627/get_rooms room_type=0 status=user count_users=2 last_message_date=2020-12-19 banned=1");
    let users = [
        "users",
        "--login",
        "ann",
        "--id",
        "2046",
        "--status",
        "administrator",
        "--last-message-date",
        "2020-12-19 20:42:07",
        "--banned",
        "false",
    ];
    assert_snapshot!(asked(users), @"/imbachat/v2/627/get_users login=ann id=2046 status=administrator last_message_date=2020-12-19 20:42:07 banned=0");
    let messages = [
        "messages",
        "--date",
        "2020-12-19",
        "--id",
        "4543",
        "--type",
        "support",
        "--user-name",
        "spray",
        "--user-role",
        "admin",
    ];
    assert_snapshot!(asked(messages), @"/imbachat/v2/627/get_messages date=2020-12-19 id=4543 room_type=3 user_name=spray user_role=admin");
    assert_eq!(asked("rooms"), "/imbachat/v2/627/get_rooms");
    let elsewhere = ["messages", "--endpoint", "/imbachat/v3/{imba_id}/messages"];
    assert_eq!(asked(elsewhere), "/imbachat/v3/627/messages");
}

#[test]
fn a_date_in_another_form_gets_a_warning() {
    let warning = |args: &str| {
        let scene = Scene::new().sandbox();
        let ran = scene.run(format!("get {args}"));
        ran.exits(0);
        let lines = ran.err.lines().filter(|line| line.starts_with("warning"));
        lines.map(str::to_owned).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(warning("rooms --last-message-date 18.12.2020"), @"warning: --last-message-date: `18.12.2020` is not YYYY-MM-DD or YYYY-MM-DD HH:MM:SS, so the server may ignore it or find nothing");
    for wrong in [
        "2020-12-18T20:42:07",
        "2020-13-01",
        "2020-12-1",
        "2020-12-18Z",
        "today",
    ] {
        warning(&format!("users --last-message-date {wrong}")).shows(wrong);
    }
    warning("messages --date 18/12/2020").shows("--date: `18/12/2020`");
    for right in [
        "rooms --last-message-date 2020-12-18",
        "messages --date 2020-12-18",
    ] {
        assert_eq!(warning(right), "");
    }
}

/// The samples on the API's pages contradict their own filters.
#[test]
fn rows_that_the_filters_exclude_are_dropped() {
    let mut samples = ROOMS_PAGE
        .split("\"success\": \"true\",\n    \"data\": ")
        .skip(1);
    let mut sample = || -> Value {
        let text = samples
            .next()
            .unwrap()
            .split(",\n    \"code\"")
            .next()
            .unwrap();
        serde_json::from_str(text).unwrap()
    };
    let (users, rooms) = (list(&sample()), list(&sample()));
    let json = |server: &Canned, args: &[&str]| {
        let ran = against(server).run([&["get"], args, &["--format", "json"]].concat());
        let rows = ran.json()["rows"].as_array().unwrap().clone();
        let ids: Vec<u64> = rows.iter().map(|row| row["id"].as_u64().unwrap()).collect();
        ids
    };
    assert_eq!(json(&users, &["users", "--status", "user"]), [0; 0]);
    assert_eq!(
        json(&users, &["users", "--status", "Administrator"]),
        [2046]
    );
    assert_eq!(json(&users, &["users", "--login", "NULL"]), [2046]);
    assert_eq!(json(&users, &["users", "--login", "ann"]), [0; 0]);
    assert_eq!(json(&users, &["users", "--id", "2047"]), [0; 0]);
    assert_eq!(json(&rooms, &["rooms", "--type", "0"]), [1314]);
    assert_eq!(json(&rooms, &["rooms", "--type", "support"]), [1853]);
    assert_eq!(json(&rooms, &["rooms", "--only", "5fbcaf*"]), [1314]);
    // A row has neither a user's status in the room nor the other filtered fields, so these filters are applied only by the
    // server.
    let args = [
        "rooms",
        "--status",
        "admin",
        "--count-users",
        "9",
        "--banned",
        "true",
    ];
    assert_eq!(json(&rooms, &args), [1853, 1314]);
    let ran = against(&rooms).run("get rooms --type 0");
    assert_eq!(
        ran.err,
        "1 room; 1 more does not match the filters and is not shown\n"
    );
    let ran = against(&rooms)
        .env("IMBACHAT_WIDGET", "628")
        .run("get rooms");
    assert!(
        ran.err.starts_with("0 rooms; 2 more"),
        "another widget's: {ran:?}"
    );
}

#[test]
fn documented_fields_get_their_types_and_unknown_fields_are_copied() {
    let server = list(&json!({
        "0": {"id": "7", "pipe": 123, "name": "NULL", "type": "1", "is_public": true, "deleted_at": "NULL", "extra": {"b": [1, "x"]}},
        "4": {"id": "seven", "pipe": null, "imba_id": "627"},
    }));
    let scene = against(&server);
    assert_snapshot!(scene.run("get rooms --format json").ok(), @r#"
    {"format":1,"kind":"rooms","exit":0,"rows":[
    {"deleted_at":null,"extra":{"b":[1,"x"]},"id":7,"is_public":1,"name":"NULL","pipe":"123","type":1},
    {"id":"seven","imba_id":627,"pipe":null}
    ]}
    "#);
    assert_snapshot!(scene.run("get rooms --columns extra,pipe").ok(), @r#"
    extra          pipe
    {"b":[1,"x"]}  123
    -              -
    "#);
}

#[test]
fn fields_with_secrets_are_never_shown() {
    let rows = json!([{"id": 1, "login": "ann", "password": "hash-1", "remember_token": "hash-2",
        "user_data": {"name": "Ann", "Password": "hash-3", "api": [{"secret_key": "hash-4"}]}},
        {"id": 2, "login": "bob", "user_data": r#" {"token": "hash-5", "name": "Ann", "more": "[{\"password\": \"hash-6\"}]"}"#}]);
    let server = list(&rows);
    let scene = against(&server);
    for format in ["table", "json", "csv"] {
        for columns in ["id,login,user_data", "user_data"] {
            let ran = scene.run(["get", "users", "--columns", columns, "--format", format]);
            ran.all().lacks("hash");
            assert!(ran.ok().contains("Ann"), "{format}");
        }
        let ran = scene.run(["get", "users", "--format", format]);
        ran.all().lacks("hash");
    }
    let ran = scene.run("get users --columns password");
    assert!(ran.code == 64 && !ran.all().contains("hash"), "{ran:?}");
}

#[test]
fn hostile_rows_are_escaped() {
    let name = "=HYPERLINK(\"x\")\u{1b}[31m\u{9b}2J\u{202e}\u{e0041}\r\n##vso[x]\"',: {}";
    let rows = json!([{"id": 7, "pipe": "a\u{200b}b", "name": name, "\u{1b}]0;x": {"k": name}}]);
    let server = list(&rows);
    let scene = against(&server);
    let run = |format| scene.run(["get", "rooms", "--format", format]).ok();
    for format in ["table", "json", "csv"] {
        let shown = run(format);
        let bad =
            |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{200b}\u{e0041}".contains(c);
        assert!(
            !shown.contains(bad) && !shown.contains("##"),
            "{format}: {shown:?}"
        );
    }
    let json: Value = serde_json::from_str(&run("json")).unwrap();
    assert_eq!(json["rows"], rows, "and yet it is the same to a parser");
    let table = run("table");
    assert_eq!(table.lines().count(), 2, "one line a row: {table}");
    run("csv").shows("\"=HYPERLINK(\"\"x\"\")");
    let cells = scene.run("get rooms --format csv --spreadsheet").ok();
    cells.shows("\"'=HYPERLINK(\"\"x\"\")");
}

/// A list of several megabytes, which arrives in many pieces.
#[test]
fn many_rows_are_sorted_in_any_order() {
    let title = "x".repeat(200);
    let rows: Vec<Value> = (1..=30_000)
        .map(|id| json!({"id": id, "pipe": format!("room-{id}"), "name": title, "type": 1}))
        .collect();
    let server = list(&rows.into());
    let scene = against(&server);
    let ids = |args: &[&str]| -> Vec<u32> {
        let ran = scene.run(
            [
                &["get", "rooms", "--format", "csv", "--columns", "id"],
                args,
            ]
            .concat(),
        );
        ran.ok()
            .lines()
            .skip(1)
            .map(|id| id.parse().unwrap())
            .collect()
    };
    assert_eq!(ids(&[]), (1..=30_000).collect::<Vec<_>>());
    assert_eq!(ids(&["--sort=-id"]), (1..=30_000).rev().collect::<Vec<_>>());
}

#[test]
fn a_truncated_list_prints_no_rows() {
    let server = Canned::by({
        let tries = std::cell::Cell::new(0);
        move |_| {
            tries.set(tries.get() + 1);
            let whole =
                r#"{"success":"true","data":[{"id":7,"pipe":"a"},{"id":8,"pipe":"b"}],"code":200}"#;
            let body = if tries.get() == 2 {
                whole
            } else {
                &whole[..50]
            };
            answer("200 OK", "", body)
        }
    });
    let rows = "get rooms --format csv --columns id";
    assert_eq!(
        against(&server).run(rows).ok(),
        "id\n7\n8\n",
        "the second try"
    );
    assert_eq!(server.served(), 2);
    let failed: [Ran; 2] =
        ["csv", "json"].map(|format| against(&server).run(["get", "rooms", "--format", format]));
    assert_eq!((failed[0].code, failed[0].out.as_str()), (1, ""));
    failed[0].err.shows("the answer is cut off before its end");
    failed[1].exits(1);
    assert_eq!(
        failed[1].json()["exit"],
        1,
        "one document, and it is the error"
    );
}

#[test]
fn messages_are_listed_unchanged() {
    let scene = widget();
    assert_eq!(
        scene.run("get messages --format csv").ok(),
        "",
        "nothing is known of them"
    );
    drop(scene);
    let server = list(&json!([
        {"id": 4543, "uuid": "u-1", "message": "api message", "time": "1608275827", "user_id": 2046, "room_id": "1536", "meta": []},
        {"id": 4544, "message": "two\nlines", "time": 1_608_275_828, "user": {"name": "spray"}},
    ]));
    let scene = against(&server);
    assert_snapshot!(scene.run("get messages").ok(), @r"
    id    time                 room_id  user_id  message
    4543  2020-12-18 07:17:07  1536     2046     api message
    4544  2020-12-18 07:17:08  -        -        two\u{a}lines
    ");
    assert_snapshot!(scene.run("get messages --format csv").ok(), @r#"
    id,time,room_id,user_id,message,meta,uuid,user
    4543,1608275827,1536,2046,api message,[],u-1,
    4544,1608275828,,,two\u{a}lines,,,"{""name"":""spray""}"
    "#);
    assert_snapshot!(scene.run("get messages --format json").ok(), @r#"
    {"format":1,"kind":"messages","exit":0,"rows":[
    {"id":4543,"message":"api message","meta":[],"room_id":1536,"time":"1608275827","user_id":2046,"uuid":"u-1"},
    {"id":4544,"message":"two\nlines","time":1608275828,"user":{"name":"spray"}}
    ]}
    "#);
    let other = list(&json!([{"text": "hello", "author": "ann"}]));
    let table = against(&other).run("get messages").ok();
    assert_eq!(
        table, "author  text\nann     hello\n",
        "of no known field all are shown"
    );
}

#[test]
fn the_endpoint_of_messages_can_be_set() {
    let server = Canned::answer("404 Not Found", "", r#"{"code":404,"message":"no route"}"#);
    let scene = against(&server);
    assert_snapshot!(scene.run("get messages").err, @"
    error: the server does not know this address (HTTP 404): no route
      hint: set the path with --endpoint: the path of this call is not documented, so roomform guessed it
    ");
    let named = scene.run("get messages --endpoint messages");
    assert_snapshot!(named.err, @"
    error: the server does not know this address (HTTP 404): no route
      hint: check --endpoint, and --api-url
    ");
    for wrong in [
        "",
        "//host/x",
        "../x",
        "x?y",
        "x#y",
        "https://host/x",
        "a b",
        "x/%2e%2e",
    ] {
        let ran = scene.run(["get", "messages", "--endpoint", wrong]);
        assert_eq!(ran.code, 64, "{wrong}: {ran:?}");
    }
}

#[test]
fn a_token_lists_rooms_and_messages_but_not_users() {
    let scene = widget();
    let scene = scene
        .env("IMBACHAT_SECRET_KEY", "")
        .env("IMBACHAT_JWT", TOKEN);
    scene.run("get rooms").ok();
    scene.run("get messages").ok();
    let ran = scene.run("get users");
    assert_snapshot!(ran.err, @"
    error: listing users needs the widget's secret key; a JWT is not enough
      hint: set IMBACHAT_SECRET_KEY
    ");
    ran.exits(1);
}

#[test]
fn unsupported_flags_are_usage_errors() {
    let scene = Scene::new();
    for args in [
        &["get"][..],
        &["get", "rooms", "--format", "markdown"],
        &["get", "rooms", "--type", "talk"],
        &["get", "rooms", "--status", ""],
        &["get", "rooms", "--banned", "maybe"],
        &["get", "users", "--sandbox", "--only", "x"],
        &["get", "rooms", "--endpoint", "x"],
        &["plan", "--format", "csv"],
        &["get", "rooms", "--format", "yaml"],
        &["check", "--format", "table"],
    ] {
        let ran = scene.run(args);
        assert_eq!(ran.code, 64, "{args:?}: {ran:?}");
    }
}

#[test]
fn only_and_except_select_rooms_only() {
    let scene = Scene::new().sandbox();
    for list in ["users", "messages"] {
        for choice in [["--only", "a*"], ["--shard", "0/2"]] {
            let ran = scene.run([&["get", list], &choice[..]].concat());
            assert_eq!((ran.code, ran.out.as_str()), (64, ""));
            let flag = choice[0];
            let expected =
                format!("error: `get {list}` has no flag `{flag}`\n  hint: `{flag}` is a flag of ");
            ran.err.begins(&expected);
        }
    }
    assert_eq!(scene.stats().get_rooms, 0);
}
