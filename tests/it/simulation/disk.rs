//! The disk: what was appended to the ledger outlives the process; what was about to be may, in part.

use std::sync::Arc;
use std::time::Duration;

use roomform::ledger::{Entries, Fact, LedgerError, Record, Stamp};

use super::world::World;

/// The ledger file, as the next process finds it.
#[derive(Debug, Default)]
pub struct Disk {
    pub entries: Entries,
    pub full: bool,
}

/// The ledger as one process has it open.
#[derive(Debug)]
pub struct Ledger {
    pub world: Arc<World>,
    pub run: usize,
}

/// An append that has not come back yet. If its process dies, a part of it may be on disk all the same.
struct Batch<'a> {
    ledger: &'a Ledger,
    lines: Vec<(Stamp, Fact)>,
}

impl Batch<'_> {
    fn write(&mut self, lines: usize) {
        let lines = self.lines.drain(..lines);
        self.ledger
            .world
            .with(|state| state.disk.entries.extend(lines));
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if !self.lines.is_empty() {
            let end = self.lines.len() as u64 + 1;
            let lines = self.ledger.world.with(|state| state.rng.below(end));
            self.write(lines as usize);
        }
    }
}

impl Record for Ledger {
    async fn append(&self, facts: Vec<Fact>) -> Result<(), LedgerError> {
        let closed = || LedgerError::Closed("no space left on device".to_owned());
        self.world.event(self.run, "append").await;
        let (lines, delay, closed_before) = self.world.with(|state| {
            let lines: Vec<(Stamp, Fact)> = facts
                .iter()
                .map(|fact| (state.stamp(self.run), fact.clone()))
                .collect();
            (
                lines,
                state.rng.below(8),
                state.runs[self.run].ledger_failed,
            )
        });
        if closed_before {
            return Err(closed());
        }
        let mut batch = Batch {
            ledger: self,
            lines,
        };
        tokio::time::sleep(Duration::from_millis(delay)).await;
        self.world.event(self.run, "fsync").await;
        let full = self.world.with(|state| {
            state.disk.full |= state.rng.chance(state.weather.full);
            if state.disk.full || state.runs[self.run].ledger_failed {
                state.runs[self.run].ledger_failed = true;
                state.count("a full disk");
                state.say(|| format!("run {}: the disk is full", self.run));
            } else {
                state.say(|| format!("run {}: on disk: {facts:?}", self.run));
            }
            state.runs[self.run].ledger_failed
        });
        if full {
            // What is dropped here may be on disk after all: only the answer is certain.
            return Err(closed());
        }
        batch.write(facts.len());
        self.world.event(self.run, "appended").await;
        self.world
            .with(|state| state.runs[self.run].appended.extend(facts));
        Ok(())
    }
}
