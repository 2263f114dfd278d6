//! The command line exactly as typed. The doc comments here are the help text; nothing is decided here.

mod common;
mod get;
mod send;
mod values;
mod verbs;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use common::{ColorWhen, Common, Fit, Format, LogFormat};
pub use get::{GetArgs, GetList, MessageFilters, RoomFilters, Shown, UserFilters};
pub use send::SendArgs;
pub use verbs::{
    AdoptArgs, ApplyArgs, Ci, DiffArgs, DoctorArgs, ExportArgs, InitArgs, LedgerArgs, LedgerStore,
    LedgerVerb, PlanArgs, SandboxArgs, SandboxVerb, SchemaKind, ServeArgs, SplitBy,
};

/// Terraform for chat rooms: write the rooms you want, review the plan, apply it.
#[derive(Debug, Parser)]
#[command(name = "roomform", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// Flags of every verb; they may stand before or after it.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done or nothing to do, 1 failed, 2 changes pending (--detailed-exitcode), 3 manifest invalid, 4 partly applied, \
5 refused, 64 wrong usage, 130 interrupted.

Credentials come from the environment only: IMBACHAT_WIDGET, IMBACHAT_SECRET_KEY (reading, messages) or IMBACHAT_JWT (reading), IMBACHAT_LOGIN and \
IMBACHAT_PASSWORD (writing); each also as ..._FILE, the path of a file that holds it.";

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a starter manifest, what git has to know, and the files of a CI
    Init(InitArgs),
    /// Validate the manifest offline; needs no credentials
    Check,
    /// Show what apply would do; writes nothing
    Plan(PlanArgs),
    /// Compare two manifests without a server; needs no credentials
    Diff(DiffArgs),
    /// Make the widget look like the manifest
    Apply(ApplyArgs),
    /// Print the rooms after rosters and templates, as a manifest in JSON; or --format csv: a line for each member
    Render,
    /// Say which file, group and row each member of a room, or each room of a user, comes from
    Explain {
        /// The pipe of a declared room, a user's id, or a name from `people`
        #[arg(value_name = "PIPE|USER")]
        what: String,
    },
    /// Print the live rooms as a manifest, or write it into files
    Export(ExportArgs),
    /// List rooms, users or messages as the server has them
    Get(GetArgs),
    /// Say something in a room, once; needs the secret key
    Send(SendArgs),
    /// Look at everything a run depends on, step by step, with a remedy for what is wrong; writes nothing unless asked to
    Doctor(DoctorArgs),
    /// Look into the record of what was confirmed, merge it, tidy it
    Ledger(LedgerArgs),
    /// An imitation of the API, for trying things out
    Sandbox(SandboxArgs),
    /// Print the JSON Schema of a format
    Schema {
        /// Which
        #[arg(value_enum)]
        which: SchemaKind,
    },
    /// Print a shell's completion script
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a directory
    Man {
        /// The directory; made if it is not there
        directory: PathBuf,
    },
}
