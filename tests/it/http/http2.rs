//! HTTP/2 servers that reject streams: the retry table decides what is sent again, and no room is created twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::connections::many;
use super::scene_with;
use crate::support::{Ran, Scene, form};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const REFUSED_STREAM: u32 = 7;
/// `:status: 200` in HPACK's static table.
const STATUS_200: u8 = 0x88;

/// The server's reply to a create.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reply {
    Answer,
    /// RST_STREAM without creating the room.
    Refuse,
    /// GOAWAY that excludes the stream; the room is not created.
    GoAway,
    /// The room is created, then GOAWAY that includes the stream, then the connection is closed.
    GoAwayAfter,
    /// The room is created, then RST_STREAM with a reason other than REFUSED_STREAM.
    ResetAfter,
}

#[derive(Default)]
struct Seen {
    /// How often each room was sent.
    received: BTreeMap<String, usize>,
    /// How often each room was created.
    created: BTreeMap<String, usize>,
}

struct Shared {
    config: Arc<ServerConfig>,
    /// Selects the reply by the number of the create, from 0.
    reply: fn(usize) -> Reply,
    seen: Mutex<Seen>,
    end: AtomicBool,
}

struct Server {
    address: SocketAddr,
    pem: String,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(reply: fn(usize) -> Reply) -> Self {
        let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let text = STANDARD.encode(own.cert.der());
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let shared = Arc::new(Shared {
            config: Arc::new(config),
            reply,
            seen: Mutex::default(),
            end: AtomicBool::new(false),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serving = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let mut connections = Vec::new();
            for stream in listener.incoming() {
                if serving.end.load(Ordering::SeqCst) {
                    break;
                }
                let (stream, shared) = (stream.unwrap(), Arc::clone(&serving));
                connections.push(std::thread::spawn(move || {
                    // `serve` ends when the client closes or cuts the connection.
                    drop(serve(stream, &shared));
                }));
            }
            for connection in connections {
                connection.join().unwrap();
            }
        });
        Self {
            address,
            pem: format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"),
            shared,
            thread: Some(thread),
        }
    }

    fn scene(&self, rooms: u32) -> Scene {
        let scene = scene_with(&many(rooms), &format!("https://{}", self.address));
        let certificate = scene.write("certificate.pem", &self.pem);
        scene.env("SSL_CERT_FILE", certificate.to_str().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.end.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking());
    }
}

type Tls = StreamOwned<ServerConnection, TcpStream>;

fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let connection = ServerConnection::new(Arc::clone(&shared.config)).unwrap();
    let mut tls = StreamOwned::new(connection, stream);
    tls.read_exact(&mut [0; PREFACE.len()])?;
    frame(&mut tls, SETTINGS, 0, 0, &[])?;
    let (mut bodies, mut answered, mut last) = (BTreeMap::new(), 0, u32::MAX);
    loop {
        let mut head = [0; 9];
        tls.read_exact(&mut head)?;
        let [a, b, c, kind, flags, id @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        tls.read_exact(&mut payload)?;
        let id = u32::from_be_bytes(id);
        match kind {
            SETTINGS if flags & ACK == 0 => frame(&mut tls, SETTINGS, ACK, 0, &[])?,
            PING if flags & ACK == 0 => frame(&mut tls, PING, ACK, 0, &payload)?,
            DATA if id <= last => {
                let body: &mut Vec<u8> = bodies.entry(id).or_default();
                body.extend(payload);
                if flags & END_STREAM == 0 {
                    continue;
                }
                let body = String::from_utf8(bodies.remove(&id).unwrap()).unwrap();
                let (reply, text) = shared.call(&body);
                match reply {
                    Reply::Answer => {
                        frame(&mut tls, HEADERS, END_HEADERS, id, &[STATUS_200])?;
                        frame(&mut tls, DATA, END_STREAM, id, text.as_bytes())?;
                        answered = id;
                    }
                    Reply::Refuse => code(&mut tls, RST_STREAM, id, &[REFUSED_STREAM])?,
                    Reply::ResetAfter => code(&mut tls, RST_STREAM, id, &[INTERNAL_ERROR])?,
                    Reply::GoAway => {
                        last = answered;
                        code(&mut tls, GOAWAY, 0, &[last, NO_ERROR])?;
                    }
                    Reply::GoAwayAfter => {
                        code(&mut tls, GOAWAY, 0, &[id, NO_ERROR])?;
                        tls.conn.send_close_notify();
                        return tls.flush();
                    }
                }
            }
            _ => {}
        }
    }
}

