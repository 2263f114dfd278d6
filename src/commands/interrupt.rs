//! Ctrl-C and the signal that ends a job: once finishes what is under way, twice ends at once.

use std::pin::pin;
use std::sync::OnceLock;

use tokio::sync::watch;

use crate::error::{Error, Exit};

/// One channel for the whole run: Ctrl-C between a question and the first write is not lost.
static CHANNEL: OnceLock<watch::Receiver<bool>> = OnceLock::new();

/// A channel that turns true at the first signal. The second ends the process; the ledger is made for that.
pub(super) fn channel() -> Result<watch::Receiver<bool>, Error> {
    if let Some(channel) = CHANNEL.get() {
        return Ok(channel.clone());
    }
    let (sender, receiver) = watch::channel(false);
    let mut signals = Signals::new()?;
    tokio::spawn(async move {
        signals.next().await;
        // An error means that nobody listens any more: the run is over.
        let _ = sender.send(true);
        signals.next().await;
        end();
    });
    Ok(CHANNEL.get_or_init(|| receiver).clone())
}

/// Finishes what is under way. At the first signal it is told that it is, for the second ends without a word.
pub(super) async fn finished<T>(
    work: impl Future<Output = T>,
    mut stopped: watch::Receiver<bool>,
    tell: impl FnOnce(),
) -> T {
    let mut work = pin!(work);
    tokio::select! {
        biased;
        done = &mut work => return done,
        // An error means that no signal can come any more.
        heard = stopped.wait_for(|stopped| *stopped) => if heard.is_ok() {
            tell();
        },
    }
    work.await
}

#[expect(clippy::exit, reason = "somebody asked twice: now means now")]
fn end() {
    std::process::exit(i32::from(Exit::Interrupted.code()));
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Self, Error> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Result<Self, Error> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
