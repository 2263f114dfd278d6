//! The verbs that need the widget or its ledger: `export`, `get`, `send`, `doctor`, `ledger`, `todo`.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand, ValueEnum};

use super::flags::{
    ConnectionFlags, CsvFlags, DayFlag, DocumentFormat, FileFlags, FilterFlags, GetFormat,
    LedgerFlag, NamesFlag, PageFlags, ReaderFlag, ServerFlags, TargetFlags, TodoFormat,
};
use super::parse;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roomform export > rooms.yaml
  roomform export --scope 'course-*' --out rooms.yaml --add
  roomform export --out rooms/ --split-by prefix")]
pub struct ExportArgs {
    /// Export only the live rooms whose pipe matches GLOB, and write GLOB to the manifest's
    /// `scope`; repeatable
    #[arg(long, value_name = "GLOB")]
    pub scope: Vec<String>,
    /// Write to this file, or with --split-by into this directory, instead of printing
    #[arg(short, long, value_name = "FILE|DIRECTORY")]
    pub out: Option<PathBuf>,
    /// Write one file per pipe prefix or per room type
    #[arg(long, value_name = "WHAT", requires = "out")]
    pub split_by: Option<SplitBy>,
    /// Keep existing files, and append the rooms that are not declared yet
    #[arg(long, requires = "out", conflicts_with = "force")]
    pub add: bool,
    /// Replace existing files whose content differs
    #[arg(long, requires = "out")]
    pub force: bool,
    #[command(flatten)]
    pub files: FileFlags,
    #[command(flatten)]
    pub server: ServerFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SplitBy {
    /// The beginning of the pipe, up to the first `-` or `_`; a pipe with neither, or one that the
    /// server generated, goes to other.yaml
    Prefix,
    /// dialog.yaml, conference.yaml, support.yaml
    Type,
}

#[derive(Debug, Args)]
#[command(override_usage = "roomform send --user N PIPE TEXT
       roomform send --user N --room-id N TEXT")]
#[command(after_help = "Examples:
  roomform send --user 7 course-101 'The lecture starts at ten'
  roomform send --user 7 --room-id 1314 --text-file notice.txt
  date | roomform send --user 7 course-101 -")]
pub struct SendArgs {
    /// The pipe of the room; omit it with --room or --room-id
    #[arg(value_name = "PIPE")]
    pub first: Option<String>,
    /// The text, or - to read it from stdin; omit it with --text-file
    #[arg(value_name = "TEXT")]
    pub second: Option<String>,
    /// The room, by its pipe
    #[arg(long, value_name = "PIPE", conflicts_with = "room_id")]
    pub room: Option<String>,
    /// The room, by its number; roomform then does not read the list of rooms
    #[arg(long, value_name = "N", value_parser = parse::positive())]
    pub room_id: Option<u64>,
    /// The sender: a user's id on your site
    #[arg(long, visible_alias = "from", value_name = "N", value_parser = parse::positive())]
    pub user: u64,
    /// Read the text from this file
    #[arg(long, value_name = "FILE")]
    pub text_file: Option<PathBuf>,
    /// Output format
    #[arg(long, default_value = "text")]
    pub format: DocumentFormat,
    #[command(flatten)]
    pub target: TargetFlags,
    #[command(flatten)]
    pub connection: ConnectionFlags,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roomform doctor
  roomform doctor --sandbox --format json
  roomform doctor --write-probe roomform-probe-1")]
pub struct DoctorArgs {
    /// Create one room with this pipe and update it, to test writing; you can delete the room only
    /// in ImbaChat
    #[arg(long, value_name = "PIPE")]
    pub write_probe: Option<String>,
    /// Also add these users of your site to the room, to test counting; roomform cannot remove them
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = parse::positive(),
          requires = "write_probe", hide_short_help = true)]
    pub probe_users: Vec<u64>,
    /// Do not ask for confirmation
    #[arg(short, long, requires = "write_probe")]
    pub yes: bool,
    /// Output format
    #[arg(long, default_value = "text")]
    pub format: DocumentFormat,
    #[command(flatten)]
    pub files: FileFlags,
    #[command(flatten)]
    pub server: ServerFlags,
}

#[derive(Debug, Args)]
// `global` makes these flags valid both before and after `rooms`, `users` and `messages`.
#[command(mut_args(|arg| arg.global(true)))]
#[command(after_help = "Examples:
  roomform get rooms --only 'course-*' --sort pipe
  roomform get users --format csv > users.csv")]
