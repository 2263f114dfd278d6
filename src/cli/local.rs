//! The verbs that need neither a manifest nor the widget: `init`, `sandbox`, `schema`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::parse;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roomform init
  roomform init chat --ci github --ledger branch")]
pub struct InitArgs {
    /// The directory; created if missing [default: the current directory]
    pub directory: Option<PathBuf>,
    /// Also write CI files that check, plan (with a comment), apply, and look for drift every night
    #[arg(long)]
    pub ci: Option<Ci>,
    /// Where CI keeps the ledger between runs
    #[arg(long, value_name = "WHERE", default_value = "cache", requires = "ci")]
    pub ledger: LedgerStore,
    /// The git repository that CI builds roomform from
    #[arg(long, value_name = "URL", value_parser = parse::git_source, requires = "ci")]
    pub source: Option<String>,
    /// Replace existing files whose content differs
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
    /// An S3-compatible object store
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
  roomform sandbox serve --latency 50ms --error-rate 0.05")]
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
}
