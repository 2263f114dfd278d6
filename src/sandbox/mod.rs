//! The documented ImbaChat API, imitated without an account: five calls on PHP's form rules, in process or on a port.
//!
//! The main types are [`Sandbox`], a running server, and [`World`], the same behaviour without a socket. It shares no
//! code with the client that is tested against it, so that neither can hide the other's mistake, and it does what the
//! pages say even where that bites: a misspelt field is lost, the thousandth and first variable is lost, an update's
//! answer is not quite JSON. Where the pages say nothing it chooses; the choices stand in the docs of the modules.
//!
//! It does not imitate HTML answers, redirects, sign-up, or the calls back to a customer's site.

mod answers;
mod auth;
mod body;
mod calls;
mod connection;
mod error;
mod fault_injection;
mod http;
mod lists;
mod php;
mod read_lag;
mod records;
mod rooms;
mod rows;
mod saved;
mod send;
mod server_state;
mod store;
mod test_view;
mod token;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use answers::Answer;
pub use auth::Auth;
pub use error::SandboxError;
pub use server_state::{Quirks, World};
pub use test_view::{MessageView, RoomView, UserView};

/// How long [`Sandbox::stop`] waits for requests that are under way.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a sandbox is to behave.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The address to listen on; port 0 for any that is free.
    pub listen: SocketAddr,
    /// The file that keeps the state; without one it is in memory only. Missing directories are made.
    pub state: Option<PathBuf>,
    /// The wait before each answer. Requests wait side by side.
    pub latency: Duration,
    /// The share of requests, 0 to 1, that are answered with a 500 before anything is done.
    pub error_rate: f64,
    /// The share of the remaining requests that are carried out and then get no answer: the connection is cut.
    pub lost_answer_rate: f64,
    /// Requests a second; those beyond get a 429 with `Retry-After`. One second's worth may come at once.
    pub rate_limit: Option<f64>,
    /// What the faults are drawn from.
    pub seed: u64,
    /// Which of the undocumented behaviours to show.
    pub quirks: Quirks,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            state: None,
            latency: Duration::ZERO,
            error_rate: 0.0,
            lost_answer_rate: 0.0,
            rate_limit: None,
            seed: 0,
            quirks: Quirks::default(),
        }
    }
}

impl Config {
    fn check(&self) -> Result<(), SandboxError> {
        let shares = [
            ("error_rate", self.error_rate),
            ("lost_answer_rate", self.lost_answer_rate),
        ];
        let share = shares
            .into_iter()
            .find(|(_, value)| !(0.0..=1.0).contains(value));
        let limit = self.rate_limit.map(|value| ("rate_limit", value));
        let limit = limit.filter(|(_, value)| !(value.is_finite() && *value > 0.0));
        match share.or(limit) {
            Some((name, value)) => Err(SandboxError::Setting { name, value }),
            None => Ok(()),
        }
    }
}

/// How many requests a sandbox has had, by call and by fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Requests to write a room.
    pub imba_rooms: u64,
    /// Requests to list rooms.
    pub get_rooms: u64,
    /// Requests to list users.
    pub get_users: u64,
    /// Requests to list messages.
    pub get_messages: u64,
    /// Requests to send a message.
    pub send_msg: u64,
    /// Of all these, those failed on purpose.
    pub failed: u64,
    /// Of all these, those carried out without an answer.
    pub lost: u64,
    /// Of all these, those beyond the rate limit.
    pub refused: u64,
    /// Connections these came over, and those that nothing came over.
    pub connections: u64,
}

impl Stats {
    /// Requests of all kinds.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.writes() + self.get_rooms + self.get_users + self.get_messages
    }

    /// Requests to change something, whatever became of them.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.imba_rooms + self.send_msg
    }
}

/// A running server. Dropped without [`Sandbox::stop`] it shuts down by itself; every answer it gave is saved.
#[derive(Debug)]
pub struct Sandbox {
    addr: SocketAddr,
    server: Arc<http::Server>,
    shutdown: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

/// Loads the state, binds the address and serves from a task of the current tokio runtime.
///
/// # Errors
///
/// When a setting is out of range, the state file cannot be used, or the address cannot be bound.
pub async fn start(config: Config) -> Result<Sandbox, SandboxError> {
    config.check()?;
    let Config {
        listen,
        state,
        latency,
        error_rate,
        lost_answer_rate,
        rate_limit,
        seed,
        quirks,
    } = config;
    let store = store::Store::open(state.as_deref(), quirks)?;
    let refused = |source| SandboxError::Listen {
        addr: listen,
        source,
    };
    let listener = TcpListener::bind(listen).await.map_err(refused)?;
    let addr = listener.local_addr().map_err(refused)?;
    let faults = fault_injection::Faults::new(
        error_rate,
        lost_answer_rate,
        rate_limit,
        seed,
        Instant::now(),
    );
    let server = Arc::new(http::Server::new(store, latency, faults));
    let (shutdown, asked) = oneshot::channel();
    let service = http::router(Arc::clone(&server))
        .into_make_service_with_connect_info::<connection::CutSwitch>();
    let doors = connection::CuttingListener {
        listener,
        opened: Arc::clone(&server.opened),
    };
    let task = tokio::spawn(async move {
        let serving = axum::serve(doors, service);
        // a sandbox that was dropped asks too, by closing the channel
        serving
            .with_graceful_shutdown(async { asked.await.unwrap_or_default() })
            .await
    });
    Ok(Sandbox {
        addr,
        server,
        shutdown,
        task,
    })
}

impl Sandbox {
    /// The address it listens on, with the port it got.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What stands in for `https://api.imbachat.com`, without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The requests so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.server.stats()
    }

    /// Prepares or inspects the state between requests. Changes are saved with the next write, or when it stops.
    pub fn with_world<R>(&self, work: impl FnOnce(&mut World) -> R) -> R {
        self.server.store.with_world(work)
    }

    /// Saves what is not saved yet.
    ///
    /// # Errors
    ///
    /// When the state cannot be saved.
    pub async fn flush(&self) -> Result<(), SandboxError> {
        self.server.store.flush().await
    }

    /// Takes no more requests, answers those under way for a few seconds, and saves what is not saved yet.
    ///
    /// # Errors
    ///
    /// When the server had broken off before, or the state cannot be saved.
    pub async fn stop(self) -> Result<(), SandboxError> {
        let Self {
            addr: _,
            server,
            shutdown,
            mut task,
        } = self;
        // nobody listens any more if the server broke off; its result says why
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
