//! What later plans are judged by: which rooms the manifest of an apply declared, and how much its files with rows gave.
//!
//! Main type: [`Baseline`]. It holds only what is not on record already, so that an apply that changes nothing writes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::filter::RoomFilter;
use super::findings::Violation;
use super::merge_join::without;
use super::shard::Shard;
use crate::model::{Desired, Field, FieldValue, Given, Observed, Pipe, Recorded, RoomId};

/// What an apply writes down of the manifest, beside what it does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    /// Rooms on record that left the manifest since it was last applied.
    pub left: Vec<Pipe>,
    /// Rooms that had left it, and are back.
    pub back: Vec<Pipe>,
    /// Rooms and memberships of the files with rows that give another number than when they were last applied; what was allowed
    /// to one part of the rooms only (`--shard`) under a name of its own: `class.csv (part 3/8)`.
    pub given: Given,
    /// Fields that are no longer ignored.
    pub settled: Vec<SettledField>,
}

/// A field on record as ignored by the server that the list now shows as it was sent: the record ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledField {
    /// The room.
    pub pipe: Pipe,
    /// Its id.
    pub room: RoomId,
    /// The field.
    pub field: Field,
    /// What was sent, and is shown.
    pub value: FieldValue,
}

/// The fields of these rooms that are on record as ignored and shown as they were sent.
pub(super) fn settled<'a>(
    pipes: impl Iterator<Item = &'a Pipe>,
    observed: &Observed,
    recorded: &Recorded,
) -> Vec<SettledField> {
    // Nearly always nothing is: the rooms are not looked up then.
    if recorded.rooms.values().all(|room| room.shown.is_empty()) {
        return Vec::new();
    }
    let rows = pipes.flat_map(|pipe| observed.live(pipe));
    let fields = rows.filter_map(|row| Some((row, recorded.rooms.get(&row.id)?)));
    let fields = fields.flat_map(|(row, known)| {
        let as_sent = known
            .shown
            .iter()
            .filter(|(field, shown)| row.state.value(**field) == shown.sent);
        as_sent.map(|(field, shown)| SettledField {
            pipe: row.pipe.clone(),
            room: row.id,
            field: *field,
            value: shown.sent.clone(),
        })
    });
    fields.collect()
}

impl Baseline {
    /// The baseline that an apply of a manifest sets. Of some of its rooms (`--only`) nothing is said but what is back; one part of all (`--shard`) says
    /// what left and is back in it: what it was allowed to do the others have not been.
    pub(super) fn of(
        desired: &Desired,
        recorded: &Recorded,
        left: &[Pipe],
        settled: Vec<SettledField>,
        only: &RoomFilter,
    ) -> Self {
        let declared = |pipe: &&Pipe| desired.rooms.contains_key(*pipe);
        let here = |pipe: &&Pipe| only.shard().is_none_or(|shard| shard.contains(pipe));
        let back = recorded.left.iter().filter(declared).filter(here);
        let back = back.cloned().collect();
        if !only.of_all_shards().is_all() {
            return Self {
                back,
                settled,
                ..Self::default()
            };
        }
        let baseline = Self {
            left: left.iter().filter(here).cloned().collect(),
            back,
            given: to_note(&desired.given(), recorded, only.shard()),
            settled,
        };
        baseline.unless_recorded(recorded)
    }

    /// What of it is not on record yet.
    fn unless_recorded(mut self, recorded: &Recorded) -> Self {
        self.left.retain(|pipe| !recorded.left.contains(pipe));
        self.back.retain(|pipe| recorded.left.contains(pipe));
        self.settled.retain(|settled| {
            let known = recorded.rooms.get(&settled.room);
            let shown = known.and_then(|known| known.shown.get(&settled.field));
            shown.is_some_and(|shown| shown.sent == settled.value)
        });
        self.given.retain(|source, given| {
            let before = recorded.rosters.get(&**source).copied();
            // A file that gives nothing has nothing to say, but that a part was allowed it.
            before.map_or(*given > 0 || is_part(source), |before| before != *given)
        });
        self
    }
}

