//! Serves the calls over HTTP, with faults and delays, on connections that can be cut and with a
//! time limit for each request.
//!
//! The main type is [`Server`]. The calls of the API start in [`super::calls`]; PHP's rules are in
//! [`super::php`]. A cut closes the whole connection, so with HTTP/2 the answers to other requests
//! on it are lost too, as on a real network.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::serve::{IncomingStream, Listener};
use futures_util::StreamExt as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep, timeout};

use super::answers::Answer;
use super::auth::Auth;
use super::calls::Endpoint;
use super::fault_injection::{Fate, Faults};
use super::php::{POST_MAX_SIZE, fields};
use super::store::Store;
use super::{Config, Stats};

/// Time limit for the head of a request, and again for its body. Without it, clients that stop in
/// the middle could use up the connections of the process.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// The state that all connections share.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) store: Store,
    latency: Duration,
    faults: Mutex<Faults>,
    stats: Mutex<Stats>,
}

impl Server {
    pub(super) fn new(store: Store, config: Config) -> Self {
        Self {
            store,
            latency: config.latency,
            faults: Mutex::new(Faults::new(config, Instant::now())),
            stats: Mutex::default(),
        }
    }

    pub(super) fn stats(&self) -> Stats {
        *self.count()
    }

    fn count(&self) -> MutexGuard<'_, Stats> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides what happens to a request, and counts it.
    fn draw_fate(&self, endpoint: Endpoint) -> Fate {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let fate = faults.decide(Instant::now());
        let mut stats = self.count();
        let calls = match endpoint {
            Endpoint::ImbaRooms => &mut stats.imba_rooms,
            Endpoint::GetRooms(_) => &mut stats.get_rooms,
            Endpoint::GetUsers(_) => &mut stats.get_users,
            Endpoint::GetMessages(_) => &mut stats.get_messages,
            Endpoint::SendMsg(_) => &mut stats.send_msg,
        };
        *calls += 1;
        match fate {
            Fate::Answered => {}
            Fate::Failed => stats.failed += 1,
            Fate::Lost => stats.lost += 1,
            Fate::Refused { .. } => stats.refused += 1,
        }
        fate
    }

    /// Handles the call, and waits until its changes are saved.
    async fn work(&self, endpoint: Endpoint, headers: &HeaderMap, body: &[u8]) -> Answer {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let auth = Auth::from_headers(text("authorization"), text("jwt"));
        let fields = fields(text("content-type").unwrap_or_default(), body);
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let (answer, changed) = self.store.with_world(|world| {
            let before = world.revision;
            let answer = world.call_endpoint(endpoint, &auth, &fields, now);
            let after = world.revision;
            (answer, (after > before).then_some(after))
        });
        let saved = match changed {
            Some(revision) => self.store.save(revision, false).await,
            None => Ok(()),
        };
        match saved {
            Ok(()) => answer,
            Err(error) => Answer::message(500, &error.to_string()),
        }
    }
}

/// Serves requests until `stop` receives a value or its sender is dropped.
pub(super) async fn serve(
    listener: TcpListener,
    server: Arc<Server>,
    stop: oneshot::Receiver<()>,
) -> io::Result<()> {
    let router = Router::new().fallback(handle);
    let router = router.with_state(Arc::clone(&server));
    let service = router.into_make_service_with_connect_info::<Connection>();
    axum::serve(CuttingListener { listener, server }, service)
        .with_graceful_shutdown(async { stop.await.unwrap_or_default() })
        .await
}

async fn handle(
    State(server): State<Arc<Server>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let _handling = connection.begin_request();
    let (head, body) = request.into_parts();
    let Some(endpoint) = Endpoint::at(head.uri.path()) else {
        return response(Answer::not_found("Not found"));
    };
    if head.method != Method::POST {
        return wrong_method(&head.method);
    }
    let body = match timeout(REQUEST_TIME, read(body)).await {
        Ok(Some(body)) => body,
        Ok(None) => return response(Answer::message(400, "The body is incomplete.")),
        Err(_) => return response(Answer::message(408, "The body did not arrive in time.")),
    };
    let fate = server.draw_fate(endpoint);
    let answer = match fate {
        Fate::Refused { .. } => Answer::message(429, "Too Many Attempts."),
        Fate::Failed => Answer::message(500, "Server Error"),
        Fate::Answered | Fate::Lost => server.work(endpoint, &head.headers, &body).await,
    };
    if !server.latency.is_zero() {
        sleep(server.latency).await;
    }
    match fate {
        Fate::Lost => connection.cut(),
        Fate::Refused { retry_after } => {
            return (
                [(header::RETRY_AFTER, retry_after.to_string())],
                response(answer),
            )
                .into_response();
        }
        Fate::Answered | Fate::Failed => {}
    }
    response(answer)
}

