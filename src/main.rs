//! The binary `roomform`: passes its arguments and the real stdout and stderr to [`run`], and exits
//! with the code that it returns.

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use anstream::{AutoStream, ColorChoice};
use mimalloc::MiMalloc;
use roomform::commands::{Streams, run};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let streams = Streams {
        out: Arc::new(Mutex::new(io::stdout())),
        err: Arc::new(Mutex::new(io::stderr())),
        out_colour: AutoStream::choice(&io::stdout()) != ColorChoice::Never,
        out_columns: out_columns(),
        err_colour: AutoStream::choice(&io::stderr()) != ColorChoice::Never,
        err_terminal: io::stderr().is_terminal(),
        interactive: io::stdin().is_terminal() && io::stderr().is_terminal(),
    };
    ExitCode::from(run(std::env::args_os().collect(), streams).code())
}

/// The terminal width, if stdout is a terminal and reports it.
fn out_columns() -> Option<u16> {
    #[cfg(unix)]
    {
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
        Some(size.ws_col).filter(|columns| *columns > 0)
    }
    #[cfg(not(unix))]
    None
}
