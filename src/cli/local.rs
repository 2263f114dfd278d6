//! The verbs that need neither a manifest nor the widget: `init`, `sandbox`, `schema`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::parse;

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
