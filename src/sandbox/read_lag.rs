//! Simulates a lagging list: `get_rooms` shows the new version of a room only after a number of
//! list calls, or only after some time has passed.
//!
//! The main type is [`ReadLag`]. It has the older versions of rooms that readers still see. It
//! is not part of the saved state. Writes ignore it, and always see the latest rooms.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::records::Room;

/// What `get_rooms` shows of recently written rooms.
#[derive(Debug, Clone, Default)]
pub(super) struct ReadLag {
    /// The number of list calls of each widget.
    calls: BTreeMap<u64, u64>,
    unsettled: BTreeMap<u64, History>,
}

#[derive(Debug, Clone)]
struct History {
    widget: u64,
    shown: Option<Room>,
    /// The versions after `shown`, oldest first. Each has the number of list calls before it
    /// was written, and the time when it was written.
    pending: VecDeque<(u64, Duration, Room)>,
}

impl ReadLag {
    /// Records a write. Readers see the previous version until the write is old enough.
    pub(super) fn note(&mut self, before: Option<Room>, after: &Room, now: Duration) {
        let calls = self.calls.get(&after.widget).copied().unwrap_or(0);
        let history = self.unsettled.entry(after.id).or_insert_with(|| History {
            widget: after.widget,
            shown: before,
            pending: VecDeque::new(),
        });
        history.pending.push_back((calls, now, after.clone()));
    }

    /// Counts a list call of the widget. Then makes visible what was written before the
    /// previous `lag` list calls and no later than `until`.
    pub(super) fn list_called(&mut self, widget: u64, lag: u32, until: Duration) {
        let calls = self.calls.entry(widget).or_default();
        *calls += 1;
        let calls = calls.saturating_sub(lag.into());
        self.unsettled
            .retain(|_, history| history.widget != widget || history.settle(calls, until));
    }

    /// Returns the room as a reader sees it; `None` while the room is not yet visible.
    pub(super) fn view<'a>(&'a self, room: &'a Room) -> Option<&'a Room> {
        match self.unsettled.get(&room.id) {
            Some(history) => history.shown.as_ref(),
            None => Some(room),
        }
    }
}

impl History {
    /// Makes visible what was written before list call number `call` and no later than `until`.
    /// Returns whether newer versions are still pending.
    fn settle(&mut self, call: u64, until: Duration) -> bool {
        while let Some((written_at_call, written_at, _)) = self.pending.front()
            && *written_at_call < call
            && *written_at <= until
        {
            self.shown = self.pending.pop_front().map(|(_, _, room)| room);
        }
        !self.pending.is_empty()
    }
}
