//! Reports usage errors, with suggestions that clap cannot make.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};

use super::console::{Console, Streams};
use crate::cli::{Cli, OutputFlags, PageFlags, ReportFormat};
use crate::error::{Error, Exit, error};
use crate::model::RunId;

/// Prints help and version as success, and reports everything else as a usage error.
pub fn report(
    error: &clap::Error,
    args: &[OsString],
    format: ReportFormat,
    streams: Streams,
    run: RunId,
) -> Exit {
    if let Some(error) = terraform_verb(error).or_else(|| misplaced_flag(error, args)) {
        return fail(&error, format, streams, run);
    }
    let is_help = !error.use_stderr();
    if is_help || format == ReportFormat::Text {
        // Ignore a failure to print, because the reader may have closed the pipe.
        drop(error.print());
        return if is_help { Exit::Done } else { Exit::Usage };
    }
    let text = error.render().to_string();
    // Cut off the general usage, which clap puts after the message and its tips.
    let message = text.split("\n\nUsage:").next().unwrap_or_default();
    let message = message.split("\n\nFor more").next().unwrap_or_default();
    let words = message.trim_start_matches("error: ").split_whitespace();
    let words = words.collect::<Vec<_>>().join(" ");
    let error = error!(Usage: "{words}"; "see roomform --help");
    fail(&error, format, streams, run)
}

/// Reports that the command line could not be parsed.
pub fn fail(error: &Error, format: ReportFormat, streams: Streams, run: RunId) -> Exit {
    let (flags, page) = (OutputFlags::default(), PageFlags::default());
    Console::new(streams, &flags, page, format, "run", run).fail(error)
}

/// Detects a flag in Terraform's spelling, which clap may parse as another flag: `-out=x` as
/// `-o ut=x`.
pub fn terraform_flag(args: &[OsString]) -> Option<Error> {
    let words = args.iter().skip(1).map(|arg| arg.to_string_lossy());
    let mut words = words.take_while(|word| word != "--");
    words.find_map(|word| {
        let flag = word.split('=').next()?;
        let ours = match flag {
            "-out" => "--out FILE",
            "-auto-approve" | "--auto-approve" => "--yes",
            "-target" | "--target" => "--only GLOB",
            "-detailed-exitcode" => "--detailed-exitcode",
            "-json" | "--json" => "--format json",
            "-no-color" | "--no-color" => "--color never",
            "-parallelism" => "--parallelism N",
            _ => return None,
        };
        Some(error!(Usage: "there is no flag `{flag}`"; format!("write it as {ours}")))
    })
}

fn terraform_verb(error: &clap::Error) -> Option<Error> {
    let Some(ContextValue::String(verb)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let hint = match verb.as_str() {
        "validate" => "use `roomform check`, which validates the manifest offline",
        "destroy" => {
            "remove the rooms from the manifest and delete them in ImbaChat: the API cannot delete rooms"
        }
        "state" => "use `roomform ledger`, which shows and forgets records",
        "import" => "use `roomform export`, which prints the live rooms as a manifest",
        "refresh" => {
            "use `roomform plan`, which reads the live rooms each time; --detailed-exitcode reports drift"
        }
        "show" => {
            "use `roomform plan` to see the current plan; a saved plan is a JSON file, which you can read directly"
        }
        _ => return None,
    };
    Some(error!(Usage: "there is no verb `{verb}`"; hint))
}

/// Detects a flag that only other verbs have, or that comes before the verb.
fn misplaced_flag(error: &clap::Error, args: &[OsString]) -> Option<Error> {
    let flag = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) if error.kind() == ErrorKind::UnknownArgument => flag,
        _ => return None,
    };
    if !flag.starts_with('-') && is_manifest_path(flag) {
        return Some(error!(Usage: "unexpected argument `{flag}`";
            format!("name the manifest with -f: -f {flag}")));
    }
    let flag = flag.split('=').next()?;
    let (mut root, mut verbs) = (Cli::command(), Vec::new());
    collect_verbs_with(flag, &root, "", &mut verbs);
    // Adds the inherited flags: `ledger show` also has the flags of `ledger`.
    root.build();
    let (typed, command) = typed_verb(&root, args);
    if has_flag(command, flag) {
        return Some(error!(Usage: "`{flag}` must come after the verb";
            format!("write roomform {typed} {flag}")));
    }
    let hint = match (typed.as_str(), flag) {
        ("diff", "-f" | "--file") => "write roomform diff BASE HEAD".to_owned(),
        ("export", "--only") => "choose rooms with --scope".to_owned(),
        ("send", "-f" | "--file") => "read the text from a file with --text-file".to_owned(),
        _ if verbs.is_empty() => return None,
        _ => format!("`{flag}` is a flag of `{}`", verbs.join("`, `")),
    };
    Some(match typed.as_str() {
        "" => error!(Usage: "`{flag}` must come after the verb"; hint),
        verb => error!(Usage: "`{verb}` has no flag `{flag}`"; hint),
    })
}

fn is_manifest_path(argument: &str) -> bool {
    let endings = [".yaml", ".yml", ".json", "/"];
    endings.iter().any(|ending| argument.ends_with(ending))
}

/// Returns the verb that the user typed, such as `get rooms`, and its command.
fn typed_verb<'c>(root: &'c Command, args: &[OsString]) -> (String, &'c Command) {
    let (mut command, mut names) = (root, Vec::new());
    for arg in args.iter().skip(1) {
        if let Some(verb) = command.find_subcommand(arg) {
            command = verb;
            names.push(verb.get_name());
        }
    }
    (names.join(" "), command)
}

fn has_flag(command: &Command, flag: &str) -> bool {
    command.get_arguments().any(|arg| {
        let long = arg.get_long().map(|long| format!("--{long}"));
        let short = arg.get_short().map(|short| format!("-{short}"));
        [long, short].into_iter().flatten().any(|it| it == flag)
    })
}

/// Collects the verbs that accept a flag, in the order of the help.
fn collect_verbs_with(flag: &str, command: &Command, name: &str, found: &mut Vec<String>) {
    if !name.is_empty() && has_flag(command, flag) {
        found.push(name.to_owned());
    }
    for verb in command.get_subcommands() {
        let name = format!("{name} {}", verb.get_name());
        collect_verbs_with(flag, verb, name.trim_start(), found);
    }
}
