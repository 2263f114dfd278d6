//! What the team wants: the manifest after names, groups and defaults are resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{FieldSet, Pipe, RoomState, UserId, WidgetId};

/// A file of the manifest, by its position in [`Desired::files`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// Where something was declared: a file and a line counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// The line in it, from 1.
    pub line: u32,
}

/// A member and the place that put them there (the first one, where several did).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The user.
    pub user: UserId,
    /// Where they were named.
    pub place: Place,
}

/// When declared members are sent to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MembersPolicy {
    /// Whenever one is missing from the record.
    Ensure,
    /// Only when the room is created.
    OnCreate,
}

/// The message a new room is welcomed with, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welcome {
    /// Who says it.
    pub from: UserId,
    /// What, filled in; not empty.
    pub text: String,
}

/// One declared room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredRoom {
    /// The identity.
    pub pipe: Pipe,
    /// Title, type and publicity.
    pub state: RoomState,
    /// Members, sorted by user, each once, without the excluded.
    pub members: Vec<Member>,
    /// Users never to be added, whatever a group says.
    pub exclude: BTreeSet<UserId>,
    /// When members are sent.
    pub policy: MembersPolicy,
    /// Fields set on creation and never updated.
    pub ignore: FieldSet,
    /// What is said in it once it was created and its members are in; never in a room that was there before.
    pub welcome: Option<Welcome>,
    /// Where the room is declared.
    pub place: Place,
}

impl DesiredRoom {
    /// The declared member with this id.
    pub fn member(&self, user: UserId) -> Option<Member> {
        let found = self
            .members
            .binary_search_by_key(&user, |member| member.user);
        self.members.get(found.ok()?).copied()
    }

    /// Whether the user is a declared member.
    pub fn has_member(&self, user: UserId) -> bool {
        self.member(user).is_some()
    }
}

/// A guard on how much a plan may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// At most so many.
    Count(u64),
    /// At most so many hundredths of a percent of what is declared (`"12.5%"` is 1250).
    Share(u64),
}

/// The guards of a manifest; a missing one does not limit, except `publish`, which is then 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Rooms created; a share is of the declared rooms.
    pub create: Option<Limit>,
    /// Rooms whose title, type or publicity changes; a share is of the declared rooms.
    pub update: Option<Limit>,
    /// Members sent; a share is of the declared memberships.
    pub add_members: Option<Limit>,
    /// Messages sent; a share is of the declared rooms.
    pub messages: Option<Limit>,
    /// Closed rooms that become public; a share is of the declared rooms.
    pub publish: Option<Limit>,
}

impl Limits {
    /// Every guard with its key, in the manifest's order.
    pub fn each(self) -> [(&'static str, Option<Limit>); 5] {
        let Self {
            create,
            update,
            add_members,
            messages,
            publish,
        } = self;
        [
            ("create", create),
            ("update", update),
            ("add_members", add_members),
            ("messages", messages),
            ("publish", publish),
        ]
    }
}

/// How many rooms and memberships files with rows give, by their names; or what one part of the rooms was allowed, by a name of its own.
pub type Given = BTreeMap<Arc<str>, u64>;

/// The whole manifest, resolved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Desired {
    /// The widget the manifest is written for, where it says so.
    pub widget: Option<WidgetId>,
    /// Globs of the live rooms that are ours to report as unmanaged; empty means all.
    pub scope: Vec<String>,
    /// Guards.
    pub limits: Limits,
    /// The declared rooms by pipe.
    pub rooms: BTreeMap<Pipe, DesiredRoom>,
    /// Names of the files, for [`Place`].
    pub files: Vec<Arc<str>>,
    /// Which of the files have rows (rosters, and what rooms were made from), each by its name below the manifest's root: the
    /// same on every machine.
    pub rosters: BTreeMap<FileId, Arc<str>>,
}

impl Desired {
    /// The name of the file a place lies in.
    pub fn file_name(&self, place: Place) -> Arc<str> {
        self.files
            .get(place.file.0 as usize)
            .cloned()
            .unwrap_or_default()
    }

    /// How many rooms and memberships each file with rows gives, by its name. A membership counts where it is first named.
    pub fn given(&self) -> Given {
        let mut counts: BTreeMap<FileId, u64> =
            self.rosters.keys().map(|file| (*file, 0)).collect();
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
            // They mostly stand in one file, all of them.
            let members = room.members.as_slice();
            for of_one in members.chunk_by(|one, next| one.place.file == next.place.file) {
                // None of them is empty.
                if let [first, ..] = of_one {
                    count(first.place.file, of_one.len());
                }
            }
        }
        let mut given = BTreeMap::new();
        for (file, source) in &self.rosters {
            // A file that is read in two encodings is one source.
            *given.entry(Arc::clone(source)).or_default() +=
                counts.get(file).copied().unwrap_or_default();
        }
        given
    }

    /// How many memberships are declared, over all rooms.
    pub fn memberships(&self) -> usize {
        self.rooms.values().map(|room| room.members.len()).sum()
    }
}
