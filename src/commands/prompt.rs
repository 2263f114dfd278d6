//! The question before a write, asked on the terminal.

use std::io::{self, BufRead};
use std::thread;

use tokio::sync::oneshot;

use super::{Console, interrupt};
use crate::error::{Error, Exit};
use crate::render::escape;

/// Asks a question that ends with `?`. Only the whole word `yes` followed by Enter means yes.
pub(super) async fn confirm(question: &str, console: &Console) -> Result<bool, Error> {
    let mut stopped = interrupt::channel()?;
    discard_typed_input()?;
    let question = escape::terminal(question);
    console.prompt(&format!(
        "Type `yes` to continue; anything else means no.\n{question} "
    ));
    let (sender, mut answer) = oneshot::channel();
    // A read from a terminal cannot be cancelled: on its own thread it does not delay the exit after Ctrl-C.
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

/// Discards input typed before the question.
fn discard_typed_input() -> Result<(), Error> {
    #[cfg(unix)]
    rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush)
        .map_err(io::Error::from)?;
    Ok(())
}
