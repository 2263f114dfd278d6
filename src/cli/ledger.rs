//! The verbs of `ledger`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::format::DocumentFormat;
use super::groups::{
    ConnectionFlags, FileFlags, FilterFlags, LedgerFlag, ReaderFlag, ServerFlags, TargetFlags,
};

#[derive(Debug, Args)]
#[command(
    // The verbs take these flags too.
    mut_args(|arg| arg.global(true)),
    after_help = "\
Examples:
  roomform ledger show
  roomform ledger merge --ledger s3://chat/roomform.jsonl old.jsonl"
)]
pub struct LedgerArgs {
    /// How to print
    #[arg(long, value_enum, default_value_t = DocumentFormat::Text)]
    pub format: DocumentFormat,
    #[command(flatten)]
    pub files: FileFlags,
    #[command(flatten)]
    pub target: TargetFlags,
    #[command(flatten)]
    pub ledger: LedgerFlag,
    #[command(subcommand)]
    pub verb: LedgerVerb,
}

#[derive(Debug, Subcommand)]
pub enum LedgerVerb {
    /// Show what is recorded, room by room
    #[command(after_help = "\
Examples:
  roomform ledger show
  roomform ledger show --ledger s3://chat/roomform.jsonl --format json")]
    Show,
    /// Forget everything recorded of these rooms, as if roomform had never written to them
    #[command(after_help = "\
Examples:
  roomform ledger forget team-a
  roomform ledger forget --by-hand 'course-*'")]
    Forget {
        /// The rooms: pipes, or globs of pipes as in 'course-*'
        #[arg(required = true, value_name = "PIPE|GLOB")]
        pipes: Vec<String>,
        /// Forget only the members that a manual step removed in ImbaChat; all others stay recorded
        #[arg(long)]
        by_hand: bool,
    },
    /// Merge other ledgers of the same target; order and repetition do not matter
    #[command(after_help = "\
Examples:
  roomform ledger merge branch.jsonl
  roomform ledger merge --ledger s3://chat/roomform.jsonl copy.jsonl")]
    Merge {
        /// The other ledgers
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Record the declared members of existing rooms as present, so that nothing is sent for them
    Adopt(AdoptArgs),
    /// Drop entries that later ones supersede
    #[command(after_help = "\
Examples:
  roomform ledger compact
  roomform ledger compact --ledger s3://chat/roomform.jsonl")]
    Compact,
}

impl LedgerArgs {
    pub(super) fn server(&self) -> ServerFlags {
        let (connection, reader) = match &self.verb {
            LedgerVerb::Adopt(args) => (args.connection.clone(), args.reader.clone()),
            _ => Default::default(),
        };
        ServerFlags {
            target: self.target.clone(),
            connection,
            reader,
            ledger: self.ledger.clone(),
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  roomform ledger adopt --roster
  roomform ledger adopt --roster --only 'course-*' --yes")]
pub struct AdoptArgs {
    /// Take the members that the manifest and its rosters give; the API lists none
    #[arg(long, required = true)]
    pub roster: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    #[command(flatten)]
    pub filter: FilterFlags,
    #[command(flatten)]
    pub connection: ConnectionFlags,
    #[command(flatten)]
    pub reader: ReaderFlag,
}
