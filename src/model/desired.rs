//! The desired state: the manifest after names, groups and defaults are resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Date, FieldSet, Pipe, RoomState, UserId, WidgetId, named_enum};

/// A file of the manifest: its index in [`Desired::files`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A place in the manifest: a file and a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file that contains the line.
    pub file: FileId,
    /// The number of the line, from 1.
    pub line: u32,
}

/// A member, and the first place that names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The user who is a member.
    pub user: UserId,
    /// The first place in the manifest that names the user.
    pub place: Place,
}

named_enum! {
    /// When declared members are sent to a room.
    pub enum MembersPolicy {
        /// Whenever a member is not on record.
        Ensure = "ensure",
        /// Only when the room is created.
        OnCreate = "on_create",
    }
}

/// The first message in a new room, sent once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welcome {
    /// The user who sends the message.
    pub from: UserId,
    /// The text with all placeholders filled in; never empty.
    pub text: String,
}

/// One declared room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredRoom {
    /// The pipe, which identifies the room.
    pub pipe: Pipe,
    /// Title, type and visibility.
    pub state: RoomState,
    /// The members, except excluded users. They are sorted and have no duplicates. A change that
    /// sends all of them shares this list.
    pub members: Arc<[UserId]>,
    /// For each member, the first place in the manifest that names it.
    pub member_places: Box<[Place]>,
    /// Number of members whose membership ends within [`NOTICE`](super::NOTICE) days.
    pub ending: usize,
    /// Users who are never added, even if a group contains them.
    pub exclude: BTreeSet<UserId>,
    /// When members are sent to the room.
    pub policy: MembersPolicy,
    /// Fields that are set when the room is created and never updated.
    pub ignore: FieldSet,
    /// The message to send after the room is created and its members are added. It is never sent to
    /// a room that existed before.
    pub welcome: Option<Welcome>,
    /// Where the room is declared.
    pub place: Place,
}

impl DesiredRoom {
    /// Returns the first place that names the member; `None` if the user is not a member.
    pub fn member_place(&self, user: UserId) -> Option<Place> {
        let found = self.members.binary_search(&user);
        self.member_places.get(found.ok()?).copied()
    }

    /// Whether the user is a declared member.
    pub fn has_member(&self, user: UserId) -> bool {
        self.members.binary_search(&user).is_ok()
    }
}

/// The threshold of a guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// A maximum number.
    Count(u64),
    /// A maximum share of what is declared, in hundredths of a percent (`"12.5%"` is 1250).
    Share(u64),
}

/// The guards of a manifest. A missing guard sets no limit, with one exception: if `publish` is
/// missing, no room may become public.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of rooms to create. A percentage refers to the declared rooms.
    pub create: Option<Limit>,
    /// Maximum number of rooms whose title, type or visibility changes. A percentage refers to the
    /// declared rooms.
    pub update: Option<Limit>,
    /// Maximum number of members to send. A percentage refers to the declared memberships.
    pub add_members: Option<Limit>,
    /// Maximum number of messages to send. A percentage refers to the declared rooms.
    pub messages: Option<Limit>,
    /// The closed rooms that may become public: pipes of declared rooms, or globs.
    pub publish: Vec<String>,
}

impl Limits {
    /// Returns the key and the value of each guard that limits a count, in manifest order.
    pub fn counted(&self) -> [(&'static str, Option<Limit>); 4] {
        let Self {
            create,
            update,
            add_members,
            messages,
            publish: _,
        } = *self;
        [
            ("create", create),
            ("update", update),
            ("add_members", add_members),
            ("messages", messages),
        ]
    }
}

/// The number of rooms and memberships in each file with rows, by file name. A count for one shard
/// has its own entry, such as `class.csv (part 3/8)`.
pub type RosterCounts = BTreeMap<Arc<str>, u64>;

/// The readable names of users, for output only.
pub type UserNames = Arc<BTreeMap<UserId, String>>;

/// Returns a user's id with the name, if the name is known. The text must be escaped before it is
/// printed.
pub fn user_with_name(user: UserId, names: &UserNames) -> String {
    match names.get(&user) {
        // Parentheses in a name could look like the id of another user.
        Some(name) => format!("{} ({user})", name.replace('(', "[").replace(')', "]")),
        None => user.to_string(),
    }
}

/// The resolved manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Desired {
    /// The widget that the manifest names, if any.
    pub widget: Option<WidgetId>,
    /// Globs for the live rooms that are reported as unmanaged if they are not declared.
    /// Without globs, all undeclared live rooms are reported.
    pub scope: Vec<String>,
    /// The guards under the key `limits`.
    pub limits: Limits,
    /// The declared rooms by pipe.
    pub rooms: BTreeMap<Pipe, DesiredRoom>,
    /// File names, indexed by [`FileId`].
    pub files: Vec<Arc<str>>,
    /// The files with rows: rosters, and sources of generated rooms. Each value is the file's
    /// path relative to the manifest's root. This path is the same on every machine.
    pub rosters: BTreeMap<FileId, Arc<str>>,
    /// For each file, the number of rooms and memberships that are not declared today because
    /// of their dates. Guards also count these rooms and memberships.
    pub outside_dates: BTreeMap<FileId, u64>,
    /// Readable names of users, from `people` or a file with rows. They are untrusted text.
    pub names: UserNames,
    /// The day for which the manifest was resolved.
    pub today: Date,
}

impl Desired {
    /// Returns the file name of a place.
    pub fn file_name(&self, place: Place) -> Arc<str> {
        self.files
            .get(place.file.0 as usize)
            .cloned()
            .unwrap_or_default()
    }

    /// Counts the rooms and memberships in each file with rows, by file name and regardless of
    /// dates. A membership counts only for the first file that names it.
    pub fn roster_counts(&self) -> RosterCounts {
        let outside = |file: &FileId| self.outside_dates.get(file).copied().unwrap_or_default();
        let files = self.rosters.keys();
        let mut counts: BTreeMap<FileId, u64> = files.map(|it| (*it, outside(it))).collect();
        if counts.is_empty() {
            return BTreeMap::new();
        }
        let mut count = |file: FileId, more: usize| {
            if let Some(count) = counts.get_mut(&file) {
                *count += more as u64;
            }
        };
        for room in self.rooms.values() {
            count(room.place.file, 1);
            // Count adjacent members from the same file together: most rooms take all their
            // members from one file.
            let places = &room.member_places;
            for of_one in places.chunk_by(|one, next| one.file == next.file) {
                // The chunks are never empty.
                if let [first, ..] = of_one {
                    count(first.file, of_one.len());
                }
            }
        }
        let mut given = BTreeMap::new();
        for (file, source) in &self.rosters {
            // A file that is read in two encodings counts as one source.
            *given.entry(Arc::clone(source)).or_default() +=
                counts.get(file).copied().unwrap_or_default();
        }
        given
    }

    /// Returns the number of declared memberships in all rooms.
    pub fn memberships(&self) -> usize {
        self.rooms.values().map(|room| room.members.len()).sum()
    }
}
