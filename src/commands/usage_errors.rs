//! Wrong usage of the command line, told with what was likely meant.

use std::ffi::OsString;
use std::io::Write;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory};

use super::console::{Console, Streams};
use crate::cli::{Cli, ErrorFormat, LogFormat};
use crate::error::{Error, Exit};
use crate::model::RunId;

/// Flags as Terraform spells them, and ours. With one dash some of them would be read as others: `-out=x` as `-o ut=x`.
const FLAGS: [(&str, &str); 7] = [
    ("out", "--out FILE"),
    ("auto-approve", "--yes"),
    ("target", "--only GLOB"),
    ("detailed-exitcode", "--detailed-exitcode"),
    ("json", "--format json"),
    ("no-color", "--color never"),
    ("parallelism", "--parallelism N"),
];
/// The same of verbs.
const VERBS: [(&str, &str); 6] = [
    (
        "validate",
        "`roomform check` validates the manifest, offline",
    ),
    (
        "destroy",
        "nothing deletes rooms: the API has no call for it; take them out of the manifest, and delete them in ImbaChat",
    ),
    (
        "state",
        "`roomform ledger` shows what is on record, and forgets it",
    ),
    (
        "import",
        "`roomform export` prints the live rooms as a manifest",
    ),
    (
        "refresh",
        "`roomform plan` reads the live rooms each time; --detailed-exitcode tells drift",
    ),
    (
        "show",
        "`roomform plan` shows the current plan; a saved plan is JSON",
    ),
];

/// A flag in another tool's spelling, before it is read as something else.
pub(super) fn of_another_tool(args: &[OsString]) -> Option<Error> {
    let words = args.iter().skip(1).map(|arg| arg.to_string_lossy());
    let mut words = words.take_while(|word| word != "--");
    words.find_map(|word| {
        let name = word.split('=').next().unwrap_or_default();
        let bare = name.trim_start_matches('-');
        let (_, ours) = FLAGS.iter().find(|(theirs, _)| *theirs == bare)?;
        // Two dashes are right where only the dash was wrong.
        let wrong =
            name == format!("-{bare}") || (name == format!("--{bare}") && !ours.starts_with(name));
        let message = format!("there is no flag `{name}`");
        wrong.then(|| Error::message(Exit::Usage, message).hint(format!("write it as {ours}")))
    })
}

