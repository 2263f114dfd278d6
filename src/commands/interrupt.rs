//! Ctrl-C and SIGTERM: the first signal lets running work finish, the second ends the process at once.

use std::io;
use std::pin::pin;
use std::sync::OnceLock;

use tokio::sync::watch;

use crate::error::{Exit, Result};

/// One channel for the whole run, so that Ctrl-C between a question and the first write is not lost.
static CHANNEL: OnceLock<watch::Receiver<bool>> = OnceLock::new();

/// A channel that turns true at the first signal. The second signal ends the process; the ledger stays valid.
#[expect(clippy::exit, reason = "the user asked twice")]
pub fn channel() -> Result<watch::Receiver<bool>> {
    if let Some(channel) = CHANNEL.get() {
        return Ok(channel.clone());
    }
    let (sender, receiver) = watch::channel(false);
    let [mut interrupt, mut terminate] = signals()?;
    tokio::spawn(async move {
        for is_second in [false, true] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if is_second {
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
            // An error means that the run is over.
            let _ = sender.send(true);
        }
    });
    Ok(CHANNEL.get_or_init(|| receiver).clone())
}

/// Finishes running work. The first signal is reported, because the second ends the process silently.
pub async fn finished<T>(
    work: impl Future<Output = T>,
    mut stopped: watch::Receiver<bool>,
    report: impl FnOnce(),
) -> T {
    let mut work = pin!(work);
    tokio::select! {
        biased;
        done = &mut work => return done,
        // An error means that no more signals can arrive.
        signal = stopped.wait_for(|stopped| *stopped) => if signal.is_ok() { report() },
    }
    work.await
}

#[cfg(unix)]
fn signals() -> io::Result<[tokio::signal::unix::Signal; 2]> {
    use tokio::signal::unix::{SignalKind, signal};
    Ok([
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    ])
}

#[cfg(windows)]
fn signals() -> io::Result<[tokio::signal::windows::CtrlC; 2]> {
    use tokio::signal::windows::ctrl_c;
    Ok([ctrl_c()?, ctrl_c()?])
}
