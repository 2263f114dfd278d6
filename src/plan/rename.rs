//! Likely renames: a pipe that left the manifest since the last apply, and a new pipe with the same title or most of its members.
//!
//! A pipe is the identity of a room, so roomform never renames a room. A user who edits a pipe
//! usually meant to rename the room, and gets a note.

use std::collections::{BTreeMap, HashMap};

use super::change::Change;
use super::findings::Note;
use crate::model::{Pipe, Recorded, RecordedRoom, UserId, nfc};

/// Returns a note for each new room that looks like a room that left.
pub(super) fn likely_renames(changes: &[Change], left: &[Pipe], recorded: &Recorded) -> Vec<Note> {
    if left.is_empty() {
        return Vec::new();
    }
    let gone: Vec<(&Pipe, &RecordedRoom)> = left
        .iter()
        .filter_map(|pipe| Some((pipe, recorded.rooms.get(recorded.ids.get(pipe)?)?)))
        .collect();
    let mut titles: HashMap<String, usize> = HashMap::new();
    let mut rooms_of: HashMap<UserId, Vec<usize>> = HashMap::new();
    for (index, (_, room)) in gone.iter().enumerate() {
        if let Some(sent) = &room.sent {
            titles.entry(nfc(&sent.title)).or_insert(index);
        }
        for user in &room.members {
            rooms_of.entry(*user).or_default().push(index);
        }
    }
    let created = changes.iter().filter(|change| change.is_create());
    let like = |change: &Change| -> Option<Note> {
        let same_title = titles.get(&nfc(&change.send.title)).copied();
        let index = same_title.or_else(|| most_members(change, &gone, &rooms_of))?;
        let (from, to) = (gone.get(index)?.0.clone(), change.pipe.clone());
        Some(Note::Renamed {
            from,
            to,
            same_title: same_title.is_some(),
        })
    };
    created.filter_map(like).collect()
}

/// A user who was in more than this many of the rooms that left does not identify any of them.
const MAX_ROOMS_PER_USER: usize = 20;

/// Returns the room that left and shares more than half of both rooms' members with the new room.
fn most_members(
    change: &Change,
    gone: &[(&Pipe, &RecordedRoom)],
    rooms_of: &HashMap<UserId, Vec<usize>>,
) -> Option<usize> {
    let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
    for user in change.members.sent() {
        let rooms = rooms_of
            .get(&user)
            .filter(|rooms| rooms.len() <= MAX_ROOMS_PER_USER);
        for index in rooms.into_iter().flatten() {
            *shared.entry(*index).or_default() += 1;
        }
    }
    let (index, count) = shared
        .into_iter()
        .max_by_key(|(index, count)| (*count, usize::MAX - index))?;
    let larger = gone.get(index)?.1.members.len().max(change.members.count());
    (count * 2 > larger).then_some(index)
}
