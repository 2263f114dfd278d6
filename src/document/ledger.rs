//! The JSON forms of a ledger's recorded state and of its history.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::change::users;
use super::{Document, Documents, names};
use crate::error::Exit;
use crate::model::{
    Field, HistoryEntry, Pipe, Recorded, RecordedRoom, RoomId, Sending, Target, UserNames,
};

#[derive(Debug, Serialize)]
struct HistoryBody<E> {
    entries: E,
    names: BTreeMap<u64, String>,
    /// Whether the ledger was compacted or merged, so that entries may be missing.
    partial: bool,
}

/// The output of `ledger history --format json`.
pub fn history(
    target: &Target,
    partial: bool,
    entries: &[HistoryEntry],
    known: &UserNames,
) -> impl Serialize {
    let members = entries.iter().flat_map(|entry| &entry.members);
    let body = HistoryBody {
        names: names(members.copied(), known),
        entries: Documents(entries, |entry: &HistoryEntry| {
            json!({
                "time": &*entry.time,
                "run": &*entry.run,
                "action": entry.action,
                "pipe": entry.pipe.as_ref().map(ToString::to_string),
                "room_id": entry.room.map(|room| room.0),
                "members": users(&entry.members),
                "count": entry.count,
                "source": entry.source,
            })
        }),
        partial,
    };
    Document::new("history", Exit::Done, Some(target), body)
}

#[derive(Debug, Serialize)]
struct LedgerBody<R> {
    entries: usize,
    names: BTreeMap<u64, String>,
    owed: Value,
    rooms: R,
    rosters: Value,
    uncertain: Value,
}

/// Builds the document for the recorded state of a ledger. `lines` is the number of its entries.
pub fn ledger(
    target: &Target,
    lines: usize,
    recorded: &Recorded,
    known: &UserNames,
) -> impl Serialize {
    let named = recorded.rooms.values();
    let named = named.flat_map(|room| room.members.iter().chain(room.released.keys()));
    let names = names(named.copied(), known);
    let rooms = recorded.ids.iter();
    let rooms = rooms.map(move |(pipe, id)| (recorded, pipe, *id));
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
    let body = LedgerBody {
        entries: lines,
        names,
        owed: owed.collect(),
        rooms: Documents(rooms, describe_room),
        rosters: rosters.collect(),
        uncertain: uncertain.collect(),
    };
    Document::new("ledger", Exit::Done, Some(target), body)
}

fn describe_room((recorded, pipe, id): (&Recorded, &Pipe, RoomId)) -> Value {
    let empty = RecordedRoom::default();
    let room = recorded.rooms.get(&id).unwrap_or(&empty);
    let welcome = room.welcome.map(Sending::name);
    let fields = |fields: Vec<&Field>| fields.into_iter().map(|it| it.name()).collect::<Value>();
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
}
