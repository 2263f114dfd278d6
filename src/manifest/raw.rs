//! The manifest as it is written: names not yet looked up, defaults not yet applied.
//!
//! Main type: [`RawManifest`], one file of a manifest.

use std::collections::BTreeMap;

use crate::model::{FieldSet, Limits, Member, MembersPolicy, RoomKind};
use crate::tables::diagnostic::At;
pub(super) use crate::tables::input::{RawFile, RawFilter, RawOn, RawVia};
pub(super) use crate::tables::source::Spanned;

/// A mapping from names to values, in the order of the file.
pub(super) type Names<T> = Vec<(Spanned<String>, T)>;

/// One file of a manifest.
#[derive(Debug, Default)]
pub(super) struct RawManifest {
    pub(super) widget: Option<Spanned<u64>>,
    pub(super) scope: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) defaults: RawDefaults,
    /// The ids of people; 0 for one that is written wrongly, which is noted.
    pub(super) people: Names<Spanned<u64>>,
    /// The file of people.
    pub(super) directory: Option<RawDirectory>,
    pub(super) groups: Names<Vec<Spanned<RawMember>>>,
    pub(super) rooms: Vec<RawRoom>,
    pub(super) generate: Vec<RawGenerate>,
    pub(super) limits: Option<Spanned<Limits>>,
}

/// What a room is unless it says otherwise.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RawDefaults {
    pub(super) kind: Option<RoomKind>,
    pub(super) public: Option<bool>,
    pub(super) members_policy: Option<MembersPolicy>,
}

/// One room.
#[derive(Debug)]
pub(super) struct RawRoom {
    pub(super) at: At,
    /// Whether pipe or title are only stand-ins: the mistake is noted, and the rest of the room is still checked.
    pub(super) broken: bool,
    pub(super) pipe: Spanned<String>,
    pub(super) title: Spanned<String>,
    pub(super) kind: Option<RoomKind>,
    pub(super) public: Option<bool>,
    pub(super) members: Vec<Spanned<RawMember>>,
    pub(super) exclude: Vec<Spanned<RawMember>>,
    pub(super) members_policy: Option<MembersPolicy>,
    pub(super) ignore: FieldSet,
    pub(super) welcome: Option<Box<RawWelcome>>,
}

/// A message for the members of a new room.
#[derive(Debug)]
pub(super) struct RawWelcome {
    pub(super) from: Spanned<RawMember>,
    pub(super) text: Spanned<String>,
    /// The cells of the room's row that the text names.
    pub(super) cells: BTreeMap<String, String>,
}

/// A member: an id, a name, a group, or a file of users.
#[derive(Debug, Clone)]
pub(super) enum RawMember {
    Id(u64),
    /// Consecutive ids, each with its own place: most lists are nothing else, and there are millions of ids.
    Ids(Vec<Member>),
    /// A name from `people`.
    Person(String),
    /// `@group`, without the sign.
    Group(String),
    Roster(Box<RawRoster>),
}

/// How the cells of a user column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// As ids of the site.
    Id,
    /// As names from `people`.
    Name,
}

/// A file of users.
#[derive(Debug, Clone)]
pub(super) struct RawRoster {
    pub(super) file: RawFile,
    /// The columns with users; if there are none, `user` or the only column.
    pub(super) user: Vec<Spanned<String>>,
    /// If absent, a number is an id and anything else a name.
    pub(super) by: Option<By>,
    pub(super) filter: Vec<RawFilter>,
    /// People of this roster only.
    pub(super) people: Option<Box<RawDirectory>>,
    /// The file of users of a preset, where `people` is the manifest's own: it still says which users are active.
    pub(super) preset_users: Option<Box<RawDirectory>>,
}

/// A file of people: names and the ids of the site.
#[derive(Debug, Clone)]
pub(super) struct RawDirectory {
    pub(super) file: RawFile,
    /// The columns that name a person; each is enough.
    pub(super) name: Vec<Spanned<String>>,
    pub(super) id: Spanned<String>,
    /// People that it leaves out are known, and are in no room.
    pub(super) filter: Vec<RawFilter>,
}

/// A roster joined to the rows that rooms are made of.
#[derive(Debug)]
pub(super) struct RawEnrol {
    pub(super) roster: RawRoster,
    /// The roster's columns, and those of the rooms' rows.
    pub(super) on: RawOn,
    /// Where empty cells of `on` are looked up.
    pub(super) via: Option<RawVia>,
}

/// Rooms in bulk: one for each row of a file.
#[derive(Debug)]
pub(super) struct RawGenerate {
    pub(super) each: RawFile,
    /// Only the first row of each value of this column.
    pub(super) distinct: Option<Spanned<String>>,
    pub(super) filter: Vec<RawFilter>,
    /// The room; its texts are templates.
    pub(super) room: RawRoom,
    pub(super) enrol: Vec<RawEnrol>,
}
