//! The command line exactly as typed. The doc comments here are the help text; nothing is decided here.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Where the sandbox keeps its state unless told otherwise.
const SANDBOX_STATE: &str = ".roomform/sandbox.json";

/// Terraform for chat rooms: write the rooms you want, review the plan, apply it.
#[derive(Debug, Parser)]
#[command(name = "roomform", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// Flags of every verb; they may stand before or after it.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done or nothing to do, 1 failed, 2 changes pending (--detailed-exitcode), 3 manifest invalid, 4 partly applied, \
5 refused, 64 wrong usage, 130 interrupted.

Credentials come from the environment only: IMBACHAT_WIDGET, IMBACHAT_SECRET_KEY or IMBACHAT_JWT (reading), IMBACHAT_LOGIN and \
IMBACHAT_PASSWORD (writing); each also as ..._FILE, the path of a file that holds it.";

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Validate the manifest offline; needs no credentials
    Check,
    /// Show what apply would do; writes nothing
    Plan(PlanArgs),
    /// Make the widget look like the manifest
    Apply(ApplyArgs),
    /// Print the live rooms as a manifest
    Export,
    /// Look into the record of what was confirmed, merge it, tidy it
    Ledger(LedgerArgs),
    /// An imitation of the API, for trying things out
    Sandbox(SandboxArgs),
    /// Print the JSON Schema of a format
    Schema {
        /// Which
        #[arg(value_enum)]
        which: SchemaKind,
    },
    /// Print a shell's completion script
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a directory
    Man {
        /// The directory; made if it is not there
        directory: PathBuf,
    },
}

/// Flags of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Exit with 2 if changes are pending
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Save the plan to this file, for `apply FILE` to do exactly what it says
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Flags of `apply`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// A plan saved by `plan --out`; it was reviewed, so nothing is asked
    #[arg(value_name = "PLAN_FILE")]
    pub plan: Option<PathBuf>,
    /// Do the rooms of a saved plan that nobody changed since, and leave the others
    #[arg(long, requires = "plan")]
    pub apply_fresh: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Begin no further room after the first that fails
    #[arg(long)]
    pub fail_fast: bool,
    /// Write what became of each room to this file, as JSON; also if some failed or the run was interrupted
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Write what has to be run again to this file, as CSV
    #[arg(long, value_name = "FILE")]
    pub failed: Option<PathBuf>,
}

/// `ledger`.
#[derive(Debug, Args)]
pub struct LedgerArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub verb: LedgerVerb,
}

/// The ledger's verbs.
#[derive(Debug, Subcommand)]
pub enum LedgerVerb {
    /// Show what is on record, room by room
    Show,
    /// Forget all that is on record of these rooms, as if roomform had never written to them
    Forget {
        /// The rooms
        #[arg(required = true, value_name = "PIPE")]
        pipes: Vec<String>,
    },
    /// Take the entries of other ledgers of the same target in; order and repetition do not matter
    Merge {
        /// The other ledgers
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Drop entries that later ones overrule
    Compact,
}

/// `sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub verb: SandboxVerb,
}

/// The sandbox's verbs.
#[derive(Debug, Subcommand)]
pub enum SandboxVerb {
    /// Serve the API on a port until interrupted
    Serve(ServeArgs),
}

/// Flags of `sandbox serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8627")]
    pub listen: SocketAddr,
    /// Keep the state in this file; without it, in memory
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Answer this much later, as in 50ms
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "0s")]
    pub latency: Duration,
    /// This part of the calls fails with HTTP 500 before anything is done, as in 0.05
    #[arg(long, value_name = "PART", value_parser = part, default_value_t = 0.0)]
    pub error_rate: f64,
    /// This part of the calls is done, but the answer is lost
    #[arg(long, value_name = "PART", value_parser = part, default_value_t = 0.0)]
    pub lost_answer_rate: f64,
    /// Answer HTTP 429 above so many requests a second
    #[arg(long, value_name = "N")]
    pub rate_limit: Option<f64>,
    /// Decides which calls fail
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

