//! The flags of `get`.

use clap::{Args, Subcommand};

use super::values::{filled, kind, path};

/// `get`.
#[derive(Debug, Args)]
pub struct GetArgs {
    /// Which list.
    #[command(subcommand)]
    pub list: GetList,
}

/// The lists. A filter is sent to the server, and applied once more to what comes back where a row tells enough.
#[derive(Debug, Subcommand)]
pub enum GetList {
    /// List the rooms of the widget; --only chooses by pipe
    Rooms(RoomFilters),
    /// List the users of the widget; needs the secret key
    Users(UserFilters),
    /// List messages; the path of this call is not published, and guessed
    Messages(MessageFilters),
}

/// Filters of get_rooms.
#[derive(Debug, Args)]
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
    /// How the rows are shown.
    #[command(flatten)]
    pub shown: Shown,
}

/// Filters of get_users.
#[derive(Debug, Args)]
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
    /// How the rows are shown.
    #[command(flatten)]
    pub shown: Shown,
}

/// Filters of get_messages. What its rows are is not published, so only the server applies them.
#[derive(Debug, Args)]
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
    /// How the rows are shown.
    #[command(flatten)]
    pub shown: Shown,
}

/// How rows are shown.
#[derive(Debug, Args)]
pub struct Shown {
    /// The fields to show, in this order
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',', value_parser = filled)]
    pub columns: Vec<String>,
    /// Sort by these fields; -FIELD from the last to the first [default: as the server sends them]
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',', value_parser = filled, allow_hyphen_values = true)]
    pub sort: Vec<String>,
}

impl GetList {
    /// How the rows are shown, whichever they are.
    pub fn shown(&self) -> &Shown {
        match self {
            Self::Rooms(filters) => &filters.shown,
            Self::Users(filters) => &filters.shown,
            Self::Messages(filters) => &filters.shown,
        }
    }
}
