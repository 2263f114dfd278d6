//! Why somebody is in a room, as a document.

use serde::Serialize;

use super::FORMAT;
use crate::manifest::{Explained, Membership, Subject, Way};
use crate::model::{Desired, Place};

/// The output of `explain --format json`.
#[derive(Debug, Serialize)]
pub struct ExplainDocument {
    format: u32,
    kind: &'static str,
    /// The room asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pipe: Option<String>,
    /// The user asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<u64>,
    /// The names of that user.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
    /// The row of a user whom the `where` of `people` leaves out.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<PlaceDocument>,
    memberships: Vec<MembershipDocument>,
}

#[derive(Debug, Serialize)]
struct MembershipDocument {
    pipe: String,
    user: u64,
    /// Whether the user is a declared member: there is a way in and nothing keeps them out.
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
    file: String,
    /// From 1.
    line: u32,
    /// The groups it leads through, outermost first.
    groups: Vec<String>,
    /// Whether a joined roster gave it.
    enrol: bool,
}

impl ExplainDocument {
    /// The document of an answer.
    pub fn new(explained: &Explained, desired: &Desired) -> Self {
        let (pipe, user, names) = match &explained.subject {
            Subject::Room(pipe) => (Some(pipe.to_string()), None, Vec::new()),
            Subject::User(user, names) => (None, user.map(|user| user.0), names.clone()),
        };
        let memberships = explained.memberships.iter().map(|membership| {
            let Membership {
                pipe,
                user,
                ways,
                excluded,
            } = membership;
            let each = |ways: &[Way]| ways.iter().map(|way| document(way, desired)).collect();
            MembershipDocument {
                pipe: pipe.to_string(),
                user: user.0,
                member: excluded.is_empty(),
                ways: each(ways),
                excluded_by: each(excluded),
            }
        });
        Self {
            format: FORMAT,
            kind: "explain",
            pipe,
            user,
            names,
            left_out: explained.left_out.map(|place| PlaceDocument {
                file: desired.file_name(place).to_string(),
                line: place.line,
            }),
            memberships: memberships.collect(),
        }
    }
}

fn document(way: &Way, desired: &Desired) -> WayDocument {
    let Way {
        groups,
        place,
        joined,
    } = way;
    let Place { line, .. } = *place;
    WayDocument {
        file: desired.file_name(*place).to_string(),
        line,
        groups: groups.clone(),
        enrol: *joined,
    }
}
