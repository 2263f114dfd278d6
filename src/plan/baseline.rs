//! The baseline for later plans: the rooms that the last applied manifest declared, and the number
//! of rooms and memberships in its files with rows.
//!
//! Main type: [`Baseline`]. It holds only what is not on record yet, so that an apply without
//! changes records nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;

use super::filter::{RoomFilter, Shard};
use super::findings::{ShownField, Violation};
use crate::model::{
    Desired, Field, FieldValue, Observed, Pipe, Recorded, RecordedRoom, RoomCount, RosterCounts,
};

/// What an apply records about the manifest, besides its writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    /// Rooms on record that left the manifest since the last apply.
    pub left: Vec<Pipe>,
    /// Rooms that had left the manifest and are in it again.
    pub back: Vec<Pipe>,
    /// For each file with rows whose number of rooms and memberships changed since the last
    /// apply, the new number. A drop that was allowed for only one shard (`--shard`) is stored
    /// under a separate name: `class.csv (part 3/8)`.
    pub given: RosterCounts,
    /// Fields whose record changes. Either the list now shows the sent value of an ignored or
    /// pending field, or the server is now known to ignore a pending field.
    pub shown: Vec<ShownField>,
    /// Rooms whose counted number of members differs from the one on record.
    pub counted: Vec<RoomCount>,
}

/// Returns the fields of these rooms that are on record as ignored or pending, although the
/// list now shows the values that were sent.
pub(super) fn settled<'a>(
    pipes: impl Iterator<Item = &'a Pipe>,
    observed: &Observed,
    recorded: &Recorded,
) -> Vec<ShownField> {
    // Usually no field is ignored or pending. Then no room needs to be looked up.
    let mut known = recorded.rooms.values();
    if known.all(|room| room.shown.is_empty() && room.pending.is_empty()) {
        return Vec::new();
    }
    let rows = pipes.flat_map(|pipe| observed.live(pipe));
    let fields = rows.filter_map(|row| Some((row, recorded.rooms.get(&row.id)?)));
    let fields = fields.flat_map(|(row, known)| {
        let ignored = known.shown.iter().map(|(field, it)| (*field, &it.sent));
        let pending = known.pending.iter().map(|(field, it)| (*field, &it.sent));
        let sent: BTreeMap<Field, &FieldValue> = ignored.chain(pending).collect();
        let as_sent = sent.into_iter();
        let as_sent = as_sent.filter(|(field, sent)| row.state.value(*field) == **sent);
        as_sent.map(|(field, sent)| ShownField {
            pipe: row.pipe.clone(),
            room: row.id,
            field,
            sent: sent.clone(),
            shown: sent.clone(),
        })
    });
    fields.collect()
}

impl Baseline {
    /// Returns the baseline that an apply records. With globs (`--only`), it has only settled
    /// fields and the rooms that are back in the manifest. With a shard (`--shard`), it leaves
    /// out the rooms of other shards. If a file's count may drop for one shard, the drop is
    /// still not allowed for other shards.
    pub(super) fn of(
        desired: &Desired,
        recorded: &Recorded,
        left: &[Pipe],
        shown: Vec<ShownField>,
        only: &RoomFilter,
    ) -> Self {
        let declared = |pipe: &&Pipe| desired.rooms.contains_key(*pipe);
        let here = |pipe: &&Pipe| only.shard().is_none_or(|shard| shard.contains(pipe));
        let back = recorded.left.keys().filter(declared).filter(here);
        let back = back.cloned().collect();
        if only.has_globs() {
            return Self {
                back,
                shown,
                ..Self::default()
            };
        }
        let mut given = counts_to_record(&desired.roster_counts(), recorded, only.shard());
        given.retain(|source, given| {
            let before = recorded.rosters.get(&**source).copied();
            // The ledger needs no entry for an empty file, except in a shard: there, only the
            // entry says that a count of 0 is expected.
            before.map_or(*given > 0 || is_part(source), |before| before != *given)
        });
        Self {
            left: left.iter().filter(here).cloned().collect(),
            back,
            given,
            shown,
            counted: Vec::new(),
        }
    }
}