fn code(tls: &mut Tls, kind: u8, id: u32, numbers: &[u32]) -> io::Result<()> {
    let payload: Vec<u8> = numbers.iter().flat_map(|it| it.to_be_bytes()).collect();
    frame(tls, kind, 0, id, &payload)
}

fn frame(tls: &mut Tls, kind: u8, flags: u8, id: u32, payload: &[u8]) -> io::Result<()> {
    let [_, a, b, c] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let [d, e, f, g] = id.to_be_bytes();
    tls.write_all(&[a, b, c, kind, flags, d, e, f, g])?;
    tls.write_all(payload)?;
    tls.flush()
}

impl Shared {
    /// Executes the call. Returns the reply and its body.
    fn call(&self, body: &str) -> (Reply, String) {
        let mut seen = self.seen.lock().unwrap();
        let fields: BTreeMap<&str, &str> = form(body).into_iter().collect();
        let Some(pipe) = fields.get("room_pipe") else {
            return (Reply::Answer, list(&seen));
        };
        let id = pipe.trim_start_matches("room-");
        let answer = format!(
            r#"{{"code":200,"message":"Success","data":[{{"success":true,"room_id":{id}}}]}}"#
        );
        if fields.contains_key("room_id") {
            return (Reply::Answer, answer);
        }
        let reply = (self.reply)(seen.received.values().sum());
        *seen.received.entry((*pipe).to_owned()).or_default() += 1;
        if !matches!(reply, Reply::Refuse | Reply::GoAway) {
            *seen.created.entry((*pipe).to_owned()).or_default() += 1;
        }
        (reply, answer)
    }
}

fn list(seen: &Seen) -> String {
    let mut rows = String::new();
    for pipe in seen.created.keys() {
        let id = pipe.trim_start_matches("room-");
        let _ = write!(
            rows,
            r#"{}{{"id":{id},"pipe":"{pipe}","name":"Room {id}","type":1,"is_public":0,"deleted_at":null}}"#,
            if rows.is_empty() { "" } else { "," }
        );
    }
    format!(r#"{{"success":"true","data":[{rows}],"code":200}}"#)
}

/// Applies 20 rooms. Each must be created once, and the run must know about every request that was sent.
#[track_caller]
fn applied(server: &Server, parallelism: &str) -> Ran {
    let scene = server.scene(20);
    let ran = scene.run([
        "apply",
        "--yes",
        "--parallelism",
        parallelism,
        "--format",
        "json",
    ]);
    let seen = server.shared.seen.lock().unwrap();
    let once: BTreeSet<usize> = seen.created.values().copied().collect();
    assert_eq!((seen.created.len(), once), (20, [1].into()), "{ran:#?}");
    let report = ran.json();
    let rooms = report["rooms"].as_array().unwrap();
    let sent: BTreeMap<String, usize> = rooms
        .iter()
        .map(|room| {
            let requests = room["requests"].as_u64().unwrap();
            let pipe = room["pipe"].as_str().unwrap();
            (pipe.to_owned(), usize::try_from(requests).unwrap())
        })
        .collect();
    for (pipe, received) in &seen.received {
        assert!(*received <= sent[pipe], "{pipe}: {received}, {ran:#?}");
    }
    ran.exits(0);
    drop(seen);
    ran
}

#[test]
fn only_the_retry_table_repeats_a_refused_stream() {
    let server = Server::start(|create| match create {
        0..3 | 9 => Reply::Refuse,
        _ => Reply::Answer,
    });
    applied(&server, "1");
    let seen = server.shared.seen.lock().unwrap();
    assert_eq!(seen.received["room-1"], 4, "three refusals, then it works");
}

#[test]
fn streams_that_a_goaway_excludes_are_sent_again_on_another_connection() {
    let server = Server::start(|create| match create {
        2 | 5 | 12 => Reply::GoAway,
        _ => Reply::Answer,
    });
    applied(&server, "4");
}

#[test]
fn a_create_that_may_have_succeeded_is_looked_up_and_not_repeated() {
    let server = Server::start(|create| match create {
        2 => Reply::GoAwayAfter,
        7 => Reply::ResetAfter,
        _ => Reply::Answer,
    });
    applied(&server, "1");
    let seen = server.shared.seen.lock().unwrap();
    assert!(seen.received.values().all(|times| *times == 1));
}
