//! The verbs that read the manifest: `check`, `diff`, `render`, `explain`, `plan`, `apply`.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::flags::{
    CheckFormat, CsvFlags, DayFlag, DocumentFormat, FilterFlags, LedgerFlag, ManifestFlags,
    NamesFlag, PageFlags, PlanFormat, RenderFormat, ReportFormat, ServerFlags, TargetFlags,
};
use super::parse;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roomform check
  roomform check -f rooms/ --format sarif > roomform.sarif")]
pub struct CheckArgs {
    /// Output format
    #[arg(long, default_value = "text")]
    pub format: CheckFormat,
    #[command(flatten)]
    pub page: PageFlags,
    #[command(flatten)]
    pub manifest: ManifestFlags,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roomform diff origin/main:rooms.yaml rooms.yaml
  roomform diff old/ new/ --unified
  roomform diff HEAD~1:rooms/ rooms/ --format html > diff.html")]
pub struct DiffArgs {
    /// The manifest to compare with: a file, a directory, or either in a git revision, such as origin/main:rooms/
    pub base: PathBuf,
    /// The changed manifest, in any of the same forms
    pub head: PathBuf,
    /// Exit with code 2 if the manifests differ
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Show the resolved rooms line by line, as diff -u does
    #[arg(long)]
    pub unified: bool,
    /// Output format
    #[arg(long, default_value = "text")]
    pub format: PlanFormat,
    #[command(flatten)]
    pub page: PageFlags,
    #[command(flatten)]
    pub names: NamesFlag,
    #[command(flatten)]
    pub filter: FilterFlags,
    /// Accept a manifest without rooms
    #[arg(long, hide_short_help = true, help_heading = "Manifest")]
    pub allow_empty: bool,
    #[command(flatten)]
    pub day: DayFlag,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roomform render --only 'course-*'
  roomform render --format csv > members.csv")]
pub struct RenderArgs {
    /// Output format [default: the manifest in JSON, with errors as text]
    #[arg(long)]
    pub format: Option<RenderFormat>,
    #[command(flatten)]
    pub csv: CsvFlags,
    #[command(flatten)]
    pub manifest: ManifestFlags,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roomform explain course-101
  roomform explain 42 --format json")]
pub struct ExplainArgs {
    /// The pipe of a declared room, a user's id, or a name from `people`
    #[arg(value_name = "PIPE|USER")]
    pub what: String,
    /// Output format
    #[arg(long, default_value = "text")]
    pub format: DocumentFormat,
    #[command(flatten)]
    pub names: NamesFlag,
    #[command(flatten)]
    pub manifest: ManifestFlags,
    #[command(flatten)]
    pub target: TargetFlags,
    #[command(flatten)]
    pub ledger: LedgerFlag,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roomform plan --sandbox
  roomform plan --only 'course-*' --except '*-test'
  roomform plan --out plan.json --detailed-exitcode")]
pub struct PlanArgs {
    /// Exit with code 2 if changes are pending
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Save the plan as JSON for review and for `apply FILE`
    ///
    /// Flags that lift a guard (--allow-publish, --allow-recreate, --ignore-limits) are not saved.
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace the --out file even if it is not a plan
    #[arg(long, requires = "out", hide_short_help = true)]
    pub force: bool,
    /// Exit with code 2 if a manual step has been open for this many days or more, such as 14d
    #[arg(long, value_name = "DAYS", value_parser = parse::days)]
    pub fail_on_overdue: Option<u64>,
    /// Warn about members whom the widget does not know, or has banned
    #[arg(long)]
    pub check_users: bool,
    /// Output format
    #[arg(long, default_value = "text")]
    pub format: PlanFormat,
    #[command(flatten)]
    pub page: PageFlags,
    #[command(flatten)]
    pub run: RunFlags,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roomform apply
  roomform apply plan.json --report report.json --failed failed.csv
  roomform apply --yes --rate 5/s")]
pub struct ApplyArgs {
    /// Apply this saved plan (`plan --out`) without asking
    ///
    /// Writes only what the plan lists and the manifest still declares. Flags that lift a guard are not saved: pass them again.
    #[arg(value_name = "PLAN_FILE")]
    pub plan: Option<PathBuf>,
    /// Apply the rooms of a saved plan that have not changed since, and skip the others
    #[arg(long, requires = "plan")]
    pub apply_fresh: bool,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub yes: bool,
    /// Write the result of each room to this file as JSON
    ///
    /// It is written even if rooms failed or the run was interrupted.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Write the members still missing to this file as CSV
    #[arg(long, value_name = "FILE")]
    pub failed: Option<PathBuf>,
    /// Replace existing --report and --failed files, whatever they contain
    #[arg(long, hide_short_help = true)]
    pub force: bool,
    /// Output format
    #[arg(long, default_value = "text")]
    pub format: ReportFormat,
    #[command(flatten)]
    pub page: PageFlags,
    #[command(flatten)]
    pub pace: PaceFlags,
    #[command(flatten)]
    pub run: RunFlags,
}

#[derive(Debug, Args)]
pub struct PaceFlags {
    /// Maximum write requests per second, such as 20/s
    #[arg(long, value_name = "N/s", value_parser = parse::rate)]
    pub rate: Option<f64>,
    /// After the first failure, do not begin writes to other rooms
    #[arg(long)]
    pub fail_fast: bool,
    /// How long the list may lag behind the writes
    ///
    /// After a write, a run reads the list again until the write appears in it, for at most
    /// DURATION. If the result of a create is unknown, the run looks for the room in the list
    /// for DURATION before it creates the room again.
    #[arg(long, value_name = "DURATION", value_parser = parse::timeout, default_value = "30s",
          hide_short_help = true)]
    pub verify_timeout: Duration,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Counting")]
pub struct CountFlags {
    /// Compare the server's member counts with known numbers
    ///
    /// The API does not list members, but it can find rooms by their number of users.
    #[arg(long, help_heading = None::<&str>)]
    pub count_members: bool,
    /// Maximum number of requests for counting; at least 5
    #[arg(long, value_name = "N", default_value = "200", value_parser = parse::count_requests(),
          requires = "count_members", hide_short_help = true)]
    pub count_requests: u64,
    /// Maximum size of the rows read for counting, in bytes [default: 64 MiB]
    #[arg(long, value_name = "N", default_value = "67108864", value_parser = parse::positive(),
          requires = "count_members", hide_short_help = true, hide_default_value = true)]
    pub count_bytes: u64,
}

