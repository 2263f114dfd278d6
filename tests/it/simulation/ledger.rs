//! The ledger as one process writes it: part of an unfinished append may survive the process.
//!
//! Main type: [`Ledger`].

use std::sync::Arc;
use std::time::Duration;

use roomform::ledger::{Claim, Claimed, Fact, LedgerError, Record, RoomFact};
use roomform::model::RoomId;

use super::disk::Disk;
use super::protocol;
use super::types::Planted;
use super::world::World;

/// The ledger as opened by one process.
#[derive(Debug)]
pub struct Ledger {
    pub world: Arc<World>,
    pub run: usize,
}

/// An append in progress. If its process dies, part of it may still be on disk. As in the product,
/// its facts get their stamps when they are written.
struct Batch<'a> {
    ledger: &'a Ledger,
    facts: Vec<Fact>,
    /// The claim that the append takes, if any. Check and write are atomic: if another process has the claim,
    /// nothing is written.
    claim: Option<Claim>,
}

impl Batch<'_> {
    /// Uses the product's own decision: the simulation checks its consequences, not the decision itself.
    fn decide(&self) -> Claimed {
        let Some(claim) = &self.claim else {
            return Claimed::Ours;
        };
        self.ledger.world.with(|state| {
            match (state.planted, claim) {
                (Some(Planted::SharedClaims), Claim::Create { .. })
                | (Some(Planted::UnpromisedWelcome), Claim::Message { .. }) => {
                    return Claimed::Ours;
                }
                _ => {}
            }
            let run = &state.runs[self.ledger.run].name;
            let pipe = self.facts.first().and_then(Fact::pipe);
            let entries = state.disk.entries.iter();
            let of_pipe = entries.filter(|(_, fact)| fact.pipe() == pipe);
            let of_pipe = of_pipe.map(|(stamp, fact)| (stamp.clone(), fact.clone()));
            let now = state.time(self.ledger.run);
            let mut claimed = claim.decide(run, &of_pipe.collect(), now);
            state.know_entries(self.ledger.run);
            if let (Some(Planted::OldClaims), Claimed::Held { age, .. }) =
                (state.planted, &mut claimed)
            {
                *age = Duration::from_secs(2 * 60 * 60);
            }
            claimed
        })
    }

    fn write(&mut self, count: usize) {
        self.ledger.world.with(|state| {
            for fact in self.facts.drain(..count) {
                let stamp = state.stamp(self.ledger.run);
                state.disk.entries.insert(stamp, fact);
            }
        });
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if !self.facts.is_empty() && self.decide() == Claimed::Ours {
            let end = self.facts.len() as u64 + 1;
            let count = self.ledger.world.with(|state| state.rng.below(end));
            self.write(count as usize);
        }
    }
}

impl Record for Ledger {
    async fn append(&self, facts: Vec<Fact>) -> Result<(), LedgerError> {
        self.write(facts, None).await.map(drop)
    }

    async fn claim(&self, claim: Claim, intent: Fact) -> Result<Claimed, LedgerError> {
        let facts = claim.ended().into_iter().chain([intent]).collect();
        self.write(facts, Some(claim)).await
    }
}

impl Ledger {
    /// Writes facts. Writes nothing if another process already has the claim.
    async fn write(
        &self,
        mut facts: Vec<Fact>,
        claim: Option<Claim>,
    ) -> Result<Claimed, LedgerError> {
        let closed = || LedgerError::Closed {
            reason: "no space left on device".to_owned(),
            is_lost: false,
        };
        self.world.event(self.run, "append").await;
        let (delay, closed_before) = self.world.with(|state| {
            if state.planted == Some(Planted::HastyVerdict) {
                facts.iter_mut().for_each(call_ignored);
            }
            (state.rng.below(8), state.runs[self.run].ledger_failed)
        });
        if closed_before {
            return Err(closed());
        }
        let mut batch = Batch {
            ledger: self,
            facts: facts.clone(),
            claim,
        };
        tokio::time::sleep(Duration::from_millis(delay)).await;
        self.world.event(self.run, "fsync").await;
        let decision = batch.decide();
        if decision != Claimed::Ours {
            batch.facts.clear();
            self.world.with(|state| {
                let is_begun = |room: &RoomId| {
                    let mut facts = state.disk.entries.values();
                    facts.any(|fact| Disk::message(fact) == Some(*room))
                };
                state.count(match (&batch.claim, &decision) {
                    (Some(Claim::Message { room, .. }), _) if is_begun(room) => {
                        "a message of another run"
                    }
                    (Some(Claim::Message { .. }), _) => "a message that no create promised",
                    (_, Claimed::Created(_)) => "a room that another run created",
                    _ => "a create of another run",
                });
                state.say(|| format!("run {}: {decision:?}: {facts:?}", self.run));
            });
            return Ok(decision);
        }
        if matches!(
            batch.claim,
            Some(Claim::Create {
                takes_over: Some(_),
                ..
            })
        ) {
            self.world.with(|state| state.count("a claim taken over"));
        }
        let full = self.world.with(|state| {
            let check = |fact| protocol::record(state, self.run, fact);
            facts.iter().for_each(check);
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
            // Dropping the batch may still write part of it; only the error is certain.
            return Err(closed());
        }
        batch.write(facts.len());
        self.world.event(self.run, "appended").await;
        self.world
            .with(|state| state.runs[self.run].appended.extend(facts));
        Ok(Claimed::Ours)
    }
}

/// Records a pending field as ignored, without evidence.
fn call_ignored(fact: &mut Fact) {
    if let Fact::Room(
        pipe,
        room,
        RoomFact::Pending {
            field, sent, shown, ..
        },
    ) = fact
    {
        *fact = Fact::Room(
            pipe.clone(),
            *room,
            RoomFact::Shown {
                field: *field,
                sent: sent.clone(),
                shown: shown.clone(),
            },
        );
    }
}