/// A verb of another tool.
fn verb_of_another_tool(error: &clap::Error) -> Option<Error> {
    let Some(ContextValue::String(verb)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let (_, hint) = VERBS.iter().find(|(theirs, _)| theirs == verb)?;
    let message = format!("there is no verb `{verb}`");
    Some(Error::message(Exit::Usage, message).hint(*hint))
}

/// What to do instead of a flag, by verb and flags.
const INSTEAD: [(&str, &[&str], &str); 3] = [
    ("diff", &["-f", "--file"], "write roomform diff BASE HEAD"),
    ("export", &["--only"], "choose rooms with --scope"),
    (
        "send",
        &["-f", "--file"],
        "read the text from a file with --text-file",
    ),
];

/// A flag that only other verbs have, or that comes before the verb.
fn flag_of_another_verb(error: &clap::Error, args: &[OsString]) -> Option<Error> {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let flag = flag.split('=').next().unwrap_or_default();
    let mut verbs = Vec::new();
    verbs_with(flag, &Cli::command(), "", &mut verbs);
    let typed = typed_verb(args);
    let instead = INSTEAD
        .iter()
        .find(|(verb, flags, _)| *verb == typed && flags.contains(&flag));
    let error = |message| Error::message(Exit::Usage, message);
    // What `ledger` takes, `ledger show` takes too.
    let takes = |verb: &String| typed == *verb || typed.starts_with(&format!("{verb} "));
    if verbs.iter().any(takes) {
        return Some(
            error(format!("`{flag}` comes before the verb"))
                .hint(format!("write it after the verb: roomform {typed} {flag}")),
        );
    }
    let message = match typed.as_str() {
        "" => format!("`{flag}` comes before the verb"),
        verb => format!("`{verb}` has no flag `{flag}`"),
    };
    match (instead, verbs.as_slice()) {
        (Some((_, _, hint)), _) => Some(error(message).hint(*hint)),
        (None, []) => None,
        (None, verbs) => {
            let verbs: Vec<String> = verbs.iter().map(|verb| format!("`{verb}`")).collect();
            Some(error(message).hint(format!("`{flag}` is a flag of {}", verbs.join(", "))))
        }
    }
}

/// The verb of a command line, as in `get rooms`.
fn typed_verb(args: &[OsString]) -> String {
    let (root, mut names) = (Cli::command(), Vec::new());
    let mut command = &root;
    for arg in args.iter().skip(1) {
        if let Some(verb) = command.find_subcommand(arg) {
            command = verb;
            names.push(verb.get_name());
        }
    }
    names.join(" ")
}

/// Collects the verbs that have a flag, in the order of the help.
fn verbs_with(flag: &str, command: &Command, name: &str, found: &mut Vec<String>) {
    let is_meant = |arg: &Arg| {
        let long = arg.get_long().map(|long| format!("--{long}"));
        let short = arg.get_short().map(|short| format!("-{short}"));
        long.as_deref() == Some(flag) || short.as_deref() == Some(flag)
    };
    if !name.is_empty() && command.get_arguments().any(is_meant) {
        found.push(name.to_owned());
    }
    for verb in command.get_subcommands() {
        let name = format!("{name} {}", verb.get_name());
        verbs_with(flag, verb, name.trim_start(), found);
    }
}

/// The format that a command line asks for which could not be parsed.
fn asked(args: &[OsString]) -> ErrorFormat {
    let formats = [
        ("json", ErrorFormat::Json),
        ("markdown", ErrorFormat::Markdown),
        ("github", ErrorFormat::Github),
    ];
    let is_asked = |word: &str| {
        args.iter().any(|arg| *arg == *format!("--format={word}"))
            || args
                .windows(2)
                .any(|pair| matches!(pair, [flag, value] if flag == "--format" && *value == *word))
    };
    let asked = formats.into_iter().find(|(word, _)| is_asked(word));
    asked.map_or(ErrorFormat::Text, |(_, format)| format)
}

/// Tells an error of the command line in the format that was asked for.
pub(super) fn fail(error: &Error, args: &[OsString], streams: Streams, run: RunId) -> Exit {
    let format = asked(args);
    Console::plain(streams, format, LogFormat::Text, run).fail(error)
}

/// Help and version are success; everything else is wrong usage, told in the format that was asked for.
pub(super) fn tell(
    error: &clap::Error,
    args: &[OsString],
    mut streams: Streams,
    run: RunId,
) -> Exit {
    let error_of_ours = verb_of_another_tool(error).or_else(|| flag_of_another_verb(error, args));
    if let Some(error) = error_of_ours {
        return fail(&error, args, streams, run);
    }
    let format = asked(args);
    if format != ErrorFormat::Text && error.use_stderr() {
        let text = error.to_string();
        // What follows the first empty line but tips is how to use the program at large.
        let told = text
            .split("\n\nUsage:")
            .flat_map(|part| part.split("\n\nFor more"))
            .next()
            .unwrap_or_default();
        let told = told.trim_start_matches("error: ");
        let words: Vec<&str> = told.split_whitespace().collect();
        let failure = Error::message(Exit::Usage, words.join(" ")).hint("see roomform --help");
        return Console::plain(streams, format, LogFormat::Text, run).fail(&failure);
    }
    let colour = if error.use_stderr() {
        streams.err_colour
    } else {
        streams.out_colour
    };
    let text = if colour {
        error.render().ansi().to_string()
    } else {
        error.render().to_string()
    };
    let stream: &mut dyn Write = if error.use_stderr() {
        &mut streams.err
    } else {
        &mut streams.out
    };
    // A reader that went away is no failure, and nobody is left to be told of another.
    drop(stream.write_all(text.as_bytes()));
    if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Done
    }
}
