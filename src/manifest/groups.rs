//! Resolves people and groups to sorted lists of members. Each member has the place that names it.
//!
//! Main type: [`Directory`]. Groups are expanded without recursion, so they may be nested to any
//! depth.

use std::cell::{Cell, RefCell};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use super::export::quote_yaml;
use super::people::{DisplayNames, People, Person, defined_twice};
use super::raw::{RawManifest, RawMember, Spanned};
use super::roster::{RosterReader, known_user};
use super::scalar::{Reading, reading};
use crate::model::{Member, MemberList, UserId};
use crate::tables::diagnostic::{At, Code, Diagnostic, Problems, Sources, clip};
use crate::tables::number::{ALTERED, is_altered, is_digits};
use crate::tables::open::{Tables, UseCache};

/// Maximum number of members in all groups, or in all rooms, with duplicates. It is far more than a
/// school needs, and far less than a machine can store.
const MOST_MEMBERSHIPS: usize = 10_000_000;
/// A growing list is sorted and deduplicated after at least this many additions, so that repeated
/// groups do not fill the memory.
const UNSORTED: usize = 4096;

/// The people and groups of all files.
#[derive(Debug)]
pub(super) struct Directory<'a> {
    pub(super) rosters: RosterReader<'a>,
    groups: BTreeMap<&'a str, Group<'a>>,
    /// Whether some groups could not be read. An unknown group may then be one of them.
    is_incomplete: bool,
    /// Number of members that may still be copied from lists; `None` after the limit is exceeded.
    left: Cell<Option<usize>>,
}

#[derive(Debug)]
struct Group<'a> {
    at: At,
    list: &'a [Spanned<RawMember>],
    members: MemberList,
    state: GroupState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GroupState {
    New,
    /// The group is being expanded, at this depth of the stack.
    Open(usize),
    Done,
}

/// The stack of groups being expanded, each with the rest of its list.
type Path<'a> = Vec<(&'a str, std::slice::Iter<'a, Spanned<RawMember>>)>;

impl<'a> Deref for Directory<'a> {
    type Target = RosterReader<'a>;

    fn deref(&self) -> &RosterReader<'a> {
        &self.rosters
    }
}

impl<'a> Directory<'a> {
    /// Merges the names of all files and expands every group.
    pub(super) fn new(
        files: &'a [RawManifest],
        tables: &'a Tables,
        sources: &'a Sources,
        asked: Option<&str>,
        problems: &'a Problems,
    ) -> Self {
        let (mut people, display) = (People::default(), DisplayNames::default());
        let is_unread = |key| files.iter().any(|raw| raw.unread.contains(key));
        people.is_incomplete = is_unread("people");
        // Add the people from files of people before the names in manifests, so that the
        // result does not depend on the order of the manifest files.
        for raw in files.iter().filter_map(|raw| raw.directory.as_ref()) {
            people.add_file(raw, tables.get(&raw.file, problems), &display);
        }
        let mut groups = BTreeMap::new();
        for raw in files {
            people.add_names(&raw.people, problems);
            for (name, id) in &raw.people {
                display.add(UserId(id.value), &name.value);
            }
            for (name, list) in &raw.groups {
                match groups.entry(name.value.as_str()) {
                    Entry::Occupied(known) => {
                        let first: &Group<'_> = known.get();
                        problems.push(defined_twice("group", name, first.at));
                    }
                    Entry::Vacant(free) => drop(free.insert(Group {
                        at: name.at,
                        list,
                        members: MemberList::default(),
                        state: GroupState::New,
                    })),
                }
            }
        }
        let mut directory = Self {
            rosters: RosterReader {
                tables,
                problems,
                asked: asked.and_then(|asked| known_user(asked, None, &people)),
                people,
                display,
                sources,
                own_people: UseCache::default(),
                lists: UseCache::default(),
                read: RefCell::default(),
                skipped: RefCell::default(),
            },
            groups,
            is_incomplete: is_unread("groups"),
            left: Cell::new(Some(MOST_MEMBERSHIPS)),
        };
        directory.expand_groups();
        directory
    }

