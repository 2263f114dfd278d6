//! Detects likely renames: a pipe left the manifest since the last apply, and a new pipe has
//! the same title or most of its members.
//!
//! A pipe is the identity of a room, so roomform never treats an edited pipe as a rename. But a
//! user who edits a pipe usually wants to rename the room, so the plan has a note about it.

use std::collections::{BTreeMap, HashMap};

use super::change::Change;
use super::findings::Note;
use crate::model::{Pipe, Recorded, RecordedRoom, UserId, nfc};

/// Returns a note for each new room that looks like exactly one room that left the manifest. If
/// several new rooms look like the same room that left, none of them gets a note. Otherwise,
/// courses of one class would be mistaken for each other, because they have the same pupils.
pub(super) fn likely_renames(changes: &[Change], left: &[Pipe], recorded: &Recorded) -> Vec<Note> {
    if left.is_empty() {
        return Vec::new();
    }
    let gone: Vec<(&Pipe, &RecordedRoom)> = left
        .iter()
        .filter_map(|pipe| Some((pipe, recorded.rooms.get(recorded.ids.get(pipe)?)?)))
        .collect();
    // A title of several rooms does not identify any of them.
    let mut titles: HashMap<String, Option<usize>> = HashMap::new();
    let mut rooms_of: HashMap<UserId, Vec<usize>> = HashMap::new();
    for (index, (_, room)) in gone.iter().enumerate() {
        if let Some(sent) = &room.sent {
            let title = titles.entry(nfc(&sent.title));
            title.and_modify(|it| *it = None).or_insert(Some(index));
        }
        for user in &room.members {
            rooms_of.entry(*user).or_default().push(index);
        }
    }
    let created = changes.iter().filter(|change| change.is_create());
    let found = created.map(|change| {
        let same_title = titles.get(&nfc(&change.send.title)).copied().flatten();
        match same_title {
            Some(index) => (change, true, vec![index]),
            None => (change, false, with_most_members(change, &gone, &rooms_of)),
        }
    });
    let found: Vec<(&Change, bool, Vec<usize>)> = found.collect();
    let mut uses: HashMap<usize, usize> = HashMap::new();
    for index in found.iter().flat_map(|(_, _, like)| like) {
        *uses.entry(*index).or_default() += 1;
    }
    let notes = found.iter().filter_map(|(change, same_title, like)| {
        let [index] = like.as_slice() else {
            return None;
        };
        let (from, _) = gone.get(*index).filter(|_| uses.get(index) == Some(&1))?;
        Some(Note::Renamed {
            from: Pipe::clone(from),
            to: change.pipe.clone(),
            same_title: *same_title,
        })
    });
    notes.collect()
}

/// Users who were in more than this many of the rooms that left the manifest are ignored, because
/// they do not help to tell which room was renamed.
const MAX_ROOMS_PER_USER: usize = 20;

/// Returns the rooms that left and share enough members with the new room: more than half of
/// the members of the room that left, and more than half of the members of the new room.
fn with_most_members(
    change: &Change,
    gone: &[(&Pipe, &RecordedRoom)],
    rooms_of: &HashMap<UserId, Vec<usize>>,
) -> Vec<usize> {
    let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
    for user in change.members.sent() {
        let rooms = rooms_of
            .get(&user)
            .filter(|rooms| rooms.len() <= MAX_ROOMS_PER_USER);
        for index in rooms.into_iter().flatten() {
            *shared.entry(*index).or_default() += 1;
        }
    }
    shared.retain(|index, count| {
        let before = gone.get(*index).map_or(0, |(_, room)| room.members.len());
        *count * 2 > before.max(change.members.count())
    });
    shared.into_keys().collect()
}
