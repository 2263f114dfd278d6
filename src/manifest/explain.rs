//! Explains why a user is in a room: every path to the membership, and the exclusions. Computed on demand, while rooms are resolved.
//!
//! Main types: [`Tracer`], which observes the rooms being resolved, and [`Explained`].

use std::collections::{BTreeMap, BTreeSet};

use super::groups::Directory;
use super::people::Person;
use super::raw::{RawMember, RawRoom, Spanned};
use crate::model::{Desired, MemberList, Pipe, Place, UserId};
use crate::tables::number::positive_id;

/// Maximum depth of nested groups that are followed; deeper paths would not be readable.
const DEEPEST: usize = 64;

/// A path by which a user becomes a member, or is excluded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Way {
    /// The groups on the path, outermost first, without `@`.
    pub groups: Vec<String>,
    /// The place that names the user: a line of a manifest or a row of a roster.
    pub place: Place,
    /// Whether the path is a roster joined to a generated room.
    pub joined: bool,
}

/// One user in one room.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Membership {
    /// The room.
    pub pipe: Pipe,
    /// The user.
    pub user: UserId,
    /// Every path to the membership; empty for a user who is only excluded.
    pub ways: Vec<Way>,
    /// The exclusions of the user.
    pub excluded: Vec<Way>,
}

/// What the query refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A declared room.
    Room(Pipe),
    /// A user with their names. The id of a person whom `people` leaves out may be unknown.
    User(Option<UserId>, Vec<String>),
}

/// The answer to a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// What the query refers to.
    pub subject: Subject,
    /// The row of a person whom the `where` of `people` leaves out.
    pub left_out: Option<Place>,
    /// Sorted by room and user.
    pub memberships: Vec<Membership>,
}

/// Traces one room or one user while rooms are resolved.
#[derive(Debug, Default)]
pub(super) struct Tracer {
    asked: String,
    user: Option<(UserId, Vec<String>)>,
    /// A user whom the `where` of `people` leaves out: their id if it is valid, their names, and their row.
    left_out: Option<(Option<UserId>, Vec<String>, Place)>,
    of_room: Vec<Membership>,
    of_user: Vec<Membership>,
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
        let people = &directory.people;
        let named = match people.get(&self.asked) {
            Some(Person::User(user, ..)) => Some(user),
            _ => positive_id(&self.asked).map(UserId),
        };
        let with_names = |user| (user, people.names_of(user));
        self.user = named.map(with_names);
        if matches!(&self.user, Some((_, names)) if !names.is_empty()) {
            return;
        }
        if let Some((user, names, at)) = people.left_out(&self.asked) {
            self.user = user.map(with_names);
            // Another row includes the person under another name.
            if !matches!(&self.user, Some((_, names)) if !names.is_empty()) {
                self.user = user.map(|user| (user, names.clone()));
                self.left_out = Some((user, names, directory.sources.to_place(at)));
            }
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
            self.of_room.extend(found.into_values());
        }
        if let Some((user, _)) = &self.user {
            let found = memberships(written, joined, directory, Some(*user));
            self.of_user.extend(found.into_values());
        }
    }

    pub(super) fn finish(self, desired: &Desired) -> Option<Explained> {
        let pipe = Pipe::new(self.asked.as_str());
        let (subject, mut memberships) = match self.user {
            _ if desired.rooms.contains_key(&pipe) => (Subject::Room(pipe), self.of_room),
            Some((user, names)) if !names.is_empty() || !self.of_user.is_empty() => {
                (Subject::User(Some(user), names), self.of_user)
            }
            _ => {
                let (user, names, _) = self.left_out.as_ref()?;
                (Subject::User(*user, names.clone()), self.of_user)
            }
        };
        let left_out = match subject {
            Subject::Room(_) => None,
            Subject::User(..) => self.left_out.map(|(_, _, place)| place),
        };
        memberships.sort();
        Some(Explained {
            subject,
            left_out,
            memberships,
        })
    }
}

/// Returns all paths of a room's users, or of one user. A user without a path to membership is listed only if `exclude` has their
/// name or id, because a long list of people who opted out is of no interest.
fn memberships(
    written: &RawRoom,
    joined: &MemberList,
    directory: &Directory<'_>,
    only: Option<UserId>,
) -> BTreeMap<UserId, Membership> {
    let pipe = Pipe::new(written.pipe.value.as_str());
    let mut found = BTreeMap::new();
    let empty = |user| Membership {
        pipe: pipe.clone(),
        user,
        ways: Vec::new(),
        excluded: Vec::new(),
    };
    let joined = joined.today().map(|member| {
        let way = Way {
            groups: Vec::new(),
            place: member.place,
            joined: true,
        };
        (member.user, way)
    });
    let joined = joined.filter(|(user, _)| only.is_none_or(|only| only == *user));
    for (user, way) in directory
        .ways(&written.members, only)
        .into_iter()
        .chain(joined)
    {
        let membership = found.entry(user).or_insert_with(|| empty(user));
        membership.ways.push(way);
    }
    let excluded = written.exclude.iter();
    let named: BTreeSet<UserId> = excluded
        .filter(|entry| !matches!(entry.value, RawMember::Group(_) | RawMember::Roster(_)))
        .flat_map(|entry| directory.members_of_entry(entry))
        .map(|member| member.user)
        .collect();
    for (user, way) in directory.ways(&written.exclude, only) {
        if only.is_some() || named.contains(&user) || found.contains_key(&user) {
            let membership = found.entry(user).or_insert_with(|| empty(user));
            membership.excluded.push(way);
        }
    }
    for membership in found.values_mut() {
        for ways in [&mut membership.ways, &mut membership.excluded] {
            ways.sort();
            ways.dedup();
        }
    }
    found
}

impl Directory<'_> {
    /// Returns every path by which a list names users, or one user.
    fn ways(&self, list: &[Spanned<RawMember>], only: Option<UserId>) -> Vec<(UserId, Way)> {
        let mut found = Vec::new();
        self.follow(list, only, &mut Vec::new(), &mut found);
        found
    }

    fn follow(
        &self,
        list: &[Spanned<RawMember>],
        only: Option<UserId>,
        groups: &mut Vec<String>,
        found: &mut Vec<(UserId, Way)>,
    ) {
        for written in list {
            match &written.value {
                RawMember::Group(name) if groups.len() < DEEPEST => {
                    let Some((inner, members)) = self.group(name) else {
                        continue;
                    };
                    if only.is_none_or(|only| members.contains(only)) {
                        groups.push(name.clone());
                        self.follow(inner, only, groups, found);
                        groups.pop();
                    }
                }
                _ => {
                    let members = self.members_of_entry(written).into_iter();
                    let members =
                        members.filter(|member| only.is_none_or(|only| only == member.user));
                    found.extend(members.map(|member| {
                        let way = Way {
                            groups: groups.clone(),
                            place: member.place,
                            joined: false,
                        };
                        (member.user, way)
                    }));
                }
            }
        }
    }
}
