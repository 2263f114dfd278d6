//! The verbs that only read the manifest: `check`, `diff`, `render`, `explain`.

use std::path::PathBuf;

use clap::Args;

use super::format::{CheckFormat, DocumentFormat, PlanFormat, RenderFormat};
use super::groups::{EmptyFlag, FilterFlags, ManifestFlags, PageFlags};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  roomform check
  roomform check -f rooms/ --format sarif > roomform.sarif")]
pub struct CheckArgs {
    /// How to print
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    pub format: CheckFormat,
    #[command(flatten)]
    pub page: PageFlags,
    #[command(flatten)]
    pub manifest: ManifestFlags,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  roomform diff origin/main:rooms.yaml rooms.yaml
  roomform diff old/ new/ --unified
  roomform diff HEAD~1:rooms/ rooms/ --format html > diff.html")]
pub struct DiffArgs {
    /// The manifest to compare with: a file, a directory, or either in a git revision, as in origin/main:rooms/
    pub base: PathBuf,
    /// The manifest to compare, in the same form
    pub head: PathBuf,
    /// Exit with 2 if they differ
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Show the resolved rooms line by line, as diff -u does
    #[arg(long)]
    pub unified: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub format: PlanFormat,
    #[command(flatten)]
    pub page: PageFlags,
    #[command(flatten)]
    pub filter: FilterFlags,
    #[command(flatten)]
    pub empty: EmptyFlag,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  roomform render --only 'course-*'
  roomform render --format csv > members.csv")]
pub struct RenderArgs {
    /// How to print [default: the manifest in JSON, with errors as text]
    #[arg(long, value_enum)]
    pub format: Option<RenderFormat>,
    #[command(flatten)]
    pub manifest: ManifestFlags,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  roomform explain course-101
  roomform explain 42 --format json")]
pub struct ExplainArgs {
    /// The pipe of a declared room, a user's id, or a name from `people`
    #[arg(value_name = "PIPE|USER")]
    pub what: String,
    /// How to print
    #[arg(long, value_enum, default_value_t = DocumentFormat::Text)]
    pub format: DocumentFormat,
    #[command(flatten)]
    pub manifest: ManifestFlags,
}
