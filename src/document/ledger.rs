//! What is on record, as a document.

use serde::Serialize;

use super::FORMAT;
use crate::model::{Recorded, Sending, Target, UserSet};

/// The fold of a ledger.
#[derive(Debug, Serialize)]
pub struct LedgerDocument {
    format: u32,
    kind: &'static str,
    exit: u8,
    origin: String,
    widget: u64,
    /// Lines of the file, without headers.
    entries: usize,
    rooms: Vec<RoomDocument>,
    /// What creates promised and nothing settled yet.
    owed: Vec<OwedDocument>,
    /// What files with rows gave when they were last applied.
    rosters: Vec<RosterDocument>,
}

#[derive(Debug, Serialize)]
struct RoomDocument {
    pipe: String,
    room_id: u64,
    /// Whether it left the manifest before it was last applied.
    left: bool,
    /// Confirmed as added, or adopted.
    members: Vec<u64>,
    /// Which of them somebody had taken for present: the server never confirmed them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    adopted: Vec<u64>,
    /// Left the manifest since.
    released: Vec<u64>,
    /// What became of its welcome, if one was begun: `confirmed` or `uncertain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    welcome: Option<&'static str>,
    /// Fields the server ignored.
    ignored_fields: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct RosterDocument {
    /// The file's name below the manifest's root.
    source: String,
    /// Rooms and memberships.
    given: u64,
}

#[derive(Debug, Serialize)]
struct OwedDocument {
    pipe: String,
    members: Vec<u64>,
    /// Whether a welcome is owed.
    welcome: bool,
}

impl LedgerDocument {
    /// The document of a ledger with so many entries.
    pub fn new(target: &Target, entries: usize, recorded: &Recorded) -> Self {
        let list = |set: &UserSet| set.iter().map(|user| user.0).collect();
        let owed = recorded.owed.iter().map(|(pipe, owed)| OwedDocument {
            pipe: pipe.to_string(),
            members: list(&owed.members),
            welcome: owed.welcome,
        });
        let rosters = recorded.rosters.iter();
        let rosters = rosters.map(|(source, given)| RosterDocument {
            source: source.clone(),
            given: *given,
        });
        let rooms = recorded.ids.iter().map(|(pipe, id)| {
            let room = recorded.rooms.get(id).cloned().unwrap_or_default();
            RoomDocument {
                pipe: pipe.to_string(),
                room_id: id.0,
                left: recorded.left.contains(pipe),
                members: list(&room.members),
                adopted: list(&room.adopted),
                released: list(&room.released),
                welcome: room.welcome.map(|welcome| match welcome {
                    Sending::Confirmed => "confirmed",
                    Sending::Uncertain => "uncertain",
                }),
                ignored_fields: room.shown.keys().map(|field| field.name()).collect(),
            }
        });
        Self {
            format: FORMAT,
            kind: "ledger",
            exit: 0,
            origin: target.origin.clone(),
            widget: target.widget.0,
            entries,
            rooms: rooms.collect(),
            owed: owed.collect(),
            rosters: rosters.collect(),
        }
    }
}