    fn expand_groups(&mut self) {
        for name in self.groups.keys().copied().collect::<Vec<_>>() {
            let mut path = Path::new();
            self.enter_group(name, &mut path);
            while let Some((name, list)) = path.last_mut() {
                let name = *name;
                let inner = list.find_map(|member| match &member.value {
                    RawMember::Group(inner) => Some((inner.as_str(), member.at)),
                    _ => None,
                });
                if let Some((inner, at)) = inner {
                    if let Some(depth) = self.enter_group(inner, &mut path) {
                        self.problems
                            .push(cycle(path.get(depth..).unwrap_or_default(), at));
                    }
                    continue;
                }
                path.pop();
                let Some(group) = self.groups.get(name) else {
                    continue;
                };
                let (at, members) = (group.at, self.members(group.list));
                if self.is_full() {
                    return self.problems.push(too_many(at, "the groups"));
                }
                if let Some(group) = self.groups.get_mut(name) {
                    group.members = members;
                    group.state = GroupState::Done;
                }
            }
        }
        self.left.set(Some(MOST_MEMBERSHIPS));
    }

    /// Starts to expand a group if it is new. If it is already on the stack, it contains
    /// itself: returns its depth.
    fn enter_group(&mut self, name: &'a str, path: &mut Path<'a>) -> Option<usize> {
        let group = self.groups.get_mut(name)?;
        match group.state {
            GroupState::New => {
                group.state = GroupState::Open(path.len());
                path.push((name, group.list.iter()));
                None
            }
            GroupState::Open(depth) => Some(depth),
            GroupState::Done => None,
        }
    }

    /// Whether the member limit was exceeded; lists are then no longer expanded.
    pub(super) fn is_full(&self) -> bool {
        self.left.get().is_none()
    }

    /// Returns a group's list as written, and its members.
    pub(super) fn group(&self, name: &str) -> Option<(&'a [Spanned<RawMember>], &MemberList)> {
        let group = self.groups.get(name)?;
        Some((group.list, &group.members))
    }

    /// Returns the members of one list entry who are declared today.
    pub(super) fn members_of_entry(&self, written: &Spanned<RawMember>) -> Vec<Member> {
        let members = self.members(std::slice::from_ref(written));
        let (today, ..) = members.split(&BTreeSet::new());
        today
    }

    pub(super) fn add(&self, more: &MemberList, members: &mut MemberList) {
        if self.count(more.len()) {
            members.extend(more);
        }
    }

    /// Counts members copied from a list; returns whether the total is within the limit.
    fn count(&self, more: usize) -> bool {
        let left = self.left.get();
        self.left.set(left.and_then(|left| left.checked_sub(more)));
        !self.is_full()
    }

    /// Works like [`members`](Self::members), but may empty the list instead of copying it.
    pub(super) fn take_members(&self, list: &mut [Spanned<RawMember>]) -> MemberList {
        if let [only] = list
            && let RawMember::Ids(ids) = &mut only.value
        {
            let is_counted = self.count(ids.len());
            let mut members = MemberList::from(std::mem::take(ids));
            members
                .always
                .truncate(if is_counted { members.len() } else { 0 });
            members.order();
            return members;
        }
        self.members(list)
    }

