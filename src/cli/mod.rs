//! The command line exactly as the user typed it. The doc comments here are the help text. Other
//! modules interpret the values.

mod flags;
mod format;
mod local;
mod manifest;
mod parse;
mod server;

use std::path::PathBuf;

use clap::{
    ArgAction, ArgGroup, ArgMatches, Args, Command, Parser, Subcommand, ValueEnum, ValueHint,
};
use clap_complete::Shell;

pub use flags::{CsvFlags, FileFlags, FilterFlags, Fit, ManifestFlags, PageFlags, ServerFlags};
use flags::{DayFlag, NamesFlag};
pub use format::{
    CheckFormat, DocumentFormat, GetFormat, PlanFormat, RenderFormat, ReportFormat, TodoFormat,
};
pub use local::{
    BehaviourFlags, Ci, CountUsers, InitArgs, LedgerStore, SandboxVerb, SchemaKind, ServeArgs,
};
pub use manifest::{
    ApplyArgs, CheckArgs, CountFlags, DiffArgs, ExplainArgs, PaceFlags, PlanArgs, RenderArgs,
    RunFlags,
};
pub use server::{
    AdoptArgs, DoctorArgs, ExportArgs, GetArgs, GetList, LedgerArgs, LedgerVerb, MessageFilters,
    RoomFilters, SendArgs, SplitBy, TodoArgs, TodoDoneArgs, TodoVerb, UserFilters,
};

/// Terraform for chat rooms: write the rooms you want, review the plan, apply it.
///
/// Exit codes: 0 done or nothing to do, 1 failed, 2 changes pending (--detailed-exitcode), 3 manifest invalid, 4 partly applied,
/// 5 refused, 64 wrong usage, 130 interrupted.
///
/// Credentials come from the environment only: IMBACHAT_WIDGET, IMBACHAT_SECRET_KEY (reading, messages) or IMBACHAT_JWT (reading),
/// IMBACHAT_LOGIN and IMBACHAT_PASSWORD (writing). Set ..._FILE instead to read a value from a file.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
#[command(after_help = "Examples:
  roomform init
  roomform plan --sandbox
  roomform apply")]
pub struct Cli {
    #[command(flatten)]
    pub output: OutputFlags,
    #[command(subcommand)]
    pub verb: Verb,
}

/// The flags of all verbs. They may come before the verb or after it.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Output", mut_args(|arg| arg.global(true)))]
pub struct OutputFlags {
    /// When to use colour; NO_COLOR is respected
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    #[arg(hide_short_help = true)]
    pub color: ColorWhen,
    /// On stderr, print only errors
    #[arg(short, long)]
    pub quiet: bool,
    /// Log decisions on stderr; -vv also logs requests
    ///
    /// Secrets and messages are never logged.
    #[arg(short, long, action = ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Format of the lines on stderr
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    #[arg(hide_short_help = true)]
    pub log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// Only on a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Human-readable text
    #[default]
    Text,
    /// One JSON object per line
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a starter manifest, the git settings it needs, and CI files
    Init(InitArgs),
    /// Validate the manifest offline; needs no credentials
    Check(CheckArgs),
    /// Show what apply would do; writes nothing
    Plan(PlanArgs),
    /// Compare two manifests without a server; needs no credentials
    Diff(DiffArgs),
    /// Make the widget match the manifest
    Apply(ApplyArgs),
    /// Print the rooms with rosters and templates resolved: a manifest in JSON, or CSV with a line per member
    Render(RenderArgs),
    /// Show where each member of a room, or each room of a user, comes from: file, group and row
    Explain(ExplainArgs),
    /// Print the live rooms as a manifest, or write it to files
    Export(ExportArgs),
    /// List rooms, users or messages from the server
    Get(GetArgs),
    /// Send one message to a room; needs the secret key
    Send(SendArgs),
    /// Check everything a run depends on, with a remedy for each problem; read-only by default
    Doctor(DoctorArgs),
    /// List the open manual steps, and mark them as done
    Todo(TodoArgs),
    /// Show, edit, merge and compact the ledger of confirmed writes
    Ledger(LedgerArgs),
    /// Run a simulated API to try things out
    #[command(subcommand)]
    #[command(after_help = "Examples:
  roomform sandbox serve
  roomform plan --sandbox")]
    Sandbox(SandboxVerb),
    /// Print the JSON Schema of a format
    #[command(after_help = "Examples:
  roomform schema manifest > manifest.schema.json
  roomform schema plan")]
    Schema {
        /// The format
        which: SchemaKind,
    },
    /// Print a shell's completion script
    #[command(after_help = "Examples:
  roomform completions bash > /etc/bash_completion.d/roomform
  roomform completions zsh > ~/.zfunc/_roomform")]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write the man pages into a directory
    #[command(after_help = "Examples:
  roomform man man/
  roomform man ~/.local/share/man/man1")]
    Man {
        /// The directory; created if missing
        #[arg(value_hint = ValueHint::DirPath)]
        directory: PathBuf,
    },
}

/// The flags that several verbs have. If the verb lacks a flag, its default is used.
#[derive(Debug, Default)]
pub struct SharedFlags {
    pub files: FileFlags,
    pub server: ServerFlags,
    pub day: DayFlag,
    pub names: NamesFlag,
    pub page: PageFlags,
}

impl SharedFlags {
    /// Reads the groups of flags that the verb has.
    ///
    /// # Errors
    /// Fails if a value is invalid. The parser of the whole command line has already reported
    /// such a value.
    pub fn new(mut command: &Command, mut matches: &ArgMatches) -> clap::error::Result<Self> {
        let mut flags = Self::default();
        while let Some((name, inner)) = matches.subcommand() {
            matches = inner;
            let Some(verb) = command.find_subcommand(name) else {
                break;
            };
            command = verb;
            read_group(&mut flags.files, command, matches)?;
            read_group(&mut flags.server.target, command, matches)?;
            read_group(&mut flags.server.connection, command, matches)?;
            read_group(&mut flags.server.reader, command, matches)?;
            read_group(&mut flags.server.ledger, command, matches)?;
            read_group(&mut flags.day, command, matches)?;
            read_group(&mut flags.names, command, matches)?;
            read_group(&mut flags.page, command, matches)?;
        }
        Ok(flags)
    }
}

/// Reads a group of flags, if the command has it.
fn read_group<T: Args>(
    flags: &mut T,
    command: &Command,
    matches: &ArgMatches,
) -> clap::error::Result<()> {
    let mut groups = command.get_groups().map(ArgGroup::get_id);
    if groups.any(|id| T::group_id().as_ref() == Some(id)) {
        *flags = T::from_arg_matches(matches)?;
    }
    Ok(())
}
