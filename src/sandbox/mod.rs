//! A fake of the documented ImbaChat API that needs no account: five calls with PHP's form
//! rules, in process or on a port.
//!
//! The main types are [`Sandbox`], a running server, and [`World`], the same behaviour without
//! a socket. They share no code with the client under test, because tests would not notice a
//! mistake in shared code. They follow the documentation even where that is inconvenient: they
//! drop misspelt fields and every variable after the first thousand, and the answer to an
//! update is not quite JSON. Where the documentation is silent, each module lists its choices.
//!
//! The sandbox does not fake HTML answers, redirects, sign-up, or callbacks to a customer's
//! site.

mod answers;
mod auth;
mod calls;
mod fault_injection;
mod http;
mod lists;
mod php;
mod records;
mod server_state;
mod store;
mod test_view;
mod writes;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use answers::Answer;
pub use auth::Auth;
pub use records::{Message, Room, User};
pub use server_state::{CountUsers, Quirks, World};

/// The time that [`Sandbox::stop`] waits for pending requests.
const PATIENCE: Duration = Duration::from_secs(5);

/// Settings of a sandbox.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// The address to listen on; `None` for any free port on this machine.
    pub listen: Option<SocketAddr>,
    /// The path of the state file; `None` to keep the state in memory only. Missing directories are
    /// created.
    pub state: Option<PathBuf>,
    /// The delay before each answer. Requests are delayed concurrently.
    pub latency: Duration,
    /// The share of requests, 0 to 1, that fail with a 500 before they have any effect.
    pub error_rate: f64,
    /// Of the requests that do not fail with a 500, the share, 0 to 1, that take effect but get
    /// no answer because the connection is cut.
    pub lost_answer_rate: f64,
    /// The maximum number of requests per second. A burst may contain the same number of
    /// requests. Further requests get a 429 with `Retry-After`.
    pub rate_limit: Option<f64>,
    /// The random seed of the faults.
    pub seed: u64,
    /// The undocumented behaviours to show.
    pub quirks: Quirks,
}

impl Config {
    fn check(&self) -> Result<(), SandboxError> {
        let is_share = |value: f64| (0.0..=1.0).contains(&value);
        let limit = self.rate_limit.unwrap_or(1.0);
        let (name, value) = if !is_share(self.error_rate) {
            ("error_rate", self.error_rate)
        } else if !is_share(self.lost_answer_rate) {
            ("lost_answer_rate", self.lost_answer_rate)
        } else if !limit.is_finite() || limit <= 0.0 {
            ("rate_limit", limit)
        } else {
            return Ok(());
        };
        Err(SandboxError::Setting { name, value })
    }
}

/// The number of requests by call and by result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// The number of requests to write a room.
    pub imba_rooms: u64,
    /// The number of requests to list rooms.
    pub get_rooms: u64,
    /// The number of requests to list users.
    pub get_users: u64,
    /// The number of requests to list messages.
    pub get_messages: u64,
    /// The number of requests to send a message.
    pub send_msg: u64,
    /// The number of requests that failed on purpose. The fields for the calls also count them.
    pub failed: u64,
    /// The number of requests that took effect without an answer. The fields for the calls also
    /// count them.
    pub lost: u64,
    /// The number of requests over the rate limit. The fields for the calls also count them.
    pub refused: u64,
    /// The number of connections, including those without a request.
    pub connections: u64,
}

impl Stats {
    /// Returns the number of all requests.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.writes() + self.get_rooms + self.get_users + self.get_messages
    }

    /// Returns the number of requests that write, with any result.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.imba_rooms + self.send_msg
    }
}

