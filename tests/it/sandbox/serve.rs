//! `sandbox serve`: a flag for each behaviour that the API's pages leave open, a warning, and a shortage of file descriptors.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use serde_json::Value;
use tokio::net::TcpStream;

use super::calls::TOKEN;
use super::{WRITE, exchange_with, post, request};
use crate::support::{Running, Scene};

const LIST: &str = "/imbachat/v2/7/get_rooms";

/// A running `sandbox serve`.
struct Serve {
    process: Running,
    address: SocketAddr,
}

impl Serve {
    fn start(scene: &Scene, flags: &str) -> Self {
        Self::spawn(scene.command(format!("sandbox serve --listen 127.0.0.1:0 {flags}")))
    }

    fn spawn(mut command: Command) -> Self {
        let mut process = Running::start(command.stdout(Stdio::piped()));
        let mut line = String::new();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap();
        let address = address.parse().unwrap();
        Self { process, address }
    }

    async fn send(&self, request: &[u8]) -> (u16, Value) {
        let (head, body) = exchange_with(self.address, request).await.unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        // The answer to an update has a trailing comma, so it is not parsed.
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    async fn write(&self, form: &str) {
        let form = format!("imba_id=7&login=admin&password=admin&{form}");
        assert_eq!(self.send(&post(WRITE, &form)).await.0, 200);
    }

    /// The value of a key in each listed room, except the room that every widget has.
    async fn rooms(&self, filter: &str, key: &str) -> Vec<String> {
        let (_, answer) = self.send(&post(LIST, filter)).await;
        let rows = answer["data"].as_array().unwrap().iter();
        rows.filter(|row| row["type"] != 3)
            .map(|row| row[key].as_str().unwrap().to_owned())
            .collect()
    }
}

/// Starts one server without the flags, and one with them.
fn without_and_with(flags: &str) -> [Serve; 2] {
    let scene = Scene::new();
    ["", flags].map(|flags| Serve::start(&scene, flags))
}

#[tokio::test]
async fn keep_title_keeps_the_title_if_it_is_omitted() {
    let mut titles = Vec::new();
    for serve in without_and_with("--keep-title") {
        serve.write("room_pipe=p&room_title=Old").await;
        serve.write("room_pipe=p&users_ids[]=3").await;
        titles.extend(serve.rooms("", "name").await);
    }
    assert_eq!(titles, ["new room", "Old"]);
}

#[tokio::test]
async fn ignore_updates_leaves_rooms_unchanged() {
    let mut titles = Vec::new();
    for serve in without_and_with("--ignore-updates") {
        serve.write("room_pipe=p&room_title=Old").await;
        serve.write("room_pipe=p&room_title=New").await;
        titles.extend(serve.rooms("", "name").await);
    }
    assert_eq!(titles, ["New", "Old"]);
}

#[tokio::test]
async fn list_lag_hides_recent_writes() {
    let mut listed = Vec::new();
    for serve in without_and_with("--list-lag 1h") {
        serve.write("room_pipe=p").await;
        listed.push(serve.rooms("", "pipe").await.len());
    }
    assert_eq!(listed, [1, 0]);
}

#[tokio::test]
async fn show_deleted_lists_deleted_rooms() {
    let scene = Scene::new();
    let serve = Serve::start(&scene, "--state state.json");
    serve.write("room_pipe=p").await;
    drop(serve);
    let state = scene.read("state.json");
    let (start, room) = state.rsplit_once("\"pipe\":\"p\"").unwrap();
    let deleted = room.replacen("\"deleted_at\":null", "\"deleted_at\":\"2026-01-01\"", 1);
    scene.write("state.json", format!("{start}\"pipe\":\"p\"{deleted}"));
    let mut listed = Vec::new();
    for flags in ["", "--show-deleted"] {
        let serve = Serve::start(&scene, &format!("--state state.json {flags}"));
        listed.push(serve.rooms("", "deleted_at").await);
    }
    assert_eq!(listed, [vec![], vec!["2026-01-01".to_owned()]]);
}

#[tokio::test]
async fn errors_with_200_answers_errors_with_status_200() {
    let mut statuses = Vec::new();
    for serve in without_and_with("--errors-with-200") {
        let (status, answer) = serve.send(&request(&format!("POST {LIST}"), "", "")).await;
        statuses.push((status, answer["code"].as_u64()));
    }
    assert_eq!(statuses, [(401, Some(401)), (200, Some(401))]);
}

#[tokio::test]
async fn drop_unknown_users_adds_only_known_members() {
    let mut found = Vec::new();
    for serve in without_and_with("--drop-unknown-users") {
        // User 1 is the administrator. User 3 is unknown.
        serve.write("room_pipe=p&users_ids[]=1&users_ids[]=3").await;
        for size in 1..=2 {
            let filter = format!("count_users={size}");
            found.push(serve.rooms(&filter, "pipe").await.len());
        }
    }
    assert_eq!(found, [0, 1, 1, 0]);
}

#[tokio::test]
async fn count_users_has_three_meanings_and_may_count_the_administrator() {
    let scene = Scene::new();
    for (flags, expected) in [
        ("", [false, true, false, false]),
        ("--count-users exact", [false, true, false, false]),
        ("--count-users at-least", [true, true, false, false]),
        ("--count-users ignored", [true, true, true, true]),
        ("--count-admin", [false, false, true, false]),
        (
            "--count-admin --count-users at-least",
            [true, true, true, false],
        ),
    ] {
        let serve = Serve::start(&scene, flags);
        serve.write("room_pipe=p&users_ids[]=3&users_ids[]=4").await;
        for (size, expected) in (1..).zip(expected) {
            let found = serve.rooms(&format!("count_users={size}"), "pipe").await;
            assert_eq!(!found.is_empty(), expected, "{flags}, {size}");
        }
    }
}

#[tokio::test]
async fn an_administrator_who_is_a_member_counts_once() {
    let serve = Serve::start(&Scene::new(), "--count-admin");
    serve.write("room_pipe=p&users_ids[]=1&users_ids[]=3").await;
    assert_eq!(serve.rooms("count_users=2", "pipe").await, ["p"]);
}

#[tokio::test]
async fn jwt_lists_own_lists_the_rooms_of_one_user() {
    let mut listed = Vec::new();
    for serve in without_and_with("--jwt-lists-own") {
        serve.write("room_pipe=p&users_ids[]=3").await;
        let list = request(&format!("POST {LIST}"), &format!("JWT: {TOKEN}\r\n"), "");
        let (_, answer) = serve.send(&list).await;
        listed.push(answer["data"].as_array().unwrap().len());
    }
    assert_eq!(listed, [2, 0]);
}

#[tokio::test]
async fn strict_messages_require_imba_id_and_password() {
    let mut statuses = Vec::new();
    for serve in without_and_with("--strict-messages") {
        serve.write("room_pipe=p&users_ids[]=3").await;
        let (_, list) = serve.send(&post(LIST, "")).await;
        let room = &list["data"][0]["id"];
        for more in ["", "&imba_id=7", "&imba_id=7&password=x"] {
            let form = format!("user_id=3&message=hello&room_id={room}{more}");
            let message = post("/imbachat/v2/7/send_msg", &form);
            statuses.push(serve.send(&message).await.0);
        }
    }
    assert_eq!(statuses, [200, 200, 200, 422, 422, 200]);
}

#[tokio::test]
async fn duplicate_pipes_creates_a_room_for_each_write() {
    let mut listed = Vec::new();
    for serve in without_and_with("--duplicate-pipes") {
        for _ in 0..2 {
            serve.write("room_pipe=p").await;
        }
        listed.push(serve.rooms("", "pipe").await.len());
    }
    assert_eq!(listed, [1, 2]);
}

#[test]
fn serving_other_machines_causes_a_warning() {
    let scene = Scene::new();
    for (host, warns) in [("0.0.0.0", true), ("127.0.0.1", false)] {
        let mut command = scene.command(format!("sandbox serve --listen {host}:0"));
        command.stderr(Stdio::piped());
        let mut serve = Serve::spawn(command);
        let mut said = String::new();
        serve.process.kill().unwrap();
        let stderr = serve.process.stderr.as_mut().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        assert_eq!(
            said.contains("other machines can reach the sandbox"),
            warns,
            "{said}"
        );
    }
}

/// Clients that hold connections use up the file descriptors. When they leave, the server goes on.
#[cfg(unix)]
#[tokio::test]
async fn the_server_survives_a_shortage_of_file_descriptors() {
    let plain = Scene::new().command("sandbox serve --listen 127.0.0.1:0");
    let mut limited = Command::new("/bin/sh");
    limited
        .args(["-c", "ulimit -n 32; exec \"$@\"", "sh"])
        .arg(plain.get_program())
        .args(plain.get_args());
    let serve = Serve::spawn(limited);
    let mut held = Vec::new();
    for _ in 0..64 {
        held.push(TcpStream::connect(serve.address).await.unwrap());
    }
    // The last connection waits for a file descriptor until the others are closed.
    let list = post(LIST, "");
    let answer = serve.send(&list);
    let late = async {
        tokio::task::yield_now().await;
        held.clear();
    };
    let ((status, _), ()) = tokio::join!(answer, late);
    assert_eq!(status, 200);
}
