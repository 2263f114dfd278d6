//! The record of a ledger as a document.

use serde::Serialize;

use super::change::users;
use super::{Header, TargetDocument};
use crate::error::Exit;
use crate::model::{HistoryEntry, Recorded, RecordedRoom, Sending, Target, UserSet};

/// The state that the entries of a ledger add up to.
#[derive(Debug, Serialize)]
pub struct LedgerDocument {
    #[serde(flatten)]
    header: Header,
    #[serde(flatten)]
    target: TargetDocument,
    /// Number of lines in the file, without headers.
    entries: usize,
    rooms: Vec<RoomDocument>,
    /// Parts of created rooms that are still outstanding.
    owed: Vec<OwedDocument>,
    /// Creates whose result is unknown.
    uncertain: Vec<UncertainDocument>,
    /// The row counts of files at the last apply.
    rosters: Vec<RosterDocument>,
}

#[derive(Debug, Serialize)]
struct RoomDocument {
    pipe: String,
    room_id: u64,
    /// Whether the room was removed from the manifest before the last apply.
    left: bool,
    /// Members that were confirmed as added, or adopted.
    members: Vec<u64>,
    /// The adopted members that the server never confirmed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    adopted: Vec<u64>,
    /// Members that were removed from the manifest since.
    released: Vec<u64>,
    /// The state of the welcome, if one was started: `confirmed` or `uncertain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    welcome: Option<&'static str>,
    /// Fields the server ignored.
    ignored_fields: Vec<&'static str>,
    /// Fields that were sent and that the list did not show in time.
    pending_fields: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct RosterDocument {
    /// The file's name, relative to the manifest's root.
    source: String,
    /// The number of rooms and memberships.
    given: u64,
}

#[derive(Debug, Serialize)]
struct OwedDocument {
    pipe: String,
    members: Vec<u64>,
    /// Whether the welcome is still outstanding.
    welcome: bool,
}

#[derive(Debug, Serialize)]
struct UncertainDocument {
    pipe: String,
    run: String,
    /// In UTC.
    since: String,
}

/// The output of `ledger history --format json`.
#[derive(Debug, Serialize)]
pub struct HistoryDocument {
    #[serde(flatten)]
    header: Header,
    #[serde(flatten)]
    target: TargetDocument,
    /// Whether the ledger was compacted or merged, so that entries may be missing.
    partial: bool,
    entries: Vec<HistoryEntryDocument>,
}

#[derive(Debug, Serialize)]
struct HistoryEntryDocument {
    /// In UTC.
    time: String,
    run: String,
    /// The kind of the entry, such as `confirmed`, `released` or `done`.
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pipe: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    room_id: Option<u64>,
    members: Vec<u64>,
    /// The number of members, in an entry `counted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    /// The file and line that the room came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

impl HistoryDocument {
    /// Builds the document of these entries.
    pub fn new(target: &Target, partial: bool, entries: Vec<HistoryEntry>) -> Self {
        let entries = entries.into_iter().map(|entry| HistoryEntryDocument {
            time: entry.time,
            run: entry.run,
            action: entry.action,
            pipe: entry.pipe.map(|pipe| pipe.to_string()),
            room_id: entry.room.map(|room| room.0),
            members: users(&entry.members),
            count: entry.count,
            source: entry.source,
        });
        Self {
            header: Header::new("history", Exit::Done),
            target: TargetDocument::new(target),
            partial,
            entries: entries.collect(),
        }
    }
}

impl LedgerDocument {
    /// Builds the document of a ledger with this number of entries.
    pub fn new(target: &Target, entries: usize, recorded: &Recorded) -> Self {
        let list = |set: &UserSet| set.iter().map(|user| user.0).collect();
        let owed = recorded.owed.iter().map(|(pipe, owed)| OwedDocument {
            pipe: pipe.to_string(),
            members: list(&owed.members),
            welcome: owed.welcome,
        });
        let uncertain = recorded.open.iter().flat_map(|(pipe, open)| {
            open.iter().map(|open| UncertainDocument {
                pipe: pipe.to_string(),
                run: open.run.clone(),
                since: open.since.to_string(),
            })
        });
        let rosters = recorded.rosters.iter();
        let rosters = rosters.map(|(source, given)| RosterDocument {
            source: source.clone(),
            given: *given,
        });
        let empty = RecordedRoom::default();
        let rooms = recorded.ids.iter().map(|(pipe, id)| {
            let room = recorded.rooms.get(id).unwrap_or(&empty);
            RoomDocument {
                pipe: pipe.to_string(),
                room_id: id.0,
                left: recorded.left.contains(pipe),
                members: list(&room.members),
                adopted: list(&room.adopted),
                released: room.released.keys().map(|user| user.0).collect(),
                welcome: room.welcome.map(|welcome| match welcome {
                    Sending::Confirmed => "confirmed",
                    Sending::Uncertain => "uncertain",
                }),
                ignored_fields: room.shown.keys().map(|field| field.name()).collect(),
                pending_fields: room.pending.keys().map(|field| field.name()).collect(),
            }
        });
        Self {
            header: Header::new("ledger", Exit::Done),
            target: TargetDocument::new(target),
            entries,
            rooms: rooms.collect(),
            owed: owed.collect(),
            uncertain: uncertain.collect(),
            rosters: rosters.collect(),
        }
    }
}
