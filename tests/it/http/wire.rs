//! Requests on the wire: headers, fields and their order, members in chunks, and no proxy.

use std::collections::BTreeSet;

use super::{BASIC, EMPTY_LIST, JWT, LISTED, LOGIN, MANIFEST, PASSWORD, SECRET_KEY, WRITTEN};
use super::{scene_at, scene_with, server, writes};
use crate::support::{Canned, Scene, Shows, form, header, json};

/// The request of a plan with these variables.
fn plan_request(vars: &[(&str, &str)]) -> String {
    let server = Canned::raw(json(EMPTY_LIST));
    let scene = vars
        .iter()
        .fold(scene_at(&server.url()), |scene, (name, value)| {
            scene.env(name, value)
        });
    scene.plan().ok();
    let mut requests = server.requests();
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

/// The write requests of an apply to a widget whose list is `before` at first.
fn applied(manifest: &str, before: &'static str) -> Vec<String> {
    let server = server(before, LISTED, |_| json(WRITTEN));
    scene_with(manifest, &server.url()).run("apply --yes").ok();
    writes(&server)
}

#[test]
fn a_list_request_is_as_documented() {
    let request = plan_request(&[]);
    request.begins("POST /imbachat/v2/627/get_rooms HTTP/1.1\r\n");
    let agent = header(&request, "user-agent").unwrap_or_default();
    agent.begins(concat!("roomform/", env!("CARGO_PKG_VERSION"), " (run "));
    assert_eq!(header(&request, "accept"), Some("application/json"));
    assert_eq!(
        header(&request, "authorization"),
        Some(format!("Basic {BASIC}").as_str())
    );
    assert_eq!(header(&request, "jwt"), None);
    assert_eq!(
        form(&request),
        [("imba_id", "627")],
        "what only writing needs is not sent"
    );
    request.lacks(LOGIN).lacks(PASSWORD);
}

#[test]
fn the_secret_key_is_used_before_a_token() {
    let token = [("IMBACHAT_SECRET_KEY", ""), ("IMBACHAT_JWT", JWT)];
    let request = plan_request(&token);
    assert_eq!(header(&request, "jwt"), Some(JWT));
    assert_eq!(header(&request, "authorization"), None);

    let request = plan_request(&[("IMBACHAT_JWT", JWT)]);
    assert_eq!(
        header(&request, "authorization"),
        Some(format!("Basic {BASIC}").as_str())
    );
    assert_eq!(header(&request, "jwt"), None);
}

#[test]
fn a_create_sends_all_fields_before_the_members() {
    let manifest = MANIFEST.replace("Team A", "\"Класс \\\"7\\\"; a=b\"");
    let server = server(EMPTY_LIST, EMPTY_LIST, |_| json(WRITTEN));
    scene_with(&manifest, &server.url()).apply_without_patience();
    let writes = writes(&server);
    assert_eq!(writes.len(), 1);
    assert_eq!(
        form(&writes[0]),
        [
            ("imba_id", "627"),
            ("login", LOGIN),
            ("password", PASSWORD),
            ("room_pipe", "team-a"),
            ("room_title", "Класс \"7\"; a=b"),
            ("room_type", "1"),
            ("room_is_public", "0"),
            ("users_ids[0]", "3"),
            ("users_ids[1]", "4"),
        ]
    );
    assert_eq!(header(&writes[0], "accept"), Some("application/json"));
    assert_eq!(header(&writes[0], "authorization"), None);
    // A write must not contain the secret key, which is only for reading.
    writes[0].lacks(SECRET_KEY);
}

#[test]
fn an_update_sends_the_room_id_and_all_fields() {
    let before = r#"{"data":[{"id":7,"pipe":"team-a","name":"Old","type":0,"is_public":1,"deleted_at":null}]}"#;
    let writes = applied(&MANIFEST.replace(", members: [3, 4]", ""), before);
    assert_eq!(writes.len(), 1);
    assert_eq!(
        form(&writes[0]),
        [
            ("imba_id", "627"),
            ("login", LOGIN),
            ("password", PASSWORD),
            ("room_id", "7"),
            ("room_pipe", "team-a"),
            ("room_title", "Team A"),
            ("room_type", "1"),
            ("room_is_public", "0"),
        ]
    );
}

/// The text of the API's page requires `imba_id` and `password`, but the sample on that page
/// sends neither. The client sends both.
#[test]
fn a_message_sends_all_fields_that_the_page_requires() {
    let manifest = MANIFEST.replace(
        "members: [3, 4]",
        "members: [3], welcome: {from: 3, text: \"Hi; a=b\"}",
    );
    let server = server(EMPTY_LIST, LISTED, |_| json(WRITTEN));
    scene_with(&manifest, &server.url()).apply_without_patience();
    let requests = server.requests();
    let sent: Vec<&String> = requests
        .iter()
        .filter(|request| request.starts_with("POST /imbachat/v2/627/send_msg HTTP/1.1\r\n"))
        .collect();
    let [sent] = sent[..] else {
        panic!("one message, not {}", sent.len())
    };
    assert_eq!(
        form(sent),
        [
            ("imba_id", "627"),
            ("password", PASSWORD),
            ("user_id", "3"),
            ("room_id", "7"),
            ("message", "Hi; a=b"),
        ]
    );
    assert_eq!(
        header(sent, "authorization"),
        Some(format!("Basic {BASIC}").as_str())
    );
}

/// The three types on the API's pages, each with its number.
#[test]
fn every_room_type_has_its_number() {
    for (kind, room_type) in [("dialog", "0"), ("conference", "1"), ("support", "3")] {
        let manifest =
            MANIFEST.replace("members: [3, 4]", &format!("type: {kind}, members: [3, 4]"));
        let server = server(EMPTY_LIST, EMPTY_LIST, |_| json(WRITTEN));
        scene_with(&manifest, &server.url()).apply_without_patience();
        let writes = writes(&server);
        assert!(
            form(&writes[0]).contains(&("room_type", room_type)),
            "{kind}"
        );
    }
}

#[test]
fn adding_members_resends_the_live_fields() {
    let writes = applied(MANIFEST, LISTED);
    let fields = form(&writes[0]);
    let title = fields
        .iter()
        .position(|field| *field == ("room_title", "Team A"));
    let first = fields
        .iter()
        .position(|(name, _)| name.starts_with("users_ids"));
    assert!(title.is_some() && title < first, "{fields:?}");
    assert!(fields.contains(&("room_type", "1")) && fields.contains(&("room_is_public", "0")));
}

fn crowded(members: usize) -> String {
    let ids: Vec<String> = (1..=members).map(|id| (id * 10).to_string()).collect();
    format!(
        "version: 1\nrooms:\n  - {{pipe: team-a, title: Team A, members: [{}]}}\n",
        ids.join(", ")
    )
}

#[test]
fn every_chunk_sends_all_fields_and_numbers_members_from_zero() {
    let writes = applied(&crowded(401), EMPTY_LIST);
    let forms: Vec<_> = writes.iter().map(|request| form(request)).collect();
    let mut sent = BTreeSet::new();
    for (index, (fields, members)) in forms.iter().zip([200, 200, 1]).enumerate() {
        let (scalars, users) = fields.split_at(fields.len() - members);
        let mut names: Vec<&str> = scalars.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names.contains(&"room_id"),
            index > 0,
            "the first call makes the room"
        );
        names.retain(|name| *name != "room_id");
        let every = [
            "imba_id",
            "login",
            "password",
            "room_pipe",
            "room_title",
            "room_type",
            "room_is_public",
        ];
        assert_eq!(names, every);
        assert!(scalars.contains(&("room_title", "Team A")));
        for (n, (name, user)) in users.iter().enumerate() {
            assert_eq!(*name, format!("users_ids[{n}]"));
            assert!(
                sent.insert(user.parse::<usize>().unwrap()),
                "{user} was sent twice"
            );
        }
    }
    assert_eq!(forms.len(), 3);
    assert_eq!(sent, (1..=401).map(|id| id * 10).collect());
}

