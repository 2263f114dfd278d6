//! Ctrl-C and SIGTERM: the first signal lets running work finish. The second ends the process at once; an apply first writes its
//! report.

use std::io;
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use crate::apply::Interrupt;
use crate::error::{Exit, Result, bail};

/// One channel for the whole run, so that Ctrl-C between a question and the first write is not lost.
static CHANNEL: OnceLock<watch::Receiver<Interrupt>> = OnceLock::new();

/// Whether the run ends by itself after the second signal.
static STOPS_ITSELF: AtomicBool = AtomicBool::new(false);

/// A channel for a run that reports what it did even after the second signal. The third signal ends the process.
pub fn for_apply() -> Result<watch::Receiver<Interrupt>> {
    STOPS_ITSELF.store(true, Ordering::Relaxed);
    channel()
}

/// A channel that changes at each signal. The second signal ends the process; the ledger stays valid.
#[expect(clippy::exit, reason = "the user asked twice")]
pub fn channel() -> Result<watch::Receiver<Interrupt>> {
    if let Some(channel) = CHANNEL.get() {
        return Ok(channel.clone());
    }
    let (sender, receiver) = watch::channel(Interrupt::None);
    let [mut interrupt, mut terminate] = signals()?;
    tokio::spawn(async move {
        for asked in [Interrupt::Finish, Interrupt::Stop, Interrupt::Stop] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            let is_first_stop = *sender.borrow() == Interrupt::Finish;
            let reports = is_first_stop && STOPS_ITSELF.load(Ordering::Relaxed);
            if asked == Interrupt::Stop && !reports {
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
            // An error means that the run is over.
            let _ = sender.send(asked);
        }
    });
    Ok(CHANNEL.get_or_init(|| receiver).clone())
}

/// Waits for the first signal. Returns false if no more signals can arrive.
pub async fn first(channel: &mut watch::Receiver<Interrupt>) -> bool {
    let asked = channel.wait_for(|asked| *asked != Interrupt::None).await;
    asked.is_ok()
}

/// Runs work that may be dropped; `None` if a signal ends it.
pub async fn unless_interrupted<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut stopped = channel().ok()?;
    tokio::select! {
        biased;
        true = first(&mut stopped) => None,
        done = work => Some(done),
    }
}

/// Runs work that only reads. The first signal ends it with an error.
pub async fn while_reading<T>(reading: impl Future<Output = Result<T>>) -> Result<T> {
    match unless_interrupted(reading).await {
        Some(read) => read,
        None => bail!(Interrupted: "interrupted while reading: nothing was sent"),
    }
}

/// Finishes running work. The first signal is reported, because the second ends the process silently.
pub async fn finished<T>(
    work: impl Future<Output = T>,
    mut stopped: watch::Receiver<Interrupt>,
    report: impl FnOnce(),
) -> T {
    let mut work = pin!(work);
    tokio::select! {
        biased;
        done = &mut work => return done,
        is_signal = first(&mut stopped) => if is_signal { report() },
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
