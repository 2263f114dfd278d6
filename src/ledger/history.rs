//! Prepares the entries of a ledger for people to read. Also lists the rooms of a user and the
//! members of a room, according to the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::entry::{Entries, Fact, PipeFact, RoomFact};
use super::fold::fold;
use super::json::kind_name;
use crate::model::{HistoryEntry, ListedRoom, Pipe, UserId};

/// Returns all entries, or only those about a room or a user. If a user is given, the entries show
/// no other members.
pub fn history(entries: &Entries, pipe: Option<&Pipe>, user: Option<UserId>) -> Vec<HistoryEntry> {
    let mut rooms_of_user = BTreeSet::new();
    let mut is_about = |fact: &Fact, user: UserId| {
        let is_member = fact
            .members()
            .is_some_and(|members| members.contains(&user));
        if is_member {
            rooms_of_user.extend(fact.pipe().cloned());
        }
        let is_forgotten =
            matches!(fact, Fact::Pipe(pipe, PipeFact::Forgotten) if rooms_of_user.contains(pipe));
        is_member || is_forgotten
    };
    let entries = entries
        .iter()
        .filter(|(_, fact)| pipe.is_none() || fact.pipe() == pipe)
        .filter(|(_, fact)| user.is_none_or(|user| is_about(fact, user)));
    let entries = entries.map(|(stamp, fact)| {
        let members = fact.members().unwrap_or_default().iter();
        let members = members.filter(|it| user.is_none_or(|user| user == **it));
        HistoryEntry {
            time: Arc::clone(&stamp.time),
            run: Arc::clone(&stamp.run),
            action: kind_name(fact),
            pipe: fact.pipe().cloned(),
            room: fact.room(),
            members: members.copied().collect(),
            count: match fact {
                Fact::Room(.., RoomFact::Counted { count, .. }) => Some(*count),
                _ => None,
            },
            source: fact.source().map(str::to_owned),
        }
    });
    entries.collect()
}

/// Returns the rooms that the user may be in, according to the ledger, and since when.
pub fn rooms_of(entries: &Entries, user: UserId) -> Vec<ListedRoom> {
    let mut since = BTreeMap::new();
    for entry in history(entries, None, Some(user)) {
        let Some(pipe) = entry.pipe else { continue };
        match entry.action {
            "confirmed" | "adopted" => drop(since.entry(pipe).or_insert(entry.time)),
            "released" => drop(since.insert(pipe, entry.time)),
            "done" | "forgotten" => drop(since.remove(&pipe)),
            _ => {}
        }
    }
    let recorded = fold(entries);
    let rooms = recorded.ids.iter().filter_map(|(pipe, room)| {
        let record = recorded.rooms.get(room)?;
        let is_open_step = record.released.contains_key(&user);
        (is_open_step || record.members.contains(&user)).then(|| ListedRoom {
            user,
            pipe: pipe.clone(),
            room: *room,
            since: since.get(pipe).map(ToString::to_string),
            is_open_step,
        })
    });
    rooms.collect()
}

/// Returns the users who may be in a room, according to the ledger.
pub fn members_of(entries: &Entries, pipe: &Pipe) -> Vec<ListedRoom> {
    let recorded = fold(entries);
    let room = recorded.ids.get(pipe).copied();
    let Some((room, record)) = room.and_then(|id| Some((id, recorded.rooms.get(&id)?))) else {
        return Vec::new();
    };
    let listed = |user, since: Option<String>| ListedRoom {
        user,
        pipe: pipe.clone(),
        room,
        is_open_step: since.is_some(),
        since,
    };
    let released = record.released.iter();
    let released = released.map(|(user, left)| listed(*user, Some(left.since.to_string())));
    let known = record.members.iter().map(|user| listed(*user, None));
    released.chain(known).collect()
}
