//! Accepts connections that can be cut, with a time limit for each request.
//!
//! The main type is [`CuttingListener`]. It does not decide which connection to cut. A cut closes
//! the whole connection, so with HTTP/2 the answers to other requests on it are lost too, as on a
//! real network.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};

/// Time limit for the head of a request, and again for its body. Without it, clients that stop in
/// the middle could use up the connections of the process.
pub(super) const REQUEST_TIME: Duration = Duration::from_secs(30);

/// Accepts connections that can be cut, and counts them.
#[derive(Debug)]
pub(super) struct CuttingListener {
    pub(super) listener: TcpListener,
    pub(super) opened: Arc<AtomicU64>,
}

/// The connection of a request, which the handler of the request can cut.
#[derive(Debug, Clone, Default)]
pub(super) struct Connection(Arc<Requests>);

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
pub(super) struct Handling(Arc<Requests>);

impl Connection {
    /// Cuts the connection: the next write fails and closes it.
    pub(super) fn cut(&self) {
        self.0.cut.store(true, Ordering::Release);
    }

    /// Ends the time limit for the head of a request, because the head has arrived.
    pub(super) fn begin_request(&self) -> Handling {
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
pub(super) struct CuttableStream {
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
        self.opened.fetch_add(1, Ordering::Relaxed);
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
