//! `schema`, `completions` and `man`: text for editors, shells and manuals.

use std::fs;
use std::path::Path;

use anyhow::Context;
use clap::builder::BoolValueParser;
use clap::{ArgAction, Command, CommandFactory, ValueHint};

use super::Console;
use crate::cli::{Cli, SchemaKind};
use crate::document::{
    self, DiffDocument, DoctorDocument, PlanDocument, ReportDocument, TodoDocument,
};
use crate::error::Result;
use crate::manifest;

pub fn schema(which: SchemaKind, console: &mut Console) -> Result<()> {
    let schema = match which {
        SchemaKind::Manifest => manifest::schema(),
        SchemaKind::Plan => document::schema::<PlanDocument>(),
        SchemaKind::Diff => document::schema::<DiffDocument>(),
        SchemaKind::Report => document::schema::<ReportDocument>(),
        SchemaKind::Doctor => document::schema::<DoctorDocument>(),
        SchemaKind::Todo => document::schema::<TodoDocument>(),
    };
    console.print_document(&schema)
}

pub fn completions(shell: clap_complete::Shell, console: &mut Console) -> Result<()> {
    let mut script = Vec::new();
    let mut command = with_hints(Cli::command());
    clap_complete::generate(shell, &mut command, "roomform", &mut script);
    console.print(&String::from_utf8_lossy(&script))
}

/// Marks the values that are paths. Completion scripts cannot express a flag whose value must
/// follow `=`. Such a flag takes no value here.
fn with_hints(command: Command) -> Command {
    command
        .mut_args(|arg| match arg.get_value_hint() {
            _ if arg.is_require_equals_set() => arg
                .require_equals(false)
                .num_args(0)
                .action(ArgAction::SetTrue)
                .value_parser(BoolValueParser::new()),
            ValueHint::AnyPath => arg.value_hint(ValueHint::FilePath),
            ValueHint::Unknown
                if arg.get_action().takes_values() && arg.get_possible_values().is_empty() =>
            {
                arg.value_hint(ValueHint::Other)
            }
            _ => arg,
        })
        .mut_subcommands(with_hints)
}

pub fn man(directory: &Path, console: &mut Console) -> Result<()> {
    fs::create_dir_all(directory)
        .with_context(|| format!("`{}` cannot be created", directory.display()))?;
    clap_mangen::generate_to(Cli::command(), directory)
        .with_context(|| format!("`{}` cannot be written to", directory.display()))?;
    console.status(&format!("man pages written to {}", directory.display()));
    Ok(())
}
