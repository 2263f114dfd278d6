//! Wrong usage of the command line, told with what was likely meant.

use std::ffi::OsString;
use std::io::Write;

use clap::error::{ContextKind, ContextValue};

use super::console::{Console, Streams};
use super::formats;
use crate::cli::{Format, LogFormat};
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

/// Tells an error of the command line in the format that was asked for.
pub(super) fn fail(error: &Error, args: &[OsString], streams: Streams, run: RunId) -> Exit {
    let format = formats::asked(args).unwrap_or(Format::Text);
    Console::plain(streams, format, LogFormat::Text, run).fail(error)
}

/// Help and version are success; everything else is wrong usage, told in the format that was asked for.
pub(super) fn tell(
    error: &clap::Error,
    args: &[OsString],
    mut streams: Streams,
    run: RunId,
) -> Exit {
    if let Some(error) = verb_of_another_tool(error) {
        return fail(&error, args, streams, run);
    }
    let format = formats::asked(args);
    if let Some(format) = format.filter(|_| error.use_stderr()) {
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
