//! One thin file for each verb: it connects the stages and has no logic of its own.
//!
//! Main entry: [`run`]. It receives its arguments and streams from `main`. Only a signal makes it exit the process.

mod apply;
mod apply_run;
mod check;
mod console;
mod diff;
mod doctor;
mod explain;
mod export;
mod files;
mod generate;
mod get;
mod git;
mod init;
mod interrupt;
mod ledger;
mod log;
mod members;
mod options;
mod plan;
mod prompt;
mod sandbox;
mod send;
mod session;
mod target;
mod todo;
mod usage_errors;

pub use console::Streams;

use std::ffi::OsString;
use std::hash::{BuildHasher as _, RandomState};

use clap::{CommandFactory, FromArgMatches};
use console::Console;
use tracing::dispatcher::with_default;
use tracing::{Dispatch, info};

use crate::cli::{Cli, PageFlags, ReportFormat, SandboxVerb, SharedFlags, Verb};
use crate::config::Config;
use crate::error::{Exit, Result, bail};
use crate::imbachat;
use crate::model::RunId;

/// Runs the program with these arguments (the program's name first) and streams. Returns how the
/// run ended.
pub fn run(args: Vec<OsString>, streams: Streams) -> Exit {
    let run = RunId::new(RandomState::new().hash_one(&args));
    let errors = ReportFormat::requested(&args);
    if let Some(error) = usage_errors::terraform_flag(&args) {
        return usage_errors::fail(&error, errors, streams, run);
    }
    let (cli, flags, verb) = match parse(&args) {
        Ok(parsed) => parsed,
        Err(error) => return usage_errors::report(&error, &args, errors, streams, run),
    };
    let page = flags.page;
    let mut console = Console::new(streams, &cli.output, page, errors, &verb, run.clone());
    let log = console.log().map(Dispatch::new);
    let work = || {
        let version = env!("CARGO_PKG_VERSION");
        info!(%run, verb, version, "run");
        let exit = check_page_limits(page, errors)
            .and_then(|()| interrupt::handle_signals(console.clone()))
            .and_then(|()| Config::new(&cli.verb, flags, run))
            .and_then(|config| {
                // The sandbox's credentials are not secret.
                if config.sandbox().is_none() {
                    let mut secrets = config.credentials.redactor();
                    if config.server.reader.read_as.is_some() {
                        secrets.hide_tokens(&imbachat::token_start());
                    }
                    console.hide(secrets);
                }
                dispatch(&cli.verb, &config, &mut console)
            });
        exit.unwrap_or_else(|error| console.fail(&error))
    };
    match log {
        Some(log) => with_default(&log, work),
        None => work(),
    }
}

/// Parses the command line. Returns it with the flags that several verbs have, and with the name of its verb.
fn parse(args: &[OsString]) -> Result<(Cli, SharedFlags, String), clap::Error> {
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(args)?;
    let verb = matches.subcommand_name().unwrap_or_default().to_owned();
    let flags = SharedFlags::new(&command, &matches)?;
    Ok((Cli::from_arg_matches(&matches)?, flags, verb))
}

fn check_page_limits(limits: PageFlags, format: ReportFormat) -> Result<()> {
    let is_limited = limits.fit.is_some() || limits.max_bytes.is_some();
    if format == ReportFormat::Markdown || !is_limited {
        return Ok(());
    }
    bail!(Usage: "--fit and --max-bytes are for --format markdown";
        "add --format markdown, or leave them out")
}

fn dispatch(verb: &Verb, config: &Config, console: &mut Console) -> Result<Exit> {
    match verb {
        Verb::Check(args) => return check::run(args, config, console),
        Verb::Diff(args) => return diff::run(args, config, console),
        Verb::Plan(args) => return block_on(plan::run(args, config, console)),
        Verb::Apply(args) => return block_on(apply::run(args, config, console)),
        Verb::Doctor(args) => return block_on(doctor::run(args, config, console)),
        Verb::Init(args) => init::run(args, console),
        Verb::Render(args) => explain::render_manifest(args, config, console),
        Verb::Explain(args) => block_on(explain::run(args, config, console)),
        Verb::Export(args) => block_on(export::run(args, config, console)),
        Verb::Get(args) => block_on(get::run(args, config, console)),
        Verb::Send(args) => block_on(send::run(args, config, console)),
        Verb::Todo(args) => block_on(todo::run(args, config, console)),
        Verb::Ledger(args) => block_on(ledger::run(args, config, console)),
        Verb::Sandbox(SandboxVerb::Serve(args)) => block_on(sandbox::serve(args, console)),
        Verb::Schema { which } => generate::schema(*which, console),
        Verb::Completions { shell } => generate::completions(*shell, console),
        Verb::Man { directory } => generate::man(directory, console),
    }?;
    Ok(Exit::Done)
}

/// Runs the work on one thread, because it mostly waits for the server.
fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    // This fails if a provider is already installed. The failure does not matter.
    drop(rustls::crypto::ring::default_provider().install_default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(work)
}
