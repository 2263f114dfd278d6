//! People and groups: names -> sorted sets of members, with the place that named each.
//!
//! Main type: [`Directory`]. Groups are walked without recursion, so that a chain of any length is fine.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::diagnostic::{At, Code, Diagnostic, Sources};
use super::fields::{clip, nearest};
use super::raw::{RawManifest, RawMember, Spanned};
use crate::model::{FileId, Member, UserId};

/// How many members all groups, or all rooms, may have together: far above any school, far below a machine's memory.
pub(super) const MOST_MEMBERSHIPS: usize = 20_000_000;

/// The people and groups of all files.
#[derive(Debug)]
pub(super) struct Directory<'a> {
    sources: &'a Sources,
    people: BTreeMap<&'a str, (UserId, At)>,
    groups: BTreeMap<&'a str, Group<'a>>,
    /// Searches for the nearest name still to be made: each reads all names, and a wrong file may lack thousands.
    searches: Cell<u32>,
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
    Open,
    Done,
}

impl<'a> Directory<'a> {
    /// Puts the names of all files together and expands every group.
    pub(super) fn new(
        files: &'a [(FileId, RawManifest)],
        sources: &'a Sources,
        problems: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut directory = Self {
            sources,
            people: BTreeMap::new(),
            groups: BTreeMap::new(),
            searches: Cell::new(200),
        };
        for (_, raw) in files {
            for (name, id) in &raw.people.0 {
                let entry = (UserId(id.value.0), name.at);
                match directory.people.get(name.value.as_str()) {
                    Some((_, first)) => problems.push(twice("person", name, *first)),
                    None => drop(directory.people.insert(&name.value, entry)),
                }
            }
            for (name, list) in &raw.groups.0 {
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

    fn expand(&mut self, problems: &mut Vec<Diagnostic>) {
        let mut total = 0;
        for name in self.groups.keys().copied().collect::<Vec<_>>() {
            let mut path = vec![(name, 0)];
            while let Some((name, next)) = path.last_mut() {
                let name = *name;
                match self.step(name, next) {
                    Some((inner, at)) => self.enter(inner, at, &mut path, problems),
                    None => {
                        total += self.close(name, problems);
                        path.pop();
                    }
                }
                if total > MOST_MEMBERSHIPS {
                    return problems.push(too_many(self.groups[name].at, "the groups"));
                }
            }
        }
    }

    /// The next group that a group contains, from position `next` on; `None` at its end or if it is done.
    fn step(&mut self, name: &str, next: &mut usize) -> Option<(&'a str, At)> {
        let group = self
            .groups
            .get_mut(name)
            .filter(|group| group.state != State::Done)?;
        group.state = State::Open;
        let inner =
            group.list[*next..]
                .iter()
                .enumerate()
                .find_map(|(offset, member)| match &member.value {
                    RawMember::Group(inner) => Some((offset, inner.as_str(), member.at)),
                    _ => None,
                });
        inner.map(|(offset, inner, at)| {
            *next += offset + 1;
            (inner, at)
        })
    }

    fn enter(
        &self,
        inner: &'a str,
        at: At,
        path: &mut Vec<(&'a str, usize)>,
        problems: &mut Vec<Diagnostic>,
    ) {
        match self.groups.get(inner).map(|group| group.state) {
            Some(State::New) => path.push((inner, 0)),
            Some(State::Open) => {
                let start = path
                    .iter()
                    .position(|(name, _)| *name == inner)
                    .unwrap_or_default();
                let names = path[start..].iter().map(|(name, _)| *name).chain([inner]);
                let cycle: Vec<String> = names.map(|name| format!("@{}", clip(name))).collect();
                let shown = if cycle.len() > 12 {
                    [&cycle[..6], &["…".into()], &cycle[cycle.len() - 5..]].concat()
                } else {
                    cycle
                };
                let message = format!("groups contain each other: {}", shown.join(" → "));
                problems.push(
                    Diagnostic::at(Code::GroupCycle, at, message)
                        .hint("take one of these groups out of another"),
                );
            }
            Some(State::Done) | None => {}
        }
    }

    /// Marks a group done with the members it comes to; how many these are.
    fn close(&mut self, name: &str, problems: &mut Vec<Diagnostic>) -> usize {
        let Some(group) = self
            .groups
            .get(name)
            .filter(|group| group.state != State::Done)
        else {
            return 0;
        };
        let members = self.members(group.list, problems);
        let count = members.len();
        if let Some(group) = self.groups.get_mut(name) {
            group.members = members;
            group.state = State::Done;
        }
        count
    }

    /// The members a list stands for, sorted, each once, with the first place that names them. Unknown names are noted.
    pub(super) fn members(
        &self,
        list: &[Spanned<RawMember>],
        problems: &mut Vec<Diagnostic>,
    ) -> Vec<Member> {
        let mut members = Vec::with_capacity(list.len());
        for written in list {
            let place = self.sources.place(written.at);
            match &written.value {
                RawMember::Id(id) => members.push(Member {
                    user: UserId(*id),
                    place,
                }),
                RawMember::Person(name) => match self.people.get(name.as_str()) {
                    Some((user, _)) => members.push(Member { user: *user, place }),
                    None => problems.push(self.unknown_person(name, written.at)),
                },
                RawMember::Group(name) => match self.groups.get(name.as_str()) {
                    Some(group) => members.extend_from_slice(&group.members),
                    None => problems.push(self.unknown_group(name, written.at)),
                },
            }
        }
        members.sort_by_key(|member| (member.user, member.place));
        members.dedup_by_key(|member| member.user);
        members
    }

    fn nearest(&self, name: &str, known: impl Iterator<Item = &'a &'a str>) -> Option<&'a str> {
        self.searches.set(self.searches.get().checked_sub(1)?);
        nearest(name, known.copied())
    }

    fn unknown_person(&self, name: &str, at: At) -> Diagnostic {
        let diagnostic = Diagnostic::at(
            Code::UnknownPerson,
            at,
            format!("`{}` is not in `people`", clip(name)),
        );
        let hint = if name.bytes().all(|byte| byte.is_ascii_digit()) {
            "an id is written without quotes".to_owned()
        } else if self.groups.contains_key(name) {
            format!("a group is written \"@{name}\"")
        } else if let Some(known) = self.nearest(name, self.people.keys()) {
            format!("did you mean `{known}`?")
        } else {
            format!("add it to `people`, as in {}: 17", clip(name))
        };
        diagnostic.hint(hint)
    }

    fn unknown_group(&self, name: &str, at: At) -> Diagnostic {
        let diagnostic = Diagnostic::at(
            Code::UnknownGroup,
            at,
            format!("`@{}` is not in `groups`", clip(name)),
        );
        match self.nearest(name, self.groups.keys()) {
            Some(known) => diagnostic.hint(format!("did you mean `@{known}`?")),
            None => diagnostic.hint(format!(
                "add it to `groups`, as in {}: [17, 18]",
                clip(name)
            )),
        }
    }
}

pub(super) fn too_many(at: At, whose: &str) -> Diagnostic {
    let message = format!("{whose} have more than {MOST_MEMBERSHIPS} memberships in all");
    Diagnostic::at(Code::TooLarge, at, message).hint("split the manifest")
}

fn twice(what: &str, name: &Spanned<String>, first: At) -> Diagnostic {
    let message = format!("the {what} `{}` is defined twice", clip(&name.value));
    Diagnostic::at(Code::DuplicateName, name.at, message)
        .related(first, "first here")
        .hint("keep one of the two")
}