/// A running server. It also shuts down if it is dropped without [`Sandbox::stop`]. Every
/// change is saved before its request is answered.
#[derive(Debug)]
pub struct Sandbox {
    addr: SocketAddr,
    server: Arc<http::Server>,
    shutdown: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

/// Loads the state, binds the address, and serves from a task of the current tokio runtime.
///
/// # Errors
///
/// Fails if a setting is out of range, the state file cannot be used, or the address cannot be
/// bound.
pub async fn start(config: Config) -> Result<Sandbox, SandboxError> {
    config.check()?;
    let addr = config.listen.unwrap_or((Ipv4Addr::LOCALHOST, 0).into());
    let refused = |source| SandboxError::Listen { addr, source };
    let store = store::Store::open(config.state.as_deref(), config.quirks)?;
    let listener = TcpListener::bind(addr).await.map_err(refused)?;
    let addr = listener.local_addr().map_err(refused)?;
    let server = Arc::new(http::Server::new(store, config));
    let (shutdown, asked) = oneshot::channel();
    let task = tokio::spawn(http::serve(listener, Arc::clone(&server), asked));
    Ok(Sandbox {
        addr,
        server,
        shutdown,
        task,
    })
}

impl Sandbox {
    /// Returns the address that the sandbox listens on, with the actual port.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the URL to use instead of `https://api.imbachat.com`, without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Returns the numbers of requests so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.server.stats()
    }

    /// Runs `work` on the state. Changes are saved with the next write, or when the sandbox stops.
    pub fn with_world<R>(&self, work: impl FnOnce(&mut World) -> R) -> R {
        self.server.store.with_world(work)
    }

    /// Saves unsaved changes.
    ///
    /// # Errors
    ///
    /// Fails if the state cannot be saved.
    pub async fn flush(&self) -> Result<(), SandboxError> {
        self.server.store.flush().await
    }

    /// Stops accepting requests, answers pending ones for a few seconds, and saves unsaved changes.
    ///
    /// # Errors
    ///
    /// Fails if the server had already failed, or if the state cannot be saved.
    pub async fn stop(self) -> Result<(), SandboxError> {
        let Self {
            addr: _,
            server,
            shutdown,
            mut task,
        } = self;
        // `send` fails only if the server has already failed; the reason is then in `served`
        shutdown.send(()).ok();
        let served = match tokio::time::timeout(PATIENCE, &mut task).await {
            Ok(ended) => ended.unwrap_or_else(|panic| Err(io::Error::other(panic))),
            Err(_) => {
                task.abort();
                Ok(())
            }
        };
        server.store.flush().await?;
        served.map_err(SandboxError::Serve)
    }
}

/// Why a sandbox failed to start or to stop cleanly.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A rate is not between 0 and 1, or a limit allows no requests.
    #[error("the sandbox setting `{name}` cannot be {value}")]
    Setting {
        /// The name of the invalid configuration field.
        name: &'static str,
        /// The value of the field.
        value: f64,
    },
    /// The address is in use, or does not belong to this machine.
    #[error("the sandbox cannot listen on `{addr}`")]
    Listen {
        /// The address that the sandbox should listen on.
        addr: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The server stopped unexpectedly.
    #[error("the sandbox server failed")]
    Serve(#[source] io::Error),
    /// The state file or its directory cannot be read or written.
    #[error("cannot {action} the sandbox state `{}`", path.display())]
    File {
        /// The action that failed: `read` or `write`.
        action: &'static str,
        /// The path of the state file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The state file is not a valid sandbox state.
    #[error("the sandbox state `{}` is damaged", path.display())]
    Damaged {
        /// The path of the state file.
        path: PathBuf,
        /// The error of the parser, with its position.
        source: serde_json::Error,
    },
    /// The state file has an unsupported format version.
    #[error("the sandbox state `{}` has format {format}, which this version does not know", path.display())]
    Format {
        /// The path of the state file.
        path: PathBuf,
        /// The format version in the file.
        format: u64,
    },
    /// Another process changed the state file since this sandbox last read or wrote it.
    #[error("the sandbox state `{}` was changed by another process", path.display())]
    Contended {
        /// The path of the state file.
        path: PathBuf,
    },
}

impl SandboxError {
    /// Returns what the user can do about the error.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Setting { .. } => Some(
                "set `error_rate` and `lost_answer_rate` from 0 to 1, and `rate_limit` above 0",
            ),
            Self::Listen { .. } => Some("choose another port, or port 0 for any free port"),
            Self::Serve(_) => None,
            Self::File { .. } => Some("check the path and its permissions, or name another file"),
            Self::Damaged { .. } => {
                Some("restore the file from a copy, or move it away to start with an empty sandbox")
            }
            Self::Format { .. } => {
                Some("use the version of roomform that wrote the file, or move the file away")
            }
            Self::Contended { .. } => Some("use a separate state file for each sandbox"),
        }
    }
}
