//! The flags of `send`.

use std::path::PathBuf;

use clap::Args;

/// `send`.
#[derive(Debug, Args)]
#[command(
    override_usage = "roomform send --user N PIPE TEXT\n       roomform send --user N --room-id N TEXT"
)]
pub struct SendArgs {
    /// The pipe of the room; left out where --room or --room-id names it
    #[arg(value_name = "PIPE")]
    pub first: Option<String>,
    /// The text, or - for what stands on stdin; left out where --text-file has it
    #[arg(value_name = "TEXT")]
    pub second: Option<String>,
    /// The room, by its pipe
    #[arg(long, value_name = "PIPE", conflicts_with = "room_id")]
    pub room: Option<String>,
    /// The room, by its number; the list is not read
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub room_id: Option<u64>,
    /// Who says it: a user's id on your site
    #[arg(long, visible_alias = "from", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub user: u64,
    /// Take the text from this file
    #[arg(long, value_name = "FILE")]
    pub text_file: Option<PathBuf>,
}
