//! Asks on the terminal before a write.

use std::io::{self, BufRead};
use std::thread;

use tokio::sync::oneshot;

use super::{Console, interrupt};
use crate::error::{Error, Exit, Result};
use crate::render::escape;

/// Asks for consent to what `done` describes. `Some` is the exit if the user declines.
pub async fn consent(question: &str, done: &str, console: &mut Console) -> Result<Option<Exit>> {
    if !console.streams.interactive {
        console.error(&format!(
            "nothing was {done}: there is no terminal to ask on, and --yes was not given"
        ));
        return Ok(Some(Exit::Refused));
    }
    match confirm(question, console).await {
        Ok(true) => Ok(None),
        Ok(false) => {
            console.status(&format!("nothing was {done}: the answer was not `yes`"));
            Ok(Some(Exit::Done))
        }
        // The run still reports.
        Err(error) if error.exit == Exit::Interrupted => {
            console.error(&error.chain());
            Ok(Some(Exit::Interrupted))
        }
        Err(error) => Err(error),
    }
}

/// Asks a question that ends with `?`. Only the whole word `yes` followed by Enter means yes.
pub async fn confirm(question: &str, console: &Console) -> Result<bool> {
    let mut stopped = interrupt::channel()?;
    // Discards input typed before the question.
    #[cfg(unix)]
    rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush)
        .map_err(io::Error::from)?;
    let question = escape::terminal(question);
    console.prompt(&format!(
        "Type `yes` to continue; anything else means no.\n{question} "
    ));
    let (sender, mut answer) = oneshot::channel();
    // A terminal read cannot be cancelled. On its own thread it does not delay the exit after Ctrl-C.
    thread::spawn(move || {
        let mut line = Vec::new();
        let read = io::stdin().lock().read_until(b'\n', &mut line);
        // The receiver is gone if the run was interrupted.
        let _ = sender.send(read.map(|_| line));
    });
    let line = tokio::select! {
        biased;
        Ok(_) = stopped.wait_for(|stopped| *stopped) => {
            console.prompt("\n");
            let message = "interrupted at the question: nothing was written";
            return Err(Error::message(Exit::Interrupted, message));
        }
        line = &mut answer => line.map_err(io::Error::other)??,
    };
    if !line.ends_with(b"\n") {
        console.prompt("\n");
    }
    Ok(matches!(line.as_slice(), b"yes\n" | b"yes\r\n"))
}
