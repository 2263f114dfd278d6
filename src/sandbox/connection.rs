//! Connections that can be cut: the server's listener and its streams.
//!
//! The main type is [`CuttingListener`]. It does not decide which connection to cut. A cut closes the whole connection, so with
//! HTTP/2 the answers to other requests on it are lost too, as on a real network.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Accepts connections that can be cut, and counts them.
#[derive(Debug)]
pub(super) struct CuttingListener {
    pub(super) listener: TcpListener,
    pub(super) opened: Arc<AtomicU64>,
}

/// Cuts the connection of a request. Held by the request's handler.
#[derive(Debug, Clone, Default)]
pub(super) struct CutSwitch(Arc<AtomicBool>);

impl CutSwitch {
    /// The next write fails and closes the connection.
    pub(super) fn cut(&self) {
        self.0.store(true, Ordering::Release);
    }
}

#[derive(Debug)]
pub(super) struct CuttableStream {
    stream: TcpStream,
    switch: CutSwitch,
}

impl CuttableStream {
    fn check(&self) -> io::Result<()> {
        if self.switch.0.load(Ordering::Acquire) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }
}

impl Listener for CuttingListener {
    type Io = CuttableStream;
    type Addr = CutSwitch;

    async fn accept(&mut self) -> (CuttableStream, CutSwitch) {
        let (stream, _) = Listener::accept(&mut self.listener).await;
        self.opened.fetch_add(1, Ordering::Relaxed);
        // if this fails, answers are only slower
        stream.set_nodelay(true).ok();
        let switch = CutSwitch::default();
        (
            CuttableStream {
                stream,
                switch: switch.clone(),
            },
            switch,
        )
    }

    fn local_addr(&self) -> io::Result<CutSwitch> {
        Ok(CutSwitch::default())
    }
}

impl Connected<IncomingStream<'_, CuttingListener>> for CutSwitch {
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
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
