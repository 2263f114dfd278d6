//! Facts -> entries: the stamps of a run, in an order that never runs backwards.

use std::iter::repeat_with;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::Timestamp;

use super::entry::Stamp;
use crate::model::RunId;

/// The stamps of one run.
#[derive(Debug)]
pub(super) struct Stamps {
    run: RunId,
    clock: AtomicI64,
    sequence: AtomicU64,
}

impl Stamps {
    /// Those of a run that goes on after entries with these stamps, the latest of which comes first.
    pub(super) fn after<'a>(run: &RunId, latest_first: impl Iterator<Item = &'a Stamp>) -> Self {
        let mut times = latest_first.flat_map(|stamp| stamp.time.parse::<Timestamp>());
        let clock = times.next().map_or(0, |time| time.as_millisecond() + 1);
        Self {
            run: run.clone(),
            clock: AtomicI64::new(clock),
            sequence: AtomicU64::new(0),
        }
    }

    /// The next ones, all of this moment.
    pub(super) fn next(&self) -> impl Iterator<Item = Stamp> {
        let time = format!("{:.3}", self.now());
        repeat_with(move || Stamp {
            time: time.clone(),
            run: self.run.to_string(),
            sequence: self.sequence.fetch_add(1, Ordering::Relaxed) + 1,
        })
    }

    /// The time, which never runs backwards: what is written later is later, also after entries of a machine whose clock is
    /// ahead.
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        let latest = self
            .clock
            .fetch_max(now.as_millisecond(), Ordering::Relaxed);
        Timestamp::from_millisecond(latest).map_or(now, |latest| latest.max(now))
    }
}
