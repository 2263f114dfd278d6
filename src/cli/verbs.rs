//! The flags of single verbs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::values::{duration, part, source};

/// Flags of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Where; made if it is not there [default: the current directory]
    pub directory: Option<PathBuf>,
    /// Write the files of this CI too: check, plan with a comment, apply, nightly drift
    #[arg(long, value_enum)]
    pub ci: Option<Ci>,
    /// Where the CI keeps the ledger from run to run
    #[arg(long, value_enum, value_name = "WHERE", default_value_t = LedgerStore::Cache, requires = "ci")]
    pub ledger_store: LedgerStore,
    /// The git repository that the CI builds roomform from
    #[arg(long, value_name = "URL", value_parser = source, requires = "ci")]
    pub source: Option<String>,
    /// Replace files that are there with other content
    #[arg(long)]
    pub force: bool,
}

/// A CI that files can be made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ci {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
}

/// Where a CI keeps the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LedgerStore {
    /// The CI's own cache; may be evicted
    Cache,
    /// A branch of the repository, roomform-ledger
    Branch,
    /// An object store of the S3 kind
    Bucket,
}

/// Flags of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Exit with 2 if changes are pending
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Save the plan as JSON for review and for `apply FILE`. Flags that lift a guard (--allow-publish, --allow-recreate, --ignore-limits) are not saved
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace a file that is there and is no plan
    #[arg(long, requires = "out")]
    pub force: bool,
    /// Ask the widget for its users, and warn of members it does not know
    #[arg(long)]
    pub check_users: bool,
}

/// Flags of `diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// What to compare with: a manifest (a file, a directory, or either in a git revision, as in origin/main:rooms/)
    pub base: PathBuf,
    /// What to compare, in the same way
    pub head: PathBuf,
    /// Exit with 2 if they differ
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Show the resolved rooms line by line, as diff -u does
    #[arg(long)]
    pub unified: bool,
}

/// Flags of `apply`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// Write only what this saved plan (`plan --out`) lists and the manifest still asks for; nothing is asked. Flags that lift a guard are not saved: pass them again
    #[arg(value_name = "PLAN_FILE")]
    pub plan: Option<PathBuf>,
    /// Apply the rooms of a saved plan that have not changed since, and skip the others
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
    /// Replace files that are there and are neither a report nor a list of what failed
    #[arg(long)]
    pub force: bool,
}

/// Flags of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Only live rooms whose pipe matches; a manifest that is made says so as its `scope`; repeatable
    #[arg(long, value_name = "GLOB")]
    pub scope: Vec<String>,
    /// Write to this file, or with --split-by into this directory, instead of printing
    #[arg(short, long, value_name = "FILE|DIRECTORY")]
    pub out: Option<PathBuf>,
    /// A file for each prefix of the pipes, or for each type of the rooms
    #[arg(long, value_enum, value_name = "WHAT", requires = "out")]
    pub split_by: Option<SplitBy>,
    /// Keep files that are there as they are, and append the rooms that are not declared yet
    #[arg(long, requires = "out", conflicts_with = "force")]
    pub add: bool,
    /// Replace files that are there with other content
    #[arg(long, requires = "out")]
    pub force: bool,
}

/// How an export is split into files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SplitBy {
    /// What stands before the first `-` or `_` of the pipe; other.yaml for pipes without, and for those the server made up
    Prefix,
    /// dialog.yaml, conference.yaml, support.yaml
    Type,
}

/// Flags of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Make one throw-away room with this pipe and update it, to see what the API does; it can only be removed by hand
    #[arg(long, value_name = "PIPE")]
    pub write_probe: Option<String>,
    /// Do not ask
    #[arg(short, long, requires = "write_probe")]
    pub yes: bool,
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
        /// The rooms: pipes, or globs of pipes as in 'course-*'
        #[arg(required = true, value_name = "PIPE|GLOB")]
        pipes: Vec<String>,
        /// Forget only who is left to people in these rooms, once they were taken out in ImbaChat; everybody else stays on record
        #[arg(long)]
        by_hand: bool,
    },
    /// Take the entries of other ledgers of the same target in; order and repetition do not matter
    Merge {
        /// The other ledgers
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Record the declared members of rooms that were there before as present, so that nothing is sent for them
    Adopt(AdoptArgs),
    /// Drop entries that later ones overrule
    Compact,
}

/// Flags of `ledger adopt`.
#[derive(Debug, Args)]
pub struct AdoptArgs {
    /// Take the members that the manifest and its rosters give; the API lists none
    #[arg(long, required = true)]
    pub roster: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
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

/// What there is a schema of.
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
}
