//! `schema`, `completions` and `man`: text for editors, shells and manuals.

use std::fs;
use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;

use super::Console;
use crate::cli::{Cli, SchemaKind};
use crate::document::{
    self, DiffDocument, DoctorDocument, PlanDocument, ReportDocument, TodoDocument,
};
use crate::error::{Exit, Result};
use crate::manifest;

pub fn schema(which: SchemaKind, console: &mut Console) -> Result<Exit> {
    let schema = match which {
        SchemaKind::Manifest => manifest::schema(),
        SchemaKind::Plan => document::schema::<PlanDocument>(),
        SchemaKind::Diff => document::schema::<DiffDocument>(),
        SchemaKind::Report => document::schema::<ReportDocument>(),
        SchemaKind::Doctor => document::schema::<DoctorDocument>(),
        SchemaKind::Todo => document::schema::<TodoDocument>(),
    };
    console.print_document(&schema)?;
    Ok(Exit::Done)
}

pub fn completions(shell: clap_complete::Shell, console: &mut Console) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "roomform", &mut script);
    console.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

pub fn man(directory: &Path, console: &mut Console) -> Result<Exit> {
    fs::create_dir_all(directory)
        .with_context(|| format!("`{}` cannot be created", directory.display()))?;
    clap_mangen::generate_to(Cli::command(), directory)
        .with_context(|| format!("`{}` cannot be written to", directory.display()))?;
    console.status(&format!("man pages written to {}", directory.display()));
    Ok(Exit::Done)
}
