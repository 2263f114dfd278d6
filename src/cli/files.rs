//! The verbs that write files of roomform's own: `init`, `schema`, `completions`, `man`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::source;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  roomform init
  roomform init chat --ci github --ledger-store branch")]
pub struct InitArgs {
    /// The directory; made if missing [default: the current directory]
    pub directory: Option<PathBuf>,
    /// Also write the files of this CI: check, plan with a comment, apply, nightly drift
    #[arg(long, value_enum)]
    pub ci: Option<Ci>,
    /// Where the CI keeps the ledger from run to run
    #[arg(long, value_enum, value_name = "WHERE", default_value_t = LedgerStore::Cache, requires = "ci")]
    pub ledger_store: LedgerStore,
    /// The git repository that the CI builds roomform from
    #[arg(long, value_name = "URL", value_parser = source, requires = "ci")]
    pub source: Option<String>,
    /// Replace existing files with other content
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

/// Where a CI keeps the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LedgerStore {
    /// The CI's own cache; may be evicted
    Cache,
    /// A branch of the repository, roomform-ledger
    Branch,
    /// An object store of the S3 kind
    Bucket,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  roomform schema manifest > manifest.schema.json
  roomform schema plan")]
pub struct SchemaArgs {
    /// The format
    #[arg(value_enum)]
    pub which: SchemaKind,
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

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  roomform completions bash > /etc/bash_completion.d/roomform
  roomform completions zsh > ~/.zfunc/_roomform")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  roomform man man/
  roomform man ~/.local/share/man/man1")]
pub struct ManArgs {
    /// The directory; made if missing
    pub directory: PathBuf,
}