pub struct GetArgs {
    /// The fields to show, in this order
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',', value_parser = parse::not_empty)]
    pub columns: Vec<String>,
    /// Sort by these fields; -FIELD sorts in descending order [default: the server's order]
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',', value_parser = parse::not_empty,
          allow_hyphen_values = true)]
    pub sort: Vec<String>,
    /// Output format
    #[arg(long, default_value = "table")]
    pub format: GetFormat,
    #[command(flatten)]
    pub csv: CsvFlags,
    #[command(flatten)]
    pub target: TargetFlags,
    #[command(flatten)]
    pub connection: ConnectionFlags,
    #[command(subcommand)]
    pub list: GetList,
}

/// The lists that `get` prints. A filter is sent to the server, and is applied again to the
/// returned rows if their fields allow it.
#[derive(Debug, Subcommand)]
pub enum GetList {
    /// List the rooms of the widget
    Rooms(RoomFilters),
    /// List the users of the widget; needs the secret key
    Users(UserFilters),
    /// List messages; the API documents no path for them, so roomform guesses the path
    Messages(MessageFilters),
}

/// Filters of get_rooms.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roomform get rooms --type dialog
  roomform get rooms --only 'course-*' --columns id,pipe,name --sort -id")]
pub struct RoomFilters {
    /// Rooms of this type: dialog, conference, support, or its number
    #[arg(long = "type", value_name = "TYPE", value_parser = parse::room_type)]
    pub kind: Option<i64>,
    /// Filter by the status of a user in the room; applied only by the server
    #[arg(long, value_name = "STATUS", value_parser = parse::not_empty)]
    pub status: Option<String>,
    /// Filter by the number of users; applied only by the server
    #[arg(long, value_name = "N")]
    pub count_users: Option<u64>,
    /// Filter by the date of the last message; applied only by the server
    #[arg(long, value_name = "DATE", value_parser = parse::not_empty)]
    pub last_message_date: Option<String>,
    /// Filter by whether a user is banned; applied only by the server
    #[arg(long, value_name = "true|false", action = ArgAction::Set)]
    pub banned: Option<bool>,
    #[command(flatten)]
    pub filter: FilterFlags,
    #[command(flatten)]
    pub reader: ReaderFlag,
}

/// Filters of get_users.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roomform get users --status admin
  roomform get users --format csv > users.csv")]
pub struct UserFilters {
    /// The user with this login
    #[arg(long, value_name = "LOGIN", value_parser = parse::not_empty)]
    pub login: Option<String>,
    /// The user with this ImbaChat id, which differs from the id on your site
    #[arg(long, value_name = "N")]
    pub id: Option<u64>,
    /// Users with this status: user or admin
    #[arg(long, value_name = "STATUS", value_parser = parse::not_empty)]
    pub status: Option<String>,
    /// Filter by the date of the last message; applied only by the server
    #[arg(long, value_name = "DATE", value_parser = parse::not_empty)]
    pub last_message_date: Option<String>,
    /// Filter by whether the user is banned; applied only by the server
    #[arg(long, value_name = "true|false", action = ArgAction::Set)]
    pub banned: Option<bool>,
}

/// Filters of get_messages. The fields of its rows are not documented, so only the server applies
/// these filters.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roomform get messages --date 2020-12-18
  roomform get messages --user-name anna --format json")]
pub struct MessageFilters {
    /// Messages sent on this date, such as 2020-12-18
    #[arg(long, value_name = "DATE", value_parser = parse::not_empty)]
    pub date: Option<String>,
    /// Filter by this ImbaChat id
    #[arg(long, value_name = "N")]
    pub id: Option<u64>,
    /// Messages in rooms of this type: dialog, conference, support, or its number
    #[arg(long = "type", value_name = "TYPE", value_parser = parse::room_type)]
    pub kind: Option<i64>,
    /// Messages from users with this name
    #[arg(long, value_name = "NAME", value_parser = parse::not_empty)]
    pub user_name: Option<String>,
    /// Messages from users with this role in the room
    #[arg(long, value_name = "ROLE", value_parser = parse::not_empty)]
    pub user_role: Option<String>,
    /// The path of the call, relative to the API's address [default:
    /// /imbachat/v2/{imba_id}/get_messages]
    #[arg(long, value_name = "PATH", value_parser = parse::api_path)]
    pub endpoint: Option<String>,
    #[command(flatten)]
    pub reader: ReaderFlag,
}