/// Reads the whole body. Returns an empty body if it exceeds PHP's limit, and `None` if it is
/// incomplete.
async fn read(body: Body) -> Option<Vec<u8>> {
    let mut parts = body.into_data_stream();
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(part) = parts.next().await {
        let data = part.ok()?;
        length += data.len();
        if length <= POST_MAX_SIZE {
            bytes.extend_from_slice(&data);
        } else {
            bytes = Vec::new();
        }
    }
    Some(bytes)
}

fn response(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        answer.body,
    )
        .into_response()
}

/// Returns Laravel's error for an unsupported HTTP method.
fn wrong_method(method: &Method) -> Response {
    let text =
        format!("The {method} method is not supported for this route. Supported methods: POST.");
    (
        [(header::ALLOW, "POST")],
        response(Answer::message(405, &text)),
    )
        .into_response()
}

/// Accepts connections that can be cut, and counts them.
#[derive(Debug)]
struct CuttingListener {
    listener: TcpListener,
    server: Arc<Server>,
}

/// The connection of a request, which the handler of the request can cut.
#[derive(Debug, Clone, Default)]
struct Connection(Arc<Requests>);

#[derive(Debug, Default)]
struct Requests {
    cut: AtomicBool,
    /// The number of requests whose head has arrived.
    begun: AtomicU64,
    /// The number of requests that were answered or given up.
    ended: AtomicU64,
}

/// Marks a request as being handled, until this value is dropped.
#[derive(Debug)]
struct Handling(Arc<Requests>);

impl Connection {
    /// Cuts the connection: the next write fails and closes it.
    fn cut(&self) {
        self.0.cut.store(true, Ordering::Release);
    }

    /// Ends the time limit for the head of a request, because the head has arrived.
    fn begin_request(&self) -> Handling {
        self.0.begun.fetch_add(1, Ordering::AcqRel);
        Handling(Arc::clone(&self.0))
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::AcqRel);
    }
}

#[derive(Debug)]
struct CuttableStream {
    stream: TcpStream,
    connection: Connection,
    /// The time limit for the head of the next request; `None` between requests.
    deadline: Option<Pin<Box<Sleep>>>,
    /// The number of requests whose head had arrived by the time of the last read.
    begun: u64,
}

impl Listener for CuttingListener {
    type Io = CuttableStream;
    type Addr = Connection;

    async fn accept(&mut self) -> (CuttableStream, Connection) {
        // If no file descriptors are left, `accept` waits for a second and tries again.
        let (stream, _) = Listener::accept(&mut self.listener).await;
        self.server.count().connections += 1;
        // ignore an error: without `nodelay`, answers are slower but still correct
        stream.set_nodelay(true).ok();
        let connection = Connection::default();
        let stream = CuttableStream {
            stream,
            connection: connection.clone(),
            deadline: Some(Box::pin(sleep(REQUEST_TIME))),
            begun: 0,
        };
        (stream, connection)
    }

    fn local_addr(&self) -> io::Result<Connection> {
        Ok(Connection::default())
    }
}

impl Connected<IncomingStream<'_, CuttingListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, CuttingListener>) -> Self {
        stream.remote_addr().clone()
    }
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buf);
        let requests = &this.connection.0;
        let begun = requests.begun.load(Ordering::Acquire);
        if begun > this.begun {
            this.begun = begun;
            this.deadline = None;
        }
        let is_between = requests.ended.load(Ordering::Acquire) == begun;
        if is_between && this.deadline.is_none() && buf.filled().len() > before {
            this.deadline = Some(Box::pin(sleep(REQUEST_TIME)));
        }
        if let (Poll::Pending, Some(deadline)) = (&read, &mut this.deadline) {
            return deadline
                .as_mut()
                .poll(cx)
                .map(|()| Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.connection.0.cut.load(Ordering::Acquire) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
