//! One file a verb, thin: each wires the stages together and has no logic of its own.
//!
//! Main types: [`Console`] (where output goes) and [`run`] (which verb runs).

mod apply;
mod check;
mod console;
mod export;
mod generate;
mod plan;
mod sandbox;
mod target;

pub use console::Console;

use crate::cli::{SandboxVerb, Verb};
use crate::error::{Error, Exit};
use crate::settings::Settings;

/// Runs the verb.
///
/// # Errors
/// Whatever kept it from its work; the console has not told it yet.
pub fn run(settings: &Settings, console: &mut Console) -> Result<Exit, Error> {
    match &settings.verb {
        Verb::Check => check::run(settings, console),
        Verb::Plan(args) => block_on(plan::run(args, settings, console)),
        Verb::Apply(args) => block_on(apply::run(args, settings, console)),
        Verb::Export => block_on(export::run(settings, console)),
        Verb::Sandbox(args) => match &args.verb {
            SandboxVerb::Serve(args) => block_on(sandbox::serve(args, console)),
        },
        Verb::Schema { which } => generate::schema(*which, console),
        Verb::Completions { shell } => generate::completions(*shell, console),
        Verb::Man { directory } => generate::man(directory, console),
    }
}

/// Runs on one thread: the server, not this machine, is what everything waits for.
fn block_on(work: impl Future<Output = Result<Exit, Error>>) -> Result<Exit, Error> {
    // A second provider is refused, which only means that there is one already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(work)
}
