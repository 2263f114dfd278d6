//! The command line exactly as typed. The doc comments here are the help text; nothing is decided here.

mod files;
mod format;
mod get;
mod groups;
mod ledger;
mod manifest;
mod run;
mod sandbox;
mod server;
mod values;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use files::{Ci, CompletionsArgs, InitArgs, LedgerStore, ManArgs, SchemaArgs, SchemaKind};
pub use format::{
    ApplyFormat, CheckFormat, DocumentFormat, ErrorFormat, GetFormat, PlanFormat, RenderFormat,
};
pub use get::{GetArgs, GetList, MessageFilters, RoomFilters, UserFilters};
pub use groups::{
    ColorWhen, EmptyFlag, FilterFlags, Fit, GuardFlags, LogFormat, OutputFlags, PaceFlags,
    PageFlags, ServerFlags,
};
pub use ledger::{AdoptArgs, LedgerArgs, LedgerVerb};
pub use manifest::{CheckArgs, DiffArgs, ExplainArgs, RenderArgs};
pub use run::{ApplyArgs, PlanArgs, RunFlags};
pub use sandbox::{SandboxArgs, SandboxVerb, ServeArgs};
pub use server::{DoctorArgs, ExportArgs, SendArgs, SplitBy};

/// Terraform for chat rooms: write the rooms you want, review the plan, apply it.
///
/// Exit codes: 0 done or nothing to do, 1 failed, 2 changes pending (--detailed-exitcode), 3 manifest invalid, 4 partly applied,
/// 5 refused, 64 wrong usage, 130 interrupted.
///
/// Credentials come from the environment only: IMBACHAT_WIDGET, IMBACHAT_SECRET_KEY (reading, messages) or IMBACHAT_JWT (reading),
/// IMBACHAT_LOGIN and IMBACHAT_PASSWORD (writing); each also as ..._FILE, the path of a file that holds it.
#[derive(Debug, Parser)]
#[command(
    name = "roomform",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  roomform init
  roomform plan --sandbox
  roomform apply"
)]
pub struct Cli {
    #[command(flatten)]
    pub output: OutputFlags,
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a starter manifest, the git settings it needs, and the files of a CI
    Init(InitArgs),
    /// Validate the manifest offline; needs no credentials
    Check(CheckArgs),
    /// Show what apply would do; writes nothing
    Plan(PlanArgs),
    /// Compare two manifests without a server; needs no credentials
    Diff(DiffArgs),
    /// Make the widget look like the manifest
    Apply(ApplyArgs),
    /// Print the rooms after rosters and templates: a manifest in JSON, or CSV with a line per member
    Render(RenderArgs),
    /// Say which file, group and row each member of a room, or each room of a user, comes from
    Explain(ExplainArgs),
    /// Print the live rooms as a manifest, or write it to files
    Export(ExportArgs),
    /// List rooms, users or messages as the server has them
    Get(GetArgs),
    /// Send one message to a room; needs the secret key
    Send(SendArgs),
    /// Check everything a run depends on, with a remedy for each problem; read-only by default
    Doctor(DoctorArgs),
    /// Show, merge and compact the record of what was confirmed
    Ledger(LedgerArgs),
    /// An imitation of the API, to try things out
    Sandbox(SandboxArgs),
    /// Print the JSON Schema of a format
    Schema(SchemaArgs),
    /// Print a shell's completion script
    Completions(CompletionsArgs),
    /// Write the man pages into a directory
    Man(ManArgs),
}

impl Verb {
    /// The files of `-f`; none for a verb without it.
    pub fn files(&self) -> &[PathBuf] {
        match self {
            Self::Check(CheckArgs { manifest, .. })
            | Self::Render(RenderArgs { manifest, .. })
            | Self::Explain(ExplainArgs { manifest, .. }) => &manifest.files.file,
            Self::Plan(PlanArgs { run, .. }) | Self::Apply(ApplyArgs { run, .. }) => {
                &run.manifest.files.file
            }
            Self::Export(ExportArgs { files, .. })
            | Self::Doctor(DoctorArgs { files, .. })
            | Self::Ledger(LedgerArgs { files, .. }) => &files.file,
            _ => &[],
        }
    }

    /// The server and the ledger of a run. Flags that the verb lacks have their defaults.
    pub fn server(&self) -> ServerFlags {
        match self {
            Self::Plan(PlanArgs { run, .. }) | Self::Apply(ApplyArgs { run, .. }) => {
                run.server.clone()
            }
            Self::Export(ExportArgs { server, .. }) | Self::Doctor(DoctorArgs { server, .. }) => {
                server.clone()
            }
            Self::Get(args) => args.server(),
            Self::Ledger(args) => args.server(),
            Self::Send(args) => ServerFlags {
                target: args.target.clone(),
                connection: args.connection.clone(),
                ..ServerFlags::default()
            },
            _ => ServerFlags::default(),
        }
    }

    /// How errors are reported.
    pub fn error_format(&self) -> ErrorFormat {
        match self {
            Self::Check(args) => args.format.into(),
            Self::Plan(args) => args.format.into(),
            Self::Diff(args) => args.format.into(),
            Self::Apply(args) => args.format.into(),
            Self::Render(args) => args.format.map_or(ErrorFormat::Text, Into::into),
            Self::Explain(args) => args.format.into(),
            Self::Get(args) => args.format.into(),
            Self::Send(args) => args.format.into(),
            Self::Doctor(args) => args.format.into(),
            Self::Ledger(args) => args.format.into(),
            Self::Init(_)
            | Self::Export(_)
            | Self::Sandbox(_)
            | Self::Schema(_)
            | Self::Completions(_)
            | Self::Man(_) => ErrorFormat::Text,
        }
    }

    /// The limits of a Markdown page.
    pub fn page(&self) -> Option<PageFlags> {
        match self {
            Self::Check(args) => Some(args.page),
            Self::Plan(args) => Some(args.page),
            Self::Diff(args) => Some(args.page),
            Self::Apply(args) => Some(args.page),
            _ => None,
        }
    }
}
