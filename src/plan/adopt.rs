//! Adoption: records declared members of existing rooms as present, without confirmation by the server.
//!
//! Main type: [`Adoption`]. It only lists what would be recorded; nothing is sent.

use super::filter::{Inputs, RoomFilter};
use crate::model::{LiveRoom, MembersPolicy, Pipe, RoomId, UserId};

/// What an adoption records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adoption {
    /// Rooms whose id or members are not on record yet, sorted by pipe.
    pub rooms: Vec<Adopted>,
    /// Number of declared rooms that do not exist; an apply creates them.
    pub absent: usize,
    /// Number of declared rooms that are missing from a list that may show only one user's
    /// rooms. These rooms may exist.
    pub not_listed: usize,
    /// Declared pipes that more than one live room has. The user must resolve these conflicts.
    pub several: Vec<Pipe>,
    /// Number of memberships that are not adopted because they must still be sent. According to
    /// the ledger, they were not yet sent after a create, are back in the manifest, or are new
    /// in a room that roomform wrote to.
    pub to_send: usize,
}

/// The members to adopt in one room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// The pipe of the room.
    pub pipe: Pipe,
    /// The id of the room.
    pub room: RoomId,
    /// Declared members that are not on record, sorted.
    pub members: Vec<UserId>,
}

impl Adoption {
    /// Returns the number of memberships to record.
    pub fn members(&self) -> usize {
        self.rooms.iter().map(|room| room.members.len()).sum()
    }
}

/// Computes the adoption for the selected rooms.
pub fn adoption(inputs: Inputs<'_>, only: &RoomFilter) -> Adoption {
    let (observed, recorded) = (inputs.observed, inputs.recorded);
    let mut adoption = Adoption::default();
    let chosen = inputs.desired.rooms.values();
    for room in chosen.filter(|room| only.contains(&room.pipe)) {
        let live: Vec<&LiveRoom> = observed.live(&room.pipe).collect();
        let on_record = recorded.ids.get(&room.pipe);
        let is_other = |live: &LiveRoom| on_record.is_some_and(|id| *id != live.id);
        let id = match live.as_slice() {
            [] | [_] if observed.is_partial && live.first().is_none_or(|live| is_other(live)) => {
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
        // If roomform wrote to the room, members that are not on record must still be sent. With
        // `on_create`, they are not sent to an existing room.
        let written =
            room.policy == MembersPolicy::Ensure && known.is_some_and(|known| known.sent.is_some());
        let is_to_send = |user: &UserId| {
            let owed = owed.is_some_and(|owed| owed.members.contains(user));
            owed || written || known.is_some_and(|known| known.released.contains_key(user))
        };
        let members = room.members.iter().copied();
        let (to_send, members): (Vec<UserId>, Vec<UserId>) =
            members.filter(is_new).partition(is_to_send);
        adoption.to_send += to_send.len();
        if !members.is_empty() || on_record != Some(&id) {
            let (pipe, room) = (room.pipe.clone(), id);
            let adopted = Adopted {
                pipe,
                room,
                members,
            };
            adoption.rooms.push(adopted);
        }
    }
    adoption
}