#[derive(Debug, Args)]
// `global` makes these flags valid both before and after the verbs of `ledger`.
#[command(mut_args(|arg| arg.global(true)))]
#[command(after_help = "Examples:
  roomform ledger show
  roomform ledger merge --ledger s3://chat/roomform.jsonl old.jsonl")]
pub struct LedgerArgs {
    /// Output format
    #[arg(long, default_value = "text")]
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
    #[command(after_help = "Examples:
  roomform ledger show
  roomform ledger show --ledger s3://chat/roomform.jsonl --format json")]
    Show,
    /// Show the entries about a room or a user: date, run, action and source
    #[command(after_help = "Examples:
  roomform ledger history
  roomform ledger history team-a
  roomform ledger history 42 --format json")]
    History {
        /// The pipe of a recorded room, a user's id, or a name from `people`
        #[arg(value_name = "PIPE|USER")]
        what: Option<String>,
    },
    /// Forget everything recorded about these rooms, as if roomform had never written to them
    #[command(after_help = "Examples:
  roomform ledger forget team-a
  roomform ledger forget 'course-*'")]
    Forget {
        /// The rooms: pipes, or globs such as 'course-*'
        #[arg(required = true, value_name = "PIPE|GLOB")]
        pipes: Vec<String>,
    },
    /// Merge other ledgers of the same target, in any order and as often as you like
    #[command(after_help = "Examples:
  roomform ledger merge branch.jsonl
  roomform ledger merge --ledger s3://chat/roomform.jsonl copy.jsonl")]
    Merge {
        /// The other ledgers
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Record the declared members of existing rooms as present, without sending anything
    Adopt(AdoptArgs),
    /// Remove entries that later entries supersede
    #[command(after_help = "Examples:
  roomform ledger compact
  roomform ledger compact --ledger s3://chat/roomform.jsonl")]
    Compact,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roomform ledger adopt --roster
  roomform ledger adopt --roster --only 'course-*' --yes")]
pub struct AdoptArgs {
    /// Use the members in the manifest and its rosters; the API does not list members
    #[arg(long, required = true)]
    pub roster: bool,
    /// Do not ask for confirmation
    #[arg(short, long)]
    pub yes: bool,
    #[command(flatten)]
    pub filter: FilterFlags,
    #[command(flatten)]
    pub connection: ConnectionFlags,
    #[command(flatten)]
    pub reader: ReaderFlag,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  roomform todo
  roomform todo --user 42 --format csv > remove.csv
  roomform todo done team-platform 42")]
pub struct TodoArgs {
    // Before `list`, because `mut_args` changes all flags that are already there.
    #[command(flatten)]
    pub flags: TodoFlags,
    #[command(flatten)]
    pub list: TodoListArgs,
    #[command(subcommand)]
    pub verb: Option<TodoVerb>,
}

#[derive(Debug, Subcommand)]
pub enum TodoVerb {
    /// List the open manual steps: members who left the manifest and may still be in a room
    List(TodoListArgs),
    /// Record that members were removed in ImbaChat, and list the steps that are still open
    ///
    /// Nothing is sent to the server. If a removed member returns to the manifest, apply sends
    /// the member again, like a new one.
    Done(TodoDoneArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roomform todo list --format markdown
  roomform todo list --user anna")]
pub struct TodoListArgs {
    /// Only the steps of this user: an id, or a name from `people`
    #[arg(long, value_name = "USER", help_heading = None::<&str>)]
    pub user: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roomform todo done team-platform
  roomform todo done 'course-*' 42")]
pub struct TodoDoneArgs {
    /// The room: a pipe, or a glob such as 'course-*'
    #[arg(value_name = "PIPE|GLOB")]
    pub pipe: String,
    /// The members who were removed, by id or name [default: the members of all open steps of the
    /// room]
    #[arg(value_name = "USER")]
    pub users: Vec<String>,
}

#[derive(Debug, Args)]
// `list` and `done` inherit these flags. They must come after the verb, because of
// `args_conflicts_with_subcommands`.
#[command(mut_args(|arg| arg.global(true)))]
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
