//! The verbs that need the widget and no manifest: `export`, `send`, `doctor`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::format::DocumentFormat;
use super::groups::{ConnectionFlags, FileFlags, ServerFlags, TargetFlags};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  roomform export > rooms.yaml
  roomform export --scope 'course-*' --out rooms.yaml --add
  roomform export --out rooms/ --split-by prefix")]
pub struct ExportArgs {
    /// Only live rooms whose pipe matches; the exported manifest gets it as its `scope`; repeatable
    #[arg(long, value_name = "GLOB")]
    pub scope: Vec<String>,
    /// Write to this file, or with --split-by into this directory, instead of printing
    #[arg(short, long, value_name = "FILE|DIRECTORY")]
    pub out: Option<PathBuf>,
    /// One file for each prefix of the pipes, or for each type of room
    #[arg(long, value_enum, value_name = "WHAT", requires = "out")]
    pub split_by: Option<SplitBy>,
    /// Keep existing files, and append the rooms that are not declared yet
    #[arg(long, requires = "out", conflicts_with = "force")]
    pub add: bool,
    /// Replace existing files with other content
    #[arg(long, requires = "out")]
    pub force: bool,
    #[command(flatten)]
    pub files: FileFlags,
    #[command(flatten)]
    pub server: ServerFlags,
}

/// How an export is split into files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SplitBy {
    /// The pipe up to the first `-` or `_`; other.yaml for pipes without one, and for those the server made up
    Prefix,
    /// dialog.yaml, conference.yaml, support.yaml
    Type,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "roomform send --user N PIPE TEXT\n       roomform send --user N --room-id N TEXT",
    after_help = "\
Examples:
  roomform send --user 7 course-101 'The lecture starts at ten'
  roomform send --user 7 --room-id 1314 --text-file notice.txt
  date | roomform send --user 7 course-101 -"
)]
pub struct SendArgs {
    /// The pipe of the room; omitted if --room or --room-id names it
    #[arg(value_name = "PIPE")]
    pub first: Option<String>,
    /// The text, or - to read it from stdin; omitted with --text-file
    #[arg(value_name = "TEXT")]
    pub second: Option<String>,
    /// The room, by its pipe
    #[arg(long, value_name = "PIPE", conflicts_with = "room_id")]
    pub room: Option<String>,
    /// The room, by its number; the list is not read
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub room_id: Option<u64>,
    /// The sender: a user's id on your site
    #[arg(long, visible_alias = "from", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub user: u64,
    /// Read the text from this file
    #[arg(long, value_name = "FILE")]
    pub text_file: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = DocumentFormat::Text)]
    pub format: DocumentFormat,
    #[command(flatten)]
    pub target: TargetFlags,
    #[command(flatten)]
    pub connection: ConnectionFlags,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  roomform doctor
  roomform doctor --sandbox --format json
  roomform doctor --write-probe roomform-probe-1")]
pub struct DoctorArgs {
    /// Make one room with this pipe and update it, to see what the API does; it can only be removed in ImbaChat
    #[arg(long, value_name = "PIPE")]
    pub write_probe: Option<String>,
    /// Do not ask
    #[arg(short, long, requires = "write_probe")]
    pub yes: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = DocumentFormat::Text)]
    pub format: DocumentFormat,
    #[command(flatten)]
    pub files: FileFlags,
    #[command(flatten)]
    pub server: ServerFlags,
}
