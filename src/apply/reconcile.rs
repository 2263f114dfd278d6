//! Resolves uncertain creates: reads the list, looks up the pipe, and adopts or creates the room.
//!
//! One read covers all uncertain rooms. Up to three reads with back-off, because the list may lag behind a write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use tracing::info;

use super::control::Control;
use crate::imbachat::ReadRooms;
use crate::model::{LiveRoom, Pipe, RoomId};

/// Maximum number of reads before a missing room counts as not created.
const LOOKS: u32 = 3;
/// The wait before the second read. It doubles each time.
const WAIT: Duration = Duration::from_millis(500);

/// What the list shows of an uncertain room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    /// The room exists.
    There(RoomId),
    /// Several rooms have the pipe.
    Several(Vec<RoomId>),
    /// The room does not exist.
    Absent,
    /// The room is not listed, but the list may be incomplete.
    NotListed,
}

/// Looks for rooms; `None` if the list cannot be read or the run is interrupted.
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
