//! A small in-memory S3: conditional puts, paginated lists, and lost answers. It shares no code with the client.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

const KEY_ID: &str = "key-of-the-tests";
pub const SECRET: &str = "s3cr3t/of+the=tests";
const BUCKET: &str = "bucket";

/// Keys per list page: few, so that long lists have several pages.
const PAGE: usize = 40;

/// A fault that a request meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request is not executed, and there is no answer.
    LostBefore,
    /// The request is executed, and there is no answer.
    LostAfter,
    /// There is no answer, and the request is executed after this many more requests.
    Late(u32),
    /// The request is not executed, and this is the answer.
    Answer(&'static str, &'static str),
    /// The conditions of the request are ignored.
    Unconditional,
}

/// The parts of a request by which a test chooses a fault.
pub struct Call<'a> {
    pub method: &'a str,
}

type Faults = Box<dyn FnMut(&Call<'_>) -> Option<Fault> + Send>;

/// Method, key and status of a request; status 0 if there was no answer.
pub type Asked = (String, String, u16);

struct Object {
    bytes: Vec<u8>,
    etag: String,
    hour: u64,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Object>,
    late: Vec<(u32, Request)>,
    log: Vec<Asked>,
    puts: u64,
    hour: u64,
    faults: Option<Faults>,
}

#[derive(Clone)]
struct Request {
    method: String,
    key: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

struct Answer {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

pub struct S3 {
    address: SocketAddr,
    end: Arc<AtomicBool>,
    state: Arc<Mutex<State>>,
    thread: Option<JoinHandle<()>>,
}

impl S3 {
    pub fn start() -> Self {
        Self::with(|_| None)
    }

    pub fn with(faults: impl FnMut(&Call<'_>) -> Option<Fault> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let end = Arc::new(AtomicBool::new(false));
        let state = Arc::new(Mutex::new(State {
            faults: Some(Box::new(faults)),
            ..State::default()
        }));
        let (ended, shared) = (Arc::clone(&end), Arc::clone(&state));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let (stream, shared) = (stream.unwrap(), Arc::clone(&shared));
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self {
            address,
            end,
            state,
            thread: Some(thread),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The variables that point the program to this server.
    pub fn env(&self) -> Vec<(String, String)> {
        let vars = [
            ("AWS_ENDPOINT_URL", self.url()),
            ("AWS_ACCESS_KEY_ID", KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ];
        vars.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// Sets the faults for all later requests.
    pub fn fail(&self, faults: impl FnMut(&Call<'_>) -> Option<Fault> + Send + 'static) {
        self.state().faults = Some(Box::new(faults));
    }

    /// Advances the clock of the server.
    pub fn pass(&self, hours: u64) {
        self.state().hour += hours;
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.state().log.clone()
    }

    pub fn keys(&self) -> Vec<String> {
        self.state().objects.keys().cloned().collect()
    }

    pub fn text(&self, key: &str) -> Option<String> {
        let state = self.state();
        let object = state.objects.get(key)?;
        Some(String::from_utf8(object.bytes.clone()).unwrap())
    }

    /// Removes an object directly, without a request.
    pub fn remove(&self, key: &str) {
        self.state().objects.remove(key).unwrap();
    }

    /// Stores an object directly, without a request.
    pub fn put(&self, key: &str, text: &str) {
        self.state().store(key.to_owned(), text.into());
    }

    /// Executes all late requests.
    pub fn settle(&self) {
        let mut state = self.state();
        for (_, request) in std::mem::take(&mut state.late) {
            state.act(&request, false);
        }
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.end.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        self.thread.take().unwrap().join().unwrap();
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let mut left = Vec::new();
    while let Some(request) = read(&mut stream, &mut left) {
        let Some(answer) = state.lock().unwrap().answer(&request) else {
            return;
        };
        let mut head = format!("HTTP/1.1 {}\r\n", answer.status);
        for (name, value) in &answer.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        if !answer
            .headers
            .iter()
            .any(|(name, _)| *name == "Content-Length")
        {
            write!(head, "Content-Length: {}\r\n", answer.body.len()).unwrap();
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&answer.body);
        if stream.write_all(&bytes).is_err() {
            return;
        }
    }
}

/// Reads one request; `left` holds the bytes after the previous one.
fn read(stream: &mut TcpStream, left: &mut Vec<u8>) -> Option<Request> {
    let mut piece = [0; 1 << 16];
    loop {
        let head = left.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(head) = head {
            let text = String::from_utf8(left[..head].to_vec()).unwrap();
            let mut lines = text.lines();
            let mut first = lines.next().unwrap().split(' ');
            let headers: BTreeMap<String, String> = lines
                .map(|line| {
                    let (name, value) = line.split_once(':').unwrap();
                    (name.to_ascii_lowercase(), value.trim().to_owned())
                })
                .collect();
            let length = headers.get("content-length");
            let length = length.map_or(0, |length| length.parse().unwrap());
            if left.len() >= head + 4 + length {
                let body = left[head + 4..head + 4 + length].to_vec();
                left.drain(..head + 4 + length);
                let method = first.next().unwrap().to_owned();
                let target = first.next().unwrap();
                let (path, query) = target.split_once('?').unwrap_or((target, ""));
                let query = query.split('&').filter(|pair| !pair.is_empty());
                let query = query.map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decoded(name), decoded(value))
                });
                return Some(Request {
                    method,
                    key: decoded(path),
                    query: query.collect(),
                    headers,
                    body,
                });
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(count) => left.extend_from_slice(&piece[..count]),
        }
    }
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, more)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(&more[..2]).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &more[2..];
        } else {
            bytes.push(*first);
            rest = more;
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn plain(status: &'static str) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        body: Vec::new(),
    }
}

fn error(status: &'static str, code: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>said by the tests</Message></Error>"
    );
    Answer {
        body: body.into(),
        ..plain(status)
    }
}

impl State {
    /// `None` if there is no answer.
    fn answer(&mut self, request: &Request) -> Option<Answer> {
        for (left, _) in &mut self.late {
            *left = left.saturating_sub(1);
        }
        let (due, late) = std::mem::take(&mut self.late)
            .into_iter()
            .partition(|(left, _)| *left == 0);
        self.late = late;
        let due: Vec<(u32, Request)> = due;
        for (_, request) in due {
            self.act(&request, false);
        }
        let call = Call {
            method: &request.method,
        };
        let fault = self.faults.as_mut().and_then(|faults| faults(&call));
        let answer = match fault {
            None => Some(self.act(request, false)),
            Some(Fault::Unconditional) => Some(self.act(request, true)),
            Some(Fault::LostBefore) => None,
            Some(Fault::LostAfter) => {
                self.act(request, false);
                None
            }
            Some(Fault::Late(count)) => {
                self.late.push((count, request.clone()));
                None
            }
            Some(Fault::Answer(status, body)) => Some(Answer {
                body: body.into(),
                ..plain(status)
            }),
        };
        let status = answer.as_ref().map_or(0, |answer| {
            answer.status.split(' ').next().unwrap().parse().unwrap()
        });
        let (method, key) = (request.method.clone(), request.key.clone());
        self.log.push((method, key, status));
        answer
    }

    fn act(&mut self, request: &Request, unconditional: bool) -> Answer {
        let signed = format!("AWS4-HMAC-SHA256 Credential={KEY_ID}/");
        let authorization = request.headers.get("authorization");
        if !authorization.is_some_and(|text| text.starts_with(&signed)) {
            return error("403 Forbidden", "InvalidAccessKeyId");
        }
        let path = request.key.trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        if bucket != BUCKET {
            return error("404 Not Found", "NoSuchBucket");
        }
        match request.method.as_str() {
            "GET" if key.is_empty() => self.list(request),
            "GET" | "HEAD" => self.get(request, key),
            "PUT" => {
                let there = self.objects.get(key).map(|object| object.etag.as_str());
                let taken = request.headers.contains_key("if-none-match") && there.is_some();
                let wanted = request.headers.get("if-match").map(String::as_str);
                let changed = wanted.is_some() && wanted != there;
                if (taken || changed) && !unconditional {
                    return error("412 Precondition Failed", "PreconditionFailed");
                }
                let etag = self.store(key.to_owned(), request.body.clone());
                Answer {
                    headers: vec![("ETag", etag)],
                    ..plain("200 OK")
                }
            }
            "DELETE" => {
                self.objects.remove(key);
                plain("204 No Content")
            }
            _ => error("501 Not Implemented", "NotImplemented"),
        }
    }

    fn store(&mut self, key: String, bytes: Vec<u8>) -> String {
        self.puts += 1;
        let etag = format!("\"{:032x}\"", self.puts);
        let object = Object {
            bytes,
            etag: etag.clone(),
            hour: self.hour,
        };
        self.objects.insert(key, object);
        etag
    }

    fn get(&self, request: &Request, key: &str) -> Answer {
        let Some(object) = self.objects.get(key) else {
            return error("404 Not Found", "NoSuchKey");
        };
        let headers = vec![
            ("ETag", object.etag.clone()),
            ("Last-Modified", day(object.hour)),
        ];
        if request.headers.get("if-none-match") == Some(&object.etag) {
            return Answer {
                headers,
                ..plain("304 Not Modified")
            };
        }
        if request.method == "HEAD" {
            let length = ("Content-Length", object.bytes.len().to_string());
            return Answer {
                headers: headers.into_iter().chain([length]).collect(),
                ..plain("200 OK")
            };
        }
        Answer {
            headers,
            body: object.bytes.clone(),
            ..plain("200 OK")
        }
    }

    /// One page of the keys directly below a prefix.
    fn list(&self, request: &Request) -> Answer {
        let of = |name: &str| request.query.get(name).cloned().unwrap_or_default();
        assert_eq!((of("list-type"), of("delimiter")), ("2".into(), "/".into()));
        let (prefix, after) = (of("prefix"), of("continuation-token"));
        let below = self.objects.iter().filter(|(key, _)| {
            let rest = key.strip_prefix(&prefix);
            rest.is_some_and(|rest| !rest.contains('/')) && **key > after
        });
        let below: Vec<(&String, &Object)> = below.take(PAGE + 1).collect();
        let mut body = format!(
            "<?xml version=\"1.0\"?><ListBucketResult><Prefix>{prefix}</Prefix><IsTruncated>{}</IsTruncated>",
            below.len() > PAGE
        );
        for (key, object) in below.iter().take(PAGE) {
            let (day, hour) = (1 + object.hour / 24, object.hour % 24);
            write!(
                body,
                "<Contents><Key>{key}</Key><LastModified>2026-01-{day:02}T{hour:02}:00:00.000Z</LastModified><ETag>{}</ETag><Size>{}</Size></Contents>",
                object.etag.replace('"', "&quot;"),
                object.bytes.len()
            )
            .unwrap();
        }
        if below.len() > PAGE {
            let next = below[PAGE - 1].0;
            write!(
                body,
                "<NextContinuationToken>{next}</NextContinuationToken>"
            )
            .unwrap();
        }
        body.push_str("</ListBucketResult>");
        Answer {
            body: body.into(),
            ..plain("200 OK")
        }
    }
}

/// A time in January 2026 as an HTTP date; 1 January was a Thursday.
fn day(hour: u64) -> String {
    let names = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let (day, hour) = (hour / 24, hour % 24);
    let name = names[(day % 7) as usize];
    format!("{name}, {:02} Jan 2026 {hour:02}:00:00 GMT", day + 1)
}
