//! The flags of `get`.

use clap::{Args, Subcommand};

use super::format::GetFormat;
use super::groups::{ConnectionFlags, FilterFlags, ReaderFlag, ServerFlags, TargetFlags};
use super::values::{filled, kind, path};

#[derive(Debug, Args)]
#[command(
    // The lists take these flags too.
    mut_args(|arg| arg.global(true)),
    after_help = "\
Examples:
  roomform get rooms --only 'course-*' --sort pipe
  roomform get users --format csv > users.csv"
)]
pub struct GetArgs {
    /// The fields to show, in this order
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',', value_parser = filled)]
    pub columns: Vec<String>,
    /// Sort by these fields; -FIELD from the last to the first [default: as the server sends them]
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',', value_parser = filled, allow_hyphen_values = true)]
    pub sort: Vec<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = GetFormat::Table)]
    pub format: GetFormat,
    #[command(flatten)]
    pub target: TargetFlags,
    #[command(flatten)]
    pub connection: ConnectionFlags,
    #[command(subcommand)]
    pub list: GetList,
}

/// The lists. A filter is sent to the server, and applied again to its rows where they show enough.
#[derive(Debug, Subcommand)]
pub enum GetList {
    /// List the rooms of the widget
    Rooms(RoomFilters),
    /// List the users of the widget; needs the secret key
    Users(UserFilters),
    /// List messages; the path of this call is not published, and guessed
    Messages(MessageFilters),
}

/// Filters of get_rooms.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  roomform get rooms --type dialog
  roomform get rooms --only 'course-*' --columns id,pipe,name --sort -id")]
pub struct RoomFilters {
    /// Rooms of this type: dialog, conference, support, or its number
    #[arg(long = "type", value_name = "TYPE", value_parser = kind)]
    pub kind: Option<i64>,
    /// Rooms with a user of this status in them; only the server can tell
    #[arg(long, value_name = "STATUS", value_parser = filled)]
    pub status: Option<String>,
    /// Rooms with so many users; only the server can tell
    #[arg(long, value_name = "N")]
    pub count_users: Option<u64>,
    /// By the date of the last message; only the server can tell
    #[arg(long, value_name = "DATE", value_parser = filled)]
    pub last_message_date: Option<String>,
    /// By whether somebody is banned; only the server can tell
    #[arg(long, value_name = "true|false", action = clap::ArgAction::Set)]
    pub banned: Option<bool>,
    #[command(flatten)]
    pub filter: FilterFlags,
    #[command(flatten)]
    pub reader: ReaderFlag,
}

/// Filters of get_users.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  roomform get users --status admin
  roomform get users --format csv > users.csv")]
pub struct UserFilters {
    /// The user of this name
    #[arg(long, value_name = "LOGIN", value_parser = filled)]
    pub login: Option<String>,
    /// The user of this id in ImbaChat, which is not the one of your site
    #[arg(long, value_name = "N")]
    pub id: Option<u64>,
    /// Users of this status: user or admin
    #[arg(long, value_name = "STATUS", value_parser = filled)]
    pub status: Option<String>,
    /// By the date of the last message; only the server can tell
    #[arg(long, value_name = "DATE", value_parser = filled)]
    pub last_message_date: Option<String>,
    /// By whether they are banned; only the server can tell
    #[arg(long, value_name = "true|false", action = clap::ArgAction::Set)]
    pub banned: Option<bool>,
}

/// Filters of get_messages. What its rows are is not published, so only the server applies them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  roomform get messages --date 2020-12-18
  roomform get messages --user-name anna --format json")]
pub struct MessageFilters {
    /// Messages of this date, as in 2020-12-18
    #[arg(long, value_name = "DATE", value_parser = filled)]
    pub date: Option<String>,
    /// By this id in ImbaChat
    #[arg(long, value_name = "N")]
    pub id: Option<u64>,
    /// Messages in rooms of this type: dialog, conference, support, or its number
    #[arg(long = "type", value_name = "TYPE", value_parser = kind)]
    pub kind: Option<i64>,
    /// Messages of users of this name
    #[arg(long, value_name = "NAME", value_parser = filled)]
    pub user_name: Option<String>,
    /// Messages of users with this role in the room
    #[arg(long, value_name = "ROLE", value_parser = filled)]
    pub user_role: Option<String>,
    /// The path of the call below the API's address [default: /imbachat/v2/{imba_id}/get_messages]
    #[arg(long, value_name = "PATH", value_parser = path)]
    pub endpoint: Option<String>,
    #[command(flatten)]
    pub reader: ReaderFlag,
}

impl GetArgs {
    pub(super) fn server(&self) -> ServerFlags {
        let reader = match &self.list {
            GetList::Rooms(filters) => filters.reader.clone(),
            GetList::Users(_) => ReaderFlag::default(),
            GetList::Messages(filters) => filters.reader.clone(),
        };
        ServerFlags {
            target: self.target.clone(),
            connection: self.connection.clone(),
            reader,
            ..ServerFlags::default()
        }
    }
}
