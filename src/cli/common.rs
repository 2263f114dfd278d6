//! The flags of every verb.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::values::{page, rate, shard, timeout};

/// Where the sandbox keeps its state unless told otherwise.
const SANDBOX_STATE: &str = ".roomform/sandbox.json";

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
    /// Only part I of N of the rooms, as in 0/8 to 7/8; a pipe is always in the same part
    #[arg(long, global = true, value_name = "I/N", value_parser = shard, help_heading = "Manifest")]
    pub shard: Option<(u32, NonZeroU32)>,
    /// Accept a manifest without a single room
    #[arg(long, global = true, help_heading = "Manifest")]
    pub allow_empty: bool,

    /// How to print
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, help_heading = "Output")]
    pub format: Format,
    /// The most bytes a Markdown page may have; at least 4096
    #[arg(long, global = true, value_name = "N", value_parser = page, help_heading = "Output")]
    pub max_bytes: Option<usize>,
    /// Make a Markdown page fit where it goes
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHERE",
        help_heading = "Output"
    )]
    pub fit: Option<Fit>,
    /// When to use colour; NO_COLOR is respected
    #[arg(long, global = true, value_enum, default_value_t = ColorWhen::Auto, help_heading = "Output")]
    pub color: ColorWhen,
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true, help_heading = "Output")]
    pub quiet: bool,
    /// Say on stderr what is decided; twice: every request too, without secrets and without texts of people
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet", help_heading = "Output")]
    pub verbose: u8,
    /// How to write to stderr
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text, help_heading = "Output")]
    pub log_format: LogFormat,

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
    /// Read with a JWT for this user of the site, made from the secret key, instead of with the key itself
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Target")]
    pub jwt_user: Option<u64>,
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
    /// The ledger: a path, or an object as in s3://bucket/key (gs://, az://) [default: .roomform/HOST-WIDGET.jsonl beside the manifest]
    #[arg(long, global = true, value_name = "PATH|URL", help_heading = "Target")]
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
    /// A page for a browser, one file (`plan`, `diff`)
    Html,
    /// Comma-separated values (`render`, `get`)
    Csv,
    /// A table (`get`; there it is what text is)
    Table,
    /// A page for a pull request's comment or a job's summary; it says too why there is no plan
    Markdown,
    /// Annotations of GitHub, on the lines of the manifest
    Github,
    /// SARIF 2.1.0, for code scanning; of `check` only
    Sarif,
}

/// Where a page goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Fit {
    /// A comment on GitHub: 65,536 characters
    GithubComment,
    /// A job's summary on GitHub: 1 MiB
    GithubSummary,
    /// A comment on GitLab: 1,000,000 characters
    Gitlab,
    /// A comment on Azure DevOps: 150,000 characters
    Azure,
    /// A comment on Bitbucket: 32,768 characters, and no HTML
    Bitbucket,
}

/// How to write to stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
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
