//! Why somebody is in a room: every way in, and what kept them out. Worked out only when asked, while the rooms are put together.
//!
//! Main types: [`Tracer`], which watches the rooms being resolved, and [`Explained`].

use std::collections::BTreeSet;

use super::groups::Directory;
use super::people::Person;
use super::raw::{RawMember, RawRoom, Spanned};
use crate::model::{Desired, Member, Pipe, Place, UserId};

/// How deep groups are followed; they may be nested without end, and people do not read further.
const DEEPEST: usize = 64;

/// A way into a room, or out of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Way {
    /// The groups it leads through, outermost first, without their sign.
    pub groups: Vec<String>,
    /// Where the user stands: a line of a manifest, or a row of a roster.
    pub place: Place,
    /// Whether a roster joined to a generated room gave it.
    pub joined: bool,
}

/// One user of one room.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Membership {
    /// The room.
    pub pipe: Pipe,
    /// The user.
    pub user: UserId,
    /// Every way in; none for somebody who is only kept out.
    pub ways: Vec<Way>,
    /// What keeps them out all the same.
    pub excluded: Vec<Way>,
}

/// What a question turned out to be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A declared room.
    Room(Pipe),
    /// A user, and the names they have. Of somebody whom `people` leaves out the id may not be known.
    User(Option<UserId>, Vec<String>),
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// What the question was about.
    pub subject: Subject,
    /// The row of somebody whom the `where` of `people` leaves out.
    pub left_out: Option<Place>,
    /// Sorted by room and user.
    pub memberships: Vec<Membership>,
}

/// Somebody whom the `where` of `people` leaves out: their id if it is one, their names, and their row.
type LeftOut = (Option<UserId>, Vec<String>, Place);

/// Takes notes about one room and one user while rooms are put together.
#[derive(Debug)]
pub(super) struct Tracer {
    asked: String,
    user: Option<(UserId, Vec<String>)>,
    left_out: Option<LeftOut>,
    of_room: Vec<Membership>,
    of_user: Vec<Membership>,
}

impl Tracer {
    pub(super) fn new(asked: &str) -> Self {
        Self {
            asked: asked.to_owned(),
            user: None,
            left_out: None,
            of_room: Vec::new(),
            of_user: Vec::new(),
        }
    }

    /// Learns who is meant, if it is a user.
    pub(super) fn meet(&mut self, directory: &Directory<'_>) {
        let people = directory.people();
        let named = match people.get(&self.asked) {
            Some(Person::User(user, _)) => Some(user),
            _ => self.asked.parse().ok().filter(|id| *id > 0).map(UserId),
        };
        let known = |user| (user, people.names_of(user));
        let counts = |user: &Option<(UserId, Vec<String>)>| {
            user.as_ref().is_some_and(|(_, names)| !names.is_empty())
        };
        self.user = named.map(known);
        if counts(&self.user) {
            return;
        }
        if let Some((user, names, at)) = people.left_out(&self.asked) {
            // Who has another name that counts is let in by another row.
            self.user = user.map(known);
            if !counts(&self.user) {
                self.user = user.map(|user| (user, names.clone()));
                self.left_out = Some((user, names, directory.rosters().sources.place(at)));
            }
        }
    }

    /// Looks at a room as it is taken in.
    pub(super) fn room(&mut self, written: &RawRoom, joined: &[Member], directory: &Directory<'_>) {
        let pipe = Pipe::new(written.pipe.value.as_str());
        if written.pipe.value == self.asked {
            self.of_room
                .extend(memberships(&pipe, written, joined, directory, None));
        }
        if let Some((user, _)) = &self.user {
            self.of_user
                .extend(memberships(&pipe, written, joined, directory, Some(*user)));
        }
    }

    pub(super) fn finish(self, desired: &Desired) -> Option<Explained> {
        let pipe = Pipe::new(self.asked.as_str());
        let (subject, mut memberships) = match self.user {
            _ if desired.rooms.contains_key(&pipe) => (Subject::Room(pipe), self.of_room),
            Some((user, names)) if !names.is_empty() || !self.of_user.is_empty() => {
                (Subject::User(Some(user), names), self.of_user)
            }
            _ => match &self.left_out {
                Some((user, names, _)) => (Subject::User(*user, names.clone()), self.of_user),
                None => return None,
            },
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

/// The users of a room with all their ways in and out; only one of them if it is known who. Of those without a way in a room
/// has only whom its `exclude` names by name or id: the rest of a list of everybody who opted out is nobody's question.
fn memberships(
    pipe: &Pipe,
    written: &RawRoom,
    joined: &[Member],
    directory: &Directory<'_>,
    only: Option<UserId>,
) -> Vec<Membership> {
    let mut ways = directory.ways(&written.members, only);
    let joined = joined
        .iter()
        .filter(|member| only.is_none_or(|only| only == member.user));
    ways.extend(joined.map(|member| {
        (
            member.user,
            Way {
                groups: Vec::new(),
                place: member.place,
                joined: true,
            },
        )
    }));
    let mut outs = directory.ways(&written.exclude, only);
    ways.sort();
    ways.dedup();
    outs.sort();
    outs.dedup();
    let mut found: Vec<Membership> = Vec::new();
    for (user, way) in ways {
        match found.last_mut().filter(|last| last.user == user) {
            Some(last) => last.ways.push(way),
            None => found.push(Membership {
                pipe: pipe.clone(),
                user,
                ways: vec![way],
                excluded: Vec::new(),
            }),
        }
    }
    let named: BTreeSet<UserId> = written
        .exclude
        .iter()
        .filter(|entry| !matches!(entry.value, RawMember::Group(_) | RawMember::Roster(_)))
        .flat_map(|entry| directory.plainly(entry))
        .map(|member| member.user)
        .collect();
    let mut without: Vec<Membership> = Vec::new();
    for (user, way) in outs {
        let inside = found.binary_search_by_key(&user, |membership| membership.user);
        let membership = match inside {
            Ok(index) => found.get_mut(index),
            Err(_) => without.last_mut().filter(|last| last.user == user),
        };
        match membership {
            Some(membership) => membership.excluded.push(way),
            None if only.is_some() || named.contains(&user) => without.push(Membership {
                pipe: pipe.clone(),
                user,
                ways: Vec::new(),
                excluded: vec![way],
            }),
            None => {}
        }
    }
    found.extend(without);
    found
}

impl Directory<'_> {
    /// Every way in which a list names users, or one user.
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
        let take = |users: &[Member], groups: &[String], found: &mut Vec<(UserId, Way)>| {
            let users = users
                .iter()
                .filter(|member| only.is_none_or(|only| only == member.user));
            found.extend(users.map(|member| {
                (
                    member.user,
                    Way {
                        groups: groups.to_vec(),
                        place: member.place,
                        joined: false,
                    },
                )
            }));
        };
        for written in list {
            match &written.value {
                RawMember::Group(name) if groups.len() < DEEPEST => {
                    let Some((inner, members)) = self.group(name) else {
                        continue;
                    };
                    let concerned = only.is_none_or(|only| {
                        members
                            .binary_search_by_key(&only, |member| member.user)
                            .is_ok()
                    });
                    if concerned {
                        groups.push(name.clone());
                        self.follow(inner, only, groups, found);
                        groups.pop();
                    }
                }
                _ => take(&self.plainly(written), groups, found),
            }
        }
    }
}
