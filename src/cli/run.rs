//! The verbs that compare the manifest with the widget: `plan` and `apply`.

use std::path::PathBuf;

use clap::Args;

use super::format::{ApplyFormat, PlanFormat};
use super::groups::{GuardFlags, ManifestFlags, PaceFlags, PageFlags, ServerFlags, ShardFlag};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  roomform plan --sandbox
  roomform plan --only 'course-*' --except '*-test'
  roomform plan --out plan.json --detailed-exitcode")]
pub struct PlanArgs {
    /// Exit with 2 if changes are pending
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Save the plan as JSON for review and for `apply FILE`
    ///
    /// Flags that lift a guard (--allow-publish, --allow-recreate, --ignore-limits) are not saved.
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace an existing file that is not a plan
    #[arg(long, requires = "out", hide_short_help = true)]
    pub force: bool,
    /// Ask the widget for its users, and warn about members it does not know
    #[arg(long)]
    pub check_users: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub format: PlanFormat,
    #[command(flatten)]
    pub page: PageFlags,
    #[command(flatten)]
    pub run: RunFlags,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  roomform apply
  roomform apply plan.json --report report.json --failed failed.csv
  roomform apply --yes --rate 5/s")]
pub struct ApplyArgs {
    /// Apply this saved plan (`plan --out`) without asking
    ///
    /// Only what the plan lists and the manifest still asks for is written. Flags that lift a guard are not saved: pass them again.
    #[arg(value_name = "PLAN_FILE")]
    pub plan: Option<PathBuf>,
    /// Apply the rooms of a saved plan that have not changed since, and skip the others
    #[arg(long, requires = "plan")]
    pub apply_fresh: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Write the result of each room to this file as JSON
    ///
    /// It is written even if some failed or the run was interrupted.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Write what has to be run again to this file as CSV
    #[arg(long, value_name = "FILE")]
    pub failed: Option<PathBuf>,
    /// Replace existing files that are neither a report nor a list of failed members
    #[arg(long, hide_short_help = true)]
    pub force: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = ApplyFormat::Text)]
    pub format: ApplyFormat,
    #[command(flatten)]
    pub page: PageFlags,
    #[command(flatten)]
    pub pace: PaceFlags,
    #[command(flatten)]
    pub run: RunFlags,
}

/// The groups that `plan` and `apply` share.
#[derive(Debug, Args)]
pub struct RunFlags {
    #[command(flatten)]
    pub manifest: ManifestFlags,
    #[command(flatten)]
    pub shard: ShardFlag,
    #[command(flatten)]
    pub server: ServerFlags,
    #[command(flatten)]
    pub guards: GuardFlags,
}
