//! People and groups: names -> sorted sets of members, with the place that named each.
//!
//! Main type: [`Directory`]. Groups are walked without recursion, so that a chain of any length is fine.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::people::{People, Person, Whose, twice};
use super::raw::{RawManifest, RawMember, Spanned};
use super::roster::Rosters;
use super::scalar::{Reading, reading};
use crate::model::{FileId, Member, UserId};
use crate::tables::diagnostic::{At, Code, Diagnostic, Problems, clip};
use crate::tables::number::is_digits;

/// How many members all groups, or all rooms, may come to, those named more than once counted each time: far above any
/// school, far below a machine's memory and patience.
const MOST_MEMBERSHIPS: usize = 10_000_000;
/// Lists are put in order now and then while they grow by at least so many, or repeated groups would fill the memory.
const UNSORTED: usize = 4096;

/// The people and groups of all files.
#[derive(Debug)]
pub(super) struct Directory<'a> {
    rosters: Rosters<'a>,
    people: People,
    groups: BTreeMap<&'a str, Group<'a>>,
    /// Members still to be taken over from lists; none once there were too many.
    left: Cell<Option<usize>>,
}

#[derive(Debug)]
struct Group<'a> {
    at: At,
    list: &'a [Spanned<RawMember>],
    members: Vec<Member>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// Being expanded, at this depth.
    Open(usize),
    Done,
}

impl<'a> Directory<'a> {
    /// Puts the names of all files together and expands every group.
    pub(super) fn new(
        files: &'a [(FileId, RawManifest)],
        rosters: Rosters<'a>,
        problems: &mut Problems,
    ) -> Self {
        let mut directory = Self {
            rosters,
            people: People::default(),
            groups: BTreeMap::new(),
            left: Cell::new(Some(MOST_MEMBERSHIPS)),
        };
        for (_, raw) in files {
            directory.people.inline(&raw.people, problems);
            if let Some(file) = &raw.directory {
                let (tables, sources) = (rosters.tables, rosters.sources);
                let whose = Whose::All;
                directory
                    .people
                    .directory(file, whose, tables, sources, problems);
            }
            for (name, list) in &raw.groups {
                match directory.groups.get(name.value.as_str()) {
                    Some(group) => problems.push(twice("group", name, group.at)),
                    None => {
                        let group = Group {
                            at: name.at,
                            list,
                            members: Vec::new(),
                            state: State::New,
                        };
                        directory.groups.insert(&name.value, group);
                    }
                }
            }
        }
        directory.expand(problems);
        directory
    }

    fn expand(&mut self, problems: &mut Problems) {
        for name in self.groups.keys().copied().collect::<Vec<_>>() {
            let mut path = vec![(name, 0)];
            loop {
                let depth = path.len().saturating_sub(1);
                let Some((name, next)) = path.last_mut() else {
                    break;
                };
                let name = *name;
                match self.step(name, depth, next) {
                    Some((inner, at)) => self.enter(inner, at, &mut path, problems),
                    None => {
                        self.close(name, problems);
                        path.pop();
                    }
                }
                if let Some(group) = self.groups.get(name).filter(|_| self.is_full()) {
                    return problems.push(too_many(group.at, "the groups"));
                }
            }
        }
        self.left.set(Some(MOST_MEMBERSHIPS));
    }

    /// Whether there were too many members; lists are then no longer expanded.
    pub(super) fn is_full(&self) -> bool {
        self.left.get().is_none()
    }

    /// The next group that a group contains, from position `next` on; `None` at its end or if it is done.
    fn step(&mut self, name: &str, depth: usize, next: &mut usize) -> Option<(&'a str, At)> {
        let group = self
            .groups
            .get_mut(name)
            .filter(|group| group.state != State::Done)?;
        group.state = State::Open(depth);
        let inner = group
            .list
            .iter()
            .enumerate()
            .skip(*next)
            .find_map(|(place, member)| match &member.value {
                RawMember::Group(inner) => Some((place, inner.as_str(), member.at)),
                _ => None,
            });
        inner.map(|(place, inner, at)| {
            *next = place + 1;
            (inner, at)
        })
    }

    fn enter(
        &self,
        inner: &'a str,
        at: At,
        path: &mut Vec<(&'a str, usize)>,
        problems: &mut Problems,
    ) {
        match self.groups.get(inner).map(|group| group.state) {
            Some(State::New) => path.push((inner, 0)),
            Some(State::Open(start)) => {
                problems.push(cycle(path.get(start..).unwrap_or_default(), at));
            }
            Some(State::Done) | None => {}
        }
    }

    /// Marks a group done, with the members it comes to.
    fn close(&mut self, name: &str, problems: &mut Problems) {
        let Some(group) = self
            .groups
            .get(name)
            .filter(|group| group.state != State::Done)
        else {
            return;
        };
        let members = self.members(group.list, problems);
        if let Some(group) = self.groups.get_mut(name) {
            group.members = members;
            group.state = State::Done;
        }
    }

    /// The people that every roster may name.
    pub(super) fn people(&self) -> &People {
        &self.people
    }

    /// A group's list as written, and the members it comes to.
    pub(super) fn group(&self, name: &str) -> Option<(&'a [Spanned<RawMember>], &[Member])> {
        let group = self.groups.get(name)?;
        Some((group.list, &group.members))
    }

    /// The members one entry of a list stands for. What is wrong with it was noted when the list was read.
    pub(super) fn plainly(&self, written: &Spanned<RawMember>) -> Vec<Member> {
        self.members(std::slice::from_ref(written), &mut Problems::default())
    }

    /// The opened files.
    pub(super) fn rosters(&self) -> Rosters<'a> {
        self.rosters
    }

