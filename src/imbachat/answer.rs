//! An answer of get_rooms that somebody kept, read without any call.

use super::rows::Rows;
use super::wire::{self, Bad};
use crate::model::LiveRoom;

/// Why a kept answer is no list of rooms. The text may repeat what the server said: it is to be escaped before it is shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoList(String);

/// The rows of a whole answer of get_rooms, deleted ones included, in the server's order; read as tolerantly as over HTTP.
///
/// # Errors
/// [`NoList`], also if the answer is a good one in form and says no.
pub fn rooms_of(answer: &[u8]) -> Result<Vec<LiveRoom>, NoList> {
    read(answer).map_err(|bad| match bad {
        Bad::Shape(text) | Bad::NoList(text) => NoList(text),
        Bad::Complaint(complaint) => NoList(format!("the answer says no: {}", complaint.text)),
    })
}

fn read(answer: &[u8]) -> Result<Vec<LiveRoom>, Bad> {
    let (mut rows, mut rooms) = (Rows::default(), Vec::new());
    rows.feed(answer, |row| {
        rooms.push(wire::row(row)?);
        Ok::<(), Bad>(())
    })?;
    wire::envelope(&rows.finish()?)?;
    Ok(rooms)
}
