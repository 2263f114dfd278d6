//! Groups of flags, flattened into the verbs that use them.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::values::{page, rate, shard, timeout};

/// The sandbox keeps its state here by default.
const SANDBOX_STATE: &str = ".roomform/sandbox.json";
const TIMEOUT: Duration = Duration::from_secs(30);

/// The flags of all verbs. They may come before the verb or after it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputFlags {
    /// When to use colour; NO_COLOR is respected
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = ColorWhen::Auto, hide_short_help = true)]
    pub color: ColorWhen,
    /// Print only errors on stderr
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Log decisions on stderr; -vv: requests too
    ///
    /// Neither secrets nor messages are logged.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Format of the lines on stderr
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text, hide_short_help = true)]
    pub log_format: LogFormat,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Manifest")]
pub struct FileFlags {
    /// File or directory of the manifest; repeatable [default: rooms.yaml, else rooms/]
    #[arg(short, long, value_name = "PATH")]
    pub file: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Manifest")]
pub struct FilterFlags {
    /// Only rooms whose pipe matches; repeatable
    #[arg(long, value_name = "GLOB")]
    pub only: Vec<String>,
    /// No rooms whose pipe matches; repeatable
    #[arg(long, value_name = "GLOB")]
    pub except: Vec<String>,
}

#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Manifest")]
pub struct EmptyFlag {
    /// Accept a manifest without rooms
    #[arg(long, hide_short_help = true)]
    pub allow_empty: bool,
}

/// The flags of verbs that read a whole manifest.
#[derive(Debug, Args)]
pub struct ManifestFlags {
    #[command(flatten)]
    pub files: FileFlags,
    #[command(flatten)]
    pub filter: FilterFlags,
    #[command(flatten)]
    pub empty: EmptyFlag,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Manifest")]
pub struct ShardFlag {
    /// Only part I of N of the rooms, as in 0/8 to 7/8; a room is always in the same part
    #[arg(long, value_name = "I/N", value_parser = shard, hide_short_help = true)]
    pub shard: Option<(u32, NonZeroU32)>,
}

#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Output")]
pub struct PageFlags {
    /// Make a Markdown page fit this place
    #[arg(long, value_enum, value_name = "WHERE", hide_short_help = true)]
    pub fit: Option<Fit>,
    /// Maximum size of a Markdown page in bytes; at least 4096
    #[arg(long, value_name = "N", value_parser = page, hide_short_help = true)]
    pub max_bytes: Option<usize>,
}

/// The place that a Markdown page has to fit.
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

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Target")]
pub struct TargetFlags {
    /// Use a built-in server: no account, no network
    ///
    /// It has the same API, and keeps its state in FILE.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, conflicts_with = "api_url",
          default_missing_value = SANDBOX_STATE)]
    pub sandbox: Option<PathBuf>,
    /// Address of the API [env: IMBACHAT_API_URL] [default: api.imbachat.com over https]
    #[arg(long, value_name = "URL", hide_short_help = true)]
    pub api_url: Option<String>,
    /// The widget (imba_id) [env: IMBACHAT_WIDGET]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub widget: Option<u64>,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Target")]
pub struct ConnectionFlags {
    /// Send credentials unencrypted to an http address of another machine
    #[arg(long, hide_short_help = true)]
    pub allow_insecure_http: bool,
    /// Give up on a connection, a silence or a write after this time
    #[arg(long, value_name = "DURATION", value_parser = timeout, default_value = "30s", hide_short_help = true)]
    pub timeout: Duration,
}

impl Default for ConnectionFlags {
    /// For a verb without these flags. It sends no credentials, so that any address is good enough.
    fn default() -> Self {
        Self {
            allow_insecure_http: true,
            timeout: TIMEOUT,
        }
    }
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Target")]
pub struct ReaderFlag {
    /// Read with a JWT for this user of the site, made from the secret key, instead of with the key itself
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), hide_short_help = true)]
    pub jwt_user: Option<u64>,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Target")]
pub struct LedgerFlag {
    /// The ledger: a path or s3://bucket/key (gs://, az://)
    ///
    /// By default it is .roomform/HOST-WIDGET.jsonl beside the manifest.
    #[arg(long, value_name = "PATH|URL")]
    pub ledger: Option<PathBuf>,
}

/// The flags that say which server and which ledger a run uses, and how.
#[derive(Debug, Clone, Default, Args)]
pub struct ServerFlags {
    #[command(flatten)]
    pub target: TargetFlags,
    #[command(flatten)]
    pub connection: ConnectionFlags,
    #[command(flatten)]
    pub reader: ReaderFlag,
    #[command(flatten)]
    pub ledger: LedgerFlag,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Guards")]
pub struct GuardFlags {
    /// Let closed rooms become public
    #[arg(long)]
    pub allow_publish: bool,
    /// Recreate rooms that were deleted or are missing
    ///
    /// A room is missing if the ledger knows it and the list lacks it.
    #[arg(long)]
    pub allow_recreate: bool,
    /// Exceed `limits`, except the one on publishing
    #[arg(long)]
    pub ignore_limits: bool,
    /// Send fields again that the server ignored
    #[arg(long, hide_short_help = true)]
    pub resend: bool,
    /// Without a ledger: assume that the declared members of existing rooms are present
    #[arg(long, hide_short_help = true)]
    pub assume_members: bool,
}

#[derive(Debug, Args)]
pub struct PaceFlags {
    /// Rooms written at a time
    #[arg(long, value_name = "N", default_value = "8", hide_short_help = true)]
    pub parallelism: NonZeroUsize,
    /// Maximum write requests per second, as in 20/s
    #[arg(long, value_name = "N/s", value_parser = rate)]
    pub rate: Option<f64>,
    /// Start no further room after the first failure
    #[arg(long)]
    pub fail_fast: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
