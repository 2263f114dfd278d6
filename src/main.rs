//! `roomform`: argv in, exit code out. The only owner of the real stdout and stderr.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::Parser;
use roomform::cli::{Cli, ColorWhen, Format};
use roomform::commands::{self, Console};
use roomform::error::{Error, Exit};
use roomform::render::Paint;
use roomform::settings::Settings;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let mut console = Console {
        out: Box::new(io::stdout()),
        err: Box::new(io::stderr()),
        out_paint: paint(cli.common.color, &io::stdout()),
        err_paint: paint(cli.common.color, &io::stderr()),
        format: cli.common.format,
        quiet: cli.common.quiet,
        interactive: io::stdin().is_terminal() && io::stderr().is_terminal(),
    };
    let exit = Settings::new(cli).and_then(|settings| commands::run(&settings, &mut console));
    ExitCode::from(exit.unwrap_or_else(|error| console.fail(&error)).code())
}

/// Help and version are success; everything else is wrong usage, as JSON if that was asked for.
fn usage(error: &clap::Error) -> ExitCode {
    let asked_for_json = |args: &[String]| {
        args.iter().any(|arg| arg == "--format=json")
            || args
                .windows(2)
                .any(|pair| pair[0] == "--format" && pair[1] == "json")
    };
    if !error.use_stderr() {
        return printed(error, Exit::Done);
    }
    let args: Vec<String> = std::env::args_os()
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    if !asked_for_json(&args) {
        return printed(error, Exit::Usage);
    }
    let mut console = Console {
        out: Box::new(io::stdout()),
        err: Box::new(io::stderr()),
        out_paint: Paint::Plain,
        err_paint: Paint::Plain,
        format: Format::Json,
        quiet: true,
        interactive: false,
    };
    let text = error.to_string();
    let message = text
        .trim_start_matches("error: ")
        .lines()
        .next()
        .unwrap_or_default();
    let error = Error::message(Exit::Usage, message).hint("see roomform --help");
    ExitCode::from(console.fail(&error).code())
}

/// Prints clap's own text. A closed pipe is nobody's fault.
fn printed(error: &clap::Error, exit: Exit) -> ExitCode {
    match error.print() {
        Err(broken) if broken.kind() != io::ErrorKind::BrokenPipe => {
            ExitCode::from(Exit::Failed.code())
        }
        _ => ExitCode::from(exit.code()),
    }
}

fn paint(when: ColorWhen, stream: &impl anstream::stream::RawStream) -> Paint {
    let colour = match when {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never,
    };
    if colour { Paint::Colour } else { Paint::Plain }
}
