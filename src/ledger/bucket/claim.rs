//! Who sends a message: of all runs on one ledger, whoever creates the object that its room's claim is named after.

use object_store::PutMode;
use object_store::path::Path;

use super::super::file::{LedgerError, Snapshot};
use super::super::fold::Entries;
use super::call::Trouble;
use super::merge::unconditional;
use super::store::{Put, Store, side_by_side};
use super::write::Writer;
use crate::model::{Pipe, RoomId};

/// A message that is to be sent, if nobody else began to.
pub(super) struct Claim {
    /// Which of those that wait.
    pub(super) index: usize,
    pub(super) pipe: Pipe,
    pub(super) room: RoomId,
    /// Its intent.
    pub(super) entries: Entries,
}

impl Writer {
    /// Which of these are ours, by their index. What was read when the ledger was opened may be old: a claim is made in spite of
    /// it only if the name it would have is free; else everything new is read before it is decided.
    pub(super) async fn claim_all(
        &mut self,
        mut open: Vec<Claim>,
    ) -> Result<Vec<(usize, bool)>, LedgerError> {
        let mut settled = Vec::new();
        let mut pauses = self.store.pauses();
        let mut trouble = Trouble::Changed;
        if !open.is_empty() {
            self.look(false).await?;
        }
        while !open.is_empty() {
            let mut tried = Vec::new();
            for claim in open {
                if !self.begun.has(&claim.pipe, claim.room) {
                    tried.push(claim);
                } else {
                    // An attempt whose answer was lost may have been ours.
                    settled.push((claim.index, self.made(&claim)));
                }
            }
            open = Vec::new();
            for (claim, path, put) in self.attempts(tried).await? {
                match put {
                    Put::Done(_) => {
                        self.try_twice(&path, &claim).await?;
                        settled.push((claim.index, true));
                        self.wrote(path, claim.entries);
                        continue;
                    }
                    Put::Taken => {}
                    Put::Lost(why) => trouble = why,
                }
                open.push(claim);
            }
            if !open.is_empty() {
                if !pauses.pause().await {
                    return Err(self.store.error("cannot be written", trouble));
                }
                self.look(true).await?;
            }
        }
        Ok(settled)
    }

    /// One attempt for each, all at once.
    async fn attempts(&self, claims: Vec<Claim>) -> Result<Vec<(Claim, Path, Put)>, LedgerError> {
        let (all, mut done) = (claims.len(), Vec::new());
        let work = claims.into_iter().map(|claim| {
            let (store, path) = (self.store.clone(), self.free(claim.room));
            let text = self.text(&claim.entries)?;
            Ok(attempt(store, claim, path, text))
        });
        let work = work.collect::<Result<Vec<_>, LedgerError>>()?;
        side_by_side(all, work, |tried| {
            done.push(tried?);
            Ok(())
        })
        .await?;
        Ok(done)
    }

    /// The first name of a room's claims that is not taken, as far as is known. Who knows less finds it taken.
    fn free(&self, room: RoomId) -> Path {
        let name = |number| {
            let claims = self.store.claims.clone();
            claims.join(format!("{room}-{number}.jsonl"))
        };
        let mut number = 0;
        while self.seen.has(&name(number)) {
            number += 1;
        }
        name(number)
    }

    /// Whether the claim that is there is this one.
    fn made(&self, claim: &Claim) -> bool {
        let mut stamps = claim.entries.keys();
        stamps.any(|stamp| self.begun.holds(&claim.pipe, stamp))
    }

    /// Once a run: a store that creates an object twice would let two runs send the same message.
    async fn try_twice(&mut self, path: &Path, claim: &Claim) -> Result<(), LedgerError> {
        if self.is_tried {
            return Ok(());
        }
        let text = self.text(&claim.entries)?;
        match self.store.put(path, &text, PutMode::Create).await? {
            Put::Done(_) => Err(self.unsafe_store(unconditional())),
            Put::Taken => {
                self.is_tried = true;
                Ok(())
            }
            // The next claim will tell.
            Put::Lost(_) => Ok(()),
        }
    }

    /// Reads what is new, in any case or if anything was merged: with entries from elsewhere, or claims that are gone since.
    async fn look(&mut self, in_any_case: bool) -> Result<(), LedgerError> {
        let mut news = Entries::new();
        let base = self.seen.look_at_base(&self.store, &self.target).await?;
        let is_merged = base.is_some();
        news.extend(base.into_iter().flat_map(|base| base.entries));
        if in_any_case || is_merged {
            let take = |part: Snapshot| news.extend(part.entries);
            self.seen.look(&self.store, &self.target, take).await?;
        }
        for (stamp, fact) in news {
            self.begun.take(stamp, fact);
        }
        Ok(())
    }
}

async fn attempt(
    store: Store,
    claim: Claim,
    path: Path,
    text: Vec<u8>,
) -> Result<(Claim, Path, Put), LedgerError> {
    let put = store.put(&path, &text, PutMode::Create).await?;
    Ok((claim, path, put))
}
