//! Asks on the terminal before a write.

use std::io::{self, BufRead};
use std::thread;

use clap::ValueEnum;
use tokio::sync::oneshot;

use super::{Console, interrupt};
use crate::error::{Result, bail, error};
use crate::render::escape;

pub const NO_TERMINAL: &str = "there is no terminal to ask on, and --yes was not given";

/// Refuses a run that would have to ask a question while it prints something other than text.
pub fn check_can_ask(format: &impl ValueEnum, hint: &str) -> Result<()> {
    let name = format.to_possible_value();
    match name.as_ref().map_or("", |value| value.get_name()) {
        "text" => Ok(()),
        name => Err(
            error!(Refused: "cannot ask for confirmation with --format {name}, and --yes was not given"; hint),
        ),
    }
}

/// Asks for consent, and returns whether the user consents. `done` completes the message
/// `nothing was {done}`.
pub async fn consent(question: &str, done: &str, console: &Console) -> Result<bool> {
    if !console.streams.interactive {
        bail!(Refused: "nothing was {done}: {NO_TERMINAL}");
    }
    let consents = confirm(question, console).await?;
    if !consents {
        console.status(&format!("nothing was {done}: the answer was not `yes`"));
    }
    Ok(consents)
}

/// Asks a question that ends with `?`. Only the whole word `yes` followed by Enter means yes.
pub async fn confirm(question: &str, console: &Console) -> Result<bool> {
    let mut stopped = interrupt::finish(None);
    // Discards input typed before the question.
    #[cfg(unix)]
    rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush)
        .map_err(io::Error::from)?;
    let question = escape::terminal(question);
    console.prompt(&format!(
        "Type `yes` to continue; anything else means no.\n{question} "
    ));
    let (sender, mut answer) = oneshot::channel();
    // A read from a terminal cannot be cancelled. On its own thread, it does not delay the exit
    // after Ctrl-C.
    thread::spawn(move || {
        let mut line = Vec::new();
        let read = io::stdin().lock().read_until(b'\n', &mut line);
        // The receiver is gone if the run was interrupted.
        let _ = sender.send(read.map(|_| line));
    });
    let line = tokio::select! {
        biased;
        () = interrupt::first(&mut stopped) => {
            console.prompt("\n");
            bail!(Interrupted: "interrupted at the prompt: nothing was written");
        }
        line = &mut answer => line.map_err(io::Error::other)??,
    };
    if !line.ends_with(b"\n") {
        console.prompt("\n");
    }
    Ok(matches!(line.as_slice(), b"yes\n" | b"yes\r\n"))
}
