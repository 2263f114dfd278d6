//! Groups of flags that several verbs use, and the formats of each verb.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::civil::Date;

use super::parse;

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Manifest")]
pub struct FileFlags {
    /// File or directory of the manifest, or - for stdin; repeatable [default: rooms.yaml, else rooms/]
    #[arg(short, long, value_name = "PATH")]
    pub file: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Manifest")]
pub struct FilterFlags {
    /// Select only rooms whose pipe matches; repeatable
    #[arg(long, value_name = "GLOB")]
    pub only: Vec<String>,
    /// Exclude rooms whose pipe matches; repeatable
    #[arg(long, value_name = "GLOB")]
    pub except: Vec<String>,
}

/// The flags of verbs that read a whole manifest.
#[derive(Debug, Args)]
pub struct ManifestFlags {
    #[command(flatten)]
    pub files: FileFlags,
    #[command(flatten)]
    pub filter: FilterFlags,
    /// Accept a manifest without rooms
    #[arg(long, hide_short_help = true, help_heading = "Manifest")]
    pub allow_empty: bool,
    #[command(flatten)]
    pub day: DayFlag,
}

#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Manifest")]
pub struct DayFlag {
    /// Evaluate dates as of this day [default: today in UTC]
    #[arg(long, value_name = "DATE", value_parser = parse::date, hide_short_help = true)]
    pub today: Option<Date>,
}

#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct NamesFlag {
    /// Show users by id only, without the names from `people` and rosters
    #[arg(long, hide_short_help = true)]
    pub no_names: bool,
}

#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct PageFlags {
    /// Limit a Markdown page to what the given site accepts
    #[arg(long, value_name = "WHERE", hide_short_help = true)]
    pub fit: Option<Fit>,
    /// Maximum size of a Markdown page in bytes; at least 4096
    #[arg(long, value_name = "N", value_parser = parse::page_size, hide_short_help = true)]
    pub max_bytes: Option<usize>,
}

#[derive(Debug, Clone, Copy, Default, Args)]
pub struct CsvFlags {
    /// Write the CSV for a spreadsheet: a byte order mark, `;` between cells, and no formulas
    #[arg(long)]
    pub spreadsheet: bool,
}

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
    /// Use the built-in server; needs no account and no network
    ///
    /// It simulates the API and keeps its state in FILE.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true,
          conflicts_with = "api_url", default_missing_value = ".roomform/sandbox.json")]
    pub sandbox: Option<PathBuf>,
    /// Address of the API [env: IMBACHAT_API_URL] [default: api.imbachat.com over https]
    #[arg(long, value_name = "URL", hide_short_help = true)]
    pub api_url: Option<String>,
    /// The widget (imba_id) [env: IMBACHAT_WIDGET]
    #[arg(long, value_name = "N", value_parser = parse::positive())]
    pub widget: Option<u64>,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Target")]
pub struct ConnectionFlags {
    /// Allow sending credentials unencrypted to another machine over http
    #[arg(long, hide_short_help = true)]
    pub allow_insecure_http: bool,
    /// Timeout for connecting, for idle time, and for each write
    #[arg(long, value_name = "DURATION", value_parser = parse::timeout, default_value = "30s",
          hide_short_help = true)]
    pub timeout: Duration,
}

impl Default for ConnectionFlags {
    /// Returns the values for verbs that do not have these flags. Such verbs send no credentials,
    /// so any address is allowed.
    fn default() -> Self {
        Self {
            allow_insecure_http: true,
            timeout: Duration::from_secs(30),
        }
    }
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Target")]
pub struct ReaderFlag {
    /// Read as this user of your site, with a JWT that is signed with the secret key
    #[arg(long, value_name = "N", value_parser = parse::positive(), hide_short_help = true)]
    pub read_as: Option<u64>,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Target")]
pub struct LedgerFlag {
    /// The ledger: a path or s3://bucket/key (gs://, az://)
    ///
    /// The default is .roomform/HOST-WIDGET.jsonl beside the manifest file, or beside the manifest's directory `rooms`.
    #[arg(long, value_name = "PATH|URL")]
    pub ledger: Option<PathBuf>,
}

/// The flags that select the server and the ledger of a run.
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

/// The formats of `apply`. Every verb can report a failed run or an invalid manifest in these
/// formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Human-readable text
    Text,
    /// One JSON document
    Json,
    /// Markdown for a pull request comment or a job summary
    Markdown,
    /// GitHub annotations on the lines of the manifest
    Github,
}

impl ReportFormat {
    /// The error format that `--format` implies, even if the rest of the command line is invalid. Formats that cannot carry errors
    /// fall back to text.
    pub fn requested(args: &[OsString]) -> Self {
        let words = args.iter().map(|arg| arg.to_string_lossy().into_owned());
        let words: Vec<String> = words.take_while(|word| word != "--").collect();
        let mut formats = words.iter().enumerate().filter_map(|(at, word)| {
            let name = match word.strip_prefix("--format")? {
                "" => words.get(at + 1)?,
                value => value.strip_prefix('=')?,
            };
            Self::from_str(name, false).ok()
        });
        formats.next().unwrap_or(Self::Text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// Human-readable text
    Text,
    /// One JSON document
    Json,
    /// Markdown for a pull request comment or a job summary
    Markdown,
    /// GitHub annotations on the lines of the manifest
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// The formats of `plan` and `diff`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// Human-readable text
    Text,
    /// One JSON document
    Json,
    /// Markdown for a pull request comment or a job summary
    Markdown,
    /// One self-contained HTML page
    Html,
    /// GitHub annotations on the lines of the manifest
    Github,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RenderFormat {
    /// The manifest in JSON; errors are JSON too
    Json,
    /// CSV with one line per member
    Csv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GetFormat {
    /// A human-readable table
    Table,
    /// One JSON document
    Json,
    /// Comma-separated values
    Csv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TodoFormat {
    /// Human-readable text
    Text,
    /// One JSON document
    Json,
    /// Comma-separated values
    Csv,
    /// A Markdown checklist
    Markdown,
}

/// The formats of verbs that print text or one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DocumentFormat {
    /// Human-readable text
    Text,
    /// One JSON document
    Json,
}
