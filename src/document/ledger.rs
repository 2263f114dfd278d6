//! The record of a ledger, and its history, as documents.

use serde_json::{Value, json};

use super::change::users;
use super::{Document, names};
use crate::error::Exit;
use crate::model::{Field, HistoryEntry, Recorded, RecordedRoom, Sending, Target, UserNames};

/// The output of `ledger history --format json`. `partial`: the ledger was compacted or merged, so entries may be missing.
pub fn history(
    target: &Target,
    partial: bool,
    entries: &[HistoryEntry],
    known: &UserNames,
) -> Document {
    let members = entries.iter().flat_map(|entry| &entry.members);
    let names = names(members.copied(), known);
    let entries = entries.iter().map(|entry| {
        json!({
            "time": entry.time,
            "run": entry.run,
            "action": entry.action,
            "pipe": entry.pipe.as_ref().map(ToString::to_string),
            "room_id": entry.room.map(|room| room.0),
            "members": users(&entry.members),
            "count": entry.count,
            "source": entry.source,
        })
    });
    let entries = entries.collect::<Value>();
    let body = json!({"partial": partial, "names": names, "entries": entries});
    Document::new("history", Exit::Done, Some(target), body)
}

/// The recorded state of a ledger with this number of lines.
pub fn ledger(target: &Target, lines: usize, recorded: &Recorded) -> Document {
    let empty = RecordedRoom::default();
    let rooms = recorded.ids.iter().map(|(pipe, id)| {
        let room = recorded.rooms.get(id).unwrap_or(&empty);
        let welcome = room.welcome.map(Sending::name);
        let fields =
            |fields: Vec<&Field>| fields.into_iter().map(|it| it.name()).collect::<Value>();
        json!({
            "pipe": pipe.as_str(),
            "room_id": id.0,
            "left": recorded.left.contains_key(pipe),
            "members": users(room.members.iter().as_slice()),
            "adopted": users(room.adopted.iter().as_slice()),
            "released": room.released.keys().map(|user| user.0).collect::<Value>(),
            "welcome": welcome,
            "ignored_fields": fields(room.shown.keys().collect()),
            "pending_fields": fields(room.pending.keys().collect()),
        })
    });
    let owed = recorded.owed.iter().map(|(pipe, owed)| {
        let members = users(owed.members.iter().as_slice());
        json!({"pipe": pipe.as_str(), "members": members, "welcome": owed.welcome})
    });
    let open = recorded.open.iter();
    let open = open.flat_map(|(pipe, open)| open.iter().map(move |open| (pipe, open)));
    let uncertain = open.map(|(pipe, open)| {
        json!({"pipe": pipe.as_str(), "run": open.run, "since": open.since.to_string()})
    });
    let rosters = recorded.rosters.iter();
    let rosters = rosters.map(|(source, given)| json!({"source": source, "given": given}));
    let body = json!({
        "entries": lines,
        "rooms": rooms.collect::<Value>(),
        "owed": owed.collect::<Value>(),
        "uncertain": uncertain.collect::<Value>(),
        "rosters": rosters.collect::<Value>(),
    });
    Document::new("ledger", Exit::Done, Some(target), body)
}