/// The rooms on record that the manifest does not declare.
pub(super) fn undeclared<'a>(
    desired: &'a Desired,
    recorded: &'a Recorded,
) -> impl Iterator<Item = &'a Pipe> {
    without(recorded.ids.keys(), desired.rooms.keys())
}

/// Those of them that the manifest declared when it was last applied.
pub(super) fn left(desired: &Desired, recorded: &Recorded) -> Vec<Pipe> {
    let left = undeclared(desired, recorded).filter(|pipe| !recorded.left.contains(*pipe));
    left.cloned().collect()
}

/// The files with rows that give less than half of what they gave when they were last applied, unless that was allowed already to
/// the part in question.
pub(super) fn shrunk(
    given: &Given,
    recorded: &Recorded,
    shard: Option<Shard>,
) -> impl Iterator<Item = Violation> {
    given.iter().filter_map(move |(source, now)| {
        let (source, now) = (Arc::clone(source), *now);
        let before = recorded.rosters.get(&*source).copied()?;
        let allowed = Parts::of(&source, recorded).allow(now, shard);
        (is_shrunk(now, before) && !allowed).then_some(Violation::Shrunk {
            source,
            now,
            before,
        })
    })
}

fn is_shrunk(now: u64, before: u64) -> bool {
    now.saturating_mul(2) < before
}

/// What is written down of how much files with rows give. Where one shrank, one part of the rooms speaks for itself, under a name
/// of its own, until all parts have.
pub fn to_note(given: &Given, recorded: &Recorded, shard: Option<Shard>) -> Given {
    let mut all = BTreeMap::new();
    for (source, now) in given {
        let (source, now) = (Arc::clone(source), *now);
        let before = recorded.rosters.get(&*source).copied();
        let mut parts = Parts::of(&source, recorded);
        let shrunk = before.is_some_and(|before| is_shrunk(now, before));
        if let Some(shard) = shard.filter(|_| shrunk) {
            let own = of_part(&source, shard.index(), shard.count());
            parts.0.insert((shard.count(), shard.index()), now);
            if !parts.allow(now, None) {
                all.insert(own, now);
                continue;
            }
        }
        // What was allowed to a part once is no measure for later.
        for (count, index) in parts.0.into_keys() {
            all.insert(of_part(&source, index, count), now);
        }
        all.insert(source, now);
    }
    all
}

/// What parts of the rooms wrote down of a file: which of how many, and what it gave.
struct Parts(BTreeMap<(u32, u32), u64>);

impl Parts {
    fn of(source: &str, recorded: &Recorded) -> Self {
        let start = format!("{source} (part ");
        let noted = recorded.rosters.range(start.clone()..);
        let noted = noted.map_while(|(name, given)| Some((name.strip_prefix(&start)?, given)));
        let noted = noted.filter_map(|(part, given)| {
            let (index, count) = part.strip_suffix(')')?.split_once('/')?;
            Some(((count.parse().ok()?, index.parse().ok()?), *given))
        });
        Self(noted.collect())
    }

    /// Whether a file may give so little: in one part, or in all parts of one division.
    fn allow(&self, now: u64, shard: Option<Shard>) -> bool {
        let is_allowed = |part: &(u32, u32)| {
            let noted = self.0.get(part);
            noted.is_some_and(|noted| !is_shrunk(now, *noted))
        };
        if let Some(shard) = shard
            && is_allowed(&(shard.count(), shard.index()))
        {
            return true;
        }
        let mut counts: Vec<u32> = self.0.keys().map(|(count, _)| *count).collect();
        counts.dedup();
        counts.into_iter().any(|count| {
            let parts = self
                .0
                .keys()
                .filter(|(of, index)| *of == count && index < of);
            parts.filter(|part| is_allowed(part)).count() == count as usize
        })
    }
}

/// The name of what a part wrote down; [`Parts::of`] reads it.
fn of_part(source: &str, index: u32, count: u32) -> Arc<str> {
    format!("{source} (part {index}/{count})").into()
}

fn is_part(source: &str) -> bool {
    source.ends_with(')') && source.contains(" (part ")
}
