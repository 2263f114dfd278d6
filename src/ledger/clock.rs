//! Creates the stamps of a run's entries. Each stamp is later than the one before it.

use std::iter::repeat_with;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::Timestamp;

use super::entry::{Entries, Stamp};
use crate::model::{RunId, Time};

#[derive(Debug)]
pub(super) struct EntryClock {
    run: RunId,
    earliest_millisecond: AtomicI64,
    sequence: AtomicU64,
}

impl EntryClock {
    /// Creates a clock. Its stamps are later than those of the given entries.
    pub(super) fn new(run: &RunId, entries: &Entries) -> Self {
        let clock = Self {
            run: run.clone(),
            earliest_millisecond: AtomicI64::new(0),
            sequence: AtomicU64::new(0),
        };
        if let Some(latest) = entries.keys().next_back() {
            clock.pass(latest);
        }
        clock
    }

    /// Makes all further stamps later than this one.
    pub(super) fn pass(&self, stamp: &Stamp) {
        if let Some(time) = parse_time(&stamp.time) {
            self.earliest_millisecond
                .fetch_max(time.0 + 1, Ordering::Relaxed);
        }
    }

    /// Returns an endless iterator over the next stamps. All of them have the current time.
    pub(super) fn next_stamps(&self) -> impl Iterator<Item = Stamp> {
        let time: Arc<str> = format!("{:.3}", self.now()).into();
        let run: Arc<str> = self.run.as_str().into();
        repeat_with(move || Stamp {
            time: Arc::clone(&time),
            run: Arc::clone(&run),
            sequence: self.sequence.fetch_add(1, Ordering::Relaxed) + 1,
        })
    }

    /// Returns the current time, but never an earlier time than before. If an entry has a later
    /// time than this machine's clock, each call adds a millisecond. A renewed claim then has a
    /// later time, so that another run sees the renewal.
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        let earliest = &self.earliest_millisecond;
        let earliest = match earliest.fetch_max(now.as_millisecond(), Ordering::Relaxed) {
            ahead if ahead > now.as_millisecond() => earliest.fetch_add(1, Ordering::Relaxed),
            _ => now.as_millisecond(),
        };
        Timestamp::from_millisecond(earliest).unwrap_or(now)
    }
}

/// Formats a time as in entries: UTC in RFC 3339, with milliseconds. Returns an empty text if the
/// date cannot be represented.
pub(super) fn time_text(time: Time) -> String {
    let time = Timestamp::from_millisecond(time.0);
    time.map(|time| format!("{time:.3}")).unwrap_or_default()
}

pub(super) fn parse_time(text: &str) -> Option<Time> {
    let time = text.parse::<Timestamp>().ok()?;
    Some(Time(time.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_come_after_those_of_a_clock_that_is_ahead() {
        let clock = EntryClock::new(&RunId::new(1), &Entries::new());
        let next = || clock.next_stamps().next().map(|stamp| stamp.time);
        let ahead = Stamp {
            time: "2999-01-01T00:00:00.000Z".into(),
            run: Arc::default(),
            sequence: 0,
        };
        clock.pass(&ahead);
        let (ahead, one, two) = (Some(ahead.time), next(), next());
        assert!(ahead < one && one < two, "{one:?}, {two:?}");
    }
}
