//! Servers that never stop sending: every run still ends, and its error names the limit.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{redacted_output, scene_at};
use crate::support::{Canned, Shows, read_request};

const OK: &str = "HTTP/1.1 200 OK";
const LIST: &str = r#"{"success":"true","data":["#;
const NO_PAUSE: Duration = Duration::ZERO;

/// A server that starts every answer with the given status and body, and then repeats a piece
/// of text until the client closes the connection.
struct Endless {
    address: SocketAddr,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Endless {
    fn start(status: &str, body: &str, piece: &str, pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let end = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&end);
        let start = format!("{status}\r\nConnection: close\r\n\r\n{body}");
        // Many small pieces are written together, for speed.
        let times = match pause {
            NO_PAUSE => 100_000_usize.div_ceil(piece.len()),
            _ => 1,
        };
        let pieces = piece.repeat(times);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let mut stream = stream.unwrap();
                read_request(&mut stream);
                let mut sent = stream.write_all(start.as_bytes());
                while sent.is_ok() && is_open(&mut stream, pause) {
                    sent = stream.write_all(pieces.as_bytes());
                }
            }
        });
        Self {
            address,
            end,
            thread: Some(thread),
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        self.end.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Whether the client keeps the connection open for this time.
fn is_open(stream: &mut TcpStream, pause: Duration) -> bool {
    if pause == NO_PAUSE {
        return true;
    }
    stream.set_read_timeout(Some(pause)).unwrap();
    // A read ends early only if the client closes the connection.
    stream
        .read(&mut [0])
        .is_err_and(|error| error.kind() != std::io::ErrorKind::ConnectionReset)
}

/// The output of a command against an endless answer.
#[track_caller]
fn run(args: &str, status: &str, body: &str, piece: &str) -> String {
    let server = Endless::start(status, body, piece, NO_PAUSE);
    redacted_output(&scene_at(&server.url()).run(args), &[])
}

#[test]
fn endless_rows_exceed_a_limit() {
    assert_snapshot!(run("get users", OK, LIST, "{},"), @"
    exit 1
    error: the server's list has more than 1000000 rows
      hint: check --api-url, and ask the server's operator
    ");
}

#[test]
fn endless_white_space_and_commas_exceed_a_limit() {
    let text = run("plan", OK, LIST, " \n");
    assert_snapshot!(text, @"
    exit 1
    error: the gap between two rows of the server's list is larger than 1 MiB
      hint: check --api-url, and ask the server's operator
    ");
    assert_eq!(run("plan", OK, LIST, ","), text);
    assert_eq!(run("apply --yes", OK, LIST, ",\t"), text);
    assert_snapshot!(run("plan", OK, "", " "), @"
    exit 1
    error: the server's answer, not counting its rows, is larger than 1 MiB
      hint: check --api-url, and ask the server's operator
    ");
    assert_snapshot!(run("plan", OK, r#"{"message":""#, "text "), @"
    exit 1
    error: the server's answer, not counting its rows, is larger than 1 MiB
      hint: check --api-url, and ask the server's operator
    ");
}

#[test]
fn an_endless_row_exceeds_a_limit() {
    assert_snapshot!(run("plan", OK, r#"{"data":[{"name":""#, "long "), @"
    exit 1
    error: a row of the server's list is larger than 8 MiB
      hint: check --api-url, and ask the server's operator
    ");
}

#[test]
fn endless_messages_exceed_a_limit() {
    assert_snapshot!(run("get messages", OK, "[", r#"{"id":1},"#), @"
    exit 1
    error: the server's answer is larger than 64 MiB
      hint: check --api-url, and ask the server's operator
    ");
}

#[test]
fn an_endless_error_body_exceeds_a_limit() {
    let status = "HTTP/1.1 422 Unprocessable Entity";
    assert_snapshot!(run("plan", status, r#"{"error":""#, "no "), @"
    exit 1
    error: the server rejects the request (HTTP 422): the server's answer is larger than 64 KiB
    ");
}

#[test]
fn an_endless_answer_to_a_write_exceeds_a_limit() {
    let server = Endless::start(OK, r#"{"data":[{"success":true,"x":""#, "long ", NO_PAUSE);
    let scene = scene_at(&server.url());
    let sent = scene.run("send --room-id 7 --user 3 hi");
    assert_snapshot!(redacted_output(&sent, &[]), @"
    exit 1
    error: uncertain: the message may have been sent to room 7, so roomform does not send it again: the server's answer is larger than 4 MiB
      hint: check room 7 before you send it again
    ");
}

#[test]
fn a_slow_endless_list_exceeds_the_time_limit() {
    let server = Endless::start(OK, LIST, " ", Duration::from_millis(10));
    let ran = scene_at(&server.url()).run("plan --timeout 50ms");
    assert_snapshot!(redacted_output(&ran, &[]), @"
    exit 1
    error: the server's answer is not complete after 1 s
      hint: raise --timeout if the server needs more time
    ");
}

#[test]
fn a_slow_endless_error_exceeds_the_time_limit() {
    let status = "HTTP/1.1 403 Forbidden";
    let server = Endless::start(status, r#"{"error":""#, "n", Duration::from_millis(10));
    let ran = scene_at(&server.url()).run("plan --timeout 200ms");
    assert_snapshot!(redacted_output(&ran, &[]), @"
    exit 1
    error: the server does not accept the widget's secret key (HTTP 403): the server's answer is not complete after 0.2 s
      hint: check IMBACHAT_WIDGET and IMBACHAT_SECRET_KEY: both are shown in the widget's settings
    ");
}

#[test]
fn a_slow_endless_error_of_a_write_exceeds_the_time_limit() {
    let status = "HTTP/1.1 422 Unprocessable Entity";
    let server = Endless::start(status, r#"{"error":""#, "n", Duration::from_millis(10));
    let scene = scene_at(&server.url());
    let ran = scene.run("send --room-id 7 --user 3 hi --timeout 200ms");
    assert_snapshot!(redacted_output(&ran, &[]), @"
    exit 1
    error: the message was not sent: the server rejects the request (HTTP 422): the server's answer is not complete after 0.2 s
    ");
}

fn row(id: usize, pipe: &str, deleted_at: Option<&str>) -> Value {
    json!({"id": id, "pipe": pipe, "name": "Team A", "type": 1, "is_public": 0, "deleted_at": deleted_at})
}

/// The output of a command if the server lists these rows. The port is replaced in the output.
#[track_caller]
fn with_rows(args: &str, rows: impl Iterator<Item = Value>) -> String {
    let list = json!({"data": rows.collect::<Vec<_>>()}).to_string();
    let server = Canned::answer("200 OK", "", &list);
    let url = server.url();
    let port = url.rsplit(':').next().unwrap();
    redacted_output(&scene_at(&url).run(args), &[(port, "PORT")])
}

#[test]
fn too_many_rows_with_one_pipe_exceed_a_limit() {
    let rows = |live: usize, deleted: usize| {
        let gone = (1..=deleted).map(|id| row(id, "team-a", Some("2020-12-19 20:42:07")));
        gone.chain((1001..=1000 + live).map(|id| row(id, "team-a", None)))
    };
    let refused = with_rows("plan", rows(101, 0));
    assert_snapshot!(refused, @"
    exit 1
    error: more than 100 live rooms have the pipe `team-a`
      hint: delete all but one of them in ImbaChat
    ");
    assert_eq!(with_rows("plan", rows(101, 300)), refused);
    with_rows("plan", rows(100, 0)).shows("92 more have this pipe");
    // Deleted rows do not count, however many there are.
    assert_eq!(
        with_rows("plan", rows(1, 300)),
        with_rows("plan", rows(1, 0))
    );
    let send = with_rows("send team-a hi --user 3", rows(5000, 0));
    send.shows("5000 live rooms have the pipe `team-a`: 1001, ")
        .shows(" 1020 … 4980 more; nothing");
}

#[test]
fn only_some_of_many_look_alike_rooms_are_reported() {
    // The second letter is Cyrillic.
    let rows = (1..=1100).map(|id| row(id, "t\u{435}am-a", None));
    let plan = with_rows("plan", rows);
    assert_eq!(plan.matches("looks like").count(), 1000, "{plan}");
}
