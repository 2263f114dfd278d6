//! Lines of the kind that a ledger is mostly made of, read at one go.
//!
//! Main entry: [`read`]. Whatever does not fit is [`Line`]'s to judge.

use serde::Deserialize;

use super::entry::{Fact, Stamp};
use super::line::Line;
use super::word::FieldWord;
use crate::model::{Field, Pipe, RoomId, RoomKind, RoomState, UserId};

/// The entry of a line.
///
/// # Errors
/// What is wrong with the JSON, or with the entry in it.
pub(super) fn read(line: &[u8]) -> serde_json::Result<(Stamp, Fact)> {
    match serde_json::from_slice::<Confirmed>(line).map(Confirmed::into_parts) {
        Ok(Some(parts)) => Ok(parts),
        _ => serde_json::from_slice::<Line>(line).map(Line::into_parts),
    }
}

/// A confirmed write as [`Line`] has it, without the detour: a flattened entry is put together from a copy of all its values.
#[derive(Deserialize)]
struct Confirmed<'l> {
    run: String,
    seq: u64,
    time: String,
    kind: &'l str,
    pipe: String,
    room_id: u64,
    members: Vec<u64>,
    title: String,
    r#type: i64,
    public: bool,
    #[serde(default)]
    kept: Vec<FieldWord>,
}

impl Confirmed<'_> {
    fn into_parts(self) -> Option<(Stamp, Fact)> {
        let stamp = Stamp {
            time: self.time,
            run: self.run,
            sequence: self.seq,
        };
        let fact = Fact::Confirmed {
            pipe: Pipe::new(self.pipe),
            room: RoomId(self.room_id),
            members: self.members.into_iter().map(UserId).collect(),
            sent: RoomState {
                title: self.title,
                kind: RoomKind::from_number(self.r#type),
                public: self.public,
            },
            kept: self.kept.into_iter().map(Field::from).collect(),
        };
        (self.kind == "confirmed").then_some((stamp, fact))
    }
}