    /// Returns the members of a list, sorted, without duplicates, each with its first place.
    /// Unknown names are reported.
    pub(super) fn members(&self, list: &[Spanned<RawMember>]) -> MemberList {
        let (mut members, mut in_order) = (MemberList::default(), 0);
        for written in list {
            let (member, presence) = written.value.split_dates();
            let mut add_one = |user, presence| {
                if self.count(1) {
                    let place = self.sources.to_place(written.at);
                    members.push(Member { user, place }, presence);
                }
            };
            match member {
                RawMember::Id(id) => add_one(UserId(*id), presence),
                RawMember::Ids(ids) if self.count(ids.len()) => members.always.extend(ids),
                // `Ids` are skipped above the limit. `Dated` cannot occur, because dates are never
                // nested.
                RawMember::Ids(_) | RawMember::Dated(..) => {}
                RawMember::Person(name) => match self.people.get(name) {
                    Some(Person::User(user, of_person, _)) => {
                        add_one(user, presence.and(of_person));
                    }
                    Some(Person::LeftOut(..) | Person::WithoutId(_)) => {}
                    None if self.people.is_incomplete => {}
                    None => self.unknown_person(name, written.at),
                },
                RawMember::Group(name) => match self.groups.get(name.as_str()) {
                    Some(group) => self.add(&group.members, &mut members),
                    None if self.is_incomplete => {}
                    None => self.unknown_group(name, written.at),
                },
                RawMember::Roster(raw) => self.add(&self.roster_members(raw), &mut members),
                RawMember::Shared(users) => self.add(users, &mut members),
            }
            if members.len() > 2 * in_order + UNSORTED {
                members.order();
                in_order = members.len();
            }
        }
        members.order();
        members
    }

    pub(super) fn unknown_person(&self, name: &str, at: At) {
        let message = format!("`{}` is not in `people`", clip(name));
        let diagnostic = Diagnostic::at(Code::UnknownPerson, at, message);
        self.problems.push_with_hint(diagnostic, |search| {
            if name.trim().is_empty() {
                "write an id, a name from `people`, or \"@group\"".to_owned()
            } else if is_digits(name) {
                "write an id without quotes".to_owned()
            } else if is_altered(name) {
                ALTERED.to_owned()
            } else if self.groups.contains_key(name) {
                format!("write a group as \"@{name}\"")
            } else if let Some(known) = self.people.nearest(name, search) {
                format!("did you mean `{known}`?")
            } else if let Some(file) = &self.people.file {
                format!("fix the name, or add the user to `{file}`")
            } else {
                format!("add it to `people`, as in {}: 17", yaml_key(name))
            }
        });
    }

    fn unknown_group(&self, name: &str, at: At) {
        let message = format!("`@{}` is not in `groups`", clip(name));
        let diagnostic = Diagnostic::at(Code::UnknownGroup, at, message);
        self.problems.push_with_hint(diagnostic, |search| {
            match search.find(name, self.groups.keys().copied(), |_| true) {
                Some(known) => format!("did you mean `@{known}`?"),
                None if name.trim().is_empty() => "write a group's name after the @".to_owned(),
                None => format!("add it to `groups`, as in {}: [17, 18]", yaml_key(name)),
            }
        });
    }
}

/// Creates the error for groups that contain each other.
fn cycle<T>(path: &[(&str, T)], at: At) -> Diagnostic {
    let shown = |path: &[(&str, T)]| -> String {
        let names = path.iter().map(|(name, _)| format!("@{} → ", clip(name)));
        names.collect()
    };
    let groups = match (path.first_chunk::<6>(), path.last_chunk::<4>()) {
        (Some(first), Some(last)) if path.len() > 11 => {
            format!("{}… → {}", shown(first), shown(last))
        }
        _ => shown(path),
    };
    let first = path.first().map(|(name, _)| clip(name)).unwrap_or_default();
    let message = format!("groups contain each other: {groups}@{first}");
    Diagnostic::at(Code::GroupCycle, at, message)
        .hint("remove one of these groups from the group before it")
}

/// Writes a name as a YAML key that all YAML readers read as text.
fn yaml_key(name: &str) -> String {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    match name.chars().all(word) && !name.starts_with('-') && reading(name) == Reading::Text {
        true => clip(name),
        false => quote_yaml(&clip(name)),
    }
}

pub(super) fn too_many(at: At, whose: &str) -> Diagnostic {
    let millions = MOST_MEMBERSHIPS / 1_000_000;
    let message = format!("{whose} have more than {millions} million memberships up to here");
    Diagnostic::at(Code::TooLarge, at, message)
        .hint("split the manifest, or use groups in fewer places")
}
