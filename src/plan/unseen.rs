//! Fields that were sent and that the list does not show: the server ignores them, or the list lags.

use super::findings::IgnoredField;
use crate::model::{DesiredRoom, Field, FieldValue, LiveRoom, PendingField, RecordedRoom, Time};

/// A list that is younger than a write by this many milliseconds certainly shows the write.
const LAG_AT_MOST: i64 = 60 * 60 * 1000;

/// A field that was sent and that the list does not show.
pub(super) enum Unseen<'a> {
    /// The server ignored it; it is reported instead of sent.
    Ignored(IgnoredField),
    /// The server ignored it, but the ledger does not say so yet: long after the value was sent, the list still shows the room
    /// unchanged.
    NowIgnored(IgnoredField),
    /// The list may lag; it is sent again.
    Pending(&'a PendingField),
}

/// Returns what the ledger says about a field that differs. Drift does not count as unseen: it changes the value that the list
/// shows.
pub(super) fn unseen<'a>(
    room: &DesiredRoom,
    live: &LiveRoom,
    record: &'a RecordedRoom,
    field: Field,
    read_at: Option<Time>,
) -> Option<Unseen<'a>> {
    let ignored = |sent: &FieldValue, shown: &FieldValue| IgnoredField {
        pipe: live.pipe.clone(),
        room: live.id,
        field,
        sent: sent.clone(),
        shown: shown.clone(),
    };
    let is_same = |sent: &FieldValue, shown: &FieldValue| {
        *sent == room.state.value(field) && *shown == live.state.value(field)
    };
    if let Some(was) = record.shown.get(&field)
        && is_same(&was.sent, &was.shown)
    {
        // If any run has sent another value since, that was a new attempt, and this difference is new.
        let last = record.sent.as_ref().map(|sent| sent.value(field));
        if last.is_none_or(|last| last == was.sent || last == was.shown) {
            return Some(Unseen::Ignored(ignored(&was.sent, &was.shown)));
        }
    }
    let was = record.pending.get(&field)?;
    // Another run may have sent another value since.
    let last = record.sent.as_ref().map(|sent| sent.value(field));
    let is_last = last.is_none_or(|last| last == was.sent);
    if !is_last || !is_same(&was.sent, &was.shown) || was.updated_at != live.updated_at {
        return None;
    }
    let is_late = read_at.is_some_and(|read_at| read_at.0 - was.since.0 >= LAG_AT_MOST);
    Some(match is_late && was.updated_at.is_some() {
        true => Unseen::NowIgnored(ignored(&was.sent, &was.shown)),
        false => Unseen::Pending(was),
    })
}
