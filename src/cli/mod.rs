//! The command line exactly as the user typed it. The doc comments here are the help text. Other
//! modules interpret the values.

mod flags;
mod manifest;
mod parse;
mod server;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{
    ArgAction, ArgGroup, ArgMatches, Args, Command, Parser, Subcommand, ValueEnum, ValueHint,
};
use clap_complete::Shell;

pub use flags::{
    CheckFormat, CsvFlags, DocumentFormat, FileFlags, FilterFlags, Fit, GetFormat, ManifestFlags,
    PageFlags, PlanFormat, RenderFormat, ReportFormat, ServerFlags, TodoFormat,
};
use flags::{DayFlag, NamesFlag};
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

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roomform init
  roomform init chat --ci github --ledger branch")]
pub struct InitArgs {
    /// The directory; created if missing [default: the current directory]
    #[arg(value_hint = ValueHint::DirPath)]
    pub directory: Option<PathBuf>,
    /// Also write CI files that check, plan, apply, and look for drift every night
    #[arg(long)]
    pub ci: Option<Ci>,
    /// Where CI keeps the ledger between runs
    #[arg(long, value_name = "WHERE", default_value = "cache", requires = "ci")]
    pub ledger: LedgerStore,
    /// The release that CI installs, and the SHA-256 sum of its x86-64 Linux tarball [default: this
    /// version; you must fill in its sum]
    #[arg(long, value_name = "VERSION@SHA256", value_parser = parse::pin, requires = "ci")]
    pub pin: Option<(String, String)>,
    /// Replace existing files whose content differs, except the manifest
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ci {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LedgerStore {
    /// The CI cache; entries may be evicted
    Cache,
    /// The branch roomform-ledger of the repository
    Branch,
    /// An S3-compatible object store, at the address in ROOMFORM_LEDGER
    Bucket,
}

#[derive(Debug, Subcommand)]
pub enum SandboxVerb {
    /// Serve the API on a port until interrupted
    Serve(ServeArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roomform sandbox serve --state sandbox.json
  roomform sandbox serve --latency 50ms --error-rate 0.05
  roomform sandbox serve --list-lag 2s --ignore-updates")]
pub struct ServeArgs {
    /// Listen on this address
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8627")]
    pub listen: SocketAddr,
    /// Keep the state in this file [default: in memory]
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Delay each response by this time, such as 50ms
    #[arg(long, value_name = "DURATION", value_parser = parse::duration, default_value = "0s")]
    pub latency: Duration,
    /// Fraction of calls that fail with HTTP 500 before they take effect, such as 0.05
    #[arg(long, value_name = "PART", value_parser = parse::part, default_value = "0")]
    pub error_rate: f64,
    /// Fraction of calls that take effect but get no response
    #[arg(long, value_name = "PART", value_parser = parse::part, default_value = "0")]
    pub lost_answer_rate: f64,
    /// Return HTTP 429 above this many requests per second
    #[arg(long, value_name = "N")]
    pub rate_limit: Option<f64>,
    /// Random seed that determines which calls fail
    #[arg(long, value_name = "N", default_value = "0")]
    pub seed: u64,
    #[command(flatten)]
    pub behaviour: BehaviourFlags,
}

/// Selects the behaviour of the API where its documentation is silent or contradicts itself.
#[derive(Debug, Args)]
#[command(next_help_heading = "What the API documentation leaves open")]
pub struct BehaviourFlags {
    /// Keep the room's title if a write has no title
    ///
    /// By default, such a write names the room "new room".
    #[arg(long)]
    pub keep_title: bool,
    /// Let a write to an existing room only add members
    ///
    /// The title, type and visibility in the write are ignored.
    #[arg(long)]
    pub ignore_updates: bool,
    /// Let each write appear in the list only after this delay
    #[arg(long, value_name = "DURATION", value_parser = parse::duration, default_value = "0s")]
    pub list_lag: Duration,
    /// List deleted rooms too
    #[arg(long)]
    pub show_deleted: bool,
    /// Answer errors with HTTP 200 and the code in the body
    #[arg(long, hide_short_help = true)]
    pub errors_with_200: bool,
    /// Silently drop members that the widget does not know
    #[arg(long, hide_short_help = true)]
    pub drop_unknown_users: bool,
    /// Which rooms the filter count_users finds
    #[arg(
        long,
        value_name = "MEANING",
        default_value = "exact",
        hide_short_help = true
    )]
    pub count_users: CountUsers,
    /// Include a room's administrator in count_users
    #[arg(long, hide_short_help = true)]
    pub count_admin: bool,
    /// With a JWT, list only the rooms of its user
    #[arg(long, hide_short_help = true)]
    pub jwt_lists_own: bool,
    /// Refuse messages without imba_id and password
    #[arg(long, hide_short_help = true)]
    pub strict_messages: bool,
    /// Create a room for each write that has no room_id
    ///
    /// A room is created even if a live room already has the pipe.
    #[arg(long)]
    pub duplicate_pipes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CountUsers {
    /// Rooms with this number of users
    Exact,
    /// Rooms with at least this number of users
    AtLeast,
    /// All rooms: the filter is ignored
    Ignored,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    /// The manifest
    Manifest,
    /// The output of `plan --format json`
    Plan,
    /// The output of `diff --format json`
    Diff,
    /// The output of `apply --format json`
    Report,
    /// The output of `doctor --format json`
    Doctor,
    /// The output of `todo --format json`
    Todo,
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
