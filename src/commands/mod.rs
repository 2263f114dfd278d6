//! One file a verb, thin: each wires the stages together and has no logic of its own.
//!
//! Main entry: [`run`]. It gets its arguments and its streams from `main`, and exits nothing.

mod adopt;
mod allowances;
mod apply;
mod check;
mod console;
mod decisions;
mod diff;
mod doctor;
mod explain;
mod export;
mod files;
mod formats;
mod generate;
mod get;
mod git;
mod init;
mod interrupt;
mod ledger;
mod log;
mod plan;
mod prompt;
mod report;
mod run_files;
mod sandbox;
mod saved;
mod send;
mod site;
mod target;
mod usage;

pub use console::Streams;

use std::ffi::OsString;
use std::hash::{BuildHasher, RandomState};

use clap::Parser;
use console::Console;
use tracing::dispatcher::with_default;
use tracing::{Dispatch, info};

use crate::cli::{Cli, SandboxVerb, Verb};
use crate::error::{Error, Exit};
use crate::model::RunId;
use crate::settings::Settings;

/// A whole run: arguments (the program's name first) and streams in, the way it ended out.
pub fn run(args: Vec<OsString>, streams: Streams) -> Exit {
    let run = RunId::new(RandomState::new().hash_one(std::process::id()));
    if let Some(error) = usage::of_another_tool(&args) {
        return usage::fail(&error, &args, streams, run);
    }
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return usage::tell(&error, &args, streams, run),
    };
    let mut console = Console::new(streams, &cli, run.clone());
    let log = console.log().map(Dispatch::new);
    let work = || {
        let (verb, version) = (formats::name(&cli.verb), env!("CARGO_PKG_VERSION"));
        info!(%run, verb, version, "run");
        let exit = Settings::new(cli, run).and_then(|settings| dispatch(&settings, &mut console));
        exit.unwrap_or_else(|error| console.fail(&error))
    };
    match log {
        Some(log) => with_default(&log, work),
        None => work(),
    }
}

fn dispatch(settings: &Settings, console: &mut Console) -> Result<Exit, Error> {
    formats::check(settings)?;
    match &settings.verb {
        Verb::Init(args) => init::run(args, console),
        Verb::Check => check::run(settings, console),
        Verb::Plan(args) => block_on(plan::run(args, settings, console)),
        Verb::Diff(args) => diff::run(args, settings, console),
        Verb::Apply(args) => block_on(apply::run(args, settings, console)),
        Verb::Render => explain::resolved(settings, console),
        Verb::Explain { what } => explain::run(what, settings, console),
        Verb::Export(args) => block_on(export::run(args, settings, console)),
        Verb::Get(args) => block_on(get::run(args, settings, console)),
        Verb::Send(args) => block_on(send::run(args, settings, console)),
        Verb::Doctor(args) => block_on(doctor::run(args, settings, console)),
        Verb::Ledger(args) => block_on(ledger::run(&args.verb, settings, console)),
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
