//! The verb `todo`.

use clap::{Args, Subcommand};

use super::flags::{CsvFlags, DayFlag, FileFlags, LedgerFlag, NamesFlag, PageFlags, TargetFlags};
use super::format::TodoFormat;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  roomform todo
  roomform todo --user 42 --format csv > remove.csv
  roomform todo done team-platform 42")]
pub struct TodoArgs {
    #[command(flatten)]
    pub list: TodoListArgs,
    #[command(subcommand)]
    pub verb: Option<TodoVerb>,
}

#[derive(Debug, Subcommand)]
pub enum TodoVerb {
    /// List the open manual steps: members who left the manifest and may still be in a room
    List(TodoListArgs),
    /// Mark members as removed in ImbaChat, and list the steps that are still open
    ///
    /// Nothing is sent. A member who returns to the manifest counts as new, and is sent.
    Done(TodoDoneArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roomform todo list --format markdown
  roomform todo list --user anna")]
pub struct TodoListArgs {
    /// Only the steps of this user: an id, or a name from `people`
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    #[command(flatten)]
    pub flags: TodoFlags,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roomform todo done team-platform
  roomform todo done 'course-*' 42")]
pub struct TodoDoneArgs {
    /// The room: a pipe, or a glob such as 'course-*'
    #[arg(value_name = "PIPE|GLOB")]
    pub pipe: String,
    /// The members who were removed, by id or name [default: all open steps of the room]
    #[arg(value_name = "USER")]
    pub users: Vec<String>,
    #[command(flatten)]
    pub flags: TodoFlags,
}

#[derive(Debug, Args)]
pub struct TodoFlags {
    /// Output format
    #[arg(long, default_value = "text")]
    pub format: TodoFormat,
    #[command(flatten)]
    pub csv: CsvFlags,
    #[command(flatten)]
    pub page: PageFlags,
    #[command(flatten)]
    pub names: NamesFlag,
    #[command(flatten)]
    pub files: FileFlags,
    #[command(flatten)]
    pub day: DayFlag,
    #[command(flatten)]
    pub target: TargetFlags,
    #[command(flatten)]
    pub ledger: LedgerFlag,
}

impl TodoArgs {
    pub fn flags(&self) -> &TodoFlags {
        match &self.verb {
            None => &self.list.flags,
            Some(TodoVerb::List(list)) => &list.flags,
            Some(TodoVerb::Done(done)) => &done.flags,
        }
    }
}
