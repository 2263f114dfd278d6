//! What is to be taken for present without a word of the server: declared members of rooms that are there, and not on record.
//!
//! Main type: [`Adoption`]. It only says what would be written down; nothing is sent for it.

use super::filter::RoomFilter;
use super::findings::{Note, UnknownMembers};
use crate::model::{Desired, LiveRoom, MembersPolicy, Observed, Pipe, Recorded, RoomId, UserId};

/// What an adoption would write down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adoption {
    /// Rooms with something that is not on record yet, sorted by pipe.
    pub rooms: Vec<Adopted>,
    /// Declared rooms that are not there: an apply creates them.
    pub absent: usize,
    /// Declared rooms that are missing from a list that may show only one user's rooms.
    pub not_listed: usize,
    /// Declared rooms of which several are there: somebody has to say which is meant.
    pub several: Vec<Pipe>,
    /// Memberships that are not taken for present, as roomform knows better: owed since a create, back in the manifest, or new in a
    /// room it wrote to.
    pub to_send: usize,
}

/// One room of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// The room.
    pub pipe: Pipe,
    /// Its id.
    pub room: RoomId,
    /// Declared members that are not on record, sorted.
    pub members: Vec<UserId>,
}

impl Adoption {
    /// Memberships it would write down.
    pub fn members(&self) -> usize {
        self.rooms.iter().map(|room| room.members.len()).sum()
    }
}

/// The adoption of the chosen rooms.
pub fn adoption(
    desired: &Desired,
    observed: &Observed,
    recorded: &Recorded,
    only: &RoomFilter,
) -> Adoption {
    let mut adoption = Adoption::default();
    let chosen = desired.rooms.values();
    for room in chosen.filter(|room| only.contains(&room.pipe)) {
        let live: Vec<&LiveRoom> = observed.live(&room.pipe).collect();
        let on_record = recorded.ids.get(&room.pipe);
        let id = match live.as_slice() {
            [] if observed.is_partial => {
                adoption.not_listed += 1;
                continue;
            }
            [live] if observed.is_partial && on_record.is_some_and(|id| *id != live.id) => {
                adoption.not_listed += 1;
                continue;
            }
            [] => {
                adoption.absent += 1;
                continue;
            }
            [live] => live.id,
            _ => {
                adoption.several.push(room.pipe.clone());
                continue;
            }
        };
        let known = recorded.rooms.get(&id);
        let is_new = |user: &UserId| known.is_none_or(|known| !known.members.contains(user));
        let owed = recorded.owed.get(&room.pipe);
        let owed = owed.filter(|owed| owed.room.is_none_or(|room| room == id));
        // Of a room it wrote to roomform knows whom it sent there; who is sent only with a new room is never owed to one.
        let written =
            room.policy == MembersPolicy::Ensure && known.is_some_and(|known| known.sent.is_some());
        let is_to_send = |user: &UserId| {
            let owed = owed.is_some_and(|owed| owed.members.contains(user));
            owed || written || known.is_some_and(|known| known.released.contains(user))
        };
        let members = room.members.iter().map(|member| member.user);
        let (to_send, members): (Vec<UserId>, Vec<UserId>) =
            members.filter(is_new).partition(is_to_send);
        adoption.to_send += to_send.len();
        if !members.is_empty() || on_record != Some(&id) {
            let pipe = room.pipe.clone();
            adoption.rooms.push(Adopted {
                pipe,
                room: id,
                members,
            });
        }
    }
    adoption
}

/// How many declared members of the chosen rooms are on record by adoption only; none, no note.
pub(super) fn on_record(
    desired: &Desired,
    observed: &Observed,
    recorded: &Recorded,
    only: &RoomFilter,
) -> Option<Note> {
    let mut adopted = UnknownMembers::default();
    if recorded.rooms.values().all(|room| room.adopted.is_empty()) {
        return None;
    }
    let chosen = desired.rooms.values();
    for room in chosen.filter(|room| only.contains(&room.pipe)) {
        let known = observed
            .live(&room.pipe)
            .filter_map(|live| recorded.rooms.get(&live.id));
        let declared: usize = known
            .map(|known| {
                let adopted = known.adopted.iter();
                adopted.filter(|user| room.has_member(**user)).count()
            })
            .sum();
        adopted.rooms += usize::from(declared > 0);
        adopted.members += declared;
    }
    (adopted.members > 0).then_some(Note::Adopted(adopted))
}
