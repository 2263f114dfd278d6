//! A reader that counts its calls, repeated ones included: the report tells what the server received.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::imbachat::{Failure, ReadRooms};
use crate::model::LiveRoom;

/// Another reader, counted.
pub(super) struct Counting<'a, R> {
    reader: &'a R,
    calls: AtomicU32,
}

impl<'a, R> Counting<'a, R> {
    pub(super) fn new(reader: &'a R) -> Self {
        Self {
            reader,
            calls: AtomicU32::new(0),
        }
    }

    /// Calls so far.
    pub(super) fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }
}

impl<R: ReadRooms> ReadRooms for Counting<'_, R> {
    fn list(
        &self,
        take: &mut (dyn FnMut(LiveRoom) + Send),
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.reader.list(take)
    }

    fn is_partial(&self) -> bool {
        self.reader.is_partial()
    }
}
