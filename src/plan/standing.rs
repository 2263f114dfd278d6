//! What later plans are judged by: which rooms the manifest of an apply declared, and how much its files with rows gave.
//!
//! Main type: [`Standing`]. It holds only what is not on record already, so that an apply that changes nothing writes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::change::Plan;
use super::remarks::Refusal;
use crate::model::{Desired, Pipe, Recorded};

/// What an apply writes down of the manifest, beside what it does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Rooms on record that left the manifest since it was last applied.
    pub left: Vec<Pipe>,
    /// Rooms that had left it, and are back.
    pub back: Vec<Pipe>,
    /// Rooms and memberships of the files with rows that give another number than when they were last applied.
    pub given: BTreeMap<Arc<str>, u64>,
}

impl Standing {
    /// The standing of a manifest; of a part of it (`--only`) nothing is said but what is back.
    pub(super) fn of(desired: &Desired, recorded: &Recorded, whole: bool) -> Self {
        let declared = |pipe: &&Pipe| desired.rooms.contains_key(*pipe);
        let back = recorded.left.iter().filter(declared).cloned().collect();
        if !whole {
            return Self {
                back,
                ..Self::default()
            };
        }
        let known = recorded.ids.keys();
        let left = known.filter(|pipe| !declared(pipe) && !recorded.left.contains(*pipe));
        let standing = Self {
            left: left.cloned().collect(),
            back,
            given: desired.given(),
        };
        standing.unless_recorded(recorded)
    }

    /// What of it is not on record yet.
    fn unless_recorded(mut self, recorded: &Recorded) -> Self {
        self.left.retain(|pipe| !recorded.left.contains(pipe));
        self.back.retain(|pipe| recorded.left.contains(pipe));
        self.given.retain(|source, given| {
            let before = recorded.rosters.get(&**source).copied();
            before.unwrap_or_default() != *given
        });
        self
    }
}

impl Plan {
    /// Takes out what another run has written down since the plan was made: who left, and where the manifest stands.
    pub fn catch_up(&mut self, recorded: &Recorded) {
        for room in &mut self.by_hand {
            let known = recorded.rooms.get(&room.id);
            let is_known = |user: &_| known.is_some_and(|known| known.members.contains(user));
            let (left, mut gone): (Vec<_>, Vec<_>) =
                room.left.iter().partition(|user| is_known(user));
            room.released.append(&mut gone);
            room.left = left;
        }
        self.standing = std::mem::take(&mut self.standing).unless_recorded(recorded);
    }

    /// Whether there is something to write down although nothing is sent: who left, which rooms came and went, and a file
    /// that was allowed to give so much less. A file that gives a little more or less can wait for the next change.
    pub fn is_to_be_noted(&self) -> bool {
        let Standing { left, back, given } = &self.standing;
        let released = self.by_hand.iter().any(|room| !room.left.is_empty());
        let shrunk = self.guards.iter().any(
            |guard| matches!(guard, Refusal::Shrunk { source, .. } if given.contains_key(source)),
        );
        released || shrunk || !left.is_empty() || !back.is_empty()
    }
}

/// The files with rows that give less than half of what they gave when they were last applied.
pub(super) fn shrunk(desired: &Desired, recorded: &Recorded) -> impl Iterator<Item = Refusal> {
    let before = |source: &str| recorded.rosters.get(source).copied().unwrap_or_default();
    desired
        .given()
        .into_iter()
        .filter_map(move |(source, now)| {
            let before = before(&source);
            let shrunk = now.saturating_mul(2) < before;
            shrunk.then_some(Refusal::Shrunk {
                source,
                now,
                before,
            })
        })
}