    pub(super) fn add(&self, more: &[Member], members: &mut Vec<Member>) {
        if self.count(more) {
            members.extend_from_slice(more);
        }
    }

    /// Counts members that a list takes over; whether there were not too many.
    fn count(&self, more: &[Member]) -> bool {
        let left = self.left.get();
        self.left
            .set(left.and_then(|left| left.checked_sub(more.len())));
        !self.is_full()
    }

    /// The same as [`members`](Self::members), of a list that nobody asks for again.
    pub(super) fn take_members(
        &self,
        list: &mut [Spanned<RawMember>],
        problems: &mut Problems,
    ) -> Vec<Member> {
        let [
            Spanned {
                value: RawMember::Ids(ids),
                ..
            },
        ] = list
        else {
            return self.members(list, problems);
        };
        let mut members = Vec::new();
        if self.count(ids) {
            members = std::mem::take(ids);
            order(&mut members);
        }
        members
    }

    /// The members a list stands for, sorted, each once, with the first place that names them. Unknown names are noted.
    pub(super) fn members(
        &self,
        list: &[Spanned<RawMember>],
        problems: &mut Problems,
    ) -> Vec<Member> {
        let (mut members, mut in_order) = (Vec::new(), 0);
        for written in list {
            let one = |user| {
                let place = self.rosters.sources.place(written.at);
                [Member { user, place }]
            };
            match &written.value {
                RawMember::Id(id) => self.add(&one(UserId(*id)), &mut members),
                RawMember::Ids(ids) => self.add(ids, &mut members),
                RawMember::Person(name) => match self.people.get(name) {
                    Some(Person::User(user, _)) => self.add(&one(user), &mut members),
                    Some(Person::LeftOut(..) | Person::WithoutId(_)) => {}
                    None if !self.people.is_complete() => {}
                    None => self.unknown_person(name, written.at, problems),
                },
                RawMember::Group(name) => match self.groups.get(name.as_str()) {
                    Some(group) => self.add(&group.members, &mut members),
                    None => self.unknown_group(name, written.at, problems),
                },
                RawMember::Roster(raw) => {
                    let listed = self.rosters.members(raw, &self.people, problems);
                    self.add(&listed, &mut members);
                }
            }
            if members.len() > 2 * in_order + UNSORTED {
                order(&mut members);
                in_order = members.len();
            }
        }
        order(&mut members);
        members
    }

    pub(super) fn unknown_person(&self, name: &str, at: At, problems: &mut Problems) {
        let message = format!("`{}` is not in `people`", clip(name));
        let diagnostic = Diagnostic::at(Code::UnknownPerson, at, message);
        problems.push_with_hint(diagnostic, |search| {
            if name.trim().is_empty() {
                "write an id, a name from `people`, or \"@group\"".to_owned()
            } else if is_digits(name) {
                "an id is written without quotes".to_owned()
            } else if self.groups.contains_key(name) {
                format!("a group is written \"@{name}\"")
            } else if let Some(known) = self.people.nearest(name, search) {
                format!("did you mean `{known}`?")
            } else if let Some(file) = self.people.file() {
                format!("mend it, or add them to `{file}`")
            } else {
                format!("add it to `people`, as in {}: 17", key(name))
            }
        });
    }

    fn unknown_group(&self, name: &str, at: At, problems: &mut Problems) {
        let message = format!("`@{}` is not in `groups`", clip(name));
        let diagnostic = Diagnostic::at(Code::UnknownGroup, at, message);
        problems.push_with_hint(diagnostic, |search| {
            match search.find(name, self.groups.keys().copied(), |_| true) {
                Some(known) => format!("did you mean `@{known}`?"),
                None if name.trim().is_empty() => "write a group's name after the @".to_owned(),
                None => format!("add it to `groups`, as in {}: [17, 18]", key(name)),
            }
        });
    }
}

/// Groups of which each contains the next, and the last the first.
fn cycle(path: &[(&str, usize)], at: At) -> Diagnostic {
    let shown = |path: &[(&str, usize)]| -> String {
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
    Diagnostic::at(Code::GroupCycle, at, message).hint("take one of these groups out of another")
}

/// Sorts members, each once, with the first place that names them.
pub(super) fn order(members: &mut Vec<Member>) {
    if !members.is_sorted_by(|one, next| one.user < next.user) {
        members.sort_by_key(|member| (member.user, member.place));
        members.dedup_by_key(|member| member.user);
    }
}

/// A name as a key that every YAML reader takes as this text.
fn key(name: &str) -> String {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let safe = name.chars().all(word) && !name.starts_with('-') && reading(name) == Reading::Text;
    if safe {
        clip(name)
    } else {
        format!(
            "\"{}\"",
            clip(name).replace('\\', "\\\\").replace('"', "\\\"")
        )
    }
}

pub(super) fn too_many(at: At, whose: &str) -> Diagnostic {
    let message = format!("{whose} come to more than {MOST_MEMBERSHIPS} memberships up to here");
    Diagnostic::at(Code::TooLarge, at, message)
        .hint("split the manifest, or name each group fewer times")
}
