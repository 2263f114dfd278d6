//! Ctrl-C and SIGTERM. The first signal ends a run that has written nothing; once a run writes,
//! the first signal lets it finish.
//!
//! A separate thread waits for signals, because the run may be busy reading a large manifest,
//! or blocked while it reads stdin.

use std::io;
use std::sync::{LazyLock, Mutex, PoisonError, mpsc};
use std::thread;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use super::Console;
use crate::apply::Interrupt;
use crate::error::{Error, Exit, Result, error};

/// One channel for the whole run, so that Ctrl-C between a question and the first write is not lost.
static CHANNEL: LazyLock<watch::Sender<Interrupt>> = LazyLock::new(watch::Sender::default);

/// How the process responds to signals now.
static RESPONSE: Mutex<Response> = Mutex::new(Response::End);

enum Response {
    /// The first signal ends the process with an error.
    End,
    /// The first signal prints this warning and lets the run finish. The second one ends the process.
    Finish(Option<&'static str>),
    /// The second signal does not end the process, so that the run can report what it did. The
    /// third one ends the process.
    Report,
}

/// The warning that the first signal prints while a file or the ledger is written.
pub const WRITING: &str = "finishing the write; press Ctrl-C again to stop at once";

/// Starts to handle signals. If no thread can start, a signal ends the process as usual.
pub fn handle_signals(mut console: Console) -> Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let (ready, started) = mpsc::channel();
    let handle = move || match signals(&runtime) {
        Ok(signals) => {
            drop(ready.send(Ok(())));
            runtime.block_on(respond(signals, &mut console));
        }
        Err(error) => drop(ready.send(Err(error))),
    };
    if thread::Builder::new().spawn(handle).is_ok() {
        // Wait until the thread handles signals, so that no signal is lost.
        started.recv().map_err(io::Error::other)??;
    }
    Ok(())
}

#[expect(clippy::exit, reason = "the user asked twice")]
async fn respond([mut interrupt, mut terminate]: [Signal; 2], console: &mut Console) {
    for asked in [Interrupt::Finish, Interrupt::Stop, Interrupt::Stop] {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        // Hold the lock during the response, so that the run cannot begin to write while the
        // process ends.
        let response = RESPONSE.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*response, asked) {
            (Response::End, _) => console.exit(&interrupted()),
            (Response::Finish(warning), Interrupt::Finish) => {
                console.warn(warning.unwrap_or_default());
            }
            (Response::Report, _) if *CHANNEL.borrow() < Interrupt::Stop => {}
            _ => std::process::exit(i32::from(Exit::Interrupted.code())),
        }
        CHANNEL.send_replace(asked);
    }
}

/// The error of a run that a signal ended before it sent or wrote anything.
pub fn interrupted() -> Error {
    error!(Interrupted: "interrupted: nothing was sent or written")
}

/// From here on, the first signal prints the warning, notifies the receivers of the channel,
/// and lets the run finish. The second signal ends the process; the ledger stays valid.
pub fn finish(warning: Option<&'static str>) -> watch::Receiver<Interrupt> {
    let mut response = RESPONSE.lock().unwrap_or_else(PoisonError::into_inner);
    if !matches!(*response, Response::Report) {
        *response = Response::Finish(warning);
    }
    CHANNEL.subscribe()
}

/// From here on, the second signal does not end the process, so that the run can report what it
/// did. The third signal ends the process.
pub fn report() -> watch::Receiver<Interrupt> {
    *RESPONSE.lock().unwrap_or_else(PoisonError::into_inner) = Response::Report;
    CHANNEL.subscribe()
}

/// Waits for the first signal.
pub async fn first(channel: &mut watch::Receiver<Interrupt>) {
    // The sender lives as long as the process, so this cannot fail.
    drop(channel.wait_for(|asked| *asked != Interrupt::None).await);
}

/// Runs work that may be dropped at any point. Returns `None` if a signal ended it.
pub async fn unless_interrupted<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut channel = finish(None);
    tokio::select! {
        biased;
        () = first(&mut channel) => None,
        done = work => Some(done),
    }
}

#[cfg(unix)]
use tokio::signal::unix::Signal;

#[cfg(unix)]
fn signals(runtime: &Runtime) -> io::Result<[Signal; 2]> {
    use tokio::signal::unix::{SignalKind, signal};
    let _context = runtime.enter();
    Ok([
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    ])
}

#[cfg(windows)]
use tokio::signal::windows::CtrlC as Signal;

#[cfg(windows)]
fn signals(runtime: &Runtime) -> io::Result<[Signal; 2]> {
    use tokio::signal::windows::ctrl_c;
    let _context = runtime.enter();
    Ok([ctrl_c()?, ctrl_c()?])
}
