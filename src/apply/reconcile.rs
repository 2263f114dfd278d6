//! Creates whose answer was lost: the list is read, the pipe is looked up, and the room is adopted or created.
//!
//! One read for all that are uncertain, up to three with back-off, since the list may lag behind a write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use tracing::info;

use super::control::Control;
use crate::imbachat::ReadRooms;
use crate::model::{LiveRoom, Pipe, RoomId};

/// Looks at most, before a room that is not there counts as never made.
const LOOKS: u32 = 3;
/// The wait before the second look; the next is twice as long.
const WAIT: Duration = Duration::from_millis(500);

/// What the list says of an uncertain room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    /// It is there.
    There(RoomId),
    /// More than one is.
    Several(Vec<RoomId>),
    /// It is not.
    Absent,
    /// It is not, and the list may lack rooms that exist.
    NotListed,
}

/// Looks for rooms; `None` if the list cannot be read, or the run was interrupted.
pub(super) async fn look_for(
    pipes: &BTreeSet<Pipe>,
    reader: &impl ReadRooms,
    control: &Control,
) -> Option<BTreeMap<Pipe, Finding>> {
    let mut look = 1;
    loop {
        let take = |found: &mut BTreeMap<Pipe, Vec<RoomId>>, row: LiveRoom| {
            if !row.deleted && pipes.contains(&row.pipe) {
                found.entry(row.pipe).or_default().push(row.id);
            }
        };
        let nothing_yet = || {
            control.reads.fetch_add(1, Ordering::Relaxed);
            BTreeMap::new()
        };
        let read = reader.collect(&control.dice, nothing_yet, take);
        let found = control.unless_interrupted(read).await?.ok()?;
        let (wanted, shown) = (pipes.len(), found.len());
        info!(look, wanted, found = shown, "looked for uncertain rooms");
        if shown == wanted || look == LOOKS {
            let findings = pipes
                .iter()
                .map(|pipe| (pipe.clone(), finding(found.get(pipe), reader.is_partial())));
            return Some(findings.collect());
        }
        if !control.pause(WAIT * 2_u32.pow(look - 1)).await {
            return None;
        }
        look += 1;
    }
}

fn finding(ids: Option<&Vec<RoomId>>, is_partial: bool) -> Finding {
    match ids.map(Vec::as_slice) {
        None | Some([]) if is_partial => Finding::NotListed,
        None | Some([]) => Finding::Absent,
        Some([id]) => Finding::There(*id),
        Some(several) => Finding::Several(several.to_vec()),
    }
}
