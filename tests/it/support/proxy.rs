//! A proxy in front of a sandbox that makes some calls fail.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::net::TcpSocket;

use super::messages::{answer, read_request};

/// A fault at one call. If the name ends in `After`, the server executes the request before the
/// fault occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Connections are refused from this call until `reopen`.
    Refused,
    /// The connection is closed before the request is read.
    CutUnread,
    /// The request is read, and the connection is closed.
    Cut,
    /// Like `Cut`, but the server executes the request first.
    CutAfter,
    /// No answer until the client gives up.
    Silence,
    /// Like `Silence`, but the server executes the request first.
    SilenceAfter,
    /// The first half of the server's own answer.
    HalfAfter,
    /// An answer with this status line, these headers and this body; the request is not executed.
    Answer(&'static str, &'static str, &'static str),
    /// Like `Answer`, but the server executes the request first.
    AnswerAfter(&'static str, &'static str, &'static str),
    /// An answer with this status line that echoes the whole request as JSON; the request is not executed.
    Echo(&'static str),
    /// Like `Echo`, but the answer is an HTML page.
    EchoPage(&'static str),
}

/// A proxy that forwards calls to a server and makes some of them fail. Each call has its own
/// connection.
pub struct Proxy {
    /// A bound socket. It reserves the port while connections are refused.
    port: TcpSocket,
    end: Arc<AtomicBool>,
    open: Option<Sender<()>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    max_concurrent: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

/// A call as seen by the proxy.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Head and body; empty if the request was not read.
    pub request: String,
    /// Whether the client got the server's complete answer.
    pub answered: bool,
}

/// Selects the fault of a call, if it has one. The arguments are the number of the call,
/// counted from 0, and the request, or `None` if the request is not read yet.
type Decide = dyn Fn(usize, Option<&str>) -> Option<Fault> + Send + Sync;

impl Proxy {
    pub fn start(
        server: &str,
        decide: impl Fn(usize, Option<&str>) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        Self::rewriting(server, str::to_owned, decide)
    }

    /// Starts a proxy that rewrites requests without changing their length.
    pub fn rewriting(
        server: &str,
        rewrite: fn(&str) -> String,
        decide: impl Fn(usize, Option<&str>) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        let port = TcpSocket::new_v4().unwrap();
        port.set_reuseaddr(true).unwrap();
        port.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = port.local_addr().unwrap();
        let end = Arc::new(AtomicBool::new(false));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let max_concurrent = Arc::new(AtomicUsize::new(0));
        let forwarder = Forwarder {
            server: server.trim_start_matches("http://").to_owned(),
            rewrite,
            decide: Arc::new(decide),
            seen: Arc::clone(&seen),
            max_concurrent: Arc::clone(&max_concurrent),
            in_flight: Arc::default(),
        };
        let (open, opened) = mpsc::channel();
        let (ended, listening) = (Arc::clone(&end), forwarder.listen(address, 0));
        let thread =
            std::thread::spawn(move || forwarder.serve(address, listening, &opened, &ended));
        Self {
            port,
            end,
            open: Some(open),
            seen,
            max_concurrent,
            thread: Some(thread),
        }
    }

    /// Accepts connections again after they were refused.
    pub fn reopen(&self) {
        self.open.as_ref().unwrap().send(()).unwrap();
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.port.local_addr().unwrap())
    }

    /// The calls so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The maximum number of concurrent calls.
    pub fn max_concurrent(&self) -> usize {
        self.max_concurrent.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.end.store(true, Ordering::SeqCst);
        self.open = None;
        drop(TcpStream::connect(self.port.local_addr().unwrap()));
        let ended = self.thread.take().unwrap().join().is_ok();
        assert!(
            ended || std::thread::panicking(),
            "the proxy thread panicked"
        );
    }
}

#[derive(Clone)]
struct Forwarder {
    server: String,
    rewrite: fn(&str) -> String,
    decide: Arc<Decide>,
    seen: Arc<Mutex<Vec<Seen>>>,
    max_concurrent: Arc<AtomicUsize>,
    in_flight: Arc<AtomicUsize>,
}

impl Forwarder {
    /// Listens, unless the call with this number is to be refused.
    fn listen(&self, address: SocketAddr, number: usize) -> Option<TcpListener> {
        let refused = (self.decide)(number, None) == Some(Fault::Refused);
        (!refused).then(|| TcpListener::bind(address).unwrap())
    }

    fn serve(
        &self,
        address: SocketAddr,
        mut listener: Option<TcpListener>,
        opened: &Receiver<()>,
        end: &AtomicBool,
    ) {
        std::thread::scope(|scope| {
            for number in 0.. {
                if listener.is_none() {
                    if opened.recv().is_err() {
                        return;
                    }
                    listener = Some(TcpListener::bind(address).unwrap());
                }
                let stream = listener.as_ref().unwrap().accept().unwrap().0;
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let forwarder = self.clone();
                if (self.decide)(number + 1, None) == Some(Fault::Refused) {
                    let (stream, bytes) = forwarder.call(number, stream);
                    listener = None;
                    forwarder.close(stream, &bytes);
                } else {
                    scope.spawn(move || {
                        let (stream, bytes) = forwarder.call(number, stream);
                        forwarder.close(stream, &bytes);
                    });
                }
            }
        });
    }

    /// Handles one call and returns the bytes of the answer.
    fn call(&self, number: usize, mut stream: TcpStream) -> (TcpStream, Vec<u8>) {
        let in_flight = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        self.max_concurrent.fetch_max(in_flight, Ordering::SeqCst);
        let mut seen = Seen {
            request: String::new(),
            answered: false,
        };
        let mut fault = (self.decide)(number, None);
        let mut bytes = Vec::new();
        if fault != Some(Fault::CutUnread) {
            seen.request = read_request(&mut stream);
            fault = fault.or_else(|| (self.decide)(number, Some(&seen.request)));
            seen.answered = fault.is_none();
            bytes = self.answer(fault, &seen.request);
        }
        self.seen.lock().unwrap().push(seen);
        if matches!(fault, Some(Fault::Silence | Fault::SilenceAfter)) {
            // Wait until the client closes the connection.
            drop(stream.read(&mut [0]));
        }
        (stream, bytes)
    }

    fn close(&self, mut stream: TcpStream, bytes: &[u8]) {
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
        // The client may have closed the connection already.
        drop(stream.write_all(bytes));
    }

    /// The bytes for the client.
    fn answer(&self, fault: Option<Fault>, request: &str) -> Vec<u8> {
        match fault {
            None => self.forward(request),
            Some(Fault::Refused | Fault::CutUnread | Fault::Cut | Fault::Silence) => Vec::new(),
            Some(Fault::CutAfter | Fault::SilenceAfter) => {
                self.forward(request);
                Vec::new()
            }
            Some(Fault::HalfAfter) => {
                let mut answer = self.forward(request);
                let body = answer
                    .windows(4)
                    .position(|four| four == b"\r\n\r\n")
                    .unwrap()
                    + 4;
                answer.truncate(body + (answer.len() - body) / 2);
                answer
            }
            Some(Fault::Answer(status, headers, body)) => answer(status, headers, body),
            Some(Fault::AnswerAfter(status, headers, body)) => {
                self.forward(request);
                answer(status, headers, body)
            }
            Some(Fault::Echo(status)) => {
                let auth = request
                    .lines()
                    .find(|line| line.to_lowercase().starts_with("authorization"));
                let key = auth
                    .unwrap_or("none")
                    .trim_start_matches(|c| c != ' ')
                    .trim();
                let body = serde_json::json!({"code": 422, "error": request, "errors": {"x": [request], key: 1}});
                let elsewhere = format!("Location: /{}\r\n", auth.unwrap_or_default());
                answer(status, &elsewhere, &body.to_string())
            }
            Some(Fault::EchoPage(status)) => answer(status, "", &format!("<html>{request}</html>")),
        }
    }

    /// Forwards a request and returns the server's answer.
    fn forward(&self, request: &str) -> Vec<u8> {
        let Some((head, body)) = request.split_once("\r\n\r\n") else {
            return Vec::new();
        };
        let mut stream = TcpStream::connect(&self.server).unwrap();
        let request = (self.rewrite)(&format!("{head}\r\nConnection: close\r\n\r\n{body}"));
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }
}
