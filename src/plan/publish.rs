//! Determines which closed rooms may become public: those that `limits.publish` or
//! `--allow-publish` lists.

use std::collections::{BTreeMap, BTreeSet};

use globset::GlobSet;

use super::filter::{Inputs, RoomFilter, glob_set};
use super::findings::Note;
use crate::model::{Desired, Pipe};

/// A closed room that becomes public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// Number of members on record who may be in the room; `None` if the room has no record.
    pub inside: Option<usize>,
    /// How many of the members in `inside` are to be removed.
    pub to_remove: usize,
    /// What allows the room to become public; `None` if nothing does.
    pub permit: Option<PublishPermit>,
}

/// What allows a room to become public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishPermit {
    /// `--allow-publish` names the room.
    Flag,
    /// `limits.publish` has the room's pipe, or a glob that matches it.
    Limit {
        /// The pipe or the glob.
        entry: String,
        /// Whether only the second manifest of a manifest diff allows the room to become
        /// public. Outside a manifest diff, this is always false.
        is_added: bool,
    },
}

/// The rooms that may become public.
#[derive(Debug)]
pub(super) struct PublishRules<'a> {
    flag: &'a BTreeSet<Pipe>,
    pipes: BTreeSet<&'a str>,
    globs: Vec<&'a str>,
    /// All of `globs` in one matcher.
    set: GlobSet,
}

impl<'a> PublishRules<'a> {
    /// Creates the rules. An entry of `limits.publish` that is a declared pipe is not treated
    /// as a glob. If the globs cannot be combined, they match no room.
    pub(super) fn new(desired: &'a Desired, flag: &'a BTreeSet<Pipe>) -> Self {
        let entries = desired.limits.publish.iter().map(String::as_str);
        let (pipes, globs): (Vec<_>, Vec<_>) =
            entries.partition(|entry| desired.rooms.contains_key(*entry));
        let set = glob_set(&globs).ok().flatten();
        Self {
            flag,
            pipes: pipes.into_iter().collect(),
            globs,
            set: set.unwrap_or_default(),
        }
    }

    /// Returns what allows a room to become public.
    pub(super) fn permit(&self, pipe: &Pipe) -> Option<PublishPermit> {
        let is_flagged = self.flag.contains(pipe).then_some(PublishPermit::Flag);
        let limit = self.entry(pipe).map(|entry| PublishPermit::Limit {
            entry: entry.to_owned(),
            is_added: false,
        });
        limit.or(is_flagged)
    }

    /// Returns the entry of `limits.publish` that allows a room to become public: the room's
    /// pipe, or else the first glob that matches the pipe.
    pub(super) fn entry(&self, pipe: &Pipe) -> Option<&'a str> {
        let exact = self.pipes.get(pipe.as_str()).copied();
        exact.or_else(|| {
            let first = self.set.matches(pipe.as_str()).into_iter().min();
            self.globs.get(first?).copied()
        })
    }

    /// Lists the entries of `limits.publish` whose rooms are all public already.
    pub(super) fn already_public(&self, inputs: Inputs<'_>, only: &RoomFilter) -> Option<Note> {
        let mut entries: BTreeMap<&str, bool> = BTreeMap::new();
        let rooms = inputs.desired.rooms.values();
        for room in rooms.filter(|room| only.contains(&room.pipe)) {
            if let Some(entry) = self.entry(&room.pipe) {
                let mut live = inputs.observed.live(&room.pipe).peekable();
                let is_public = room.state.public && live.peek().is_some();
                let is_public = is_public && live.all(|live| live.state.public);
                *entries.entry(entry).or_insert(true) &= is_public;
            }
        }
        let entries = entries.into_iter().filter(|(_, is_public)| *is_public);
        let entries: Vec<String> = entries.map(|(entry, _)| entry.to_owned()).collect();
        (!entries.is_empty()).then_some(Note::AlreadyPublic(entries))
    }
}