/// Flags of every verb.
#[derive(Debug, Args)]
pub struct Common {
    /// A file or directory of the manifest; repeatable [default: rooms.yaml, else rooms/]
    #[arg(
        short,
        long,
        global = true,
        value_name = "PATH",
        help_heading = "Manifest"
    )]
    pub file: Vec<PathBuf>,
    /// Only rooms whose pipe matches; repeatable
    #[arg(long, global = true, value_name = "GLOB", help_heading = "Manifest")]
    pub only: Vec<String>,
    /// Accept a manifest without a single room
    #[arg(long, global = true, help_heading = "Manifest")]
    pub allow_empty: bool,

    /// How to print
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, help_heading = "Output")]
    pub format: Format,
    /// When to use colour; NO_COLOR is respected
    #[arg(long, global = true, value_enum, default_value_t = ColorWhen::Auto, help_heading = "Output")]
    pub color: ColorWhen,
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true, help_heading = "Output")]
    pub quiet: bool,

    /// Work on a built-in server of the same API, its state kept in FILE: no account, no network
    #[arg(long, global = true, value_name = "FILE", num_args = 0..=1, require_equals = true, conflicts_with = "api_url",
          default_missing_value = SANDBOX_STATE, help_heading = "Target")]
    pub sandbox: Option<PathBuf>,
    /// The API's address [env: IMBACHAT_API_URL] [default: api.imbachat.com over https]
    #[arg(long, global = true, value_name = "URL", help_heading = "Target")]
    pub api_url: Option<String>,
    /// The widget (imba_id) [env: IMBACHAT_WIDGET]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Target")]
    pub widget: Option<u64>,
    /// Send credentials in clear to an http address that is not this machine
    #[arg(long, global = true, help_heading = "Target")]
    pub allow_insecure_http: bool,
    /// Give up on a connection, a silence or a write after this long
    #[arg(long, global = true, value_name = "DURATION", value_parser = timeout, default_value = "30s", help_heading = "Target")]
    pub timeout: Duration,
    /// At most so many requests a second when writing, as in 20/s
    #[arg(long, global = true, value_name = "N/s", value_parser = rate, help_heading = "Target")]
    pub rate: Option<f64>,
    /// Rooms written at a time
    #[arg(
        long,
        global = true,
        value_name = "N",
        default_value = "8",
        help_heading = "Target"
    )]
    pub parallelism: NonZeroUsize,
    /// The ledger [default: .roomform/HOST-WIDGET.jsonl beside the manifest]
    #[arg(long, global = true, value_name = "PATH", help_heading = "Target")]
    pub ledger: Option<PathBuf>,

    /// Let closed rooms become public
    #[arg(long, global = true, help_heading = "Guards")]
    pub allow_publish: bool,
    /// Make rooms anew that were deleted, or that the ledger knows and the list lacks
    #[arg(long, global = true, help_heading = "Guards")]
    pub allow_recreate: bool,
    /// Go over `limits`, except that on publishing
    #[arg(long, global = true, help_heading = "Guards")]
    pub ignore_limits: bool,
    /// Send fields again that the server ignored
    #[arg(long, global = true, help_heading = "Guards")]
    pub resend: bool,
    /// No ledger at hand: take the declared members of existing rooms for present
    #[arg(long, global = true, help_heading = "Guards")]
    pub assume_members: bool,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// One JSON document on stdout, whatever happens
    Json,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What there is a schema of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    /// The manifest
    Manifest,
    /// The output of `plan --format json`
    Plan,
    /// The output of `apply --format json`
    Report,
}

/// `30s`, `500ms`, `2m`: longer than nothing or nothing, at most a day.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed: Result<jiff::SignedDuration, _> = text.parse();
    let duration = parsed
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok());
    duration
        .filter(|duration| *duration <= Duration::from_secs(86_400))
        .ok_or_else(|| "write it as 30s, 500ms or 2m".to_owned())
}

/// A duration longer than nothing.
fn timeout(text: &str) -> Result<Duration, String> {
    let timeout = duration(text)?;
    if timeout.is_zero() {
        Err("nothing is ever answered in no time at all".to_owned())
    } else {
        Ok(timeout)
    }
}

/// `20/s`, `20`, `0.5/s`: more than nothing.
fn rate(text: &str) -> Result<f64, String> {
    let number = text
        .strip_suffix("/s")
        .unwrap_or(text)
        .trim()
        .parse::<f64>();
    let rate = number
        .ok()
        .filter(|rate| rate.is_finite() && (0.001..=1e6).contains(rate));
    rate.ok_or_else(|| "write it as 20/s".to_owned())
}

/// A part of a whole: 0 to 1.
fn part(text: &str) -> Result<f64, String> {
    let part = text
        .parse::<f64>()
        .ok()
        .filter(|part| (0.0..=1.0).contains(part));
    part.ok_or_else(|| "write it as a number from 0 to 1".to_owned())
}