/// The flags that `plan` and `apply` share.
#[derive(Debug, Args)]
pub struct RunFlags {
    #[command(flatten)]
    pub manifest: ManifestFlags,
    #[command(flatten)]
    pub names: NamesFlag,
    /// Only the rooms of shard I of N (I starts at 0, as in 0/8); with the same N, a room is
    /// always in the same shard
    #[arg(long, value_name = "I/N", value_parser = parse::shard, hide_short_help = true,
          help_heading = "Manifest")]
    pub shard: Option<(u32, NonZeroU32)>,
    #[command(flatten)]
    pub server: ServerFlags,
    #[command(flatten)]
    pub count: CountFlags,
    /// Maximum number of rooms written, or room sizes queried, at the same time
    #[arg(long, value_name = "N", default_value = "8", hide_short_help = true)]
    pub parallelism: NonZeroUsize,
    /// Let the closed room PIPE become public; repeatable
    #[arg(long, value_name = "PIPE", help_heading = "Guards")]
    pub allow_publish: Vec<String>,
    /// Recreate rooms that were deleted or are missing
    ///
    /// A room is missing if it is in the ledger but not in the server's list.
    #[arg(long, help_heading = "Guards")]
    pub allow_recreate: bool,
    /// Exceed `limits`, except the one on publishing
    #[arg(long, help_heading = "Guards")]
    pub ignore_limits: bool,
    /// Resend the fields that the server ignored
    #[arg(long, help_heading = "Guards", hide_short_help = true)]
    pub resend_ignored: bool,
    /// Without a ledger: assume that the declared members of existing rooms are present
    #[arg(long, help_heading = "Guards", hide_short_help = true)]
    pub assume_members: bool,
}
