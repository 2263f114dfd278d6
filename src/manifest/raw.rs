//! The manifest as written: names are not resolved, and defaults are not applied.
//!
//! Main type: [`RawManifest`], one file of a manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::model::{FieldSet, Limits, Member, MemberList, MembersPolicy, Presence, RoomKind};
use crate::tables::diagnostic::At;
pub(super) use crate::tables::input::{FileUse, RawFile, RawFilter, RawOn, RawVia};
pub(super) use crate::tables::source::Spanned;

/// A mapping from names to values, in file order.
pub(super) type Names<T> = Vec<(Spanned<String>, T)>;

/// One file of a manifest.
#[derive(Debug, Default)]
pub(super) struct RawManifest {
    pub(super) widget: Option<Spanned<u64>>,
    pub(super) scope: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) defaults: RawSettings,
    /// The ids of people by name. An invalid id is reported, and is 0 here.
    pub(super) people: Names<Spanned<u64>>,
    pub(super) directory: Option<RawDirectory>,
    /// Keys with a mistake that is already reported. Their values are unknown or incomplete.
    pub(super) unread: BTreeSet<&'static str>,
    pub(super) groups: Names<Vec<Spanned<RawMember>>>,
    pub(super) rooms: Vec<RawRoom>,
    pub(super) generate: Vec<RawGenerate>,
    pub(super) limits: Option<Spanned<RawLimits>>,
}

/// The `limits` of a manifest. `publish` is checked later, when all pipes are known.
#[derive(Debug)]
pub(super) struct RawLimits {
    pub(super) counted: Limits,
    pub(super) publish: Vec<Spanned<String>>,
}

/// The settings of a room, or the defaults of a file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RawSettings {
    pub(super) kind: Option<RoomKind>,
    pub(super) public: Option<bool>,
    pub(super) members_policy: Option<MembersPolicy>,
}

#[derive(Debug)]
pub(super) struct RawRoom {
    pub(super) at: At,
    /// Whether the pipe or the title is invalid, and stored as an empty text. The rest of the room
    /// is still checked.
    pub(super) broken: bool,
    pub(super) pipe: Spanned<String>,
    pub(super) title: Spanned<String>,
    pub(super) settings: RawSettings,
    pub(super) members: Vec<Spanned<RawMember>>,
    pub(super) exclude: Vec<Spanned<RawMember>>,
    pub(super) ignore: FieldSet,
    pub(super) welcome: Option<Box<RawWelcome>>,
}

/// A message for the members of a new room.
#[derive(Debug)]
pub(super) struct RawWelcome {
    pub(super) from: Spanned<RawMember>,
    pub(super) text: Spanned<String>,
    /// The cells of the room's row that the text uses.
    pub(super) cells: BTreeMap<String, String>,
}

/// A member: an id, a name, a group, or a file of users.
#[derive(Debug, Clone)]
pub(super) enum RawMember {
    Id(u64),
    /// Adjacent ids in a list, each with its place, stored together because there may be millions.
    Ids(Vec<Member>),
    /// A name from `people`.
    Person(String),
    /// The name of a group, without the `@`.
    Group(String),
    Roster(Box<RawRoster>),
    /// The users of a roster in a room template. All rooms of the template share them.
    Shared(Rc<MemberList>),
    /// An id or a name, and the dates of the membership.
    Dated(Box<RawMember>, Presence),
}

impl RawMember {
    /// Returns the member without dates, and the dates.
    pub(super) fn split_dates(&self) -> (&Self, Presence) {
        match self {
            Self::Dated(member, presence) => (member, *presence),
            member => (member, Presence::ALWAYS),
        }
    }
}

/// How to read the cells of a user column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum By {
    /// The cells are user ids of the site.
    Id,
    /// The cells are names from `people`.
    Name,
}

/// A file of users.
#[derive(Debug, Clone)]
pub(super) struct RawRoster {
    pub(super) file: FileUse,
    /// The columns with users. If empty, use the column `user` or the only column.
    pub(super) user: Vec<Spanned<String>>,
    /// Whether to use only one of the `user` columns in each row: the first one whose cell is
    /// not empty.
    pub(super) takes_first: bool,
    /// The separator between the users in a cell, if there may be several.
    pub(super) split: Option<String>,
    /// How to read the cells. If absent, numbers are ids, and all else is a name.
    pub(super) by: Option<By>,
    /// People for this roster only.
    pub(super) people: Option<Box<RawDirectory>>,
    /// The preset's users file, if `people` in the manifest names another file. The users file
    /// is still needed to know who is active.
    pub(super) preset_users: Option<Box<RawDirectory>>,
}

/// A file of people: names and user ids of the site. Its conditions select the active people. All
/// other people are known, but never become members.
#[derive(Debug, Clone)]
pub(super) struct RawDirectory {
    pub(super) file: FileUse,
    /// The columns with names. Each name identifies a person.
    pub(super) name: Vec<Spanned<String>>,
    pub(super) id: Spanned<String>,
}

/// A roster joined to the rows that rooms are generated from.
#[derive(Debug)]
pub(super) struct RawEnrol {
    pub(super) roster: RawRoster,
    /// The roster's columns, paired with the columns of the rooms' rows.
    pub(super) on: RawOn,
    /// The file in which the values of empty `on` cells are looked up.
    pub(super) via: Option<RawVia>,
    /// The file that moves roster rows to other rooms.
    pub(super) moved: Option<RawVia>,
}

/// Rooms generated from the rows of a file.
#[derive(Debug)]
pub(super) struct RawGenerate {
    pub(super) each: FileUse,
    /// Only the first row for each value of this column becomes a room.
    pub(super) distinct: Option<Spanned<String>>,
    pub(super) room: RawRoom,
    /// The templates of `type` and `public`.
    pub(super) from_row: [Option<Spanned<String>>; 2],
    pub(super) enrol: Vec<RawEnrol>,
}
