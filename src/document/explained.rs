//! Why a user is in a room, as a document.

use serde::Serialize;

use super::Header;
use crate::error::Exit;
use crate::manifest::{Explained, Subject, Way};
use crate::model::{Desired, ListedRoom, Place};

/// The output of `explain --format json`.
#[derive(Debug, Serialize)]
pub struct ExplainDocument {
    #[serde(flatten)]
    header: Header,
    /// The room asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pipe: Option<String>,
    /// The user asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<u64>,
    /// The user's names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
    /// The row of a user who is excluded by `where` in `people`.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<PlaceDocument>,
    memberships: Vec<MembershipDocument>,
    /// The rooms that the ledger lists for the user.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    in_ledger: Vec<ListedRoomDocument>,
}

#[derive(Debug, Serialize)]
struct ListedRoomDocument {
    pipe: String,
    room_id: u64,
    /// `known`, or `to_remove` if the user left the manifest.
    state: &'static str,
    /// In UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
}

#[derive(Debug, Serialize)]
struct MembershipDocument {
    pipe: String,
    user: u64,
    /// The user's name, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Whether the user is a declared member: at least one way in, and no exclusion.
    member: bool,
    ways: Vec<WayDocument>,
    excluded_by: Vec<WayDocument>,
}

#[derive(Debug, Serialize)]
struct PlaceDocument {
    file: String,
    /// From 1.
    line: u32,
}

#[derive(Debug, Serialize)]
struct WayDocument {
    #[serde(flatten)]
    place: PlaceDocument,
    /// The groups it passes through, outermost first.
    groups: Vec<String>,
    /// Whether a joined roster supplied it.
    enrol: bool,
}

impl ExplainDocument {
    /// Builds the document of an answer.
    pub fn new(explained: &Explained, listed: &[ListedRoom], desired: &Desired) -> Self {
        let (pipe, user, names) = match &explained.subject {
            Subject::Room(pipe) => (Some(pipe.to_string()), None, Vec::new()),
            Subject::User(user, names) => (None, user.map(|user| user.0), names.clone()),
        };
        let document = |place: Place| PlaceDocument {
            file: desired.file_name(place).to_string(),
            line: place.line,
        };
        let documents = |ways: &[Way]| {
            let ways = ways.iter().map(|way| WayDocument {
                place: document(way.place),
                groups: way.groups.clone(),
                enrol: way.joined,
            });
            ways.collect()
        };
        let memberships = explained.memberships.iter().map(|it| MembershipDocument {
            pipe: it.pipe.to_string(),
            user: it.user.0,
            name: desired.names.get(&it.user).cloned(),
            member: it.excluded.is_empty(),
            ways: documents(&it.ways),
            excluded_by: documents(&it.excluded),
        });
        let in_ledger = listed.iter().map(|it| ListedRoomDocument {
            pipe: it.pipe.to_string(),
            room_id: it.room.0,
            state: if it.is_open_step {
                "to_remove"
            } else {
                "known"
            },
            since: it.since.clone(),
        });
        Self {
            header: Header::new("explain", Exit::Done),
            pipe,
            user,
            names,
            left_out: explained.left_out.map(document),
            memberships: memberships.collect(),
            in_ledger: in_ledger.collect(),
        }
    }
}
