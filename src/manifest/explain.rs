//! Explains why a user is in a room: lists every path to the membership, and every exclusion. It
//! does so on demand, while rooms are resolved.
//!
//! Main types: [`Tracer`], which sees each room as it is resolved, and [`Explained`].

use std::collections::{BTreeMap, BTreeSet};

use super::groups::Directory;
use super::raw::{RawMember, RawRoom, Spanned};
use super::roster::SkipReason;
use crate::model::{Desired, Member, MemberList, Pipe, Place, UserId};

/// Maximum depth of nested groups that are followed; deeper paths would not be readable.
const DEEPEST: usize = 64;

/// A path by which a user becomes a member, or is excluded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Way {
    /// The groups on the path, outermost first, without `@`.
    pub groups: Vec<String>,
    /// The place that names the user: a line of a manifest or a row of a roster.
    pub place: Place,
    /// Whether the user comes from a roster joined to a generated room.
    pub joined: bool,
}

/// Explains why a user is in a room, or is excluded from it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Membership {
    /// The room's pipe.
    pub pipe: Pipe,
    /// The user's id.
    pub user: UserId,
    /// Every path to the membership; empty for a user who is only excluded.
    pub ways: Vec<Way>,
    /// Every path by which the user is excluded.
    pub excluded: Vec<Way>,
}

/// The room or the user that a query names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The query names a declared room.
    Room(Pipe),
    /// The query names a user. The variant holds the id and all names of the user. The id may
    /// be `None` if `people` leaves the user out.
    User(Option<UserId>, Vec<String>),
}

/// The explanation of a room or of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The room or the user that the query names.
    pub subject: Subject,
    /// The row of the queried person, if the `where` of `people` leaves them out.
    pub left_out: Option<Place>,
    /// The memberships, sorted by room and user.
    pub memberships: Vec<Membership>,
    /// The places that name a user but have no effect, each with the reason.
    pub skipped: Vec<(Place, SkipReason)>,
}

/// Traces one room or one user while rooms are resolved.
#[derive(Debug, Default)]
pub(super) struct Tracer {
    pub(super) asked: String,
    /// The queried user's id and names. The id may be `None` for a person whom `people` leaves out.
    user: Option<(Option<UserId>, Vec<String>)>,
    left_out: Option<Place>,
    of_room: Vec<Membership>,
    of_user: Vec<Membership>,
    pub(super) skipped: Vec<(Place, SkipReason)>,
}

impl Tracer {
    pub(super) fn new(asked: &str) -> Self {
        Self {
            asked: asked.to_owned(),
            ..Self::default()
        }
    }

    /// Resolves the query to a user, if it names one.
    pub(super) fn find_user(&mut self, directory: &Directory<'_>) {
        let (user, names, left_out) = directory.people.find(&self.asked);
        self.left_out = left_out.map(|at| directory.sources.to_place(at));
        if user.is_some() || self.left_out.is_some() {
            self.user = Some((user, names));
        }
    }

    /// Records the memberships of the traced room or user.
    pub(super) fn trace_room(
        &mut self,
        written: &RawRoom,
        joined: &MemberList,
        directory: &Directory<'_>,
    ) {
        if written.pipe.value == self.asked {
            let found = memberships(written, joined, directory, None);
            self.of_room.extend(found);
        }
        if let Some((Some(user), _)) = &self.user {
            let found = memberships(written, joined, directory, Some(*user));
            self.of_user.extend(found);
        }
    }

    pub(super) fn finish(mut self, desired: &Desired, hide_names: bool) -> Option<Explained> {
        self.of_room.sort();
        self.of_user.sort();
        let pipe = Pipe::new(self.asked.as_str());
        if desired.rooms.contains_key(&pipe) {
            return Some(Explained {
                subject: Subject::Room(pipe),
                left_out: None,
                memberships: self.of_room,
                skipped: Vec::new(),
            });
        }
        let (user, mut names) = self.user?;
        let ways = self.of_user.iter();
        let ways = ways.flat_map(|it| it.ways.iter().chain(&it.excluded));
        let counted: BTreeSet<Place> = ways.map(|way| way.place).collect();
        let mut skipped = self.skipped;
        // One roster may use a row that the `where` of another roster leaves out.
        skipped.retain(|(place, why)| *why != SkipReason::Where || !counted.contains(place));
        let is_known = !(names.is_empty() && self.of_user.is_empty() && skipped.is_empty());
        if hide_names {
            names.clear();
        }
        is_known.then_some(Explained {
            subject: Subject::User(user, names),
            left_out: self.left_out,
            memberships: self.of_user,
            skipped,
        })
    }
}

/// Returns the paths of all users of a room, or of one user. If all users are requested, omits
/// those who have no path to the membership and are excluded only by groups or rosters: a long
/// list of people who opted out is of no interest.
fn memberships(
    written: &RawRoom,
    joined: &MemberList,
    directory: &Directory<'_>,
    only: Option<UserId>,
) -> impl Iterator<Item = Membership> {
    let mut found: BTreeMap<UserId, (BTreeSet<Way>, BTreeSet<Way>)> = BTreeMap::new();
    let joined = joined.today();
    let joined = joined.filter(|member| only.is_none_or(|only| only == member.user));
    let joined = joined.map(|member| Way::new(&[], member, true));
    let ways = directory.ways(&written.members, only, &[]);
    for (user, way) in ways.into_iter().chain(joined) {
        found.entry(user).or_default().0.insert(way);
    }
    let is_list = |it: &&Spanned<RawMember>| {
        use RawMember::{Group, Roster, Shared};
        matches!(it.value, Group(_) | Roster(_) | Shared(_))
    };
    let (lists, named): (Vec<_>, Vec<_>) = written.exclude.iter().partition(is_list);
    for (excluded, is_named) in [(named, true), (lists, false)] {
        for (user, way) in directory.ways(excluded, only, &[]) {
            if is_named || only.is_some() || found.contains_key(&user) {
                found.entry(user).or_default().1.insert(way);
            }
        }
    }
    let pipe = Pipe::new(written.pipe.value.as_str());
    found
        .into_iter()
        .map(move |(user, (ways, excluded))| Membership {
            pipe: pipe.clone(),
            user,
            ways: ways.into_iter().collect(),
            excluded: excluded.into_iter().collect(),
        })
}

impl Way {
    fn new(groups: &[String], member: Member, joined: bool) -> (UserId, Self) {
        let (groups, place) = (groups.to_vec(), member.place);
        let way = Self {
            groups,
            place,
            joined,
        };
        (member.user, way)
    }
}

impl Directory<'_> {
    /// Returns every path by which a list names one user, or all users. `groups` is the path to the
    /// list.
    fn ways<'m>(
        &self,
        list: impl IntoIterator<Item = &'m Spanned<RawMember>>,
        only: Option<UserId>,
        groups: &[String],
    ) -> Vec<(UserId, Way)> {
        let mut found = Vec::new();
        for written in list {
            match &written.value {
                RawMember::Group(name) if groups.len() < DEEPEST => {
                    if let Some((inner, members)) = self.group(name)
                        && only.is_none_or(|only| members.contains(only))
                    {
                        let groups = [groups, std::slice::from_ref(name)].concat();
                        found.extend(self.ways(inner, only, &groups));
                    }
                }
                _ => {
                    let mut members = self.members_of_entry(written);
                    members.retain(|member| only.is_none_or(|only| only == member.user));
                    let ways = members.into_iter();
                    found.extend(ways.map(|member| Way::new(groups, member, false)));
                }
            }
        }
        found
    }
}