#[test]
fn all_members_arrive_in_several_calls() {
    for (members, calls) in [(200, 1), (201, 2), (400, 2), (401, 3)] {
        let scene = Scene::new().manifest(crowded(members)).applied();
        let room = scene.room("team-a");
        assert_eq!(
            (room.members.len(), room.name.as_str()),
            (members, "Team A")
        );
        assert_eq!(scene.stats().imba_rooms, calls);
        scene.apply().ok();
        assert_eq!(
            scene.stats().imba_rooms,
            calls,
            "the second run writes nothing"
        );
    }
}

#[test]
fn no_proxy_is_used_for_this_machine() {
    let (server, proxy) = (Canned::raw(json(EMPTY_LIST)), Canned::raw(json(EMPTY_LIST)));
    let names = [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "all_proxy",
    ];
    let scene = names.iter().fold(scene_at(&server.url()), |scene, name| {
        scene.env(name, &proxy.url())
    });
    scene.plan().ok();
    assert_eq!((server.served(), proxy.served()), (1, 0));
}

#[test]
fn plain_http_needs_the_flag_and_uses_the_proxy() {
    let proxy = Canned::raw(json(EMPTY_LIST));
    let scene = scene_at("http://something.invalid").env("http_proxy", &proxy.url());
    scene.plan().exits(1);
    assert_eq!(proxy.served(), 0);
    scene.run("plan --allow-insecure-http").ok();
    let requests = proxy.requests();
    let line = "POST http://something.invalid/imbachat/v2/627/get_rooms HTTP/1.1\r\n";
    assert!(
        requests.len() == 1 && requests[0].starts_with(line),
        "{requests:?}"
    );
}