/// Returns the member counts that are not on record.
pub(super) fn newly_counted(observed: &Observed, recorded: &Recorded) -> Vec<RoomCount> {
    let counts = observed.counts.iter().flat_map(|counts| &counts.rooms);
    let is_new = |room: &&RoomCount| {
        let known = recorded.rooms.get(&room.room);
        let is_known =
            |known: &RecordedRoom| (known.counted, known.offset) == (room.size(), room.offset);
        room.size().is_some() && known.is_some_and(|known| !is_known(known))
    };
    counts.filter(is_new).cloned().collect()
}

/// Returns the undeclared rooms that were declared at the last apply.
pub(super) fn newly_left(undeclared: &[&Pipe], recorded: &Recorded) -> Vec<Pipe> {
    let is_new = |pipe: &&Pipe| !recorded.left.contains_key(*pipe);
    undeclared.iter().copied().filter(is_new).cloned().collect()
}

/// Returns the files with rows whose count fell to less than half since the last apply. Leaves out
/// counts that are already allowed for this shard.
pub(super) fn shrunk(
    given: &RosterCounts,
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

/// Returns the counts to record. If a file shrank, each shard first records the file's new
/// count under the shard's own name. After all shards have done so, the count is recorded for
/// the whole file.
pub fn counts_to_record(
    given: &RosterCounts,
    recorded: &Recorded,
    shard: Option<Shard>,
) -> RosterCounts {
    let mut all = BTreeMap::new();
    for (source, now) in given {
        let (source, now) = (Arc::clone(source), *now);
        let before = recorded.rosters.get(&*source).copied();
        let mut parts = Parts::of(&source, recorded);
        let shrunk = before.is_some_and(|before| is_shrunk(now, before));
        if let Some(shard) = shard.filter(|_| shrunk) {
            parts.0.insert(shard, now);
            if !parts.allow(now, None) {
                all.insert(of_part(&source, shard), now);
                continue;
            }
        }
        // Update the shards' old entries too, so that they do not allow a later drop.
        for part in parts.0.into_keys() {
            all.insert(of_part(&source, part), now);
        }
        all.insert(source, now);
    }
    all
}

/// The counts that shards recorded for a file.
struct Parts(BTreeMap<Shard, u64>);

impl Parts {
    fn of(source: &str, recorded: &Recorded) -> Self {
        let start = format!("{source} (part ");
        let noted = recorded.rosters.range(start.clone()..);
        let noted = noted.map_while(|(name, given)| Some((name.strip_prefix(&start)?, given)));
        let noted = noted.filter_map(|(part, given)| {
            let (index, count) = part.strip_suffix(')')?.split_once('/')?;
            let part = Shard::new(index.parse().ok()?, count.parse().ok()?);
            Some((part, *given))
        });
        Self(noted.collect())
    }

    /// Whether the count is allowed for this shard, or for all N shards of an earlier split
    /// (`--shard I/N`).
    fn allow(&self, now: u64, shard: Option<Shard>) -> bool {
        let is_allowed = |part: Shard| {
            let noted = self.0.get(&part);
            noted.is_some_and(|noted| !is_shrunk(now, *noted))
        };
        let counts: BTreeSet<NonZeroU32> = self.0.keys().map(|part| part.count).collect();
        let is_split_allowed =
            |count: NonZeroU32| (0..count.get()).all(|index| is_allowed(Shard::new(index, count)));
        shard.is_some_and(is_allowed) || counts.into_iter().any(is_split_allowed)
    }
}

/// Returns the name of a shard's entry; [`Parts::of`] parses it.
fn of_part(source: &str, part: Shard) -> Arc<str> {
    format!("{source} (part {part})").into()
}

/// Whether an entry is about this file, for all shards or for one.
pub(super) fn is_entry_of(entry: &str, source: &str) -> bool {
    let rest = entry.strip_prefix(source);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" (part "))
}

fn is_part(source: &str) -> bool {
    source.ends_with(')') && source.contains(" (part ")
}
