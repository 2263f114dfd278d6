//! What the sandbox does beyond the examples on the API's pages: form rules, refusals, identity of rooms, lists, quirks,
//! faults, the state file. Tests that need no socket use a `World`.

mod calls;
mod lists;
mod port;
mod serve;
mod state_file;

use std::net::SocketAddr;

use roomform::sandbox::{Answer, Auth, Room, Sandbox, World};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const WRITE: &str = "/imbachat/v1/widget/imba_rooms";
const NOW: u64 = 1_608_410_527;

// without a socket

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

/// A v2 call to widget 7.
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

/// The room id in the answer to a write, whichever of the two shapes the answer has.
fn id(answer: &Answer) -> u64 {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let (_, after) = answer.body.split_once("\"room_id\":").unwrap();
    let digits: String = after.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

fn room(world: &World, id: u64) -> Room {
    world
        .rooms(7)
        .into_iter()
        .find(|room| room.id == id)
        .unwrap()
}

/// The names in `get_rooms`, without the room that every widget has.
fn listed(world: &mut World) -> Vec<String> {
    let rows = rows(&ask(world, "get_rooms", &[]));
    let declared = rows.iter().filter(|row| row["type"] != 3);
    declared
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

// over a socket

/// The answer on a new connection: head and body, or nothing if the connection was cut.
async fn exchange(sandbox: &Sandbox, request: &[u8]) -> Option<(String, String)> {
    exchange_with(sandbox.addr(), request).await
}

async fn exchange_with(address: SocketAddr, request: &[u8]) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // A cut connection may end with a reset.
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

fn pipes(sandbox: &Sandbox) -> Vec<String> {
    let rooms = sandbox.with_world(|world| world.rooms(7));
    rooms
        .into_iter()
        .filter(|room| room.kind != 3)
        .map(|room| room.pipe)
        .collect()
}
